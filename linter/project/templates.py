"""Files that are no configuration yet: a template engine has still to fill them in.

Such files are said to be skipped. What engines write also occurs in real configurations: braces
in Lua code, percent signs in addresses, names in capitals. So a mark counts only where the server
could not have meant it.
"""

from __future__ import annotations

import re

# One pass finds all marks; the group that matched names the engine.
_MARK = re.compile(
    rb"""
      (?P<statement> \{%[-+]?\s | \{%[-+]?(?:if|for|set|endif|endfor|else|include|raw)\b )
    | (?P<comment>   \{\#[^}\n]{0,500}\#\} )
    | (?P<expression>\{\{ )
    | (?P<erb>       <%(?=[=\#\-\s])[^\n]* )
    | (?P<variable>  \$\{(?P<braced>[A-Z][A-Z0-9_]+)(?::-[^}\n]{0,500})?\}
                   | \$(?P<bare>[A-Z][A-Z0-9_]+)\b )
    | (?P<percent>   %[A-Za-z_][A-Za-z0-9_]+% )
    | (?P<marker>    (?<![\w])__[A-Z][A-Z0-9_]*__(?![\w]) | (?<![\w.])@[A-Z][A-Z0-9_]*@ )
    """,
    re.VERBOSE,
)

_ENGINES = {
    "statement": "Jinja",
    "comment": "Jinja",
    "expression": "Jinja or Go",
    "erb": "ERB",
    "variable": "envsubst",
    "percent": "%name%",
    "marker": "placeholder",
}

# An expression inside of quotes: there braces are text, so it must look like nothing else.
_QUOTED_EXPRESSION = re.compile(rb"\{\{[-~]?\s*[.$\w][^{}\n]{0,2000}\}\}")

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
    defined: set[bytes] | None = None
    lines = _LineReader(data)
    has_lua = b"_by_lua_block" in data
    for match in _MARK.finditer(data):
        kind = next(name for name in _ENGINES if match[name] is not None)
        lines.advance(match.start())
        if lines.in_comment:
            continue
        if kind == "variable":
            if dialect == "haproxy":
                continue  # HAProxy expands the environment itself
            if defined is None:
                defined = {name.lower() for pair in _DEFINED.findall(data) for name in pair}
            name = (match["braced"] or match["bare"]).lower()
            if not _NO_VARIABLES.match(data, lines.start) and (
                name in defined or _is_built_in(name.decode("ascii"))
            ):
                continue
        elif kind == "percent":
            in_format = dialect == "haproxy" and _in_log_format(match)
            if in_format or _HEXADECIMAL.fullmatch(match[0]):
                continue
        elif kind == "expression" and not _is_expression(data, match, lines.in_quotes or has_lua):
            continue
        return match.start(), match.end(), _ENGINES[kind]
    return None


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


def _is_built_in(name: str) -> bool:
    return name in _BUILT_IN or name.startswith(_OPEN_FAMILIES)


def _is_expression(data: bytes, match: re.Match[bytes], whole: bool) -> bool:
    """Whether `{{` begins an expression of an engine.

    `whole`: only a whole expression on one line counts. So it is in quotes, and in files with Lua
    code, where tables begin with such braces.
    """
    if _QUOTED_EXPRESSION.match(data, match.start()):
        return True
    if whole:
        return False
    start = match.end()
    rest = data[start : start + 100].lstrip(b"-~ \t\r\n")
    return bool(_EXPRESSION_START.match(rest)) and data.find(b"}}", start, start + 1000) != -1


def _in_log_format(match: re.Match[bytes]) -> bool:
    """Whether `%ci%` is an alias of a HAProxy log-format with another one right behind it."""
    after = match.string[match.end() : match.end() + 1]
    return len(match[0]) <= 5 or after.isalnum() or after in b"[{"
