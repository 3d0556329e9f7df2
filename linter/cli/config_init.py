"""A first gwlint.yaml for a project: every key in comments, with values that fit what was found.

All settings are commented out, so the file changes nothing until somebody edits it. A line that
begins with `#` and no blank is a setting; take the `#` away to use it.
"""

from __future__ import annotations

import json
import os
import posixpath
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from gwlint.model.deployment import Deployment
from gwlint.project import UNKNOWN_CONTEXT, NginxRoot, Project
from gwlint.registry import all_rules
from gwlint.settings_file import KEYS

SCHEMA_NAME = "gwlint.schema.json"
"""What `gwlint config schema -o` is told to write; editors are pointed at it where it exists."""

WIDTH = 90

MAX_LISTED = 10
"""How many roots, fragments and addresses are named; a list of hundreds is no help."""


def first_settings(project: Project, folder: Path, installed: dict[str, str]) -> str:
    """The text of a gwlint.yaml to stand in `folder`.

    `installed` holds the versions of the servers on this machine, by dialect: what a target may
    be, though the machine that will read the configuration is often another one.
    """
    blocks = [_header(project, folder), *_settings(project, folder, installed)]
    return "\n".join(f"{block}\n" for block in blocks)


def _header(project: Project, folder: Path) -> str:
    lines = []
    if (folder / SCHEMA_NAME).is_file():
        lines.append(f"# yaml-language-server: $schema={SCHEMA_NAME}")
    lines += [
        "# Settings of gwlint. Nothing is set yet: take a # away where no blank follows it.",
        "# `gwlint config show` says what is in force.",
    ]
    nginx = [_shown(root.main.absolute, folder) for root in project.nginx_roots]
    haproxy = [
        " + ".join(_shown(file.absolute, folder) for file in root.files)
        for root in project.haproxy_roots
    ]
    for dialect, roots in (("nginx", nginx), ("HAProxy", haproxy)):
        if roots:
            lines += ["#", f"# Found for {dialect}:", *_limited(f"# - {root}" for root in roots)]
    return "\n".join(lines)


def _settings(project: Project, folder: Path, installed: dict[str, str]) -> Iterator[str]:
    samples = {
        "target": _target(project, installed),
        "profile": ["#profile: reliability"],
        "fail_on": ["#fail_on: warning"],
        "select": ["#select: [timeouts, NGX4]"],
        "ignore": ["#ignore: [NGX509]"],
        "per_file_ignores": ["#per_file_ignores:", '#  "legacy/**": [timeouts]'],
        "path_map": _path_map(project),
        "contexts": _contexts(project, folder),
        "rules": _rules(),
        "services": _services(project),
        "layers": ["#layers:", "#  - {name: balancer, preset: aws-alb}"],
    }
    for name, key in KEYS.items():
        meaning = textwrap.wrap(key.meaning, WIDTH - 2)
        yield "\n".join([*(f"# {line}" for line in meaning), *samples[name]])


def _target(project: Project, installed: dict[str, str]) -> list[str]:
    dialects = []
    if project.nginx_roots or not project.haproxy_roots:
        dialects.append(("nginx", "1.28.0"))
    if project.haproxy_roots or not project.nginx_roots:
        dialects.append(("haproxy", "3.2"))
    lines = ["#target:"]
    for dialect, sample in dialects:
        here = installed.get(dialect)
        lines.append(f"#  {dialect}: {here or sample}" + ("  # installed here" if here else ""))
    return lines


def _path_map(project: Project) -> list[str]:
    """A line for each folder outside of the project that includes lead to."""
    outside = sorted(
        {
            posixpath.dirname(include.pattern)
            for root in project.nginx_roots
            for include in root.includes.values()
            if include.problem == "outside" and include.pattern.startswith("/")
        }
        - {"/"}
    )
    lines = [f"#  {json.dumps(path)}: ." for path in outside] or ["#  /etc/nginx: ."]
    return ["#path_map:", *_limited(lines)]


def _contexts(project: Project, folder: Path) -> list[str]:
    """A line for each fragment, with the block that its content fits."""
    fragments = [
        (f"/{_shown(root.main.absolute, folder)}", root.context)
        for root in project.nginx_roots
        if _is_guessed(root) and Path(root.main.absolute).is_relative_to(folder)
    ]
    lines = [f"#  {json.dumps(_literal(path))}: {context}" for path, context in fragments]
    return ["#contexts:", *_limited(lines or ['#  "snippets/*.conf": http server'])]


def _is_guessed(root: NginxRoot) -> bool:
    return root.is_fragment and root.context_origin == "content" and root.context != UNKNOWN_CONTEXT


def _literal(path: str) -> str:
    """A path as a pattern that means only itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _rules() -> list[str]:
    """Every option there is, with its default."""
    lines = ["#rules:"]
    for rule in all_rules():
        if rule.options:
            lines.append(f"#  {rule.code}:  # {rule.name}")
        for option in rule.options:
            lines.append(f"#    {option.name}: {option.default}  # {option.meaning}")
    return lines


def _services(project: Project) -> list[str]:
    """A service for each address that requests go to: which of them are one only people know."""
    addresses: dict[str, None] = {}
    for gateway in Deployment(project, None, None).gateways:
        for route in gateway.routes:
            for server in route.pool.servers:
                address = server.address
                if address.path is not None and address.path.startswith("/"):
                    addresses[f"unix:{address.path}"] = None
                elif address.host and address.port is not None and not address.is_any:
                    host = f"[{address.host}]" if ":" in address.host else address.host
                    addresses[f"{host}:{address.port}"] = None
    listed = list(addresses)[:MAX_LISTED] or ["app:3000"]
    lines = ["#services:"]
    for number, text in enumerate(listed, 1):
        lines += [f"#  app{number}:", f"#    addresses: [{json.dumps(text)}]"]
    return [*lines, "#    idle_timeout: 5s", "#    response_timeout: 30s"]


def _shown(absolute: str, folder: Path) -> str:
    path = os.path.relpath(absolute, folder).replace(os.sep, "/")
    return path if path.isprintable() else json.dumps(path)


def _limited(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    more = len(found) - MAX_LISTED
    return [*found[:MAX_LISTED], f"# and {more} more"] if more > 0 else found
