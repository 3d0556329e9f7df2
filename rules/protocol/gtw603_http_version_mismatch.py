from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment
from gwlint.model.gateway import H2, HTTP1, NEGOTIATED, TCP
from gwlint.model.nginx.passes import Destination
from gwlint.rule import DeploymentRule, Example, Finding, Severity
from gwlint.rules.protocol.crossings import (
    Crossing,
    crossings,
    destination,
    others_agree,
    own_parameter,
    server_place,
    speaking,
)
from gwlint.source import Span, Statement
from gwlint.syntax.haproxy.amend import replaced as word_replaced
from gwlint.syntax.haproxy.amend import words_added
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.tree import Directive

_NAMES = {
    HTTP1: "HTTP/1",
    H2: "HTTP/2",
    "fastcgi": "FastCGI",
    "uwsgi": "uwsgi",
    "scgi": "SCGI",
    "memcached": "memcached",
}

_NGINX = """
events {{}}
http {{
    server {{
        listen 8080;
        location / {{
            {statement};
        }}
    }}
}}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 60s

backend app
    server one 10.0.1.10:3000{parameters}
"""
_SERVICES = """\
services:
  api:
    addresses: ["10.0.1.10:3000"]
    protocol: {protocol}
"""


def _nginx(statement: str, protocol: str) -> Example:
    return Example(
        {
            "nginx.conf": _NGINX.format(statement=statement),
            "gwlint.yaml": _SERVICES.format(protocol=protocol),
        }
    )


def _haproxy(parameters: str) -> Example:
    return Example(
        {
            "haproxy.cfg": _HAPROXY.format(parameters=parameters),
            "gwlint.yaml": _SERVICES.format(protocol="h2c"),
        }
    )


