# SPDX-License-Identifier: MIT
"""What a measuring program says on the serial line (print.c), as rows."""
import re

ROW = re.compile(r'^bench (\w+) +([\d.]+) +(\d+) +(\d+) (\S+) *(.*)$')
WAY = re.compile(r' way=(.*)$')
COUNTS = ('entries', 'space_loads', 'tlb', 'ipis', 'vector_saves', 'bytes_copied')
END = re.compile(r'^bench: end rows=(\d+) missed=\d+\s*$', re.M)
FAILED = re.compile(r'^bench:? +\w+ +failed: .*$')


def row(line):
    """One line as a dict, or None if it is no row, or was cut on its way.

    name, unit, n, min, median, max, must, stretch (None: no target), counts (None: not counted), way.
    """
    m = ROW.match(line)
    try:
        return m and fields(m)
    except ValueError:
        return None


def fields(m):
    """The dict of a matched line; ValueError for what no program prints."""
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
    end = END.search(text)
    if not end:
        failed.append('the program did not come to its end')
    elif int(end[1]) != len(found):
        failed.append(f'{end[1]} rows were printed, {len(found)} came: the serial line lost some')
    return found, failed


def whole(text):
    """Did all come that was printed?"""
    end = END.search(text)
    return bool(end) and int(end[1]) == sum(1 for line in text.splitlines() if row(line))
