from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.sockets import sockets_of
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import added_inside, arguments_replaced
from gwlint.syntax.nginx.tree import Directive

_WEAK = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
_SOUND = "TLSv1.2 TLSv1.3"
_OFF_SINCE = "1.27.3"


class WeakTlsProtocol(NginxRule):
    """Clients may speak TLS 1.1 or older.

    ## Problem
    `ssl_protocols` names TLS 1.1, 1.0 or SSL, or is missing below nginx 1.27.3, whose default has
    TLS 1.0 and 1.1.

    ## Why
    RFC 8996 forbids both, RFC 7568 SSL 3. Measured on nginx 1.22.1 and 1.31.3, OpenSSL 3: with
    `ssl_protocols TLSv1` and `ssl_ciphers DEFAULT:@SECLEVEL=0` a client with TLS 1.0 was served. At
    its usual security level this library refuses them; older ones have no such level.

    ## In the log
    Nothing, unless `$ssl_protocol` is logged.

    ## Silent when
    Only TLS 1.2 and 1.3 are named; without `ssl_protocols`, the target is 1.27.3 or newer, or a
    file that could not be read may set it. Without it and without a target it is information.

    ## Fix safety
    Sets TLS 1.2 and 1.3. Unsafe: clients that know no newer version than TLS 1.1 are refused.

    ## Versions
    The default lost TLS 1.0 and 1.1 with nginx 1.27.3. Without a target a missing `ssl_protocols`
    is information, and the message names this version.

    ## Versions
    TLS 1.0 and 1.1 are off by default from nginx 1.27.3 on. Without a target an older version is
    assumed, and what only the default does is information.

    ## Learnt
    `TLSv1 TLSv1.1 TLSv1.2` was the default once, and files that repeat it do not get TLS 1.3.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols
    - RFC 8996
    """

    code = "NGX810"
    name = "weak-tls-protocol"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
                server {
                    listen 443 ssl;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 443 ssl;
                    ssl_certificate site.pem;
                    ssl_certificate_key site.key;
                }
            }
            """,
            target="1.22.1",
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                ssl_protocols TLSv1.2 TLSv1.3;
                server {
                    listen 443 ssl;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 443 ssl;
                }
            }
            """,
            target="1.28.0",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for _, directive in config.find("ssl_protocols"):
            weak = [value for value in directive.values if value in _WEAK]
            if weak and id(directive) not in seen:
                seen.add(id(directive))
                yield self._named(directive, weak)
        if not config.is_at_least(_OFF_SINCE):
            yield from self._by_default(config)

    def _named(self, directive: Directive, weak: list[str]) -> Finding:
        first = next(word for word in directive.arguments if word.value == weak[0])
        return self.finding(
            directive,
            f"clients may use {' and '.join(weak)}, which {'is' if len(weak) == 1 else 'are'}"
            " forbidden since 2021 (RFC 8996)",
            advice=f"use 'ssl_protocols {_SOUND}'",
            span=first.span,
            fix=Fix("name sound versions", Safety.UNSAFE, (arguments_replaced(directive, _SOUND),)),
        )

    def _by_default(self, config: NginxConfig) -> Iterator[Finding]:
        """One finding for the first server that listens with TLS and has no setting."""
        for socket in sockets_of(config):
            for listen in socket.listens:
                protocols = listen.server.effective("ssl_protocols")
                directive = listen.directive
                if directive is None or "ssl" not in listen.flags:
                    continue
                if protocols.is_set or not protocols.is_certain:
                    continue
                yield self._unset(config, listen.server.within("http"), directive)
                return

    def _unset(self, config: NginxConfig, http: Context | None, directive: Directive) -> Finding:
        block = None if http is None else http.directive
        fix = None
        if block is not None and block.block is not None:
            edit = added_inside(block, f"ssl_protocols {_SOUND};")
            fix = Fix("name sound versions", Safety.UNSAFE, (edit,))
        is_known = config.target is not None
        return self.finding(
            directive,
            f"clients may use TLS 1.0 and 1.1: they are on by default below nginx {_OFF_SINCE}",
            advice=f"set 'ssl_protocols {_SOUND}'",
            severity=Severity.WARNING if is_known else Severity.INFO,
            fix=fix,
        )
