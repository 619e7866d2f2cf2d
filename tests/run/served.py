# SPDX-License-Identifier: MIT
"""served.py - a machine whose web server serves a disk over the user-mode network.

Readiness is what the machine says: the user-mode network takes connections before anybody listens.
"""

import contextlib
import functools
import random

import net
import qemu
import scenario
import web

BIG = random.Random(11).randbytes(1_500_000)
FILES = {"index-free.txt": b"words\n", "empty": b"", "big.bin": BIG, "small.html": b"<p>page</p>\n",
         "folder/inner": b"inner\n" * 200, "holes": b"begin" + bytes(100_000) + b"end"}


def small_disk(run):
    """An ext2 image with FILES."""
    run.need("mke2fs")
    root = run.file("root")
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    image = run.file("disk.img")
    run.command(["mke2fs", "-q", "-F", "-t", "ext2", "-d", root, image, "8M"], good=(0,))
    return image


@contextlib.contextmanager
def machine(run, card, disk=None, wait=True, **keys):
    """A machine with these arguments for its card; at its prompt, with the web server up."""
    disks = qemu.disk_arguments(disk) if disk else []
    with run.boot(*disks, *card, **keys) as box:
        run.prompt(box)
        if wait:
            up(run, box)
        yield box


def up(run, box, limit=20.0, start=0):
    """Wait until the machine says where its web server is; the address."""
    said = box.expect(r"^web server: http://([0-9.]+)/", limit * run.context.slow, start)
    run.check(said, "the machine does not say that its web server is up")
    return said.group(1)


def alive(run, box, port=None, address="127.0.0.1"):
    """The web server gives out a file, the shell answers."""
    answer = web.get(port or run.port, "/folder/inner", address=address)
    run.check((answer.status, answer.body) == (200, FILES["folder/inner"]), f"/folder/inner: {answer}")
    run.check("mem" in run.shell(box, "help"), "the shell does not answer")


def session(name, timeout=90.0, forwards=(), **keys):
    """Register a test that gets a machine with the small disk and a user-mode card, which must serve
    and power off when the test is over."""
    def register(function):
        @scenario.test(name, timeout)
        @functools.wraps(function)
        def wrapper(run):
            card = net.user_card(run, forwards=forwards)
            with machine(run, card, small_disk(run), **keys) as box:
                function(run, box)
                alive(run, box)
                box.send("exit\r")
                run.end(box, qemu.POWER_OFF)
        return function
    return register
