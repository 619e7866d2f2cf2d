# SPDX-License-Identifier: MIT
"""report.py - results for the reader of the terminal and for JUnit XML.

Invariant: the last line is exactly `N passed, N failed, N skipped`.
"""

import re
import sys
import xml.etree.ElementTree as xml

import outcome

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def print_job(job, results, seconds):
    """One line for a job, then one for each case that did not simply pass."""
    bad = [r for r in results if r.outcome not in outcome.GOOD]
    skipped = [r for r in results if r.outcome == outcome.SKIP]
    word = "FAIL" if bad else ("skip" if len(skipped) == len(results) else "ok")
    print(f"{word:4} {job.name}  ({len(results)} case{'s' * (len(results) != 1)}, {seconds:.1f} s)")
    for result in bad + skipped:
        print(f"       {result.outcome}: {result.name}: {result.reason}")
    for folder in sorted({r.artefacts for r in bad if r.artefacts}):
        print(f"       see {folder}")
    sys.stdout.flush()


def write_junit(results, path):
    """Write JUnit XML; a case `a/b/c` has class a.b and name c."""
    suites = xml.Element("testsuites")
    suite = xml.SubElement(suites, "testsuite", name="exo", tests=str(len(results)))
    counts = {"failures": 0, "skipped": 0}
    for result in results:
        where, _, name = result.name.rpartition("/")
        case = xml.SubElement(suite, "testcase", name=name, time=f"{result.seconds:.3f}",
                              classname=where.replace("/", ".") or "exo")
        reason = NOT_XML.sub("?", result.reason)
        if result.outcome == outcome.SKIP:
            counts["skipped"] += 1
            xml.SubElement(case, "skipped", message=reason)
        elif result.outcome != outcome.PASS:
            counts["failures"] += 1
            xml.SubElement(case, "failure", type=result.outcome, message=reason).text = \
                f"artefacts: {result.artefacts}"
    for key, value in counts.items():
        suite.set(key, str(value))
    xml.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def summary(results):
    """The last line, and whether the run is good."""
    passed = sum(r.outcome == outcome.PASS for r in results)
    skipped = sum(r.outcome == outcome.SKIP for r in results)
    failed = len(results) - passed - skipped
    return f"{passed} passed, {failed} failed, {skipped} skipped", failed == 0
