"""A scratch copy of an nginx configuration that `nginx -t` can read without touching anything.

The copy is made by edits on the words of the lossless trees. Nothing but stand-ins changes and
nothing moves to another line, so what nginx says of the copy holds for the original.
"""

from __future__ import annotations

import getpass
import grp
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.edits import Change, apply
from gwlint.servers.nginx_values import listen_address, log_target, without_host
from gwlint.servers.standins import StandIns, has_ipv6_loopback
from gwlint.source import encode
from gwlint.syntax.nginx.tree import Comment, Directive, NginxFile, RawBlock, Word

if TYPE_CHECKING:
    from gwlint.project import NginxRoot

TEMPORARY_PATHS = (
    "client_body_temp_path",
    "proxy_temp_path",
    "fastcgi_temp_path",
    "uwsgi_temp_path",
    "scgi_temp_path",
)
"""nginx makes these folders, at places fixed when it was built, unless http names others."""

EXECUTED = frozenset({"perl", "perl_set", "perl_modules", "perl_require", "ssl_engine"})
"""Directives whose code runs while nginx tests; a configuration with one is not judged."""

_DROPPED = frozenset(
    {
        "load_module",
        "init_by_lua",
        "init_by_lua_file",
        "lua_package_path",
        "lua_package_cpath",
        "js_path",
        "js_include",
        "js_preload_object",
        "ssl_crl",
        "ssl_stapling_file",
        "proxy_ssl_crl",
        "fastcgi_ssl_crl",
        "grpc_ssl_crl",
        "uwsgi_ssl_crl",
        "geoip_country",
        "geoip_city",
        "geoip_org",
        "xslt_stylesheet",
        "xml_entities",
        "google_perftools_profiles",
    }
)
"""Directives that read a file or run code while nginx tests, and define nothing others need."""

_SCAFFOLDS: Mapping[str, tuple[str, str]] = {
    "main": ("", ""),
    "events": ("events {", "}"),
    "http": ("http {", "}"),
    "http server": ("http { server {", "} }"),
    "http server if": ("http { server { if ($host) {", "} } }"),
    "location": ("http { server { location / {", "} } }"),
    "location if": ("http { server { location / { if ($host) {", "} } } }"),
    "limit_except": ("http { server { location / { limit_except GET {", "} } } }"),
    "http upstream": ("http { upstream gwlint {", "} }"),
    "stream": ("stream {", "}"),
    "stream server": ("stream { server {", "} }"),
    "stream upstream": ("stream { upstream gwlint {", "} }"),
    "mail": ("mail {", "}"),
    "mail server": ("mail { server {", "} }"),
}
"""What stands around a fragment, by the context it belongs to."""

_PLAIN = re.compile(r"[A-Za-z0-9_./:*@%+,=~^\[\]-]+")


@dataclass
class Supplies:
    """Definitions that lie in files nobody gave: text for the beginning of http and of stream."""

    http: list[str] = field(default_factory=list)
    stream: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NginxCopy:
    """The copy as it lies on disk.

    `configuration` is what `nginx -c` takes, `globals` what `-g` takes besides modules, `copies`
    which file each copy stands for, `names` every directive name, `incomplete` whether
    definitions may lie in files nobody gave, `executed` the directive that forbids a test.
    """

    configuration: Path
    globals: str
    copies: dict[Path, str]
    names: set[str]
    incomplete: bool
    executed: str | None


def copy_nginx(root: NginxRoot, standins: StandIns, supplies: Supplies) -> NginxCopy | None:
    """The scratch copy of a root; None for a fragment of a context that has no scaffold."""
    if root.is_fragment and root.context not in _SCAFFOLDS:
        return None
    return _Copier(root, standins, supplies).write()


def quoted(value: str) -> str:
    """A word that nginx reads as `value`."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class _Level:
    """A block while it is read: its directive's name, and that of the block around it."""

    name: str
    outer: str


_Edits = Iterator[tuple[Word, str]]


