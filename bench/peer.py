# SPDX-License-Identifier: MIT
"""The other end of a wire: sends UDP packets of 60 bytes to exo and checks what comes back."""
import os
import socket
import struct
import threading
import time

MAC_EXO, MAC_PEER = bytes.fromhex('525400657800'), bytes.fromhex('020000000001')
EXO, PEER = bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2))
PORT, PORT_PEER = 7, 40000
BYTES = 60              # of a frame, which is the least that Ethernet carries


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    total = (total & 0xffff) + (total >> 16)
    return 0xffff - (total & 0xffff) - (total >> 16)


def frame(number):
    """Packet `number`."""
    payload = struct.pack('>I', number).ljust(BYTES - 42, b'e')
    udp = struct.pack('>HHHH', PORT_PEER, PORT, 8 + len(payload), 0) + payload
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + PEER + EXO
    head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
    return MAC_EXO + MAC_PEER + b'\x08\x00' + head + udp


def is_answer(sent, got):
    """The same packet with both ends exchanged, and UDP's checksum left out or right."""
    want = (sent[6:12] + sent[:6] + sent[12:26] + sent[30:34] + sent[26:30] + sent[36:38] +
            sent[34:36] + sent[38:])
    return got[:40] == want[:40] and got[42:BYTES] == want[42:]


def is_reply(sent, got):
    """The packet's bytes from the other end, whatever else the system put into the headers."""
    return (got[12:14] == sent[12:14] and got[23:24] == b'\x11' and got[26:30] == sent[30:34]
            and got[30:34] == sent[26:30] and got[34:36] == sent[36:38] and got[36:38] == sent[34:36]
            and got[42:BYTES] == sent[42:])


class Peer:
    """Sends one packet at a time, the next when the answer came, until it is ended."""

    def __init__(self, folder, exact=True):
        """exact: the answer is the packet turned round, and nothing else of it changed."""
        self.exact = exact
        self.here, self.there = (os.path.join(folder, f'{side}.sock') for side in ('peer', 'exo'))
        for path in (self.here, self.there):
            if os.path.exists(path):
                os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.here)
        self.socket.settimeout(0.2)
        self.over, self.right, self.wrong = False, 0, 0
        self.times_ns = []      # from a packet to its answer
        self.thread = threading.Thread(target=self.run, daemon=True)

    def card(self):
        """The network card of exo, as a word for tools/nics.py."""
        return f'dgram:{self.there}:{self.here}'

    def start(self):
        self.thread.start()

    def answer(self, sent):
        """The next frame that answers this packet.  Systems say other things on a wire too, and answer
        late what was sent while they were coming up."""
        while True:
            got = self.socket.recv(2048)
            if got[12:14] == b'\x08\x00' and got[23:24] == b'\x11' and got[42:46] == sent[42:46]:
                return got

    def run(self):
        number = 0
        while not self.over:
            number = (number + 1) & 0xffff
            sent = frame(number)
            try:
                start = time.perf_counter_ns()
                self.socket.sendto(sent, self.there)
                got = self.answer(sent)
                end = time.perf_counter_ns()
            except OSError:             # not there yet, or lost: send another
                continue
            if (is_answer if self.exact else is_reply)(sent, got):
                self.right += 1
                self.times_ns.append(end - start)
            else:
                self.wrong += 1

    def end(self):
        self.over = True
        self.thread.join()
        self.socket.close()
