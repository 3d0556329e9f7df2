"""The options that commands share: one name, one meaning, one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH", help='Files and folders; "-" reads standard input.'),
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="RULES",
        help="Run these rules instead of the profile's: codes, beginnings of codes, names or"
        " topics, separated by commas.",
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="RULES", help="Leave these rules out; as --select."),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="reliability (default), security (topic 8 too) or strict (info findings are listed"
        " in text as well).",
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="LEVEL",
        help="Exit with 1 at this severity or above: error, warning (default), info or never.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="SERVER=VERSION",
        help="The version that will read the configuration: nginx=1.22.1 or haproxy=2.8.",
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="gwlint.yaml; by default found upwards from the first PATH.",
    ),
]
Dialect = Annotated[
    str | None,
    typer.Option(
        "--dialect", metavar="NAME", help="nginx or haproxy, where name and content do not tell."
    ),
]
StdinFilename = Annotated[
    str,
    typer.Option("--stdin-filename", metavar="NAME", help='What the file "-" is called.'),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file instead of the terminal."),
]
Baseline = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="Leave out the findings that this file has."),
]
WriteBaseline = Annotated[
    Path | None,
    typer.Option(
        "--write-baseline",
        metavar="FILE",
        help="Write all findings into a baseline: only later ones are new.",
    ),
]
DiffBase = Annotated[
    str | None,
    typer.Option(
        "--diff-base",
        metavar="REV",
        help="Leave out the findings that were there at a git revision: a commit, branch or tag."
        ' For what a branch adds, give "$(git merge-base origin/main HEAD)".',
    ),
]
ChangedOnly = Annotated[
    bool,
    typer.Option(
        "--changed-only",
        help="Only findings that stand in files changed since HEAD, or since --diff-base; new,"
        " moved and untracked files too. The other files are still read, for what they mean.",
    ),
]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours, on a terminal either.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only what was found, one line each; no notes.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Use at most N processes; by default as many as the work is worth.",
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Find everything anew, and keep nothing. Without it, what an equal run printed is"
        " printed again while no file has changed.",
    ),
]
