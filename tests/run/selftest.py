# SPDX-License-Identifier: MIT
"""selftest.py - the runner's own tests: the judge must tell apart what it claims to tell apart.

No QEMU here; the ends are made up as QEMU and exo would report them.
"""

import pathlib

import guest
import outcome
import qemu
import report
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


def jobs(_):
    """One job with all cases of the runner."""
    return [Job("runner/self", run)]


def run(context, job):
    """Run all checks; a result for each."""
    found = []
    for group in (_ends, _hashes, _boots, _lines, _summary):
        for name, good, why in group(pathlib.Path(context.repo)):
            kind = outcome.PASS if good else outcome.FAIL
            found.append(Result(f"{job.name}/{name}", kind, "" if good else why))
    return found
