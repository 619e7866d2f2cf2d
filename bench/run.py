#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot the measuring programs, print their table, write it as JSON to $O/bench/.

Instructions are counted by QEMU (-icount): one CPU, no disk, the processor without ERMS and FSRM,
so that string instructions count by words.  Figures do not depend on how fast this machine is.
Returns 0 if every operation is within its must.
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tools'))
import http_rows  # noqa: E402
from machine import Machine  # noqa: E402
from peer import Peer  # noqa: E402

SHIFT = 7               # 128 ns of virtual time an instruction: the firmware is slow at 0
TIMEOUT_S = 300
ROW = re.compile(r'^bench (\w+) +([\d.]+) +(\d+) +(\d+) (\S+) *(.*)$')
COUNTS = ['entries', 'space_loads', 'tlb', 'ipis', 'vector_saves', 'bytes_copied']


def build(out, name):
    """exo.efi with a measuring program as its member `app`; its path."""
    make = ['make', '-s', '-C', TOP, f'O={out}']
    program = os.path.join(out, 'bin', f'{name}.elf')
    stripped = os.path.join(out, 'bench', f'{name}.elf')      # as the programs of the archive are
    subprocess.run(make + [program], check=True)
    subprocess.run(['objcopy', '--strip-all', program, stripped], check=True)
    subprocess.run(make + [f'APP={stripped}', 'efi'], check=True)
    return os.path.join(out, 'app', name, 'exo.efi')


def rows(text):
    """What the program said, as a list of dicts; the lines that are no rows, as words."""
    found, words = [], []
    for line in text.replace('\r', '').splitlines():
        m = ROW.match(line)
        if m:
            row = {'name': m[1], 'instructions': float(m[2]), 'must': int(m[3]) or None,
                   'stretch': int(m[4]) or None, 'verdict': m[5]}
            row.update(zip(COUNTS, map(float, m[6].split())))
            found.append(row)
        elif line.startswith('bench '):
            words.append(line)
    return found, words


def free_port():
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def table(found):
    print(f'{"operation":20} {"instr":>11} {"must":>8} {"stretch":>8} {"verdict":8}  per operation')
    for r in found:
        counts = ', '.join(f'{r[c]:g} {c.replace("_", " ")}' for c in COUNTS if r.get(c))
        print(f'{r["name"]:20} {r["instructions"]:11,.0f} {r["must"] or "-":>8} '
              f'{r["stretch"] or "-":>8} {r["verdict"]:8}  {counts}')


def measure(efi, log, cards=()):
    """One boot; all that was said on the serial line."""
    machine = Machine(('efi', efi), append=f'app debug-exit icount={SHIFT}', memory='512M', cpus=1,
                      icount=SHIFT, cpu='max,-erms,-fsrm', screen=False, cards=cards, log=log)
    with machine:
        outcome = machine.wait(TIMEOUT_S)
    return machine.text.decode(errors='replace'), outcome


def measure_udp(out, folder):
    """Rows and words of the program that answers packets; the peer at the other end of the wire."""
    peer = Peer(folder)
    peer.start()
    try:
        text, outcome = measure(build(out, 'bench-udp'), os.path.join(folder, 'serial-udp.log'),
                                [peer.card()])
    finally:
        peer.end()
    found, words = rows(text)
    if not found:
        words.append(f'bench udp_echo failed: {outcome.words}, {peer.right} right answers')
    if peer.wrong:
        words.append(f'bench udp_echo failed: {peer.wrong} answers were wrong')
    return found, words


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', default=os.environ.get('O', 'build'), help='build folder')
    a = p.parse_args()
    out = os.path.abspath(os.path.join(TOP, a.out))
    folder = os.path.join(out, 'bench')
    os.makedirs(folder, exist_ok=True)
    text, outcome = measure(build(out, 'bench'), os.path.join(folder, 'serial.log'))
    found, words = rows(text)
    found_udp, words_udp = measure_udp(out, folder)
    found, words = found + found_udp, words + words_udp
    http = http_rows.measure(os.path.join(out, 'exo.efi'), folder, free_port())
    table(found)
    print()
    http_rows.table(http)
    with open(os.path.join(folder, 'bench.json'), 'w', encoding='utf-8') as f:
        json.dump({'shift': SHIFT, 'rows': found, 'http': http}, f, indent=1)
    failed = [w for w in words if ' failed: ' in w]
    for line in failed:
        print(line)
    if 'bench: end' not in text:
        print(f'bench: the program did not come to its end: {outcome.words}')
        return 1
    missed = [r['name'] for r in found if r['verdict'] == 'MISSED']
    if missed:
        print('bench: over must: ' + ', '.join(missed))
    return 1 if missed or failed else 0


if __name__ == '__main__':
    sys.exit(main())
