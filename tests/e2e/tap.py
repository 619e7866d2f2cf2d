# SPDX-License-Identifier: MIT
"""tap.py - exo against the host's own TCP/IP over a tap interface in a network name space.

Needs root and /dev/net/tun; skipped, with the reason, where that is missing.  What wires do to frames is
done by tap.Wire, and by the kernel's netem where the kernel has it.
"""

import contextlib
import functools
import re
import socket
import struct
import time

import dhcp
import net
import pages
import qemu
import scenario
import served
import tap
import web
import xxh64

BIG = served.BIG
RECEIVED_MSS = 20       # offset in Linux's struct tcp_info
LEASE_S = 100           # renewed after half of it, or a minute
LONG_HASH = xxh64.xxh64(pages.LONG)


@contextlib.contextmanager
def guest(run, card, fds=(), cpus=2):
    """A machine on this card whose address comes from a DHCP server on tap0; it must power off."""
    server = run.dhcp = dhcp.Server(tap.HOST, tap.GUEST, lease_s=LEASE_S).serve_tap("tap0")
    try:
        with served.machine(run, card, served.small_disk(run), wait=False, fds=fds, cpus=cpus) as box:
            at = served.up(run, box, 30.0)
            run.check(at == tap.GUEST, f"the web server is at {at}")
            yield box
            served.alive(run, box, 80, tap.GUEST)
            box.send("exit\r")
            run.end(box, qemu.POWER_OFF)
    finally:
        server.stop()


def session(name, timeout=120.0, mtu=1500, options="", queues=1, cpus=2):
    """Register a test that gets a machine on a tap interface."""
    def register(function):
        @scenario.test(name, timeout)
        @functools.wraps(function)
        def wrapper(run):
            with tap.namespace(run):
                tap.interface(run, options=options, mtu=mtu)
                with guest(run, net.tap_card(run, "tap0", queues=queues), cpus=cpus) as box:
                    function(run, box)
        return function
    return register


def wired(name, timeout=150.0, **chances):
    """Register a test that gets a machine behind a wire which treats frames by these chances."""
    def register(function):
        @scenario.test(name, timeout)
        @functools.wraps(function)
        def wrapper(run):
            with tap.namespace(run), net.Frames() as cable, tap.Wire(cable, **chances) as wire:
                tap.up(run, "tap0")
                with guest(run, cable.card(run), cable.fds) as box:
                    function(run, box)
                    run.file("wire").write_text(f"{wire.counts}\n")
                    for what, chance in chances.items():
                        count = wire.counts[{"loss": "lost", "double": "doubled", "late": "late",
                                             "spoil": "spoiled"}[what]]
                        run.check(count >= 0.3 * chance * wire.counts["passed"],
                                  f"the wire did not do its part: {wire.counts}")
        return function
    return register


def streams(run, box, times=2):
    """Bytes both ways, each as they should be: the disk's to the host, the host's to exo."""
    for _ in range(times):
        answer = web.get(80, "/big.bin", address=tap.GUEST)
        run.check(answer.body == BIG, f"/big.bin: {answer}")
    with pages.host(tap.HOST) as server:
        text = run.shell(box, f"fetch -q http://{tap.HOST}:{server.server_address[1]}/long", 60.0)
    run.check(f"{len(pages.LONG)} bytes, XXH64 {LONG_HASH:016x}" in text, f"fetch of 2 MB: {text!r}")


@session("tap_ping")
def ping(run, box):
    """ping and arping by the host's tools: small, large, in fragments; IPv6; exo pings back."""
    run.need("ping", "arping")
    for size, count in ((56, 5), (0, 2), (1400, 5), (1472, 3), (4000, 3)):
        done = run.command(["ping", "-n", "-c", count, "-i", "0.2", "-W", "3", "-s", size, tap.GUEST])
        text = run.clean(done.stdout)
        run.check(f"{count} received" in text, f"ping with {size} bytes: {text[-300:]!r}")
    done = run.command(["arping", "-c", "3", "-I", "tap0", tap.GUEST])
    text = run.clean(done.stdout)
    run.check(done.returncode == 0 and "52:54:00:65:78:00" in text.lower(), f"arping: {text[-300:]!r}")
    done = run.command(["arping", "-c", "2", "-w", "3", "-I", "tap0", "10.9.0.99"])
    run.check(done.returncode != 0, "arping of an address that nobody has is answered")
    run.check("3 answered" in run.shell(box, f"ping -c 3 {tap.HOST}"), "exo's ping of the host")
    with open("/proc/thread-self/net/if_inet6", encoding="ascii") as file:
        has_ipv6 = "tap0" in file.read()
    if has_ipv6:
        done = run.command(["ping", "-6", "-n", "-c", "3", "-i", "0.2", "-W", "3",
                            "fe80::5054:ff:fe65:7800%tap0"])
        text = run.clean(done.stdout)
        run.check("3 received" in text, f"ping by IPv6: {text[-300:]!r}")


