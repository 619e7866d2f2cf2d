#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report.html out of results.json: one file, no script, nothing fetched, right when printed.

usage: report.py RESULTS.json > report.html

Bars show how many times the other system's cost exo's is, on a logarithmic axis; curves show how a
cost grows with a number that stands in the rows' names (read64_cached, filter_1000).
"""
import html
import json
import math
import re
import sys

import results

STYLE = '''
:root { --ink: #1d2733; --dim: #66717d; --line: #d8dde3; --exo: #14629c; --linux: #c2701c; --bad: #b3261e; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
p.lead { color: var(--dim); margin: 0 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: .22rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.missed { color: var(--bad); font-weight: 600; } td.way { color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: 13px; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); }
svg .dim { fill: var(--dim); } .key b { font-weight: 600; } .key .e { color: var(--exo); } .key .l { color: var(--linux); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; } figcaption { font-size: 13px; color: var(--dim); }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2, tr { break-after: avoid; break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } @page { margin: 15mm; } }
'''
ROW_H, LEFT, WIDTH, RIGHT = 20, 170, 900, 90
CURVES = (      # caption, pattern of names whose number is the x axis
    ('Reading so many bytes that are cached', r'^read(\d+[km]?)_cached$'),
    ('Deciding a packet among so many bindings', r'^filter_(\d+)$'),
    ('Deciding a packet by so many programs, interpreted', r'^filter_interpreted_(\d+)$'),
    ('Deciding a packet by so many programs, compiled', r'^filter_compiled_(\d+)$'),
    ('Switching among so many programs', r'^switch_(\d+)$'),
    ('Looking up a claim among so many', r'^claims_lookup_(\d+)$'),
    ('Throughput of so many processors, one operation', r'^scale_(\d+)$'),
)
UNITS = {'k': 1024, 'm': 1 << 20}


def escape(text):
    return html.escape(str(text))


def text_at(x, y, text, anchor='start', css=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{escape(text)}</text>'


def ticks(low, high):
    """Powers of ten within [low, high]."""
    return [10.0 ** k for k in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high)) + 1)]


def bars(rows):
    """Bars of ratios; rows without one are left out."""
    rows = [r for r in rows if r['ratio']]
    if not rows:
        return ''
    low = min(0.5, *(r['ratio'] for r in rows))
    high = max(10.0, *(r['ratio'] for r in rows)) * 1.1
    scale = (WIDTH - LEFT - RIGHT) / math.log(high / low)

    def place(value):
        return LEFT + math.log(value / low) * scale
    bottom = len(rows) * ROW_H + 8
    out = [f'<svg viewBox="0 0 {WIDTH} {bottom + 22}" role="img" aria-label="ratios">']
    for t in ticks(low, high):
        out.append(f'<line x1="{place(t):.1f}" x2="{place(t):.1f}" y1="0" y2="{bottom}" '
                   f'stroke="{"#66717d" if t == 1 else "#d8dde3"}"/>')
        out.append(text_at(place(t), bottom + 15, f'{t:g}x', 'middle', 'dim'))
    for n, r in enumerate(rows):
        y, edge = n * ROW_H + 4, place(r['ratio'])
        left, right = sorted((edge, place(1.0)))
        colour = '#14629c' if r['ratio'] >= 0.995 else '#b3261e'
        out.append(text_at(LEFT - 8, y + 11, r['name'], 'end'))
        out.append(f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" height="13" '
                   f'rx="2" fill="{colour}"/>')
        if r['mode'] == 'time' and r['ratio_min']:
            out.append(f'<line x1="{place(max(r["ratio_min"], low)):.1f}" '
                       f'x2="{place(min(r["ratio_max"], high)):.1f}" y1="{y + 6.5}" y2="{y + 6.5}" '
                       'stroke="#1d2733"/>')
        out.append(text_at(max(right, edge) + 6, y + 11, f'{results.times(r["ratio"])}x', css='dim'))
    return ''.join(out) + '</svg>'


def points(rows, pattern):
    """[(x, exo or None, linux or None)] of the rows whose name the pattern finds."""
    found = []
    for r in rows:
        m = re.match(pattern, r['name'])
        if m:
            word = m[1]
            x = int(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS else int(word)
            found.append((x, *(s and s['median'] for s in (r['exo'], r['linux']))))
    return sorted(found)


def curve(rows, caption, pattern):
    """One plot, both axes logarithmic; nothing for fewer than two points."""
    found = points(rows, pattern)
    values = [v for _, *pair in found for v in pair if v]
    if len(found) < 2 or not values:
        return ''
    width, height, left, bottom = 420, 230, 62, 200
    x_low, x_high = found[0][0], found[-1][0]
    # Whole powers of ten: a small difference is not to look like a large one.
    y_low = 10.0 ** math.floor(math.log10(min(values) * 0.95))
    y_high = 10.0 ** math.ceil(math.log10(max(values) * 1.05))

    def at(x, y):
        return (left + math.log(x / x_low) / math.log(x_high / x_low) * (width - left - 20),
                bottom - math.log(y / y_low) / math.log(y_high / y_low) * (bottom - 12))
    out = [f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(caption)}">',
           f'<path d="M{left} 8V{bottom}H{width - 12}" fill="none" stroke="#66717d"/>']
    for t in ticks(y_low, y_high):
        y = at(x_low, t)[1]
        out.append(f'<line x1="{left}" x2="{width - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dde3"/>')
        out.append(text_at(left - 6, y + 4, f'{t:,.0f}', 'end', 'dim'))
    free = 0.0
    for x, *_ in found:         # a word where there is room for it
        if at(x, y_low)[0] >= free:
            last = at(x, y_low)[0] > width - 40     # nothing may stand beyond the edge
            out.append(text_at(at(x, y_low)[0] + 14 * last, bottom + 16, short(x),
                               'end' if last else 'middle', 'dim'))
            free = at(x, y_low)[0] + 38
    for index, colour in ((1, '#14629c'), (2, '#c2701c')):
        line = [at(p[0], p[index]) for p in found if p[index]]
        if not line:
            continue
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in line]
    return ''.join(out) + f'</svg><figcaption>{escape(caption)} ({found_unit(rows, pattern)})</figcaption></figure>'


def short(x):
    """A number as on an axis."""
    for size, letter in ((1 << 20, 'Mi'), (1024, 'Ki')):
        if x >= size and x % size == 0:
            return f'{x // size}{letter}'
    return f'{x:,}'


def found_unit(rows, pattern):
    return next(r['unit'] for r in rows if re.match(pattern, r['name']))


def ways(r):
    """Both mechanisms, in words."""
    return ' / '.join(escape(s['way']) for s in (r['exo'], r['linux']) if s and s['way'])


def spread(s):
    """Figure of one side, with its least and greatest as a hint."""
    if not s:
        return '<td class="n">-</td>'
    hint = f'n={s["n"]}, {results.number(s["min"])} to {results.number(s["max"])}'
    return f'<td class="n" title="{hint}">{results.number(s["median"])}</td>'


def table(rows, mode):
    head = ('<tr><th>operation</th><th class="n">exo</th><th class="n">Linux</th><th class="n">ratio</th>'
            '<th class="n">must</th><th class="n">stretch</th><th>verdict</th>'
            '<th>on exo, for one operation</th><th>means: exo / Linux</th></tr>')
    out = []
    for r in rows:
        ratio = f'{results.times(r["ratio"])}x' if r['ratio'] else '-'
        if mode == 'time' and r['ratio']:
            ratio += f' <span style="color:#66717d">({results.times(r["ratio_min"])} to {results.times(r["ratio_max"])})</span>'
        word = r['verdict'] or '-'
        out.append(f'<tr><td>{escape(results.label(r))}</td>{spread(r["exo"])}{spread(r["linux"])}'
                   f'<td class="n">{ratio}</td><td class="n">{results.number(r["target"])}</td>'
                   f'<td class="n">{results.number(r["stretch"])}</td>'
                   f'<td class="{"missed" if word == "MISSED" else ""}">{word}</td>'
                   f'<td>{escape(results.notes(r))}</td><td class="way">{ways(r)}</td></tr>')
    return f'<table><thead>{head}</thead><tbody>{"".join(out)}</tbody></table>'


def section(document, mode):
    rows = [r for r in document['results'] if r['mode'] == mode]
    if not rows:
        return ''
    plots = ''.join(curve(rows, *c) for c in CURVES)
    return (f'<h2>In {escape(results.TITLES[mode])}</h2>{bars(rows)}'
            + (f'<div class="plots">{plots}</div>' if plots else '') + table(rows, mode))


def page(document):
    """The whole file."""
    head = ''.join(f'<dt>{escape(k.replace("_", " "))}</dt><dd>{escape(v)}</dd>'
                   for k, v in document['header'].items())
    http = ''.join(f'<dt>{escape(r["name"])}</dt><dd>' + ', '.join(
        f'{v:g} {escape(k)}' for k, v in r['per_request'].items()) + '</dd>' for r in document.get('http', []))
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f'<title>exo beside Linux</title><style>{STYLE}</style></head><body>'
            '<h1>exo beside Linux</h1><p class="lead">The same work on the same machine in the same run. '
            'A ratio says how many times exo\'s cost Linux takes. <span class="key"><b class="e">exo</b>, '
            '<b class="l">Linux</b></span></p>'
            + ''.join(section(document, mode) for mode in results.TITLES)
            + (f'<h2>What a request costs httpd on exo</h2><dl>{http}</dl>' if http else '')
            + f'<h2>How it was measured</h2><dl>{head}</dl></body></html>\n')


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding='utf-8') as file:
        print(page(json.load(file)), end='')


if __name__ == '__main__':
    main()
