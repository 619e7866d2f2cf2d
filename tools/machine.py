# SPDX-License-Identifier: MIT
"""A QEMU machine that boots exo (or Linux, to be measured beside it): its command line, serial line, QMP events, and how it ended.

The serial line and QMP are socket pairs inherited by QEMU, so nothing is left in the file system.
How a run ended is taken from QMP's shutdown reason or the debug-exit code, never from QEMU's exit
status alone: a triple fault and a power-off both give 0 under -no-reboot.
"""
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import nics

QEMU = 'qemu-system-x86_64'
DEBUG_EXIT_OK, DEBUG_EXIT_FAIL = 0x10, 0x11     # written to port 0xf4 by tests
PROMPT = b'exo> '
FIRMWARE = [
    ('-bios', '/usr/share/ovmf/OVMF.fd'),       # boots in the shortest time on Debian 12
    ('pflash', '/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'),
    ('pflash', '/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'),
    ('-bios', '/usr/share/qemu/OVMF.fd'),
]
ESCAPES = re.compile(rb'\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]')
# Signs on the serial line, before exo has said anything, that the firmware went on without it.
FIRMWARE_FELL_THROUGH = re.compile(
    rb'UEFI Interactive Shell|Shell> |BdsDxe: No bootable|BdsDxe: failed to start'
    rb'|Press any key to enter the Boot Manager|!!!! X64 Exception')
PANIC = re.compile(rb'(?m)^\r*exo: panic\b[^\r\n]*')
PANIC_GRACE_S = 1.5     # of silence after the panic's first line: its backtrace is complete


def firmware_args(only=None):
    """QEMU's arguments for the first firmware that is there; only: a file to use instead."""
    if only:
        return ['-bios', only]
    for kind, *files in FIRMWARE:
        if not all(os.path.exists(f) for f in files):
            continue
        if kind == '-bios':
            return ['-bios', files[0]]
        return ['-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={files[0]}',
                '-drive', f'if=pflash,unit=1,format=raw,snapshot=on,file={files[1]}']
    raise SystemExit('no OVMF firmware found: install the package ovmf (make deps)')


PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In the child: be killed when the thread that started it ends, however it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def escape(path):
    """A file name inside a QEMU option: commas are doubled."""
    return os.path.abspath(path).replace(',', ',,')


def kvm_works():
    """Does a machine with KVM execute code?  /dev/kvm can exist and still be unusable: so the
    legacy firmware is run until it says its name on QEMU's debug console."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return False
    probe = [QEMU, '-accel', 'kvm', '-M', 'q35', '-cpu', 'max', '-smp', '2', '-m', '64',
             '-nodefaults', '-display', 'none',
             '-chardev', 'stdio,id=d', '-device', 'isa-debugcon,iobase=0x402,chardev=d']
    process = subprocess.Popen(probe, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    said, deadline = b'', time.monotonic() + 10
    try:
        while b'SeaBIOS' not in said:       # it comes byte by byte
            left = max(0, deadline - time.monotonic())
            if not select.select([process.stdout], [], [], left)[0]:
                return False
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece:
                return False
            said += piece
        return True
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def accel_args(accel, icount=None):
    if icount is not None:
        return ['-accel', 'tcg,thread=single', '-icount', f'shift={icount},sleep=off']
    if accel == 'kvm':
        if kvm_works():
            return ['-accel', 'kvm']
        print('KVM does not work here: using TCG')
    return ['-accel', 'tcg,thread=multi']


def disk_args(path, name, read_only=False, serial=None):
    mode = 'readonly=on' if read_only else 'snapshot=on'
    return ['-drive', f'if=none,id={name},format=raw,{mode},file={escape(path)}',
            '-device', f'virtio-blk-pci,drive={name},disable-legacy=on' +
            (f',serial={serial}' if serial else '')]


SO_SNDBUFFORCE = 32     # socket(7)


def make_roomy(end):
    """QEMU writes single bytes, and each takes about 700 bytes of the buffer; exo drops text when its
    port is stuck.  Beyond the system's limit as root only."""
    try:
        end.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20)
    except OSError:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)


class Outcome:
    """How a run ended.  kind: power-off, debug-exit, reset, panic, firmware, timeout, died, ended."""

    def __init__(self, kind, words, code=None):
        self.kind, self.words, self.code = kind, words, code

    @property
    def good(self):
        return self.kind in ('power-off', 'ended') or (
            self.kind == 'debug-exit' and self.code == DEBUG_EXIT_OK)

    def __repr__(self):
        return f'{self.kind}: {self.words}'


