# SPDX-License-Identifier: MIT
"""scenario.py - tests written in Python: tests/boot/*.py and tests/e2e/*.py.

A module there holds functions marked with `@scenario.test(...)`; each gets a Run, and passes by
returning.  It fails by run.check, run.fail or an exception, and is skipped by run.skip.
"""

import contextlib
import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import traceback

import net
import outcome
import qemu
from outcome import Job, Result

REGISTERED = []
OUTCOMES = {qemu.PANICKED: outcome.PANIC, qemu.RESET: outcome.REBOOT, qemu.TIME: outcome.TIMEOUT}


class Stop(Exception):
    """Ends a scenario with an outcome that is not PASS."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind


def test(name, timeout=90.0, **parameters):
    """Register a function as the test `name`; parameters are handed to it by keyword."""
    def register(function):
        REGISTERED.append((function.__module__, name, timeout,
                           functools.partial(function, **parameters)))
        return function
    return register


class Run:
    """What a scenario may use: its folder, machines, commands, checks."""

    def __init__(self, context, job, work):
        self.context, self.work, self.job = context, work, job
        self.limit = job.timeout * context.slow
        self.deadline = time.monotonic() + self.limit
        self.count = 0
        self.captures = []      # packet captures: kept if the test fails

    def left(self):
        """Seconds until the test's time is over, at least one."""
        return max(1.0, self.deadline - time.monotonic())

    def fail(self, reason, kind=outcome.FAIL):
        """End the test as failed."""
        raise Stop(kind, reason)

    def skip(self, reason):
        """End the test as skipped."""
        raise Stop(outcome.SKIP, reason)

    def check(self, good, reason):
        """Fail with the reason unless `good`."""
        if not good:
            self.fail(reason)

    def need(self, *programs):
        """Skip unless all these programs are installed."""
        for program in programs:
            if not tool(program):
                self.skip(f"{program} is not installed")

    def end_captures(self, good):
        """Delete the packet captures of a good test; words on where those of another one are."""
        if good:
            for path in self.captures:
                path.unlink(missing_ok=True)
        kept = [path for path in self.captures if path.exists()]
        for path in kept:
            with contextlib.suppress(ValueError):       # cut off when its machine was killed
                net.make_readable(path)
        return "; packets: " + " ".join(map(str, kept)) if kept else ""

    def file(self, name):
        """A path in the test's artefact folder."""
        return self.work / name

    def build(self, *targets, **variables):
        """Run make for targets; variables become NAME=value, one make at a time.  Fails the test when make fails."""
        command = [self.context.make, *targets, f"O={self.context.build}", "NOINSTALL=1",
                   *(f"{name}={value}" for name, value in variables.items())]
        with self.context.make_lock:
            return self.command(command, good=(0,)).stdout

    def make_run(self, stdin, **variables):
        """`make run` with these variables through a pipe; the CompletedProcess."""
        variables.setdefault("PORT", net.free_port())
        command = [self.context.make, "run", f"O={self.context.build}", "NOINSTALL=1",
                   *(f"{name}={value}" for name, value in variables.items())]
        with self.context.make_lock:
            return self.command(command, stdin=stdin)

    @staticmethod
    def clean(data):
        """Bytes from a terminal as text without escape sequences and carriage returns."""
        return qemu.ESCAPES.sub(b"", data).decode("utf-8", "replace").replace("\r", "")

    def command(self, command, good=None, stdin=b"", **keys):
        """Run a command in the repository; its CompletedProcess with bytes in stdout."""
        self.count += 1
        log = self.file(f"command{self.count}.log")
        try:
            done = subprocess.run(list(map(str, command)), input=stdin, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, cwd=keys.pop("cwd", self.context.repo),
                                  timeout=self.left(), check=False, env=clean_environment(), **keys)
        except subprocess.TimeoutExpired as late:
            log.write_bytes(late.stdout or b"")
            self.fail(f"{command[0]} did not end in time, see {log.name}", outcome.TIMEOUT)
        log.write_bytes((" ".join(map(str, command)) + f"\nstatus {done.returncode}\n").encode()
                        + done.stdout)
        if good is not None and done.returncode not in good:
            self.fail(f"{' '.join(map(str, command[:4]))} ended with {done.returncode}, see {log.name}")
        return done

    def boot(self, *extra, memory="256M", cpus=2, accel="tcg,thread=multi", line=None, efi=None,
             kernel=True, fds=()):
        """Start a machine with exo.efi by -kernel (or as `extra` says, with kernel=False)."""
        arguments = qemu.base_arguments(memory, cpus, accel)
        if kernel:
            arguments += ["-kernel", str(efi or self.context.build / "exo.efi")]
            arguments += ["-append", line] if line else []
        return qemu.Machine(self.work, [*arguments, *map(str, extra)], fds)

    def prompt(self, machine, start=0):
        """Wait for the shell's prompt; fails with the machine's own end when it does not come."""
        if not machine.expect(r"exo> ", min(self.left(), 60 * self.context.slow), start):
            self.end(machine, "the prompt", 1.0)
            self.fail("the machine ended before the prompt")

    def end(self, machine, kind, limit=None):
        """Wait for the machine's end, which must be of this kind; the End."""
        end = machine.finish(min(limit or self.left(), self.left()))
        if end.kind != kind:
            self.fail(f"expected {kind}, saw {end}", OUTCOMES.get(end.kind, outcome.FAIL))
        return end

    def shell(self, machine, line, limit=30.0):
        """Type a line at the prompt and wait for the next prompt; what was printed between."""
        start = machine.mark()
        machine.send(line + "\r")
        # A line that is drawn again stands behind a carriage return alone, a prompt behind a line end.
        if not machine.expect(r"\nexo> \Z", limit * self.context.slow, start, raw=True):
            self.fail(f"no prompt after {line[:60]!r}, {len(line)} characters")
        text = machine.text(start)
        return text[text.find("\n") + 1:text.rfind("exo> ")]


def clean_environment():
    """The environment without the variables by which one make talks to another."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    env["PATH"] = env.get("PATH", "") + ":/usr/sbin:/sbin"
    return env


def tool(program):
    """The path of a program, /usr/sbin included, or None."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def jobs(context, kind):
    """The scenarios in tests/KIND/*.py."""
    del REGISTERED[:]
    for path in sorted((context.repo / "tests" / kind).glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"{kind}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return [Job(f"{kind}/{name}", functools.partial(run_scenario, function), limit)
            for _, name, limit, function in REGISTERED]


def run_scenario(function, context, job):
    """Run one scenario; its one result."""
    start, work = time.monotonic(), context.folder(job.name)
    kind, reason = outcome.PASS, ""
    run = Run(context, job, work)
    try:
        function(run)
    except Stop as stop:
        kind, reason = stop.kind, str(stop)
    except (OSError, ValueError, EOFError) as error:    # of a connection that went another way
        kind, reason = outcome.FAIL, f"{type(error).__name__}: {error}"
        (work / "traceback.log").write_text(traceback.format_exc())
    reason += run.end_captures(kind in outcome.GOOD)
    return [Result(job.name, kind, reason, time.monotonic() - start, str(work))]
