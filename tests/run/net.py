# SPDX-License-Identifier: MIT
"""net.py - network cards of test machines, and the host's side of what passes over them.

Each card has a capture in the test's folder, which is kept if the test fails.  The user-mode network
needs no rights; a Segment is one where tests put frames of their own beside it.
"""

import contextlib
import pathlib
import queue
import random
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import nics     # noqa: E402  pylint: disable=wrong-import-position

GUEST, GATEWAY, GUEST_MAC = "10.0.2.15", "10.0.2.2", bytes.fromhex("525400657800")
OWN_MAC = bytes.fromhex("525400aabbcc")         # of the tests' own end
ETHERTYPES = (b"\x08\x00", b"\x08\x06", b"\x86\xdd")
OFFLOAD_BYTES = 12      # of virtio's header, which tap interfaces take with each packet
_lock, _next = threading.Lock(), random.randrange(20000, 30000, 4)


def free_port():
    """A TCP port of the host that is free, as the next one is; not given out twice."""
    global _next    # pylint: disable=global-statement
    with _lock:
        while True:
            port, _next = _next, _next + 4 if _next < 32000 else 20000
            if not any(f.problem() for f in nics.web_forwards(str(port))):
                return port


def capture(run, number):
    """The capture file of a card; recorded with the test."""
    path = run.file(f"net{number}.pcap")
    run.captures.append(path)
    return path


def user_card(run, number=0, forwards=(), web=True):
    """Arguments for a card on QEMU's user-mode network; run.port leads to the web server."""
    forwards = [nics.Forward(text) for text in forwards]
    if web:
        run.port = free_port()
        forwards = nics.web_forwards(str(run.port)) + forwards
    backend = nics.netdev("user", f"net{number}", forwards)
    return nics.card(number, backend, capture=capture(run, number))


def tap_card(run, interface, number=0, queues=1):
    """Arguments for a card on a tap interface; one with several queues cannot be captured."""
    backend = nics.netdev(f"tap:{interface}", f"net{number}", queues=queues)
    return nics.card(number, backend, queues, capture(run, number) if queues == 1 else None)


class Frames:
    """The host's end of a cable: Ethernet frames as datagrams.  `mine`: the IPv4 address of this end."""

    def __init__(self, mine="10.0.2.77"):
        self.mine = mine
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self.near, self.far):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    @property
    def fds(self):
        """For Run.boot."""
        return (self.far.fileno(),)

    def card(self, run, number=0):
        """Arguments for a card whose cable ends here."""
        backend = f"dgram,id=net{number},local.type=fd,local.str={self.far.fileno()}"
        return nics.card(number, backend, capture=capture(run, number))

    def send(self, *frames):
        """Frames as they are, whatever they are; TimeoutError when nobody takes them."""
        self.near.settimeout(10.0)
        for frame in frames:
            self.near.send(frame)

    def receive(self, limit):
        """The next frame within the limit in seconds, or None."""
        self.near.settimeout(limit)
        try:
            return self.near.recv(1 << 17)
        except (TimeoutError, BlockingIOError):
            return None

    def exchange(self, frame, wanted, tries=5):
        """Send a frame up to `tries` times until one that is wanted comes; ARP for `mine` is answered."""
        for _ in range(tries):
            self.send(frame)
            end = time.monotonic() + 2.0
            while time.monotonic() < end:
                came = self.receive(0.5)
                if came and wanted(came):
                    return came
                if came and came[12:14] == b"\x08\x06" and came[20:22] == b"\0\x01" \
                        and came[38:42] == socket.inet_aton(self.mine):
                    reply = arp(2, OWN_MAC, self.mine, came[22:28], socket.inet_ntoa(came[28:32]))
                    self.send(ethernet(reply, 0x0806, came[6:12]))
        return None

    def resolve(self, address):
        """The link address of an address, by ARP, or None."""
        request = ethernet(arp(1, OWN_MAC, self.mine, bytes(6), address), 0x0806, b"\xff" * 6)
        want = b"\0\x02", socket.inet_aton(address)
        came = self.exchange(request, lambda f: f[12:14] == b"\x08\x06" and (f[20:22], f[28:32]) == want)
        return came and came[22:28]

    def ping(self, address, mac=GUEST_MAC, payload=b"e" * 100):
        """Is an echo request answered by its payload?"""
        request = ethernet(ipv4(echo_request(payload), 1, address, self.mine), 0x0800, mac)
        return self.exchange(request, lambda f: f[23:24] == b"\1" and f[34:35] == b"\0"
                             and f[42:42 + len(payload)] == payload) is not None

    def close(self):
        """Both ends."""
        self.near.close()
        self.far.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Segment(Frames):
    """One Ethernet segment with exo's card, the user-mode network, and the test itself.

    The segment is a switch of ours: what the test sends goes to exo only (the user-mode network
    would answer in the names of others, and is not what is tested), what exo sends goes to the one
    whose link address it bears, or to both.
    """

    def __init__(self, mine="10.0.2.77"):
        super().__init__(mine)
        self.user, self.going, self.came = Frames(), True, queue.SimpleQueue()
        self.thread = threading.Thread(target=self._switch, daemon=True)
        self.thread.start()

    @property
    def fds(self):
        return (*super().fds, *self.user.fds)

    def card(self, run, number=0):
        run.port = free_port()
        user = nics.netdev("user", "user", nics.web_forwards(str(run.port)))
        return ["-netdev", user, "-netdev", "hubport,hubid=0,id=hub1,netdev=user",
                "-netdev", f"dgram,id=cable,local.type=fd,local.str={self.user.far.fileno()}",
                "-netdev", "hubport,hubid=0,id=hub2,netdev=cable"] + super().card(run, number)

    def _switch(self):
        exo, user = self.near, self.user.near
        while self.going:
            for side in select.select([exo, user], [], [], 0.2)[0]:
                frame = side.recv(1 << 17)
                if side is exo and (frame[:6] == OWN_MAC or frame[0] & 1):
                    self.came.put(frame)
                self._pass(frame, exo if side is user else None if frame[:6] == OWN_MAC else user)

    @staticmethod
    def _pass(frame, side):
        """On to a side, if any; one that is full loses frames, as switches do."""
        if side:
            with contextlib.suppress(OSError):
                side.send(frame)

    def receive(self, limit):
        try:
            return self.came.get(timeout=limit)
        except queue.Empty:
            return None

    def close(self):
        self.going = False
        self.thread.join()
        self.user.close()
        super().close()


