# SPDX-License-Identifier: MIT
"""`make debug`: QEMU stopped at its first instruction, gdb in this terminal.

exo's console is a pseudo terminal, linked as BUILD/console (open it with `screen BUILD/console` in
another window), and is written to BUILD/debug.log.  Ctrl-C in gdb stops the machine; when gdb ends,
QEMU ends.
"""
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import tty

TOOLS = os.path.dirname(os.path.abspath(__file__))


class Console(threading.Thread):
    """Carries the serial line to a pseudo terminal and a file, in the background."""

    def __init__(self, machine, build):
        super().__init__(daemon=True)
        self.machine, self.shown, self.done = machine, 0, False
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.link = os.path.join(build, 'console')
        if os.path.lexists(self.link):
            os.unlink(self.link)
        os.symlink(os.ttyname(self.slave), self.link)
        self.log = open(os.path.join(build, 'debug.log'), 'wb', buffering=0)

    def run(self):
        while not self.machine.outcome and not self.done:
            if self.machine.pump(0.1, [self.master]):
                try:
                    self.machine.send(os.read(self.master, 4096))
                except OSError:
                    pass
            data = self.machine.text[self.shown:]
            self.shown += len(data)
            self.log.write(data)
            try:
                os.write(self.master, data)
            except BlockingIOError:     # nobody reads the console; the file has it
                pass

    def end(self):
        self.done = True
        self.join()
        os.unlink(self.link)


def gdb_args(build, stub):
    """gdb's command line: kernel and program symbols, exo's commands, then the machine."""
    programs = os.path.join(build, 'bin')
    commands = ['set pagination off', 'set confirm off', 'set architecture i386:x86-64']
    if os.path.isdir(programs):
        commands += [f'add-symbol-file {os.path.join(programs, p)}'
                     for p in sorted(os.listdir(programs)) if p.endswith('.elf')]
    commands += [f'source {os.path.join(TOOLS, "gdb.py")}', f'target remote {stub}']
    args = ['gdb', '-q', os.path.join(build, 'exo.elf')]
    for command in commands:
        args += ['-ex', command]
    return args + shlex.split(os.environ.get('GDBARGS', ''))


def session(make_machine, build):
    """Run gdb on a machine; gdb's exit status.  make_machine takes further QEMU arguments."""
    with tempfile.TemporaryDirectory(prefix='exo-gdb') as folder:
        stub = os.path.join(folder, 'gdb')
        machine = make_machine(['-chardev', f'socket,id=gdb,path={stub},server=on,wait=off',
                                '-gdb', 'chardev:gdb'])
        with machine:
            console = Console(machine, build)
            print(f'console: screen {console.link}    log: {os.path.join(build, "debug.log")}')
            console.start()
            while not os.path.exists(stub) and not machine.outcome:
                console.join(0.05)
            saved = signal.signal(signal.SIGINT, signal.SIG_IGN)    # Ctrl-C is gdb's
            try:
                status = subprocess.run(gdb_args(build, stub), check=False).returncode
            finally:
                signal.signal(signal.SIGINT, saved)
                console.end()
        return status
