#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the instructions of rows go: by part of the system, file and function.

Usage: profile.py [--out BUILD] [--least N] ROW...

QEMU writes down each instruction that it executes between two marks of the program (bench/profile.c).
Addresses become functions by the debugging information, innermost inlined function first, so that a
check which the compiler put into its caller is seen as what it is.  The sum is the row's figure and its
loop.  A program that the row starts is linked at the same addresses as the measuring one: what it
executes is looked for in the latter.  How often a program that waits looks again is chance: on rows
with a device a line may be less than nothing.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import time

import disk
import peer
import systems
from machine import QEMU

KERNEL = 0xffff800000000000
# Trace 0: 0x7f5d44000100 [0000000000000000/ffffffff80001234/00c0b2f7/ff000601] name
TRACE = re.compile(rb'^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/')
# Rows of other programs than `bench`; and functions that only wait for what is measured.
PROGRAMS = {'udp_echo': 'bench-udp'}
WAITS = {'note'}
# What protection costs: claims, the frames they hold, patterns of packets, and functions that check.
CHECKS = re.compile(r'^exo/(claim|lend|frame|filter\w*)\.[ch] |_check$|^exo/dev/nic_send.c packet_measure$')
SINGLE = {7: 'singlestep on', 8: 'one-insn-per-tb on'}      # of the monitor, by QEMU's version
LIMIT_S = 120


def qemu_version():
    said = subprocess.run([QEMU, '--version'], capture_output=True, text=True, check=True)
    return int(re.search(r'version (\d+)', said.stdout).group(1))


def boot(options, row, log):
    """The machine that the row needs, traced."""
    exo = systems.System('exo', systems.build_exo(options.out, PROGRAMS.get(row, 'bench')),
                         options.folder, 'profile')
    if row not in PROGRAMS:
        return trace(exo, row, log, disks=[disk.make(options.folder)])
    wire = peer.Peer(options.folder)
    wire.start()
    try:
        return trace(exo, row, log, cards=[wire.card()])
    finally:
        wire.end()


def trace(exo, row, log, **devices):
    """Have the row's pieces written into `log`: operations of the first piece."""
    with exo.machine(f'profile={row}', counted=True, **devices) as machine:
        ready = machine.expect(r'bench: ready to be traced, (\d+) operations|bench: not profiled: .*',
                               LIMIT_S)
        if not ready or not ready.group(1):
            raise SystemExit(f'{row}: ' + (ready.group().decode() if ready else
                             f'nothing to be traced: {machine.outcome}'))
        single = SINGLE[8 if qemu_version() >= 8 else 7]
        for line in (single, f'logfile {log}', 'log exec,nochain'):
            machine.ask('human-monitor-command', **{'command-line': line})
        deadline = time.monotonic() + LIMIT_S
        while not os.path.exists(log) and time.monotonic() < deadline:      # the last line makes it
            machine.pump(0.1)
        machine.send(b'\r')
        if not machine.expect('bench: traced', LIMIT_S):
            raise SystemExit(f'{row}: {machine.outcome or "no end of the row"}')
    return int(ready.group(1))


def mark_address(program):
    said = subprocess.run(['nm', program], capture_output=True, text=True, check=True).stdout
    return next(int(line.split()[0], 16) for line in said.splitlines()
                if line.endswith(' bench_profile_mark'))


def count(log, mark):
    """Executions of each address in the second piece, less those of the first."""
    counts, sign, marks = collections.Counter(), 0, 0
    with open(log, 'rb') as lines:
        for line in lines:
            found = TRACE.match(line)
            if not found:
                continue
            pc = int(found.group(1), 16)
            if pc == mark:
                marks += 1
                sign = {1: -1, 3: 1}.get(marks, 0)
            elif sign:
                counts[pc] += sign
    if marks != 4:
        raise SystemExit(f'profile: {marks} marks were seen, not 4: is {log} whole?')
    return counts


def name_all(image, addresses):
    """{address: (file, function, those that it was inlined into)}."""
    said = subprocess.run(['addr2line', '-a', '-i', '-f', '-e', image], capture_output=True, text=True,
                          check=True, input='\n'.join(f'{a:#x}' for a in addresses)).stdout
    names = {}
    for words in re.split(r'^(?=0x)', said, flags=re.M)[1:]:
        address, *lines = words.splitlines()
        path = lines[1].split(':')[0]
        names[int(address, 16)] = (os.path.relpath(path, systems.TOP) if path != '??' else '??',
                                   lines[0], lines[2::2])
    return names


def sums(options, program, counts):
    """[(count, part, file, function)], most first."""
    images = {'kernel': os.path.join(options.out, 'exo.elf'), 'program': program}
    total = collections.Counter()
    for part, image in images.items():
        addresses = [pc for pc in counts if (pc >= KERNEL) == (part == 'kernel')]
        for pc, (path, function, around) in name_all(image, addresses).items():
            if not {function, *around} & WAITS:
                total[part, path, function] += counts[pc]
    return sorted(((n, *key) for key, n in total.items()), reverse=True)


def table(rows, operations, least):
    """What was found, for one operation; lines of less than `least` as one."""
    rest, all_of, checks = 0.0, 0.0, 0.0
    for n, part, path, function in rows:
        each = n / operations
        all_of += each
        checks += each if part == 'kernel' and CHECKS.search(f'{path} {function}') else 0
        if abs(each) < least:
            rest += each
            continue
        print(f'{each:12,.1f}  {part:8} {path:34} {function}')
    print(f'{rest:12,.1f}  in functions with less than {least:g}')
    print(f'{checks:12,.1f}  of all these are checks of claims, frames, requests and packets')
    print(f'{all_of:12,.1f}  instructions an operation')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', default=os.environ.get('O', 'build'), help='build folder')
    p.add_argument('--least', type=float, default=1, help='instructions of a function that is listed')
    p.add_argument('rows', nargs='+', metavar='ROW', help='a name of the table')
    options = p.parse_args()
    options.out = os.path.abspath(os.path.join(systems.TOP, options.out))
    options.folder = os.path.join(options.out, 'bench')
    os.makedirs(options.folder, exist_ok=True)
    log = os.path.join(options.folder, 'profile.log')
    for row in options.rows:
        if os.path.exists(log):
            os.unlink(log)
        program = os.path.join(options.out, 'bin', f'{PROGRAMS.get(row, "bench")}.elf')
        operations = boot(options, row, log)
        counts = count(log, mark_address(program))
        os.unlink(log)
        print(f'{row}:')
        table(sums(options, program, counts), operations, options.least)


if __name__ == '__main__':
    sys.exit(main())
