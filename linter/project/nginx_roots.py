"""Which nginx files stand at the top, and what they include."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from gwlint.project.contexts import context_comment, context_of_content
from gwlint.project.files import UNKNOWN_CONTEXT, ConfigFile, NginxRoot
from gwlint.project.includes import Expansion, Locator, follow
from gwlint.project.store import FileStore
from gwlint.settings import Settings
from gwlint.syntax.nginx.tree import NginxFile

MAIN_BLOCKS = frozenset({"events", "http", "stream", "mail"})


def is_main_file(file: ConfigFile) -> bool:
    """Whether a file has a block at its top level that only the main context has."""
    return isinstance(file.tree, NginxFile) and any(
        directive.name in MAIN_BLOCKS and directive.block is not None
        for directive in file.tree.directives
    )


def nginx_roots(
    files: Sequence[ConfigFile],
    project_folders: Sequence[str],
    settings: Settings,
    store: FileStore,
) -> list[NginxRoot]:
    """The roots among nginx files, by path.

    A file that is reached from another one is no root. Main files go before fragments, since a
    fragment's includes are looked for by assumption; in a ring of fragments the first one is the
    root.
    """
    candidates = [file for file in files if isinstance(file.tree, NginxFile)]
    mains = {file: None for file in candidates if is_main_file(file)}
    fragments = [file for file in candidates if file not in mains]
    expansions: dict[ConfigFile, Expansion] = {}

    def expand(file: ConfigFile) -> Expansion:
        if file not in expansions:
            locator = Locator(file, file in mains, project_folders, settings, store)
            expansions[file] = follow(file, locator, store)
        return expansions[file]

    roots: list[ConfigFile] = []
    for group in (mains, fragments):
        reached = {one for root in roots for one in expand(root).files}
        waiting = [file for file in group if file not in reached]
        included = {one for file in waiting for one in expand(file).files if one is not file}
        chosen = [file for file in waiting if file not in included]
        reached.update(one for file in chosen for one in expand(file).files)
        for file in waiting:
            if file not in reached:  # only in a ring of files that include each other
                chosen.append(file)
                reached.update(expand(file).files)
        roots += chosen
    return sorted(
        (_root(file, expand(file), settings) for file in roots), key=lambda root: root.main.path
    )


def _root(file: ConfigFile, expansion: Expansion, settings: Settings) -> NginxRoot:
    context, origin = _context(file, expansion, settings)
    return NginxRoot(
        main=file,
        context=context,
        context_origin=origin,
        is_fragment=origin != "main",
        includes=MappingProxyType(expansion.includes),
        files=tuple(expansion.files),
    )


def _context(file: ConfigFile, expansion: Expansion, settings: Settings) -> tuple[str, str]:
    """The context of a root, and who says so."""
    assert isinstance(file.tree, NginxFile)
    top_level = [
        one
        for directive in file.tree.directives
        if (include := expansion.includes.get(directive)) is not None
        for one in include.files
    ]
    if is_main_file(file) or any(is_main_file(one) for one in top_level):
        return "main", "main"
    comment = context_comment(file.tree)
    if comment is not None:
        return comment, "comment"
    configured = settings.context_of(file.absolute)
    if configured is not None:
        return configured, "settings"
    context = context_of_content(file.tree)
    return context, UNKNOWN_CONTEXT if context == UNKNOWN_CONTEXT else "content"
