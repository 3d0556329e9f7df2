"""Secrets stay where they are: no report shows a password, a key or a token of a configuration.

What is a secret is told by the words before it, in comments too. It is masked in the source lines
that a report shows, and wherever a message repeats it; a fix that repeats one is left out of
reports. The patch of `gwlint fix` has the lines as they are, since it could not be applied else.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gwlint.source import Source, decode

if TYPE_CHECKING:
    from gwlint.edits import Fix
    from gwlint.engine import Report
    from gwlint.rule import Finding

MASK = b"*"
SHORTEST_REPEATED = 4
"""Characters. A message is searched for secrets of this length at least: shorter ones stand for
much else, and no message quotes what stands after these words."""

_NAME = (
    rb"[\w.$-]{0,64}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|credential)"
    rb"(?![\w.-]{0,64}(?:file|path|dir)\b)[\w.-]{0,64}"
)
"""Bounded: a long word would be looked through again from each of its places."""
_VALUE = rb"""(?P<{}>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[^\s"';]+)"""
"""A word, quoted or not; a quote that is never closed ends with its line."""

_VARIABLE = re.compile(rb"\$\w+|\$\{\w+\}")
_SECRETS = re.compile(
    rb"|".join(
        [
            # userlists: user NAME password HASH, user NAME insecure-password TEXT
            rb"\b(?:insecure-)?password[ \t]+" + _VALUE.replace(b"{}", b"userlist"),
            # stats auth USER:PASSWORD
            rb"\bstats[ \t]+auth[ \t]+[^\s:]+:(?P<stats>\S+)",
            # setenv APP_TOKEN x, set $api_key x, secure_link_secret x, a header X-Api-Key x
            rb"(?:^|[\s\"'(])" + _NAME + rb"[\"')]?[ \t]+" + _VALUE.replace(b"{}", b"named"),
            # Authorization "Basic dXNlcjpwYXNz", also within a longer word
            rb"\b(?:Basic|Bearer|Digest|Token)(?:[ \t]|\\[ \t])+(?P<scheme>[\w+/=.~-]{6,})",
            # https://user:password@host/
            rb"://[^\s/@:\"']*:(?P<url>[^\s/@\"']+)@",
            # /path?token=x&api_key=y
            rb"[?&;](?:access_token|token|key|api_?key|secret|passw(?:or)?d|pwd|sig|signature|auth)="
            rb"(?P<query>[^\s&;\"'$]+)",
        ]
    ),
    re.IGNORECASE | re.MULTILINE,
)


def shown_data(source: Source) -> bytes:
    """The bytes of a file with every secret masked, offset by offset."""
    return _masked(source)[0]


def masked(report: Report) -> Report:
    """The report with no secret in its messages, and without fixes that repeat one."""
    return replace(report, findings=[_masked_finding(finding) for finding in report.findings])


@lru_cache(maxsize=64)
def _masked(source: Source) -> tuple[bytes, frozenset[str]]:
    """The masked bytes, and the secrets that messages are searched for."""
    data = bytearray(source.data)
    found: set[str] = set()
    for match in _SECRETS.finditer(source.data):
        start, end = match.span(match.lastgroup or 0)
        value = source.data[start:end]
        quote = value[:1]
        if quote in (b'"', b"'"):
            value = value[1:].removesuffix(quote)
            start += 1
            end = start + len(value)
        if not value or _VARIABLE.fullmatch(value):
            continue
        data[start:end] = MASK * (end - start)
        found.add(decode(value))
    return bytes(data), frozenset(one for one in found if len(one) >= SHORTEST_REPEATED)


def _masked_finding(finding: Finding) -> Finding:
    secrets = set(_masked(finding.span.source)[1])
    for label in finding.related:
        secrets |= _masked(label.span.source)[1]
    if not secrets:
        return finding
    return finding._replace(
        message=_without(secrets, finding.message),
        advice=_without(secrets, finding.advice),
        related=tuple(
            label._replace(message=_without(secrets, label.message)) for label in finding.related
        ),
        fix=None if _repeats(finding.fix, secrets) else finding.fix,
    )


def _without(secrets: set[str], text: str) -> str:
    """`text` without the secrets, the longest first: one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret in text:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def _repeats(fix: Fix | None, secrets: set[str]) -> bool:
    return fix is not None and any(one in edit.text for edit in fix.edits for one in secrets)
