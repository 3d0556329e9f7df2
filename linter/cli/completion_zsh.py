"""The completion script for zsh, with the function system that compinit starts."""

from __future__ import annotations

from collections.abc import Iterator

from gwlint.cli.command_line import Command
from gwlint.cli.completion_words import (
    Values,
    command_pattern,
    first_line,
    quoted,
    rule_words,
    values_for,
)

_ZSH = """\
_gwlint() {
  local previous=${words[CURRENT-1]} location='' word
  local -a rules=(${=_gwlint_rules}) choices
  if [[ $PREFIX == --*=* ]]; then
    previous=${PREFIX%%=*}
    compset -P '*='
  fi
  for word in ${words[2,CURRENT-1]}; do
    case "${location:+$location }$word" in
      PATHS) location="${location:+$location }$word" ;;
    esac
  done
  case "$location" in"""


def zsh(commands: list[Command]) -> Iterator[str]:
    """The lines of the script."""
    yield "#compdef gwlint"
    yield f"typeset -g _gwlint_rules={quoted(rule_words())}\n"
    yield _ZSH.replace("PATHS", command_pattern(commands))
    by_path = {command.path: command for command in commands}
    for command in commands:
        yield f"    {quoted(' '.join(command.path))})"
        yield '      case "$previous" in'
        for option in command.options:
            if option.metavar:
                action = _zsh_action(values_for(command, option))
                yield f"        {'|'.join(option.names)}) {action}; return ;;"
        yield "      esac"
        yield "      if [[ $PREFIX == -* ]]; then"
        described = (
            _zsh_choice(name, option.help) for option in command.options for name in option.names
        )
        yield f"        choices=({' '.join(described)})"
        yield "        _describe -o option choices"
        yield "        return"
        yield "      fi"
        if command.subcommands:
            choices = (
                _zsh_choice(name, by_path[(*command.path, name)].help)
                for name in command.subcommands
            )
            yield f"      choices=({' '.join(choices)})"
            yield "      _describe command choices"
        yield from (
            f"      {_zsh_action(values_for(command, argument))}" for argument in command.arguments
        )
        yield "      ;;"
    yield "  esac"
    yield "}\n"
    yield "# In a folder of $fpath the file is the function; otherwise it is only defined."
    yield 'if [[ ${funcstack[1]} == _gwlint ]]; then _gwlint "$@"; else compdef _gwlint gwlint; fi'


def _zsh_choice(name: str, text: str) -> str:
    return quoted(f"{name}:{first_line(text)}")


def _zsh_action(values: Values) -> str:
    if values.files or values.folders:
        return "_files" if values.files else "_files -/"
    words = "$rules" if values.rules else " ".join(map(quoted, values.words))
    if values.commas:
        return f"compset -P '*,'; compadd -qS , -- {words}"
    return f"compadd -- {words}" if words else ":"
