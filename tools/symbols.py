#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the kernel's symbol table for backtraces (layout: exo/include/exo/archive.h).

    symbols.py NM-OUTPUT OUT        nm -n of the kernel; functions only
"""
import struct
import sys

KERNEL_VA = 0xffffffff80000000


def functions(lines):
    """[(offset, name)] of the functions, sorted, one name an offset."""
    found = {}
    for line in lines:
        part = line.split()
        if len(part) == 3 and part[1] in 'tT' and int(part[0], 16) >= KERNEL_VA:
            found.setdefault(int(part[0], 16) - KERNEL_VA, part[2])
    return sorted(found.items())


def table(symbols):
    names, entries = b'', b''
    base = 4 + 8 * len(symbols)
    for offset, name in symbols:
        entries += struct.pack('<II', offset, base + len(names))
        names += name.encode() + b'\0'
    return struct.pack('<I', len(symbols)) + entries + names


def main(args):
    if len(args) != 2:
        raise SystemExit(__doc__)
    with open(args[0]) as lines, open(args[1], 'wb') as out:
        out.write(table(functions(lines)))


if __name__ == '__main__':
    main(sys.argv[1:])
