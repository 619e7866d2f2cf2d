#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot exo in QEMU with the serial console in this terminal.

From a terminal, keys go to exo as they are typed; Ctrl-A X ends the machine, Ctrl-A Ctrl-A is a
Ctrl-A.  From a pipe or file, a line is given to exo when its prompt is seen (the firmware would eat
it before), and the end of input acts as the line `exit`.  Returns 0 if exo switched the machine off
or the person ended it, 1 if it panicked, reset, or never came up.
"""
import argparse
import os
import queue
import sys
import termios
import threading
import time
import tty

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nics  # noqa: E402
from machine import PROMPT, Machine, Outcome  # noqa: E402

CTRL_A = 1
QUIET_S = 5.0           # silence after which a line is given to exo without a prompt
BOOT_TIMEOUT_S = 120    # to the first word of exo


class Output:
    """Shows what exo says; what the firmware said only if exo never comes up.

    A thread writes it: a pager or a slow disk that takes nothing for a while must not keep us from
    emptying the serial line, since exo drops text when its port is stuck.
    """

    def __init__(self, machine):
        self.machine, self.shown = machine, 0
        self.waiting, self.error = queue.SimpleQueue(), None
        sys.stdout.flush()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        try:
            while data := self.waiting.get():
                while data:
                    data = data[os.write(1, data):]
        except OSError as error:
            self.error = error

    def show(self, everything=False):
        m = self.machine
        if not (m.alive or everything):
            return
        if self.shown == 0 and m.alive and not everything:
            self.shown = self.first_word(m.text)
        data = m.text[self.shown:]
        self.shown = len(m.text)
        if data:
            self.waiting.put(data)
        if self.error:
            raise self.error

    def end(self):
        """Wait until all is written."""
        self.waiting.put(b'')
        self.thread.join()
        if self.error:
            raise self.error

    @staticmethod
    def first_word(text):
        """Where exo's own lines begin, the loader's included."""
        at = 0
        for line in text.splitlines(keepends=True):
            if line.startswith(b'exo'):
                return at
            at += len(line)
        return 0


class Terminal:
    """Keys as they are typed."""

    def __init__(self, machine):
        self.machine, self.armed = machine, False

    def __enter__(self):
        self.saved = termios.tcgetattr(0)
        tty.setraw(0)
        return self

    def __exit__(self, *_):
        termios.tcsetattr(0, termios.TCSADRAIN, self.saved)

    def take(self):
        keys = os.read(0, 4096)
        out = bytearray()
        for key in keys:
            if self.armed:
                self.armed = False
                if key in b'xX':
                    self.machine.end('ended', 'ended by Ctrl-A X')
                    return
                out.append(key)
            elif key == CTRL_A:
                self.armed = True
            else:
                out.append(key)
        if self.machine.alive:
            self.machine.send(bytes(out))

    def idle(self):
        pass

    def wants(self):
        return [0]


class Pipe:
    """Lines from a pipe or file, each given at a prompt."""

    def __init__(self, machine):
        self.machine, self.buffer, self.lines = machine, b'', []
        self.open, self.seen, self.sent_exit = True, 0, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wants(self):
        return [0] if self.open and len(self.lines) < 1000 else []

    def take(self):
        data = os.read(0, 65536)
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b'\n')
        self.lines += lines
        if not data:
            self.open = False
            if self.buffer:
                self.lines.append(self.buffer)

    def idle(self):
        m = self.machine
        at = m.text.find(PROMPT, self.seen)
        if at < 0 and not (self.seen and time.monotonic() - m.last_output > QUIET_S):
            return
        if not self.lines and (self.open or self.sent_exit):
            return
        self.seen = max(at + len(PROMPT), len(m.text)) if at >= 0 else len(m.text)
        m.last_output = time.monotonic()
        if self.lines:
            m.send_line(self.lines.pop(0))
        else:
            self.sent_exit = True
            m.send_line('exit')


def converse(machine):
    """Run to the end, keys or lines in, text out."""
    output = Output(machine)
    with (Terminal if os.isatty(0) else Pipe)(machine) as source:
        while not machine.outcome:
            ready = machine.pump(0.1, source.wants())
            if ready:
                source.take()
            source.idle()
            output.show()
            if not machine.alive and time.monotonic() - machine.started > BOOT_TIMEOUT_S:
                machine.end('timeout', f'no word from exo in {BOOT_TIMEOUT_S} s')
        machine.stop()
        output.show(everything=not machine.outcome.good)
    output.end()
    return machine.outcome


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    boot = p.add_mutually_exclusive_group(required=True)
    boot.add_argument('--efi', help='boot this EFI program by -kernel')
    boot.add_argument('--image', help='boot from this disk image')
    boot.add_argument('--cd', help='boot from this CD image')
    p.add_argument('--append', default='', help='boot line (with --efi)')
    p.add_argument('--disk', action='append', default=[], help='a disk for exo (raw image)')
    p.add_argument('--read-only', action='store_true', help='attach the disks read-only')
    p.add_argument('--net', action='append', default=[], metavar='NET', help='a network card: '
                   + ' '.join(nics.HELP.split()))
    p.add_argument('--port', help='web server of exo at this port of 127.0.0.1, captures at the next')
    p.add_argument('--forward', action='append', default=[], metavar='tcp|udp:HOSTPORT:GUESTPORT',
                   help='a port of 127.0.0.1 that leads to a port of exo (with --net user)')
    p.add_argument('--queues', type=int, default=1, help='pairs of queues of each card (tap only)')
    p.add_argument('--capture', metavar='FILE', help='write all packets to this file (pcap)')
    p.add_argument('--mem', default='512M')
    p.add_argument('--smp', default='2')
    p.add_argument('--accel', default='tcg', choices=['tcg', 'kvm'])
    p.add_argument('--icount', type=int, help='count instructions, shift N')
    p.add_argument('--no-screen', action='store_true')
    p.add_argument('--firmware', help='firmware image to use')
    p.add_argument('--log', help='write the serial line to this file')
    p.add_argument('--gdb', metavar='BUILD', help='start stopped with gdb attached')
    p.add_argument('--dry-run', action='store_true', help="print QEMU's command line only")
    p.add_argument('extra', nargs='*', help='further QEMU arguments, after --')
    return p.parse_args(argv)


def make_machine(a, extra=()):
    boot = ('efi', a.efi) if a.efi else ('image', a.image) if a.image else ('cd', a.cd)
    for path in [boot[1]] + a.disk:
        if not os.path.exists(path):
            raise SystemExit(f'{path}: no such file')
    forwards = [nics.Forward(word) for text in a.forward for word in text.split()]
    if a.port and 'user' in a.net:
        forwards = nics.web_forwards(a.port) + forwards
    return Machine(boot, append=a.append, disks=[(d, a.read_only) for d in a.disk], memory=a.mem,
                   cpus=a.smp, accel=a.accel, icount=a.icount, screen=not a.no_screen,
                   firmware=a.firmware, cards=a.net, forwards=forwards, queues=a.queues,
                   capture=a.capture, log=a.log, stopped=bool(a.gdb),
                   extra=list(a.extra) + list(extra))


def debug(a):
    """QEMU in the background, its console in a file, gdb in this terminal."""
    from debugger import session
    return session(lambda extra: make_machine(a, extra), a.gdb)


def main(argv):
    a = parse(argv)
    if a.gdb:
        return debug(a)
    machine = make_machine(a)
    if a.dry_run:
        print(' '.join(machine.args))
        return 0
    with machine:
        try:
            outcome = converse(machine)
        except KeyboardInterrupt:
            outcome = Outcome('ended', 'interrupted')
        except BrokenPipeError:         # nobody reads what exo says
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            outcome = Outcome('died', 'the output was closed')
    if outcome.kind != 'power-off':
        print(f'\nrun: {outcome.words}', file=sys.stderr)
    return 0 if outcome.good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
