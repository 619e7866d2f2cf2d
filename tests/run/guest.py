# SPDX-License-Identifier: MIT
"""guest.py - the suites that run inside exo: one boot for each machine, many tests in a boot.

Invariant: a boot is good only if the debug-exit value says so AND the end marker with this boot's
nonce came AND its counts are those of the lines that were seen AND each planned test reported.
"""

import functools
import re
import secrets
import time

import net
import outcome
import qemu
import scenario
from outcome import Job, Result

GOOD_EXIT = 0x10
DISK_BLOCKS = 65536             # of 512 bytes
CARDS = 2                       # on user-mode networks, where the clock is real
# Devices for PCI claims: a DMA engine, a card with MSI-X, a function that resets itself.  An IOMMU
# must stand before the devices that it translates for.
DEVICES = ("-device", "edu,dma_mask=0xffffffffffffffff", "-device", "e1000e",
           "-device", "nvme,serial=functions")
IOMMU = ("-device", "intel-iommu,intremap=on,aw-bits=48")
# Functions that programs drive themselves; the kernel leaves them the controller by a word.
OWN = ("-device", "nvme,drive=own,serial=own,addr=0x10",
       "-netdev", "user,id=own", "-device", "e1000e,netdev=own,addr=0x11",
       "-device", "pcie-root-port,id=root,chassis=1,addr=0x12", "-device", "nvme-subsys,id=both",
       "-device", "nvme,serial=sriov,subsys=both,bus=root,sriov_max_vfs=2,sriov_vq_flexible=4,"
                  "sriov_vi_flexible=2")
# name, CPUs, accelerator, memory, further words of the boot line, further devices, which tests: a
# pattern for name and class
MACHINES = (
    ("smp1", 1, "tcg,thread=multi", "256M", "", (), ""),
    ("smp2", 2, "tcg,thread=multi", "256M", "", DEVICES, ""),
    ("smp4", 4, "tcg,thread=multi", "256M", "", (), ""),
    ("icount", 1, "tcg", "256M", "icount=7 latency", (), ""),
    ("long", 1, "tcg", "256M", "icount=7 latency", (),
     "^(nic_parts|nic_unfinished|requests_of|slots_of|nic_filters_nest|nic_indices|nic_many|nic_prog)_"),
    ("iommu", 2, "tcg,thread=multi", "256M", "", IOMMU + DEVICES,
     "^(pci|disk|interrupts)_|^nic_a_"),       # a boot line is short
    ("evil", 2, "tcg,thread=multi", "256M", "", IOMMU + DEVICES, "^evil_"),
    ("unsafe", 2, "tcg,thread=multi", "256M", "dma=unsafe", DEVICES, "^pci_"),
    ("nvme", 2, "tcg,thread=multi", "256M", "", (), " DISK$"),
    ("own", 2, "tcg,thread=multi", "256M", "leave=00:10.0", IOMMU + OWN, "^own_"),
)
TEST = re.compile(r"^EXO_TEST\((\w+),\s*(\w+)\)", re.M)
END = re.compile(r"^suite: end (\w+) passed=(\d+) failed=(\d+) skipped=(\d+)\s*$", re.M)


def sources(context):
    """{name of each guest test: its class}, from their sources."""
    found = {}
    for folder in ("guest", "evil"):
        for path in sorted((context.repo / "tests" / folder).glob("*.c")):
            found.update(TEST.findall(path.read_text(encoding="utf-8")))
    return found


def classes(context):
    """The same without those that run by themselves."""
    return {name: group for name, group in sources(context).items() if group != "FUZZ"}


def words_of(names, every):
    """The words of `test=only=` that select `names` out of `every`: a boot line is short, so one
    `word_*` stands for all tests of that first word where all are wanted."""
    def first(name):
        return name.split("_")[0] + "_"

    others = {first(name) for name in every if name not in names}
    return list(dict.fromkeys(name if first(name) in others else first(name) + "*"
                              for name in names))


def jobs(context):
    """One job for each machine."""
    tests = classes(context)
    if not tests:
        return []
    return [Job(f"guest/{machine[0]}", functools.partial(run_suite, machine), 400.0,
                tuple(t for t, c in tests.items() if re.search(machine[-1], f"{t} {c}")))
            for machine in MACHINES]


def make_disk(path):
    """A disk whose every word tells where it stands: word i of it is i * 0x9e3779b97f4a7c15."""
    words = DISK_BLOCKS * 64
    step, mask = 0x9E3779B97F4A7C15, (1 << 64) - 1
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        for first in range(0, words, 65536):
            file.write(b"".join((i * step & mask).to_bytes(8, "little")
                                for i in range(first, first + 65536)))


