"""`gwlint completion`: a script that teaches a shell to complete gwlint's command line.

The script knows all words, so that a press of the Tab key starts no Python.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gwlint.cli.inputs import require_one_of
from gwlint.cli.output import write_text


def completion(
    *, shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]
) -> None:
    """Print a script that completes commands, options, rules, names and files.

    bash: eval "$(gwlint completion bash)" in ~/.bashrc; zsh: the same behind compinit in ~/.zshrc;
    fish: gwlint completion fish > ~/.config/fish/completions/gwlint.fish.
    """
    from gwlint.cli.command_line import commands
    from gwlint.cli.completion_bash import bash
    from gwlint.cli.completion_fish import fish
    from gwlint.cli.completion_words import SHELLS
    from gwlint.cli.completion_zsh import zsh

    require_one_of("SHELL", shell, SHELLS)
    script = {"bash": bash, "zsh": zsh, "fish": fish}[shell]
    write_text("\n".join(script(commands())) + "\n", None)
