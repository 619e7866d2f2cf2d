# SPDX-License-Identifier: MIT
"""tree.py - a folder of the host on exo's disk: every file compared by its XXH64.

The tree is generated from a fixed seed: awkward names, empty files, holes, many files in a folder,
deep folders, links.  The host's side of the comparison does not use exo's code.
"""

import os
import random
import re

import qemu
import scenario
import xxh64

HASH_LINE = re.compile(r"(?m)^([0-9a-f]{16})  (/.*)$")

# The shell shows control characters in names so, instead of sending them to the terminal.
CONTROL = re.compile(r"\\x([01][0-9a-f]|7f)")


def generate(root, seed=2024):
    """Make the tree; {path from the root of the disk: hash}."""
    chance = random.Random(seed)
    names = ["plain", "with blank", "UPPER.TXT", "dots...", "gr\u00fc\u00dfe-\u65e5\u672c", "n" * 255,
             "-dash", "semi;colon", "quote'", "tab\there", "#hash", "back\\slash"]
    sizes = [0, 1, 511, 512, 1023, 1024, 1025, 4095, 4096, 4097, 12 * 1024 + 1, 70_001, 300_000]
    folders = ["", "folder", "folder/inner", "many", "/".join(f"d{i}" for i in range(30))]
    files = {}
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        files[f"{folders[i % 3]}/{name}".lstrip("/")] = chance.randbytes(sizes[i % len(sizes)])
    for i, size in enumerate(sizes):
        files[f"{folders[4]}/size{i}"] = chance.randbytes(size)
    for i in range(400):
        files[f"many/file{i:04}"] = chance.randbytes(chance.randrange(40))
    for path, data in files.items():
        (root / path).write_bytes(data)
    with open(root / "holes", "wb") as file:
        file.write(b"front")
        file.seek(400_000)
        file.write(b"behind the hole")
    os.symlink("folder/with blank", root / "link")
    return {"/" + str(p.relative_to(root)): xxh64.xxh64(p.read_bytes())
            for p in root.rglob("*") if p.is_file() and not p.is_symlink()}


def compare(run, text, expected):
    """Fail unless the shell printed exactly these hashes (the link may be there or not)."""
    seen = {CONTROL.sub(lambda m: chr(int(m.group(1), 16)), path): int(value, 16)
            for value, path in HASH_LINE.findall(text)}
    seen.pop("/link", None)
    lost = {p for p in seen if p.startswith("/lost+found")}
    missing = sorted(set(expected) - set(seen))
    extra = sorted(set(seen) - set(expected) - lost)
    wrong = sorted(p for p in expected if p in seen and seen[p] != expected[p])
    run.check(not missing, f"{len(missing)} of {len(expected)} files not seen, first: {missing[:2]}")
    run.check(not extra, f"{len(extra)} files that do not exist, first: {extra[:2]}")
    run.check(not wrong, f"{len(wrong)} files differ, first: {wrong[:2]}")


@scenario.test("tree", timeout=240.0)
def tree(run):
    """`make run DIR=...` through a pipe, each file's hash equal to the host's."""
    run.need("mke2fs")
    root = run.file("tree")
    if root.exists():
        run.command(["rm", "-rf", root], good=(0,))
    root.mkdir()
    expected = generate(root)
    done = run.make_run(b"hash -r /\nexit\n", DIR=root)
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    compare(run, run.clean(done.stdout), expected)


@scenario.test("tree_4k_blocks", timeout=240.0)
def big_blocks(run):
    """The same from an image of the host's making with 4 KiB blocks and 128-byte inodes."""
    run.need("mke2fs")
    root = run.file("tree")
    if root.exists():
        run.command(["rm", "-rf", root], good=(0,))
    root.mkdir()
    expected = generate(root, 77)
    image = run.file("disk.img")
    run.command(["mke2fs", "-q", "-t", "ext2", "-b", "4096", "-I", "128", "-d", root, image, "32M"],
                good=(0,))
    done = run.make_run(b"hash -r /\nexit\n", DISK=image)
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    compare(run, run.clean(done.stdout), expected)


@scenario.test("disk_nvme", timeout=180.0, device="nvme", blocks=512)
@scenario.test("disk_nvme_4k", timeout=180.0, blocks=4096,
               device="nvme,logical_block_size=4096,physical_block_size=4096,mdts=1,"
                      "max_ioqpairs=1,msix_qsize=1")
def nvme(run, device, blocks):
    """The same from NVMe controllers: one of QEMU's making, one that takes 8 KiB at a time."""
    run.need("mke2fs")
    root = run.file("tree")
    if root.exists():
        run.command(["rm", "-rf", root], good=(0,))
    root.mkdir()
    expected = generate(root, 99)
    image = run.file("disk.img")
    run.command(["mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-d", root, image, "32M"],
                good=(0,))
    with run.boot(*qemu.disk_arguments(image, device=device)) as box:
        run.prompt(box)
        run.check(f"blocks of {blocks} bytes" in box.text(), "the disk is not the one that was given")
        compare(run, run.shell(box, "hash -r /", 100.0), expected)
        box.send("exit\r")
        run.end(box, qemu.POWER_OFF)


@scenario.test("foreign_disk", timeout=120.0)
def foreign(run):
    """A disk without a file system that exo knows: said in words, and the shell works."""
    image = run.file("disk.img")
    image.write_bytes(random.Random(5).randbytes(4 << 20))
    done = run.make_run(b"ls /\nhelp\nexit\n", DISK=image)
    text = run.clean(done.stdout)
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    run.check(re.search(r"(?i)ext2", text), "no word on what is wrong with the disk")


@scenario.test("refused_features", timeout=120.0)
def refused(run):
    """An ext4 disk: the feature that exo does not know is named."""
    run.need("mke2fs")
    image = run.file("disk.img")
    run.command(["mke2fs", "-q", "-t", "ext4", image, "16M"], good=(0,))
    done = run.make_run(b"ls /\nexit\n", DISK=image)
    text = run.clean(done.stdout)
    run.check(done.returncode == 0, f"make run ended with {done.returncode}")
    run.check(re.search(r"(?i)extent|64bit|journal|flex_bg", text), "no feature is named")
