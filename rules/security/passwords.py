"""Passwords that are no secret, and hashes that are quickly undone."""

from __future__ import annotations

import re

# fmt: off
_PUBLISHED = frozenset({
    "", "1234", "12345", "123456", "12345678", "123456789", "admin", "admin123", "administrator",
    "changeit", "changeme", "changemenow", "default", "demo", "elgato", "example", "guest",
    "haproxy", "haproxystats", "hello", "letmein", "login", "mypassword", "p@ssw0rd", "pass",
    "passw0rd", "passwd", "password", "password1", "password123", "qwerty", "root", "secret",
    "stats", "statistics", "test", "user", "yourpassword",
    # The examples of the HAProxy manual (keyword stats auth).
    "admin1234", "admin321",
})
# fmt: on
"""In lower case: what people try without knowing anything."""

_DES = re.compile(r"[./0-9A-Za-z]{13}")
_EXTENDED_DES = re.compile(r"_[./0-9A-Za-z]{19}")


def is_published(user: str, password: str) -> bool:
    """Whether the password is the user's name, or one of those that everybody tries first."""
    return password.lower() in _PUBLISHED or password.lower() == user.lower()


def weak_hash(text: str) -> str | None:
    """The name of the method when the hash, as crypt(3) writes it, is quickly undone by trying."""
    if text.startswith("$1$"):
        return "MD5"
    if _DES.fullmatch(text) or _EXTENDED_DES.fullmatch(text):
        return "DES"
    return None
