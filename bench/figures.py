#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The figures that the documents show, from bench/results.json.

    figures.py          write docs/figures.md, and the part of README.md between its two marks
    figures.py --check  say whether they are what the results say
"""
import argparse
import json
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tools'))
import http_rows  # noqa: E402
import results  # noqa: E402

MARKS = re.compile(r'(<!-- figures -->\n).*(<!-- end of figures -->\n)', re.S)
# Of the rows for time those that the README shows, by the beginning of their names.
SHOWN = ('gate_call', 'spawn_wait', 'fork_exec', 'switch_8', 'scale_', 'read4k_cached', 'read1m_cached',
         'open_', 'disk_', 'udp_', 'tcp_', 'http_')

PAGE = """# Figures

What `{command}` found on {date}, at commit {commit}, as
[`bench/results.json`](../bench/results.json) has it; [benchmarks.md](benchmarks.md) says how it is measured and
what the rows are. This page is made from that file by `bench/figures.py`.

    QEMU        {qemu}
    processor   {cpu}, {memory} of memory
    compiler    {compiler}
    Linux       {linux}: {linux_line}
    on Linux    mitigations are {linux_mitigations}
    on exo      {exo_mitigations}

{tables}
"""
README = """The figures are those of [`bench/results.json`](bench/results.json), made by that command on {date}
at commit {commit} with {compiler} and {qemu}; [`docs/figures.md`](docs/figures.md) has all rows.

{instructions}

Time, on real threads; the ratio is that of boots of the two systems by turns, and its spread stands behind the row.
Here *must* and *stretch* are ratios.

{time}

Bytes, and one HTTP request each, of 100 bytes and of 10 KiB, over a connection that stays open: entries by `httpd`
itself, its packets, what the kernel copied, and what left straight from the frames of the file cache.

{size}

{http}
"""


def block(lines):
    """Lines as they are, in Markdown."""
    return '\n'.join(f'    {line}'.rstrip() for line in lines)


def rows_of(document, mode):
    return [r for r in document['results'] if r['mode'] == mode]


def page(document):
    tables = [f'## In {title}\n\n{block(results.table_lines(rows_of(document, mode)))}'
              for mode, title in results.TITLES.items() if rows_of(document, mode)]
    if document['http']:
        tables.append('## HTTP, a request over a connection that is kept\n\n'
                      + block(http_rows.table_lines(document['http'])))
    return PAGE.format(**document['header'], tables='\n\n'.join(tables))


def excerpt(document):
    aimed = [r for r in rows_of(document, 'instructions') if r['target']]
    shown = [r for r in rows_of(document, 'time') if r['name'].startswith(SHOWN)]
    return README.format(**document['header'], instructions=block(results.table_lines(aimed)),
                         time=block(results.table_lines(shown)),
                         size=block(results.table_lines(rows_of(document, 'size'))),
                         http=block(http_rows.table_lines(document['http'])))


def whole(document, readme):
    """{path: text} of both documents."""
    if not MARKS.search(readme):
        raise SystemExit('figures: README.md has lost the marks between which its figures stand')
    return {'docs/figures.md': page(document),
            'README.md': MARKS.sub(lambda m: m[1] + excerpt(document) + m[2], readme)}


def read(path):
    try:
        with open(os.path.join(TOP, path), encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return ''


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--check', action='store_true')
    options = p.parse_args()
    wrong = 0
    for path, text in whole(json.loads(read('bench/results.json')), read('README.md')).items():
        if not options.check:
            with open(os.path.join(TOP, path), 'w', encoding='utf-8') as file:
                file.write(text)
        elif read(path) != text:
            print(f'{path} does not show what bench/results.json has: run python3 bench/figures.py')
            wrong = 1
    return wrong


if __name__ == '__main__':
    sys.exit(main())
