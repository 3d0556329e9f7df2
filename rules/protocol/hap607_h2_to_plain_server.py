from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Severity

_SPEAKS_H2 = frozenset({"h2c", "grpc"})


class H2ToPlainServer(HaproxyRule):
    """HTTP/2 is spoken to a server without TLS, or only seems to be.

    ## Problem
    `proto h2` without `ssl` is HTTP/2 with prior knowledge: the server must expect nothing else.
    `alpn h2` without `ssl` does nothing, since ALPN is a part of the TLS handshake.

    ## Why
    Measured on 2.6.12 and 2.8.25: with `proto h2` to a server that speaks HTTP/1, each request
    gets 503 after all retries (502 from 3.2 on); with `alpn h2` and no `ssl`, HTTP/1 is sent, which
    a server for HTTP/2 only answers with 502. In mode tcp `proto h2` is refused at start.

    ## In the log
    `web app/s1 0/0/-1/-1/3005 503 ... SC--`

    ## Silent when
    gwlint.yaml says that the service speaks h2c or grpc. Without that, `proto h2` is info: a gRPC
    server may be meant.

    ## Fix safety
    None: what the server speaks is not known.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, keywords proto and alpn
    """

    code = "HAP607"
    name = "h2-to-plain-server"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:80 proto h2
                server s2 10.0.0.2:80 alpn h2,http/1.1
            """
        ),
        Example(
            {
                "haproxy.cfg": "defaults\n    mode http\nbackend app\n"
                "    server s1 10.0.0.1:80 proto h2\n",
                "gwlint.yaml": "services:\n  app:\n    addresses: ['10.0.0.1:80']\n"
                "    protocol: http1\n",
            }
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl verify none alpn h2,http/1.1
                server s2 10.0.0.2:443 ssl verify none proto h2
                server s3 10.0.0.3:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in config.backends:
            mode = backend.effective("mode")
            if backend.is_disabled or not backend.is_http or not mode.is_certain:
                continue
            for server in backend.servers:
                if server.has("ssl") or any(one.uncertain for one in server.parsed.parameters):
                    continue
                yield from self._judge(config, server)

    def _judge(self, config: HaproxyConfig, server: Server) -> Iterator[Finding]:
        proto = server.parsed.last("proto")
        if proto is not None and proto.value is not None and proto.value.value == "h2":
            service = config.facts.at(server.address)
            protocol = None if service is None else service.protocol
            if protocol in _SPEAKS_H2:
                return
            known = protocol is not None
            yield self.finding(
                server.line,
                "HTTP/2 without TLS: "
                + (
                    f"gwlint.yaml says that this server speaks {protocol}, so every request fails"
                    if known
                    else "a server that speaks HTTP/1 answers no request, which gives 503"
                ),
                advice="remove 'proto h2', or say in gwlint.yaml that the service speaks h2c",
                span=proto.keyword.span,
                severity=Severity.WARNING if known else Severity.INFO,
            )
        alpn = server.parsed.last("alpn")
        if alpn is not None and proto is None and not alpn.negated:
            yield self.finding(
                server.line,
                "alpn does nothing without ssl: HTTP/1 is spoken to this server",
                advice="add 'ssl', or write 'proto h2' for HTTP/2 without TLS",
                span=alpn.keyword.span,
            )