class _Copier:
    def __init__(self, root: NginxRoot, standins: StandIns, supplies: Supplies) -> None:
        self.root = root
        self.standins = standins
        self.supplies = supplies
        self.changes: dict[str, dict[tuple[int, int], Change]] = {}
        self.trees: dict[str, NginxFile] = {}
        self.names: set[str] = set()
        self.main_names: set[str] = set()
        self.http_names: set[str] = set()
        self.http_blocks: list[Directive] = []
        self.stream_blocks: list[Directive] = []
        self.upstreams: set[str] = set()
        self.placed: list[tuple[Directive, _Level]] = []
        self.incomplete = root.is_fragment

    def write(self) -> NginxCopy:
        self._read()
        for directive, level in self.placed:
            self._stand_in(directive, level)
        for block in self.http_blocks:
            self._insert(block, self._http_text())
        for block in self.stream_blocks:
            self._insert(block, " ".join(self.supplies.stream))
        copies: dict[Path, str] = {}
        for path, tree in self.trees.items():
            changes = sorted(
                self.changes.get(path, {}).values(), key=lambda change: (change.start, change.end)
            )
            copy = self._copy_path(path)
            copy.write_bytes(apply(tree.source.data, changes))
            copies[copy] = path
        configuration = self._copy_path(self.root.main.path)
        if self.root.is_fragment or "events" not in self.main_names:
            configuration = self.standins.text_file("scaffold.conf", self._scaffold(configuration))
        return NginxCopy(
            configuration,
            self._globals(),
            copies,
            self.names | set((self.root.context or "").split()),
            self.incomplete,
            min(self.names & EXECUTED, default=None),
        )

    def _copy_path(self, path: str) -> Path:
        return self.standins.path(f"configuration {path}")

    def _read(self) -> None:
        """Places every directive, includes followed, without recursion."""
        context = (self.root.context or "main").split()
        outermost = _Level(context[-1], context[-2] if len(context) > 1 else "")
        pending: list[tuple[Iterator[Directive | Comment], _Level]] = []
        self._open(self.root.main.tree, outermost, pending)
        while pending:
            children, level = pending[-1]
            for node in children:
                if not isinstance(node, Directive):
                    continue
                self._place(node, level)
                if node.block is not None:
                    if not isinstance(node.block, RawBlock):
                        inner = _Level(node.name, level.name)
                        pending.append((iter(node.block.children), inner))
                    break
                if node.name == "include":
                    include = self.root.includes.get(node)
                    if include is None or include.problem is not None:
                        self.incomplete = True
                        continue
                    for file in reversed(include.files):
                        self._open(file.tree, level, pending)
                    break
            else:
                pending.pop()

    def _open(
        self,
        tree: object,
        level: _Level,
        pending: list[tuple[Iterator[Directive | Comment], _Level]],
    ) -> None:
        if isinstance(tree, NginxFile):
            self.trees.setdefault(tree.source.path, tree)
            pending.append((iter(tree.children), level))

    def _place(self, directive: Directive, level: _Level) -> None:
        self.placed.append((directive, level))
        if directive.is_entry:
            return
        name = directive.name
        self.names.add(name)
        if level.name == "main":
            self.main_names.add(name)
            if directive.block is not None and name == "http":
                self.http_blocks.append(directive)
            if directive.block is not None and name == "stream":
                self.stream_blocks.append(directive)
        elif level.name == "http":
            self.http_names.add(name)
        if name == "upstream" and directive.values:
            self.upstreams.add(directive.values[0].lower())

    # Edits

    def _change(self, directive: Directive, start: int, end: int, text: str) -> None:
        changes = self.changes.setdefault(directive.source.path, {})
        changes[start, end] = Change(start, end, encode(text))

    def _insert(self, block: Directive, text: str) -> None:
        assert block.block is not None
        offset = block.block.open + 1
        self._change(block, offset, offset, f" {text} ")

    def _stand_in(self, directive: Directive, level: _Level) -> None:
        if directive.name == "include" and directive.block is None:
            self._include(directive)
            return
        if directive.is_entry or not directive.words:
            return
        if directive.name in _DROPPED and directive.block is None:
            self._change(directive, directive.start, directive.end, "")
            return
        if directive.name == "init_by_lua_block" and isinstance(directive.block, RawBlock):
            self._change(directive, *directive.block.body, " return ")
            return
        handler = _HANDLERS.get(directive.name)
        if handler is None and directive.name.endswith("_pass"):
            handler = _Copier._pass
        if handler is None:
            return
        for word, value in handler(self, directive, level):
            if value != word.value:
                self._change(directive, word.start, word.end, quoted(value) if value else "")

    def _include(self, directive: Directive) -> None:
        include = self.root.includes.get(directive)
        paths = [
            file.path
            for file in (() if include is None else include.files)
            if isinstance(file.tree, NginxFile)
        ]
        text = " ".join(f"include {self._copy_path(path)};" for path in paths)
        self._change(directive, directive.start, directive.end, text)

    def _file(self, directive: Directive, level: _Level) -> _Edits:
        for word in directive.arguments[:1]:
            yield word, str(self.standins.path(word.value))

    def _user(self, directive: Directive, level: _Level) -> _Edits:
        for word, name in zip(directive.arguments, _user_and_group(), strict=False):
            yield word, name

    def _error_log(self, directive: Directive, level: _Level) -> _Edits:
        for word in directive.arguments[:1]:
            yield word, "stderr"

    def _access_log(self, directive: Directive, level: _Level) -> _Edits:
        for word in directive.arguments[:1]:
            yield word, log_target(word.value, self.standins)

    def _listen(self, directive: Directive, level: _Level) -> _Edits:
        for word in directive.arguments[:1]:
            yield word, listen_address(word.value, self.standins)
        for word in directive.arguments[1:]:
            if word.value.startswith("ipv6only=") and not has_ipv6_loopback():
                yield word, ""

    def _server(self, directive: Directive, level: _Level) -> _Edits:
        """`server` of an upstream. With `resolve` the name is left: nginx then asks later."""
        if level.name == "upstream" and "resolve" not in directive.values:
            for word in directive.arguments[:1]:
                yield word, without_host(word.value, self.standins)

    def _pass(self, directive: Directive, level: _Level) -> _Edits:
        for word in directive.arguments[:1]:
            yield word, without_host(word.value, self.standins, self.upstreams)

    def _hosts(self, directive: Directive, level: _Level) -> _Edits:
        """Names of name servers and the like, where nginx takes `$` for a letter."""
        for word in directive.arguments:
            if word.value.startswith("$"):
                yield word, self.standins.host(word.value)
            elif "=" not in word.value and "/" not in word.value:
                yield word, without_host(word.value, self.standins)

    def _certificate(self, directive: Directive, level: _Level) -> _Edits:
        made = self.standins.credentials
        if made is None:
            return
        name = directive.name
        chosen = made.certificate
        if name.endswith("certificate_key"):
            chosen = made.key
        elif name == "ssl_dhparam":
            chosen = made.parameters
        elif name == "ssl_session_ticket_key":
            chosen = made.ticket_key
        elif name.endswith("password_file"):
            chosen = self.standins.text_file("passwords", "\n")
        for word in directive.arguments[:1]:
            if "$" not in word.value and not word.value.startswith("data:"):
                yield word, str(chosen)

    def _js_import(self, directive: Directive, level: _Level) -> _Edits:
        """An empty module in place of the script, which would run."""
        module = str(self.standins.text_file("empty.js", "export default {};\n"))
        words = directive.arguments
        if len(words) == 1:
            name = Path(words[0].value).name.removesuffix(".js")
            self._change(directive, words[0].start, words[0].end, f"{name} from {module}")
        elif len(words) == 3:
            yield words[2], module

    # What is put around

    def _http_text(self) -> str:
        """Directives that keep nginx from its built-in places, and the supplies."""
        missing = [name for name in TEMPORARY_PATHS if name not in self.http_names]
        parts = [f"{name} {self.standins.path(name)};" for name in missing]
        if "access_log" not in self.http_names:
            parts.append(f"access_log {self.standins.path('access_log')};")
        return " ".join([*self.supplies.http, *parts])

    def _scaffold(self, fragment: Path) -> str:
        context = (self.root.context if self.root.is_fragment else None) or "main"
        before, after = _SCAFFOLDS[context]
        if before.startswith("http {"):
            before = f"http {{ {self._http_text()} {before.removeprefix('http {')}"
        elif before.startswith("stream {"):
            supplies = " ".join(self.supplies.stream)
            before = f"stream {{ {supplies} {before.removeprefix('stream {')}"
        events = "" if context == "events" or "events" in self.main_names else "events { }"
        return f"{events}\n{before}\ninclude {fragment};\n{after}\n"

    def _globals(self) -> str:
        """Directives of the main context that keep nginx from built-in places and users."""
        parts = []
        if "pid" not in self.main_names:
            parts.append(f"pid {self.standins.path('pid')};")
        if "lock_file" not in self.main_names:
            parts.append(f"lock_file {self.standins.path('lock_file')};")
        if "user" not in self.main_names and os.geteuid() == 0:
            parts.append(f"user {' '.join(_user_and_group())};")
        return " ".join(parts)


