# SPDX-License-Identifier: MIT
"""host.py - host tests: C programs built with sanitizers, and fuzz targets with a bounded run.

A test is tests/host/*_test.c with a main() that prints `ok NAME`, `FAIL NAME: reason` or
`skip NAME: reason` and returns 0 when nothing failed.  Comment lines near its top tell the rest:

    // sources: a.c b.c        product sources to link, relative to the repository
    // includes: dir dir       include folders beyond exo/include, exo/base/include, tests/host
    // flags: -DX ...          more compiler flags, for the test and its sources
    // prepare: script args    run first, from the repository's root, with TMPDIR set
    // timeout: seconds        instead of 120
    // runs: n                 fuzz targets: number of inputs instead of 20000

A fuzz target is tests/host/fuzz_*.c; $TMPDIR/corpus is its corpus if `prepare` made one.
"""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import time

import outcome
from outcome import Job, Result

INCLUDES = ("exo/include", "exo/base/include", "tests/host")
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wundef")
NOTE = re.compile(r"^(?://|/?\s*\*)\s*(sources|includes|flags|prepare|timeout|runs):\s*(.*?)\s*(?:\*/)?$")
SANITIZE = {"gcc": "address,undefined", "clang": "fuzzer,address,undefined"}


def read_notes(path):
    """The comment lines of a test's top 40 lines, by key; lists, several lines of a key added up."""
    notes = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[:40]:
        match = NOTE.match(line.strip())
        if match:
            notes.setdefault(match.group(1), []).extend(match.group(2).split())
    return notes


def jobs(context):
    """All host tests, fuzz targets included."""
    found = []
    folder = context.repo / "tests" / "host"
    for path in sorted(folder.glob("*_test.c")) + sorted(folder.glob("fuzz_*.c")):
        notes = read_notes(path)
        limit = float(notes.get("timeout", ["120"])[0])
        fuzz = path.name.startswith("fuzz_")
        found.append(Job(f"host/{path.stem}", functools.partial(run_host, path, notes, fuzz), limit))
    return found


def run_logged(command, work, name, limit, **keys):
    """Run a command with stdout and stderr into work/name.log; (status or None for time, text)."""
    log = work / f"{name}.log"
    with open(log, "wb") as file:
        file.write((" ".join(map(str, command)) + "\n").encode())
        file.flush()
        try:
            status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT,
                                    stdin=subprocess.DEVNULL, timeout=limit, check=False,
                                    **keys).returncode
        except subprocess.TimeoutExpired:
            status = None
    return status, log.read_bytes().decode("utf-8", "replace")


def compile_command(context, path, notes, fuzz, binary):
    """The compiler's command line for a test."""
    compiler = "clang" if fuzz else context.cc
    sanitize = SANITIZE["clang"] if fuzz else SANITIZE["gcc"]
    command = [compiler, "-std=gnu11", "-g", "-O1", f"-fsanitize={sanitize}",
               "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", *WARNINGS]
    command += [f"-I{d}" for d in (*INCLUDES, *notes.get("includes", []))]
    command += notes.get("flags", [])
    return command + ["-o", str(binary), str(path.relative_to(context.repo)),
                      *notes.get("sources", [])]


@functools.lru_cache(maxsize=None)
def fuzzer_missing():
    """Why fuzz targets cannot be built here, or an empty string."""
    if not shutil.which("clang"):
        return "clang is not installed"
    with tempfile.TemporaryDirectory() as folder:
        probe = os.path.join(folder, "probe.c")
        with open(probe, "w", encoding="utf-8") as file:
            file.write("int LLVMFuzzerTestOneInput(const char *d, unsigned long n);\n"
                       "int LLVMFuzzerTestOneInput(const char *d, unsigned long n)"
                       " { return d && !n ? 0 : 0; }\n")
        done = subprocess.run(["clang", f"-fsanitize={SANITIZE['clang']}", "-o", probe + ".out",
                               probe], capture_output=True, check=False)
    return "" if done.returncode == 0 else "clang has no libFuzzer (install its libclang-rt)"


def run_host(path, notes, fuzz, context, job):
    """Prepare, build and run one host test; its results."""
    start = time.monotonic()
    work = context.folder(job.name)

    def end(kind, reason):
        return [Result(job.name, kind, reason, time.monotonic() - start, str(work))]

    if fuzz and fuzzer_missing():
        return end(outcome.SKIP, fuzzer_missing())
    scratch = work / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    env = dict(os.environ, TMPDIR=str(scratch), LC_ALL="C.UTF-8",
               PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
               UBSAN_OPTIONS="print_stacktrace=1", ASAN_OPTIONS="detect_stack_use_after_return=1")
    binary = work / path.stem
    steps = [("build", compile_command(context, path, notes, fuzz, binary), 300.0)]
    if notes.get("prepare"):
        steps.insert(0, ("prepare", notes["prepare"], 120.0))
    for name, command, limit in steps:
        status, text = run_logged(command, work, name, limit * context.slow, cwd=context.repo, env=env)
        if status != 0:
            last = next((x for x in text.splitlines() if "error" in x.lower()), "see its log")
            return end(outcome.FAIL, f"{name} failed ({status}): {last}")
    command = fuzz_command(binary, scratch, notes) if fuzz else [str(binary)]
    status, text = run_logged(command, work, "run", job.timeout * context.slow, cwd=context.repo, env=env)
    shutil.rmtree(scratch, ignore_errors=True)
    return judge(job, work, status, text, fuzz, time.monotonic() - start)


def fuzz_command(binary, scratch, notes):
    """A run that is the same each time: a fixed seed, a bounded number of inputs, 10 s at most."""
    corpus = scratch / "corpus"
    corpus.mkdir(exist_ok=True)
    runs = notes.get("runs", ["20000"])[0]
    return [str(binary), "-seed=1", f"-runs={runs}", "-max_total_time=10", "-timeout=10",
            "-print_final_stats=1", f"-artifact_prefix={binary.parent}/", str(corpus)]


def judge(job, work, status, text, fuzz, seconds):
    """Results from what the program printed and its exit status; a crash is a failure of its own."""
    results = [] if fuzz else outcome.parse_lines(text, job.name, str(work))
    if status is None:
        results.append(Result(job.name, outcome.TIMEOUT, f"no end within {job.timeout:.0f} s",
                              seconds, str(work)))
    elif status != 0 and all(r.outcome in outcome.GOOD for r in results):
        why = next((x for x in text.splitlines() if "ERROR:" in x or "runtime error" in x), "")
        results.append(Result(job.name, outcome.FAIL, f"exit status {status} {why}".strip(), seconds,
                              str(work)))
    elif fuzz:
        results.append(Result(job.name, outcome.PASS, "", seconds, str(work)))
    elif not results:
        results.append(Result(job.name, outcome.FAIL, "the program reported no test", seconds,
                              str(work)))
    elif status == 0 and any(r.outcome == outcome.FAIL for r in results):
        results.append(Result(job.name, outcome.FAIL, "exit status 0 in spite of a FAIL", seconds,
                              str(work)))
    if results:
        results[0].seconds = seconds
    return results
