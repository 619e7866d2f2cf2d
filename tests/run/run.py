#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - the one test runner: host tests, guest suites, boot tests, tests from end to end.

usage: run.py [-o build-folder] [-j jobs] [--cc CC] [--make MAKE] [--slow FACTOR] [--list] [PATTERN]

PATTERN is a regular expression that is searched in the tests' names (`make test T=pattern`).
Results: lines on the terminal, build/test/junit.xml, artefacts in build/test/NAME/; the last line
is `N passed, N failed, N skipped`; the exit status is 0 if nothing failed, else 1.
"""

import argparse
import os
import pathlib
import queue
import re
import sys
import threading
import time
import traceback

import bench
import fuzz
import guest
import host
import outcome
import pairs
import report
import scenario
import selftest


def collect(context):
    """Every job of the tree; guest suites first, for they take longest."""
    return (guest.jobs(context) + fuzz.jobs(context) + scenario.jobs(context, "boot")
            + scenario.jobs(context, "e2e") + bench.jobs(context) + selftest.jobs(context)
            + host.jobs(context) + pairs.jobs(context))


def select(jobs, pattern):
    """The jobs, or the cases in them, whose name the pattern finds."""
    if not pattern:
        return jobs
    wanted = []
    for job in jobs:
        inside = tuple(c for c in job.cases if re.search(pattern, f"{job.name}/{c}"))
        if inside and len(inside) < len(job.cases):
            job.only = inside
        if inside or re.search(pattern, job.name):
            wanted.append(job)
    return wanted


def guarded(context, job):
    """Run a job; an exception of the runner is a failure of the test, with its traceback kept."""
    try:
        return job.run(context, job) or [outcome.Result(job.name, outcome.FAIL, "no result")]
    except Exception as error:      # pylint: disable=broad-except
        work = context.build / "test" / job.name
        work.mkdir(parents=True, exist_ok=True)
        (work / "traceback.log").write_text(traceback.format_exc())
        return [outcome.Result(job.name, outcome.FAIL, f"{type(error).__name__}: {error}", 0.0,
                               str(work))]


def worker(context, pending, results, lock):
    """Take jobs until there are none."""
    while True:
        try:
            job = pending.get_nowait()
        except queue.Empty:
            return
        start = time.monotonic()
        found = guarded(context, job)
        with lock:
            results.extend(found)
            report.print_job(job, found, time.monotonic() - start)


def run_all(context, jobs, width):
    """Run all jobs, `width` at a time, the last ones when all others are done; the results in the
    order in which they came."""
    last = [job for job in jobs if job.last]
    results = run_some(context, [job for job in jobs if not job.last], width)
    return results + run_some(context, last, width)


def run_some(context, jobs, width):
    """Run these jobs, `width` at a time."""
    pending, results, lock = queue.Queue(), [], threading.Lock()
    for job in jobs:
        pending.put(job)
    threads = [threading.Thread(target=worker, args=(context, pending, results, lock), daemon=True)
               for _ in range(max(1, width))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="exo's test runner")
    parser.add_argument("-o", "--out", default=os.environ.get("O", "build"),
                        help="build folder (default: $O or build)")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="jobs at a time")
    parser.add_argument("--cc", default=os.environ.get("CC", "gcc"), help="compiler of the host tests")
    parser.add_argument("--make", default="make", help="make program")
    parser.add_argument("--slow", type=float, default=1.0, help="factor on every time limit")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("pattern", nargs="?", default="", help="regular expression for names")
    return parser.parse_args()


def main():
    """Collect, select, run, report."""
    arguments = parse_arguments()
    repo = pathlib.Path(__file__).resolve().parent.parent.parent
    context = outcome.Context(repo, (repo / arguments.out).resolve(), arguments.cc, arguments.make,
                              arguments.slow)
    jobs = select(collect(context), arguments.pattern)
    if arguments.list:
        for job in jobs:
            print("\n".join(f"{job.name}/{case}" for case in job.only or job.cases) or job.name)
        return 0
    if not jobs:
        print(f"no test's name matches {arguments.pattern!r}; --list shows all names")
        print("0 passed, 0 failed, 0 skipped")
        return 1
    (context.build / "test").mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    results = run_all(context, jobs, arguments.jobs)
    report.write_junit(results, context.build / "test" / "junit.xml")
    print(f"{len(jobs)} jobs in {time.monotonic() - start:.0f} s, "
          f"results in {context.build / 'test' / 'junit.xml'}")
    line, good = report.summary(results)
    print(line)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