def _user_and_group() -> tuple[str, str]:
    """Who runs gwlint: nginx looks both names up, and as root would hand folders to them."""
    return getpass.getuser(), grp.getgrgid(os.getegid()).gr_name


_Handler = Callable[[_Copier, Directive, _Level], _Edits]

_HANDLERS: Mapping[str, _Handler] = {
    "user": _Copier._user,
    "pid": _Copier._file,
    "lock_file": _Copier._file,
    **dict.fromkeys(TEMPORARY_PATHS, _Copier._file),
    "proxy_cache_path": _Copier._file,
    "fastcgi_cache_path": _Copier._file,
    "uwsgi_cache_path": _Copier._file,
    "scgi_cache_path": _Copier._file,
    "error_log": _Copier._error_log,
    "access_log": _Copier._access_log,
    "listen": _Copier._listen,
    "server": _Copier._server,
    "auth_http": _Copier._pass,
    "ssl_stapling_responder": _Copier._pass,
    "resolver": _Copier._hosts,
    "set_real_ip_from": _Copier._hosts,
    "debug_connection": _Copier._hosts,
    "js_import": _Copier._js_import,
    "ssl_dhparam": _Copier._certificate,
    "ssl_session_ticket_key": _Copier._certificate,
    "ssl_password_file": _Copier._certificate,
    **{
        f"{prefix}ssl_{name}": _Copier._certificate
        for prefix in ("", "proxy_", "grpc_", "uwsgi_", "fastcgi_")
        for name in (
            "certificate",
            "certificate_key",
            "client_certificate",
            "trusted_certificate",
            "password_file",
        )
    },
}
