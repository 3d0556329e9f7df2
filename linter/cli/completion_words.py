"""What may stand where on the command line, for the completion scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gwlint.cli.command_line import Command, Parameter

SHELLS = ("bash", "zsh", "fish")


class Values(NamedTuple):
    """What may stand in one place: some words, several of them with commas between, or files."""

    words: tuple[str, ...] = ()
    rules: bool = False
    commas: bool = False
    files: bool = False
    folders: bool = False


def values_for(command: Command, parameter: Parameter) -> Values:
    """What may stand for the value of an option, or for an argument."""
    name = parameter.names[0] if parameter.is_option else parameter.metavar
    words = _words(command, name)
    if words:
        return Values(words=words)
    if parameter.metavar == "RULES":
        return Values(rules=True, commas=True)
    if parameter.metavar == "RULE":
        return Values(rules=True)
    if parameter.metavar in ("DIR", "FOLDER"):
        return Values(folders=True)
    return Values(files=parameter.metavar in ("FILE", "PATH", "SPEC.yaml"))


def _words(command: Command, name: str) -> tuple[str, ...]:
    from gwlint.cli.config_show import FORMATS as CONFIG_FORMATS
    from gwlint.cli.fix import PATCH
    from gwlint.registry import PROFILES
    from gwlint.report.catalogue import CATALOGUES
    from gwlint.report.formats import FORMATS
    from gwlint.report.suggestions import FORMATS as SUGGESTIONS
    from gwlint.rule import Severity

    proxies = ("nginx", "haproxy")
    formats: dict[tuple[str, ...], Iterable[str]] = {
        ("check",): FORMATS,
        ("fix",): (PATCH, *SUGGESTIONS),
        ("rules",): CATALOGUES,
        ("config", "show"): CONFIG_FORMATS,
    }
    known: dict[str, tuple[str, ...]] = {
        "--format": tuple(formats.get(command.path, ())),
        "--profile": tuple(PROFILES),
        "--fail-on": (*(level.label for level in reversed(Severity)), "never"),
        "--dialect": proxies,
        "--proxy": proxies,
        "--target": tuple(f"{proxy}=" for proxy in proxies),
        "SHELL": SHELLS,
    }
    return known.get(name, ())


def rule_words() -> str:
    """Codes, names and topics."""
    from gwlint.registry import rule_files

    files = rule_files()
    names = sorted({file.name for file in files} | {file.topic for file in files})
    return " ".join([*(file.code for file in files), *names])


def first_line(text: str) -> str:
    """What stands beside a word in a list of choices."""
    return text.strip().partition("\n")[0]


def quoted(text: str) -> str:
    """`text` in single quotes, as bash and zsh read them."""
    return "'" + text.replace("'", "'\\''") + "'"


def command_pattern(commands: list[Command]) -> str:
    """A pattern of `case` for what is typed so far when it names a command."""
    return "|".join(quoted(" ".join(one.path)) for one in commands if one.path)
