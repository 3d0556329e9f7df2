"""The inputs that fuzzing kept: seeds/TARGET.txt, an input a line, as readable as bytes can be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).with_name("seeds")


def read_seeds(target: str) -> list[bytes]:
    """The kept inputs of a target, in the order of the file; none without a file."""
    path = FOLDER / f"{target}.txt"
    if not path.exists():
        return []
    lines = path.read_text(encoding="ascii").splitlines()
    return [line.encode("ascii").decode("unicode_escape").encode("latin-1") for line in lines]


def write_seeds(target: str, inputs: Iterable[bytes]) -> None:
    """Keep these inputs and no others; sorted, so that a change of the file shows what is new."""
    FOLDER.mkdir(exist_ok=True)
    lines = sorted(data.decode("latin-1").encode("unicode_escape").decode() for data in inputs)
    (FOLDER / f"{target}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
