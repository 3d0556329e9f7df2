"""`gwlint config`: the settings in force, the JSON Schema of gwlint.yaml, and a first one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gwlint.cli import options
from gwlint.cli.failure import Failure
from gwlint.cli.inputs import Inputs, read_settings, require_one_of
from gwlint.cli.output import note, write, write_text

config = typer.Typer(
    help="Show the settings in force, print the JSON Schema of gwlint.yaml, or write a first one.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@config.command("show")
def show(
    *,
    paths: options.Paths = None,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="text (default), yaml or json.")
    ] = "text",
    output: options.Output = None,
    select: options.Select = None,
    ignore: options.Ignore = None,
    profile: options.Profile = None,
    fail_on: options.FailOn = None,
    target: options.Targets = None,
    config_file: options.Config = None,
    dialect: options.Dialect = None,
) -> None:
    """Print the settings that a check of PATH would have, and where each comes from."""
    from gwlint.cli.config_show import FORMATS

    require_one_of("--format", format_name, FORMATS)
    for path in paths or ():
        if path and not Path(path).exists():
            raise Failure(f"{path}: no such file or folder")
    settings = read_settings(
        Inputs(
            paths=tuple(paths or ["."]),
            config=config_file,
            targets=tuple(target or ()),
            select=tuple(select or ()),
            ignore=tuple(ignore or ()),
            profile=profile,
            fail_on=fail_on,
            dialect=dialect,
        )
    )
    write_text(FORMATS[format_name](settings), output)


@config.command("schema")
def schema(*, output: options.Output = None) -> None:
    """Print the JSON Schema of gwlint.yaml, for editors and other tools."""
    from gwlint.cli.config_schema import config_schema

    write_text(json.dumps(config_schema(), indent=2) + "\n", output)


@config.command("init")
def init(
    *,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Where to write gwlint.yaml.")
    ] = ".",
    quiet: options.Quiet = False,
) -> None:
    """Write a gwlint.yaml with all settings in comments, made from what is found in FOLDER.

    It changes nothing until it is edited. A gwlint.yaml that counts there already is left alone.
    """
    from gwlint.cli.config_init import first_settings
    from gwlint.project import NoInput, Project, load_project
    from gwlint.settings import FILE_NAMES, Settings, SettingsError, find_settings_file

    target = Path(folder)
    if not target.is_dir():
        raise Failure(f"{folder}: no such folder")
    try:
        counts = find_settings_file(folder)
    except SettingsError as error:
        raise Failure(str(error)) from error
    if counts is not None:
        raise Failure(f"{counts} counts there already; nothing was written")
    try:
        project = load_project([folder], Settings(folder=str(target.absolute())))
    except NoInput:
        project = Project([], [], [])
    text = first_settings(project, target.absolute(), _installed(target.absolute()))
    path = target / FILE_NAMES[0]
    write(text.encode(), path)
    if not quiet:
        note(f"gwlint: wrote {path}")


def _installed(folder: Path) -> dict[str, str]:
    """The versions of the servers on this machine, by dialect."""
    from gwlint.servers.process import find_binary, version_of

    found = {}
    for name in ("nginx", "haproxy"):
        binary = find_binary(name, f"GWLINT_{name.upper()}")
        version = None if binary is None else version_of(binary, folder)
        if version is not None:
            found[name] = str(version)
    return found
