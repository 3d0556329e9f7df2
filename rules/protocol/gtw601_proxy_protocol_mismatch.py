from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment
from gwlint.model.gateway import TCP
from gwlint.model.haproxy.gateway import SENDS_PROXY
from gwlint.rule import DeploymentRule, Example, Finding, Severity
from gwlint.rules.protocol.crossings import Crossing, crossings, own_parameter
from gwlint.rules.protocol.server_words import parameters_removed
from gwlint.syntax.haproxy.amend import words_added
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.server_line import parse_server

_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 60s

frontend www
    bind :80
    default_backend nginx

backend nginx
    server nginx 127.0.0.1:8080{parameters}
"""
_NGINX = """\
events {{}}
http {{
    server {{
        listen 127.0.0.1:8080{parameters};
        root /srv/www;
    }}
}}
"""
_SERVICES = """\
services:
  api:
    addresses: ["10.0.1.10:8080"]
    proxy_protocol: false
"""


def _example(sends: str, expects: str) -> Example:
    return Example(
        {
            "haproxy.cfg": _HAPROXY.format(parameters=sends),
            "nginx.conf": _NGINX.format(parameters=expects),
        }
    )


def _service(parameters: str) -> Example:
    text = _HAPROXY.format(parameters=parameters).replace("127.0.0.1:8080", "10.0.1.10:8080")
    return Example({"haproxy.cfg": text, "gwlint.yaml": _SERVICES})


class ProxyProtocolMismatch(DeploymentRule):
    """One side sends a PROXY header that the other does not expect, or waits for one in vain.

    ## Problem
    The PROXY protocol puts a line with the client's address before the request. Both sides must
    agree: `send-proxy` of a HAProxy server, or `proxy_protocol on` in the stream module of nginx,
    with `proxy_protocol` of a listen in nginx or `accept-proxy` of a bind in HAProxy.

    ## Why
    Measured with HAProxy 2.6.12 and 2.8.25: a PROXY header that is not expected is a broken
    request, which nginx 1.22.1 and 1.31.3 and the application answered with 400 every time. Where
    it is expected and does not come, the connection is closed: HAProxy in front gave 502 every
    time.

    ## In the log
    - HAProxy, for a header too much: `app/s1 ... 400 ... ----`. For a missing one
      `app/s1 ... 502 ... SH--` in front; behind,
      `web/1: Received something which does not look like a PROXY protocol header`.
    - nginx behind, for a header too much, at level info: `client sent invalid request while reading
      client request line`. For a missing one `broken header: "GET / HTTP/1.1" while reading PROXY
      protocol`.

    ## Silent when
    Neither a configuration of the same project listens on the address of the server nor gwlint.yaml
    says what stands there (`proxy_protocol` of a service); a variable, a condition or an include
    that could not be read decides on one of the sides. A TCP proxy in between may pass on a header
    that others made.

    ## Fix safety
    Lets the sending side do what the other one expects. Unsafe, because without the header the
    client's address is lost, where it was meant to arrive. nginx cannot send the header for HTTP,
    so there is no fix for its `proxy_pass`.

    ## Learnt
    Folders of examples hold many configurations that name 127.0.0.1:8080 and listen there. Two that
    listen on one port cannot run on one machine, so they are files to choose from, and no hop.

    ## References
    - HAProxy configuration manual, section 5.1, accept-proxy, and 5.2, send-proxy
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
    - https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_protocol
    """

    code = "GTW601"
    name = "proxy-protocol-mismatch"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        _example(" send-proxy", ""),
        _example("", " proxy_protocol"),
        _service(" send-proxy-v2 check"),
    )
    good = (
        _example(" send-proxy", " proxy_protocol"),
        _example("", ""),
        _service(" check"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        for crossing in crossings(deployment):
            expects, server = crossing.far.proxy_protocol, crossing.server
            if expects is None or expects is server.sends_proxy_protocol:
                continue
            # What a TCP proxy passes on may begin with the header that its client sent.
            if expects and server.protocol == TCP:
                continue
            yield self._mismatch(crossing, expects)

    def _mismatch(self, crossing: Crossing, expects: bool) -> Finding:
        server, far = crossing.server, crossing.far
        line = server.statement
        own = own_parameter(line, *SENDS_PROXY) if isinstance(line, Line) else None
        where = server.address.text
        if expects:
            message = (
                f"{far.name} expects a PROXY header on {where}, but {crossing.dialect} sends none:"
                " it closes each connection, and each request ends as 502"
            )
        else:
            message = (
                f"{crossing.dialect} sends a PROXY header to {where}, but {far.name} expects none"
                " there: it takes the header for a broken request and answers 400"
            )
        return self.finding(
            line,
            message,
            advice=_advice(crossing, expects),
            span=server.address_span if own is None else own.keyword.span,
            related=far.label(
                "the PROXY header is expected here" if expects else "no PROXY header expected here"
            ),
            fix=_fix(line, expects) if isinstance(line, Line) else None,
        )


def _advice(crossing: Crossing, expects: bool) -> str:
    if crossing.dialect == "haproxy":
        return "add send-proxy to the server line" if expects else "remove send-proxy"
    if expects:
        return "let nginx come in on a port without it: proxy_pass cannot send a PROXY header"
    return "remove proxy_protocol on"


def _fix(line: Line, expects: bool) -> Fix:
    if expects:
        own = own_parameter(line, *SENDS_PROXY)
        edits: tuple[Edit, ...] = (words_added(line, "send-proxy"),)
        if own is not None:
            edits = (
                *parameters_removed(line, {own.name}, own.name),
                words_added(line, "send-proxy"),
            )
        return Fix("send the PROXY header", Safety.UNSAFE, edits)
    sent = [one for one in SENDS_PROXY if (parse_server(line).last(one)) is not None]
    essential = sent[0] if sent else "send-proxy"
    names = {*SENDS_PROXY, "check-send-proxy"}
    return Fix("send no PROXY header", Safety.UNSAFE, parameters_removed(line, names, essential))