def ab(run, *options, requests=2000, path="/folder/inner"):
    """The program ab; its count of failures must be 0."""
    done = run.command(["ab", "-q", "-n", requests, "-c", "16", "-s", "30", *options,
                        f"http://{tap.GUEST}{path}"])
    text = run.clean(done.stdout)
    good = re.search(r"Complete requests:\s+(\d+)", text)
    failed = re.search(r"Failed requests:\s+(\d+)", text)
    run.check(done.returncode == 0 and good and int(good.group(1)) == requests and int(failed.group(1)) == 0
              and "Non-2xx" not in text, f"ab {' '.join(options)}: {text[-600:]!r}")
    return text


@session("tap_ab", timeout=200.0)
def many_requests(run, box):
    """ab, 2,000 requests by 16 clients, with connections kept and with new ones; curl of all files."""
    run.need("ab", "curl")
    kept = ab(run, "-k")
    run.check(re.search(r"Keep-Alive requests:\s+(1[5-9]\d\d|2000)", kept), "ab -k: connections were not kept")
    ab(run)
    ab(run, "-k", requests=100, path="/big.bin")
    for name, data in served.FILES.items():
        done = run.command(["curl", "-q", "-s", "-S", "-m", "20", f"http://{tap.GUEST}/{name}"], good=(0,))
        run.check(done.stdout == data, f"curl of {name}: {len(done.stdout)} of {len(data)} bytes")
    streams(run, box, 1)


@session("tap_mtu_576", mtu=576)
def small_mtu(run, box):
    """A host that takes 576 bytes in a packet: its segment size is kept to."""
    streams(run, box)
    done = run.command(["ping", "-n", "-c", "2", "-s", "1400", "-W", "3", tap.GUEST])
    run.check(b"2 received" in done.stdout, "a ping in fragments")
    # A card that cuts segments is handed longer packets: what counts is how they arrive.
    with socket.create_connection((tap.GUEST, 80), 20.0) as link:
        link.sendall(b"GET /big.bin HTTP/1.1\r\nHost: e\r\n\r\n")
        link.recv(len(BIG) // 2, socket.MSG_WAITALL)
        segment = struct.unpack_from("<I", link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104),
                                     RECEIVED_MSS)[0]
    run.check(500 <= segment <= 576 - 40, f"exo sent TCP segments of {segment} bytes over a path of 576")


def counters():
    """Of the name space: packets that exo sent; segments that the host sent, sent again, got again."""
    with open("/proc/thread-self/net/dev", encoding="ascii") as file:
        card = next(line for line in file if "tap0:" in line).partition(":")[2].split()
    found = {"packets": int(card[1])}
    for table in ("snmp", "netstat"):
        with open(f"/proc/thread-self/net/{table}", encoding="ascii") as file:
            lines = [line.split() for line in file]
        for names, values in zip(lines[::2], lines[1::2]):
            found |= {name: int(value) for name, value in zip(names[1:], values[1:])
                      if name in ("OutSegs", "RetransSegs", "TCPDSACKOldSent")}
    return found


