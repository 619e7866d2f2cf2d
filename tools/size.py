#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How large the kernel is: size.py BUILD-FOLDER

Lines of each part of exo/ (all of them, and those that are neither blank nor comment), the bytes of
its objects, and the boot file with and without its archive.  1 if a bound is passed.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINES_AIM = 6000                # of the kernel proper; an aim, not a bound
EFI_MAX = 400 * 1000            # bytes of exo.efi without the boot archive
# part, whether it counts as the kernel proper, folders or files
PARTS = (
    ('kernel proper', True, 'exo'),
    ('interface', False, 'exo/include'),
    ('shared with loader and libraries', False, 'exo/base'),
    ('processor', False, 'exo/x86'),
    ('devices', False, 'exo/dev'),
    ('programs: check and compile', False, 'exo/prog'),
)


def part_of(path):
    """The part a file belongs to: that of the longest folder that it is in."""
    best = max((folder for _, _, folder in PARTS if path.startswith(folder + '/')), key=len)
    return next(name for name, _, folder in PARTS if folder == best)


def sources():
    for folder, _, files in os.walk(os.path.join(TOP, 'exo')):
        for file in sorted(files):
            if file.endswith(('.c', '.h', '.S', '.def', '.ld')):
                yield os.path.relpath(os.path.join(folder, file), TOP)


def code_lines(text):
    text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m.group(0).count('\n'), text, flags=re.S)
    return sum(1 for line in text.split('\n') if line.strip() and not line.strip().startswith('//'))


def object_bytes(build, path):
    """Text, read-only and other data, and zeroed data of a source's object."""
    file = os.path.join(build, 'kernel', os.path.splitext(path)[0] + '.o')
    if not path.endswith(('.c', '.S')) or not os.path.exists(file):
        return 0, 0
    out = subprocess.run(['size', file], capture_output=True, text=True, check=True).stdout
    text, data, bss = map(int, out.splitlines()[1].split()[:3])
    return text + data, bss


def main(args):
    if len(args) != 1:
        raise SystemExit(__doc__)
    build = args[0]
    sums = {name: [0, 0, 0, 0, 0] for name, _, _ in PARTS}
    for path in sources():
        with open(os.path.join(TOP, path), encoding='utf-8') as file:
            text = file.read()
        row = sums[part_of(path)]
        for i, n in enumerate((1, text.count('\n'), code_lines(text), *object_bytes(build, path))):
            row[i] += n
    print(f'{"":34}{"files":>6} {"lines":>7} {"of code":>8} {"bytes":>8} {"zeroed":>8}')
    for name, row in sums.items():
        if row[0]:
            print(f'{name:34}{row[0]:6} {row[1]:7} {row[2]:8} {row[3]:8} {row[4]:8}')
    total = [sum(row[i] for row in sums.values()) for i in range(5)]
    print(f'{"all":34}{total[0]:6} {total[1]:7} {total[2]:8} {total[3]:8} {total[4]:8}')
    proper = sum(sums[name][2] for name, counts, _ in PARTS if counts)
    print(f'kernel proper: {proper} lines of code, the aim is about {LINES_AIM}')

    efi, archive = (os.path.getsize(os.path.join(build, f)) for f in ('exo.efi', 'archive.bin'))
    kernel = os.path.getsize(os.path.join(build, 'exo.bin'))
    alone = efi - archive + kernel
    print(f'exo.efi: {efi} bytes; the archive in it {archive}; loader and kernel alone {alone} '
          f'(kernel {kernel}), at most {EFI_MAX}')
    return 0 if alone < EFI_MAX else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
