"""What a project is made of: files, each with a status, and the roots that they form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gwlint.source import Source, Span

if TYPE_CHECKING:
    from gwlint.syntax.haproxy.tree import HaproxyFile
    from gwlint.syntax.nginx.tree import Directive, NginxFile

NGINX = "nginx"
HAPROXY = "haproxy"
UNKNOWN_CONTEXT = "unknown"
"""The context of a fragment whose content fits nowhere, or says nothing."""


class Status(StrEnum):
    OK = "ok"
    SYNTAX_ERROR = "syntax-error"
    SKIPPED_TEMPLATE = "skipped-template"
    UNREADABLE = "unreadable"


class NoInput(Exception):  # noqa: N818 - it is no defect, but an answer that the command gives
    """A path that does not exist, or no configuration under the paths."""


@dataclass(frozen=True, eq=False)
class ConfigFile:
    """One file, read and parsed once.

    `path` is relative to the working directory with forward slashes, or absolute when the file
    lies outside of it; `absolute` is where it was found, symbolic links kept. `reason` says why
    the status is not ok. `source` is None only when unreadable; `tree` is there when the status is
    ok or syntax-error. `marker` is the first template mark. `named`: on the command line.
    """

    path: str
    absolute: str
    dialect: str
    status: Status
    reason: str
    source: Source | None
    tree: NginxFile | HaproxyFile | None
    named: bool
    marker: Span | None = None

    @property
    def mentions_gwlint(self) -> bool:
        """Whether it may hold comments for gwlint: nobody looks for them in other files."""
        return self.tree is not None and b"gwlint:" in self.tree.source.data


@dataclass(frozen=True, eq=False)
class Include:
    """One `include` of an nginx root, and what it brings in, in the order nginx reads it.

    `problem` is None, or one of:
    - "not-found": no such file;
    - "outside": it leads out of what was given, an absolute path that no path_map maps or, from a
      fragment whose main file is not known, a relative one;
    - "cycle": files that are being read already were left out;
    - "unreadable": one of `files` could not be read;
    - "too-many": following it would read more than `includes.MAX_EXPANDED_FILES` files.

    `assumed`: the path was taken to be meant relative to a folder of the project, which the
    configuration itself does not say.
    """

    directive: Directive
    pattern: str
    files: tuple[ConfigFile, ...]
    problem: str | None
    assumed: bool


@dataclass(frozen=True, eq=False)
class NginxRoot:
    """A main file, or a fragment that no other file includes, with all that it includes.

    `context` is "main" for main files; for a fragment the one that it needs, such as "http" or
    "http server", or "unknown". `context_origin` says who says so: "main", "comment", "settings",
    "content" or "unknown". `files` is `main` and all that is included, each once.
    """

    main: ConfigFile
    context: str
    context_origin: str
    is_fragment: bool
    includes: Mapping[Directive, Include]
    files: tuple[ConfigFile, ...]


@dataclass(frozen=True, eq=False)
class HaproxyRoot:
    """The files that one HAProxy process loads, in their order.

    `is_fragment`: nothing in it listens, so other files must complete it.
    """

    files: tuple[ConfigFile, ...]
    is_fragment: bool


@dataclass(frozen=True)
class Project:
    """Every file that was named, found or included, by path; and what belongs together.

    `surroundings` are the paths of files that are in roots without being in `files`: they were
    read because named ones belong to them, and nobody asked for what is found there. `left_out`
    are the links of searched folders that lead out of the project, and where they lead.
    """

    files: list[ConfigFile]
    nginx_roots: list[NginxRoot]
    haproxy_roots: list[HaproxyRoot]
    surroundings: frozenset[str] = frozenset()
    left_out: tuple[tuple[str, str], ...] = ()