class Machine:
    """One run.  boot: ('efi', file), ('image', file), ('cd', file), or ('linux', (kernel, initrd)),
    which needs no firmware of ours.

    disks: list of (file, read_only).  cards: network cards as words (nics.HELP), forwards: ports that
    the first user network leads on, capture: file for the packets.  extra: further QEMU arguments.
    log: file that receives every byte of the serial line.  With screen=False the machine has no
    graphics device.
    """

    def __init__(self, boot, append='', disks=(), memory='512M', cpus=2, accel='tcg', icount=None,
                 cpu='max', screen=True, firmware=None, cards=(), forwards=(), queues=1, capture=None,
                 extra=(), log=None, stopped=False):
        self.args = [QEMU, '-M', 'q35', '-cpu', cpu, '-m', memory, '-smp', str(cpus),
                     '-nodefaults', '-display', 'none', '-no-reboot',
                     '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
        self.args += accel_args(accel, icount)
        self.args += [] if boot[0] == 'linux' else firmware_args(firmware)
        self.args += ['-vga', 'std'] if screen else ['-vga', 'none']
        self.args += self.boot_args(boot, append)
        for n, (path, read_only) in enumerate(disks):
            self.args += disk_args(path, f'disk{n}', read_only)
        self.args += nics.arguments(cards, forwards, queues, capture)
        self.forwards = list(forwards)
        if stopped:
            self.args.append('-S')
        self.args += list(extra)
        self.log = open(log, 'wb', buffering=0) if log else None
        self.text = b''         # all serial output, escape sequences of the firmware taken out
        self.raw = b''          # not yet examined: an escape sequence may be cut in two
        self.seen = 0           # how far expect() has come in text
        self.alive = False      # exo has said something
        self.outcome = None
        self.events = []        # QMP events
        self.qmp_buffer = b''
        self.last_output = None
        self.panic_at = None

    @staticmethod
    def boot_args(boot, append):
        kind, path = boot
        if kind == 'linux':
            return ['-kernel', path[0], '-initrd', path[1], '-append', append]
        if kind == 'efi':
            return ['-kernel', path] + (['-append', append] if append else [])
        if append:
            raise SystemExit('a boot line can be given with an EFI program only; '
                             'in an image it stands in \\exo\\boot.txt')
        if kind == 'cd':
            return ['-drive', f'if=none,id=cd,format=raw,readonly=on,media=cdrom,file={escape(path)}',
                    '-device', 'ide-cd,drive=cd,bootindex=0']
        return ['-drive', f'if=none,id=boot,format=raw,snapshot=on,file={escape(path)}',
                '-device', 'ide-hd,drive=boot,bootindex=0']

    def start(self):
        if not shutil.which(QEMU):
            raise SystemExit(f'{QEMU} is not installed (make deps)')
        nics.check_ports(self.forwards)
        self.serial, serial_far = socket.socketpair()
        make_roomy(serial_far)
        self.qmp, qmp_far = socket.socketpair()
        args = self.args + [
            '-chardev', f'socket,id=serial,fd={serial_far.fileno()}', '-serial', 'chardev:serial',
            '-chardev', f'socket,id=qmp,fd={qmp_far.fileno()}', '-mon', 'chardev=qmp,mode=control']
        self.process = subprocess.Popen(
            args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=(serial_far.fileno(), qmp_far.fileno()), start_new_session=True,
            preexec_fn=die_with_parent)
        serial_far.close()
        qmp_far.close()
        self.stderr = b''
        self.ask('qmp_capabilities')
        self.started = self.last_output = time.monotonic()
        return self

    def ask(self, command, **arguments):
        """Send a QMP command; its answer is not waited for."""
        request = {'execute': command}
        if arguments:
            request['arguments'] = arguments
        try:
            self.qmp.sendall(json.dumps(request).encode() + b'\n')
        except OSError:
            pass

    def send(self, data):
        """Bytes to the serial line; False when QEMU is gone."""
        try:
            self.serial.sendall(data)
            return True
        except OSError:
            return False

    def send_line(self, line):
        return self.send((line.encode() if isinstance(line, str) else line) + b'\r')

    # --- what comes back ---

    def filter(self, data):
        """Take escape sequences out until exo speaks; hold back one that is not complete."""
        if self.alive:
            return data
        data = self.raw + data
        cut = data.rfind(b'\x1b')
        hold = cut if cut >= 0 and not ESCAPES.match(data, cut) and len(data) - cut < 16 else len(data)
        self.raw = data[hold:]
        return ESCAPES.sub(b'', data[:hold])

    def take_serial(self):
        try:
            data = self.serial.recv(65536)
        except OSError:
            data = b''
        if not data:
            return False
        if self.log:
            self.log.write(data)
        self.last_output = time.monotonic()
        self.text += self.filter(data)
        self.alive = self.alive or re.search(rb'(?m)^exo\b(?!: )', self.text) is not None
        if not self.alive and FIRMWARE_FELL_THROUGH.search(self.text):
            self.end('firmware', 'the firmware went on without exo')
        if self.panic_at is None and PANIC.search(self.text, max(0, len(self.text) - 70000)):
            self.panic_at = self.last_output
        return True

    def take_qmp(self):
        try:
            data = self.qmp.recv(65536)
        except OSError:
            data = b''
        self.qmp_buffer += data
        *lines, self.qmp_buffer = self.qmp_buffer.split(b'\n')
        for line in lines:
            message = json.loads(line)
            if 'event' in message:
                self.events.append(message)
        return bool(data)

    def end(self, kind, words, code=None):
        if not self.outcome:
            self.outcome = Outcome(kind, words, code)

    def pump(self, timeout=0.2, also=()):
        """Wait for something and take it; the readable ones of `also`.  Sets outcome at the end."""
        watch = [s for s in (self.serial, self.qmp, self.process.stderr) if s.fileno() >= 0]
        ready, _, _ = select.select(watch + list(also), [], [], timeout)
        gone = False
        if self.serial in ready:
            gone |= not self.take_serial()
        if self.qmp in ready:
            gone |= not self.take_qmp()
        if self.process.stderr in ready:
            self.stderr += os.read(self.process.stderr.fileno(), 65536)
        if gone:
            self.finish()
        elif self.panic_at and time.monotonic() - self.last_output > PANIC_GRACE_S:
            self.end('panic', PANIC.search(self.text).group().decode(errors='replace').strip())
            self.stop()
        elif self.outcome:
            self.stop()
        return [a for a in also if a in ready]

    def finish(self):
        """QEMU is ending: take what it still has to say, and judge."""
        while self.process.poll() is None or select.select([self.serial], [], [], 0)[0]:
            if not self.take_serial():
                break
        while select.select([self.qmp], [], [], 0.1)[0] and self.take_qmp():
            pass
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.stop()
            code = self.process.returncode
        self.stderr += self.process.stderr.read() or b''
        self.judge(code)
        self.close()

    def judge(self, code):
        reasons = [e['data'].get('reason') for e in self.events if e['event'] == 'SHUTDOWN']
        if self.panic_at:
            self.end('panic', PANIC.search(self.text).group().decode(errors='replace').strip())
        elif code is not None and code >= 3 and code % 2 == 1:
            self.end('debug-exit', f'debug-exit code 0x{code >> 1:x}', code >> 1)
        elif 'guest-reset' in reasons:
            self.end('reset', 'the machine reset itself (a triple fault or a reset request)')
        elif 'guest-shutdown' in reasons:
            self.end('power-off', 'exo switched the machine off')
        elif b'Could not set up host forwarding rule' in self.stderr and self.forwards:
            # somebody took it since the ports were tried
            self.end('died', 'a port of this machine was taken just now; '
                     + nics.way_out(self.forwards[0]))
        else:
            self.end('died', f'QEMU ended with status {code} {reasons or ""}: '
                     + self.stderr.decode(errors='replace').strip())

    def stop(self):
        """End QEMU now."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        for s in (self.serial, self.qmp, self.process.stderr):
            s.close()
        if self.log and not self.log.closed:
            self.log.close()

    # --- for tests and scripts ---

    def expect(self, pattern, timeout=60):
        """Wait until the regular expression occurs behind the last one; the match, or None."""
        pattern = re.compile(pattern if isinstance(pattern, bytes) else pattern.encode())
        deadline = time.monotonic() + timeout
        while True:
            found = pattern.search(self.text, self.seen)
            if found:
                self.seen = found.end()
                return found
            left = deadline - time.monotonic()
            if self.outcome or left <= 0:
                return None
            self.pump(min(left, 0.2))

    def wait(self, timeout):
        """Run to the end; the outcome."""
        deadline = time.monotonic() + timeout
        while not self.outcome:
            left = deadline - time.monotonic()
            if left <= 0:
                self.end('timeout', f'no end after {timeout} s')
                self.stop()
                break
            self.pump(min(left, 0.2))
        return self.outcome

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
