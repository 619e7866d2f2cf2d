# SPDX-License-Identifier: MIT
"""frames.py - frames that no decent host sends: exo's web server and shell go on, undisturbed.

The tests put frames of their own on the segment where the user-mode network has its clients.
"""

import functools
import random
import struct
import time

import net
import qemu
import scenario
import served
import web

SYN, ACK, RST, FIN = 2, 16, 4, 1


def session(name, timeout=120.0):
    """Register a test that gets a machine on a segment, and the segment."""
    def register(function):
        @scenario.test(name, timeout)
        @functools.wraps(function)
        def wrapper(run):
            with net.Segment() as cable:
                with served.machine(run, cable.card(run), served.small_disk(run), fds=cable.fds) as box:
                    function(run, box, cable)
                    served.alive(run, box)
                    run.check("10.0.2.15/24" in run.shell(box, "net"), "the address is gone")
                    box.send("exit\r")
                    run.end(box, qemu.POWER_OFF)
        return function
    return register


@session("frames_answers")
def answers(run, box, cable):
    """What is due to decent frames: ARP, echo, RST of a closed port, port unreachable."""
    run.check(cable.resolve(net.GUEST) == net.GUEST_MAC, "no answer to ARP")
    for size in (0, 1, 18, 100, 1400):
        run.check(cable.ping(net.GUEST, payload=b"p" * size), f"no answer to ping with {size} bytes")
    for port in (1, 79, 82, 65535):
        frame = net.ethernet(net.ipv4(net.tcp(port, source_port=5000 + port % 100), 6))
        came = cable.exchange(frame, lambda f, p=port: f[23:24] == b"\6" and f[34:36] == struct.pack("!H", p))
        run.check(came and came[47] & (RST | SYN) == RST, f"TCP port {port}, where nobody listens: no RST")
    frame = net.ethernet(net.ipv4(net.udp(b"x", 4242), 17))
    came = cable.exchange(frame, lambda f: f[23:24] == b"\1" and f[34:36] == b"\3\3")
    run.check(came, "UDP port 4242, where nobody listens: no port unreachable")
    frame = net.ethernet(net.ipv4(net.tcp(80, source_port=6000), 6))
    came = cable.exchange(frame, lambda f: f[23:24] == b"\6" and f[34:36] == b"\0\x50")
    run.check(came and came[47] & (SYN | ACK) == SYN | ACK, "the web server does not take a connection")


def fragments(chance):
    """Fragments of TCP and UDP: first ones, later ones, overlapping, tiny, beyond 64 KiB, never whole."""
    segment = net.tcp(80) + bytes(100)
    for number in range(60):
        at = chance.choice((0, 1, 2, 8, 100, 8190, 8191))
        more = chance.choice((0, 0x2000))
        size = chance.choice((0, 1, 8, 16, 40, 1000, 1480))
        yield net.ipv4((segment * 20)[:size], chance.choice((1, 6, 17)), fragment=more | at, ident=number % 9)


def ip_options(chance):
    """Options, good and bad, and header lengths that lie."""
    for _ in range(30):
        options = chance.randbytes(4 * chance.randrange(1, 11))
        yield net.ipv4(net.tcp(80), 6, options=options)
        yield net.ipv4(net.tcp(80), 6, options=b"\x83\x07\x04" + bytes(4) + b"\0")     # source route
    for words in range(16):
        yield net.ipv4(net.tcp(80), 6, words=words)
        yield net.ipv4(net.tcp(80), 6, words=words, version=chance.choice((0, 5, 6, 15)))


def wrong_sums(_):
    """Checksums that are not those of the bytes, in each header."""
    for wrong in (1, 0x100, 0xFFFE, 0x8000):
        yield net.ipv4(net.tcp(80), 6, wrong_sum=wrong)
        yield net.ipv4(net.tcp(80, wrong_sum=wrong), 6)
        yield net.ipv4(net.udp(b"hello", 68, wrong_sum=wrong), 17)
        yield net.ipv4(net.echo_request(b"x")[:-1] + b"y", 1)


def wrong_lengths(chance):
    """Lengths that say more or less than there is."""
    for length in (0, 1, 19, 20, 21, 39, 40, 41, 59, 1500, 1501, 65535):
        yield net.ipv4(net.tcp(80), 6, length=length)
        yield net.ipv4(net.udp(b"hello", 68), 17, length=length)
        yield net.ipv4(net.udp(b"hello", 68, length=length), 17)
        yield net.ipv4(net.echo_request(b"x" * 50), 1, length=length)
    for words in range(16):
        yield net.ipv4(net.tcp(80, words=words, options=b""), 6)
        yield net.ipv4(net.tcp(80, options=chance.randbytes(40)), 6)
        yield net.ipv4(net.tcp(80, options=b"\x02\x00" + bytes(2)), 6)      # an option of length 0
        yield net.ipv4(net.tcp(80, options=b"\x02\xff\x05\xb4"), 6)         # one that ends outside


