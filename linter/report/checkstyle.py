"""A report in the format of Checkstyle, which many CI servers and review tools read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from gwlint.project.files import Status
from gwlint.report.places import Checkout
from gwlint.report.printable import printable
from gwlint.report.wording import clipped, message_and_advice
from gwlint.report.xml import document
from gwlint.rule import Finding

if TYPE_CHECKING:
    from gwlint.engine import Report

VERSION = "4.3"
"""The version of Checkstyle whose format this is; readers expect one."""


def render(report: Report) -> str:
    """All findings, info findings included, by file; and the files that could not be read."""
    checkout = Checkout()
    root = Element("checkstyle", version=VERSION)
    for path, findings in groupby(report.findings, lambda finding: finding.path):
        file = SubElement(root, "file", name=printable(checkout.path_of(path)))
        for finding in findings:
            SubElement(file, "error", _attributes(finding))
    for unread in report.project.files:
        if unread.status is Status.UNREADABLE:
            file = SubElement(root, "file", name=printable(checkout.path_of(unread.path)))
            message = f"cannot be read: {clipped(unread.reason)}"
            SubElement(file, "error", severity="error", message=message, source="gwlint")
    return document(root)


def _attributes(finding: Finding) -> dict[str, str]:
    begin = finding.span.begin_position
    return {
        "line": str(begin.line),
        "column": str(begin.column),
        "severity": finding.severity.label,
        "message": message_and_advice(finding),
        "source": f"gwlint.{finding.rule.topic()}.{finding.code}",
    }