def read_pcap(data):
    """[(seconds, length on the wire, bytes kept)] of a capture in the classic format."""
    if len(data) < 24:
        raise ValueError(f"a capture of {len(data)} bytes has no header")
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(data[:4])
    if not order:
        raise ValueError(f"not a pcap file: it begins with {data[:4].hex()}")
    major, _, _, _, snap, link = struct.unpack_from(order + "HHiIII", data, 4)
    if (major, link) != (2, 1):
        raise ValueError(f"version {major}, link type {link}: not Ethernet in pcap 2")
    packets, at = [], 24
    while at < len(data):
        if len(data) - at < 16:
            raise ValueError(f"{len(data) - at} bytes behind the last packet")
        seconds, micro, kept, length = struct.unpack_from(order + "IIII", data, at)
        if kept > min(snap, length) or kept > len(data) - at - 16 or micro >= 1_000_000:
            raise ValueError(f"packet {len(packets)}: {kept} of {length} bytes kept, {micro} us")
        packets.append((seconds + micro / 1e6, length, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return packets


def read_capture(path):
    """read_pcap of a file; without the headers that QEMU leaves before packets of tap interfaces."""
    packets = read_pcap(path.read_bytes())
    if any(data[12:14] in ETHERTYPES for _, _, data in packets):
        return packets
    return [(when, length - OFFLOAD_BYTES, data[OFFLOAD_BYTES:]) for when, length, data in packets]


def make_readable(path):
    """Write a capture anew as read_capture sees it, for the tools of others."""
    packets, head = read_capture(path), path.read_bytes()[:24]
    with open(path, "wb") as file:
        file.write(head)
        for when, length, data in packets:
            file.write(struct.pack("=IIII", int(when), int(when % 1 * 1e6), len(data), length) + data)


# --- frames made by hand ---

def checksum(data):
    """The Internet checksum of bytes."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(payload, kind=0x0800, to=GUEST_MAC, source=OWN_MAC, pad=True):
    """A frame, padded to the 60 bytes of the standard."""
    frame = to + source + struct.pack("!H", kind) + payload
    return frame.ljust(60, b"\0") if pad else frame


def ipv4(payload, protocol, to=GUEST, source="10.0.2.77", *, length=None, words=5, options=b"",
         fragment=0, wrong_sum=0, version=4, ttl=64, ident=7):
    """A packet; the keywords make it say what is not so."""
    words += len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words & 15, 0,
                       20 + len(options) + len(payload) if length is None else length, ident,
                       fragment, ttl, protocol, 0, socket.inet_aton(source), socket.inet_aton(to))
    head += options
    total = checksum(head) ^ wrong_sum
    return head[:10] + struct.pack("!H", total) + head[12:] + payload


def pseudo(source, to, protocol, size):
    """The part of the IP header that the checksums of TCP and UDP count."""
    return socket.inet_aton(source) + socket.inet_aton(to) + struct.pack("!BBH", 0, protocol, size)


def udp(payload, port, source_port=4000, to=GUEST, source="10.0.2.77", *, length=None, wrong_sum=0):
    """A UDP datagram."""
    size = 8 + len(payload) if length is None else length
    head = struct.pack("!HHH", source_port, port, size)
    total = checksum(pseudo(source, to, 17, 8 + len(payload)) + head + b"\0\0" + payload) ^ wrong_sum
    return head + struct.pack("!H", total or 0xFFFF) + payload


def tcp(port, source_port=4000, flags=0x02, sequence=1000, acknowledge=0, payload=b"", *,
        to=GUEST, source="10.0.2.77", words=5, options=b"", wrong_sum=0, urgent=0):
    """A TCP segment; flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32."""
    words += len(options) // 4
    head = struct.pack("!HHIIBBHHH", source_port, port, sequence, acknowledge, (words & 15) << 4,
                       flags, 8192, 0, urgent) + options
    total = checksum(pseudo(source, to, 6, len(head) + len(payload)) + head + payload) ^ wrong_sum
    return head[:16] + struct.pack("!H", total) + head[18:] + payload


def echo_request(payload, ident=1, sequence=1):
    """An ICMP echo request."""
    head = struct.pack("!BBHHH", 8, 0, 0, ident, sequence)
    return head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:] + payload


def arp(operation, sender_mac, sender, target_mac, target, hardware=1, lengths=(6, 4)):
    """An ARP packet."""
    return struct.pack("!HHBBH6s4s6s4s", hardware, 0x0800, *lengths, operation, sender_mac,
                       socket.inet_aton(sender), target_mac, socket.inet_aton(target))
