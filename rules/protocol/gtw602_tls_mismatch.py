from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment
from gwlint.model.gateway import HTTP_VERSIONS
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
from gwlint.rules.protocol.server_words import TLS_PARAMETERS, parameters_removed
from gwlint.source import Span, Statement
from gwlint.syntax.haproxy.amend import words_added
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx.amend import added_after
from gwlint.syntax.nginx.tree import Directive

_NGINX = """
events {{}}
http {{
    server {{
        listen 8080;
        location / {{
            proxy_pass {scheme}://10.0.1.10:3000;
        }}
    }}
}}
"""
_SERVICES = """\
services:
  api:
    addresses: ["10.0.1.10:3000"]
    protocol: {protocol}
"""
_HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 60s

frontend www
    bind :80
    default_backend nginx

backend nginx
    server nginx 127.0.0.1:8443{parameters}
"""
_BEHIND = """\
events {}
http {
    server {
        listen 127.0.0.1:8443 ssl;
        ssl_certificate /etc/nginx/www.pem;
        ssl_certificate_key /etc/nginx/www.key;
        root /srv/www;
    }
}
"""


def _service(scheme: str, protocol: str) -> Example:
    return Example(
        {
            "nginx.conf": _NGINX.format(scheme=scheme),
            "gwlint.yaml": _SERVICES.format(protocol=protocol),
        }
    )


def _behind(parameters: str) -> Example:
    return Example({"haproxy.cfg": _HAPROXY.format(parameters=parameters), "nginx.conf": _BEHIND})


class TlsMismatch(DeploymentRule):
    """TLS is spoken to a server that expects plain text, or plain text to one that expects TLS.

    ## Problem
    The scheme of `proxy_pass`, or `ssl` on a HAProxy server line, decides alone whether TLS is
    spoken. What stands at the address expects the other: a `listen ... ssl` or a `bind ... ssl` of
    another configuration says so, or gwlint.yaml (`protocol` of a service).

    ## Why
    Measured: https:// from nginx 1.22.1 and 1.31.3 to a plain port gives 502 for each request,
    http:// to a port of TLS 502, or 400 where that is a port of nginx. HAProxy 2.6.12 and 2.8.25
    gives 503 after all retries with `ssl` to a plain port, and without it 502 from an application
    that speaks TLS, 400 from nginx.

    ## In the log
    - nginx: `SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)
      while SSL handshaking to upstream`, or `upstream prematurely closed connection while reading
      response header from upstream`.
    - HAProxy: `app/s1 ... 503 ... SC--`, `app/s1 ... 502 ... SH--`, or `app/s1 ... 400 ... ----`.

    ## Silent when
    Neither a configuration of the same project listens on the address of the server nor gwlint.yaml
    says what it speaks; a variable, a condition or an include that could not be read decides on one
    of the sides. TCP proxies pass TLS through, so they are judged only where they begin it
    themselves.

    ## Fix safety
    Writes the other scheme, or takes `ssl` away with all that belongs to it. Unsafe, because one of
    the two sides has to change, and only the operator knows which. A fix for HAProxy adds `ssl`
    only where the server is on this machine, or gwlint.yaml has the name that is to be verified
    (`tls_name`): elsewhere, what to trust is a decision.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - HAProxy configuration manual, section 5.2, ssl
    """

    code = "GTW602"
    name = "tls-mismatch"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        _service("http", "https"),
        _service("https", "http1"),
        _behind(""),
    )
    good = (
        _service("https", "https"),
        _service("http", "http1"),
        _behind(" ssl verify none"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        wrong = (crossing for crossing in crossings(deployment) if _is_wrong(crossing))
        for crossing, speakers in speaking(wrong):
            agreed = others_agree(deployment, crossing)
            for speaker in speakers:
                yield self._mismatch(deployment, crossing, speaker, agreed)

    def _mismatch(
        self, deployment: Deployment, crossing: Crossing, speaker: Statement, agreed: bool
    ) -> Finding:
        server, far = crossing.server, crossing.far
        where = server.address.text if isinstance(speaker, Line) else _shown(crossing)
        is_haproxy = isinstance(speaker, Line)
        if far.is_tls:
            message = (
                f"{crossing.dialect} speaks plain text to {where}, where {far.name} expects TLS:"
                " each request ends as 502 or 400"
            )
            advice = "add ssl to the server line" if is_haproxy else "write https://"
        else:
            message = (
                f"{crossing.dialect} speaks TLS to {where}, where {far.name} expects plain text:"
                f" each request ends as {503 if is_haproxy else 502}"
            )
            advice = "remove ssl from the server line" if is_haproxy else "write http://"
        label = "TLS is expected here" if far.is_tls else "plain text is expected here"
        return self.finding(
            speaker,
            message,
            advice=f"{advice}, or change what listens there",
            span=_span(crossing, speaker),
            related=(*far.label(label), *server_place(crossing, speaker)),
            fix=_fix(deployment, crossing, speaker, agreed),
        )


def _is_wrong(crossing: Crossing) -> bool:
    server, far = crossing.server, crossing.far
    if far.is_tls is None or far.is_tls is server.is_tls:
        return False
    if far.is_tls:
        return server.protocol in HTTP_VERSIONS
    # Another protocol altogether is the business of http-version-mismatch.
    return not HTTP_VERSIONS.isdisjoint(far.protocols)


def _shown(crossing: Crossing) -> str:
    text = crossing.server.address_span.text
    pool = crossing.pool.name
    return text if text == pool else f'{text} of "{pool}"'


def _span(crossing: Crossing, speaker: Statement) -> Span:
    if isinstance(speaker, Directive):
        return destination(speaker).span
    assert isinstance(speaker, Line)
    own = own_parameter(speaker, "ssl") if crossing.server.is_tls else None
    return crossing.server.address_span if own is None else own.keyword.span


def _fix(
    deployment: Deployment, crossing: Crossing, speaker: Statement, agreed: bool
) -> Fix | None:
    if isinstance(speaker, Line):
        return _server_fix(crossing, speaker)
    assert isinstance(speaker, Directive)
    return _pass_fix(deployment, crossing, speaker) if agreed else None


def _server_fix(crossing: Crossing, line: Line) -> Fix | None:
    if not crossing.far.is_tls:
        edits = parameters_removed(line, TLS_PARAMETERS, "ssl")
        return Fix("speak plain text", Safety.UNSAFE, edits)
    name = crossing.far.tls_name
    if name is not None:
        words = f"ssl verify required ca-file @system-ca sni str({name}) verifyhost {name}"
        if own_parameter(line, "check") is not None:
            words += f" check-sni {name}"
    elif crossing.server.address.is_loopback:
        words = "ssl verify none"
    else:
        return None
    if any(own_parameter(line, one) for one in TLS_PARAMETERS):
        return None
    return Fix("speak TLS", Safety.UNSAFE, (words_added(line, words),))


def _pass_fix(deployment: Deployment, crossing: Crossing, directive: Directive) -> Fix | None:
    """The other scheme, which all servers of the upstream have to expect."""
    wanted = crossing.far.is_tls
    word = destination(directive)
    at = word.raw.find(b"://")
    if at == -1:
        return None
    start = word.start + (1 if word.raw[:1] in (b'"', b"'") else 0)
    family = directive.name.removesuffix("_pass")
    scheme = {"proxy": "http", "grpc": "grpc"}.get(family)
    if scheme is None:
        return None
    edits = [Edit(Span(word.source, start, word.start + at), scheme + ("s" if wanted else ""))]
    name = crossing.far.tls_name
    if wanted and name is not None and not deployment.is_shared(directive):
        statements = (f"{family}_ssl_server_name on;", f"{family}_ssl_name {name};")
        edits.append(added_after(directive, *statements))
    title = "speak TLS" if wanted else "speak plain text"
    return Fix(title, Safety.UNSAFE, tuple(edits))
