"""The command line as data: what the Typer application says of its commands and options.

Completion scripts and the manual page are made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Parameter(NamedTuple):
    """An option with its names, or an argument, which has none; `metavar` is "" for a flag."""

    names: tuple[str, ...]
    metavar: str
    help: str

    @property
    def is_option(self) -> bool:
        return bool(self.names)


class Command(NamedTuple):
    """One command; `path` is what is typed behind `gwlint`, () for gwlint itself."""

    path: tuple[str, ...]
    help: str
    parameters: tuple[Parameter, ...]
    subcommands: tuple[str, ...]

    @property
    def options(self) -> tuple[Parameter, ...]:
        return tuple(one for one in self.parameters if one.is_option)

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        return tuple(one for one in self.parameters if not one.is_option)


HELP = Parameter(("--help", "-h"), "", "Show this message and exit.")


def commands() -> list[Command]:
    """All commands, gwlint itself first."""
    from typer.main import get_command

    from gwlint.cli.app import app

    return list(_commands((), get_command(app)))


def _commands(path: tuple[str, ...], command: Any) -> Iterator[Command]:
    inner = getattr(command, "commands", {})
    parameters = (*map(_parameter, command.params), HELP)
    yield Command(path, command.help or "", parameters, tuple(inner))
    for name, subcommand in inner.items():
        yield from _commands((*path, name), subcommand)


def _parameter(parameter: Any) -> Parameter:
    is_option = parameter.param_type_name == "option"
    is_flag = is_option and parameter.is_flag
    metavar = "" if is_flag else parameter.metavar or parameter.name.upper()
    return Parameter(tuple(parameter.opts) if is_option else (), metavar, parameter.help or "")
