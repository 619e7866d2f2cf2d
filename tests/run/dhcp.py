# SPDX-License-Identifier: MIT
"""dhcp.py - the smallest DHCP server that tests need (RFC 2131): one address, whoever asks.

answer() is pure; serve_tap() speaks over an interface of the host, frame() over a cable of frames.
"""

import socket
import struct
import threading

import net

COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = range(1, 8)


def options(data):
    """The options behind the cookie, {number: bytes}."""
    found, at = {}, 0
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        found[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


class Server:
    """Gives out `address`; `seen` lists the kinds of messages that came."""

    def __init__(self, server, address, mask="255.255.255.0", router=None, dns=None, lease_s=3600):
        self.server, self.address, self.mask, self.lease_s = server, address, mask, lease_s
        self.router, self.dns, self.seen = router or server, dns or server, []

    def answer(self, request):
        """The answer to a message, or None."""
        if len(request) < 244 or request[0] != 1 or request[236:240] != COOKIE:
            return None
        asked = options(request[240:])
        kind = asked.get(53, b"\0")[0]
        self.seen.append(kind)
        if kind not in (DISCOVER, REQUEST):
            return None
        reply = {DISCOVER: OFFER, REQUEST: ACK}[kind]
        wanted = asked.get(50) or request[12:16]
        if kind == REQUEST and wanted != socket.inet_aton(self.address):
            reply = NAK
        given = b"\0" * 4 if reply == NAK else socket.inet_aton(self.address)
        head = struct.pack("!BBBB4sHH4s4s4s4s", 2, 1, 6, 0, request[4:8], 0, 0x8000, b"\0" * 4, given,
                           socket.inet_aton(self.server), b"\0" * 4) + request[28:44] + bytes(192)
        return head + COOKIE + self.told(reply) + b"\xff"

    def told(self, reply):
        """The options of an answer."""
        found = [(53, bytes([reply])), (54, socket.inet_aton(self.server))]
        if reply != NAK:
            found += [(51, struct.pack("!I", self.lease_s)), (1, socket.inet_aton(self.mask)),
                      (3, socket.inet_aton(self.router)), (6, socket.inet_aton(self.dns))]
        return b"".join(bytes([number, len(data)]) + data for number, data in found)

    def frame(self, request):
        """The frame that answers a frame, or None if that is no DHCP request."""
        if request[12:14] != b"\x08\x00" or request[23:24] != b"\x11" or request[36:38] != b"\0\x43":
            return None
        reply = self.answer(request[42:])
        if not reply:
            return None
        packet = net.ipv4(net.udp(reply, 68, 67, "255.255.255.255", self.server), 17, "255.255.255.255",
                          self.server)
        return net.ethernet(packet, to=b"\xff" * 6)

    def serve_tap(self, interface):
        """Answer on an interface until stop() is called; call it in the interface's name space."""
        self.port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.port.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        self.port.bind(("0.0.0.0", 67))
        self.port.settimeout(0.2)
        self.going = True
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()
        return self

    def _loop(self):
        while self.going:
            try:
                reply = self.answer(self.port.recv(2048))
                if reply:
                    self.port.sendto(reply, ("255.255.255.255", 68))
            except OSError:
                pass

    def stop(self):
        """End serve_tap."""
        self.going = False
        self.thread.join()
        self.port.close()
