"""What must hold for any bytes: one function a target, which raises when something does not.

`fuzz.py` looks for bytes that break one; tests/test_fuzz_seeds.py repeats those it kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from gwlint.edits import apply, changes_for
from gwlint.engine import check
from gwlint.generate.problems import SpecErrors
from gwlint.generate.reader import read_spec
from gwlint.model.facts import facts_of
from gwlint.project import load_project
from gwlint.project.reading import Overlay, Unreadable
from gwlint.registry import all_rules, require_known_selectors, require_usable_options
from gwlint.report.formats import FORMATS
from gwlint.report.github import step_summary
from gwlint.report.masking import masked, shown_data
from gwlint.report.style import Style
from gwlint.report.text import View
from gwlint.rule import Rule
from gwlint.settings import Settings, SettingsError, SettingsProblem
from gwlint.settings_file import SettingsFile
from gwlint.source import Source, decode
from gwlint.syntax.haproxy.parser import parse as parse_haproxy
from gwlint.syntax.nginx.parser import parse as parse_nginx
from gwlint.syntax.suppressions import suppression_comments
from gwlint.syntax.values.addresses import parse_address, parse_bind_addresses, parse_server_address
from gwlint.syntax.values.log_format import parse_log_format
from gwlint.syntax.values.nginx_address import (
    parse_listen_address,
    parse_upstream_server,
    parse_upstream_url,
)
from gwlint.syntax.values.nginx_units import parse_offset, parse_time
from gwlint.syntax.values.nginx_units import parse_size as parse_nginx_size
from gwlint.syntax.values.samples import parse_sample
from gwlint.syntax.values.sizes import parse_size as parse_haproxy_size
from gwlint.syntax.values.times import parse_time as parse_haproxy_time
from gwlint.syntax.version import Version

VALUES: tuple[Callable[[str], object], ...] = (
    parse_address,
    parse_server_address,
    parse_bind_addresses,
    parse_log_format,
    parse_listen_address,
    parse_upstream_server,
    parse_upstream_url,
    parse_offset,
    parse_time,
    parse_nginx_size,
    parse_sample,
    parse_haproxy_size,
    parse_haproxy_time,
    Version.parse,
)
"""What reads a single value. Each may refuse with ValueError and nothing else."""


class Nothing:
    """A disk without files, so that an include of fuzzed text reads nothing of this machine."""

    def read(self, absolute: str) -> bytes:
        raise Unreadable(f"{absolute} is not there")

    def is_file(self, absolute: str) -> bool:  # noqa: ARG002 - the protocol's
        return False


def nginx(data: bytes) -> None:
    """The tree spells the file, and its comments are read."""
    file = parse_nginx(Source("nginx.conf", data))
    assert b"".join(piece.raw for piece in file.pieces()) == data
    list(suppression_comments(file))


def haproxy(data: bytes) -> None:
    """The tree spells the file, and its comments are read."""
    file = parse_haproxy(Source("haproxy.cfg", data))
    assert b"".join(piece.span.raw for piece in file.pieces()) == data
    list(suppression_comments(file))


def nginx_check(data: bytes) -> None:
    """All rules, fixes and formats bear any nginx file."""
    _whole_run("nginx.conf", "nginx", data)


def haproxy_check(data: bytes) -> None:
    """All rules, fixes and formats bear any HAProxy file."""
    _whole_run("haproxy.cfg", "haproxy", data)


def values(data: bytes) -> None:
    """Single values: read, or refused with ValueError. The first byte says by which grammar."""
    if data:
        try:
            VALUES[data[0] % len(VALUES)](decode(data[1:]))
        except ValueError:
            return


def spec(data: bytes) -> None:
    """The spec of generate: read, or refused with its places."""
    try:
        read_spec("spec.yaml", data)
    except SpecErrors:
        return


def settings(data: bytes) -> None:
    """gwlint.yaml: read, or refused with its places."""
    problems: list[SettingsProblem] = []
    reader = SettingsFile("gwlint.yaml", os.getcwd(), problems)  # noqa: PTH109 - a text is asked
    root = reader.compose(data)
    if root is not None:
        reader.settings(root)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


@cache
def _rules() -> list[type[Rule]]:
    return list(all_rules())


def _whole_run(name: str, dialect: str, data: bytes) -> None:
    options = Settings(dialect=dialect, profile="strict")
    path = os.path.abspath(name)  # noqa: PTH100 - as above
    project = load_project([name], options, Overlay({path: data}, Nothing()))
    report = masked(check(project, options, _rules()))
    for finding in report.findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(data)
        if finding.fix is not None:
            apply(data, changes_for(name, [finding.fix]))
    for render in FORMATS.values():
        printed = render(report, _VIEW)
        assert all(char.isprintable() or char == "\n" for char in printed)
    step_summary(report, _VIEW)


_VIEW = View(Style(colour=False), brief=False, with_info=True)


def suppressions(data: bytes) -> None:
    """A comment for gwlint in either dialect, and what becomes of it; secrets keep their length."""
    nginx_check(b"# gwlint: " + data + b"\nevents {}\n")
    haproxy_check(b"defaults\n    mode http # gwlint: " + data + b"\n")
    shown = shown_data(Source("x", data))
    assert len(shown) == len(data)
    assert shown.count(b"\n") == data.count(b"\n")


def settings_check(data: bytes) -> None:
    """gwlint.yaml, and where it is one, a check that goes by it."""
    problems: list[SettingsProblem] = []
    folder = os.getcwd()  # noqa: PTH109 - a text is asked
    reader = SettingsFile("gwlint.yaml", folder, problems)
    root = reader.compose(data)
    values = {} if root is None else reader.settings(root)
    if problems or root is None:
        return
    options = Settings(folder=folder, file="gwlint.yaml", places=reader.places, **values)
    try:
        require_known_selectors(options)
        require_usable_options(options)
        facts_of(options)
    except SettingsError:
        return
    path = f"{folder}/nginx.conf"
    text = b"events {}\nhttp { server { location / { proxy_pass http://127.0.0.1:3000; } } }\n"
    project = load_project([path], options, Overlay({path: text}, Nothing()))
    report = masked(check(project, options, _rules()))
    for render in FORMATS.values():
        render(report, _VIEW)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "nginx_check": nginx_check,
    "haproxy_check": haproxy_check,
    "values": values,
    "spec": spec,
    "settings": settings,
    "settings_check": settings_check,
    "suppressions": suppressions,
}
