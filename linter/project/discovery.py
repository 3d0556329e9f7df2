"""Finding configurations under a folder, by name first and then by content."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from gwlint.project.boundary import Boundary
from gwlint.project.dialect import ENOUGH_BYTES, scores
from gwlint.project.folders import Folders
from gwlint.project.reading import Reader, Unreadable

SKIPPED_FOLDERS = frozenset(
    {"node_modules", "vendor", "vendored", "bower_components", "third_party", "site-packages"}
    | {"venv", "env", "virtualenv", "__pycache__"}
)
"""Folders of other people's files. Hidden folders are skipped as well."""

_TEMPLATE_ENDING = re.compile(
    r"\.(?:j2|jinja2?|erb|epp|tmpl|tpl|stpl|template|mustache|in|sample|example|dist|default)$"
)
_CERTAIN_NAME = re.compile(r"nginx\.conf|haproxy\.cfg")
_PROMISING_NAME = re.compile(
    r".*\.(?:conf|cfg|vhost|nginx|nginxconf|haproxy)|(?:.*[-_.])?(?:nginx|haproxy)"
)
_SITE_FOLDERS = frozenset({"sites-available", "sites-enabled", "sites.d", "vhosts.d"})
_NGINX_FOLDERS = _SITE_FOLDERS | {"nginx", "conf.d", "snippets", "includes", "stream.d", "http.d"}
_NO_CONFIGURATION = re.compile(
    r".*\.(?:pem|crt|key|md|rst|txt|html?|ya?ml|json|toml|lua|js|py|sh|log|gz|zip|bak|png|svg)"
)

# How much of a file must look like nginx when neither its name nor its folder speaks for it.
_NGINX_SHARE = 0.5


class Search(NamedTuple):
    """Absolute paths of the configurations under a folder, sorted; and of the links that lead out
    of the project, each with where it leads."""

    files: list[str]
    left_out: list[tuple[str, str]]


def find_files(folder: str, reader: Reader, folders: Folders, boundary: Boundary) -> Search:
    """The configurations under an absolute folder.

    Left out: hidden and vendored folders, what .gitignore names, and files of other programs.
    Symbolic links to folders are followed, but no real folder is read twice, and none outside of
    the project. A link to a file out there is found if its name or its folder says what it is.
    """
    candidates: list[str] = []
    links: dict[str, str] = {}
    left_out: list[tuple[str, str]] = []
    visited: set[str] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        real = folders.real_path(here)
        if real in visited:
            continue
        visited.add(real)
        if not boundary.holds(real):
            left_out.append((here, real))
            continue
        below = []
        for entry in folders.entries(here):
            if entry.name.startswith("."):
                continue
            if entry.is_folder and entry.name not in SKIPPED_FOLDERS:
                below.append(entry)
            elif entry.is_file and _is_candidate(entry.name, here):
                candidates.append(entry.path)
                if entry.is_link and (elsewhere := boundary.leads_out(entry.path)) is not None:
                    links[entry.path] = elsewhere
        # Real folders come before links to them, so files are known by their own path.
        below.sort(key=lambda entry: entry.is_link, reverse=True)
        waiting.extend(entry.path for entry in below)
    found: list[str] = []
    for path in folders.not_ignored(candidates):
        if path in links and not _is_configuration_by_name(path):
            left_out.append((path, links[path]))
        elif path in links or _is_configuration(path, reader):
            found.append(path)
    return Search(sorted(found), sorted(left_out))


def _is_candidate(name: str, folder: str) -> bool:
    lower = name.lower()
    stem = _without_template_endings(lower)
    if _CERTAIN_NAME.fullmatch(stem) or _PROMISING_NAME.fullmatch(stem):
        return True
    if stem != lower and ("nginx" in stem or "haproxy" in stem):
        return not _NO_CONFIGURATION.fullmatch(stem)
    if Path(folder).name in _SITE_FOLDERS:
        return not _NO_CONFIGURATION.fullmatch(lower)
    return _in_nginx_folder(folder) and (stem != lower or stem.endswith(".inc"))


def _without_template_endings(name: str) -> str:
    while (shorter := _TEMPLATE_ENDING.sub("", name)) != name:
        name = shorter
    return name


def _in_nginx_folder(folder: str) -> bool:
    # Three folders upwards, as in nginx/templates/sites/: more would make everything nginx's that
    # someone keeps under a folder of that name.
    parts = Path(folder).parts[-3:]
    return any(part.lower() in _NGINX_FOLDERS or "nginx" in part.lower() for part in parts)


def _is_configuration_by_name(path: str) -> bool:
    """Whether someone meant a configuration, where the content cannot be looked into."""
    stem = _without_template_endings(Path(path).name.lower())
    return "nginx" in stem or "haproxy" in stem or _in_nginx_folder(str(Path(path).parent))


def _is_configuration(path: str, reader: Reader) -> bool:
    """Whether the content is nginx's or HAProxy's, as far as the name leaves it open."""
    name = Path(path).name.lower()
    stem = _without_template_endings(name)
    if _CERTAIN_NAME.fullmatch(stem):
        return True
    try:
        data = reader.read(path)
    except Unreadable:
        # It cannot be looked into. The name alone says that someone meant a configuration.
        return "nginx" in stem or "haproxy" in stem
    if b"\0" in data[:8192]:
        return "nginx" in stem or "haproxy" in stem
    nginx, sections = scores(data)
    if sections * 4 > nginx:
        return sections > 1 or stem.endswith(".cfg") or "haproxy" in path.lower()
    if not nginx:
        return False
    folder = str(Path(path).parent)
    share = nginx_share(data)
    return share > (0 if _in_nginx_folder(folder) or "nginx" in stem else _NGINX_SHARE)


_FIRST_WORD = re.compile(
    rb"^[ \t]*([a-z][a-z0-9_]*)(?:[ \t][^\n]*)?[;{][ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE
)
_ENOUGH_LINES = 400


def nginx_share(data: bytes) -> float:
    """The share of statements, 0 to 1, whose first word is a directive of nginx."""
    from gwlint.syntax.nginx.directives import lookup

    words = [
        match[1] for match in islice(_FIRST_WORD.finditer(data, 0, ENOUGH_BYTES), _ENOUGH_LINES)
    ]
    if not words:
        return 0.0
    return sum(lookup(word.decode("ascii")) is not None for word in words) / len(words)
