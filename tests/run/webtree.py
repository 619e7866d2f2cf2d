# SPDX-License-Identifier: MIT
"""webtree.py - the folder whose every file the web server must give out unchanged.

Made from a fixed seed.  Paths are bytes, relative to the root: names need not be UTF-8.
"""

import os
import random
import socket
import stat
import urllib.parse

BIG = 3 * 1024 * 1024 + 17      # larger than any buffer on the way
DEEP = b"/".join(b"deep%d" % i for i in range(40))
NAMES = (b"plain.txt", b"two words.txt", b"percent%20sign", b"100%", b"%41", b"what?", b"a=b&c=d",
         b"<b>bold<p>", b'"quoted"', b"it's", b"hash#tag", b"semi;colon", b"colon:name", b"plus+sign",
         "gr\u00fc\u00dfe \u65e5\u672c\u8a9e.md".encode(), "emoji\U0001f600".encode(), b"latin\xe9one",
         b"\xff\xfe", b"back\\slash", b"tab\tname", b"line\nbreak", b"del\x7f", b"..twodots", b"...",
         b".hidden", b"-dash", b"~tilde", b"n" * 255, b"blank at end ", b"javascript:alert(1)",
         b"&amp;", b"picture.png", b"page.html", b"data.json", b"style.css", b"code.c")
SIZES = (0, 1, 511, 512, 1023, 1024, 1025, 1459, 1460, 1461, 4095, 4096, 4097, 12 * 1024 + 1, 65535,
         65536, 65537, 131072, 268 * 1024 + 1, 300_001)

# name, target, the file of the tree that it leads to (None: nothing that may be given out)
LINKS = (
    (b"link-relative", b"plain.txt", b"plain.txt"),
    (b"folder/link-up", b"../two words.txt", b"two words.txt"),
    (b"link-absolute", b"/folder/inner.txt", b"folder/inner.txt"),
    (b"link-slow", b"folder/../" * 20 + b"plain.txt", b"plain.txt"),
    (b"link-chain1", b"link-chain2", b"folder/inner.txt"),
    (b"link-chain2", b"folder/link-chain3", None),
    (b"folder/link-chain3", b"/folder/inner.txt", b"folder/inner.txt"),
    (b"link-loop1", b"link-loop2", None),
    (b"link-loop2", b"link-loop1", None),
    (b"link-self", b"link-self", None),
    (b"link-dangling", b"nothing/here", None),
    (b"link-outside", b"../../../../../../etc/passwd", None),
    (b"link-outside-absolute", b"/etc/passwd", None),
    (b"link-over-top", b"../../../plain.txt", b"plain.txt"),    # the root's parent is the root
    (b"link-special", b"fifo", None),
)
FOLLOWED = {name: end for name, _, end in LINKS if end} | {b"link-chain2": b"folder/inner.txt"}
NOWHERE = [name for name, _, end in LINKS if not end and name not in FOLLOWED and name != b"link-special"]


class Tree:
    """The tree: `files` {path: content}, `special` [path], `folders` [path], links as above."""

    def __init__(self, root, seed=3):
        self.root, self.chance = os.fsencode(root), random.Random(seed)
        self.files, self.folders, self.special = {}, [b""], []
        for folder in (b"folder", b"folder/inner folder", b"many", b"empty folder", DEEP):
            self.folder(folder)
        self.fill()
        self.holes()
        for path, data in self.files.items():
            self.write(path, data)
        for name, target, _ in LINKS:
            os.symlink(target, self.path(name))
        os.symlink(b"folder", self.path(b"link-folder"))
        self.specials()

    def path(self, name):
        """On the host."""
        return os.path.join(self.root, name)

    def folder(self, path):
        """A folder with those above it."""
        os.makedirs(self.path(path), exist_ok=True)
        parts = path.split(b"/")
        for count in range(1, len(parts) + 1):
            if b"/".join(parts[:count]) not in self.folders:
                self.folders.append(b"/".join(parts[:count]))

    def fill(self):
        """Contents of all ordinary files."""
        for number, name in enumerate(NAMES):
            self.files[name] = self.chance.randbytes(100 + 97 * number)
        for size in SIZES:
            self.files[b"folder/size-%d" % size] = self.chance.randbytes(size)
        self.files[b"folder/inner.txt"] = b"inner\n"
        self.files[b"folder/inner folder/file"] = b"deeper\n" * 300
        self.files[DEEP + b"/bottom"] = b"bottom\n"
        self.files[b"big.bin"] = self.chance.randbytes(BIG)
        for number in range(500):
            self.files[b"many/file %03d" % number] = self.chance.randbytes(self.chance.randrange(60))

    def holes(self):
        """A file that is mostly hole, and one that is nothing else."""
        self.files[b"holes"] = b"front" + bytes(700_000) + b"behind the hole" + bytes(90_000)
        self.files[b"all hole"] = bytes(200_000)

    def write(self, path, data):
        """A file; long runs of zeros become holes."""
        with open(self.path(path), "wb") as file:
            for at in range(0, len(data), 4096):
                piece = data[at:at + 4096]
                if piece.strip(b"\0"):
                    file.seek(at)
                    file.write(piece)
            file.truncate(len(data))

    def specials(self):
        """What is no file: a pipe, a socket, and as root devices."""
        os.mkfifo(self.path(b"fifo"))
        self.special.append(b"fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.open(self.root, os.O_RDONLY)      # a socket's path may not be long
            listener.bind(f"/proc/self/fd/{here}/socket")
            os.close(here)
        self.special.append(b"socket")
        try:
            os.mknod(self.path(b"null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
            os.mknod(self.path(b"disk"), stat.S_IFBLK | 0o660, os.makedev(8, 0))
            self.special += [b"null", b"disk"]
        except PermissionError:
            pass

    def image(self, run, *options):
        """An ext2 image of it."""
        path = run.file("disk.img")
        run.command(["mke2fs", "-q", "-F", "-t", "ext2", *options, "-d", os.fsdecode(self.root), path,
                     "32M"], good=(0,))
        return path


def url(path):
    """The target of a path, everything but letters, digits, `-._~` and `/` as percent signs."""
    return "/" + urllib.parse.quote_from_bytes(path, safe="/")


def made(run, seed=3):
    """A fresh tree in the test's folder."""
    root = run.file("root")
    if root.exists():
        run.command(["rm", "-rf", root], good=(0,))
    root.mkdir()
    return Tree(root, seed)
