# SPDX-License-Identifier: MIT
"""shell.py - the shell as a person or a script meets it, on a machine with a small disk.

Input is typed after the prompt was seen; what a command prints is what stands between prompts.
"""

import functools
import re

import qemu
import scenario
import xxh64

NOTE = b"first line\nsecond line\n" + bytes(range(256))


def small_disk(run):
    """An ext2 image with /note, /empty and /folder/inner."""
    run.need("mke2fs")
    root = run.file("root")
    (root / "folder").mkdir(parents=True, exist_ok=True)
    (root / "note").write_bytes(NOTE)
    (root / "empty").write_bytes(b"")
    (root / "text").write_bytes(b"one\ntwo\n")
    (root / "folder" / "inner").write_bytes(b"x" * 5000)
    image = run.file("disk.img")
    run.command(["mke2fs", "-q", "-F", "-t", "ext2", "-d", root, image, "4M"], good=(0,))
    return image


def session(name, timeout=120.0, cpus=2):
    """Register a test that gets a machine whose shell has prompted, and that must power off."""
    def register(function):
        @scenario.test(name, timeout)
        @functools.wraps(function)
        def wrapper(run):
            disk = qemu.disk_arguments(small_disk(run))
            with run.boot(*disk, cpus=cpus) as box:
                run.prompt(box)
                function(run, box)
                box.send("exit\r")
                run.end(box, qemu.POWER_OFF)
        return function
    return register


def expect(run, box, line, *patterns):
    """The output of a line must match all these; the output."""
    text = run.shell(box, line)
    for pattern in patterns:
        run.check(re.search(pattern, text, re.M), f"`{line[:60]}` did not print {pattern!r}: {text[:200]!r}")
    return text


@session("files")
def files(run, box):
    """ls, cat, hexdump and hash, with and without a file."""
    expect(run, box, "ls /", r"\bnote\b", r"\bfolder\b")
    expect(run, box, "ls -l /folder", r"5000.*inner")
    expect(run, box, "cat /text", r"^one$", r"^two$")
    expect(run, box, "hexdump /note", r"66 69 72 73 74")
    expect(run, box, "hash /note", f"^{xxh64.xxh64(NOTE):016x}  /note$")
    expect(run, box, "hash /empty", r"^ef46db3751d8e999  /empty$")
    text = expect(run, box, "hash -r /folder", r"  /folder/inner$")
    run.check(len(re.findall(r"(?m)^[0-9a-f]{16}  /", text)) == 1, f"hash -r /folder: {text!r}")
    for line in ("cat /nothing", "hash /nothing", "ls /nothing", "hexdump /nothing", "cat /folder",
                 "cat /note/inner"):
        expect(run, box, line, r"/n|/folder")
        expect(run, box, "ls /", r"\bnote\b")


@session("inspection")
def inspection(run, box):
    """ps, mem, caps, slices, irq, dev print what the machine has."""
    expect(run, box, "help", *(rf"\b{word}\b" for word in (
        "help ls cat hexdump hash ps mem caps slices irq dev net ping fetch capture run kill exit".split())))
    expect(run, box, "ps", r"\d")
    expect(run, box, "ps -l", r"CALLS.*SWITCHES.*COPIED", r"^0x[0-9a-f]+ +shell +[1-9]\d* ")
    expect(run, box, "mem", r"\d")
    expect(run, box, "caps", r"(?i)frame", r"(?i)slot")
    expect(run, box, "slices", r"(?i)cpu")
    expect(run, box, "irq", r"\d")
    expect(run, box, "dev", r"1af4")


@session("mistakes", timeout=180.0)
def mistakes(run, box):
    """Wrong commands and arguments say so, and the shell goes on."""
    expect(run, box, "frobnicate", r"frobnicate")
    for line in ("ls -Q", "cat", "hash", "kill", "kill 99999999999999999999", "kill x", "run",
                 "run nothing-of-this-name", "caps 12345678901234567890", "ls /" + "d/" * 900,
                 "cat \"unclosed", "   ", "&", "run &", "\t", "hexdump -n", "mem x y z"):
        run.shell(box, line)
    long = expect(run, box, "x" * 10000, r"(?i)long|characters")
    run.check(len(long) < 30000, f"a line of 10,000 characters printed {len(long)}")
    expect(run, box, "cat /text", r"^one$")


@session("line_editing")
def editing(run, box):
    """Arrows, history, control keys: what runs is what the edited line says."""
    expect(run, box, "cat /texX\x7ft", r"^one$")
    expect(run, box, "at /text\x01c", r"^one$")
    expect(run, box, "cat /txt\x1b[D\x1b[De", r"^one$")
    expect(run, box, "\x1b[A", r"^one$")
    expect(run, box, "rubbish\x15cat /text", r"^one$")
    expect(run, box, "cat rubbish\x17/text", r"^one$")
    expect(run, box, "cat /text/more\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x0b", r"^one$")
    expect(run, box, "ls /\x1b[A\x1b[B\x15cat /text", r"^one$")


@session("programs")
def programs(run, box):
    """A program that does not exist is an error; ps shows the shell's own environment."""
    before = run.shell(box, "ps")
    run.check(re.search(r"(?m)^.*\d", before), "ps is empty")
    run.shell(box, "run no-such-program")
    after = run.shell(box, "ps")
    run.check(len(before.splitlines()) == len(after.splitlines()),
              "the number of environments changed by a program that does not exist")


@scenario.test("input_at_once", timeout=120.0)
def at_once(run):
    """A script's whole input sent in one piece behind the prompt is not lost."""
    disk = qemu.disk_arguments(small_disk(run))
    with run.boot(*disk) as box:
        run.prompt(box)
        box.send("".join(f"hash /folder/inner\r" for _ in range(20)) + "exit\r")
        run.end(box, qemu.POWER_OFF)
        value = f"{xxh64.xxh64(b'x' * 5000):016x}"
        count = len(re.findall(rf"(?m)^{value}  /folder/inner$", box.text()))
        run.check(count == 20, f"{count} of 20 commands answered")