class HttpVersionMismatch(DeploymentRule):
    """A server is spoken to in another protocol, or another version of HTTP, than it understands.

    ## Problem
    `proxy_pass` speaks HTTP/1, `grpc_pass` HTTP/2, `fastcgi_pass` and its kin their own protocol;
    a HAProxy server speaks HTTP/1 unless `proto` says otherwise. The server expects something else,
    as a listen or bind of another configuration or gwlint.yaml (`protocol` of a service) says.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: HTTP/1 to a server of HTTP/2 without TLS ends as raw bytes
    without a status line, FastCGI to a port of HTTP as 502, uwsgi to one as 400, each time. On
    HAProxy 2.6.12 and 2.8.25, HTTP/1 to a server of HTTP/2 gives 502, and HTTP/2 to a server of
    HTTP/1, such as an nginx without `http2`, 503 or 502, each time.

    ## In the log
    - nginx: `upstream sent no valid HTTP/1.0 header while reading response header from upstream`,
      `upstream sent unsupported FastCGI protocol version: 72 while reading response header from
      upstream`, or nothing.
    - HAProxy: `app/s1 ... 502 ... PH--` or `app/s1 ... 503 ... SC--`.

    ## Silent when
    Neither a configuration of the same project listens on the address of the server nor gwlint.yaml
    says what it speaks; TLS may settle the version while it is set up (ALPN); a variable, a
    condition or an include that could not be read decides on one of the sides; the proxy passes TCP
    through. What h2-to-plain-server says of `proto h2` and a service is not said again. Whether a
    `listen ... http2` without TLS takes HTTP/1 as well depends on the version of nginx: it does
    from 1.25.1 on.

    ## Fix safety
    Where the other protocol needs no more than another name: `proto h2` in HAProxy; in nginx
    `grpc_pass`, or `proxy_pass` instead of `fastcgi_pass` and the like. Unsafe, because only the
    operator knows which side is right, and settings of the former protocol do not go along. There
    is no fix for a service of FastCGI or uwsgi, which need parameters, for a URI behind
    `proxy_pass`, and for locations that set more of the former protocol.

    ## Versions
    `proxy_http_version 2` came with nginx 1.29.4; before, `grpc_pass` alone speaks HTTP/2 to a
    server.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_pass
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version
    - HAProxy configuration manual, section 5.2, proto
    """

    code = "GTW603"
    name = "http-version-mismatch"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        _nginx("proxy_pass http://10.0.1.10:3000", "h2c"),
        _nginx("fastcgi_pass 10.0.1.10:3000", "http1"),
        _nginx("proxy_pass http://10.0.1.10:3000", "uwsgi"),
        _haproxy(""),
    )
    good = (
        _nginx("grpc_pass grpc://10.0.1.10:3000", "h2c"),
        _nginx("proxy_pass http://10.0.1.10:3000", "http1"),
        _nginx("uwsgi_pass 10.0.1.10:3000", "uwsgi"),
        _haproxy(" proto h2"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        wrong = (crossing for crossing in crossings(deployment) if _is_wrong(crossing))
        for crossing, speakers in speaking(wrong):
            agreed = others_agree(deployment, crossing)
            for speaker in speakers:
                yield self._mismatch(crossing, speaker, agreed)

    def _mismatch(self, crossing: Crossing, speaker: Statement, agreed: bool) -> Finding:
        server, far = crossing.server, crossing.far
        expected = " or ".join(_NAMES[one] for one in sorted(far.protocols) if one in _NAMES)
        spoken = _NAMES.get(server.protocol, server.protocol)
        return self.finding(
            speaker,
            f"{crossing.dialect} speaks {spoken} to {server.address_span.text}, where {far.name}"
            f" expects {expected}: no request is answered as it should be",
            advice=_advice(crossing, speaker),
            span=_span(speaker, server.address_span),
            related=(*far.label(f"{expected} is expected here"), *server_place(crossing, speaker)),
            fix=_fix(crossing, speaker, agreed),
        )


def _is_wrong(crossing: Crossing) -> bool:
    server, far = crossing.server, crossing.far
    if not far.protocols or server.protocol in (TCP, NEGOTIATED, *far.protocols):
        return False
    # h2-to-plain-server compares this one itself.
    plain_h2 = server.protocol == H2 and not server.is_tls
    return not (crossing.dialect == "haproxy" and plain_h2 and far.listener is None)


def _advice(crossing: Crossing, speaker: Statement) -> str:
    wanted = crossing.far.protocols
    if isinstance(speaker, Line):
        if H2 in wanted:
            return "add proto h2 to the server line"
        return "remove proto" if HTTP1 in wanted else "use an fcgi-app, or nginx, to reach it"
    if H2 in wanted and HTTP1 not in wanted:
        return "use grpc_pass, or proxy_http_version 2 from nginx 1.29.4 on"
    for protocol, directive in ((HTTP1, "proxy_pass"), ("fastcgi", "fastcgi_pass")):
        if protocol in wanted:
            return f"use {directive}"
    return "use uwsgi_pass with uwsgi_params"


def _span(speaker: Statement, otherwise: Span) -> Span:
    if isinstance(speaker, Directive):
        return speaker.words[0].span
    assert isinstance(speaker, Line)
    own = own_parameter(speaker, "proto")
    return otherwise if own is None else own.keyword.span


def _fix(crossing: Crossing, speaker: Statement, agreed: bool) -> Fix | None:
    wanted = crossing.far.protocols
    edits: tuple[Edit, ...] | None = None
    if isinstance(speaker, Line):
        if crossing.server.protocol == HTTP1 and H2 in wanted:
            edits = _with_h2(speaker)
    elif isinstance(speaker, Directive) and agreed:
        if HTTP1 in wanted:
            edits = _other_pass(speaker, "proxy_pass", "http")
        elif H2 in wanted and speaker.name == "proxy_pass":
            edits = _other_pass(speaker, "grpc_pass", "grpc")
    return None if edits is None else Fix("speak what it expects", Safety.UNSAFE, edits)


def _with_h2(line: Line) -> tuple[Edit, ...]:
    own = own_parameter(line, "proto")
    if own is not None and own.value is not None:
        return (word_replaced(own.value, "h2"),)
    return (words_added(line, "proto h2"),)


def _other_pass(directive: Directive, name: str, scheme: str) -> tuple[Edit, ...] | None:
    """The same destination by another directive; None where more than that would have to change."""
    word = destination(directive)
    family = directive.name.removesuffix("_pass") + "_"
    beside = (
        directive.parent.block.directives if directive.parent and directive.parent.block else []
    )
    if any(one is not directive and one.name.startswith(family) for one in beside):
        return None
    target = Destination.parse(word.value, "")
    if target.uri or target.is_variable or target.is_tls or word.raw[:1] in (b'"', b"'"):
        return None
    end = ":" if target.authority.startswith("unix:") else ""
    url = f"{scheme}://{target.authority}{end}"
    return replaced(directive.words[0], name), replaced(word, url)
