"""Both servers together: do they object to what a project has become?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property, partial
from typing import TypeVar

from gwlint.project.files import ConfigFile, HaproxyRoot, NginxRoot, Project
from gwlint.servers.haproxy_judge import HaproxyJudge
from gwlint.servers.nginx_judge import NginxJudge
from gwlint.servers.verdict import Verdict
from gwlint.settings import Settings

NGINX_COMMAND = "nginx -t"
HAPROXY_COMMAND = "haproxy -c"

_Root = TypeVar("_Root")

_Content = tuple[tuple[str, bytes], ...]
"""What tells one form of a root from another: its files with their bytes."""


class Judges:
    """Verdicts on the roots of one original project, and on changed forms of it.

    Only roots that hold a changed file are judged, and each original and each changed form at most
    once: in search of the fix to blame, most roots are met again as they were. `notes` says in one
    sentence each what could not be judged, and why.
    """

    def __init__(self, original: Project, settings: Settings) -> None:
        self._settings = settings
        self._nginx = {root.main.path: root for root in original.nginx_roots}
        self._haproxy = {_key(root): root for root in original.haproxy_roots}
        self._before: dict[str, Verdict] = {}
        self._known: dict[_Content, list[str]] = {}
        self._notes: dict[str, None] = {}

    @cached_property
    def _nginx_judge(self) -> NginxJudge:
        return NginxJudge(self._settings.target_nginx)

    @cached_property
    def _haproxy_judge(self) -> HaproxyJudge:
        return HaproxyJudge(self._settings.target_haproxy)

    @property
    def notes(self) -> list[str]:
        return list(self._notes)

    def objections(self, project: Project, changed: Collection[str]) -> list[str]:
        """What the servers hold against the roots with a changed file (paths as shown)."""
        found: list[str] = []
        for root in project.nginx_roots:
            if any(file.path in changed for file in root.files):
                found += self._once(root.files, partial(self._nginx_objection, root))
        for haproxy_root in project.haproxy_roots:
            if any(file.path in changed for file in haproxy_root.files):
                objection = partial(self._haproxy_objection, haproxy_root)
                found += self._once(haproxy_root.files, objection)
        return found

    def _once(self, files: Sequence[ConfigFile], objection: Callable[[], list[str]]) -> list[str]:
        content = tuple((file.path, file.source.data) for file in files if file.source is not None)
        if content not in self._known:
            self._known[content] = objection()
        return self._known[content]

    def _nginx_objection(self, root: NginxRoot) -> list[str]:
        path = root.main.path
        original = self._nginx.get(path)
        if original is None:
            return [f"{path} would stand for itself, which it did not"]
        if path not in self._before:
            self._before[path] = _asked(self._nginx_judge.verdict, original)
        before = self._before[path]
        if not self._can_judge(before, path, NGINX_COMMAND):
            return []
        return self._objection(before, _asked(self._nginx_judge.verdict, root), NGINX_COMMAND)

    def _haproxy_objection(self, root: HaproxyRoot) -> list[str]:
        key = _key(root)
        original = self._haproxy.get(key)
        if original is None:
            return [f"{key} would be loaded together, which they were not"]
        if key not in self._before:
            self._before[key] = _asked(self._haproxy_judge.verdict, original)
        before = self._before[key]
        if not self._can_judge(before, key, HAPROXY_COMMAND):
            return []
        return self._objection(before, _asked(self._haproxy_judge.verdict, root), HAPROXY_COMMAND)

    def _can_judge(self, before: Verdict, path: str, command: str) -> bool:
        """Whether the original was accepted; if not, notes why the result stays unchecked."""
        if before.accepted:
            return True
        reason = before.messages[-1] if before.messages else "no message"
        if before.accepted is None and reason.endswith("not installed"):
            self._note(f"{reason}: the result was not checked with {command}")
        elif before.accepted is None:
            self._note(f"{path}: not checked with {command}: {reason}")
        else:
            self._note(f"{path}: not checked with {command}, which refuses the original: {reason}")
        return False

    def _objection(self, before: Verdict, after: Verdict, command: str) -> list[str]:
        if after.accepted is None:
            self._note(f"the result was not checked with {command}: {after.messages[0]}")
            return []
        objection = after.objection(before)
        return [] if objection is None else [f"{command} objects: {objection}"]

    def _note(self, note: str) -> None:
        self._notes[note] = None


def _asked(judge: Callable[[_Root], Verdict], root: _Root) -> Verdict:
    try:
        return judge(root)
    except OSError as problem:
        return Verdict.abstained(f"no scratch copy could be made: {problem}")


def _key(root: HaproxyRoot) -> str:
    return ", ".join(file.path for file in root.files)
