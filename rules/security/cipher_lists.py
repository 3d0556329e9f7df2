"""Cipher lists as OpenSSL reads them: `ECDHE+AESGCM:!aNULL:@STRENGTH` (openssl-ciphers, manual).

Only what a list names is judged: which ciphers a library still has differs from build to build.
"""

from __future__ import annotations

import re

INTERMEDIATE = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""Mozilla's guideline 6.0, profile intermediate (2026-04): TLS 1.2."""

_SEPARATORS = re.compile(r"[:, ]+")

_BROKEN = {
    "RC4": "RC4",
    "RC2": "RC2",
    "3DES": "3DES",
    "DES": "DES",
    "DES-CBC3": "3DES",
    "EXPORT": "export ciphers",
    "EXPORT40": "export ciphers",
    "EXPORT56": "export ciphers",
    "EXP": "export ciphers",
    "LOW": "ciphers of 64 bits and less",
    "MD5": "MD5",
    "NULL": "no encryption",
    "eNULL": "no encryption",
    "aNULL": "no authentication",
    "ADH": "no authentication",
    "AECDH": "no authentication",
    "COMPLEMENTOFALL": "no encryption",
}
"""Names of OpenSSL -> what is wrong with them."""


def broken_ciphers(text: str) -> list[str]:
    """What the list lets in that is broken, each once: "RC4", "no encryption".

    A name counts unless the list kills it with `!` or `-`. A list that lowers the security level of
    OpenSSL to 0 says "security level 0".
    """
    words = [word for word in _SEPARATORS.split(text.strip()) if word]
    killed = {word[1:].upper() for word in words if word[0] in "!-"}
    found: dict[str, None] = {}
    for word in words:
        if word[0] in "!-+":
            continue
        if word.upper() == "@SECLEVEL=0":
            found["security level 0"] = None
        for part in _parts(word):
            fault = _BROKEN_BY_NAME.get(part)
            if fault is not None and not _is_killed(part, killed):
                found[fault] = None
    return list(found)


_BROKEN_BY_NAME = {name.upper(): fault for name, fault in _BROKEN.items()}


def _parts(word: str) -> list[str]:
    """The names in `kRSA+3DES` or `ECDHE-RSA-DES-CBC3-SHA`, in capitals."""
    parts: list[str] = []
    for name in word.upper().split("+"):
        pieces = name.split("-")
        # EDH-RSA-DES-CBC3-SHA is triple DES, DES-CBC-SHA is the single one.
        if "CBC3" in pieces:
            pieces = ["DES-CBC3", *(piece for piece in pieces if piece not in ("DES", "CBC3"))]
        parts.extend(pieces)
    return parts


def _is_killed(part: str, killed: set[str]) -> bool:
    names = {part, *({"3DES", "DES-CBC3"} if part in ("3DES", "DES-CBC3") else ())}
    if part in ("ADH", "AECDH"):
        names.add("ANULL")
    if part in ("NULL", "ENULL"):
        names |= {"NULL", "ENULL"}
    return bool(names & killed)
