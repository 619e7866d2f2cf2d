#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pack a boot archive (layout: exo/include/exo/archive.h).

    archive.py OUT name=file...     pack; the kernel's image goes last, so that it can be taken off
    archive.py --list ARCHIVE       name, bytes and checksum of each member, checked
"""
import ctypes
import struct
import sys

MAGIC, NAME, PAGE = 0x31657669686372, 48, 4096
HEADER, ENTRY = struct.Struct('<QQQII'), struct.Struct('<48sQQQ')
MASK = (1 << 64) - 1
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def rotl(v, n):
    return ((v << n) | (v >> (64 - n))) & MASK


def xxh64_plain(data):
    """XXH64, seed 0, by the specification: slow, for machines without the library."""
    def round_(acc, word):
        return rotl((acc + word * P2) & MASK, 31) * P1 & MASK
    n, at = len(data), 0
    if n >= 32:
        acc = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        for words in struct.iter_unpack('<4Q', data[:n - n % 32]):
            acc = [round_(a, w) for a, w in zip(acc, words)]
        at = n - n % 32
        h = sum(rotl(a, r) for a, r in zip(acc, (1, 7, 12, 18))) & MASK
        for a in acc:
            h = ((h ^ round_(0, a)) * P1 + P4) & MASK
    else:
        h = P5
    h = (h + n) & MASK
    for at in range(at, n - 7, 8):
        h = rotl(h ^ round_(0, struct.unpack_from('<Q', data, at)[0]), 27) * P1 + P4 & MASK
    at = n - n % 8
    if n - at >= 4:
        h = rotl(h ^ struct.unpack_from('<I', data, at)[0] * P1 & MASK, 23) * P2 + P3 & MASK
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def xxh64_of():
    try:
        lib = ctypes.CDLL('libxxhash.so.0')
    except OSError:
        return xxh64_plain
    lib.XXH64.restype = ctypes.c_uint64
    lib.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    return lambda data: lib.XXH64(bytes(data), len(data), 0)


xxh64 = xxh64_of()


def whole(n):
    return (n + PAGE - 1) & -PAGE


def pack(files):
    """The archive of [(name, bytes)]."""
    at = whole(HEADER.size + len(files) * ENTRY.size)
    table, body = b'', b''
    for name, data in files:
        if not 0 < len(name.encode()) < NAME:
            raise SystemExit(f'{name}: a member name has 1 to {NAME - 1} bytes')
        table += ENTRY.pack(name.encode(), at, len(data), xxh64(data))
        body += data + bytes(whole(len(data)) - len(data))
        at += whole(len(data))
    head = HEADER.pack(MAGIC, at, xxh64(table), len(files), 0) + table
    return head + bytes(whole(len(head)) - len(head)) + body


def members(data):
    """[(name, bytes)] of an archive; ends the program if it is damaged."""
    magic, size, check, count, _ = HEADER.unpack_from(data)
    table = data[HEADER.size:HEADER.size + count * ENTRY.size]
    if magic != MAGIC or size > len(data) or xxh64(table) != check:
        raise SystemExit('not a boot archive, or its table is damaged')
    out = []
    for name, offset, length, check in ENTRY.iter_unpack(table):
        name, body = name.rstrip(b'\0').decode(), data[offset:offset + length]
        if xxh64(body) != check:
            raise SystemExit(f'{name}: checksum does not match')
        out.append((name, body))
    return out


def main(args):
    if len(args) == 2 and args[0] == '--list':
        for name, body in members(open(args[1], 'rb').read()):
            print(f'{xxh64(body):016x} {len(body):9} {name}')
        return 0
    if len(args) < 2:
        raise SystemExit(__doc__)
    last = {}
    for arg in args[1:]:
        name, equals, path = arg.partition('=')
        if not equals:
            raise SystemExit(f'{arg}: expected name=file')
        last.pop(name, None)
        last[name] = open(path, 'rb').read()
    files = sorted(last.items(), key=lambda f: f[0] == 'exo.kernel')
    with open(args[0], 'wb') as out:
        out.write(pack(files))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
