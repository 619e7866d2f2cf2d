#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The network in time: UDP and TCP round trips, streams and HTTP, exo and Linux by turns over a tap.

usage: network_rows.py BUILD CPUS PAIRS

Runs in a network name space of its own (collect starts it there); the client is the host's own TCP/IP,
and `ab` for HTTP.  Prints the rows of each boot as JSON.  exo is booted twice: as bench/net.c, and as
the whole system, whose httpd serves a disk.  Linux is booted once, as bench/linux/net.c, with Debian's
small web servers (servers.py), which are asked one after the other.
"""
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

import systems          # first: it shows the others the way to tools/
import http_rows
import results
import servers

HOST, GUEST = '10.0.2.2', '10.0.2.15'
PEER_MAC = '02:00:00:00:00:01'
ECHO, SINK, SOURCE = 7, 9, 19
TRIPS, CONNECTIONS, MIB, STREAMS = 1000, 200, 8, 3
REQUESTS, CLIENTS, RUNS = 500, 8, 3
BOOT_S, ANSWER_S = 60, 20
HTTP = [f'http_{size}_{word}' for size in http_rows.SIZES for word in ('kept', 'new')]
LEAST = '_least'        # behind the name of a row: Linux's is the least server, our own
SETUP = ('link set lo up', 'tuntap add dev tap0 mode tap', f'link set tap0 address {PEER_MAC}',
         f'addr add {HOST}/24 dev tap0', 'link set tap0 up')


def wanted(only):
    """Is one of these words (commas between) found in the name of a row from here?"""
    return any(results.wanted(name, only)
               for name in ('udp_roundtrip_app', 'tcp_connect', 'tcp_to_1m', 'tcp_from_1m', *HTTP))


def missing():
    """Why this cannot be measured here, or an empty string."""
    if os.geteuid() != 0 or not os.access('/dev/net/tun', os.R_OK | os.W_OK):
        return 'a tap interface needs root and /dev/net/tun'
    for program in ('unshare', 'ip', 'ab'):
        if not shutil.which(program):
            return f'{program} is not installed (make deps)'
    return ''


def row(name, samples, way):
    """Samples in ns as a row; the first tenth finds things that are not set up yet."""
    samples = sorted(samples[len(samples) // 10:])
    return {'name': name, 'unit': 'ns', 'n': len(samples), 'min': round(samples[0], 1),
            'median': round(samples[len(samples) // 2], 1), 'max': round(samples[-1], 1), 'must': None,
            'stretch': None, 'counts': None, 'way': way}


def connect(port):
    return socket.create_connection((GUEST, port), ANSWER_S)


def trips():
    """Times of UDP round trips, one at a time; 18 bytes, which make a frame of 60."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((GUEST, ECHO))
        s.settimeout(1.0)
        for number in range(TRIPS):
            sent, start = number.to_bytes(4, 'big').ljust(18, b'e'), time.perf_counter_ns()
            try:
                s.send(sent)
                while (got := s.recv(2048)) != sent:
                    if len(got) != len(sent) or got[4:] != sent[4:]:
                        raise ValueError(f'UDP echo: {got!r} came back for {sent!r}')
            except TimeoutError:        # lost: the host was busy
                continue
            found.append(time.perf_counter_ns() - start)
    if len(found) < TRIPS * 9 // 10:
        raise ValueError(f'UDP echo: {len(found)} of {TRIPS} came back')
    return found


def connections():
    """Times from a connection's first packet to the other side's end of it."""
    found = []
    for _ in range(CONNECTIONS):
        start = time.perf_counter_ns()
        with connect(SINK) as s:
            s.shutdown(socket.SHUT_WR)
            if s.recv(1) != b'':
                raise ValueError('TCP: the sink said something')
        found.append(time.perf_counter_ns() - start)
    return found


def stream_to():
    """Times of 1 MiB of a stream to the guest, until it has ended its side too."""
    found, data = [], bytes(1 << 20)
    for _ in range(STREAMS):
        with connect(SINK) as s:
            start = time.perf_counter_ns()
            for _ in range(MIB):
                s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
            found.append((time.perf_counter_ns() - start) / MIB)
    return found


def stream_from():
    """Times of 1 MiB of a stream from the guest."""
    found, buffer = [], bytearray(1 << 20)
    for _ in range(STREAMS):
        with connect(SOURCE) as s:
            s.recv_into(buffer)
            start, got = time.perf_counter_ns(), 0
            while got < MIB << 20:
                if not (n := s.recv_into(buffer)):
                    raise ValueError('TCP: the source ended')
                got += n
            found.append((time.perf_counter_ns() - start) * (1 << 20) / got)
    return found


def sockets_rows(way):
    return [row('udp_roundtrip_app', trips(), way), row('tcp_connect', connections(), way),
            row('tcp_to_1m', stream_to(), way), row('tcp_from_1m', stream_from(), way)]


