from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.buffers import (
    BUFFER_FAMILIES,
    BUFFERS,
    BUSY,
    HEADER,
    LIMIT,
    SUFFIXES,
    WRITE,
    Buffers,
    Inequality,
    buffers_at,
)
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.buffers.levels import FamilyLevels, in_kilobytes, statement_text


class BuffersInconsistent(NginxRule):
    """The sizes of the buffers contradict each other, and nginx does not start.

    ## Problem
    Let B be the larger one of `proxy_buffer_size` and one of `proxy_buffers`. nginx demands two
    buffers at least; `proxy_busy_buffers_size`, which is twice B unless set, from B up to all
    buffers but one; `proxy_temp_file_write_size` and `proxy_max_temp_file_size` (unless it is 0)
    of B at least. The same holds for fastcgi, uwsgi and scgi.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: `proxy_buffer_size 16k` alone, over the default
    `proxy_buffers 8 4k`, does not start; 14k does. nginx checks each server and each location,
    also without `proxy_pass` and with `proxy_buffering off`; so values that are written at several
    levels meet in the inner one, and a value of the http level is checked in each server even if
    all its locations override it.

    ## In the log
    At start: `[emerg] "proxy_busy_buffers_size" must be less than the size of all "proxy_buffers"
    minus one buffer`, `[emerg] "proxy_busy_buffers_size" must be equal to or greater than the
    maximum of the value of "proxy_buffer_size" and one of the "proxy_buffers"`, `[emerg] there must
    be at least 2 "proxy_buffers"`. The line that is named is the end of the block, not the
    directive.

    ## Silent when
    What could not be read, an include or the surroundings of a fragment, may hold a value with
    which nginx starts; the level http has no server that inherits from it.

    ## Fix safety
    Raises what is too small and lowers nothing, at the level where the values meet. It is left out
    where another level that inherits or includes the line would fail instead.

    ## Learnt
    Of 76 places where 1,478 published files write these sizes none is inconsistent, since such a
    file never ran. The fault is met while a file is edited: a size is raised alone, against
    "upstream sent too big header".

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_busy_buffers_size
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_temp_file_write_size
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_max_temp_file_size
    """

    code = "NGX202"
    name = "buffers-inconsistent"
    severity = Severity.ERROR
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffer_size 16k;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                proxy_buffer_size 16k;
                proxy_buffers 8 16k;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffers 4 8k;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location ~ \\.php$ {
                        fastcgi_pass 127.0.0.1:9000;
                        fastcgi_buffer_size 32k;
                        fastcgi_buffers 8 32k;
                        fastcgi_busy_buffers_size 16k;
                        fastcgi_temp_file_write_size 16k;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                proxy_buffer_size 16k;
                proxy_buffers 8 16k;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_busy_buffers_size 32k;
                    }
                    location /small {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffers 4 16k;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for family in BUFFER_FAMILIES:
            levels = FamilyLevels(config, family)
            for level in levels.written:
                for inequality in _broken_here(levels, level):
                    if level.kind != "http" or _is_inherited(levels, level, inequality):
                        yield self._at(level, levels, inequality)
                        break

    def _at(self, level: Context, levels: FamilyLevels, inequality: Inequality) -> Finding:
        own, family = levels.own(level), levels.family
        buffers = buffers_at(level, family)
        suffixes = [one for one in _concerned(inequality, buffers) if one in own]
        directive = own[suffixes[0]]
        last = max(own.values(), key=lambda one: (one.source.path, one.start))
        raised = levels.raised(level, last)
        related = tuple(
            Label(outer.span, "the other value")
            for suffix in inequality.value
            if suffix != suffixes[0] and (outer := level.effective(levels.names[suffix]).directive)
        )
        if raised is None:
            advice = _advice(family, inequality)
            fix = None
        else:
            settings, edits = raised
            wanted = " and ".join(
                statement_text(family, suffix, settings[suffix])
                for suffix in SUFFIXES
                if suffix in settings
            )
            advice = f"set {wanted}"
            fix = Fix("raise the buffers that are too small", Safety.SAFE, tuple(edits))
        return self.finding(
            directive,
            _message(family, inequality, buffers),
            advice=advice,
            related=related,
            fix=fix,
        )


def _broken_here(levels: FamilyLevels, level: Context) -> list[Inequality]:
    """The inequalities that certainly fail here, and of which something is written here."""
    own = levels.own(level)
    seen = buffers_at(level, levels.family)
    assumed = seen.broken()
    return [
        inequality
        for inequality in buffers_at(level, levels.family, kindest=True).broken()
        if inequality in assumed and any(one in own for one in _concerned(inequality, seen))
    ]


def _is_inherited(levels: FamilyLevels, http: Context, inequality: Inequality) -> bool:
    """Whether the values of the http level meet in a server: http alone is not checked."""
    for server in http.children:
        if server.kind != "http server":
            continue
        own, seen = levels.own(server), buffers_at(server, levels.family)
        certain = buffers_at(server, levels.family, kindest=True)
        if inequality not in seen.broken() or inequality not in certain.broken():
            continue
        if not any(suffix in own for suffix in _concerned(inequality, seen)):
            return True
    return False


def _concerned(inequality: Inequality, buffers: Buffers) -> list[str]:
    """The suffixes whose values decide: of the two that make B, only the larger one does."""
    smaller: set[str] = set()
    if inequality is Inequality.BUSY_LEAVES_ONE:
        smaller = {HEADER} if buffers.busy is not None or buffers.header <= buffers.size else set()
    elif inequality is not Inequality.TWO_BUFFERS and buffers.header != buffers.size:
        smaller = {HEADER if buffers.header < buffers.size else BUFFERS}
    return [suffix for suffix in inequality.value if suffix not in smaller]


def _message(family: str, inequality: Inequality, buffers: Buffers) -> str:
    largest = in_kilobytes(buffers.largest)
    source = HEADER if buffers.header >= buffers.size else BUFFERS
    one = f"{family}_buffer_size" if source == HEADER else f"one of {family}_buffers"
    busy = in_kilobytes(buffers.busy_in_force)
    if inequality is Inequality.TWO_BUFFERS:
        return f"nginx does not start: {family}_buffers must be 2 at least, not {buffers.count}"
    if inequality is Inequality.BUSY_LEAVES_ONE:
        why = "" if buffers.busy is not None else f" (by default twice {one}, {largest})"
        return (
            f"nginx does not start: {family}_busy_buffers_size {busy}{why} is more than all"
            f" {family}_buffers but one, {buffers.count - 1} x {in_kilobytes(buffers.size)}"
        )
    suffix, size = {
        Inequality.BUSY_HOLDS_ONE: (BUSY, buffers.busy),
        Inequality.WRITE_HOLDS_ONE: (WRITE, buffers.write),
        Inequality.LIMIT_HOLDS_ONE: (LIMIT, buffers.limit),
    }[inequality]
    return (
        f"nginx does not start: {family}_{suffix} {in_kilobytes(size or 0)} is less than {one},"
        f" {largest}"
    )


def _advice(family: str, inequality: Inequality) -> str:
    return f"raise {family}_{inequality.value[0]} or lower what it must hold"
