# SPDX-License-Identifier: MIT
"""tap.py - a network name space of a test's own, with a tap interface to exo's card.

unshare() holds for the thread that calls it, and for the threads and programs that it starts: tests
side by side do not see each other's.  It needs root and /dev/net/tun; else the test is skipped.
"""

import contextlib
import ctypes
import fcntl
import os
import random
import select
import struct
import threading
import time

import scenario

HOST, GUEST = "10.9.0.1", "10.9.0.2"
CLONE_NEWNET, TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x40000000, 0x400454CA, 0x0002, 0x1000
_libc = ctypes.CDLL(None, use_errno=True)


def missing():
    """Why tap interfaces cannot be made here, or an empty string."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "no right to open /dev/net/tun (root has it)"
    if os.geteuid() != 0:
        return "a network name space needs root"
    for program in ("ip", "tc"):
        if not scenario.tool(program):
            return f"{program} is not installed"
    return ""


@contextlib.contextmanager
def namespace(run):
    """Be in a new network name space; skips the test where that is not allowed."""
    if why := missing():
        run.skip(why)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _libc.unshare(CLONE_NEWNET):
            run.skip(f"no network name space: {os.strerror(ctypes.get_errno())}")
        try:
            ip(run, "link set lo up")
            yield
        finally:
            if _libc.setns(before, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "cannot go back to the network name space")
    finally:
        os.close(before)


def ip(run, words):
    """The command ip with these words; it must succeed."""
    run.command(["ip", *words.split()], good=(0,))


def interface(run, name="tap0", options="", mtu=1500):
    """A tap interface with the host's address."""
    ip(run, f"tuntap add dev {name} mode tap {options}")
    up(run, name, mtu)


def up(run, name, mtu=1500):
    """Give an interface the host's address."""
    ip(run, f"addr add {HOST}/24 dev {name}")
    ip(run, f"link set {name} mtu {mtu} up")


class Wire(threading.Thread):
    """A tap interface of ours, joined to a cable by a wire that loses, doubles, delays, spoils frames.

    Chances are per frame, each way; the order of chances is that of a fixed seed.
    """

    def __init__(self, cable, name="tap0", loss=0.0, double=0.0, late=0.0, spoil=0.0):
        super().__init__(daemon=True)
        self.cable, self.going, self.chance = cable, True, random.Random(99)
        self.loss, self.double, self.late, self.spoil = loss, double, late, spoil
        self.counts = {"passed": 0, "lost": 0, "doubled": 0, "late": 0, "spoiled": 0}
        self.held = []                  # (time, side, frame) that are on their way
        self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        self.cable.near.setblocking(False)

    def run(self):
        while self.going:
            wait = 0.2 if not self.held else max(0.0, min(0.2, self.held[0][0] - time.monotonic()))
            ready, _, _ = select.select([self.tap, self.cable.near], [], [], wait)
            for side in ready:
                self.take(side)
            while self.held and self.held[0][0] <= time.monotonic():
                _, side, frame = self.held.pop(0)
                self.give(side, frame)

    def take(self, side):
        """Frames that came in on a side, a few of them."""
        for _ in range(32):
            try:
                frame = os.read(self.tap, 65536) if side == self.tap else self.cable.near.recv(65536)
            except OSError:             # nothing more, or the interface is down
                return
            self.pass_on(self.cable.near if side == self.tap else self.tap, frame)

    def happens(self, what, chance):
        """Does it happen to this frame?  Counted."""
        if self.chance.random() >= chance:
            return False
        self.counts[what] += 1
        return True

    def pass_on(self, side, frame):
        """One frame towards a side, as chance will have it."""
        if self.happens("lost", self.loss):
            return
        if self.happens("spoiled", self.spoil):
            at = self.chance.randrange(14, len(frame))
            frame = frame[:at] + bytes([frame[at] ^ 1 << self.chance.randrange(8)]) + frame[at + 1:]
        if self.happens("doubled", self.double):
            self.give(side, frame)
        if self.happens("late", self.late):
            self.held.append((time.monotonic() + 0.003 + 0.02 * self.chance.random(), side, frame))
            self.held.sort(key=lambda entry: entry[0])
        else:
            self.give(side, frame)

    def give(self, side, frame):
        """Put a frame on a side; a full one loses it, as cables do."""
        try:
            if side == self.tap:
                os.write(self.tap, frame)
            else:
                side.send(frame)
            self.counts["passed"] += 1
        except OSError:
            self.counts["lost"] += 1

    def end(self):
        """Stop, and take the interface away."""
        self.going = False
        self.join()
        os.close(self.tap)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()
