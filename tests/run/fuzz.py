# SPDX-License-Identifier: MIT
"""fuzz.py - the hostile-program suite and its fuzzer, on 1, 2 and 4 CPUs.

One boot runs tests/evil and then the fuzzer, which logs its calls to a second disk, a part of it for
each CPU.  Each CPU's log is replayed by the model (tests/evil/host).

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

# name, CPUs, clock, calls, how often each kind is revoked in use.  turns4: the host runs the four
# CPUs by turns, for where it has fewer cores each wait for another CPU takes long, and there are
# many in a revocation; on smp4 they run when the host lets them.
MACHINES = (
    ("smp1", 1, "", 1000000, 1000),
    ("smp2", 2, "", 300000, 1000),
    ("smp4", 4, "", 10000, 40),
    ("turns4", 4, "", 400000, 1000),
    ("icount", 1, "icount=7 latency", 300000, 1000),
)
REPEATED = ("icount", 1, "icount=7 latency", 40000, 40)
RECORD = 64
EVERYTHING = ("evil_*", "fuzz_calls")
# Bytes of log for a call: most have a record, some two, and each checkpoint has thousands.
LOG_BYTES = 3 * RECORD
LOG_MORE = 128 << 20            # for each CPU
BLOCK = 512                     # of the disk
EDU = ("-device", "edu,dma_mask=0xffffffffffffffff")
SAID = re.compile(r"^((?:fuzz|latency): (?!revoked).*)$", re.M)
MOST_OFF = 14000                # instructions with interrupts off; 20,000 for other compilers, too
OFF = re.compile(r"^latency: (\d+) instructions at most", re.M)
DIGEST = re.compile(r"digest (\w+)$", re.M)


def jobs(_context):
    """One job for each machine, and one that runs the same seed twice."""
    found = [Job(f"fuzz/{m[0]}", functools.partial(run_machine, m, 1), 400.0) for m in MACHINES]
    return [*found, Job("fuzz/twice", run_twice, 300.0)]


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


def log_bytes(machine):
    """The size of the disk for the logs; each CPU has its equal part, of whole blocks."""
    _name, cpus, _clock, calls, _cycles = machine
    return cpus * (-(-calls // cpus * LOG_BYTES // BLOCK) * BLOCK + LOG_MORE)


def boot(run, machine, seed, log, tests):
    """Run these tests; what they said."""
    name, cpus, clock, calls, cycles = machine
    with open(log, "wb") as file:
        file.truncate(log_bytes(machine))
    line = (f"app debug-exit test=nonce={secrets.token_hex(8)} test=machine={name} pairs fuzz={calls}"
            f" seed={seed} cycles={cycles} {clock} test=only=" + ",".join(tests))
    devices = guest.IOMMU + (guest.DEVICES if name == "smp1" else EDU)
    arguments = [*devices, *qemu.disk_arguments(guest.suite_disk(run.context), writable=True)]
    arguments += ["-drive", f"if=none,id=log,format=raw,file={log}",
                  "-device", "virtio-blk-pci,drive=log,disable-legacy=on"]
    if clock:
        arguments += ["-icount", "shift=7,sleep=off"]
    else:
        arguments += net.user_card(run, 0, web=False)
    accel = "tcg" if clock else "tcg,thread=single" if name == "turns4" else "tcg,thread=multi"
    with run.boot(*arguments, memory="512M", cpus=cpus, accel=accel, line=line,
                  efi=guest.suite_image(run)) as box:
        end = box.finish(run.left())
        text = box.text()
    bad = re.search(r"^note: (.*)$", text, re.M)
    run.check(end.kind == qemu.DEBUG_EXIT, f"ended by {end}")
    run.check(end.value == guest.GOOD_EXIT, bad.group(1)[:200] if bad else f"ended by {end}")
    return text


def replay(run, machine, log):
    """Hold each CPU's log against the model; the last line about each."""
    binary, said = build_replay(run), []
    for cpu in range(machine[1]):
        done = subprocess.run([binary, log, str(log_bytes(machine) // machine[1] * cpu)],
                              capture_output=True, text=True, check=False, timeout=run.left())
        (run.work / f"replay{cpu}.log").write_text(done.stdout + done.stderr)
        run.check(done.returncode == 0, f"CPU {cpu}: " + (done.stdout + done.stderr).splitlines()[0])
        said.append(done.stdout.splitlines()[-1])
    return said


def run_once(run, machine, seed, tests):
    """Boot and replay; what was said, the models' last."""
    log = run.work / "calls.log"
    text = boot(run, machine, seed, log, tests)
    said = SAID.findall(text) + replay(run, machine, log)
    (run.work / "fuzz.log").write_text("\n".join(said) + "\n")
    if machine[2]:
        most = OFF.search(text)
        run.check(most and 0 < int(most.group(1)) <= MOST_OFF,
                  f"interrupts were off for {most.group(1) if most else 'an unknown number of'} "
                  f"instructions, at most {MOST_OFF} are allowed")
    log.unlink()        # that of a run that failed is kept
    return said


def guarded(job, context, work):
    """Run `work` as a job's one test."""
    start, folder = time.monotonic(), context.folder(job.name)
    try:
        said = work(scenario.Run(context, job, folder))
    except scenario.Stop as stop:
        return [Result(job.name, stop.kind, str(stop), time.monotonic() - start, str(folder))]
    print("\n".join("       " + x for x in said))
    return [Result(job.name, outcome.PASS, "", time.monotonic() - start, str(folder))]


def run_machine(machine, seed, context, job):
    """The suite of tests/evil and the fuzzer on one machine."""
    return guarded(job, context, lambda run: run_once(run, machine, seed, EVERYTHING))


def run_twice(context, job):
    """Two runs of one seed have the same log, to the last bit; another seed has another."""
    def work(run):
        logs = [DIGEST.search(run_once(run, REPEATED, seed, ["fuzz_calls"])[-1]).group(1)
                for seed in (2, 2, 3)]
        run.check(logs[0] == logs[1], f"one seed, two logs: {logs[0]}, {logs[1]}")
        run.check(logs[0] != logs[2], "two seeds, one log")
        return [f"digests of the logs of seeds 2, 2, 3: {' '.join(logs)}"]
    return guarded(job, context, work)


def main():
    """As long as asked: N calls from a seed."""
    calls, seed = int(sys.argv[1]), int(sys.argv[2])
    repo = pathlib.Path(__file__).resolve().parents[2]
    build = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else "build")
    context = outcome.Context(repo, (repo / build).resolve(), "gcc", "make", 1.0)
    machine = ("icount", 1, "icount=7 latency", calls, max(1, calls // 1000))
    job = Job(f"fuzz/seed{seed}", functools.partial(run_machine, machine, seed),
              300.0 + calls / 500.0)
    result = job.run(context, job)[0]
    print(f"{result.outcome} {result.reason}\nthe same run again, call by call: "
          f"make fuzz N={calls} SEED={seed}")
    if result.outcome != outcome.PASS:
        print(f"its log, held against the model: {result.artefacts}/replay "
              f"{result.artefacts}/calls.log")
    return 0 if result.outcome == outcome.PASS else 1


if __name__ == "__main__":
    sys.exit(main())
