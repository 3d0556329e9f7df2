"""Stand-ins for the arguments of nginx directives that reach outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gwlint.servers.credentials import credentials
from gwlint.servers.nginx_values import listen_address, log_target, without_host
from gwlint.servers.owner import group_name, user_name
from gwlint.servers.standins import StandIns, has_ipv6_loopback
from gwlint.syntax.nginx.tree import Directive, Word

TEMPORARY_PATHS = (
    "client_body_temp_path",
    "proxy_temp_path",
    "fastcgi_temp_path",
    "uwsgi_temp_path",
    "scgi_temp_path",
)
"""nginx makes these folders, at places fixed when it was built, unless http names others."""

_PLAIN = re.compile(r"[A-Za-z0-9_./:*@%+,=~^\[\]-]+")

_SCRIPT_NAME = re.compile(r"[A-Za-z0-9_.-]{0,100}[A-Za-z0-9_]\.js")


def quoted(value: str) -> str:
    """A word that nginx reads as `value`."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def stand_ins(
    directive: Directive, block: str, upstreams: Collection[str], standins: StandIns
) -> Iterator[tuple[Word, str]]:
    """The words to replace, each with its new value; an empty value removes the word.

    `block` is the name of the block around the directive; `upstreams` are names, in lower case,
    that are no host names.
    """
    handler = _HANDLERS.get(directive.name)
    if handler is None and directive.name.endswith("_pass"):
        handler = _destination
    if handler is not None:
        yield from handler(_Place(directive, block, upstreams, standins))


@dataclass(frozen=True, slots=True)
class _Place:
    directive: Directive
    block: str
    upstreams: Collection[str]
    standins: StandIns

    @property
    def first(self) -> list[Word]:
        """The first argument, if there is one."""
        return self.directive.arguments[:1]


_Edits = Iterator[tuple[Word, str]]


def _file(place: _Place) -> _Edits:
    for word in place.first:
        yield word, str(place.standins.path(word.value))


def _user(place: _Place) -> _Edits:
    yield from zip(place.directive.arguments, (user_name(), group_name()), strict=False)


def _error_log(place: _Place) -> _Edits:
    for word in place.first:
        yield word, "stderr"


def _access_log(place: _Place) -> _Edits:
    for word in place.first:
        yield word, log_target(word.value, place.standins)


def _listen(place: _Place) -> _Edits:
    for word in place.first:
        yield word, listen_address(word.value, place.standins)
    for word in place.directive.arguments[1:]:
        if word.value.startswith("ipv6only=") and not has_ipv6_loopback():
            yield word, ""


def _server(place: _Place) -> _Edits:
    """`server` of an upstream. With `resolve` the name is left: nginx then asks later."""
    if place.block == "upstream" and "resolve" not in place.directive.values:
        for word in place.first:
            yield word, without_host(word.value, place.standins)


def _destination(place: _Place) -> _Edits:
    for word in place.first:
        yield word, without_host(word.value, place.standins, place.upstreams)


def _hosts(place: _Place) -> _Edits:
    """Names of name servers and the like, where nginx takes `$` for a letter."""
    for word in place.directive.arguments:
        if word.value.startswith("$"):
            yield word, place.standins.host(word.value)
        elif "=" not in word.value and "/" not in word.value:
            yield word, without_host(word.value, place.standins)


def _secret(place: _Place) -> _Edits:
    """Certificates, keys and the like. Those named by variables are not read at the start."""
    made = credentials()
    if made is None:
        return
    name = place.directive.name
    chosen = made.certificate
    if name.endswith("certificate_key"):
        chosen = made.key
    elif name == "ssl_dhparam":
        chosen = made.parameters
    elif name == "ssl_session_ticket_key":
        chosen = made.ticket_key
    elif name.endswith("password_file"):
        chosen = place.standins.text_file("passwords", "\n")
    for word in place.first:
        if "$" not in word.value and not word.value.startswith("data:"):
            yield word, str(chosen)


def _script(place: _Place) -> _Edits:
    """`js_import [NAME from] FILE`: an empty module, since nginx would run the script."""
    module = str(place.standins.text_file("empty.js", "export default {};\n"))
    words = place.directive.arguments
    if len(words) == 3:
        yield words[2], module
    elif len(words) == 1 and _SCRIPT_NAME.fullmatch(name := Path(words[0].value).name):
        # The module's name comes from the file's, so the stand-in has to have it too.
        yield words[0], str(place.standins.text_file(name, "export default {};\n"))
    else:  # whatever it is, it is not run
        yield from ((word, module) for word in words)


_HANDLERS: Mapping[str, Callable[[_Place], _Edits]] = {
    "user": _user,
    "pid": _file,
    "lock_file": _file,
    **dict.fromkeys(TEMPORARY_PATHS, _file),
    "proxy_cache_path": _file,
    "fastcgi_cache_path": _file,
    "uwsgi_cache_path": _file,
    "scgi_cache_path": _file,
    "error_log": _error_log,
    "access_log": _access_log,
    "listen": _listen,
    "server": _server,
    "auth_http": _destination,
    "ssl_stapling_responder": _destination,
    "resolver": _hosts,
    "set_real_ip_from": _hosts,
    "debug_connection": _hosts,
    "js_import": _script,
    "ssl_dhparam": _secret,
    "ssl_session_ticket_key": _secret,
    "ssl_password_file": _secret,
    **{
        f"{prefix}ssl_{name}": _secret
        for prefix in ("", "proxy_", "grpc_", "uwsgi_", "fastcgi_", "lua_")
        for name in (
            "certificate",
            "certificate_key",
            "client_certificate",
            "trusted_certificate",
            "password_file",
        )
    },
}
