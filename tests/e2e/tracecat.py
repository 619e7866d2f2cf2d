# SPDX-License-Identifier: MIT
"""tracecat.py - tools/tracecat reads the trace of a running machine, and agrees with its shell."""

import re

import qemu
import scenario

LINE = re.compile(r"(?m)^ *(\d+) us  CPU (\d)  (.+)$")


@scenario.test("tracecat", timeout=120.0)
def tracecat(run):
    """Out of a machine with two CPUs: records in order of time, of environments that ps knows."""
    path = run.file("qmp")
    with run.boot("-qmp", f"unix:{path},server=on,wait=off", cpus=2) as box:
        run.prompt(box)
        known = set(re.findall(r"(?m)^(0x[0-9a-f]+) ", run.shell(box, "ps")))
        run.check(known, "ps knows no environment")
        text = run.command(["tools/tracecat", "--qmp", path], good=(0,)).stdout.decode()
        last = run.command(["tools/tracecat", "--qmp", path, "-n", "5"], good=(0,)).stdout.decode()
        box.send("exit\r")
        run.end(box, qemu.POWER_OFF)
    lines = LINE.findall(text)
    run.check(len(lines) == len(text.splitlines()) > 8, f"not a trace: {text[:300]!r}")
    times = [int(us) for us, _, _ in lines]
    run.check(times == sorted(times), "records are not in order of time")
    run.check({cpu for _, cpu, _ in lines} == {"0", "1"}, "not every CPU has records")
    seen = set(re.findall(r"runs environment (0x[0-9a-f]+) ", text))
    run.check(seen & known, f"the trace shows {seen}, ps {known}")
    run.check(len(LINE.findall(last)) == 5, f"-n 5 printed {last!r}")


@scenario.test("tracecat_refuses")
def refuses(run):
    """What is no dump of exo's is said to be none."""
    empty = run.file("zeros")
    empty.write_bytes(bytes(65536))
    for arguments in ([empty], [run.file("nothing")], [], ["--qmp", run.file("nothing")]):
        done = run.command(["tools/tracecat", *arguments])
        run.check(done.returncode != 0 and b"racecat" in done.stdout, f"accepted {arguments}")
