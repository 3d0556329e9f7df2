from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.security.cipher_lists import INTERMEDIATE, broken_ciphers
from gwlint.rules.security.tls_versions import tls_binds
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.whole_numbers import whole_number

_GLOBAL = ("ssl-default-bind-ciphers", "ssl-default-server-ciphers")
_DH_SIZE = "tune.ssl.default-dh-param"
_ENOUGH = 2048


class WeakTlsCiphers(HaproxyRule):
    """The cipher list lets in what is broken, or a Diffie-Hellman key is too short.

    ## Problem
    `ciphers` or `ssl-default-bind-ciphers` names RC4, DES, 3DES, MD5, export or NULL ciphers, ones
    without authentication, or security level 0; or `tune.ssl.default-dh-param` is below 2048.

    ## Why
    Measured on 2.6.12 and 2.8.25 with OpenSSL 3.0: `RC4-MD5:DES-CBC3-SHA` alone is refused, since
    this library has none of them any more; with others behind, HAProxy starts without a word.
    `aNULL:@SECLEVEL=0` spoke AECDH-AES256-SHA, where the server has no certificate. Older libraries
    still have them all. 1024 bits of Diffie-Hellman are within reach of states (weakdh.org, 2015);
    2.6.12 with OpenSSL 3.0 warned that it cannot load them, and went on without DHE.

    ## In the log
    `[ALERT] ... Proxy 'web': unable to set SSL cipher list to 'RC4-MD5:DES-CBC3-SHA' for bind
    ':443'`

    ## Silent when
    The list kills them again, as `!3DES` does; the list comes from a variable; names such as HIGH
    and DEFAULT, whose ciphers the library chooses.

    ## Fix safety
    Puts the list of Mozilla's intermediate profile, or 2048 bits. Unsafe: clients that know none of
    its ciphers are refused.

    ## Learnt
    Lists live for ten years: what a real one lets in is left from the time of old browsers.

    ## References
    - HAProxy configuration manual, sections 3.1 and 5.1, keywords ciphers,
      ssl-default-bind-ciphers, tune.ssl.default-dh-param
    - https://wiki.mozilla.org/Security/Server_Side_TLS
    """

    code = "HAP805"
    name = "weak-tls-ciphers"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            global
                ssl-default-bind-ciphers ECDHE+AESGCM:RC4:3DES:!aNULL
            """
        ),
        Example.haproxy(
            """
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem ciphers ALL:@SECLEVEL=0
            """
        ),
        Example.haproxy(
            """
            global
                tune.ssl.default-dh-param 1024
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                ssl-default-bind-ciphers ECDH+AESGCM:ECDH+CHACHA20:!aNULL:!MD5:!3DES
                tune.ssl.default-dh-param 2048
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem ciphers HIGH:!aNULL:!MD5
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for section in config.global_sections:
            for line in section.lines:
                if line.keyword in _GLOBAL and line.arguments:
                    yield from self._of_list(line, line.arguments[0])
                elif line.keyword == _DH_SIZE and line.arguments:
                    yield from self._of_size(line, line.arguments[0])
        for bind in tls_binds(config):
            parameter = bind.get("ciphers")
            if parameter is not None and parameter.value is not None:
                yield from self._of_list(bind.line, parameter.value)
        for backend in config.backends:
            for server in backend.servers:
                own = server.parsed.get("ciphers")
                if own is not None and own.value is not None and server.has("ssl"):
                    yield from self._of_list(server.line, own.value)

    def _of_list(self, line: Line, word: Word) -> Iterator[Finding]:
        found = [] if word.references else broken_ciphers(word.value)
        if found:
            yield self.finding(
                line,
                f"the cipher list lets in {' and '.join(found)}, where the library still has it",
                advice="use the list of Mozilla's intermediate profile",
                span=word.span,
                fix=Fix("use sound ciphers", Safety.UNSAFE, (replaced(word, INTERMEDIATE),)),
            )

    def _of_size(self, line: Line, word: Word) -> Iterator[Finding]:
        if word.value.isdecimal() and whole_number(word.value) < _ENOUGH:
            yield self.finding(
                line,
                f"Diffie-Hellman keys of {word.value} bits are too short",
                advice=f"use {_ENOUGH}, or remove the line: without it there is no DHE",
                span=word.span,
                fix=Fix("use longer keys", Safety.UNSAFE, (replaced(word, str(_ENOUGH)),)),
            )
