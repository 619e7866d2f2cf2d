# SPDX-License-Identifier: MIT
"""boot.py - exo comes up on every machine it claims to, and says in words why it does not.

Each test has a machine of its own.  What the shell can do is tested in tests/e2e.
"""

import re
import shutil

import qemu
import scenario


def check_life(run, box, cpus):
    """The banner counts the CPUs, the shell answers, `exit` powers off."""
    run.prompt(box)
    banner = qemu.BANNER.search(box.text().encode())
    run.check(banner, "no banner before the prompt")
    found = re.search(r"(\d+) CPU", banner.group().decode())
    run.check(found and int(found.group(1)) == cpus,
              f"the banner does not speak of {cpus} CPUs: {banner.group().decode()!r}")
    run.check("mem" in run.shell(box, "help"), "`help` does not name `mem`")
    box.send("exit\r")
    run.end(box, qemu.POWER_OFF)


@scenario.test("no_disk_smp1", cpus=1)
@scenario.test("no_disk_smp2", cpus=2)
@scenario.test("no_disk_smp4", cpus=4)
def no_disk(run, cpus):
    """No disk, no network, no screen: a prompt all the same, and the lack is said once."""
    with run.boot(cpus=cpus) as box:
        run.prompt(box)
        said = re.findall(r"(?im)^(?:notice: )?(?:no disk\b|disk:\s+none).*$", box.text())
        run.check(len(said) == 1, f"the missing disk is said {len(said)} times: {said}")
        check_life(run, box, cpus)


@scenario.test("memory_64M")
def memory_64(run):
    """The smallest machine."""
    with run.boot(memory="64M", cpus=1) as box:
        check_life(run, box, 1)


@scenario.test("memory_5G")
def memory_above_4g(run):
    """RAM on both sides of the hole below 4 GiB."""
    with run.boot(memory="5G", cpus=2) as box:
        check_life(run, box, 2)


@scenario.test("with_screen")
def with_screen(run):
    """A standard screen beside the serial line changes nothing."""
    with run.boot("-device", "VGA", cpus=1) as box:
        check_life(run, box, 1)


def esp_image(run):
    """A copy of build/exo.img of this test's own."""
    run.need("mcopy", "sgdisk")
    run.build("image")
    image = run.file("exo.img")
    shutil.copyfile(run.context.build / "exo.img", image)
    return image


def add_file(run, image, name, data):
    """Put a file into \\exo\\ of an image's EFI System Partition."""
    source = run.file("member")
    source.write_bytes(data)
    run.command(["mcopy", "-o", "-i", f"{image}@@1M", source, f"::/exo/{name}"], good=(0,))


@scenario.test("esp")
def esp(run):
    """The disk image boots by itself and carries the boot line in \\exo\\boot.txt."""
    image = esp_image(run)
    add_file(run, image, "boot.txt", b"word-of-the-esp\n")
    with run.boot(*qemu.disk_arguments(image), kernel=False) as box:
        run.prompt(box)
        run.check("word-of-the-esp" in box.text(), "the word in boot.txt was not seen by init")
        check_life(run, box, 2)


@scenario.test("cd")
def cd(run):
    """The CD image boots by El Torito."""
    run.need("xorriso")
    run.build("iso")
    cdrom = ["-drive", f"if=none,id=cd,media=cdrom,readonly=on,file={run.context.build}/exo.iso",
             "-device", "ahci,id=ahci", "-device", "ide-cd,drive=cd,bus=ahci.0"]
    with run.boot(*cdrom, kernel=False) as box:
        check_life(run, box, 2)


