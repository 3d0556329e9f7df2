"""Where requests leave nginx: `proxy_pass` and its kin, with the upstream they reach."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from gwlint.model.nginx.context import Context
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.units import bytes_of, seconds_of
from gwlint.model.nginx.upstream import Upstream
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.nginx_address import parse_upstream_url
from gwlint.syntax.values.problem import ValueProblem

FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached")
"""Prefixes of the modules that pass requests on; `<family>_pass` names the destination."""

PASS_DIRECTIVES = {f"{family}_pass": family for family in FAMILIES}

_DESTINATION = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<rest>.*)", re.DOTALL)
_UNIX = re.compile(r"unix:(?P<path>[^:]*)(?P<colon>:?)(?P<uri>.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<authority>\[[^\]]*\][^/?]*|[^/?]*)(?P<uri>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Destination:
    """The argument of a pass directive, taken apart. `authority` is `host[:port]` as written."""

    scheme: str
    authority: str
    uri: str

    @classmethod
    def parse(cls, value: str, default_scheme: str) -> Destination:
        found = _DESTINATION.fullmatch(value)
        scheme = ((found and found["scheme"]) or default_scheme).lower()
        rest = found["rest"] if found else value
        unix = _UNIX.fullmatch(rest)
        if unix:
            return cls(scheme, "unix:" + unix["path"], unix["uri"])
        parts = _AUTHORITY.fullmatch(rest)
        if parts is None:
            return cls(scheme, rest, "")
        return cls(scheme, parts["authority"], parts["uri"])

    @property
    def is_variable(self) -> bool:
        """Whether the host is known only when a request comes."""
        return "$" in self.authority

    @property
    def is_tls(self) -> bool:
        return self.scheme in ("https", "grpcs", "suwsgi")


class Pass:
    """One pass directive in one context: a request that matches the context goes there."""

    def __init__(
        self, directive: Directive, context: Context, upstreams: dict[str, Upstream]
    ) -> None:
        self.directive = directive
        self.context = context
        self._upstreams = upstreams
        self.family = PASS_DIRECTIVES[directive.name]

    def __repr__(self) -> str:
        return f"Pass({self.directive.normalised!r})"

    @cached_property
    def is_http(self) -> bool:
        """False for `proxy_pass` of the stream module, which has no requests and no headers."""
        return not self.context.kind.startswith("stream")

    @property
    def word(self) -> Word:
        return self.directive.words[1]

    @cached_property
    def destination(self) -> Destination:
        defaults = {"grpc": "grpc", "proxy": "http" if self.is_http else "tcp"}
        return Destination.parse(self.word.value, defaults.get(self.family, self.family))

    @cached_property
    def upstream(self) -> Upstream | None:
        """The upstream block that it names; None for a plain address or a variable."""
        return self._upstreams.get(self.destination.authority)

    @cached_property
    def address(self) -> Address | None:
        """The address, with the port that the scheme implies, when it names no upstream.

        None when it cannot be read, or is variable.
        """
        if self.upstream is not None or self.destination.is_variable:
            return None
        try:
            return parse_upstream_url(self.word.value).address
        except ValueProblem:
            return None

    def effective(self, suffix: str) -> Effective:
        """The family's own setting: `effective("read_timeout")` is `proxy_read_timeout`, ..."""
        return self.context.effective(f"{self.family}_{suffix}")

    def seconds(self, suffix: str) -> float | None:
        """A time setting in seconds; None when it is unset, a variable or no time."""
        value = self.effective(suffix).value
        return None if value is None else seconds_of(value)

    def size(self, suffix: str) -> int | None:
        """A size setting in bytes; None when it is unset or no size."""
        value = self.effective(suffix).value
        return None if value is None else bytes_of(value)

    def header(self, name: str) -> Word | None:
        """The value set for a request header by `<family>_set_header`; None when none is set."""
        return self._headers.get(name.lower())

    @cached_property
    def _headers(self) -> dict[str, Word]:
        """Name in lower case -> value; the first one of a name counts."""
        found: dict[str, Word] = {}
        for directive in self.effective("set_header").directives:
            if len(directive.words) == 3:
                found.setdefault(directive.words[1].value.lower(), directive.words[2])
        return found
