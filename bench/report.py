#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report.html out of results.json: one file, no script, nothing fetched, right when printed.

usage: report.py RESULTS.json > report.html

Bars show how many times exo's cost the other system's is, on a logarithmic axis; curves show how a
cost grows with a number that stands in the rows' names (read64_cached, filter_1000); and plots how many
times as much several processors do as one.
"""
import json
import sys

import results
from plots import CURVES, SPEEDUPS, bars, curve, escape, speedup

STYLE = '''
:root { --ink: #1d2733; --dim: #66717d; --line: #d8dde3; --exo: #14629c; --linux: #c2701c; --bad: #b3261e; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
p.lead { color: var(--dim); margin: 0 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin-top: 1.2rem; }
th, td { padding: .22rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.missed { color: var(--bad); font-weight: 600; } td.way { color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: 13px; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); }
svg .dim { fill: var(--dim); } .key b { font-weight: 600; } .key .e { color: var(--exo); } .key .l { color: var(--linux); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; } figcaption { font-size: 13px; color: var(--dim); }
td.n { white-space: nowrap; } td.n span { display: block; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10pt; } table, dl, figcaption { font-size: 7.5pt; }
  th, td { padding: .1rem .3rem; } h2 { break-after: avoid; } tr, svg, figure { break-inside: avoid; }
  .plots { grid-template-columns: 1fr 1fr; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } @page { margin: 15mm; } }
'''


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
                   f'<td class="n">{ratio}</td><td class="n">{results.goal(r, "target")}</td>'
                   f'<td class="n">{results.goal(r, "stretch")}</td>'
                   f'<td class="{"missed" if word == "MISSED" else ""}">{word}</td>'
                   f'<td>{escape(results.notes(r))}</td><td class="way">{ways(r)}</td></tr>')
    return f'<table><thead>{head}</thead><tbody>{"".join(out)}</tbody></table>'


def section(document, mode):
    rows = [r for r in document['results'] if r['mode'] == mode]
    if not rows:
        return ''
    plots = ''.join(curve(rows, *c) for c in CURVES) + ''.join(speedup(rows, *c) for c in SPEEDUPS)
    key = ('<p class="lead">A thin line is the spread of the boots, a stroke what the ratio must be.</p>'
           if mode == 'time' else '')
    return (f'<h2>In {escape(results.TITLES[mode])}</h2>{key}{bars(rows)}'
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