@scenario.test("garbage_in_exo_folder")
def garbage(run):
    """Files in \\exo\\ that nobody knows do not keep exo from booting."""
    image = esp_image(run)
    add_file(run, image, "garbage.bin", bytes((i * 89 + i // 256) & 255 for i in range(70000)))
    add_file(run, image, "empty", b"")
    add_file(run, image, "a name of the longest kind, with blanks, that a FAT can carry "
             + "x" * 120 + ".elf", b"\x7fELF" + bytes(60))
    with run.boot(*qemu.disk_arguments(image), kernel=False) as box:
        check_life(run, box, 2)


@scenario.test("garbage_init")
def garbage_init(run):
    """A first program that is no program: named on the console, and back to the firmware."""
    image = esp_image(run)
    add_file(run, image, "init", b"this is not a program " * 300)
    with run.boot(*qemu.disk_arguments(image), kernel=False) as box:
        refused(run, box, r"^exo[.:].*\binit\b")


def find_member(data, member):
    """Where a member of the boot archive lies in exo.efi: (offset, bytes), or (0, 0)."""
    magic, start = (0x31657669686372).to_bytes(8, "little"), -1
    while (start := data.find(magic, start + 1)) >= 0:
        size, count = (int.from_bytes(data[start + at:start + at + n], "little")
                       for at, n in ((8, 8), (24, 4)))
        if size % 4096 or not size or size > len(data) - start or count > 1000:
            continue                    # the loader's own constant, not an archive
        for entry in range(start + 32, start + 32 + 72 * count, 72):
            name = bytes(data[entry:entry + 48]).rstrip(b"\0").decode("ascii", "replace")
            offset, size = (int.from_bytes(data[entry + at:entry + at + 8], "little") for at in (48, 56))
            if name == member:
                return start + offset, size
    return 0, 0


@scenario.test("corrupt_archive_kernel", member="exo.kernel")
@scenario.test("corrupt_archive_init", member="init")
def corrupt_archive(run, member):
    """One wrong byte in a member that the loader uses: named, and back to the firmware."""
    data = bytearray((run.context.build / "exo.efi").read_bytes())
    offset, size = find_member(data, member)
    run.check(size, f"no member {member} in an archive in exo.efi")
    data[offset + size // 2] ^= 0x10
    efi = run.file("corrupt.efi")
    efi.write_bytes(data)
    with run.boot(efi=efi) as box:
        refused(run, box, r"^exo[.:].*" + re.escape(member))


def refused(run, box, pattern):
    """The loader says why on the firmware's console; the firmware then goes on, exo does not."""
    found = box.expect(pattern, run.left() - 5)
    run.check(found, f"no message that matches {pattern}")
    end = box.finish(4.0)
    run.check(end.kind in (qemu.IN_FIRMWARE, qemu.TIME), f"after the refusal: {end}")
    run.check(not re.search(r"^exo> ", box.text(), re.M), "it booted in spite of the refusal")


@scenario.test("panic")
def panic(run):
    """A panic of the kernel: last words with a backtrace that names functions."""
    with run.boot(line="panic=boot", cpus=2) as box:
        end = box.finish(run.left())
        run.check(end.kind == qemu.PANICKED, f"expected a panic, saw {end}")
        after = box.text()[box.text().find("exo: panic"):]
        frames = re.findall(r"(?m)^\s*(?:#?\d+:?\s+)?(?:0x)?f{8}[0-9a-f]{8}\s+.*?([a-z_][a-z0-9_]+)\s*\+", after)
        run.check(len(frames) >= 2, f"the backtrace names {len(frames)} functions")


@scenario.test("line_unknown_words", line="nonsense =x x== %n%s%p \\exo\\ ' \" app= debug-exitt 1=2,3;4")
@scenario.test("line_numbers", line="nonce=99999999999999999999999 slice=-1 icount=0x panic= panic=never")
@scenario.test("line_not_ascii", line="gr\u00fc\u00dfe \u65e5\u672c\u8a9e")
@scenario.test("line_2000_characters", line="w" * 1000 + " " + "v" * 999)
def nonsense(run, line):
    """Boot lines with nonsense: said, ignored, and the shell comes."""
    with run.boot(line=line) as box:
        check_life(run, box, 2)


@scenario.test("line_10000_characters")
def too_long(run):
    """A boot line longer than exo takes is refused in words by the loader."""
    with run.boot(line="word " * 2000) as box:
        refused(run, box, r"^exo[.:].*(boot|command) line")
