"""Which HAProxy files one process loads together."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from gwlint.project.files import ConfigFile, HaproxyRoot
from gwlint.syntax.haproxy.tree import HaproxyFile

PROXY_SECTIONS = frozenset({"frontend", "backend", "listen"})
_BASE_SECTIONS = frozenset({"global", "defaults"})
_LISTENING = frozenset({"frontend", "listen"})
_SET_FOLDER = re.compile(r"(?:.*[-_.])?(?:conf|cfg|haproxy)\.d", re.IGNORECASE)


def haproxy_roots(files: Sequence[ConfigFile], named: Sequence[ConfigFile]) -> list[HaproxyRoot]:
    """The roots among HAProxy files, by the path of their first file.

    - Files named together are one root, in the order given, when they can be: at most one has a
      `global` section, some have `global` or `defaults`, and at least one cannot stand alone, for
      it lacks these or has no proxy. Otherwise each is a root.
    - Found files of one folder are one root under the same condition, and always when the folder
      is called `conf.d`, `haproxy.d` or the like; in the order of `haproxy -f FOLDER`: by byte.
      Such a folder beside a single file with `global` is loaded after it, when it has no `global`
      of its own.
    """
    given = [file for file in named if isinstance(file.tree, HaproxyFile)]
    groups = [given] if _belong_together(given) else [[file] for file in given]
    folders: dict[Path, list[ConfigFile]] = {}
    for file in files:
        if isinstance(file.tree, HaproxyFile) and file not in given:
            folders.setdefault(Path(file.absolute).parent, []).append(file)
    for members in folders.values():
        members.sort(key=lambda file: os.fsencode(Path(file.absolute).name))
    sets = {folder for folder in folders if _SET_FOLDER.fullmatch(folder.name)}
    for folder in sorted(sets):
        beside = folders.get(folder.parent, []) if folder.parent not in sets else []
        mains = [file for file in beside if _has(file, "global")]
        if len(mains) == 1 and not any(_has(file, "global") for file in folders[folder]):
            beside.remove(mains[0])
            folders[folder].insert(0, mains[0])
    for folder, members in folders.items():
        loaded = [file for file in members if folder in sets or file.absolute.endswith(".cfg")]
        together = loaded if folder in sets or _belong_together(loaded) else []
        groups.append(together)
        groups.extend([file] for file in members if file not in together)
    roots = [
        HaproxyRoot(tuple(group), is_fragment=not any(_has(file, *_LISTENING) for file in group))
        for group in groups
        if group
    ]
    return sorted(roots, key=lambda root: root.files[0].path)


def is_part(file: ConfigFile) -> bool:
    """Whether a file looks like one of several that are loaded together."""
    return isinstance(file.tree, HaproxyFile) and not _stands_alone(file)


def _belong_together(files: Sequence[ConfigFile]) -> bool:
    return (
        sum(_has(file, "global") for file in files) <= 1
        and any(_has(file, *_BASE_SECTIONS) for file in files)
        and not all(_stands_alone(file) for file in files)
    )


def _stands_alone(file: ConfigFile) -> bool:
    """Whether a file has both what sets defaults and what they are for."""
    return _has(file, *_BASE_SECTIONS) and _has(file, *PROXY_SECTIONS)


def _has(file: ConfigFile, *kinds: str) -> bool:
    return isinstance(file.tree, HaproxyFile) and any(
        section.kind in kinds for section in file.tree.sections
    )
