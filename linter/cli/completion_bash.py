"""The completion script for bash 4 and newer."""

from __future__ import annotations

from collections.abc import Iterator

from gwlint.cli.command_line import Command
from gwlint.cli.completion_words import Values, command_pattern, quoted, rule_words, values_for

_BASH = """\
_gwlint_words() {  # words, of which one may be chosen
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
  [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
  return 0
}

_gwlint_list() {  # words, of which several may be chosen, with commas between
  local before=''
  [[ $current == *,* ]] && before=${current%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${current##*,}")
  compopt -o nospace
}

_gwlint_files() {  # -f: files and folders, -d: folders
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
  compopt -o filenames
}

_gwlint() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path='' word
  COMPREPLY=()
  if [[ $current == "=" ]]; then  # bash takes --option=value for three words
    current=
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "${path:+$path }$word" in
      PATHS) path="${path:+$path }$word" ;;
    esac
  done
  case "$path" in"""


def bash(commands: list[Command]) -> Iterator[str]:
    """The lines of the script."""
    yield f"_gwlint_rules={quoted(rule_words())}\n"
    yield _BASH.replace("PATHS", command_pattern(commands))
    for command in commands:
        yield f"    {quoted(' '.join(command.path))})"
        yield '      case "$previous" in'
        for option in command.options:
            if option.metavar:
                action = _bash_action(values_for(command, option))
                yield f"        {'|'.join(option.names)}) {action}; return ;;"
        yield "      esac"
        names = " ".join(name for option in command.options for name in option.names)
        yield f'      [[ $current == -* ]] && _gwlint_words "{names}" && return'
        if command.subcommands:
            yield f'      _gwlint_words "{" ".join(command.subcommands)}"'
        yield from (
            f"      {_bash_action(values_for(command, argument))}" for argument in command.arguments
        )
        yield "      ;;"
    yield "  esac"
    yield "}\n"
    yield "complete -F _gwlint gwlint"


def _bash_action(values: Values) -> str:
    if values.files or values.folders:
        return f"_gwlint_files {'-f' if values.files else '-d'}"
    words = "$_gwlint_rules" if values.rules else " ".join(values.words)
    return f'_gwlint_{"list" if values.commas else "words"} "{words}"' if words else ":"
