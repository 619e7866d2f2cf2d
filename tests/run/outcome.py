# SPDX-License-Identifier: MIT
"""outcome.py - what a test ends with, and where it keeps its artefacts.

Invariant: a Result is final; only PASS and SKIP do not fail a run.  No output here (report.py).
"""

import dataclasses
import pathlib
import re
import threading

PASS = "pass"
FAIL = "fail"
SKIP = "skip"
TIMEOUT = "timeout"
PANIC = "guest panic"
REBOOT = "unexpected reboot"
GOOD = (PASS, SKIP)


@dataclasses.dataclass
class Result:
    """One test case: its name, its outcome, and for all but PASS the reason."""
    name: str
    outcome: str
    reason: str = ""
    seconds: float = 0.0
    artefacts: str = ""


@dataclasses.dataclass
class Job:
    """A unit of work that reports one or more results; `run` takes the context and the job."""
    name: str
    run: object
    timeout: float = 120.0
    cases: tuple = ()       # names of the cases inside, where they are known beforehand
    only: tuple = ()        # of these, the ones asked for; empty: all
    weight: int = 1         # CPUs it keeps busy
    last: bool = False      # judges what others left: run when they are done


@dataclasses.dataclass
class Context:
    """What all jobs of a run share."""
    repo: pathlib.Path
    build: pathlib.Path     # the build folder, absolute
    cc: str
    make: str
    slow: float             # factor on every time limit
    # held by whoever runs make in the build folder
    make_lock: object = dataclasses.field(default_factory=threading.RLock)

    def folder(self, name):
        """The artefact folder of a test, made and emptied of old files."""
        path = self.build / "test" / re.sub(r"[^A-Za-z0-9_.+/-]", "_", name)
        path.mkdir(parents=True, exist_ok=True)
        for old in path.iterdir():
            if old.is_file() or old.is_symlink():
                old.unlink()
        return path


LINE = re.compile(r"^(ok|FAIL|skip) ([A-Za-z0-9_.+/-]+)(?:: ?(.*))?$")
WORDS = {"ok": PASS, "FAIL": FAIL, "skip": SKIP}


def parse_lines(text, prefix, artefacts=""):
    """The results in the lines `ok NAME`, `FAIL NAME: reason`, `skip NAME: reason` of a text."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line.rstrip())
        if match:
            word, name, reason = match.groups()
            found.append(Result(f"{prefix}/{name}", WORDS[word], reason or "", 0.0, artefacts))
    return found
