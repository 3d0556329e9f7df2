from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.security.cipher_lists import INTERMEDIATE
from gwlint.rules.security.tls_versions import (
    SAFE_MINIMUM,
    default_options,
    tls_binds,
    version_words,
)
from gwlint.syntax.haproxy.amend import added_to_section
from gwlint.syntax.values.bind_line import BindLine


class TlsUnsetDefaults(HaproxyRule):
    """Which ciphers clients may use is left to the TLS library.

    ## Problem
    Neither the `bind` lines nor the global section set ciphers.

    ## Why
    Measured on 2.6.12 and 2.8.25 with OpenSSL 3.0: without a list a client got AES256-SHA, with no
    forward secrecy; with the list of Mozilla's intermediate profile it was refused. What the
    default is changes with the library, at an upgrade of the system.

    ## In the log
    Nothing.

    ## Silent when
    A list of ciphers is set on the line or in the global section; TLS 1.3 is the lowest version; a
    `crt-list`, which may set ciphers for each certificate, is used; there is no `ssl`, or the file
    has neither `global` nor `defaults`. One finding a configuration.

    ## Fix safety
    Adds the list of the intermediate profile to the global section. Unsafe: clients that know none
    of its ciphers are refused. There is none without a global section.

    ## Learnt
    Nothing fails because of it, and what the library chooses is mostly sound: information.

    ## References
    - HAProxy configuration manual, section 3.1, keywords ssl-default-bind-ciphers,
      ssl-default-bind-options
    - https://wiki.mozilla.org/Security/Server_Side_TLS
    """

    code = "HAP806"
    name = "tls-unset-defaults"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            global
                maxconn 1000
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                ssl-default-bind-options ssl-min-ver TLSv1.2
                ssl-default-bind-ciphers ECDH+AESGCM:ECDH+CHACHA20
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole or config.global_line("ssl-default-bind-ciphers") is not None:
            return
        general = [version_words(words).minimum for _, words in default_options(config, "bind")]
        if any(one is not None and one.version == "TLSv1.3" for one in general):
            return
        open_ones = [bind for bind in tls_binds(config) if _is_open(bind)]
        if not open_ones:
            return
        first, *others = open_ones
        ssl = first.get("ssl")
        more = f" and of {len(others)} more ports" if others else ""
        edits = _edits(config)
        yield self.finding(
            first.line,
            f"the ciphers of this port{more} are those that the TLS library has by default",
            advice="set ssl-default-bind-ciphers and ssl-default-bind-options",
            span=first.line.span if ssl is None else ssl.keyword.span,
            fix=Fix("set the ciphers", Safety.UNSAFE, edits) if edits else None,
        )


def _is_open(bind: BindLine) -> bool:
    minimum = version_words(bind).minimum
    is_newest = minimum is not None and minimum.version == "TLSv1.3"
    return "ciphers" not in bind and "crt-list" not in bind and not is_newest


def _edits(config: HaproxyConfig) -> tuple[Edit, ...]:
    """The list, and the lowest version unless options are there already."""
    if not config.global_sections:
        return ()
    statements = [f"ssl-default-bind-ciphers {INTERMEDIATE}"]
    if not default_options(config, "bind"):
        statements.append(f"ssl-default-bind-options ssl-min-ver {SAFE_MINIMUM}")
    return (added_to_section(config.global_sections[-1], *statements),)
