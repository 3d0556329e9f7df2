"""Writing a value as one word of a configuration, whatever it holds.

nginx (ngx_conf_read_token): inside double quotes only backslash and double quote are special to
the tokenizer, and a backslash before them takes that away. A `$` would be taken for a variable
later on, and nginx has no escape for it, so it is refused.
HAProxy (parse_line): inside single quotes nothing is special; a single quote is written outside
of them, after a backslash. Environment references are expanded in double quotes, which are never
used here.
"""

from __future__ import annotations

import re

_NGINX_PLAIN = re.compile(r"[A-Za-z0-9._/:@+,=~*?&\[\]-]+", re.ASCII)
_HAPROXY_PLAIN = re.compile(r"[A-Za-z0-9._/:@+,=~*?&\[\]{}()%-]+", re.ASCII)


def nginx_word(text: str) -> str:
    """`text` as one word of an nginx configuration. Raises ValueError if it cannot be written."""
    _refuse_control(text)
    if "$" in text:
        raise ValueError(f"nginx has no way to write the $ in {text!r}")
    if _NGINX_PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def haproxy_word(text: str) -> str:
    """`text` as one word of a HAProxy configuration. Raises ValueError if it cannot be written.

    A `$` is refused as well: addresses are expanded once more after the line was read (measured).
    """
    _refuse_control(text)
    if "$" in text:
        raise ValueError(f"HAProxy may expand the $ in {text!r}")
    if _HAPROXY_PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def comment(text: str) -> str:
    """`text` for a comment: what is no letter, digit or common sign becomes `?`."""
    return re.sub(r"[^A-Za-z0-9._/ @+-]", "?", text)


def _refuse_control(text: str) -> None:
    if not text.isprintable():
        raise ValueError(f"a control character cannot be written: {text!r}")