def strange_segments(chance):
    """All combinations of flags, forged ends and acknowledgements, sources that cannot be."""
    for flags in range(64):
        yield net.ipv4(net.tcp(80, flags=flags, sequence=chance.getrandbits(32),
                               acknowledge=chance.getrandbits(32), payload=b"GET / HTTP/1.1\r\n\r\n",
                               urgent=chance.getrandbits(16)), 6)
    for source in ("10.0.2.15", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "10.0.2.255"):
        yield net.ipv4(net.tcp(80, source=source), 6, source=source)
        yield net.ipv4(net.udp(b"x", 68, source=source), 17, source=source)
        yield net.ipv4(net.echo_request(b"x"), 1, source=source)
    for to in ("255.255.255.255", "224.0.0.1", "10.0.2.255", "10.0.2.16", "127.0.0.1"):
        yield net.ipv4(net.tcp(80, to=to), 6, to)
        yield net.ipv4(net.echo_request(b"x"), 1, to)


def icmp(chance):
    """Redirects, unreachables with rubbish inside, quench, unknown types."""
    for kind in range(20):
        for size in (0, 3, 8, 27, 28, 60):
            body = bytes([kind, chance.randrange(8), 0, 0]) + chance.randbytes(size)
            total = struct.pack("!H", net.checksum(body))
            yield net.ipv4(body[:2] + total + body[4:], 1)


def answers_of_nobody(chance):
    """DHCP and DNS answers that nobody asked for."""
    for _ in range(60):
        kind = chance.choice((2, 5, 6))
        reply = bytes([2, 1, 6, 0]) + chance.randbytes(24) + net.GUEST_MAC + bytes(10 + 192) \
            + b"\x63\x82\x53\x63\x35\x01" + bytes([kind]) + chance.randbytes(chance.randrange(80))
        yield net.ipv4(net.udp(reply, 68, 67, source="10.0.2.2"), 17, source="10.0.2.2")
        yield net.ipv4(net.udp(chance.randbytes(chance.randrange(60)), 53, 53, source="10.0.2.3"), 17,
                       source="10.0.2.3")


def in_frames(chance, packets):
    """Packets in frames to exo, and some to all."""
    return [net.ethernet(p, to=chance.choice((net.GUEST_MAC, net.GUEST_MAC, b"\xff" * 6))) for p in packets]


def arps(chance):
    """ARP with lengths, operations and addresses that are wrong, and answers that nobody asked for."""
    frames = []
    for _ in range(100):
        address = f"10.0.{chance.choice((2, 2, 2, 9))}.{chance.choice((77, 78, 15, 255, 0))}"
        lengths = chance.choice(((6, 4), (6, 4), (0, 0), (255, 255)))
        packet = net.arp(chance.choice((0, 1, 2, 3, 65535)), chance.randbytes(6), address, net.GUEST_MAC,
                         net.GUEST, chance.choice((1, 1, 6)), lengths)
        frames.append(net.ethernet(packet[:chance.choice((28, 28, 27, 8, 1, 0))], 0x0806,
                                   chance.choice((net.GUEST_MAC, b"\xff" * 6)), pad=chance.random() < 0.5))
    return frames


def ipv6(chance):
    """IPv6 with chains of headers, lengths that lie, neighbour messages that are none."""
    frames, all_nodes = [], bytes.fromhex("ff020000000000000000000000000001")
    source = bytes.fromhex("fe80000000000000") + bytes(7) + b"\x77"
    for _ in range(200):
        body = chance.randbytes(chance.randrange(80))
        kind = chance.choice((0, 6, 17, 43, 44, 50, 58, 58, 58, 59, 60, 135))
        if kind == 58 and body:
            body = bytes([chance.choice((128, 133, 134, 135, 136, 137))]) + body[1:]
        length = chance.choice((len(body), len(body), 0, 65535, chance.randrange(100)))
        frames.append(net.ethernet(struct.pack("!IHBB", 6 << 28, length, kind, 255) + source + all_nodes + body,
                                   0x86DD, bytes.fromhex("333300000001")))
    return frames


KINDS = {kind.__name__: kind for kind in (fragments, ip_options, wrong_sums, wrong_lengths, strange_segments,
                                          icmp, answers_of_nobody)}


