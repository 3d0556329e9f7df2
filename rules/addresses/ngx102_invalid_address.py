from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.address import Address, Family
from gwlint.syntax.values.nginx_address import (
    parse_authority,
    parse_listen_address,
    parse_upstream_url,
)
from gwlint.syntax.values.problem import ValueProblem

_SCHEMES = {"proxy": ("http", "https"), "grpc": ("grpc", "grpcs"), "uwsgi": ("uwsgi", "suwsgi")}
"""What may stand before `://` in a pass directive of http. All others take no scheme."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BELOW_SOCKET = re.compile(r"unix:[^:]*\.sock(?:et)?/[^:]*", re.IGNORECASE)
_LISTENERS = frozenset({"http server", "stream server", "mail server"})
_POOLS = frozenset({"http upstream", "stream upstream"})


class InvalidAddress(NginxRule):
    """The address cannot be one: a port out of range, a broken IP address, no host.

    ## Problem
    A port is a number from 1 to 65535. An IPv6 address stands in brackets. After `unix:` comes the
    path of a socket, and a URI after it needs a colon in between. FastCGI, uwsgi, SCGI, gRPC and
    memcached destinations and those of `stream` need a port.

    ## Why
    Measured on nginx 1.22.1: the configuration is refused. Only a URI right behind the path of a
    socket is accepted, as a part of the path: no such socket exists, and each request is answered
    with 502.

    ## In the log
    `[emerg] invalid port in upstream "app:70000" in ...`,
    `[emerg] invalid host in upstream "..." in ...`, `[emerg] no host in upstream ":80" in ...`,
    `[emerg] no port in upstream "127.0.0.1" in ...`,
    `[emerg] host not found in upstream "256.1.1.1" in ...`.

    ## Silent when
    The part in question comes from a variable, or the address names an upstream block.

    ## Fix safety
    None.

    ## Learnt
    10 of 48 findings in published files read, all right. Nearly all are placeholders, such as
    `<port>`, in manuals and in files that a script completes.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
    """

    code = "NGX102"
    name = "invalid-address"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 10.0.0.1:80800;
                    server 10.0.0.256:8080;
                    server http://10.0.0.2:8080;
                }
                server {
                    listen 70000;
                    location / {
                        proxy_pass http://app;
                    }
                    location /two {
                        proxy_pass http://127.0.0.1:0;
                    }
                    location /three {
                        proxy_pass http://unix:/run/app.sock/api;
                    }
                    location /four {
                        fastcgi_pass 127.0.0.1;
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
                upstream app {
                    server 10.0.0.1:8080;
                    server [::1]:8080;
                    server unix:/run/app.sock;
                }
                server {
                    listen 8080;
                    listen [::]:8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /two {
                        proxy_pass http://127.0.0.1:$server_port;
                    }
                    location /three {
                        proxy_pass http://unix:/run/app.sock:/api;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for context, directive in config.find("listen"):
            if context.kind in _LISTENERS and directive.arguments:
                yield from self._judge(directive, directive.arguments[0], parse_listen_address)
        for context, directive in config.find("server"):
            if context.kind in _POOLS and directive.block is None and directive.arguments:
                yield from self._judge(directive, directive.arguments[0], _server(context))
        for _, directive in config.find("resolver"):
            for word in directive.arguments:
                if "=" not in word.value and word.value != "off":
                    yield from self._judge(directive, word, _plain)
        for route in config.passes:
            # A variable in front may hold the scheme, the host or both.
            if route.upstream is not None or route.word.value.startswith("$"):
                continue
            # Where braces do not balance, stream and http may be taken for each other.
            if route.is_http or not config.has_broken_blocks:
                yield from self._judge(route.directive, route.word, _destination(route))

    def _judge(
        self, directive: Directive, word: Word, parse: Callable[[str], Address]
    ) -> Iterator[Finding]:
        """Whether `parse` reads the word as an address, and its host can be one."""
        try:
            address = parse(word.value)
        except ValueProblem as problem:
            fault = problem.message
        else:
            if not address.has_hopeless_host:
                return
            fault = f'"{address.host}" is neither an IP address nor a host name'
        yield self.finding(
            directive,
            f'"{word.value}" is no address: {fault}',
            advice="write host:port, [IPv6]:port or unix:path",
            span=word.span,
        )


def _server(context: Context) -> Callable[[str], Address]:
    """How the address of an upstream's server is read; in stream it needs a port."""
    return _with_port if context.kind == "stream upstream" else _plain


def _plain(text: str) -> Address:
    """`host:port` or a socket. Raises ValueProblem, for a URL too."""
    match = _SCHEME.match(text)
    if match:
        raise ValueProblem(f"nginx takes no {match[0]} here")
    return _with_host(parse_authority(text))


def _with_host(address: Address) -> Address:
    """Raises ValueProblem for `*`, which only `listen` takes."""
    if address.family is Family.ANY:
        raise ValueProblem("there is no host")
    return address


def _with_port(text: str) -> Address:
    """`host:port` or a socket. Raises ValueProblem for an IP address without a port.

    A name without a port is no address either, but may be an upstream in a file that is not here.
    """
    address = _plain(text)
    is_literal = address.family in (Family.IPV4, Family.IPV6)
    if is_literal and address.port is None and not address.port_unknown:
        raise ValueProblem("there is no port")
    return address


def _destination(route: Pass) -> Callable[[str], Address]:
    """How the argument of a pass directive is read."""
    schemes = _SCHEMES.get(route.family, ()) if route.is_http else ()

    def read(text: str) -> Address:
        match = _SCHEME.match(text)
        scheme = match[1].lower() if match else ""
        if scheme and scheme not in schemes:
            where = " of stream" if not route.is_http else ""
            raise ValueProblem(f"{route.directive.name}{where} takes no {scheme}://")
        if route.family == "proxy" and route.is_http:
            if not scheme and "$" not in text:
                raise ValueProblem("proxy_pass needs http:// or https://")
            if _BELOW_SOCKET.fullmatch(text[match.end() if match else 0 :]):
                raise ValueProblem('between the path of a socket and the URI stands ":"')
            return _with_host(parse_upstream_url(text).address)
        return _with_port(text[match.end() if match else 0 :])

    return read