def requests(port, path, kept):
    """ns for one request, by ab with several clients at a time; every answer must be good."""
    done = subprocess.run(['ab', '-q', '-n', str(REQUESTS), '-c', str(CLIENTS), '-s', str(ANSWER_S),
                           *(['-k'] if kept else []), f'http://{GUEST}:{port}/{path}'],
                          capture_output=True, text=True, check=False)
    rate = re.search(r'Requests per second: +([\d.]+)', done.stdout)
    kept_count = re.search(r'Keep-Alive requests: +(\d+)', done.stdout)
    if done.returncode or not rate or 'Failed requests:        0\n' not in done.stdout \
            or f'Complete requests:      {REQUESTS}\n' not in done.stdout or 'Non-2xx' in done.stdout \
            or (kept and int(kept_count[1]) < REQUESTS * 9 // 10):
        raise ValueError(f'ab of /{path}: {(done.stdout + done.stderr)[-400:]}')
    return 1e9 / float(rate[1])


def content(port, path, want):
    """Is the document there, and right?  The server may come up a little after its system."""
    end = time.monotonic() + ANSWER_S
    while True:
        try:
            asked = http.client.HTTPConnection(GUEST, port, timeout=ANSWER_S)
            asked.request('GET', f'/{path}')
            if asked.getresponse().read() != want:
                raise ValueError(f'/{path}: wrong bytes came')
            return asked.close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def http_time_rows(way, port=80, behind=''):
    """Rows of one server; behind: what stands behind their names."""
    found = []
    for size in http_rows.SIZES:
        content(port, size, http_rows.document(size))
        for kept, word in ((True, 'kept'), (False, 'new')):
            requests(port, size, kept)
            found.append(row(f'http_{size}_{word}{behind}',
                             [requests(port, size, kept) for _ in range(RUNS)], way))
    return found


def servers_rows():
    """Rows of each of Debian's servers, of the same names; and what did not serve."""
    found, failed = [], []
    for name, version, _ in servers.found():
        try:
            found += http_time_rows(f'{name} {version}', servers.port(name))
        except (OSError, ValueError) as error:
            failed.append(f'linux: {name}: {error}')
    return found, failed


def fastest(boots):
    """Of rows of the same name, each of another server, those of the server that is the fastest in the
    median of the boots; the others stand in its `way`."""
    medians = {}
    for boot in boots:
        for r in boot:
            medians.setdefault(r['name'], {}).setdefault(r['way'], []).append(r['median'])
    chosen = {}
    for name, of in medians.items():
        if name not in HTTP:
            continue
        order = sorted((statistics.median(values), way) for way, values in of.items())
        others = ', '.join(f'{way} {time / order[0][0]:.2f} times as long' for time, way in order[1:])
        chosen[name] = (order[0][1], order[0][1] + (f' ({others})' if others else ''))
    return [[{**r, 'way': chosen[r['name']][1]} if r['name'] in chosen else r for r in boot
             if r['name'] not in chosen or r['way'] == chosen[r['name']][0]] for boot in boots]


def booted(machine, ready, work):
    """Rows of one boot: `work` is done when `ready` stands on the serial line."""
    with machine:
        end = time.monotonic() + BOOT_S
        while ready not in machine.text:
            machine.pump(0.1)
            if machine.outcome or time.monotonic() > end:
                raise ValueError('no network: ' + machine.text[-300:].decode(errors='replace'))
        return work()


def exo_rows(net, whole, image, cpus):
    card = ['tap:tap0']
    return (booted(net.machine(cpus=cpus, cards=card), b'bench: network ready',
                   lambda: sockets_rows('the program\'s own TCP/IP')) +
            booted(whole.machine(cpus=cpus, cards=card, disks=[image], plain=True), http_rows.PROMPT,
                   lambda: http_time_rows('httpd, documents on its disk')))


def linux_rows(linux, cpus, failed):
    def work():
        rows, bad = servers_rows()
        failed.extend(bad)
        return (sockets_rows('sockets, epoll') + rows +
                http_time_rows('our least server: epoll, documents in memory', behind=LEAST))
    return booted(linux.machine('serve', cpus=cpus, cards=['tap:tap0']), b'bench: network ready', work)


def build_whole(out, folder):
    """exo.efi with a fixed address in it; its path."""
    conf = os.path.join(folder, 'net.conf')
    with open(conf, 'w', encoding='utf-8') as file:
        file.write(f'address {GUEST}/24\n')
    return systems.efi_path(out, f'MEMBERS=net.conf={conf}')


def collect(out, cpus, pairs):
    """(boots of exo, boots of Linux, what failed), from a process in a network name space."""
    if why := missing():
        print(f'bench: the network rows are left out: {why}')
        return [], [], []
    done = subprocess.run(['unshare', '-n', sys.executable, os.path.abspath(__file__), out, str(cpus),
                           str(pairs)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return [], [], [f'network: the rows could not be measured (status {done.returncode})']
    found = json.loads(done.stdout)
    return found['exo'], found['linux'], found['failed']


def main():
    out, cpus, pairs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    folder = os.path.join(out, 'bench')
    for words in SETUP:
        subprocess.run(['ip', *words.split()], check=True)
    net = systems.System('exo', systems.build_exo(out, 'bench-net'), folder, 'net')
    whole = systems.System('exo', build_whole(out, folder), folder, 'http')
    initrd = systems.build_linux(out)
    linux = initrd and systems.System('linux', servers.initrd(initrd, folder), folder, 'net')
    if linux and not servers.found():
        print('bench: Debian\'s web servers are not there to be measured (make deps fetches them)',
              file=sys.stderr)
    image = http_rows.make_disk(folder)[1]
    found = {'exo': [], 'linux': [], 'failed': []}
    for number in range(1, pairs + 1):
        for name, work in (('exo', lambda: exo_rows(net, whole, image, cpus)),
                           ('linux', linux and (lambda: linux_rows(linux, cpus, found['failed'])))):
            if not work:
                continue
            try:
                found[name].append(work())
            except (OSError, ValueError) as error:
                found['failed'].append(f'{name}: network: {error}')
                found[name].append([])
            print(f'  network: boot {number} of {name}, {len(found[name][-1])} rows', file=sys.stderr,
                  flush=True)
    found['linux'] = fastest(found['linux'])
    json.dump(found, sys.stdout)


if __name__ == '__main__':
    main()
