#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What changed between two results: compare.py OLD.json NEW.json [PERCENT]

Prints each figure of exo that is new, gone, or differs by more than PERCENT (0.5), worst first; for
time, only where the two spreads do not touch.  Returns 0 if no counted figure grew by more than that.
"""
import json
import sys

import results


def load(path):
    try:
        with open(path, encoding='utf-8') as file:
            document = json.load(file)
    except (OSError, ValueError) as error:
        raise SystemExit(f'{path}: cannot be read as results: {error}') from None
    wrong = results.problems(document)
    if wrong:
        raise SystemExit(f'{path}: these are no results as of now: {wrong[0]}')
    return document


def sides(document):
    """{(mode, name): exo's side} of those that exo has."""
    return {(r['mode'], r['name']): r['exo'] for r in document['results'] if r['exo']}


def changed(mode, old, new, part):
    """The change as a part of the old figure, or None if it is none."""
    change = (new['median'] - old['median']) / (old['median'] or 1)
    apart = new['min'] > old['max'] or new['max'] < old['min']
    if abs(change) <= part or (mode == 'time' and not apart):
        return None
    return change


def compare(old, new, part):
    """[(change or None, mode, name, old side or None, new side or None)], the worst first."""
    before, after = sides(old), sides(new)
    found = []
    for key in sorted({*before, *after}):
        a, b = before.get(key), after.get(key)
        change = changed(key[0], a, b, part) if a and b else None
        if change is not None or not (a and b):
            found.append((change, *key, a, b))
    return sorted(found, key=lambda f: -(f[0] if f[0] is not None else -9e9))


def differences(old, new):
    """What of the machines makes the two hard to compare, in words."""
    keys = ('qemu', 'compiler', 'flags', 'cpu', 'cpus', 'memory', 'linux')
    return [f'{k}: {old["header"].get(k)} / {new["header"].get(k)}' for k in keys
            if old['header'].get(k) != new['header'].get(k)]


def main(arguments):
    if len(arguments) not in (2, 3):
        raise SystemExit(__doc__)
    old, new = load(arguments[0]), load(arguments[1])
    part = float(arguments[2] if len(arguments) == 3 else 0.5) / 100
    for line in differences(old, new):
        print(f'measured differently: {line}')
    found = compare(old, new, part)
    print(f'{"operation":24} {"mode":12} {"old":>13} {"new":>13} {"change":>9}')
    for change, mode, name, a, b in found:
        word = f'{change * 100:+.1f} %' if change is not None else 'new' if b else 'gone'
        print(f'{name:24} {mode:12} {results.number(a and a["median"]):>13} '
              f'{results.number(b and b["median"]):>13} {word:>9}')
    if not found:
        print('nothing changed')
    grown = [f[2] for f in found if f[0] and f[0] > 0 and f[1] == 'instructions'
             and f[2] not in results.LOOSE]
    if grown:
        print('grown: ' + ', '.join(grown))
    return 1 if grown else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
