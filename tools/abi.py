#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write docs/abi.md from the headers in exo/include/exo: abi.py [--check] [FILE]

With --check nothing is written: 1 if the file is not what the headers say now.  Numbers, names and
texts are read from the X-macro lists; offsets are computed from the struct declarations and compared
with every _Static_assert of the same header, so that a layout this file misreads is an error and not
a wrong page.
"""
import argparse
import ast
import operator
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADERS = os.path.join(TOP, 'exo', 'include', 'exo')
SIZES = {'char': 1, 'uint8_t': 1, 'uint16_t': 2, 'uint32_t': 4, 'uint64_t': 8, 'int32_t': 4, 'exo_sid': 4,
         'exo_slot': 8}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
             ast.LShift: operator.lshift}
constants = {}          # names an array bound may use
structs = {}            # struct name -> (size, alignment)


def header(name):
    with open(os.path.join(HEADERS, name), encoding='utf-8') as f:
        return f.read()


def number(text):
    """The value of a C constant expression of sums, differences, products and shifts."""
    def value(node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return constants[node.id]
        return OPERATORS[type(node.op)](value(node.left), value(node.right))
    return value(ast.parse(re.sub(r'\b(\d\w*?)[uUlL]+\b', r'\1', text).strip(), mode='eval').body)


def one_line(text):
    return re.sub(r'\s+', ' ', re.sub(r'\n\s*\*?', ' ', text)).strip()


def cell(text):
    return one_line(text).replace('|', '\\|')


def table(heads, rows):
    lines = ['| ' + ' | '.join(heads) + ' |', '|' + '---|' * len(heads)]
    return '\n'.join(lines + ['| ' + ' | '.join(map(cell, row)) + ' |' for row in rows]) + '\n'


def calls():
    """(number, name, argument count, text, may run another environment first)"""
    found = re.findall(r'^EXO_(CALL|SWITCH)\((0x\w+),\s*(\w+),\s*(\d),\s*"(.*)"\)$',
                       header('syscalls.def'), re.M)
    return [(n, name, args, text, kind == 'SWITCH') for kind, n, name, args, text in found]


def refusals():
    """{call: (names of the errors it returns, words)} in the order of the call table."""
    rows = re.findall(r'^EXO_REFUSES\((\w+),\s*"([^"]*)",\s*"([^"]*)"\)$', header('refusals.def'), re.M)
    found = {name: (errors.split(), text) for name, errors, text in rows}
    known = {error for error, _, _ in x_list('errors.h', 'EXO_ERRORS')}
    names = [name for _, name, *_ in calls()]
    wrong = set(names) ^ set(found) | {e for errors, _ in found.values() for e in errors} - known
    if wrong or len(rows) != len(found):
        sys.exit('refusals.def: missing, twice or unknown: ' + ' '.join(sorted(wrong)))
    return {name: found[name] for name in names}


def x_list(name, macro):
    """Rows of an X-macro list: name, number and, where there is one, text."""
    body = re.search(rf'#define {macro}\(X\)((?:.*\\\n)*.*)', header(name)).group(1)
    return re.findall(r'X\((\w+),\s*(\d+)(?:,\s*"([^"]*)")?\)', body)


def defines(name, prefix):
    """(name, value, comment) of the #defines whose name begins with prefix."""
    found = re.findall(rf'^#define ({prefix}\w*)[ \t]+(\S+)(?:[ \t]*/\* (.*?) \*/)?$', header(name), re.M)
    return [(n, v, comment) for n, v, comment in found]


def enum(name, which):
    """(name, number, comment) of an enum's members."""
    body = re.search(rf'^enum {which} {{\n(.*?)^}};', header(name), re.M | re.S).group(1)
    rows, at = [], 0
    for member, value, comment in re.findall(r'^\t(\w+)(?: = (\d+))?,?(?:\s*/\* (.*?) \*/)?$', body,
                                             re.M):
        at = int(value) if value else at
        rows.append((member, str(at), comment))
        at += 1
    return rows


def learn_constants():
    for file in sorted(os.listdir(HEADERS)):
        for name, value in re.findall(r'^#define (EXO_\w+)\s+\(?(\d[\w *]*?)\)?\s*(?:/\*.*)?$',
                                      header(file), re.M):
            try:
                constants[name] = number(value)
            except (KeyError, SyntaxError):
                pass            # a number that no array bound is made of
    constants['EXO_AREAS'] = dict((n, int(v)) for n, v, _ in enum('env.h', 'exo_area'))['EXO_AREAS']


