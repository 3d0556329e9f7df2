"""`gwlint generate`: from a YAML spec to a hardened configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gwlint.cli import options
from gwlint.cli.failure import Failure
from gwlint.cli.inputs import require_one_of
from gwlint.cli.output import note, write


def generate(
    *,
    spec: Annotated[Path, typer.Argument(metavar="SPEC.yaml", help="What the gateway shall do.")],
    proxy: Annotated[
        str, typer.Option("--proxy", metavar="NAME", help="nginx or haproxy.")
    ] = "nginx",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write the files into this folder."),
    ] = None,
    target: options.Targets = None,
    quiet: options.Quiet = False,
) -> None:
    """Print a hardened configuration, or write it into a folder with -o."""
    from gwlint.generate.run import PROXIES, SpecErrors
    from gwlint.generate.run import generate as generate_files

    require_one_of("--proxy", proxy, PROXIES)
    try:
        files = generate_files(spec, proxy, _version(target or [], proxy))
    except SpecErrors as errors:
        raise Failure("\n".join(map(str, errors.problems))) from errors
    except OSError as error:
        raise Failure(f"{spec}: cannot be read: {error.strerror or error}") from error
    if output is None:
        write(b"".join(files.values()), None)
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot create {output}: {error.strerror or error}") from error
    for name, data in files.items():
        write(data, output / name)
        if not quiet:
            note(f"gwlint: wrote {output / name}")


def _version(targets: list[str], proxy: str) -> str | None:
    """The version that `--target nginx=1.22.1` gives for the proxy that is written for."""
    from gwlint.settings import SettingsError, load_settings

    try:
        settings = load_settings(targets=targets)
    except SettingsError as error:
        raise Failure(str(error)) from error
    version = settings.target_nginx if proxy == "nginx" else settings.target_haproxy
    return str(version) if version else None
