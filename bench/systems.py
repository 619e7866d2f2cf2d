# SPDX-License-Identifier: MIT
"""The two systems as machines: what is built for them, and one boot of each.

Instructions are counted by QEMU (-icount) on one CPU.  exo runs at shift 7, for the firmware is slow at
0; Linux at shift 0 and without firmware, for at 7 its tick would come every 31,000 instructions.  Both
see a processor without ERMS and FSRM, so that string instructions count by words.
"""
import os
import struct
import subprocess
import sys

import lines

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tools'))
from machine import DEBUG_EXIT_FAIL, Machine  # noqa: E402

SHIFT = {'exo': 7, 'linux': 0}
CPU = 'max,-erms,-fsrm'
MEMORY = '768M'
LIMIT_S = 300
FIXED = ['-rtc', 'base=2026-01-01,clock=vm']
LINUX = os.path.join(TOP, 'build', 'src', 'linux')
LINUX_LINE = 'console=ttyS0 quiet panic=-1 mitigations=off nokaslr norandmaps random.trust_cpu=on tsc=reliable ipv6.disable=1'


def make(out, *arguments):
    subprocess.run(['make', '-s', '-C', TOP, f'O={out}', *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def strip(out, name, member=None):
    """A program as those of the archive are; its path."""
    stripped = os.path.join(out, 'bench', f'{member or name}.elf')
    os.makedirs(os.path.dirname(stripped), exist_ok=True)
    make(out, os.path.join(out, 'bin', f'{name}.elf'))
    subprocess.run(['objcopy', '--strip-all', os.path.join(out, 'bin', f'{name}.elf'), stripped],
                   check=True)
    return stripped


def efi_path(out, *variables):
    """Build exo.efi with these variables; its path."""
    said = subprocess.run(['make', '-s', '-C', TOP, f'O={out}', *variables, '--eval',
                           'efi-path: efi; @echo path=$(EFI)', 'efi-path'], check=True,
                          capture_output=True, text=True).stdout
    return said.rpartition('path=')[2].strip()


def build_exo(out, name):
    """exo.efi with a measuring program as its member `app`, and those that it starts; its path."""
    members = ' '.join(f'{m}={strip(out, f"bench-{m}", m)}' for m in ('small', 'other'))
    return efi_path(out, f'APP={strip(out, name)}', f'MEMBERS={members}')


def cpio(files):
    """An archive in the format that Linux unpacks ("newc"): [(name, mode, bytes)]."""
    out = bytearray()
    for number, (name, mode, data) in enumerate([*files, ('TRAILER!!!', 0, b'')], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b'070701' + b''.join(b'%08X' % f for f in fields) + name.encode() + b'\0'
        out += bytes(-len(out) % 4)
        out += data + bytes(-len(data) % 4)
    return bytes(out)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def console():
    """Linux opens /dev/console before the first process runs: a node of the initramfs."""
    fields = (9000, 0o20600, 0, 0, 1, 0, 0, 0, 0, 5, 1, len('dev/console') + 1, 0)
    head = b'070701' + b''.join(b'%08X' % f for f in fields) + b'dev/console\0'
    return head + bytes(-len(head) % 4)


def build_linux(out):
    """The initramfs; its path.  None, with words, if Linux was not fetched."""
    if not os.path.exists(os.path.join(LINUX, 'vmlinuz')):
        print('bench: Linux is not there to be measured (make deps fetches it): exo alone')
        return None
    folder = os.path.join(out, 'bench', 'linux')
    make(out, os.path.join(folder, 'init'), os.path.join(folder, 'small'))
    files = [('dev', 0o40755, b''), ('modules', 0o40755, b'')]
    files += [(name, 0o100755, read(os.path.join(folder, name))) for name in ('init', 'small')]
    for name in sorted(os.listdir(os.path.join(LINUX, 'modules'))):
        files.append((f'modules/{name}', 0o100644, read(os.path.join(LINUX, 'modules', name))))
    path = os.path.join(folder, 'initrd')
    with open(path, 'wb') as file:
        file.write(console() + cpio(files))
    return path


def linux_version():
    return read(os.path.join(LINUX, 'version')).decode().strip()


class System:
    """What is booted; boot() gives what was said on the serial line, and how it ended."""

    def __init__(self, name, image, folder, part=''):
        """part: a word for the logs' names, where several of one name are used."""
        self.name, self.image, self.folder, self.boots = name, image, folder, 0
        self.part = f'{part}-' if part else ''

    def boot(self, counted, words='', cpus=1, disks=(), cards=(), seed=1):
        """counted: instructions, not time; then all that the machine draws by lot comes of `seed`.

        On a busy host exo's serial line may lose text: then the machine is booted again.
        """
        told = self.boot_once(counted, words, cpus, disks, cards, seed)
        for _ in range(2):
            if told[1] or lines.whole(told[0]):
                break
            told = self.boot_once(counted, words, cpus, disks, cards, seed)
        return told

    def machine(self, words='', counted=False, cpus=1, disks=(), cards=(), seed=1, plain=False):
        """One boot that was not begun; plain: exo as it is, with no program measured in it."""
        self.boots += 1
        shift = SHIFT[self.name] if counted else None
        line = f'icount={shift} ' if counted else ''
        if self.name == 'exo':
            boot, line = ('efi', self.image), '' if plain else f'app debug-exit {line}{words}'
        else:
            boot = ('linux', (os.path.join(LINUX, 'vmlinuz'), self.image))
            line = f'{LINUX_LINE} {line}{words}'
        log = os.path.join(self.folder, f'serial-{self.name}-{self.part}{self.boots}.log')
        return Machine(boot, append=line.strip(), memory=MEMORY, cpus=cpus, icount=shift, cpu=CPU,
                       screen=False, disks=[(d, False) for d in disks], cards=cards, log=log,
                       extra=['-seed', str(seed), *FIXED] if counted else ())

    def boot_once(self, counted, words, cpus, disks, cards, seed):
        """One boot."""
        machine = self.machine(words, counted, cpus, disks, cards, seed)
        with machine:
            outcome = machine.wait(LIMIT_S)
        text = machine.text.decode(errors='replace').replace('\r', '')
        ended = outcome.good or (outcome.kind == 'debug-exit' and outcome.code == DEBUG_EXIT_FAIL)
        return text, '' if ended else str(outcome)
