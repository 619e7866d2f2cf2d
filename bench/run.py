#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure exo and Linux in one run; print the table, write results.json and report.html to $O/bench/.

usage: run.py [--out BUILD] [--quick] [--only WORD[,WORD...]] [--cpus N]

Instructions: three boots of each system, which must agree to 0.5 %.  Time: boots of the two by turns.
Returns 0 if every counted operation is within its must, nothing failed and all agreed; times that are
under their ratio are told, but a busy host can do that.
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time

import systems          # first: it shows the others the way to tools/
import disk
import http_rows
import lines
import network_rows
import report
import results
from peer import Peer

RUNS, PAIRS = 3, 3
SCALE_CPUS = 4          # at most, and as many as the host has
ANSWERS = 80            # of a boot, to the peer's packets; bench/udp.c has 128 buffers, each used once
EXO_MITIGATIONS = ('none against side channels of the processor: no flush or barrier is made on kernel '
                   'entry or when the space changes; SMEP, SMAP, UMIP and NX are on')
LINUX_MITIGATIONS = ('switched off (mitigations=off, nokaslr, norandmaps): no page-table isolation, no return '
                     'trampolines, no flushes; SMEP, SMAP, UMIP and NX are on')


def words_of(*command):
    """The first line that a command prints."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=systems.TOP)
        return (done.stdout.splitlines() or ['unknown'])[0]
    except OSError:
        return 'unknown'


def host_cpu():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        return next((x.split(':', 1)[1].strip() for x in file if x.startswith('model name')), 'unknown')


def header(options):
    cc = os.environ.get('CC', 'gcc')
    dirty = subprocess.run(['git', 'diff', '--quiet', 'HEAD'], check=False, cwd=systems.TOP,
                           stderr=subprocess.DEVNULL).returncode
    with open(os.path.join(options.out, 'user', 'flags'), encoding='utf-8') as file:
        flags = re.sub(r' *-ffile-prefix-map=\S+', '', file.read().strip())
    return {
        'command': 'make ' + ('bench-quick' if options.quick else 'bench') +
                   (f' B={options.only}' if options.only else '') +
                   (f' SMP={options.cpus}' if options.cpus else ''),
        'date': time.strftime('%Y-%m-%d', time.gmtime()),
        'commit': words_of('git', 'rev-parse', '--short', 'HEAD') + (' and changes' if dirty else ''),
        'qemu': words_of('qemu-system-x86_64', '--version'), 'compiler': words_of(cc, '--version'),
        'flags': flags, 'cpu': f'QEMU {systems.CPU}, TCG on {host_cpu()}', 'cpus': options.cpus or 1,
        'scale_cpus': options.scale_cpus, 'memory': systems.MEMORY, 'exo_mitigations': EXO_MITIGATIONS,
        'linux': systems.linux_version() if options.linux else 'not measured',
        'linux_mitigations': LINUX_MITIGATIONS, 'linux_line': systems.LINUX_LINE,
        'hidden': 'TLB misses, cache misses and the flushes that a real processor makes cost nothing '
                  'in counted instructions; the counters beside each row say how often they would',
    }


def parts(options, counted, disks):
    """The boots that make a round: [(word of the boot line, processors, disks)]."""
    cpus = 1 if counted else options.cpus or 1
    plain = [('', cpus, ()), ('disk', cpus, disks)]
    names = [name for row in ('scale', 'scale_user', 'scale_null', 'scale_map') for name in
             (f'{row}_{n}' for n in range(1, options.scale_cpus + 1))]
    if counted or not any(results.wanted(name, options.only) for name in names):
        return plain
    return plain + [('scaling', options.scale_cpus, ())]


def collect(options, mode, rounds, disks):
    """Boots by turns, without the disk, with it, and with several processors; results, and what failed."""
    counted = mode == 'instructions'
    told = {'exo': [], 'linux': []}
    failed = []
    for number in range(1, rounds + 1):
        for system in filter(None, (options.exo, options.linux)):
            rows = []
            for word, cpus, attached in parts(options, counted, disks):
                words = ' '.join(filter(None, (options.only and f'only={options.only}', word)))
                text, why = system.boot(counted, words, cpus, attached)
                found, bad = lines.read(text)
                rows += found
                failed += [f'{system.name}: {x}' for x in bad + ([why] if why else [])]
            told[system.name].append(rows)
            print(f'  {mode}: boot {number} of {system.name}, {len(rows)} rows', flush=True)
    return results.combine(mode, told['exo'], told['linux']), failed


def measure_udp(options):
    """The program that answers packets; the peer at the other end of the wire."""
    peer = Peer(options.folder)
    peer.start()
    try:
        system = systems.System('exo', systems.build_exo(options.out, 'bench-udp'), options.folder)
        text, why = system.boot(True, cards=[peer.card()])
    finally:
        peer.end()
    rows = lines.read(text)[0]
    failed = [] if rows else [f'exo: udp_echo: {why}, {peer.right} right answers']
    if peer.wrong:
        failed.append(f'exo: udp_echo: {peer.wrong} answers were wrong')
    return results.combine('instructions', [rows], []), failed


def udp_row(peer, way):
    """What the peer saw, as a row; the first tenth finds things that are not set up yet."""
    times = sorted(peer.times_ns[len(peer.times_ns) // 10:])
    if not times:
        return []
    return [{'name': 'udp_roundtrip', 'unit': 'ns', 'n': len(times), 'min': times[0],
             'median': times[len(times) // 2], 'max': times[-1], 'must': None, 'stretch': None,
             'counts': None, 'way': way}]


def measure_udp_time(options):
    """Round trips that the peer sees, by turns."""
    exo = systems.System('exo', systems.build_exo(options.out, 'bench-udp'), options.folder)
    told, failed = {'exo': [], 'linux': []}, []
    for _ in range(PAIRS):
        for system, way in ((exo, 'answered in the event upcall'),
                            (options.linux, 'recvfrom and sendto')):
            if not system:
                continue
            peer = Peer(options.folder, exact=False)
            peer.start()
            try:
                why = system.boot(False, f'answers={ANSWERS}', cards=[peer.card()])[1]
            finally:
                peer.end()
            row = udp_row(peer, way)
            if why or not row:
                failed.append(f'{system.name}: udp_roundtrip: {why}, {peer.right} right answers')
            told[system.name].append(row)
    return results.combine('time', told['exo'], told['linux']), failed


def measure_network(options):
    """Round trips, streams and HTTP over a tap, by turns."""
    exo, linux, failed = network_rows.collect(options.out, options.cpus or 1, PAIRS)
    return results.combine('time', exo, linux), failed


def measure_http(options):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    found, memory = http_rows.measure(os.path.join(options.out, 'exo.efi'), options.folder, port)
    return found, [size_row('memory_at_prompt', memory, None,
                            ('not free for programs of the shell, 256 MiB with httpd and a disk', None))]


def size_row(name, exo, other, way):
    """A result in bytes; other: Linux's, or None."""
    ends = [v and {'n': 1, 'boots': 1, 'min': v, 'median': v, 'max': v, 'spread': 0, 'way': w,
                   'counts': None} for v, w in ((exo, way[0]), (other, way[1]))]
    return {'name': name, 'unit': 'bytes', 'mode': 'size', 'exo': ends[0], 'linux': ends[1],
            'ratio': round(other / exo, 3) if other else None, 'ratio_min': None, 'ratio_max': None,
            'target': None, 'stretch': None, 'verdict': None}


