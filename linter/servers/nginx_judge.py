"""`nginx -t` as a judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gwlint.servers.nginx_copy import NginxCopy, Supplies, copy_nginx
from gwlint.servers.nginx_modules import needed_modules
from gwlint.servers.nginx_supplies import learn
from gwlint.servers.process import Outcome, find_binary, run, too_old
from gwlint.servers.standins import StandIns
from gwlint.servers.verdict import Verdict, readable

if TYPE_CHECKING:
    from gwlint.project import NginxRoot
    from gwlint.syntax.version import Version

VARIABLE = "GWLINT_NGINX"
LEARNING_ROUNDS = 20

_LEVEL = re.compile(r"^(?:nginx: |\S+ \S+ )\[(?P<level>[a-z]+)\] (?:\d+#\d+: )?(?P<text>.*)$")
_OF_STAND_INS = re.compile(r'"ssl_stapling" ignored|"user" directive makes sense only')
"""Warnings that the scratch copy itself causes."""


class NginxJudge:
    """Asks one nginx binary. Keeps its stand-ins, so that verdicts can be compared."""

    def __init__(self, target: Version | None = None) -> None:
        self.target = target
        self.binary = find_binary("nginx", VARIABLE)
        self._standins: StandIns | None = None
        self._supplies: dict[str, Supplies] = {}

    def verdict(self, root: NginxRoot) -> Verdict:
        """What nginx says of a root. The first verdict on a root should be on its original:
        what nginx misses there because files were not given is supplied from then on."""
        if self.binary is None:
            return Verdict.abstained("nginx is not installed")
        if self._standins is None:
            self._standins = StandIns()
        unfit = too_old(self.binary, self.target, self._standins.folder)
        if unfit is not None:
            return Verdict.abstained(unfit)
        known = self._supplies.get(root.main.path)
        supplies = self._supplies.setdefault(root.main.path, Supplies())
        copy = copy_nginx(root, self._standins, supplies)
        if copy is None:
            return Verdict.abstained(f"{root.main.path} is a fragment that no scaffold fits")
        if copy.executed is not None:
            return Verdict.abstained(f'"{copy.executed}" would run code while nginx tests')
        outcome = self._run(copy)
        if known is None and copy.incomplete:
            for _ in range(LEARNING_ROUNDS):
                if outcome.code == 0 or not learn(outcome.text, supplies):
                    break
                copy = copy_nginx(root, self._standins, supplies)
                assert copy is not None
                outcome = self._run(copy)
        return _verdict(outcome, copy)

    def _run(self, copy: NginxCopy) -> Outcome:
        assert self.binary is not None
        assert self._standins is not None
        modules = [f"load_module {file};" for file in needed_modules(self.binary, copy.names)]
        folder = self._standins.folder
        return run(
            [
                *(self.binary, "-t", "-e", "stderr", "-p", f"{folder}/"),
                *("-c", str(copy.configuration), "-g", " ".join([*modules, copy.globals])),
            ],
            folder,
        )


def _verdict(outcome: Outcome, copy: NginxCopy) -> Verdict:
    if outcome.code is None:
        return Verdict.abstained(outcome.text)
    messages: list[str] = []
    warnings = 0
    for line in readable(outcome, copy.copies):
        found = _LEVEL.match(line)
        if found is None or _OF_STAND_INS.search(line):
            continue
        messages.append(f"nginx: [{found['level']}] {found['text']}")
        warnings += found["level"] == "warn"
    return Verdict(outcome.code == 0, tuple(messages), warnings)
