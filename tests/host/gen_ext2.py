#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gen_ext2.py - ext2 images of a generated tree, made by mke2fs, into $TMPDIR.

    gen_ext2.py full    tree/ and one image of it for each of VARIANTS: NAME.img
    gen_ext2.py small   small trees in small images to damage: small1k.img, small4k.img, ...
    gen_ext2.py other   file systems that are not plain ext2: ext3, ext4, ...

The tree is the same each time: the seed is fixed.  Needs e2fsprogs; without it the file `missing`
says so, and the tests skip.
"""

import os
import random
import shutil
import socket
import subprocess
import sys

OUT = os.environ["TMPDIR"]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
ENV = dict(os.environ, PATH=PATH, LC_ALL="C", TZ="UTC", E2FSPROGS_FAKE_TIME="1700000000")

# name, size, mke2fs arguments
VARIANTS = [
    ("1k-128", "40M", ["-b", "1024", "-I", "128"]),
    ("1k-256", "40M", ["-b", "1024", "-I", "256"]),
    ("2k-256", "40M", ["-b", "2048", "-I", "256"]),
    ("4k-128", "60M", ["-b", "4096", "-I", "128"]),
    ("4k-256", "60M", ["-b", "4096", "-I", "256"]),
    ("1k-groups", "40M", ["-b", "1024", "-g", "1024"]),
    ("2k-indexed", "40M", ["-b", "2048"]),
    ("1k-nofiletype", "40M", ["-b", "1024", "-O", "none,sparse_super,large_file"]),
    ("1k-holes", "40M", ["-b", "1024"]),
]


def run(*command, check=True, stdin=None):
    """Run a program quietly; its output ends up in the log when it fails."""
    done = subprocess.run(command, env=ENV, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout.decode()}")
    return done


def write(path, data, mtime=1600000000, mode=0o644):
    """A file of the tree."""
    full = os.path.join(OUT, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(data)
    os.chmod(full, mode)
    os.utime(full, (mtime, mtime))


def sparse(path, size, pieces):
    """A file with data only at some offsets."""
    full = os.path.join(OUT, path)
    with open(full, "wb") as file:
        file.truncate(size)
        for offset, data in pieces:
            file.seek(offset)
            file.write(data)


def full_tree():
    """Everything a file system has to get right, once."""
    rng = random.Random(1)
    tree = "tree"
    for n in (0, 1, 59, 60, 61, 1023, 1024, 1025, 4095, 4096, 4097, 12 * 1024, 12 * 1024 + 1,
              49152, 49153, 268 * 1024, 268 * 1024 + 1, 1000003):
        write(f"{tree}/sizes/{n}", rng.randbytes(n), mtime=1000000000 + n, mode=0o600 + n % 64)
    for name in ("with space", "  two  leading", "tab\tand\nnewline", "-dash", "ünïcödé ☃ 漢字", "...",
                 "a" * 255, "é" * 127, "quote\"'`$(x)", "back\\slash", "\x01\x7f"):
        write(f"{tree}/names/{name}", name.encode() * 3)
    deep = tree + "".join(f"/d{n:03}" for n in range(120))
    write(f"{deep}/bottom", b"the bottom\n")
    for n in range(3000):
        write(f"{tree}/many/file number {n:05}", b"%d\n" % n if n % 3 else b"")
    os.makedirs(os.path.join(OUT, tree, "empty directory"))
    sparse(f"{tree}/sparse-all", 3 * 1024 * 1024 + 17, [])
    sparse(f"{tree}/sparse-mixed", 5000000,
           [(n * 50021, rng.randbytes(rng.randrange(1, 9000))) for n in range(0, 97, 3)])
    mib = 1 << 20
    sparse(f"{tree}/sparse-triple-1k", 70 * mib,
           [(n, rng.randbytes(3000)) for n in (0, 11 * 1024, 267 * 1024, 65 * mib, 70 * mib - 3000)])
    sparse(f"{tree}/sparse-big", 4300 * mib + 5,
           [(n, rng.randbytes(5000)) for n in (0, 12 * 4096 - 9, 514 * mib, 4096 * mib - 2500,
                                               4200 * mib, 4300 * mib - 4995)])
    for name, target in (("relative", "sizes/1025"), ("absolute", "/sizes/1"), ("up", "../sizes/1"),
                         ("dangling", "no/such/file"), ("loop", "loop"), ("loop-a", "loop-b"),
                         ("loop-b", "loop-a"), ("to-dir", "names"), ("chain-0", "sizes/1025"),
                         ("fast-59", "x" * 59), ("slow-60", "y" * 60), ("slow-61", "z" * 61),
                         ("slow-900", "/".join(["w" * 99] * 9)), ("slash", "sizes/"),
                         ("dot", "."), ("root", "/"), ("file-slash", "sizes/1/")):
        os.symlink(target, os.path.join(OUT, tree, name))
    for n in range(1, 45):
        os.symlink(f"chain-{n - 1}", os.path.join(OUT, tree, f"chain-{n}"))
    os.link(os.path.join(OUT, tree, "sizes/1025"), os.path.join(OUT, tree, "hard link"))
    os.mkfifo(os.path.join(OUT, tree, "fifo"))
    here = os.getcwd()
    os.chdir(os.path.join(OUT, tree))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket")
    os.chdir(here)


DEVICES = b"mknod console c 5 1\nmknod disk b 254 300\nset_inode_field /sizes/61 mtime 0x80000000\n" \
          b"set_inode_field /sizes/61 uid 131077\nset_inode_field /sizes/61 gid 77\n"


def full():
    """The tree and its images."""
    full_tree()
    for name, size, arguments in VARIANTS:
        image = os.path.join(OUT, name + ".img")
        run("mke2fs", "-q", "-F", "-t", "ext2", "-N", "4096", "-L", "exo test", *arguments, "-d",
            os.path.join(OUT, "tree"), image, size)
        run("debugfs", "-w", "-f", "/dev/stdin", image, stdin=DEVICES)
        if name.endswith("indexed"):
            run("e2fsck", "-fyD", image, check=False)
            text = run("debugfs", "-R", "stat /many", image).stdout.decode()
            if "Flags: 0x1000" not in text:
                sys.exit("e2fsck made no index of /many")
        if name.endswith("holes"):
            script = b"".join(b'rm "/many/file number %05d"\n' % n for n in range(0, 3000, 2))
            run("debugfs", "-w", "-f", "/dev/stdin", image, stdin=script)


def small_tree(tree):
    """A little of each, for images that are read thousands of times."""
    rng = random.Random(2)
    write(f"{tree}/hello", b"hello, world\n")
    write(f"{tree}/direct", rng.randbytes(9000))
    write(f"{tree}/indirect", rng.randbytes(30000))
    write(f"{tree}/a/b/c/deep", b"deep\n")
    for n in range(40):
        write(f"{tree}/many/a name of some length {n}", b"%d\n" % n)
    sparse(f"{tree}/double", 400000, [(0, b"start"), (399000, rng.randbytes(1000))])
    sparse(f"{tree}/triple", 70 << 20, [(70 * (1 << 20) - 700, rng.randbytes(700))])
    os.symlink("a/b/c/deep", os.path.join(OUT, tree, "fast"))
    os.symlink("/".join(["a"] + [".."] * 30 + ["a"] * 1), os.path.join(OUT, tree, "slow"))
    os.symlink("/", os.path.join(OUT, tree, "root"))


def revision_0():
    """mke2fs's arguments for a file system of revision 0; newer ones have no -r."""
    return ["-r", "0"] if b"[-r " in run("mke2fs", check=False).stdout else ["-E", "revision=0"]


