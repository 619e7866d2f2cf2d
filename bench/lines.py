# SPDX-License-Identifier: MIT
"""What a measuring program says on the serial line (print.c), as rows."""
import re

ROW = re.compile(r'^bench (\w+) +([\d.]+) +(\d+) +(\d+) (\S+) *(.*)$')
WAY = re.compile(r' way=(.*)$')
COUNTS = ('entries', 'space_loads', 'tlb', 'ipis', 'vector_saves', 'bytes_copied')
FAILED = re.compile(r'^bench:? +\w+ +failed: .*$')


def row(line):
    """One line as a dict, or None if it is no row.

    name, unit, n, min, median, max, must, stretch (None: no target), counts (None: not counted), way.
    """
    m = ROW.match(line)
    if not m:
        return None
    name, median, must, stretch, _, rest = m.groups()
    way = WAY.search(rest)
    words = (WAY.sub('', rest)).split()
    keys = dict(w.split('=', 1) for w in words if '=' in w)
    counts = [float(w) for w in words if '=' not in w]
    return {'name': name, 'unit': keys.get('unit', 'instructions'), 'n': int(keys.get('n', 1)),
            'min': float(keys.get('min', median)), 'median': float(median),
            'max': float(keys.get('max', median)),
            'must': int(must) or None, 'stretch': int(stretch) or None,
            'counts': dict(zip(COUNTS, counts)) if len(counts) == len(COUNTS) else None,
            'way': way[1].strip() if way else None}


def read(text):
    """All rows of a boot in order, and the lines that say that something failed."""
    lines = text.replace('\r', '').splitlines()
    found = [r for r in map(row, lines) if r]
    failed = [line for line in lines if FAILED.match(line)]
    if 'bench: end' not in text:
        failed.append('the program did not come to its end')
    return found, failed
