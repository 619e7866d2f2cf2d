#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The budget gate: does a primitive cost more than bench/budget.txt allows?

usage: budget.py [--out BUILD] [--write]

A line of the budget is a row's name, then for each column `COST/ENTRIES/SPACES/TLB/IPIS/VECTORS/COPIED`;
the first line names the columns, compilers with their major version.  A figure may grow by 2 %, to the
next whole tenth.  Rows that last longer than a time slot have only the cost: what a slot's end adds to the
others is not theirs.  With --write this compiler's column is written anew.  Returns 0 if all are within it,
77 if there is no column for this compiler, else 1.
"""
import argparse
import os
import subprocess
import sys

import systems
import lines

PATH = os.path.join(systems.TOP, 'bench', 'budget.txt')
GROWTH = 0.02
SKIPPED = 77
LONG = ('spawn_wait',)          # longer than a time slot, and yet within GROWTH in each boot
HEAD = '''# What each primitive may cost: instructions/entries/spaces/tlb/ipis/vectors/bytes copied, for one
# operation, counted by QEMU.  A change of a line here is a decision: its commit says why.
'''


def compiler(cc):
    """gcc-12 or clang-14, say."""
    version = subprocess.run([cc, '-dumpversion'], capture_output=True, text=True, check=True).stdout
    name = subprocess.run([cc, '--version'], capture_output=True, text=True, check=True).stdout
    return f'{"clang" if "clang" in name.splitlines()[0] else "gcc"}-{version.split(".")[0].strip()}'


def parse(text):
    """(columns, {name: {column: [figures]}}) of a budget."""
    rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != '#']
    if not rows:
        return [], {}
    columns = rows[0][1:]
    table = {name: {c: [float(x) for x in cell.split('/')] for c, cell in zip(columns, cells) if cell != '-'}
             for name, *cells in rows[1:]}
    return columns, table


def text_of(columns, table):
    """The budget as a file."""
    lines_out = [f'{"row":22}' + ''.join(f' {c:38}' for c in columns)]
    for name, cells in table.items():
        lines_out.append(f'{name:22}' + ''.join(
            f' {"/".join(f"{x:g}" for x in cells[c]) if c in cells else "-":38}' for c in columns))
    return HEAD + '\n'.join(line.rstrip() for line in lines_out) + '\n'


def figures(row):
    """Cost and hidden costs of a row."""
    if row['name'] in LONG:
        return [row['median']]
    counts = row['counts'] or dict.fromkeys(lines.COUNTS, 0.0)
    return [row['median'], *(counts[c] for c in lines.COUNTS)]


def growth(column, table, rows):
    """What is over the budget, in words; [] if nothing is.  A row that was not measured is, too."""
    found = {r['name']: figures(r) for r in rows}
    words = []
    for name, cells in table.items():
        if column not in cells:
            continue
        if name not in found:
            words.append(f'{name}: not measured')
            continue
        for what, old, new in zip(('instructions', *lines.COUNTS), cells[column], found[name]):
            if new > old * (1 + GROWTH) + 0.05:
                words.append(f'{name}: {what.replace("_", " ")} grew from {old:g} to {new:g}')
    return words


def budgeted(row):
    """Is it a primitive with a figure that is the same in each boot?"""
    return row['name'] in LONG or (row['unit'] == 'instructions' and row['n'] > 1 and
                                   row['max'] == row['min'])


def measure(out):
    """Two short boots, the second for the long rows; rows, and what failed."""
    folder = os.path.join(out, 'bench')
    os.makedirs(folder, exist_ok=True)
    system = systems.System('exo', systems.build_exo(out, 'bench'), folder)
    rows, failed = [], []
    for words in ('brief', f'only={",".join(LONG)}'):
        text, why = system.boot(True, words)
        found, wrong = lines.read(text)
        rows += found
        failed += wrong + ([why] if why else [])
    return rows, failed


def write(column, rows):
    """This compiler's column anew, with the rows that were measured."""
    columns, table = [], {}
    if os.path.exists(PATH):
        with open(PATH, encoding='utf-8') as file:
            columns, table = parse(file.read())
    if column not in columns:
        columns.append(column)
    for row in filter(budgeted, rows):
        table.setdefault(row['name'], {})[column] = figures(row)
    with open(PATH, 'w', encoding='utf-8') as file:
        file.write(text_of(columns, table))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', default=os.environ.get('O', 'build'), help='build folder')
    p.add_argument('--write', action='store_true')
    a = p.parse_args()
    column = compiler(os.environ.get('CC', 'gcc'))
    rows, failed = measure(os.path.abspath(os.path.join(systems.TOP, a.out)))
    if a.write:
        write(column, rows)
        return 0
    with open(PATH, encoding='utf-8') as file:
        columns, table = parse(file.read())
    if column not in columns:
        print(f'bench/budget.txt has no column for {column}, only for {", ".join(columns)}: '
              'not judged (bench/budget.py --write adds it)')
        return SKIPPED
    words = failed + growth(column, table, rows)
    for line in words:
        print(line)
    if not words:
        print(f'{len(table)} rows within the budget of {column}')
    return 1 if words else 0


if __name__ == '__main__':
    sys.exit(main())
