"""A report in the JUnit format of Jenkins and GitLab: one suite a file, one case a finding.

A file without findings is a case that passes, so that no CI server finds an empty suite.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from gwlint.project.files import ConfigFile, Status
from gwlint.report.places import Checkout
from gwlint.report.printable import printable
from gwlint.report.wording import clipped, heading
from gwlint.report.xml import document
from gwlint.rule import Finding, Severity

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View


def render(report: Report, view: View) -> str:
    """The findings that text would list; others would let a test fail that gwlint lets pass."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.severity >= view.listed_from:
            found[finding.path].append(finding)
    checkout = Checkout()
    root = Element("testsuites", name="gwlint")
    for file in report.project.files:
        _add_suite(root, file, found[file.path], printable(checkout.path_of(file.path)))
    _count(root)
    return document(root)


def _add_suite(root: Element, file: ConfigFile, findings: list[Finding], place: str) -> None:
    name = printable(file.path)
    suite = SubElement(root, "testsuite", name=name)
    for finding in findings:
        begin = finding.span.begin_position
        # Cases of one name would be taken for one case, hence the line and column.
        title = f"{heading(finding)} at {begin.line}:{begin.column}"
        case = SubElement(
            suite, "testcase", classname=name, name=title, file=place, line=str(begin.line)
        )
        outcome = SubElement(
            case,
            "error" if _is_unparsed(file, finding) else "failure",
            message=clipped(finding.message),
            type=finding.severity.label,
        )
        outcome.text = (
            f"{name}:{begin.line}:{begin.column}: {clipped(finding.message)}\n"
            f"Advice: {clipped(finding.advice)}"
        )
    if file.status is Status.UNREADABLE:
        case = SubElement(suite, "testcase", classname=name, name="gwlint", file=place)
        SubElement(case, "error", message=f"cannot be read: {clipped(file.reason)}", type="error")
    elif not findings:
        case = SubElement(suite, "testcase", classname=name, name="gwlint", file=place)
        if file.status is Status.SKIPPED_TEMPLATE:
            SubElement(case, "skipped", message=clipped(file.reason))
    _count(suite)


def _is_unparsed(file: ConfigFile, finding: Finding) -> bool:
    """Whether the file could not be parsed for what the finding says."""
    return (
        file.status is Status.SYNTAX_ERROR
        and finding.severity is Severity.ERROR
        and finding.rule.topic() == "syntax"
    )


def _count(element: Element) -> None:
    """Write how many cases an element holds, and how they ended."""
    for name, tag in (
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        element.set(name, str(sum(1 for _ in element.iter(tag))))
