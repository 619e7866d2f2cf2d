# SPDX-License-Identifier: MIT
"""Results: from the rows of several boots of both systems to one table; docs/benchmarks.md has the schema."""
import re
import statistics

import lines

SCHEMA = 1
AGREE = 0.005           # by which the boots of a counted row may differ
# The same job of exo beside another mechanism of Linux: name of the row, and exo's row.
BESIDE = {'gate_call_futex': 'gate_call', 'event_wake_pipe': 'event_wake',
          'lrpc_call_futex': 'lrpc_call', 'fork_exec_wait': 'spawn_wait',
          **{f'http_{size}_{kind}_least': f'http_{size}_{kind}'
             for size in (100, 10240) for kind in ('kept', 'new')}}
# What times are to be at least, as ratios to Linux: (must, stretch).  Wall time is noise: who misses
# one is told so, and that is all.
TIME_TARGETS = {
    'disk_read4k_qd1': (1.5, 2), 'disk_read4k_qd32': (2, 3), 'disk_read1m': (1, 1.1),
    'open_read4k_close': (3, 8), 'udp_roundtrip': (3, 10), 'tcp_to_1m': (1, 1.5), 'tcp_from_1m': (1, 1.5),
    **{f'http_{size}_{kind}': (2, 8) for size in (100, 10240) for kind in ('kept', 'new')},
}
# Depend on the host even when instructions are counted: the serial port's own clock.
LOOSE = ('boot_to_main', 'udp_echo')


def wanted(name, only):
    """Is one of these words (commas between) found in the name?  No words: any name is wanted."""
    return not only or any(word and word in name for word in only.split(','))


def side(rows):
    """One system's rows of one name, a boot each, as one: None if there is none."""
    if not rows:
        return None
    medians = [r['median'] for r in rows]
    counts = next((r['counts'] for r in rows if r['counts'] and any(r['counts'].values())), None)
    return {'n': sum(r['n'] for r in rows), 'boots': len(rows), 'min': min(r['min'] for r in rows),
            'median': statistics.median(medians), 'max': max(r['max'] for r in rows),
            'spread': round((max(medians) - min(medians)) / (statistics.median(medians) or 1), 4),
            'way': rows[0]['way'], 'counts': counts}


def verdict(value, must, stretch):
    """'stretch', 'must', 'MISSED', or None without a target."""
    if not must:
        return None
    return 'stretch' if value <= (stretch or 0) else 'must' if value <= must else 'MISSED'


def verdict_time(ratio, must, stretch):
    """The same for a ratio, which is to be large."""
    if not must or ratio is None:
        return None
    return 'stretch' if ratio >= stretch else 'must' if ratio >= must else 'MISSED'


def pair_ratios(exo, linux):
    """Linux's figure over exo's, boot by boot: above 1 exo is the faster."""
    return [round(b['median'] / a['median'], 3) for a, b in zip(exo, linux) if a['median']]


def result(name, mode, exo, linux):
    """One result of rows of one name."""
    first = (exo or linux)[0]
    ratios = pair_ratios(exo, linux)
    ours, ratio = side(exo), statistics.median(ratios) if ratios else None
    must, stretch, word = None, None, None
    if mode == 'instructions' and first['unit'] == 'instructions':
        must, stretch = next(((r['must'], r['stretch']) for r in exo + linux if r['must']), (None, None))
        word = verdict(ours['median'], must, stretch) if ours else None
    elif mode == 'time':
        must, stretch = TIME_TARGETS.get(name, (None, None))
        word = verdict_time(ratio, must, stretch)
    return {'name': name, 'unit': first['unit'], 'mode': mode, 'exo': ours, 'linux': side(linux),
            'ratio': ratio, 'ratio_min': min(ratios, default=None),
            'ratio_max': max(ratios, default=None), 'target': must, 'stretch': stretch, 'verdict': word}


def mode_of(mode, rows):
    """Sizes are sizes in whatever boot they were told."""
    return 'size' if rows[0]['unit'] == 'bytes' else mode


def combine(mode, exo_boots, linux_boots):
    """Results of boots, each a list of rows; in the order of exo's rows, Linux's alone behind."""
    by_name = {}
    for boots, index in ((exo_boots, 0), (linux_boots, 1)):
        for boot in boots:
            for row in boot:
                by_name.setdefault(row['name'], ([], []))[index].append(row)
    for name, ours in BESIDE.items():
        if name in by_name and ours in by_name:
            by_name[name] = (by_name[ours][0], by_name[name][1])
    found = [result(name, mode_of(mode, a or b), a, b) for name, (a, b) in by_name.items()]
    return [r for r in found if mode != 'time' or r['mode'] == 'time']


def disagreements(results):
    """Words on counted rows whose boots differ by more than AGREE."""
    found = []
    for r in results:
        for system in ('exo', 'linux'):
            s = r[system]
            if r['mode'] == 'instructions' and r['unit'] == 'instructions' and s \
                    and s['spread'] > AGREE and r['name'] not in LOOSE:
                found.append(f'{r["name"]} on {system}: {s["boots"]} boots differ by '
                             f'{s["spread"] * 100:.1f} %')
    return found