@session("frames_hostile", timeout=200.0)
def hostile(run, box, cable):
    """Each kind of wrong frame, several times over; a file is read whole after each kind."""
    chance = random.Random(41)
    sets = {name: in_frames(chance, kind(chance)) for name, kind in KINDS.items()}
    sets |= {"arps": arps(chance), "ipv6": ipv6(chance)}
    for name, frames in sets.items():
        for _ in range(5):
            chance.shuffle(frames)
            cable.send(*frames)
        answer = web.get(run.port, "/big.bin")
        run.check(answer.body == served.BIG, f"after {name}: {answer}")
        drain(cable)
    run.check(cable.ping(net.GUEST), "no answer to ping afterwards")


def drain(cable):
    """Take all that came."""
    while cable.receive(0.01):
        pass


@session("frames_sizes")
def sizes(run, box, cable):
    """Runts and giants: every length up to 64 bytes, and lengths around the limits."""
    good = net.ethernet(net.ipv4(net.echo_request(b"z" * 60_000), 1, length=1500), pad=False)
    for length in [*range(1, 65), 127, 128, 129, 1513, 1514, 1515, 1518, 1519, 2035, 2036, 2047, 2048, 2049,
                   4096, 9014, 40_000]:
        for frame in (good[:length], random.Random(length).randbytes(length), bytes(length),
                      net.GUEST_MAC + good[6:length]):
            cable.send(frame)
    run.check(cable.ping(net.GUEST), "no answer to ping afterwards")


@session("frames_flood", timeout=200.0)
def flood(run, box, cable):
    """Random frames as fast as they go while files are read: every byte is right, the shell answers."""
    chance, sent = random.Random(7), 0
    rubbish = [chance.randbytes(12) + chance.choice((b"\x08\x00", b"\x08\x06", b"\x86\xdd", b"\x12\x34"))
               + chance.randbytes(chance.randrange(1500)) for _ in range(500)]
    rubbish += [net.GUEST_MAC + frame[6:] for frame in rubbish]
    rubbish += [b"\xff" * 6 + frame[6:] for frame in rubbish[:200]]
    rubbish += in_frames(chance, [net.ipv4(chance.randbytes(chance.randrange(1480)), 6) for _ in range(300)])
    end = time.monotonic() + 8.0
    with web.Connection(run.port, 60.0) as link:
        while time.monotonic() < end:
            link.ask("/big.bin")
            for _ in range(2):
                cable.send(*chance.sample(rubbish, 200))
                sent += 200
            answer = link.answer()
            run.check(answer.body == served.BIG, f"in the flood: {answer}")
            drain(cable)
    run.check("mem" in run.shell(box, "help"), "the shell does not answer")
    run.check(sent > 1000, f"only {sent} frames of rubbish")


@session("frames_syn_flood", timeout=150.0)
def syn_flood(run, box, cable):
    """5,000 connections asked for by addresses that are not there: who is there is still served."""
    chance = random.Random(3)
    for turn in range(50):
        frames = []
        for _ in range(100):
            source = f"10.0.2.{chance.randrange(100, 250)}"
            segment = net.tcp(80, source_port=chance.randrange(1024, 65535), sequence=chance.getrandbits(32),
                              source=source)
            frames.append(net.ethernet(net.ipv4(segment, 6, source=source),
                                       source=b"\x52\x54\0\0\0" + bytes([turn])))
        cable.send(*frames)
        drain(cable)
    start = time.monotonic()
    for _ in range(5):
        answer = web.get(run.port, "/folder/inner")
        run.check(answer.body == served.FILES["folder/inner"], f"after the flood: {answer}")
    took = time.monotonic() - start
    run.check(took < 20.0 * run.context.slow, f"5 requests after the flood took {took:.1f} s")


@session("frames_forged")
def forged(run, box, cable):
    """Resets and data forged for connections of others do not reach them."""
    with web.Connection(run.port) as link:
        first = link.get("/folder/inner")
        run.check(first.status == 200, f"{first}")
        port = client_port(run)
        chance = random.Random(5)
        for _ in range(300):
            for flags in (RST, RST | ACK, FIN | ACK, SYN, ACK):
                segment = net.tcp(80, port, flags, chance.getrandbits(32), chance.getrandbits(32),
                                  b"GET / HTTP/1.0\r\n\r\n" if flags == ACK else b"", source=net.GATEWAY)
                cable.send(net.ethernet(net.ipv4(segment, 6, source=net.GATEWAY)))
            drain(cable)
        answer = link.get("/big.bin")
        run.check(answer.body == served.BIG, f"after forged segments: {answer}")


def client_port(run):
    """The port that the last connection to the web server came from, as the capture shows it."""
    packets = net.read_pcap(run.file("net0.pcap").read_bytes())
    ports = [struct.unpack_from("!H", data, 34)[0] for _, _, data in packets
             if data[23:24] == b"\6" and data[36:38] == b"\0\x50" and data[47] & SYN]
    run.check(ports, "no connection to port 80 in the capture")
    return ports[-1]