def small():
    """Images of a few hundred KiB."""
    small_tree("small")
    source = os.path.join(OUT, "small")
    for name, size, arguments in (("small1k", "384K", ["-b", "1024", "-g", "256", "-N", "128"]),
                                  ("small4k", "1M", ["-b", "4096", "-N", "128"]),
                                  ("small2k", "640K", ["-b", "2048", "-I", "128", "-N", "96"]),
                                  ("small-rev0", "384K", ["-b", "1024", "-N", "128", *revision_0()])):
        run("mke2fs", "-q", "-F", "-t", "ext2", *arguments, "-d", source,
            os.path.join(OUT, name + ".img"), size)
    corpus = os.path.join(OUT, "corpus")
    os.makedirs(corpus, exist_ok=True)
    for name in ("small1k", "small2k", "small4k"):
        shutil.copy(os.path.join(OUT, name + ".img"), corpus)


def other():
    """What is to be read as ext2, and what is to be refused by name."""
    small_tree("small")
    source = os.path.join(OUT, "small")
    for name, kind, features in (("ext3", "ext3", ""), ("ext3-dirty", "ext3", ""),
                                 ("ext4", "ext4", ""), ("extent", "ext2", "extent"),
                                 ("64bit", "ext2", "extent,64bit"),
                                 ("inline", "ext2", "inline_data"),
                                 ("meta_bg", "ext2", "^resize_inode,meta_bg"),
                                 ("flex_bg", "ext2", "flex_bg"),
                                 ("mmp", "ext2", "mmp"), ("large_dir", "ext2", "large_dir"),
                                 ("encrypt", "ext2", "encrypt"), ("csum", "ext2", "metadata_csum"),
                                 ("quota", "ext2", "quota")):
        image = os.path.join(OUT, name + ".img")
        extra = ["-O", features] if features else []
        run("mke2fs", "-q", "-F", "-t", kind, "-b", "1024", "-I", "256", *extra, "-d", source, image, "8M")
        if name == "ext3-dirty":
            run("debugfs", "-w", "-R", "feature needs_recovery", image)
    run("mke2fs", "-q", "-F", "-t", "ext2", "-b", "65536", os.path.join(OUT, "64k.img"), "64M",
        check=False)
    with open(os.path.join(OUT, "noise.img"), "wb") as file:
        file.write(random.Random(3).randbytes(1 << 20))
    with open(os.path.join(OUT, "empty.img"), "wb") as file:
        file.truncate(512)


def main():
    """Make what the argument names."""
    if any(not shutil.which(tool, path=PATH) for tool in ("mke2fs", "debugfs", "e2fsck")):
        with open(os.path.join(OUT, "missing"), "w", encoding="utf-8") as file:
            file.write("e2fsprogs is not installed\n")
        return
    {"full": full, "small": small, "other": other}[sys.argv[1]]()


if __name__ == "__main__":
    main()