def sizes(options):
    """Bytes of what is booted."""
    efi = os.path.getsize(os.path.join(options.out, 'exo.efi'))
    archive = os.path.getsize(os.path.join(options.out, 'archive.bin'))
    kernel = os.path.getsize(os.path.join(options.out, 'exo.bin'))
    linux = os.path.getsize(os.path.join(systems.LINUX, 'vmlinuz')) if options.linux else None
    return [size_row('kernel_image', efi - archive + kernel, linux,
                     ('exo.efi without its archive', 'vmlinuz, compressed')),
            size_row('boot_image', efi, None, ('exo.efi with its archive', None))]


def parse():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', default=os.environ.get('O', 'build'), help='build folder')
    p.add_argument('--quick', action='store_true', help='one boot for instructions, none for time')
    p.add_argument('--counted', action='store_true', help='no boots for time')
    p.add_argument('--only', default='', help='rows that one of these words is found in')
    p.add_argument('--cpus', type=int, default=0, help='processors of the boots for time '
                   '(1; of the rows scale_*: as many as the host has, at most 4)')
    a = p.parse_args()
    a.out = os.path.abspath(os.path.join(systems.TOP, a.out))
    a.folder = os.path.join(a.out, 'bench')
    a.only = re.sub(r'[^\w,]', '', a.only)
    a.scale_cpus = a.cpus or min(os.cpu_count() or 1, SCALE_CPUS)
    os.makedirs(a.folder, exist_ok=True)
    return a


def systems_make(options):
    options.exo = systems.System('exo', systems.build_exo(options.out, 'bench'), options.folder)
    initrd = systems.build_linux(options.out)
    options.linux = systems.System('linux', initrd, options.folder) if initrd else None


def write(options, document):
    with open(os.path.join(options.folder, 'results.json'), 'w', encoding='utf-8') as file:
        json.dump(document, file, indent=1)
        file.write('\n')
    with open(os.path.join(options.folder, 'report.html'), 'w', encoding='utf-8') as file:
        file.write(report.page(document))


def misses_tell(found):
    """Say which rows missed their must.  True if one did that does not depend on the host's mood."""
    missed = [r for r in found if r['verdict'] == 'MISSED']
    counted = [r['name'] for r in missed if r['mode'] != 'time']
    if counted:
        print('bench: over must: ' + ', '.join(counted))
    for r in missed:
        if r['mode'] == 'time':
            print(f'bench: UNDER ITS RATIO in this run: {r["name"]}: {r["ratio"]:g} times as fast '
                  f'as Linux ({r["ratio_min"]:g} to {r["ratio_max"]:g}), '
                  f'must be {r["target"]:g} (wall time: the exit status does not know of it)')
    return bool(counted)


def main():
    options = parse()
    systems_make(options)
    disks = [disk.make(options.folder)]
    found, failed = collect(options, 'instructions', 1 if options.quick else RUNS, disks)
    http = []
    if not options.only or 'udp' in options.only:
        more, bad = measure_udp(options)
        found, failed = found + more, failed + bad
    found += [] if options.only else sizes(options)
    if not (options.quick or options.counted):
        more, bad = collect(options, 'time', PAIRS, disks)
        found, failed = found + more, failed + bad
        if not options.only or 'udp' in options.only:
            more, bad = measure_udp_time(options)
            found, failed = found + more, failed + bad
        if not options.only or network_rows.wanted(options.only):
            more, bad = measure_network(options)
            found, failed = found + more, failed + bad
        if not options.only:
            http, more = measure_http(options)
            found += more
    document = {'schema': results.SCHEMA, 'header': header(options), 'results': found, 'http': http}
    failed += results.disagreements(found) + results.problems(document)
    write(options, document)
    results.table(found)
    http_rows.table(http)
    print(f'\n{os.path.join(options.folder, "results.json")} and report.html written')
    for line in failed:
        print(f'bench: {line}')
    return 1 if misses_tell(found) or failed else 0


if __name__ == '__main__':
    sys.exit(main())
