"""Files that are no configuration yet: a template engine has still to fill them in.

Such files are said to be skipped. What engines write also occurs in real configurations: braces
in Lua code, percent signs in addresses, names in capitals. So a mark counts only where the server
could not have meant it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

# One pass finds all marks; the group that matched names the engine.
_MARK = re.compile(
    rb"""
      (?P<statement> \{%[-+]?\s | \{%[-+]?(?:if|for|set|endif|endfor|else|include|raw)\b )
    | (?P<comment>   \{\# )
    | (?P<expression>\{\{ )
    | (?P<erb>       <%(?=[=\#\-\s])[^\n]* )
    | (?P<variable>  \$\{(?P<braced>[A-Z][A-Z0-9_]+)(?::-[^}\n]{0,500})?\}
                   | \$(?P<bare>[A-Z][A-Z0-9_]+)\b )
    | (?P<percent>   %[A-Za-z_][A-Za-z0-9_]+% )
    | (?P<marker>    (?<![\w])__[A-Z][A-Z0-9_]*__(?![\w]) | (?<![\w.])@[A-Z][A-Z0-9_]*@ )
    """,
    re.VERBOSE,
)

# Where one may begin. Each alternative begins with a certain byte, so the search skips all others,
# and looking for marks at what it finds takes a tenth of the time (measured on 50,000 lines).
_MAY_BEGIN = re.compile(rb"\{[{%\#]|<%|\$\{?[A-Z]|%[A-Za-z_]|__[A-Z]|@[A-Z]")

_ENGINES = {
    "statement": "Jinja",
    "comment": "Jinja",
    "expression": "Jinja or Go",
    "erb": "ERB",
    "variable": "envsubst",
    "percent": "%name%",
    "marker": "placeholder",
}

_MOST_MARKS = 10_000
"""Where so many marks were none of a template, no other one is."""

_LONGEST_TAG = 1_000
"""Bytes between the braces of one tag."""

# A whole expression. In quotes braces are text, and in Lua tables begin with two of them, so
# there nothing less will do.
_WHOLE_EXPRESSION = re.compile(rb"\{\{[-~]?\s*[.$\w][^{}\n]{0,1000}\}\}")

_EXPRESSION_START = re.compile(rb"/\*|\.|\$|[A-Za-z_(\"`]")

# A backslash takes the next byte with it; the rest opens or closes something.
_SIGNIFICANT = re.compile(rb"\\[^\n]|[\"'#]")

_HEXADECIMAL = re.compile(rb"%[0-9A-Fa-f]{2}%")

_DEFINED = re.compile(
    rb"\b(?:set|auth_request_set|js_set|js_var|perl_set|set_by_lua\w*)[ \t]+[\"']?\$\{?([A-Z]\w*)"
    rb"|\b(?:map|geo|split_clients)\b[^;{\n]{0,500}\$\{?([A-Z]\w*)\}?[\"'\s]*\{"
    rb"|\(\?P?<([A-Z]\w*)>"
)
"""Where a configuration defines variables of its own; their names may have capitals."""

# nginx looks variables up by their name in lower case, so $HOST is $host (measured on 1.22.1).
_BUILT_IN_NAMES = (
    "ancient_browser args binary_remote_addr body_bytes_sent bytes_received bytes_sent connection"
    " connection_requests connection_time content_length content_type date_gmt date_local"
    " document_root document_uri fastcgi_path_info fastcgi_script_name gzip_ratio host hostname"
    " http2 http3 https invalid_referer is_args limit_conn_status limit_rate limit_req_status"
    " modern_browser msec msie nginx_version pid pipe protocol proxy_add_x_forwarded_for proxy_host"
    " proxy_port proxy_protocol_addr proxy_protocol_port query_string realip_remote_addr"
    " realip_remote_port realpath_root remote_addr remote_port remote_user request request_body"
    " request_body_file request_completion request_filename request_id request_length"
    " request_method request_time request_uri scheme secure_link secure_link_expires server_addr"
    " server_name server_port server_protocol session_time slice_range ssl_cipher ssl_ciphers"
    " ssl_client_cert ssl_client_verify ssl_protocol ssl_server_name status time_iso8601"
    " time_local uid_got uid_set upstream_addr upstream_cache_status upstream_status uri"
)
_BUILT_IN = frozenset(_BUILT_IN_NAMES.split())
_OPEN_FAMILIES = ("arg_", "cookie_", "http_", "sent_http_", "upstream_http_", "geoip_", "geoip2_")

_NO_VARIABLES = re.compile(
    rb"[ \t]*(?:include|listen|load_module|resolver|server|server_name|upstream|user|worker_\w+"
    rb"|pid|keepalive\w*|client_max_body_size|\w+_timeout)[ \t]"
)
"""Directives that take no variables: a name in capitals is of another program there."""


def first_mark(data: bytes, dialect: str) -> tuple[int, int, str] | None:
    """Start and end offset of the first template mark, and the engine; None for no template."""
    defined: frozenset[str] | None = None
    has_lua = b"_by_lua_block" in data
    lines = _LineReader(data)
    for match in islice(_marks(data), _MOST_MARKS):
        lines.advance(match.start())
        if lines.in_comment:
            continue
        kind = match.lastgroup or ""
        end: int | None = match.end()
        if kind == "comment":
            end = _end_of_comment(match)
        elif kind == "expression":
            end = _end_of_expression(match, lines.in_quotes or has_lua)
        elif dialect == "haproxy":
            # HAProxy expands the environment itself, and its log-formats are full of percents.
            if kind == "variable" or (kind == "percent" and _in_log_format(match)):
                continue
        elif kind == "variable":
            defined = _defined_variables(data) if defined is None else defined
            is_possible = not _NO_VARIABLES.match(data, lines.start)
            if is_possible and _is_variable(match, defined):
                continue
        if end is not None and not _HEXADECIMAL.fullmatch(match[0]):
            return match.start(), end, _ENGINES[kind]
    return None


def _marks(data: bytes) -> Iterator[re.Match[bytes]]:
    """What looks like a mark, in order."""
    beginning = _MAY_BEGIN.search(data)
    while beginning is not None:
        match = _MARK.match(data, beginning.start())
        if match is not None:
            yield match
        beginning = _MAY_BEGIN.search(data, match.end() if match else beginning.start() + 1)


class _LineReader:
    """Goes over the data once and tells, at each place, whether it is in a comment or in quotes.

    Both are taken to end with their line. A comment begins at a `#` where a word could begin.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.start = 0
        """Offset of the line's first byte."""
        self.in_comment = False
        self._quote = 0
        self._offset = 0

    @property
    def in_quotes(self) -> bool:
        return self._quote != 0

    def advance(self, offset: int) -> None:
        """Goes on to an offset, which is not before the last one."""
        start = self.data.rfind(b"\n", self._offset, offset) + 1
        if start:
            self.start = self._offset = start
            self.in_comment = False
            self._quote = 0
        if not self.in_comment:
            self._read(offset)
        self._offset = offset

    def _read(self, end: int) -> None:
        for match in _SIGNIFICANT.finditer(self.data, self._offset, end):
            sign = match[0][0]
            if self._quote:
                if sign == self._quote:
                    self._quote = 0
            elif sign in b"\"'":
                self._quote = sign
            elif sign == 0x23 and self.data[max(match.start() - 1, 0)] in b"# \t\r\n;{}":
                self.in_comment = True
                return


def _defined_variables(data: bytes) -> frozenset[str]:
    found = _DEFINED.findall(data)
    return frozenset(name.decode("ascii").lower() for names in found for name in names)


def _is_variable(match: re.Match[bytes], defined: frozenset[str]) -> bool:
    """Whether a name in capitals is a variable of nginx or of this configuration."""
    name = (match["braced"] or match["bare"]).decode("ascii").lower()
    return name in defined or name in _BUILT_IN or name.startswith(_OPEN_FAMILIES)


def _end_of_comment(match: re.Match[bytes]) -> int | None:
    closed = match.string.find(b"#}", match.end(), match.end() + _LONGEST_TAG)
    return None if closed == -1 else closed + 2


def _end_of_expression(match: re.Match[bytes], must_be_whole: bool) -> int | None:
    """Where an expression that `{{` begins ends, or the braces if it takes several lines.

    None when it is none, or, where it must be whole, does not end in the same line.
    """
    data, end = match.string, match.end()
    whole = _WHOLE_EXPRESSION.match(data, match.start())
    if whole is not None:
        return whole.end()
    rest = data[end : end + 100].lstrip(b"-~ \t\r\n")
    is_closed = data.find(b"}}", end, end + _LONGEST_TAG) != -1
    return end if not must_be_whole and is_closed and _EXPRESSION_START.match(rest) else None


def _in_log_format(match: re.Match[bytes]) -> bool:
    """Whether `%ci%` is an alias of a HAProxy log-format with another one right behind it."""
    after = match.string[match.end() : match.end() + 1]
    return len(match[0]) <= 5 or after.isalnum() or after in b"[{"
