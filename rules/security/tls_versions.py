"""Which TLS versions a `bind` line accepts, by its own words and `ssl-default-bind-options`.

Measured on 2.6.12 and 2.8.25: a word on the line stands before the same one in the global section;
of `ssl-min-ver`, `ssl-max-ver` and `force-*` the last one counts; with one of them `no-tlsv1x` is
ignored, with a warning; without, `no-tlsv1x` takes versions out of TLS 1.2 and 1.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.bind_line import BindLine
from gwlint.syntax.values.parameters import Parameter, ParameterList, read_parameters

VERSIONS = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
SAFE_MINIMUM = "TLSv1.2"
DEFAULT_SINCE = "2.2"
"""From here on TLS 1.2 is the lowest version of `bind` unless one is set; before, TLS 1.0."""

FORCED = {
    "force-sslv3": "SSLv3",
    "force-tlsv10": "TLSv1.0",
    "force-tlsv11": "TLSv1.1",
    "force-tlsv12": "TLSv1.2",
    "force-tlsv13": "TLSv1.3",
}
TAKEN_OUT = {
    "no-sslv3": "SSLv3",
    "no-tlsv10": "TLSv1.0",
    "no-tlsv11": "TLSv1.1",
    "no-tlsv12": "TLSv1.2",
    "no-tlsv13": "TLSv1.3",
}


def is_weak(version: str) -> bool:
    """Whether a version, as configurations write it, is below TLS 1.2."""
    return version in VERSIONS and VERSIONS.index(version) < VERSIONS.index(SAFE_MINIMUM)


@dataclass(frozen=True, slots=True)
class Bound:
    """A lowest or highest version, and the words that set it: two, or one for `force-*`."""

    version: str
    keyword: Word
    value: Word | None


@dataclass(frozen=True, slots=True)
class VersionWords:
    """What the words of one line say of versions."""

    minimum: Bound | None
    maximum: Bound | None
    taken_out: tuple[Word, ...]


def version_words(parameters: ParameterList) -> VersionWords:
    """The words about versions among the parameters of a line; those of a variable left out."""
    minimum: Bound | None = None
    maximum: Bound | None = None
    taken_out: list[Word] = []
    for one in parameters.parameters:
        bound = _bound(one)
        if one.keyword.value in TAKEN_OUT:
            taken_out.append(one.keyword)
        elif bound is None:
            continue
        elif one.keyword.value in FORCED:
            minimum = maximum = bound
        elif one.keyword.value == "ssl-min-ver":
            minimum = bound
        else:
            maximum = bound
    return VersionWords(minimum, maximum, tuple(taken_out))


def _bound(parameter: Parameter) -> Bound | None:
    keyword, value = parameter.keyword, parameter.value
    if keyword.value in FORCED:
        return Bound(FORCED[keyword.value], keyword, None)
    if keyword.value in ("ssl-min-ver", "ssl-max-ver") and value is not None:
        return Bound(value.value, keyword, value) if value.value in VERSIONS else None
    return None


def default_options(config: HaproxyConfig, side: str) -> list[tuple[Line, ParameterList]]:
    """The lines `ssl-default-bind-options` or `ssl-default-server-options` of the global section.

    `side` is "bind" or "server".
    """
    return [
        (line, ParameterList(read_parameters(side, line.arguments)))
        for section in config.global_sections
        for line in section.lines
        if line.keyword == f"ssl-default-{side}-options"
    ]


def tls_binds(config: HaproxyConfig) -> Iterator[BindLine]:
    """The `bind` lines with `ssl`, of frontends that are not disabled and without `.if`."""
    for frontend in config.frontends:
        if frontend.is_disabled:
            continue
        for line, bind in frontend.binds:
            hangs = any(one.uncertain or one.unknown for one in bind.parameters)
            if "ssl" in bind and not line.conditions and not hangs:
                yield bind
