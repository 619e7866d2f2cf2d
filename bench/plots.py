# SPDX-License-Identifier: MIT
"""Plots of results as SVG: bars of ratios, curves over a number that stands in the rows' names, and what
more processors do."""
import html
import math
import re

import results

ROW_H, LEFT, WIDTH, RIGHT = 20, 180, 900, 90
PAGE_ROWS = 50          # at most in one piece
OWN_PLOT = ('scale_',)
CURVES = (      # caption, pattern of names whose number is the x axis
    ('Reading so many bytes that are cached', r'^read(\d+[km]?)_cached$'),
    ('Deciding a packet among so many bindings', r'^filter_(\d+)$'),
    ('Deciding a packet by so many programs, interpreted', r'^filter_interpreted_(\d+)$'),
    ('Deciding a packet by so many programs, compiled', r'^filter_compiled_(\d+)$'),
    ('Switching among so many programs', r'^switch_(\d+)$'),
    ('Looking up a claim among so many', r'^claims_lookup_(\d+)$'),
)
SPEEDUPS = (    # caption, beginning of names whose number is how many processors work
    ('Changing the rights of own pages', 'scale_'),
    ('Mapping and unmapping a page of one\'s own', 'scale_map_'),
    ('Calling the kernel for nothing', 'scale_null_'),
    ('A loop without the kernel: what the host gives', 'scale_user_'),
)
UNITS = {'k': 1024, 'm': 1 << 20}
EXO, OTHER = '#14629c', '#c2701c'


def escape(text):
    return html.escape(str(text))


def text_at(x, y, text, anchor='start', css=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{escape(text)}</text>'


def ticks(low, high):
    """Powers of ten within [low, high]."""
    return [10.0 ** k for k in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high)) + 1)]


def bars(rows):
    """Bars of ratios, with the spread of those of time and a stroke where they must be, in pieces that fit
    a page; rows without one are left out, and those that have plots of their own."""
    rows = [r for r in rows if r['ratio'] and not r['name'].startswith(OWN_PLOT)]
    if not rows:
        return ''
    low = min(0.5, *(r['ratio'] for r in rows))
    high = max(10.0, *(r['ratio'] for r in rows)) * 1.1
    pieces = -(-len(rows) // PAGE_ROWS)
    each = -(-len(rows) // pieces)
    return ''.join(bars_piece(rows[at:at + each], low, high) for at in range(0, len(rows), each))


def bars_piece(rows, low, high):
    """Bars of these rows on an axis from `low` to `high`."""
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
        colour = EXO if r['ratio'] >= 0.995 else '#b3261e'
        out.append(text_at(LEFT - 8, y + 11, r['name'], 'end'))
        out.append(f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" height="13" '
                   f'rx="2" fill="{colour}"/>')
        end = right
        if r['mode'] == 'time':
            first, last = place(max(r['ratio_min'], low)), place(min(r['ratio_max'], high))
            out.append(f'<line x1="{first:.1f}" x2="{last:.1f}" y1="{y + 6.5}" y2="{y + 6.5}" '
                       'stroke="#1d2733"/>')
            end = max(right, last)
            if r['target']:     # a ratio too
                at = place(r['target'])
                out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y - 3}" y2="{y + 16}" '
                           'stroke="#1d2733" stroke-width="2"/>')
                end = max(end, at)
        out.append(text_at(end + 6, y + 11, f'{results.times(r["ratio"])}x', css='dim'))
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
    width, height, left, bottom = 420, 230, 74, 200
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
    for index, colour in ((1, EXO), (2, OTHER)):
        line = [at(p[0], p[index]) for p in found if p[index]]
        if not line:
            continue
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in line]
    return ''.join(out) + f'</svg><figcaption>{escape(caption)} ({found_unit(rows, pattern)})</figcaption></figure>'


def speeds(rows, start):
    """[[(processors, how many times as much as one does)] of exo, of Linux]; empty without one's figure."""
    found = points(rows, f'^{start}(\\d+)$')
    lines = []
    for index in (1, 2):
        one = next((p[index] for p in found if p[0] == 1), None)
        lines.append([(p[0], one / p[index]) for p in found if p[index]] if one else [])
    return lines


def speedup(rows, caption, start):
    """One plot of what more processors do, both axes linear from 0, and the line of what they could do;
    nothing unless one system was measured on two."""
    lines = speeds(rows, start)
    most = max((x for line in lines for x, _ in line), default=0)
    if most < 2:
        return ''
    width, height, left, bottom = 420, 230, 74, 200
    high = max(most, *(y for line in lines for _, y in line)) * 1.04

    def at(x, y):
        return left + x / most * (width - left - 34), bottom - y / high * (bottom - 12)
    out = [f'<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(caption)}">',
           f'<path d="M{left} 8V{bottom}H{width - 12}" fill="none" stroke="#66717d"/>']
    for n in range(1, most + 1):
        x, y = at(n, n)
        out.append(f'<line x1="{left}" x2="{width - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dde3"/>')
        out.append(text_at(left - 6, y + 4, f'{n}x', 'end', 'dim'))
        out.append(text_at(x, bottom + 16, n, 'middle', 'dim'))
    (x0, y0), (x1, y1) = at(0, 0), at(most, most)
    out.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="#66717d" '
               'stroke-dasharray="4 4"/>')
    for line, colour in zip(lines, (EXO, OTHER)):
        path = ' '.join('{:.1f},{:.1f}'.format(*at(*p)) for p in line)
        if len(line) > 1:
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += ['<circle cx="{:.1f}" cy="{:.1f}" r="3.5" fill="{}"/>'.format(*at(*p), colour) for p in line]
    return ''.join(out) + (f'</svg><figcaption>{escape(caption)}, on so many processors: how many times as '
                           'much as on one (dashed: as many times as processors)</figcaption></figure>')


def short(x):
    """A number as on an axis."""
    for size, letter in ((1 << 20, 'Mi'), (1024, 'Ki')):
        if x >= size and x % size == 0:
            return f'{x // size}{letter}'
    return f'{x:,}'


def found_unit(rows, pattern):
    return next(r['unit'] for r in rows if re.match(pattern, r['name']))
