"""The effective value of a directive at a place, with where it comes from."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gwlint.source import Span
from gwlint.syntax.nginx.tree import Directive, Word

if TYPE_CHECKING:
    from gwlint.model.nginx.context import Context

ARRAY_DIRECTIVES = frozenset(
    {
        "access_log",
        "add_header",
        "add_trailer",
        "allow",
        "auth_jwt_require",
        "deny",
        "error_log",
        "error_page",
        "fastcgi_hide_header",
        "fastcgi_param",
        "fastcgi_pass_header",
        "grpc_hide_header",
        "grpc_pass_header",
        "grpc_set_header",
        "js_header_filter",
        "limit_conn",
        "limit_req",
        "more_clear_headers",
        "more_set_headers",
        "proxy_cookie_domain",
        "proxy_cookie_flags",
        "proxy_cookie_path",
        "proxy_hide_header",
        "proxy_no_cache",
        "proxy_pass_header",
        "proxy_redirect",
        "proxy_set_header",
        "proxy_ssl_conf_command",
        "scgi_hide_header",
        "scgi_param",
        "scgi_pass_header",
        "set_real_ip_from",
        "ssl_conf_command",
        "sub_filter",
        "uwsgi_hide_header",
        "uwsgi_param",
        "uwsgi_pass_header",
    }
)
"""Directives that form a list: a level that sets one drops the outer list (measured: faults.md,
`proxy_set_header` and `add_header` in a location drop the inherited ones)."""


class Effective(NamedTuple):
    """What `name` is worth at one place.

    `directives` are those in force (several for array directives, none when the default holds);
    `context` is where they stand; `default` is the default of the target version as the
    documentation writes it. `is_certain` is False when an include that could not be followed, or
    the unknown surroundings of a fragment, might say otherwise.
    """

    name: str
    directives: tuple[Directive, ...]
    context: Context | None
    default: str | None
    is_certain: bool

    @property
    def overridden(self) -> tuple[Directive, ...]:
        """The outer directives without effect, from inner to outer.

        Looked up when asked for: kept, they would take the square of the levels in memory.
        """
        if self.context is None:
            return ()
        outer = islice(self.context.outward(), 1, None)
        return tuple(one for context in outer for one in context.own(self.name))

    @property
    def is_set(self) -> bool:
        return bool(self.directives)

    @property
    def directive(self) -> Directive | None:
        return self.directives[0] if self.directives else None

    @property
    def span(self) -> Span | None:
        return self.directives[0].span if self.directives else None

    @property
    def words(self) -> list[Word]:
        """The arguments as written; empty when the default holds."""
        return self.directives[0].arguments if self.directives else []

    @property
    def values(self) -> list[str]:
        """The arguments of the directive, or those of the default; empty without either."""
        if self.directives:
            return self.directives[0].values
        return self.default.split() if self.default else []

    @property
    def value(self) -> str | None:
        """The first argument."""
        values = self.values
        return values[0] if values else None
