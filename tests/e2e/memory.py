# SPDX-License-Identifier: MIT
"""memory.py - how much memory is left for programs at the prompt, with all services running.

What counts as free is what an allocation gets: frames of the shell's allocator, and those where
only blocks of the disk are cached, which are given up for it.
"""

import re

import served

FRAME = 4096
KEPT = 16 << 20                 # bytes that the system may keep, and a part of all memory:
PART = 0.005


def frames(run, text, words):
    """The number in this line of `mem`."""
    found = re.search(words, text)
    run.check(found, f"`mem` does not say {words!r}: {text!r}")
    return int(found.group(1))


@served.session("memory_free", memory="512M")
def memory_free(run, box):
    """The default machine: usable RAM less 16 MiB and 0.5 % is free."""
    text = run.shell(box, "mem")
    usable = frames(run, text, r"usable RAM: (\d+) frames")
    free = frames(run, text, r"free for programs: (\d+) frames")
    least = usable * (1 - PART) - KEPT / FRAME
    run.check(free >= least, f"{free} frames of {usable} are free, not the {least:.0f} there must be")


@served.session("memory_64M_web", memory="64M", cpus=1)
def memory_64_web(run, box):
    """The smallest machine serves web pages, the largest file too."""
    text = run.shell(box, "mem")
    usable = frames(run, text, r"usable RAM: (\d+) frames")
    free = frames(run, text, r"free for programs: (\d+) frames")
    run.check(usable * FRAME < 64 << 20, f"{usable} frames are more than 64 MiB")
    run.check(free > usable / 2, f"{free} frames of {usable} are free")
    answer = served.web.get(run.port, "/big.bin")
    run.check((answer.status, answer.body) == (200, served.BIG), f"/big.bin: {answer.status}")


@served.session("memory_web_word", memory="512M", line="web=32")
def memory_web(run, box):
    """`web=32` on the boot line gives the web server 32 MiB."""
    text = run.shell(box, "mem")
    held = frames(run, text, r"(?m)^httpd +(\d+) ")
    run.check(7000 < held <= 8192, f"httpd holds {held} frames")
