#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small assembler for downloaded programs: bpfasm.py [--hex | --c] [FILE] > PROGRAM

Reads FILE or standard input; writes the program's bytes, or with --hex the bytes in hexadecimal (as
bpf_plugin reads them), or with --c lines for an array of struct exo_insn.  One instruction a line,
comments from # or ; to its end, labels as `name:`.  `exit`, where it is not a label of the
program's own, also names its last instruction.

  add sub mul div sdiv or and lsh rsh mod smod xor mov arsh   dst, src-or-number   also with 32: add32
  movsx864 movsx1664 movsx3264 movsx832 movsx1632             dst, src             from, to bits
  neg neg32  le16 le32 le64 be16 be32 be64 bswap16 bswap32 bswap64 (also swap16)   dst
  lddw dst, number                                            64 bits; counts as two instructions
  ldxb ldxh ldxw ldxdw  ldxsb ldxsh ldxsw                     dst, [src+number]
  stb sth stw stdw                                            [dst+number], number
  stxb stxh stxw stxdw                                        [dst+number], src
  jeq jgt jge jlt jle jset jne jsgt jsge jslt jsle            dst, src-or-number, target; also with 32
  ja ja32 target     exit

A register is %r0 or r0 to r10; a target is a label, or +n: n instructions further than the next.
Errors name the line; the kernel's own check is the judge of what is a program.
"""
import re
import struct
import sys

ALU = {'add': 0, 'sub': 1, 'mul': 2, 'div': 3, 'or': 4, 'and': 5, 'lsh': 6, 'rsh': 7, 'mod': 9,
       'xor': 10, 'mov': 11, 'arsh': 12, 'sdiv': 3, 'smod': 9}
JUMP = {'jeq': 1, 'jgt': 2, 'jge': 3, 'jset': 4, 'jne': 5, 'jsgt': 6, 'jsge': 7, 'jlt': 10,
        'jle': 11, 'jslt': 12, 'jsle': 13}
SIZE = {'w': 0x00, 'h': 0x08, 'b': 0x10, 'dw': 0x18}
MOVSX = {'movsx864': (0xbf, 8), 'movsx1664': (0xbf, 16), 'movsx3264': (0xbf, 32),
         'movsx832': (0xbc, 8), 'movsx1632': (0xbc, 16)}
SWAP = {'le': 0xd4, 'be': 0xdc, 'bswap': 0xd7, 'swap': 0xd7}


class Wrong(Exception):
    """A line that is no instruction."""


def number(text, bits=32):
    """A number of so many bits, with or without sign."""
    try:
        value = int(text, 0)
    except ValueError:
        raise Wrong(f'{text!r} is no number') from None
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise Wrong(f'{text} does not fit {bits} bits')
    return value & (1 << bits) - 1


def register(text):
    """The number of a register, or None."""
    match = re.fullmatch(r'%?r(\d+)', text)
    if match and int(match[1]) > 10:
        raise Wrong(f'{text}: there are r0 to r10')
    return int(match[1]) if match else None


def need_register(text):
    """The number of a register."""
    value = register(text)
    if value is None:
        raise Wrong(f'{text!r} is no register')
    return value


def place(text):
    """[reg+number]: register and offset."""
    match = re.fullmatch(r'\[\s*(%?r\d+)\s*(?:([+-])\s*(\w+))?\s*\]', text)
    if not match:
        raise Wrong(f'{text!r} is no [register+number]')
    offset = int(match[3], 0) if match[3] else 0
    offset = -offset if match[2] == '-' else offset
    if not -0x8000 <= offset < 0x8000:
        raise Wrong(f'{text}: the offset does not fit 16 bits')
    return need_register(match[1]), offset & 0xffff


def insn(opcode, dst=0, src=0, offset=0, imm=0):
    """The bytes of one instruction."""
    return struct.pack('<BBHI', opcode, dst | src << 4, offset & 0xffff, imm & 0xffffffff)


def operand(opcode, dst, text, offset=0):
    """An instruction whose second operand is a register or a number."""
    src = register(text)
    if src is None:
        return insn(opcode, dst, 0, offset, number(text))
    return insn(opcode | 8, dst, src, offset)


def target(text, at, labels, last):
    """How many instructions a jump from `at` skips."""
    if text.startswith('+'):
        return number(text[1:], 31)
    if text == 'exit' and text not in labels:
        return last - at - 1
    if text not in labels:
        raise Wrong(f'there is no label {text!r}')
    return labels[text] - at - 1


def short(skip):
    """An offset of a jump."""
    if not -0x8000 <= skip < 0x8000:
        raise Wrong('the target is too far away: use ja32')
    return skip


def memory(name, args):
    """Loads and stores, or None."""
    match = re.fullmatch(r'(ldx|stx|st)(s?)(b|h|w|dw)', name)
    if not match or len(args) != 2 or (match[2] and (match[1] != 'ldx' or match[3] == 'dw')):
        return None
    size = SIZE[match[3]]
    if match[1] == 'ldx':
        src, offset = place(args[1])
        return insn((0x81 if match[2] else 0x61) | size, need_register(args[0]), src, offset)
    dst, offset = place(args[0])
    if match[1] == 'stx':
        return insn(0x63 | size, dst, need_register(args[1]), offset)
    return insn(0x62 | size, dst, 0, offset, number(args[1]))


def unary(name, args):
    """Instructions with one operand, or None."""
    match = re.fullmatch(r'(le|be|b?swap)(16|32|64)', name)
    if match and len(args) == 1:
        return insn(SWAP[match[1]], need_register(args[0]), 0, 0, int(match[2]))
    if name in ('neg', 'neg64', 'neg32') and len(args) == 1:
        return insn(0x84 if name == 'neg32' else 0x87, need_register(args[0]))
    return None


def arithmetic(name, args):
    """Instructions with two operands, or None."""
    if len(args) != 2:
        return None
    if name in MOVSX:
        opcode, bits = MOVSX[name]
        return insn(opcode, need_register(args[0]), need_register(args[1]), bits)
    if name == 'lddw':
        value = number(args[1], 64)
        return insn(0x18, need_register(args[0]), 0, 0, value) + insn(0, imm=value >> 32)
    base = re.sub(r'(32|64)$', '', name)
    if base not in ALU:
        return None
    return operand(ALU[base] << 4 | (4 if name.endswith('32') else 7), need_register(args[0]),
                   args[1], int(base in ('sdiv', 'smod')))


def jump(name, args, at, labels, last):
    """Jumps, or None."""
    if name in ('ja', 'ja32') and len(args) == 1:
        skip = target(args[0], at, labels, last)
        return insn(0x06, imm=skip) if name == 'ja32' else insn(0x05, offset=short(skip))
    base = re.sub('32$', '', name)
    if base not in JUMP or len(args) != 3:
        return None
    skip = short(target(args[2], at, labels, last))
    return operand(JUMP[base] << 4 | (6 if name.endswith('32') else 5), need_register(args[0]),
                   args[1], skip)


def encode(name, args, at, labels, last):
    """The bytes of one line."""
    if name == 'exit' and not args:
        return insn(0x95)
    code = (memory(name, args) or unary(name, args) or arithmetic(name, args)
            or jump(name, args, at, labels, last))
    if not code:
        raise Wrong(f'{name!r} with {len(args)} operands is no instruction')
    return code


def split(text):
    """Lines of a program: (line number, name, operands), and labels."""
    lines, labels, at = [], {}, 0
    for row, line in enumerate(text.splitlines(), 1):
        line = re.split('[#;]', line)[0].strip()
        while match := re.match(r'([A-Za-z_.]\w*)\s*:\s*', line):
            labels[match[1]] = at
            line = line[match.end():]
        if line:
            name, *rest = line.split(None, 1)
            args = [a.strip() for a in rest[0].split(',')] if rest else []
            lines.append((row, name.lower(), args))
            at += 2 if name.lower() == 'lddw' else 1
    return lines, labels, at


def assemble(text):
    """The bytes of a program."""
    lines, labels, count = split(text)
    code = b''
    for row, name, args in lines:
        try:
            code += encode(name, args, len(code) // 8, labels, count - 1)
        except Wrong as error:
            raise Wrong(f'line {row}: {error}') from None
    return code


def main():
    """The command line."""
    args = sys.argv[1:]
    form = args.pop(0) if args and args[0].startswith('--') else ''
    if form not in ('', '--hex', '--c') or len(args) > 1:
        sys.exit(__doc__)
    try:
        if args:
            with open(args[0], encoding='utf-8') as file:
                code = assemble(file.read())
        else:
            code = assemble(sys.stdin.read())
    except (Wrong, OSError) as error:
        sys.exit(f'bpfasm: {error}')
    if form == '--hex':
        print(code.hex(' ', 1))
    elif form == '--c':
        for opcode, regs, offset, imm in struct.iter_unpack('<BBhi', code):
            print(f'\t{{ 0x{opcode:02x}, 0x{regs:02x}, {offset}, {imm} }},')
    else:
        sys.stdout.buffer.write(code)


if __name__ == '__main__':
    main()
