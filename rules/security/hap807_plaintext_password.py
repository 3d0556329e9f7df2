from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.security.passwords import weak_hash
from gwlint.syntax.haproxy.tree import Line

_ADVICE = (
    "write 'password' with a hash of SHA-512, as 'mkpasswd -m sha-512' makes it; each request then"
    " costs the time of hashing"
)


class PlaintextPassword(HaproxyRule):
    """Whoever reads the configuration knows the passwords of its users.

    ## Problem
    A user of a `userlist` has `insecure-password`, or a hash that is undone by trying: MD5 or DES.

    ## Why
    Measured on 2.6.12 and 2.8.25: `insecure-password secret` and the hashes $1$ and DES let in
    whoever sends that password. The configuration is in backups and repositories; the first form
    is the password itself, and millions of guesses a second are made at the others.

    ## In the log
    Nothing.

    ## Silent when
    The password comes from the environment; the hash is of SHA-256, SHA-512 or another method of
    crypt(3).

    ## Fix safety
    None: hashing costs time with each request, and the password is known to others already, so
    that a new one is due.

    ## Learnt
    Real user lists copy the examples of the manual, names and passwords included.

    ## References
    - HAProxy configuration manual, section 3.4, keyword user
    - crypt(5)
    """

    code = "HAP807"
    name = "plaintext-password"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            userlist staff
                user joe insecure-password correct-horse
            """
        ),
        Example.haproxy(
            """
            userlist staff
                user joe password $1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            userlist staff
                user joe password $5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.
                user ann insecure-password "${ANN_PASSWORD}"
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for section in config.sections:
            if section.kind != "userlist":
                continue
            for line in section.lines:
                if line.keyword == "user":
                    yield from self._of_user(line)

    def _of_user(self, line: Line) -> Iterator[Finding]:
        words = line.arguments
        for kind, secret in pairwise(words[1:]):
            if secret.references:
                continue
            method = weak_hash(secret.value) if kind.value == "password" else None
            if kind.value == "insecure-password":
                message = f"the password of {words[0].value} stands here for all who read the file"
            elif method is not None:
                message = (
                    f"the password of {words[0].value} is hashed with {method}, which guessing"
                    " undoes quickly"
                )
            else:
                continue
            # The password itself is not underlined: reports are read by more people than files.
            yield self.finding(line, message, advice=_ADVICE, span=kind.span)
