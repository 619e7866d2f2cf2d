# SPDX-License-Identifier: MIT
"""bench.py - the budget gate, and the tools of bench/ held against made results.

The tools run as programs of their own: their modules have names that the runner's have too.
"""

import os
import re
import subprocess
import sys
import time

import outcome
from outcome import Job, Result

SKIPPED = 77            # bench/budget.py: no column for this compiler


def jobs(_context):
    """The gate and the profile, which boot exo once each, and the tools' tests, which boot nothing."""
    return [Job("bench/budget", run_budget, 120.0), Job("bench/profile", run_profile, 60.0),
            Job("bench/tools", run_tools, 60.0)]


def program(context, job, *arguments):
    """Run a program of Python; status and text."""
    work = context.folder(job.name)
    done = subprocess.run([sys.executable, *arguments], cwd=context.repo, text=True, check=False,
                          capture_output=True, timeout=job.timeout * context.slow,
                          env={**os.environ, "CC": context.cc, "TMPDIR": str(work)})
    (work / "run.log").write_text(done.stdout + done.stderr)
    return done.returncode, done.stdout + done.stderr, str(work)


def run_budget(context, job):
    """One boot; fails with the rows that grew, and their old and new figures."""
    start = time.monotonic()
    with context.make_lock:     # it builds the measuring program
        status, text, work = program(context, job, "bench/budget.py", "--out", str(context.build))
    kind = {0: outcome.PASS, SKIPPED: outcome.SKIP}.get(status, outcome.FAIL)
    reason = "" if status == 0 else "; ".join(text.strip().splitlines()[-6:])
    return [Result(job.name, kind, reason, time.monotonic() - start, work)]


def run_profile(context, job):
    """The parts of a null call: the loop and the way in and out are among them, and they add up."""
    start = time.monotonic()
    with context.make_lock:
        status, text, work = program(context, job, "bench/profile.py", "--out", str(context.build),
                                     "--least", "0.5", "null_call")
    lines = re.findall(r"(?m)^ +([\d.]+)  (?:kernel|program) +\S+ +(\S+)$", text)
    whole = re.search(r"(?m)^ +([\d.]+)  instructions an operation$", text)
    good = (status == 0 and whole and {"bench_null", "syscall_entry"} <= {name for _, name in lines}
            and abs(sum(float(n) for n, _ in lines) - float(whole[1])) < 1)
    return [Result(job.name, outcome.PASS if good else outcome.FAIL, "" if good else text.strip()[-300:],
                   time.monotonic() - start, work)]


def run_tools(context, job):
    """What tests/tools/bench_test.py found; its end must be seen."""
    status, text, work = program(context, job, "tests/tools/bench_test.py")
    results = outcome.parse_lines(text, job.name, work)
    bad = any(r.outcome == outcome.FAIL for r in results)
    if not results or (status != 0 and not bad):
        results.append(Result(job.name, outcome.FAIL, text.strip()[-200:], 0.0, work))
    return results
