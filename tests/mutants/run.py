#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - seeded faults: the suite must fail with each of them.

A fault is tests/mutants/NAME.sed, a sed script that removes one check from one file of the kernel;
its comments say which and what that allows, which tests are to find it, and on which machine of
tests/run/guest.py (smp2).  For each, the kernel is built from a copy of the sources and these tests
are run.  A fault is *found* if one failed or the machine did not end well.

Invariant: without a fault the same tests pass, which is seen first; the working tree is never
changed.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("GNUmakefile", "bench", "docs", "exo", "libexos", "libfs", "libnet", "services", "tests",
           "tools", "uefi", "libvm")
MACHINE = "smp2"
LIMIT_S = 150.0                 # of one boot


class Copy:
    """A copy of the sources, and its build folder."""

    def __init__(self, out):
        self.tree, self.build = out / "src", out / "build"
        shutil.rmtree(self.tree, ignore_errors=True)
        self.tree.mkdir(parents=True)
        for name in SOURCES:
            if (REPO / name).is_dir():
                shutil.copytree(REPO / name, self.tree / name)
            elif (REPO / name).exists():
                shutil.copy2(REPO / name, self.tree / name)
        (self.tree / "build").symlink_to(REPO / "build")        # what was fetched
        for script in (REPO / "tests" / "mutants").glob("*.sed"):
            (self.tree / notes(script)[0]).touch()      # an earlier run's fault may be built in

    def suite(self, pattern, log):
        """Run the suite's tests of this pattern; (passed, first line of what failed)."""
        command = [sys.executable, "tests/run/run.py", "-o", str(self.build), "-j", "1", pattern]
        with open(log, "wb") as file, \
                subprocess.Popen(command, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=file,
                                 stderr=subprocess.STDOUT, start_new_session=True) as run:
            try:
                status = run.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)      # its machine too
                return False, f"no end within {LIMIT_S:.0f} s"
        text = log.read_text(errors="replace")
        why = re.search(r"^\s+(?:fail|timeout|guest panic|unexpected reboot): (.*)$", text, re.M)
        return status == 0, why.group(1)[:100] if why else text.strip().splitlines()[-1]


def notes(script):
    """What the comments of a script say: file, fault, tests (names in full), machine."""
    found = dict(re.findall(r"^# (\w+): (.+)$", script.read_text(encoding="utf-8"), re.M))
    return found["file"], found["fault"], found["tests"].split(), found.get("machine", MACHINE)


def try_fault(copy, script, out):
    """Build with the fault, run the tests that are to find it; (found, by what)."""
    file, _fault, tests, machine = notes(script)
    path = copy.tree / file
    good = path.read_text(encoding="utf-8")
    bad = subprocess.run(["sed", "-f", str(script), str(path)], capture_output=True, text=True,
                         check=True).stdout
    if bad == good:
        return None, "the script changes nothing: the file has changed"
    path.write_text(bad, encoding="utf-8")
    try:
        passed, why = copy.suite(f"^guest/{machine}/({'|'.join(tests)})$", out / f"{script.stem}.log")
        if passed:
            return False, "no test failed of " + " ".join(tests)
        built = "make efi" not in why and "no test's name" not in why
        return (True, why) if built else (None, f"no run: {why}")
    finally:
        path.write_text(good, encoding="utf-8")


def good_tests(scripts):
    """(machine, tests) of all scripts together."""
    wanted = {}
    for script in scripts:
        _file, _fault, tests, machine = notes(script)
        wanted.setdefault(machine, set()).update(tests)
    return [(machine, sorted(tests)) for machine, tests in wanted.items()]


def main():
    """Try each fault; 0 if all were found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", default="build", help="build folder")
    parser.add_argument("--minutes", type=float, default=40.0, help="stop after so long")
    parser.add_argument("names", nargs="*", help="faults to try (all)")
    args = parser.parse_args()
    out = pathlib.Path(args.o).resolve() / "mutants"
    copy, end = Copy(out), time.monotonic() + args.minutes * 60
    scripts = sorted((REPO / "tests" / "mutants").glob("*.sed"))
    scripts = [s for s in scripts if not args.names or s.stem in args.names]
    for machine, tests in good_tests(scripts):
        passed, why = copy.suite(f"^guest/{machine}/({'|'.join(tests)})$", out / f"{machine}.log")
        if not passed:
            print(f"without a fault {machine} fails: {why}")
            return 1
    missed = 0
    for script in scripts:
        if time.monotonic() > end:
            print(f"{script.stem:18} not tried: {args.minutes:.0f} minutes are over")
            missed += 1
            continue
        found, by = try_fault(copy, script, out)
        word = {True: "found", False: "MISSED", None: "BROKEN"}[found]
        print(f"{script.stem:18} {word:7} {notes(script)[1]}\n{'':27}{by}", flush=True)
        missed += found is not True
    print(f"{len(scripts) - missed} of {len(scripts)} faults found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
