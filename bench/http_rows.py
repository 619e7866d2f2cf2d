# SPDX-License-Identifier: MIT
"""What a request costs httpd in kernel crossings and copies, from the kernel's own counters; and what
memory the whole system takes.

One machine with one CPU, user-mode networking and a disk; a client asks for one document many
times over one connection, one request after the other.  `ps` and `net` in the shell show the
counters before and after; what is printed is the difference for one request.
"""
import http.client
import os
import re
import subprocess
import time

from machine import Machine, PROMPT
from nics import Forward

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REQUESTS = 500
SIZES = (100, 10240)
BOOT_S = 60


def document(size):
    """The bytes of a document."""
    return bytes(i * 31 % 251 for i in range(size))


def make_disk(folder):
    """An ext2 image with a document of each size; its path."""
    tree, image = os.path.join(folder, 'http'), os.path.join(folder, 'http.img')
    os.makedirs(tree, exist_ok=True)
    for size in SIZES:
        with open(os.path.join(tree, str(size)), 'wb') as f:
            f.write(document(size))
    if os.path.exists(image):
        os.unlink(image)
    subprocess.run(['mke2fs', '-q', '-t', 'ext2', '-d', tree, image, '4M'], check=True,
                   stdout=subprocess.DEVNULL,
                   env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'})
    return tree, image


def prompt(machine, seen):
    """Wait for the next prompt; the text from `seen` to it."""
    end = time.monotonic() + BOOT_S
    while PROMPT not in machine.text[seen:]:
        machine.pump(0.1)
        if machine.outcome or time.monotonic() > end:
            raise SystemExit('bench: no prompt: ' + machine.text[-500:].decode(errors='replace'))
    return machine.text[seen:].decode(errors='replace')


def ask(machine, command):
    """What the shell says to a command."""
    seen = len(machine.text)
    machine.send_line(command)
    return prompt(machine, seen)


def counters(machine):
    """Kernel entries of httpd by itself (calls and faults), bytes the kernel copied for its ring, bytes lent, packets."""
    ps = re.search(r'^\s*\S+ +httpd +\w+ +\d+ +\d+ +(\d+) +(\d+)', ask(machine, 'ps'), re.M)
    ring = re.search(r'RING OF.*?^\s*httpd +(\d+) +\d+ +(\d+) +\d+ +\d+ +(\d+) +(\d+)',
                     ask(machine, 'net'), re.M | re.S)
    if not ps or not ring:
        raise SystemExit('bench: the shell does not show the counters of httpd')
    return {'crossings': int(ps[1]) + int(ps[2]), 'packets in': int(ring[1]),
            'packets out': int(ring[2]), 'bytes copied by the kernel': int(ring[3]),
            'bytes lent': int(ring[4])}


def memory_used(machine):
    """Bytes of the usable memory that programs started from the shell cannot have."""
    said = ask(machine, 'mem')
    whole = re.search(r'^usable RAM: (\d+) frames', said, re.M)
    free = re.search(r'^free for programs: (\d+) frames', said, re.M)
    if not whole or not free:
        raise SystemExit('bench: the shell does not show the memory')
    return (int(whole[1]) - int(free[1])) * 4096


def requests(connection, name, want, count):
    for _ in range(count):
        connection.request('GET', f'/{name}')
        if connection.getresponse().read() != want:
            raise SystemExit(f'bench: httpd sent wrong bytes for {name}')


def measure(efi, folder, port):
    """Rows: for each size the counters' differences for one request; and the memory that is in use."""
    tree, image = make_disk(folder)
    found = []
    with Machine(('efi', efi), memory='256M', cpus=1, disks=[(image, True)], cards=['user'],
                 forwards=[Forward(f'tcp:{port}:80')], screen=False,
                 log=os.path.join(folder, 'serial-http.log')) as machine:
        prompt(machine, 0)
        memory = memory_used(machine)
        for size in SIZES:
            with open(os.path.join(tree, str(size)), 'rb') as f:
                want = f.read()
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
            requests(connection, size, want, 20)        # what is found once
            before = counters(machine)
            requests(connection, size, want, REQUESTS)
            after = counters(machine)
            connection.close()
            found.append({'name': f'http_{size}', 'per_request': {
                k: round((after[k] - before[k]) / REQUESTS, 2) for k in after}})
        machine.send_line('exit')
        machine.wait(20)
    return found, memory


def table_lines(found):
    """One line for each document."""
    for row in found:
        each = ', '.join(f'{v:g} {k}' for k, v in row['per_request'].items())
        yield f'{row["name"]:24} {each}'


def table(found):
    print(*table_lines(found), sep='\n')
