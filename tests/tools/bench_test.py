#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench_test.py - the tools of bench/ held against made results: reading, ratios, schema, comparison,
budget, report.  Prints `ok NAME` or `FAIL NAME: reason`; nothing is booted.
"""
import contextlib
import copy
import importlib.util
import io
import json
import os
import re
import sys
import types
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'bench'))
import budget  # noqa: E402
import compare  # noqa: E402
import figures  # noqa: E402
import lines  # noqa: E402
import plots  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import network_rows  # noqa: E402
import servers  # noqa: E402
import systems  # noqa: E402

SPEC = importlib.util.spec_from_file_location('bench_run', os.path.join(os.path.dirname(results.__file__), 'run.py'))
runner = importlib.util.module_from_spec(SPEC)      # tools/ has a run.py too
SPEC.loader.exec_module(runner)

EXO = '''exo 0.1\r
bench operation               instr    must stretch verdict  entries  spaces\r
bench null_call                33.0      50      30 must         1.0     0.0     0.0     0.0     0.0     0.0 n=3 min=33.0 max=33.0 unit=instructions\r
bench gate_call               285.0     300     200 must         2.0     2.0     0.0     0.0     0.0     0.0 n=3 min=285.0 max=285.0 unit=instructions\r
bench spawn_wait           120000.5   80000   40000 MISSED      53.5     2.0    29.0     0.0     0.0   704.0 n=11 min=117667.3 max=121665.8 unit=instructions way=spawn\r
bench broken               failed: a time slot ended in every try\r
bench: end rows=3 missed=1\r
'''
LINUX = '''bench null_call               330.0       0       0 -            0.0     0.0     0.0     0.0     0.0     0.0 n=101 min=308.4 max=385.5 unit=instructions way=getppid
bench gate_call             12750.0       0       0 -            0.0     0.0     0.0     0.0     0.0     0.0 n=101 min=8912.6 max=14847.7 unit=instructions way=two pipes
bench gate_call_futex       11400.0       0       0 -            0.0     0.0     0.0     0.0     0.0     0.0 n=101 min=8009.4 max=14680.6 unit=instructions way=futex
bench: end rows=3 missed=0
'''
HEADER = dict.fromkeys(('qemu', 'compiler', 'flags', 'commit', 'cpu', 'exo_mitigations',
                        'linux_mitigations'), 'words')


def made():
    """A document of one boot of each system."""
    found = results.combine('instructions', [lines.read(EXO)[0]], [lines.read(LINUX)[0]])
    return {'schema': results.SCHEMA, 'header': dict(HEADER), 'results': found, 'http': []}


def of(document, name):
    return next(r for r in document['results'] if r['name'] == name)


def check_lines():
    rows, failed = lines.read(EXO)
    yield 'rows_are_read', [r['name'] for r in rows] == ['null_call', 'gate_call', 'spawn_wait'], rows
    yield 'a_row_whole', (rows[2]['min'], rows[2]['max'], rows[2]['n'], rows[2]['way'],
                          rows[2]['counts']['bytes_copied']) == (117667.3, 121665.8, 11, 'spawn', 704), rows[2]
    yield 'a_failure_is_seen', len(failed) == 1 and 'broken' in failed[0], failed
    yield 'a_missing_end_is_seen', len(lines.read(EXO.replace('bench: end', 'x'))[1]) == 2, ''
    lost = lines.read(EXO.replace('bench gate_call', 'gate_call'))[1]
    yield 'a_lost_line_is_seen', 'lost' in lost[-1] and not lines.whole(EXO.replace('bench gate', 'x')), lost
    cut = EXO.replace('max=33.0 unit=instructions\r\nbench gate_call', 'mbench gate_call')
    yield 'two_lines_in_one', len(lines.read(cut)[0]) == 1 and not lines.whole(cut), lines.read(cut)
    yield 'all_lines_came', lines.whole(EXO) and lines.whole(LINUX), ''
    yield 'words_of_a_way_are_kept', lines.read(LINUX)[0][1]['way'] == 'two pipes', ''


def check_results():
    document = made()
    yield 'ratio', of(document, 'null_call')['ratio'] == 10.0, of(document, 'null_call')
    yield 'other_mechanism_beside', (of(document, 'gate_call_futex')['exo']['median'],
                                     of(document, 'gate_call_futex')['ratio']) == (285.0, 40.0), ''
    yield 'no_equal_leaves_it_empty', of(document, 'spawn_wait')['linux'] is None, ''
    yield 'verdicts', [of(document, n)['verdict'] for n in ('null_call', 'spawn_wait')] == ['must', 'MISSED'], ''
    yield 'target', of(document, 'null_call')['target'] == 50, ''
    yield 'keeps_to_the_schema', not results.problems(document), results.problems(document)
    for key in ('unit', 'exo', 'linux', 'ratio', 'target'):
        spoilt = made()
        del spoilt['results'][0][key]
        yield f'missing_{key}_is_refused', bool(results.problems(spoilt)), ''
    spoilt = made()
    spoilt['results'][0]['exo']['min'] = 99.0
    yield 'order_of_min_and_median', bool(results.problems(spoilt)), ''
    spoilt = made()
    spoilt['header'].pop('commit')
    yield 'header_is_checked', bool(results.problems(spoilt)), ''
    spoilt = made()
    spoilt['results'] *= 2
    yield 'a_row_twice_is_refused', bool(results.problems(spoilt)), ''


def check_agreement():
    one, two = lines.read(EXO)[0], copy.deepcopy(lines.read(EXO)[0])
    alike = results.combine('instructions', [one, two], [])
    yield 'equal_boots_agree', not results.disagreements(alike), ''
    two[0]['median'] = two[0]['max'] = 33.3
    found = results.disagreements(results.combine('instructions', [one, two], []))
    yield 'boots_that_differ_do_not', len(found) == 1 and 'null_call' in found[0], found
    slow = copy.deepcopy(lines.read(LINUX)[0])
    slow[0]['median'] *= 2
    r = results.combine('time', [one, one, one], [lines.read(LINUX)[0], slow, slow])[0]
    yield 'time_is_paired', (r['ratio'], r['ratio_min'], r['ratio_max']) == (20.0, 10.0, 20.0), r
    yield 'time_has_no_target', r['target'] is None and r['verdict'] is None, r


def compared(old, new):
    """Status and words of bench/compare.py for two documents."""
    folder = os.environ.get('TMPDIR', '/tmp')
    paths = []
    for name, document in (('old', old), ('new', new)):
        paths.append(os.path.join(folder, f'bench-test-{name}.json'))
        with open(paths[-1], 'w', encoding='utf-8') as file:
            json.dump(document, file)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        status = compare.main(paths)
    return status, text.getvalue()


def check_compare():
    new = made()
    status, text = compared(made(), new)
    yield 'nothing_changed', status == 0 and 'nothing changed' in text, text
    for key in ('min', 'median', 'max'):
        of(new, 'gate_call')['exo'][key] = 300.0
    status, text = compared(made(), new)
    yield 'growth_is_shown', status == 1 and '+5.3 %' in text and 'grown: gate_call' in text, text
    status, text = compared(new, made())
    yield 'less_is_shown_and_good', status == 0 and '-5.0 %' in text, text
    new['results'] = [r for r in new['results'] if r['name'] != 'null_call']
    yield 'a_row_that_went_is_shown', 'gone' in compared(made(), new)[1], ''
    new['header']['qemu'] = 'another'
    yield 'another_machine_is_said', 'measured differently: qemu' in compared(made(), new)[1], ''
    old = [{'min': 10, 'median': 20, 'max': 30}, {'min': 25, 'median': 40, 'max': 50}]
    yield 'noise_of_time_is_none', compare.changed('time', *old, 0.005) is None, ''
    old[1]['min'] = 31
    yield 'time_beyond_the_noise', compare.changed('time', *old, 0.005) == 1.0, ''


BUDGET = '''# words
row        gcc-12             clang-14
null_call  33/1/0/0/0/0/0     30/1/0/0/0/0/0
gate_call  285/2/2/0/0/0/0    -
'''


def check_budget():
    columns, table = budget.parse(BUDGET)
    rows = lines.read(EXO)[0]
    yield 'budget_is_read', columns == ['gcc-12', 'clang-14'] and table['gate_call']['gcc-12'][0] == 285, table
    yield 'budget_again', budget.parse(budget.text_of(columns, table)) == (columns, table), ''
    yield 'within_it', not budget.growth('gcc-12', table, rows), budget.growth('gcc-12', table, rows)
    grown = copy.deepcopy(rows)
    grown[1]['median'] = 291.0
    found = budget.growth('gcc-12', table, grown)
    yield 'growth_names_row_and_figures', found == ['gate_call: instructions grew from 285 to 291'], found
    grown[1]['median'] = 290.0
    yield 'less_than_2_percent_is_none', not budget.growth('gcc-12', table, grown), ''
    grown[1]['counts']['space_loads'] = 3.0
    found = budget.growth('gcc-12', table, grown)
    yield 'hidden_cost_grows', found == ['gate_call: space loads grew from 2 to 3'], found
    yield 'other_column', len(budget.growth('clang-14', table, rows)) == 1, ''
    yield 'not_measured', budget.growth('gcc-12', table, rows[:1]) == ['gate_call: not measured'], ''
    with open(budget.PATH, encoding='utf-8') as file:
        columns, table = budget.parse(file.read())
    yield 'the_budget_has_the_primitives', {'null_call', 'fault_upcall', 'prot1', 'gate_call', 'yield_pair',
                                            'event_wake', 'filter_1000'} <= set(table), sorted(table)


def timed(name, unit, exo, linux):
    """A result of one row of time on each system."""
    rows = [[{'name': name, 'unit': unit, 'n': 1, 'min': v, 'median': v, 'max': v, 'must': None,
              'stretch': None, 'counts': None, 'way': None}] for v in (exo, linux)]
    return results.combine('time', [rows[0]], [rows[1]])[0]


def check_time_targets():
    found = [timed('disk_read4k_qd1', 'ns', 100.0, v) for v in (149.0, 150.0, 200.0)]
    yield 'time_is_judged_by_its_ratio', [r['verdict'] for r in found] == ['MISSED', 'must', 'stretch'], found
    yield 'time_targets_are_ratios', (found[0]['target'], found[0]['stretch']) == (1.5, 2), found[0]
    yield 'no_ratio_no_verdict', results.combine('time', [[dict(lines.read(EXO)[0][0], name='tcp_to_1m')]],
                                                 [])[0]['verdict'] is None, ''
    table = list(results.table_lines(found))
    yield 'ratios_are_shown_as_such', re.search(r' 1\.5x +2x MISSED', table[1]), table[1]
    row = plain_row('disk_read4k_qd1', 100.0)
    yield 'instructions_have_no_ratio', results.combine('instructions', [[row]], [])[0]['target'] is None, ''
    least = timed('http_100_kept_least', 'ns', 100.0, 100.0)
    yield 'the_least_server_is_no_target', least['target'] is None and least['verdict'] is None, least
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        status = [runner.misses_tell(found[:1]), runner.misses_tell(made()['results'])]
    yield 'a_slow_time_is_told_only', status == [False, True] and \
        'UNDER ITS RATIO in this run: disk_read4k_qd1: 1.49 ' in text.getvalue(), text.getvalue()


def plain_row(name, median, way=None):
    return {'name': name, 'unit': 'ns', 'n': 1, 'min': median, 'median': median, 'max': median, 'must': None,
            'stretch': None, 'counts': None, 'way': way}


def check_servers():
    boots = [[plain_row('http_100_kept', 30.0, 'a'), plain_row('http_100_kept', 20.0, 'b'),
              plain_row('tcp_connect', 5.0, 'sockets')],
             [plain_row('http_100_kept', 10.0, 'a'), plain_row('http_100_kept', 22.0, 'b')],
             [plain_row('http_100_kept', 32.0, 'a'), plain_row('http_100_kept', 24.0, 'b')]]
    found = network_rows.fastest(boots)
    kept = [[r for r in boot if r['name'] == 'http_100_kept'] for boot in found]
    yield 'the_fastest_server_in_all_boots', [[r['median'] for r in boot] for boot in kept] == [[20.0], [22.0], [24.0]], found
    yield 'the_others_are_named', kept[0][0]['way'] == 'b (a 1.36 times as long)', kept[0]
    yield 'other_rows_stay', found[0][1]['name'] == 'tcp_connect', found[0]
    least = results.combine('time', [[plain_row('http_100_kept', 10.0)]],
                            [[plain_row('http_100_kept', 30.0), plain_row('http_100_kept_least', 15.0)]])
    yield 'the_least_server_beside', [(r['name'], r['ratio']) for r in least] == \
        [('http_100_kept', 3.0), ('http_100_kept_least', 1.5)], least
    members = dict((name, data) for name, _, data in servers.members())
    yield 'servers_have_their_documents', len(members['www/100']) == 100 and len(members['www/10240']) == 10240, ''
    started = members['etc/servers'].decode().splitlines()
    yield 'each_server_is_started', len(started) == len(servers.found()) and \
        all(line.split()[0][1:] in members for line in started), started


def check_parts():
    options = types.SimpleNamespace(cpus=0, scale_cpus=2, only='')
    yield 'scaling_has_its_own_boot', runner.parts(options, False, ['d']) == \
        [('', 1, ()), ('disk', 1, ['d']), ('scaling', 2, ())], runner.parts(options, False, ['d'])
    yield 'not_in_instructions', len(runner.parts(options, True, [])) == 2, ''
    options.only = 'prot1'
    yield 'not_when_others_are_asked_for', len(runner.parts(options, False, [])) == 2, ''
    options.only = 'scale_map_2'
    yield 'when_asked_for', len(runner.parts(options, False, [])) == 3, ''
    options = types.SimpleNamespace(cpus=4, scale_cpus=4, only='')
    yield 'as_many_as_said', [cpus for _, cpus, _ in runner.parts(options, False, [])] == [4, 4, 4], ''


def scaled(exo, other):
    """Results of scale_1, scale_2, ... in ns on each system."""
    def rows(values):
        return [plain_row(f'scale_{n}', v) for n, v in enumerate(values, 1)]
    return results.combine('time', [rows(exo)], [rows(other)])


def check_speedup():
    rows = scaled([100.0, 50.0, 40.0], [300.0, 300.0])
    yield 'speeds', plots.speeds(rows, 'scale_') == [[(1, 1.0), (2, 2.0), (3, 2.5)], [(1, 1.0), (2, 1.0)]], \
        plots.speeds(rows, 'scale_')
    text = plots.speedup(rows, 'words', 'scale_')
    spots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', text)
    ideal = re.search(r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" stroke="#66717d"', text)
    x0, y0, x1, y1 = (float(v) for v in ideal.groups())

    def on_line(spot):
        x, y = (float(v) for v in spot)
        return abs(y - (y0 + (y1 - y0) * (x - x0) / (x1 - x0))) < 0.3
    yield 'speedup_beside_the_ideal', [on_line(s) for s in spots] == [True, True, False, True, False], spots
    svg = text[text.index('<svg'):text.index('</svg>') + 6]
    yield 'speedup_is_well_formed', xml.etree.ElementTree.fromstring(svg).tag == 'svg', svg
    text = plots.speedup(scaled([100.0, 50.0], [300.0]), 'words', 'scale_')
    yield 'one_point_is_a_point', text.count('<circle') == 3 and text.count('<polyline') == 1, text
    yield 'one_processor_is_no_plot', plots.speedup(scaled([100.0], [300.0]), 'words', 'scale_') == '', ''
    yield 'no_system_is_no_plot', plots.speedup(scaled([], []), 'words', 'scale_') == '', ''
    yield 'without_its_first_no_line', plots.speeds(scaled([100.0], []), 'scale_')[1] == [], ''


def check_figures():
    document = made()
    document['header'].update(dict.fromkeys(('command', 'date', 'memory', 'linux', 'linux_line'), 'words'),
                              commit='abc1234')
    readme = 'before\n<!-- figures -->\nold\n<!-- end of figures -->\nbehind\n'
    pages = figures.whole(document, readme)
    text = pages['README.md']
    yield 'figures_between_the_marks', text.startswith('before\n<!-- figures -->\n') and \
        text.endswith('<!-- end of figures -->\nbehind\n') and 'old' not in text, text
    yield 'figures_say_the_commit', all('abc1234' in page for page in pages.values()), text
    yield 'figures_of_aimed_rows', re.search(r'gate_call +285 ', text) and 'gate_call_futex' in text, text
    yield 'figures_again', figures.whole(document, text) == pages, text


def check_notes():
    served, stream = timed('http_100_new', 'ns', 200000.0, 500000.0), timed('tcp_to_1m', 'ns', 1e7, 2e7)
    share = timed('share_error_321', 'ppm', 100.0, 200.0)
    yield 'requests_by_the_second', results.notes(served) == '5,000 a second, Linux 2,000', results.notes(served)
    yield 'streams_in_mib', results.notes(stream) == '100 MiB/s, Linux 50', results.notes(stream)
    yield 'a_share_is_no_rate', results.notes(share) == '' and share['mode'] == 'time', results.notes(share)
    yield 'a_small_ratio_is_seen', (results.times(0.0086), results.times(12.34)) == ('0.0086', '12.3'), ''
    yield 'an_unusual_unit_is_said', results.label(share) == 'share_error_321 (ppm)' and \
        results.label(stream) == 'tcp_to_1m', results.label(share)


def curve_span(low, high):
    """By how many units the ends of a curve between two values differ in height."""
    rows = [timed(f'filter_{n}', 'ns', v, v) for n, v in ((1, low), (100, high))]
    heights = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', plots.curve(
        rows, 'words', r'^filter_(\d+)$'))]
    return max(heights) - min(heights)


def check_report():
    document = made()
    page = report.page(document)
    body = page[page.index('<svg'):page.index('</svg>') + 6]
    yield 'svg_is_well_formed', xml.etree.ElementTree.fromstring(body).tag == 'svg', ''
    yield 'nothing_is_fetched', 'http' not in page and '<script' not in page and '@import' not in page, ''
    yield 'every_row_is_there', all(f'<td>{r["name"]}</td>' in page for r in document['results']), ''
    document['header']['commit'] = '<b>&'
    yield 'words_are_escaped', '<dd>&lt;b&gt;&amp;</dd>' in report.page(document), ''
    yield 'a_flat_curve_looks_flat', curve_span(120.0, 150.0) < 30 < curve_span(12.0, 150.0), ''
    yield 'empty_boots_make_a_page', '</html>' in report.page({**document, 'results': []}), ''


def check_initramfs():
    data = systems.cpio([('a', 0o100644, b'xyz'), ('folder/b', 0o100755, b'')])
    names, at = [], 0
    while at < len(data):
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        names.append((data[at + 110:at + 110 + fields[11] - 1].decode(), fields[1], fields[6]))
        at = (at + 110 + fields[11] + 3) // 4 * 4
        at = (at + fields[6] + 3) // 4 * 4
    yield 'initramfs', names == [('a', 0o100644, 3), ('folder/b', 0o100755, 0), ('TRAILER!!!', 0, 0)], names


def main():
    bad = 0
    for group in (check_lines, check_results, check_agreement, check_compare, check_budget, check_figures, check_notes,
                  check_time_targets, check_servers, check_parts, check_speedup,
                  check_report, check_initramfs):
        for name, good, why in group():
            print(f'ok {name}' if good else f'FAIL {name}: {str(why)[:300]}'.rstrip(': '))
            bad += not good
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