def declarations(body):
    """(type, names, comment) of each declaration of a struct; a comment may go on below it."""
    found = re.findall(r'^\t((?:struct )?\w+)\s+([^;/]+);(?:\s*/\* (.*?) \*/)?((?:\n\s+/\* .*? \*/)*)',
                       body, re.M | re.S)
    for kind, names, comment, more in found:
        more = ' '.join(re.findall(r'/\*\s*(.*?)\s*\*/', more))
        yield kind, names, f'{comment} {more}'.strip()


def struct(name, which):
    """Rows (offset, bytes, declaration, comment) of a struct, checked against its header."""
    text = header(name)
    body = re.search(rf'^struct {which} {{.*?\n(.*?)^}};', text, re.M | re.S).group(1)
    rows, at, widest, offsets = [], 0, 1, {}
    for kind, names, comment in declarations(body):
        size, align = structs[kind[7:]] if kind.startswith('struct ') else (SIZES[kind],) * 2
        for field in re.split(r',\s*', names):
            word, bound = re.match(r'(\w+)(?:\[(.*)\])?$', field, re.S).groups()
            at = (at + align - 1) // align * align
            total = size * (number(bound) if bound else 1)
            rows.append((f'0x{at:03x}', str(total), f'`{field}`', comment))
            offsets[word] = at
            at, widest = at + total, max(widest, align)
    structs[which] = (at + widest - 1) // widest * widest, widest
    check(text, which, offsets)
    return rows


def check(text, which, offsets):
    pinned = re.findall(rf'_Static_assert\(sizeof\(struct {which}\) == (\w+)', text)
    if not pinned or any(number(p) != structs[which][0] for p in pinned):
        sys.exit(f'abi.py: struct {which}: {structs[which][0]} bytes, but the header pins {pinned}')
    for field, at in re.findall(rf'offsetof\(struct {which}, (\w+)\) == (\w+)', text):
        if offsets[field] != number(at):
            sys.exit(f'abi.py: struct {which}: {field} at {offsets[field]}, the header pins {at}')


def kinds():
    """Kinds with what lo, hi and unit mean, from the comment above the list."""
    note = re.search(r'/\*\n \* Kinds\.(.*?)\*/', header('cap.h'), re.S).group(1)
    said = {word: one_line(text) for word, text in
            re.findall(r'^ \*   ([A-Z]+) +(.*?)(?=^ \*   [A-Z]+ |\Z)', note, re.M | re.S)}
    return [(n, f'`{name}`', said.get(name, 'an empty slot')) for name, n, _ in
            sorted(x_list('cap.h', 'EXO_KINDS'), key=lambda row: int(row[1]))]


def named(rows):
    return [(value, f'`{name}`', comment) for name, value, comment in rows]


def comment_of(name, start):
    """The block comment of a header that begins with these words, as lines without stars."""
    text = re.search(rf'/\*\n \* ({re.escape(start)}.*?)\n \*/', header(name), re.S).group(1)
    return re.sub(r'^ \* ?', '', text, flags=re.M)


def code(text):
    return '\n'.join('    ' + line if line else '' for line in text.split('\n')) + '\n'


def layout(name, which):
    rows = struct(name, which)
    return (f'`struct {which}` ({structs[which][0]} bytes, `exo/{name}`)\n\n' +
            table(['offset', 'bytes', 'field', ''], rows))


def declared(name, which):
    """A struct as its header declares it, where one line a field would not do."""
    text = re.search(rf'^struct {which} {{.*?^}};', header(name), re.M | re.S).group(0)
    return code(text.expandtabs(8))


# The exported tables in machine.h and cap.h, with what is said of each.
EXPORTS = (
    ('machine.h', 'exo_screen_info', 'The screen', 'Part of `struct exo_machine`.'),
    ('machine.h', 'exo_machine', 'The head of the export area', ''),
    ('machine.h', 'exo_run', 'Runs of frames', '`runs` of them at `runs_off`.'),
    ('cap.h', 'exo_chunk', 'The owner map: 2 MiB chunks',
     '`(top_pfn + 511) / 512` of them at `chunks_off`.'),
    ('cap.h', 'exo_frame', 'The owner map: frames',
     'At `fine_off`; those of chunk *c*, if it has any, begin at index `fine * 512` of that chunk.'),
    ('machine.h', 'exo_cpu_info', 'Processors', '`cpus` of them at `cpus_off`.'),
    ('machine.h', 'exo_cpu_stats', "A processor's counters", 'One page a processor, at `stats_off`.'),
    ('machine.h', 'exo_latency', 'How long interrupts were off',
     '`EXO_LATENCY_OFF` bytes behind the counters; all 0 unless the boot line has the word `latency`.'),
    ('machine.h', 'exo_vector_slot', 'A time slot', ''),
    ('machine.h', 'exo_vector', 'Slice vectors', 'One page a processor, at `vectors_off`.'),
    ('machine.h', 'exo_trace_record', 'A trace record', ''),
    ('machine.h', 'exo_trace', 'Trace rings',
     'Eight pages a processor, at `trace_off`. Record *n* stands at *n* modulo the number of records; `count` tells '
     'how many were ever written. `tools/tracecat` decodes them on the host, from a memory dump or a running machine.'),
    ('machine.h', 'exo_disk_info', 'Disks', '`disks` of them at `disks_off`.'),
    ('pci.h', 'exo_pci_bar', "A PCI function's register ranges", 'Part of `struct exo_pci_info`.'),
    ('pci.h', 'exo_pci_info', 'PCI functions', '`pcis` of them at `pcis_off`.'),
    ('machine.h', 'exo_irq_info', 'Interrupts', '`irqs` of them at `irqs_off`.'),
    ('machine.h', 'exo_port_info', 'Port ranges', '`ports` of them at `ports_off`.'),
)


