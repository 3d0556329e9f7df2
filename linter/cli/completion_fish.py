"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator

from gwlint.cli.command_line import Command
from gwlint.cli.completion_words import Values, first_line, rule_words, values_for

_FISH = """\
function __gwlint_at  # whether what is typed so far names this command
    set -l path
    for word in (commandline -opc)[2..-1]
        if contains -- (string join ' ' -- $path $word) PATHS
            set path $path $word
        end
    end
    test "$path" = "$argv[1]"
end

complete -c gwlint -f"""


def fish(commands: list[Command]) -> Iterator[str]:
    """The lines of the script."""
    yield "function __gwlint_rules"
    yield f"    string split ' ' -- {_fish_quoted(rule_words())}"
    yield "end\n"
    yield _FISH.replace(
        "PATHS", " ".join(_fish_quoted(" ".join(one.path)) for one in commands if one.path)
    )
    by_path = {command.path: command for command in commands}
    for command in commands:
        at = f"complete -c gwlint -n {_fish_quoted('__gwlint_at ' + _fish_path(command))}"
        for name in command.subcommands:
            text = first_line(by_path[(*command.path, name)].help)
            yield f"{at} -a {name} -d {_fish_quoted(text)}"
        for argument in command.arguments:
            yield f"{at} {_fish_values(values_for(command, argument))}"
        for option in command.options:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in option.names
            )
            values = f" {_fish_values(values_for(command, option))}" if option.metavar else ""
            yield f"{at} {names}{values} -d {_fish_quoted(first_line(option.help))}"


def _fish_path(command: Command) -> str:
    return '"' + " ".join(command.path) + '"'


def _fish_values(values: Values) -> str:
    """What may follow: -r needs a value, -x needs one that is no file."""
    if values.files:
        return "-r -F"
    if values.folders:
        return "-x -a '(__fish_complete_directories)'"
    if values.commas:
        return "-x -a '(__fish_complete_list , __gwlint_rules)'"
    if values.rules:
        return "-x -a '(__gwlint_rules)'"
    return f"-x -a {_fish_quoted(' '.join(values.words))}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
