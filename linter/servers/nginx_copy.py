"""A scratch copy of an nginx configuration that `nginx -t` can read without touching anything.

The copy is made by edits on the words of the lossless trees. Nothing but stand-ins changes and
nothing moves to another line, so what nginx says of the copy holds for the original.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.edits import Change, apply
from gwlint.servers.nginx_arguments import TEMPORARY_PATHS, quoted, stand_ins
from gwlint.servers.owner import group_name, user_name
from gwlint.servers.standins import StandIns
from gwlint.source import encode
from gwlint.syntax.nginx.tree import Comment, Directive, NginxFile, RawBlock

if TYPE_CHECKING:
    from gwlint.project import NginxRoot

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


@dataclass(frozen=True, slots=True)
class _Level:
    """A block while it is read: its directive's name, and that of the block around it."""

    name: str
    outer: str


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
        if not isinstance(tree, NginxFile):
            self.incomplete = True
        else:
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
        for word, value in stand_ins(directive, level.name, self.upstreams, self.standins):
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
            parts.append(f"user {user_name()} {group_name()};")
        return " ".join(parts)
