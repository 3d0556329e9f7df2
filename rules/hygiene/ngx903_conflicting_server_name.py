from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.sockets import Listen, Socket, sockets_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.source import Span
from gwlint.syntax.nginx.tree import Directive, Word


class ConflictingServerName(NginxRule):
    """Two servers of one socket have the same name, and the second one is never used for it.

    ## Problem
    Two server blocks listen on the same address and port and have the same `server_name`, or both
    have none. nginx keeps the first and ignores the name in the second.

    ## Why
    Measured on nginx 1.22.1: each request for the name went to the application of the first block,
    which was down, and became a 502; the second block was never asked. It is loaded without an
    error.

    ## In the log
    At start: `[warn] conflicting server name "example.com" on 0.0.0.0:80, ignored`

    ## Silent when
    The addresses differ (`80` and `127.0.0.1:80` are two sockets to nginx, `[::]:80` is a third);
    the name is a regular expression, or has a variable; the same block names it twice, which does
    no harm; a block has neither `listen` nor all of its includes.

    ## Fix safety
    None: which of the two blocks is meant is not known.

    ## Learnt
    `.example.com` stands for `example.com` and for `*.example.com`, and nginx reports both. Two
    blocks without a name conflict too, as do two with `_`.

    ## References
    - https://nginx.org/en/docs/http/server_names.html
    - https://nginx.org/en/docs/http/request_processing.html
    """

    code = "NGX903"
    name = "conflicting-server-name"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    server_name app.example.com;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
                server {
                    listen 8080;
                    server_name www.example.com App.example.com;
                    location / {
                        proxy_pass http://127.0.0.1:3001;
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
                }
                server {
                    listen *:8080;
                    return 404;
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
                server {
                    listen 8080;
                    server_name app.example.com;
                }
                server {
                    listen 8081;
                    server_name app.example.com;
                }
                server {
                    listen 8080;
                    server_name *.example.com;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        reported: set[tuple[int, str]] = set()
        for socket in config.once(sockets_of):
            for listen, name, span, first in _conflicts(socket):
                # One pair of blocks may meet on several sockets.
                key = id(listen.server), name
                if key in reported:
                    continue
                reported.add(key)
                block = listen.server.directive
                assert block is not None
                what = f'the server name "{name}"' if name else "a server without a name"
                yield self.finding(
                    _statement(listen.server, span) or block,
                    f"{what} is taken on {listen.text} by an earlier block: requests for it never"
                    " come here",
                    advice="give the blocks different names, or make one of both",
                    span=span,
                    related=(Label(first, "the block that is used"),),
                )


def _conflicts(socket: Socket) -> Iterator[tuple[Listen, str, Span, Span]]:
    """A later listen, the name, where it stands, and where the earlier one stands."""
    taken: dict[str, tuple[Context, Span]] = {}
    for listen in socket.listens:
        for name, span in _names(listen):
            for form in _forms(name):
                earlier = taken.setdefault(form, (listen.server, span))
                if earlier[0] is not listen.server:
                    yield listen, name, span, earlier[1]
                    break


def _names(listen: Listen) -> Iterator[tuple[str, Span]]:
    """The names of a server that can be compared, in small letters; "" for none."""
    server = listen.server
    written = server.own("server_name")
    for directive in written:
        for word in directive.arguments:
            if not word.value.startswith("~") and "$" not in word.value:
                yield word.value.lower(), word.span
    if not written and server.is_complete:
        place = listen.directive or server.directive
        assert place is not None
        yield "", place.span


def _forms(name: str) -> tuple[str, ...]:
    """What a name takes: `.example.com` is `example.com` and `*.example.com`."""
    return (name[1:], "*" + name) if name.startswith(".") else (name,)


def _statement(server: Context, span: Span) -> Directive | None:
    """The directive of the server in which the place is."""
    for directive in (*server.own("server_name"), *server.own("listen")):
        words: list[Word] = directive.words
        if directive.span == span or any(word.span == span for word in words):
            return directive
    return None
