# SPDX-License-Identifier: MIT
"""xxh64.py - XXH64 of bytes, after the algorithm's public description (xxHash fast digest, 2.1).

Slow and simple: it is the reference that the shell's `hash` is compared with.
"""

import struct

MASK = 0xFFFFFFFFFFFFFFFF
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def _rotate(value, bits):
    return ((value << bits) | (value >> (64 - bits))) & MASK


def _round(lane, word):
    return _rotate((lane + word * P2) & MASK, 31) * P1 & MASK


def _stripes(data, seed):
    """The four lanes over all whole 32-byte stripes, merged."""
    lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
    for words in struct.iter_unpack("<4Q", data):
        lanes = [_round(lane, word) for lane, word in zip(lanes, words)]
    value = sum(_rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
    for lane in lanes:
        value = ((value ^ _round(0, lane)) * P1 + P4) & MASK
    return value


def xxh64(data, seed=0):
    """The 64-bit hash of `data`."""
    whole = len(data) & ~31
    value = _stripes(data[:whole], seed) if whole else (seed + P5) & MASK
    value = (value + len(data)) & MASK
    tail = data[whole:]
    while len(tail) >= 8:
        value ^= _round(0, struct.unpack_from("<Q", tail)[0])
        value, tail = (_rotate(value, 27) * P1 + P4) & MASK, tail[8:]
    if len(tail) >= 4:
        value ^= struct.unpack_from("<I", tail)[0] * P1 & MASK
        value, tail = (_rotate(value, 23) * P2 + P3) & MASK, tail[4:]
    for byte in tail:
        value = _rotate(value ^ (byte * P5 & MASK), 11) * P1 & MASK
    for shift, prime in ((33, P2), (29, P3), (32, 1)):
        value = ((value ^ (value >> shift)) * prime) & MASK
    return value
