"""`haproxy -c` as a judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gwlint.servers.haproxy_copy import copy_haproxy
from gwlint.servers.process import find_binary, run, too_old
from gwlint.servers.standins import StandIns
from gwlint.servers.verdict import Verdict, readable

if TYPE_CHECKING:
    from gwlint.project import HaproxyRoot
    from gwlint.syntax.version import Version

VARIABLE = "GWLINT_HAPROXY"

ACCEPTED = (0, 2)
"""0: valid. 2: valid, but nothing listens, as in a file that holds backends only."""

_MESSAGE = re.compile(r"\[(?P<level>WARNING|ALERT)\]\s*(?:\S+\s*)?\(\d+\) : (?P<text>.*)")


class HaproxyJudge:
    """Asks one haproxy binary. Keeps its stand-ins, so that verdicts can be compared."""

    def __init__(self, target: Version | None = None) -> None:
        self.target = target
        self.binary = find_binary("haproxy", VARIABLE)
        self._standins: StandIns | None = None

    def verdict(self, root: HaproxyRoot) -> Verdict:
        """What HAProxy says of the files of a root.

        Alerts count as warnings where HAProxy accepts: for some, such as `observe layer7` in tcp
        mode, it still exits with 0 (measured on 2.6 to 3.5).
        """
        if self.binary is None:
            return Verdict.abstained("haproxy is not installed")
        if self._standins is None:
            self._standins = StandIns()
        unfit = too_old(self.binary, self.target, self._standins.folder)
        if unfit is not None:
            return Verdict.abstained(unfit)
        copy = copy_haproxy(root, self._standins)
        if copy.unsafe is not None:
            return Verdict.abstained(copy.unsafe)
        options = [part for file in copy.files for part in ("-f", str(file))]
        outcome = run([self.binary, "-c", *options], self._standins.folder)
        if outcome.code is None:
            return Verdict.abstained(outcome.text)
        messages = [
            f"haproxy: [{found['level']}] {found['text']}"
            for line in readable(outcome, copy.copies)
            if (found := _MESSAGE.search(line))
        ]
        return Verdict(outcome.code in ACCEPTED, tuple(messages), len(messages))