def run_suite(machine, context, job):
    """Boot exo with the suite as its program on one machine; a result for each test and one more."""
    name, cpus, accel, memory, extra, devices, pattern = machine
    start, work = time.monotonic(), context.folder(job.name)
    run = scenario.Run(context, job, work)
    try:
        efi = suite_image(run)
        disk = suite_disk(context)
        nonce = secrets.token_hex(8)
        line = f"app debug-exit test=nonce={nonce} test=machine={name} pairs {extra}".strip()
        if pattern and not job.only:
            job.only = job.cases
        if job.only:
            line += " test=only=" + ",".join(words_of(job.only, sources(context)))
        # Slower than any program, so that it shows whether a program runs on meanwhile.
        arguments = [*devices, *qemu.disk_arguments(
            disk, writable=True, bytes_per_s=50_000_000,
            device="nvme" if name == "nvme" else "virtio")]
        if devices == IOMMU + OWN:
            arguments += ["-drive", f"if=none,id=own,format=raw,file={disk},snapshot=on"]
        if extra.startswith("icount"):
            arguments += ["-icount", "shift=7,sleep=off"]
        if name != "icount":    # with a deterministic clock others do not answer in time
            for number in range(CARDS):
                arguments += net.user_card(run, number, web=False)
        with run.boot(*arguments, memory=memory, cpus=cpus, accel=accel, line=line, efi=efi) as box:
            end = box.finish(run.left())
            text = box.text()
    except scenario.Stop as stop:
        return [Result(job.name, stop.kind, str(stop), time.monotonic() - start, str(work))]
    results = judge(job, nonce, end, text, time.monotonic() - start, str(work))
    if kept := run.end_captures(all(r.outcome in outcome.GOOD for r in results)):
        results[-1].reason += kept
    return results


def suite_disk(context):
    """The disk of the suites, made once."""
    path = context.build / "test" / "suite-disk.img"
    with context.make_lock:
        if not path.exists() or path.stat().st_size != DISK_BLOCKS * 512:
            make_disk(path)
    return path


def suite_image(run):
    """exo.efi with the suite as the member `app`."""
    build = run.context.build
    run.build("efi", APP=build / "bin" / "suite.elf")
    return build / "app" / "suite" / "exo.efi"


def add_notes(results, text, prefix):
    """Give each result as reason the first note that its test printed."""
    notes, name = {}, ""
    for line in text.splitlines():
        if line.startswith("run "):
            name = line[4:].strip()
        elif line.startswith("note: "):
            notes.setdefault(f"{prefix}/{name}", line[6:].strip())
    for result in results:
        if result.outcome != outcome.PASS and result.name in notes:
            result.reason = f"{notes[result.name]} ({result.reason})"


def judge(job, nonce, end, text, seconds, work):
    """Results from a boot's end and its text."""
    results = outcome.parse_lines(text, job.name, work)
    add_notes(results, text, job.name)
    wrong = why_wrong(job, nonce, end, text, results)
    kind = scenario.OUTCOMES.get(end.kind, outcome.FAIL) if wrong else outcome.PASS
    results.append(Result(f"{job.name}/boot", kind, wrong, seconds, work))
    return results


def why_wrong(job, nonce, end, text, results):
    """Why this boot is not good, or an empty string.  Failed tests alone do not make it wrong."""
    if end.kind != qemu.DEBUG_EXIT:
        last = [x for x in text.splitlines() if x.startswith("run ")]
        return f"ended by {end}; last test begun: {last[-1][4:] if last else 'none'}"
    marker = END.search(text)
    if not marker or marker.group(1) != nonce:
        return "no end marker with this boot's nonce"
    counts = tuple(int(x) for x in marker.groups()[1:])
    seen = tuple(sum(r.outcome == k for r in results)
                 for k in (outcome.PASS, outcome.FAIL, outcome.SKIP))
    if counts != seen:
        return f"the suite counted {counts} passed, failed, skipped; its lines say {seen}"
    expected = set(job.only) or set(job.cases) | {"suite_spread"}
    if job.name == "guest/icount" and not job.only:
        expected.add("suite_latency")
    reported = {r.name.rpartition("/")[2] for r in results}
    if expected != reported:
        return "tests without a result: " + " ".join(sorted(expected - reported))
    good = counts[1] == 0
    if good != (end.value == GOOD_EXIT):
        return f"debug-exit value {end.value:#x} with {counts[1]} failed tests"
    return ""