def exports():
    """Sections for all exported tables; NICs stand with the packets."""
    parts = [f'### {title}\n\n{text}\n\n' + (declared if which == 'exo_frame' else layout)(name, which)
             for name, which, title, text in EXPORTS]
    parts.insert(3, '### Kinds of runs\n\n' + table(['number', 'kind', ''],
                                                  named(enum('machine.h', 'exo_run_kind'))))
    parts.insert(-4, '### Kinds of trace records\n\n' + table(['number', 'kind', ''],
                                                           named(enum('machine.h', 'exo_trace_kind'))))
    return '\n'.join(parts)


def page():
    tables, first = exports(), layout('machine.h', 'exo_first')
    version = {n: v for n, v, _ in defines('types.h', 'EXO_ABI_')}
    context = layout('env.h', 'exo_context')
    return f'''# The kernel's interface

Generated by `make docs` from the headers in `exo/include/exo/`: change those, not this page. ABI version
{version['EXO_ABI_MAJOR']}.{version['EXO_ABI_MINOR']}. A number is never given a second meaning: calls, errors and kinds are only appended.

## Making a call

The instruction is `syscall`. In: the number in `rax`, arguments in `rdi`, `rsi`, `rdx`, `r10`, `r8`, `r9`. Out:
the result in `rax`; 0 or more is success, a negative number is `-EXO_E_*`. `rcx` and `r11` are lost (the
instruction itself uses them); `rdi`, `rsi`, `rdx`, `r8`, `r9` and `r10` are 0, so that nothing of the kernel leaves
in them. `rbx`, `rbp`, `rsp` and `r12` to `r15` are kept, and so is the vector state. Gate calls carry words in
registers, described below.

A number that is not in the table is a *foreign call*: it comes back as an upcall (`EXO_TRAP_FOREIGN`) to the
program's own library, which may give it any meaning.

`libexos/include/exos/call.h` expands the same table into one C function for each call, `exo_NAME`.

## Calls

A name of a claim (*slot* below) is `generation << 32 | sid`, where the *sid* is the physical address of the table
slot divided by 64. Numbers are hexadecimal. *May run others* means that another environment can be on the
processor before the call returns.

{table(['number', 'name', 'arguments', 'what it does', 'may run others'],
       [(n, f'`{name}`', args, text, 'yes' if switch else '') for n, name, args, text, switch
        in calls()])}
### Calls that are done in pieces

No call takes unbounded time. Where the work can be long, the call does a bounded piece and returns `EXO_MORE`
({constants['EXO_MORE']}); make the same call again until it returns something else. This holds for `cap_drop`, `cap_revoke` and,
with `EXO_ENV_STOP`, `env_control`. The batches of `space_update` and `port_io` are done in order and return how many
entries were done: go on behind them.

## Errors

{table(['number', 'name', 'text'], [(n, f'`EXO_E_{name}`', text) for name, n, text
                                    in x_list('errors.h', 'EXO_ERRORS')])}
### What each call refuses

A call returns no error that does not stand here. A claim that is an argument is looked up first: `STALE`, `KIND` and
`RIGHTS` are of that; `FROZEN` is of a claim that is being revoked.

{table(['call', 'errors', 'where the text above does not say it'],
       [(f'`{name}`', ' '.join(errors), text) for name, (errors, text) in refusals().items() if errors])}
## Claims

### Kinds

{table(['number', 'kind', '`lo`, `hi` and `unit`'], kinds())}
### Rights

A derived claim has at most the rights of the one it comes from.

{table(['bit', 'name', 'allows'], named(defines('cap.h', 'EXO_R_')))}
Flag of a derivation, or'ed into the rights:

{table(['bit', 'name', ''], named(defines('cap.h', 'EXO_SHARE')))}
### A table slot

Tables are read by mapping them; only the kernel writes them.

{layout('cap.h', 'exo_cap')}
{table(['bit', 'flag', ''], named(defines('cap.h', 'EXO_CAP_')))}
### Uses of a frame

{table(['number', 'use', 'text'], [(n, f'`EXO_USE_{name}`', text) for name, n, text
                                   in x_list('cap.h', 'EXO_USES')])}
Frames that an object takes; they are consecutive, and the first is the object's name:

{table(['frames', 'object', ''], named(defines('cap.h', 'EXO_FRAMES_')))}
## Environments

### The environment page

One page that the kernel and one environment share. `[u]` the environment writes and the kernel reads; `[k]` the
kernel writes; `[ku]` both. The kernel takes everything it reads there as hostile.

{context}
{layout('env.h', 'exo_env_page')}
For faults and foreign calls only `rax` to `cr2` of the context are written: the other registers are still in the
processor. For slice and event upcalls all of it is.

{table(['number', 'area', ''], named(enum('env.h', 'exo_area')[:-1]))}
### Reasons of an upcall

`exo_context.vector`; 0 to 31 are the processor's exceptions.

{table(['number', 'name', ''], named(defines('env.h', 'EXO_TRAP_')))}
### Why an environment does not run

{table(['number', 'name', ''], named(defines('env.h', 'EXO_STOP_')))}
### Operations of `env_control`

{table(['number', 'name', ''], named(enum('env.h', 'exo_env_op')))}
## Gates

{code(comment_of('gate.h', 'gate.h - registers of a gate call'))}
## Spaces

`space_update` takes at most {constants['EXO_BATCH_MAX']} entries; one entry names at most {constants['EXO_MAP_MAX']} pages, and a batch stops after as many.

{layout('space.h', 'exo_map_op')}
{table(['number', 'op', ''], named(enum('space.h', 'exo_map_op_code')))}
{table(['bits', 'size', ''], named(defines('space.h', 'EXO_SIZE_')))}
## Ports

{layout('port.h', 'exo_port_op')}
`op` is 0 (`EXO_PORT_IN`), 1 (`EXO_PORT_OUT`) or 2 (`EXO_PORT_UNTIL`: read until `(value & mask) == want`, at most
`tries` times, never more than {constants['EXO_PORT_TRIES']}; then the batch stops there).

## Disk rings

{code(comment_of('disk.h', 'disk.h - disk rings'))}
{layout('disk.h', 'exo_disk_req')}
{layout('disk.h', 'exo_disk_done')}
{layout('disk.h', 'exo_disk_cq_page')}
## Packets

{code(comment_of('nic.h', 'nic.h - claims on packets'))}
{code(comment_of('nic.h', 'Byte n of a packet matches'))}
{layout('nic.h', 'exo_pattern')}
{code(comment_of('nic.h', 'What exo_nic_narrow adds'))}
{layout('nic.h', 'exo_nic_spec')}
{layout('nic.h', 'exo_filter')}
{code(comment_of('nic.h', 'Packet rings.'))}
{table(['frame', 'of a PACKETS object', ''], named(defines('nic.h', 'EXO_PACKETS_')))}
{layout('nic.h', 'exo_packets_page')}
{layout('nic.h', 'exo_rx')}
{table(['bit', 'flag', ''], named(defines('nic.h', 'EXO_RX_')))}
{layout('nic.h', 'exo_tx')}
{table(['bit', 'flag', ''], named(defines('nic.h', 'EXO_TX_')))}
{layout('nic.h', 'exo_nic_info')}
{table(['bit', 'flag', ''], named(defines('nic.h', 'EXO_NIC_[LCS]')))}
## The machine

What the kernel exports read-only lies in one run of frames, the *export area*, which the first program holds as a
read-only FRAME share and gives on like any other. `struct exo_machine` stands at its start; offsets (`..._off`) are
bytes from there, and no kernel address is in any of it. Reading it needs no call. The boot archive is described in
`exo/include/exo/archive.h`.

{tables}
### The first program

It finds this in the `user` part of its environment page.

{first}
'''


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--check', action='store_true')
    p.add_argument('file', nargs='?', default=os.path.join(TOP, 'docs', 'abi.md'))
    a = p.parse_args()
    learn_constants()
    text = re.sub(r'\n{3,}', '\n\n', page())
    if not a.check:
        with open(a.file, 'w', encoding='utf-8') as f:
            f.write(text)
        return 0
    try:
        with open(a.file, encoding='utf-8') as f:
            same = f.read() == text
    except FileNotFoundError:
        same = False
    if not same:
        print(f'{os.path.relpath(a.file)} is not what the headers say: run make docs')
    return 0 if same else 1


if __name__ == '__main__':
    sys.exit(main())
