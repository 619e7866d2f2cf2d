# SPDX-License-Identifier: MIT
"""pairs.py - every call and error of exo/include/exo/refusals.def: was it seen, was another one?

The machines of guest/ and fuzz/ print after each test which call returned which error (lines
`pairs ...`, tests/guest/pairs.h).  This job comes last and holds what they printed together against
the list: an error that a call returned and that is not in the list is a defect of the list or of
the call; one that is in the list and was not seen is a missing test, unless
tests/evil/unreached.txt says why no program on these machines can reach it.

By itself: pairs.py LOG... prints the table for these serial lines.
"""

import pathlib
import re
import sys
import time

import fuzz
import guest
import outcome
from outcome import Job, Result

REPO = pathlib.Path(__file__).resolve().parents[2]
LINE = re.compile(r"^pairs((?: [0-9a-f]+(?::\d+=\d+)+)*)\s*$", re.M)


def jobs(_context):
    """One job, behind all others."""
    return [Job("pairs", run, 60.0, last=True)]


def documented(repo):
    """{call: (names of its errors)} as the ABI's headers say, through the parser of docs/abi.md."""
    sys.path.insert(0, str(repo / "tools"))
    import abi      # pylint: disable=import-outside-toplevel
    return {call: errors for call, (errors, _text) in abi.refusals().items()}, \
        {int(number, 16): name for number, name, *_ in abi.calls()}, \
        {int(number): name for name, number, _ in abi.x_list("errors.h", "EXO_ERRORS")}


def unreached(repo):
    """{(call, error): why it cannot be seen}."""
    lines = (repo / "tests/evil/unreached.txt").read_text(encoding="utf-8").splitlines()
    rows = (x.split(None, 2) for x in lines if x and not x.startswith("#"))
    return {(call, error): reason for call, error, reason in rows}


def seen(texts, calls, errors):
    """{(call, error or OK): times} out of serial lines."""
    found = {}
    for text in texts:
        for line in LINE.findall(text):
            for call, *results in (x.split(":") for x in line.split()):
                for error, times in (x.split("=") for x in results):
                    name = errors.get(int(error), "OK" if error == "0" else error)
                    key = calls.get(int(call, 16), call), name
                    found[key] = found.get(key, 0) + int(times)
    return found


def judge(repo, texts):
    """(lines of the table, summary, what is wrong)."""
    rows, calls, errors = documented(repo)
    excused, found = unreached(repo), seen(texts, calls, errors)
    lines, wrong, reached, total = [], [], 0, 0
    for call, names in rows.items():
        for error in ("OK", *names):
            times, reason = found.pop((call, error), 0), excused.pop((call, error), "")
            total += 1
            reached += times > 0
            lines.append(f"{call:14} {error:8} {times or 'unreached: ' + (reason or 'no reason')}")
            if not times and not reason:
                wrong.append(f"{call} {error} was not seen")
    wrong += [f"{call} returned {error}, which refusals.def does not have" for call, error in found]
    wrong += [f"unreached.txt: {call} {error} is no pair" for call, error in excused]
    words = f"{total} pairs of call and error, {reached} seen, {total - reached} not"
    return lines, words, wrong


def run(context, job):
    """Judge what the machines of this run printed."""
    start, work = time.monotonic(), context.folder(job.name)
    wanted = [j.name for j in guest.jobs(context) + fuzz.jobs(context)]
    paths = {n: sorted((context.build / "test" / n).glob("serial*.log")) for n in wanted}
    missing = [n for n, found in paths.items() if not found]
    if missing:
        return [Result(job.name, outcome.SKIP, "these machines did not run: " + " ".join(missing))]
    texts = [p.read_text(encoding="utf-8", errors="replace") for ps in paths.values() for p in ps]
    lines, words, wrong = judge(context.repo, texts)
    (work / "pairs.log").write_text("\n".join([*lines, words, *wrong]) + "\n", encoding="utf-8")
    print(f"       {words}: {work / 'pairs.log'}")
    return [Result(job.name, outcome.FAIL if wrong else outcome.PASS, "; ".join(wrong[:6]),
                   time.monotonic() - start, str(work))]


if __name__ == "__main__":
    table, summary, bad = judge(REPO, [pathlib.Path(p).read_text(encoding="utf-8", errors="replace")
                                       for p in sys.argv[1:]])
    print("\n".join([*table, summary, *bad]))
    sys.exit(1 if bad else 0)
