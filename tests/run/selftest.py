# SPDX-License-Identifier: MIT
"""selftest.py - the runner's own tests: the judge must tell apart what it claims to tell apart.

No QEMU here; the ends are made up as QEMU and exo would report them.
"""

import pathlib
import struct

import dhcp
import guest
import net
import outcome
import qemu
import report
import web
import xxh64
from outcome import Job, Result

BANNER = b"exo 0.1: 2 CPUs, 256 MiB\r\n"


def _shutdown(reason, event="SHUTDOWN"):
    return {"event": event, "data": {"guest": True, "reason": reason}}


ENDS = (
    ("power_off", BANNER, [_shutdown("guest-shutdown")], 0, False, qemu.POWER_OFF),
    ("debug_exit", BANNER, [], 0x21, False, qemu.DEBUG_EXIT),
    ("debug_exit_event", BANNER, [_shutdown("guest-shutdown")], 0x21, False, qemu.DEBUG_EXIT),
    ("triple_fault", BANNER, [_shutdown("guest-reset")], 0, False, qemu.RESET),
    ("reset_event", BANNER, [_shutdown("guest-reset", "RESET")], 0, False, qemu.RESET),
    ("banner_twice", BANNER + BANNER, [_shutdown("guest-shutdown")], 0, False, qemu.RESET),
    ("panic", BANNER + b"exo: panic: no\r\n", [_shutdown("guest-shutdown")], 0, False, qemu.PANICKED),
    ("panic_with_good_code", BANNER + b"exo: panic: no\r\n", [], 0x21, False, qemu.PANICKED),
    ("firmware", b"UEFI Interactive Shell v2.2\r\nShell> ", [], -9, True, qemu.IN_FIRMWARE),
    ("timeout", BANNER, [], -9, True, qemu.TIME),
    ("killed", BANNER, [], -9, False, qemu.DIED),
    ("host_quit", BANNER, [_shutdown("host-qmp-quit")], 0, False, qemu.DIED),
    ("silent_exit", BANNER, [], 0, False, qemu.DIED),
)

# Values of the algorithm's author for these inputs, seed 0.
HASHES = ((b"", 0xEF46DB3751D8E999), (b"a", 0xD24EC4F1A98C6E5B), (b"abc", 0x44BC2CF5AD770999),
          (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1))


def _ends(_):
    for name, serial, events, status, late, kind in ENDS:
        end = qemu.judge(serial, events, status, late)
        yield f"judge_{name}", end.kind == kind, f"judged as {end}"
    value = qemu.judge(BANNER, [], 0x23, False).value
    yield "judge_value", value == 0x11, f"debug-exit value {value:#x}"


def _hashes(_):
    for data, value in HASHES:
        yield f"xxh64_{len(data)}_bytes", xxh64.xxh64(data) == value, f"{xxh64.xxh64(data):#x}"


SUITE = "run a\nok a\nrun b\nnote: b.c:1: no\nFAIL b: why\nok suite_spread\n"
MARK = "suite: end 12ab passed=2 failed=1 skipped=0\n"
# text, nonce, debug-exit value, end, is it right?
BOOTS = (
    ("failed_suite", SUITE + MARK, "12ab", 0x11, qemu.DEBUG_EXIT, True),
    ("good_code_with_failures", SUITE + MARK, "12ab", 0x10, qemu.DEBUG_EXIT, False),
    ("old_marker", SUITE + MARK, "34cd", 0x11, qemu.DEBUG_EXIT, False),
    ("no_marker", SUITE, "12ab", 0x11, qemu.DEBUG_EXIT, False),
    ("wrong_counts", SUITE + MARK.replace("=2", "=3"), "12ab", 0x11, qemu.DEBUG_EXIT, False),
    ("test_without_result", SUITE.replace("ok a\n", "") + MARK.replace("=2", "=1"), "12ab", 0x11,
     qemu.DEBUG_EXIT, False),
    ("power_off", SUITE + MARK, "12ab", 0, qemu.POWER_OFF, False),
)


