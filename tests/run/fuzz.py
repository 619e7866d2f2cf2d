# SPDX-License-Identifier: MIT
"""fuzz.py - the hostile-program suite and its fuzzer, on 1, 2 and 4 CPUs.

One boot runs tests/evil and then the fuzzer, which logs its calls to a second disk.  On one CPU the
log is replayed by the model (tests/evil/host).  What each call returned is compared with
tests/evil/pairs.txt, and printed as a table into pairs.log.

By itself: fuzz.py N SEED [BUILD] runs N calls under a deterministic clock, as long as that takes.
"""

import functools
import pathlib
import re
import secrets
import subprocess
import sys
import time

import guest
import net
import outcome
import qemu
import scenario
from outcome import Job, Result

# name, CPUs, clock, calls, how often each kind is revoked in use
MACHINES = (
    ("smp1", 1, "", 1000000, 1000),
    ("smp2", 2, "", 300000, 100),
    ("smp4", 4, "", 20000, 5),      # ticket locks, and fewer cores than CPUs: slow
    ("icount", 1, "icount=7", 300000, 300),
)
RECORD = 64
PAIR = re.compile(r"^pair (\w+) (\d+) (\d+)\s*$", re.M)
SAID = re.compile(r"^fuzz: (?!revoked)(.*)$", re.M)


def jobs(_context):
    """One job for each machine."""
    return [Job(f"fuzz/{m[0]}", functools.partial(run_machine, m, 1), 300.0) for m in MACHINES]


def build_replay(run):
    """The model, as a program of the host."""
    binary, repo = run.work / "replay", run.context.repo
    sources = sorted(str(p) for p in (repo / "tests/evil/host").glob("*.c"))
    done = subprocess.run([run.context.cc, "-std=gnu11", "-g", "-O2", "-Wall", "-Wextra", "-Werror",
                           "-fsanitize=address,undefined", "-I" + str(repo / "exo/include"),
                           "-I" + str(repo / "tests/evil"),
                           "-o", str(binary), *sources], capture_output=True, text=True, check=False)
    run.check(done.returncode == 0, f"the model does not build: {done.stderr[:200]}")
    return binary


def tests_of(run):
    """The tests of tests/evil and the fuzzer."""
    found = []
    for path in sorted((run.context.repo / "tests/evil").glob("*.c")):
        found += [m[0] for m in guest.TEST.findall(path.read_text(encoding="utf-8"))]
    return sorted(found, key=lambda n: n == "fuzz_calls")


def boot(run, machine, seed, log):
    """Run the suite; what it said."""
    name, cpus, clock, calls, cycles = machine
    with open(log, "wb") as file:
        file.truncate(calls * RECORD * 2 + (64 << 20))
    line = (f"app debug-exit test=nonce={secrets.token_hex(8)} test=machine={name} pairs fuzz={calls}"
            f" seed={seed} cycles={cycles} {clock} test=only=" + ",".join(tests_of(run)))
    devices = guest.IOMMU + guest.DEVICES if name == "smp1" else ()     # there all pairs are reached
    arguments = [*devices, *qemu.disk_arguments(guest.suite_disk(run.context), writable=True)]
    arguments += ["-drive", f"if=none,id=log,format=raw,file={log}",
                  "-device", "virtio-blk-pci,drive=log,disable-legacy=on"]
    if clock:
        arguments += ["-icount", "shift=7,sleep=off"]
    else:
        arguments += net.user_card(run, 0, web=False)
    accel = "tcg" if clock else "tcg,thread=multi"
    with run.boot(*arguments, memory="256M", cpus=cpus, accel=accel, line=line,
                  efi=guest.suite_image(run)) as box:
        end = box.finish(run.left())
        text = box.text()
    bad = re.search(r"^note: (.*)$", text, re.M)
    run.check(end.kind == qemu.DEBUG_EXIT, f"ended by {end}")
    run.check(end.value == guest.GOOD_EXIT, bad.group(1)[:200] if bad else f"ended by {end}")
    return text


def read_pairs(path):
    """The table of tests/evil/pairs.txt: {call: {error: reason why it is not reached, or ''}}."""
    table = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            call, error, *reason = line.split(None, 2)
            table.setdefault(call, {})[error] = reason[0] if reason else ""
    return table


def error_names(repo):
    """{number: name} out of exo/errors.h; 0 is success."""
    found = re.findall(r"X\((\w+),\s*(\d+),", (repo / "exo/include/exo/errors.h").read_text())
    return {0: "OK"} | {int(number): name for name, number in found}


def judge_pairs(run, text, all_reached):
    """Compare what was reached with the table, and write it down; words on what is wrong."""
    names = error_names(run.context.repo)
    table = read_pairs(run.context.repo / "tests/evil/pairs.txt")
    reached = {}
    for call, error, count in PAIR.findall(text):
        key = call, names.get(int(error), error)
        reached[key] = reached.get(key, 0) + int(count)
    lines, wrong = [], []
    for call, errors in table.items():
        for error, reason in errors.items():
            count = reached.pop((call, error), 0)
            lines.append(f"{call:14} {error:8} {count or 'unreached'} {'' if count else reason}")
            if not count and not reason and all_reached:
                wrong.append(f"{call} {error} was not reached")
    wrong += [f"{call} returned {error}, which pairs.txt does not know" for call, error in reached]
    met = sum("unreached" not in x for x in lines)
    lines.append(f"{len(lines)} pairs expected, {met} reached")
    (run.work / "pairs.log").write_text("\n".join(lines + wrong) + "\n")
    return lines[-1], wrong


def run_machine(machine, seed, context, job):
    """Boot, judge, replay; one result."""
    start, work = time.monotonic(), context.folder(job.name)
    run = scenario.Run(context, job, work)
    log = work / "calls.log"
    try:
        text = boot(run, machine, seed, log)
        (work / "fuzz.log").write_text("\n".join(SAID.findall(text)) + "\n")
        said, wrong = judge_pairs(run, text, all_reached=machine[0] == "smp1")
        run.check(not wrong, "; ".join(wrong[:4]))
        if machine[1] == 1:
            done = subprocess.run([build_replay(run), log], capture_output=True, text=True,
                                  check=False, timeout=run.left())
            (work / "replay.log").write_text(done.stdout + done.stderr)
            run.check(done.returncode == 0, (done.stdout + done.stderr).splitlines()[0])
            said += "; " + done.stdout.splitlines()[-1]
        print("\n".join("       " + x for x in [*SAID.findall(text), said]))
    except scenario.Stop as stop:
        return [Result(job.name, stop.kind, str(stop), time.monotonic() - start, str(work))]
    log.unlink()        # that of a run that failed is kept
    return [Result(job.name, outcome.PASS, "", time.monotonic() - start, str(work))]


def main():
    """As long as asked: N calls from a seed."""
    calls, seed = int(sys.argv[1]), int(sys.argv[2])
    repo = pathlib.Path(__file__).resolve().parents[2]
    build = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else "build")
    context = outcome.Context(repo, (repo / build).resolve(), "gcc", "make", 1.0)
    machine = ("icount", 1, "icount=7", calls, max(1, calls // 1000))
    job = Job(f"fuzz/seed{seed}", functools.partial(run_machine, machine, seed),
              300.0 + calls / 2000.0)
    result = job.run(context, job)[0]
    print(result.outcome, result.reason)
    return 0 if result.outcome == outcome.PASS else 1


if __name__ == "__main__":
    sys.exit(main())
