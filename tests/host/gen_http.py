#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gen_http.py - a small ext2 image with what a web server meets, by mke2fs: $TMPDIR/http.img.

Content of /data/N is N bytes: byte n is (n * 31 + n // 251) & 255.  Without e2fsprogs the file
`missing` says so, and the tests skip.
"""

import os
import shutil
import socket
import subprocess
import sys

OUT = os.environ["TMPDIR"]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SIZES = (0, 1, 511, 513, 1024, 4097, 300_000)
NAMES = (b"two words", b"100%", b"%41", b"what?", b"a#b", b"<b>&\"'", b"gr\xc3\xbc\xc3\x9fe", b"\xff\xfe",
         b"tab\there", b"colon:name", b"n" * 255)


def pattern(size):
    """The bytes of a file of this size."""
    return bytes((n * 31 + n // 251) & 255 for n in range(size))


def write(root, name, data):
    """A file with a fixed time."""
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.utime(path, (1_600_000_000, 1_600_000_000))


def tree(root):
    """The folder that becomes the image."""
    for size in SIZES:
        write(root, b"data/%d" % size, pattern(size))
    for name in NAMES:
        write(root, b"names/" + name, name)
    write(root, b"page.html", b"<p>page</p>\n")
    write(root, b"words.txt", b"words\n")
    os.makedirs(root + b"/empty")
    for number in range(300):
        write(root, b"many/file %03d" % number, b"")
    with open(root + b"/holes", "wb") as file:
        file.write(b"front")
        file.seek(100_000)
        file.write(b"back")
    for name, target in ((b"to-words", b"words.txt"), (b"to-data", b"/data"), (b"loop", b"loop"),
                         (b"nowhere", b"no/such/file"), (b"outside", b"../../../etc/passwd")):
        os.symlink(target, root + b"/" + name)
    os.mkfifo(root + b"/fifo")
    here = os.getcwd()
    os.chdir(root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    os.chdir(here)


def main():
    """The image, and a corpus for the fuzz target."""
    if not shutil.which("mke2fs", path=PATH):
        with open(os.path.join(OUT, "missing"), "w", encoding="utf-8") as file:
            file.write("e2fsprogs is not installed\n")
        return
    root = os.fsencode(os.path.join(OUT, "root"))
    os.makedirs(root)
    tree(root)
    image = os.path.join(OUT, "http.img")
    done = subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-N", "512", "-d", root, image,
                           "2M"], env=dict(os.environ, PATH=PATH, LC_ALL="C"), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(done.stdout.decode())
    corpus = os.path.join(OUT, "corpus")
    os.makedirs(corpus, exist_ok=True)
    for number, text in enumerate((
            b"GET / HTTP/1.1\r\nHost: e\r\n\r\n", b"HEAD /data/4097 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"GET /data/300000 HTTP/1.1\r\nHost: e\r\nRange: bytes=5-99\r\nIf-Range: \"x\"\r\n\r\n",
            b"GET /data HTTP/1.1\r\nHost: e\r\nIf-None-Match: \"a\", W/\"b\", *\r\n\r\n" * 2,
            b"GET http://e/names/two%20words HTTP/1.1\r\nHost: e\r\n"
            b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\nhello",
            b"PUT / HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET /many/../%2e%2e/./fifo?x HTTP/1.1\nHost: e\nConnection: close, x\n\n",
            b"\r\n\r\nGET /loop HTTP/1.1\r\nHost: e\r\n\r\nGET /to-words HTTP/1.1\r\nHost: e\r\n\r\n")):
        with open(os.path.join(corpus, str(number)), "wb") as file:
            file.write(b"\0\0\0\0" + text)


if __name__ == "__main__":
    main()