def problems(document):
    """What is wrong with a results file, in words; nothing if it keeps to the schema."""
    found = []
    if document.get('schema') != SCHEMA:
        return [f'schema {document.get("schema")!r}, not {SCHEMA}']
    for key in ('qemu', 'compiler', 'flags', 'commit', 'cpu', 'exo_mitigations', 'linux_mitigations'):
        if not isinstance(document.get('header', {}).get(key), str):
            found.append(f'header: no {key}')
    seen = set()
    for r in document.get('results', []):
        name, mode = r.get('name'), r.get('mode')
        if (name, mode) in seen:
            found.append(f'{name}: twice in mode {mode}')
        seen.add((name, mode))
        if mode not in ('instructions', 'time', 'size'):
            found.append(f'{name}: mode {mode!r}')
        for key in ('unit', 'exo', 'linux', 'ratio', 'target'):
            if key not in r:
                found.append(f'{name}: no {key}')
        for system in ('exo', 'linux'):
            s = r.get(system)
            if s and not (s['n'] >= 1 and s['min'] <= s['median'] <= s['max']):
                found.append(f'{name}: n, min, median and max of {system} cannot be')
        if not r.get('exo') and not r.get('linux'):
            found.append(f'{name}: no figure')
    if not seen:
        found.append('no results')
    return found


def number(value):
    """A figure for people: four digits at least, no more than one behind the point."""
    if value is None:
        return '-'
    return f'{value:,.1f}' if abs(value) < 100 and value % 1 else f'{value:,.0f}'


def times(ratio):
    """A ratio for people; a small one is not to look like none."""
    return f'{ratio:.1f}' if ratio >= 0.95 else f'{ratio:.2g}'


def goal(r, key):
    """Target or stretch for people: instructions, or for time a ratio."""
    if r['mode'] == 'time' and r[key]:
        return f'{r[key]:g}x'
    return number(r[key])


def counts_text(s):
    """The hidden costs of one operation, in words."""
    if not s or not s['counts']:
        return ''
    return ', '.join(f'{v:g} {k.replace("_", " ")}' for k, v in s['counts'].items() if v)


# Rows of work that people count by the second, or in MiB by the second.
RATES = re.compile(r'^(http|tcp|udp|disk)_')
RATES_MIB = re.compile(r'_\w*1m$')


def rate_text(r):
    """A row of time as a rate, in words."""
    if r['mode'] != 'time' or not RATES.match(r['name']):
        return ''
    word = ' MiB/s' if RATES_MIB.search(r['name']) else ' a second'
    ours, theirs = (s and s['median'] and number(1e9 / s['median']) for s in (r['exo'], r['linux']))
    return f'{ours or "-"}{word}' + (f', Linux {theirs}' if theirs else '')


def label(r):
    """The name, with the unit if it is none of the usual ones."""
    return r['name'] if r['unit'] in ('instructions', 'ns', 'bytes') else f'{r["name"]} ({r["unit"]})'


def other_text(r):
    """Which of several programs Linux's figure is of: the others stand behind it in its way."""
    if not r['name'].startswith('http_') or not r['linux'] or not r['linux']['way']:
        return ''
    return 'beside ' + r['linux']['way'].partition(' (')[0].partition(':')[0]


def notes(r):
    """What stands beside a row: hidden costs, its rate, and what Linux did it with."""
    return '; '.join(filter(None, (counts_text(r['exo']), rate_text(r), other_text(r))))


TITLES = {'instructions': 'instructions (exact, one CPU)', 'time': 'nanoseconds (only ratios mean much; must and stretch are ratios)',
          'size': 'sizes'}


def table_lines(rows):
    """The table of rows of one mode."""
    yield (f'{"operation":24} {"exo":>13} {"Linux":>13} {"ratio":>8} {"must":>9} {"stretch":>9} '
           f'{"verdict":8}  on exo, for one operation')
    for r in rows:
        ours, theirs = (s and s['median'] for s in (r['exo'], r['linux']))
        ratio = f'{times(r["ratio"])}x' if r['ratio'] else '-'
        spread = f' ({times(r["ratio_min"])} to {times(r["ratio_max"])})' if r['mode'] == 'time' and r['ratio'] \
            else ''
        yield (f'{label(r):24} {number(ours):>13} {number(theirs):>13} {ratio:>8} '
               f'{goal(r, "target"):>9} {goal(r, "stretch"):>9} {r["verdict"] or "-":8}  '
               f'{notes(r)}{spread}'.rstrip())


def table(results):
    """Print all results, a table for each mode."""
    for mode, title in TITLES.items():
        rows = [r for r in results if r['mode'] == mode]
        if rows:
            print('', title, *table_lines(rows), sep='\n')


def read_all(boots):
    """Rows of texts of boots; and what failed."""
    found, failed = [], []
    for text, why in boots:
        rows, words = lines.read(text)
        found.append(rows)
        failed += words + ([why] if why else [])
    return found, failed
