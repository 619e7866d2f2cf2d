#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the corpus of fuzz_prog to $TMPDIR/corpus: one program for each instruction."""
import os
import struct

folder = os.path.join(os.environ['TMPDIR'], 'corpus')
os.makedirs(folder, exist_ok=True)


def insn(opcode, dst=0, src=0, offset=0, imm=0):
    """One instruction's bytes."""
    return struct.pack('<BBhi', opcode, dst | src << 4, offset, imm)


EXIT = insn(0x95)
for op in range(256):
    register = op & 8 and op & 7 in (4, 5, 6, 7)
    body = insn(op, 10 if op & 7 in (2, 3) else 3, 1 if register or op & 7 in (1, 3) else 0,
                -8 if op & 7 in (2, 3) else 0, 16 if op >> 4 == 13 else 0)
    if op == 0x18:
        body += insn(0)
    for options in (0, 37):
        with open(os.path.join(folder, f'{op:02x}-{options}'), 'wb') as f:
            f.write(bytes([options]) + bytes(range(64)) + body + insn(0x0f, 0, 3) + EXIT)
