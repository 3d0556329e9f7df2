"""The fix contract over a corpus of real configurations, with figures.

    GWLINT_CORPUS=FOLDER .venv/bin/python tests/fix_corpus.py [--every N] [--refused] [--jobs N]

FOLDER holds manifest.tsv, which says what the real servers said of each file; those they accept
are taken, or with --refused the others. On each file every combination of fixes is examined that
`fix_contract.Subject.combinations` names. What does not hold is printed as it is found, and the
figures at the end; the exit code is 1 if anything did not hold. Run by hand: over 1,045 files it
takes more than ten minutes of one core.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fix_contract import Servers, Subject, fixes_of

from gwlint.edits import Safety

ACCEPTED = ("ok", "ok-no-listener")
_VERDICTS = ("nginx_t", "nginx_t_stubbed", "haproxy_c", "haproxy_c_stubbed")


@dataclass
class Figures:
    """What came of some files: counts by topic, and the lines to print."""

    counts: Counter[str] = field(default_factory=Counter)
    fixes: Counter[str] = field(default_factory=Counter)
    given_up: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        self.counts += other.counts
        self.fixes += other.fixes
        self.given_up += other.given_up


def is_accepted(row: dict[str, str]) -> bool:
    """Whether the real server takes the file as it is, or with what it misses supplied."""
    return any(row[verdict] in ACCEPTED for verdict in _VERDICTS)


def accepted_files(corpus: Path, *, refused_ones: bool = False) -> list[tuple[str, str]]:
    """Path within the corpus, and dialect, of each file that a real server accepts; or of the
    others, which have patches too."""
    with (corpus / "manifest.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return [(row["local"], row["dialect"]) for row in rows if is_accepted(row) != refused_ones]


def examined(file: tuple[str, str], *, corpus: Path, seed: str) -> Figures:
    """All combinations on one file of the corpus."""
    local, dialect = file
    figures = Figures()
    figures.counts["files"] += 1
    with tempfile.TemporaryDirectory(prefix="gwlint-contract-") as scratch:
        servers = Servers(Path(scratch))
        folder = Path(scratch) / "project"
        folder.mkdir()
        name = Path(local).name
        (folder / name).write_bytes((corpus / local).read_bytes())
        os.chdir(folder)
        try:
            _examine(Subject(folder, name, dialect, servers), local, seed, figures)
        except Exception:
            figures.counts["flaw: crash"] += 1
            figures.lines.append(f"{local}: crash\n{traceback.format_exc()}")
        finally:
            os.chdir(corpus)
    return figures


def _examine(subject: Subject, local: str, seed: str, figures: Figures) -> None:
    for combination in subject.combinations(seed + local):
        if combination.label == "safe":
            figures.counts["files with fixes"] += 1
            for binary in subject.accepting:
                figures.counts[f"accepted by {Path(binary).name}"] += 1
        outcome = subject.examine(combination)
        figures.counts["combinations"] += 1
        figures.counts["patches"] += bool(outcome.result.patch)
        figures.counts["fixes"] += len(outcome.result.fixed)
        if combination.label == "all":
            figures.fixes.update(f"{code} safe" for code in fixes_of(outcome.result, Safety.SAFE))
            figures.fixes.update(
                f"{code} unsafe" for code in fixes_of(outcome.result, Safety.UNSAFE)
            )
        for code, reason in outcome.given_up:
            figures.given_up[code, reason.partition(" at ")[0]] += 1
            figures.lines.append(f"{local}: {combination.label}: {code} given up: {reason}")
        for kind, how in outcome.flaws:
            figures.counts[f"flaw: {kind}"] += 1
            figures.lines.append(f"{local}: {combination.label}: {kind}: {how}")
    figures.counts["results judged"] += subject.results


def over(files: list[tuple[str, str]], corpus: Path, seed: str, jobs: int) -> Iterator[Figures]:
    """The figures of each file, as they come."""
    work = partial(examined, corpus=corpus, seed=seed)
    if jobs == 1:
        yield from map(work, files)
        return
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(work, files, chunksize=4)


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the fix contract over GWLINT_CORPUS.")
    parser.add_argument("--every", type=int, default=1, help="take one file in so many")
    parser.add_argument("--offset", type=int, default=0, help="the first file to take")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", default="", help="other pairs of rules with another text")
    parser.add_argument("--refused", action="store_true", help="the files no server accepts")
    parser.add_argument("--matching", default="", help="only files whose path holds this")
    wishes = parser.parse_args()
    corpus = Path(os.environ["GWLINT_CORPUS"]).resolve()
    files = [
        file
        for file in accepted_files(corpus, refused_ones=wishes.refused)
        if wishes.matching in file[0]
    ]
    files = files[wishes.offset :: wishes.every]
    started = time.monotonic()
    total = Figures()
    for figures in over(files, corpus, wishes.seed, wishes.jobs):
        total.add(figures)
        for line in figures.lines:
            print(line, flush=True)
    print(f"\n{time.monotonic() - started:.0f} s")
    for name, count in sorted(total.counts.items()):
        print(f"{count:7} {name}")
    print("\nfixes when all are made, by rule")
    for name, count in sorted(total.fixes.items()):
        print(f"{count:7} {name}")
    print("\ngiven up, over all combinations")
    for (code, reason), count in total.given_up.most_common():
        print(f"{count:7} {code} {reason}")
    return int(any(name.startswith("flaw") for name in total.counts))


if __name__ == "__main__":
    sys.exit(main())