@session("tap_streams")
def large_packets(run, box):
    """Streams go in packets that the card cuts, and hardly anything has to be sent again."""
    before = counters()
    streams(run, box, 4)
    after = counters()
    passed = {name: after[name] - before[name] for name in after}
    run.file("counters").write_text(f"{passed}\n")
    again = passed["RetransSegs"] + passed["TCPDSACKOldSent"]
    # A busy host lets a segment wait for so long that it is sent again; a lost one costs several.
    run.check(again <= 8 + passed["OutSegs"] // 100, f"segments were sent again: {passed}")
    segments = 4 * len(BIG) / 1460
    run.check(passed["packets"] < segments / 3 + passed["OutSegs"] / 2 + 100,
              f"exo sent segments one by one: {passed}, {segments:.0f} segments")


def to_exo(run, box):
    """2 MB of the host's to exo; how many packets the host gave to exo's card for that."""
    def given():
        with open("/proc/thread-self/net/dev", encoding="ascii") as file:
            return int(next(line for line in file if "tap0:" in line).partition(":")[2].split()[9])
    before = given()
    with pages.host(tap.HOST) as server:
        text = run.shell(box, f"fetch -q http://{tap.HOST}:{server.server_address[1]}/long", 60.0)
    run.check(f"{len(pages.LONG)} bytes, XXH64 {LONG_HASH:016x}" in text, f"fetch of 2 MB: {text!r}")
    return given() - before


@session("tap_joined", timeout=150.0)
def joined(run, box):
    """The card joins what it receives, unless somebody looks on who wants to see it as it came."""
    segments = len(pages.LONG) // 1460
    count = to_exo(run, box)
    run.check(count < segments / 3, f"{count} packets for {segments} segments: they were not joined")
    start = box.mark()
    box.send("capture -q port 9 tcp &\r")
    run.check(box.expect(r":81/", 20 * run.context.slow, start), f"capture says {box.text(start)!r}")
    count = to_exo(run, box)
    run.check(count >= segments, f"{count} packets for {segments} segments: joined while capture runs")
    run.check(" joins," not in run.shell(box, "net"), "`net` says that the card joins while capture runs")
    web.get(81, "/capture.pcap", address=tap.GUEST)
    number = re.search(r"\[(\d+)\]", box.text(start))
    run.check(number, f"capture has no number: {box.text(start)!r}")
    run.shell(box, f"kill {number.group(1)}")
    count = to_exo(run, box)
    run.check(count < segments / 3, f"{count} packets for {segments} segments: joined no more")
    run.check(" joins," in run.shell(box, "net"), "`net` does not say that the card joins again")


@session("tap_queues", options="multi_queue", queues=2)
def queues(run, box):
    """Two pairs of queues on two CPUs: several streams at once."""
    text = run.shell(box, "net")
    run.check("2 pairs of queues" in text, f"`net` does not show 2 pairs of queues: {text!r}")
    links = [web.Connection(80, address=tap.GUEST) for _ in range(16)]
    for _ in range(3):
        for link in links:
            link.ask("/big.bin")
        for number, link in enumerate(links):
            run.check(link.answer().body == BIG, f"stream {number} of 16 differs")
    for link in links:
        link.close()
    run.need("ab")
    ab(run, "-k")
    streams(run, box, 1)


@session("tap_stalled", timeout=240.0)
def stalled(run, box):
    """Clients that take nothing: cut after a while; those who take slowly are not.  The lease is renewed."""
    links = []
    for _ in range(20):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(20.0)
        link.connect((tap.GUEST, 80))
        link.sendall(b"GET /big.bin HTTP/1.1\r\nHost: e\r\n\r\n")
        links.append(link)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect((tap.GUEST, 80))
    slow.sendall(b"GET /big.bin HTTP/1.1\r\nHost: e\r\n\r\n")
    start, got = time.monotonic(), 0
    while time.monotonic() - start < LEASE_S * 0.7:
        got += len(slow.recv(2000))
        served.alive(run, box, 80, tap.GUEST)
        time.sleep(1.0)
    run.check(got > 30_000, f"the slow client got {got} bytes")
    slow.close()
    run.check(run.dhcp.seen.count(dhcp.REQUEST) >= 2, f"the lease was not renewed: {run.dhcp.seen}")
    cut = sum(drained(link) < len(BIG) for link in links)
    run.check(cut == len(links), f"{len(links) - cut} of {len(links)} clients that took nothing for long "
              "were still served")


def drained(link):
    """How many bytes still come until the connection ends."""
    total = 0
    with link:
        try:
            while data := link.recv(65536):
                total += len(data)
        except OSError:
            pass
    return total


@wired("tap_loss", loss=0.01)
def loss(run, box):
    """One frame in a hundred is lost, each way."""
    streams(run, box)


@wired("tap_reorder", late=0.05, double=0.01)
def reorder(run, box):
    """Frames overtake each other, and some come twice."""
    streams(run, box)


@wired("tap_spoiled", spoil=0.005, loss=0.005)
def spoiled(run, box):
    """Frames with a bit turned over are noticed by their checksums and sent again."""
    streams(run, box)


@session("tap_netem", timeout=150.0)
def netem(run, box):
    """Loss and reordering by the host's kernel."""
    done = run.command(["tc", "qdisc", "add", "dev", "tap0", "root", "netem", "delay", "5ms", "2ms",
                        "loss", "1%", "reorder", "5%"])
    if done.returncode:
        served.alive(run, box, 80, tap.GUEST)
        run.skip("this kernel has no netem")
    streams(run, box)