def _boots(_):
    job = Job("guest/x", None, 1.0, ("a", "b"))
    for name, text, nonce, value, kind, right in BOOTS:
        results = guest.judge(job, nonce, qemu.End(kind, value), text, 1.0, "")
        boot = results.pop()
        yield f"suite_{name}", (boot.outcome == outcome.PASS) == right, f"{boot}"
    noted = [r.reason for r in results if r.name == "guest/x/b"]
    yield "suite_note_is_the_reason", noted == ["b.c:1: no (why)"], str(noted)
    words = guest.words_of(("a_1", "a_2", "b_1"), ("a_1", "a_2", "b_1", "b_2", "c_1"))
    yield "suite_words_are_short", words == ["a_*", "b_1"], str(words)


def _lines(_):
    text = "ok a\nFAIL b: why: this\nskip c: no disk\nokay d\n ok e\nFAIL f\r\n"
    found = [(r.name, r.outcome, r.reason) for r in outcome.parse_lines(text, "x")]
    expected = [("x/a", "pass", ""), ("x/b", "fail", "why: this"), ("x/c", "skip", "no disk"),
                ("x/f", "fail", "")]
    yield "lines_are_read", found == expected, str(found)


def _summary(_):
    results = [Result("a", k) for k in (outcome.PASS, outcome.SKIP, outcome.TIMEOUT, outcome.PANIC,
                                        outcome.REBOOT, outcome.FAIL)]
    line = report.summary(results)
    yield "summary_counts", line == ("1 passed, 4 failed, 1 skipped", False), str(line)
    line = report.summary([Result("a", outcome.PASS)])
    yield "summary_good", line == ("1 passed, 0 failed, 0 skipped", True), str(line)


PCAP = struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1, 5, 250000, 4, 60) + b"abcd"


def _raises(function, *arguments):
    try:
        function(*arguments)
    except ValueError:
        return True
    return False


def _network(_):
    yield "pcap_is_read", net.read_pcap(PCAP) == [(5.25, 60, b"abcd")], str(net.read_pcap(PCAP))
    for name, data in (("empty", b""), ("cut_off", PCAP[:-1]), ("other", b"\x0a\x0d\x0d\x0a" + PCAP[4:]),
                       ("behind_the_end", PCAP + b"x"), ("not_ethernet", PCAP[:20] + b"\2" + PCAP[21:])):
        yield f"pcap_{name}", _raises(net.read_pcap, data), "taken for a capture"
    packet = net.ipv4(net.udp(b"hello", 7), 17)
    yield "ip_checksum", net.checksum(packet[:20]) == 0, packet.hex()
    pseudo = net.pseudo("10.0.2.77", net.GUEST, 17, len(packet) - 20)
    yield "udp_checksum", net.checksum(pseudo + packet[20:]) == 0, packet.hex()
    discover = bytes([1, 1, 6, 0]) + bytes(232) + dhcp.COOKIE + b"\x35\1\1\xff"
    offer = dhcp.Server("10.9.0.1", "10.9.0.2").answer(discover)
    right = offer[16:20] == bytes([10, 9, 0, 2]) and dhcp.options(offer[240:])[53] == b"\2"
    yield "dhcp_offer", right, offer.hex()
    for name, page in (("unclosed", b"<p><a href=x>"), ("crossed", b"<p><a></p></a>"), ("not_utf8", b"\xff")):
        yield f"page_{name}", _raises(web.Links, page), "taken for HTML"
    links = web.Links(b"<p><a href='a%20b'>a</a><br><a href='?&amp;'>b</a></p>").targets
    yield "page_links", links == ["a%20b", "?&"], str(links)


def jobs(_):
    """One job with all cases of the runner."""
    return [Job("runner/self", run)]


def run(context, job):
    """Run all checks; a result for each."""
    found = []
    for group in (_ends, _hashes, _boots, _lines, _summary, _network):
        for name, good, why in group(pathlib.Path(context.repo)):
            kind = outcome.PASS if good else outcome.FAIL
            found.append(Result(f"{job.name}/{name}", kind, "" if good else why))
    return found
