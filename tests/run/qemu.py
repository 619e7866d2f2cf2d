# SPDX-License-Identifier: MIT
"""qemu.py - one virtual machine: its command line, its serial line, and why it ended.

Invariant: a machine's end is judged by QMP's shutdown reason, by the debug-exit device or by what
the serial line said, never by QEMU's exit status alone (a triple fault and a power-off are both 0).
"""

import dataclasses
import json
import os
import re
import socket
import subprocess
import threading
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][0-9A-B]|\x1b[=>78cM]")
PANIC = re.compile(rb"exo: panic[^\r\n]*")
BANNER = re.compile(rb"(?m)^exo [0-9]+\.[0-9]+[^\r\n]*CPU")
FIRMWARE = re.compile(rb"UEFI Interactive Shell|Shell> |BdsDxe: No bootable|BdsDxe: failed to start")
PFLASH = (("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
          ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"))

POWER_OFF, DEBUG_EXIT, RESET, PANICKED = "power-off", "debug-exit", "reset", "panic"
IN_FIRMWARE, TIME, DIED = "firmware", "timeout", "died"


@dataclasses.dataclass
class End:
    """How a machine ended: one of the words above, and its detail (debug-exit: the value)."""
    kind: str
    value: int = 0
    text: str = ""

    def __str__(self):
        return f"{self.kind} {self.value:#x}" if self.kind == DEBUG_EXIT else f"{self.kind} {self.text}".strip()


def firmware_arguments():
    """OVMF as one file where there is one (it boots faster), else as a pair of flash images."""
    if os.path.exists("/usr/share/ovmf/OVMF.fd"):
        return ["-bios", "/usr/share/ovmf/OVMF.fd"]
    for code, variables in PFLASH:
        if os.path.exists(code) and os.path.exists(variables):
            return ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                    "-drive", f"if=pflash,format=raw,snapshot=on,file={variables}"]
    raise FileNotFoundError("no OVMF image in /usr/share/ovmf or /usr/share/OVMF: install ovmf")


def disk_arguments(path, number=0, writable=False, bytes_per_s=0, device="virtio"):
    """A disk over a raw file; what is written to it is thrown away at the end.  `device`: virtio or
    nvme, with further properties behind a comma."""
    mode = "snapshot=on" if writable else "readonly=on"
    if bytes_per_s:
        mode += f",throttling.bps-total={bytes_per_s}"
    kind, _, more = device.partition(",")
    driver = {"virtio": "virtio-blk-pci,disable-legacy=on", "nvme": f"nvme,serial=exo{number}"}[kind]
    return ["-drive", f"if=none,id=disk{number},format=raw,file={path},{mode}",
            "-device", f"{driver},drive=disk{number}" + (f",{more}" if more else "")]


def base_arguments(memory, cpus, accel):
    """The machine that all tests share: q35, no default devices, debug exit, no reboot."""
    return ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-m", str(memory),
            "-smp", str(cpus), "-accel", accel, "-nodefaults", "-display", "none", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", *firmware_arguments()]


class Machine:
    """A running QEMU.  Use as a context manager: leaving it kills what still runs."""

    def __init__(self, work, arguments, fds=()):
        self.work = work
        self.fds = tuple(fds)           # open files that QEMU inherits
        self.arguments = list(arguments)
        self.serial = bytearray()       # as received
        self.events = []                # of QMP
        self.changed = threading.Condition()
        self.ended = False
        self.ready = threading.Event()  # QMP takes commands
        self._start()

    def _start(self):
        ours, theirs = socket.socketpair()
        fd = theirs.fileno()
        command = [*self.arguments, "-chardev", f"socket,id=qmp,fd={fd}",
                   "-mon", "chardev=qmp,mode=control", "-serial", "stdio"]
        (self.work / "command").write_text(" ".join(command) + "\n")
        self.errors = open(self.work / "qemu.err", "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, pass_fds=(fd, *self.fds))
        theirs.close()
        self.qmp = ours
        self.threads = [threading.Thread(target=self._read_serial, daemon=True),
                        threading.Thread(target=self._read_qmp, daemon=True)]
        for thread in self.threads:
            thread.start()

    def _read_serial(self):
        with open(self.work / "serial.log", "wb") as log:
            while data := os.read(self.process.stdout.fileno(), 65536):
                log.write(data)
                log.flush()
                with self.changed:
                    self.serial += data
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _read_qmp(self):
        try:
            with self.qmp.makefile("rwb") as file:
                for line in file:
                    message = json.loads(line)
                    if "QMP" in message:
                        file.write(b'{"execute":"qmp_capabilities"}\n')
                        file.flush()
                        self.ready.set()
                    elif "event" in message:
                        self.events.append(message)
        except (OSError, ValueError):
            pass

    def command(self, execute, **arguments):
        """Send a QMP command; its answer is not waited for."""
        self.ready.wait(10.0)           # QMP takes none before its capabilities were agreed on
        self.qmp.sendall(json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n")

    def raw(self, start=0):
        """What the serial line said from byte `start` on, without escape sequences."""
        with self.changed:
            return ESCAPES.sub(b"", bytes(self.serial[start:])).decode("utf-8", "replace")

    def text(self, start=0):
        """The same without carriage returns."""
        return self.raw(start).replace("\r", "")

    def mark(self):
        """A position in the serial line, for `expect` and `text`."""
        with self.changed:
            return len(self.serial)

    def expect(self, pattern, limit, start=0, raw=False):
        """Wait until the pattern is found in the text after `start`; the match, or None."""
        end, compiled = time.monotonic() + limit, re.compile(pattern, re.M)
        said = self.raw if raw else self.text
        while True:
            if match := compiled.search(said(start)):
                return match
            with self.changed:
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    return compiled.search(said(start)) if self.ended else None
                self.changed.wait(min(left, 1.0))

    def send(self, text):
        """Type on the serial line; False when the machine is gone."""
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
            return True
        except (BrokenPipeError, ValueError):
            return False

    def finish(self, limit):
        """Wait for the end, at most `limit` seconds, then kill; why it ended."""
        late, end = False, time.monotonic() + limit
        while self.process.poll() is None:
            if time.monotonic() > end or FIRMWARE.search(bytes(self.serial)):
                late = True
                break
            if PANIC.search(bytes(self.serial)):
                end = min(end, time.monotonic() + 2.0)      # let it print its backtrace
            time.sleep(0.05)
        self.kill()
        return judge(bytes(self.serial), self.events, self.process.returncode, late)

    def kill(self):
        """End QEMU if it still runs, and the threads with it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join(5.0)
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.qmp.close()
        self.process.stdin.close()
        self.process.stdout.close()


def judge(serial, events, status, late):
    """The end of a machine from its serial line, its QMP events and QEMU's exit status."""
    clean = ESCAPES.sub(b"", serial)
    reasons = [e["data"].get("reason", "") for e in events if e["event"] in ("SHUTDOWN", "RESET")]
    if match := PANIC.search(clean):
        return End(PANICKED, 0, match.group().decode("utf-8", "replace"))
    if "guest-reset" in reasons:
        return End(RESET, 0, "the machine was reset (triple fault?)")
    if len(BANNER.findall(clean)) > 1:
        return End(RESET, 0, "the banner came twice")
    if FIRMWARE.search(clean):
        return End(IN_FIRMWARE, 0, "the boot fell into the firmware")
    if late:
        return End(TIME)
    # The status is (value << 1) | 1.  QEMU 7 has no event for it, QEMU 10 that of a power-off, whose
    # status is 0.
    if set(reasons) <= {"guest-shutdown"} and status is not None and status > 0 and status & 1:
        return End(DEBUG_EXIT, status >> 1)
    if "guest-shutdown" in reasons:
        return End(POWER_OFF)
    return End(DIED, 0, f"QEMU ended with status {status}, reasons {reasons}")
