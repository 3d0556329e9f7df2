"""Inputs that are made to hang or to crash gwlint end with an answer; here each is small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile_shapes import SHAPES, Shape

SMALL = 40
"""Repetitions, of what is repeated up to a million times in the benchmark."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_hostile_input_ends_with_an_answer(
    shape: Shape, tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    shape.write(tmp_path, min(shape.size, SMALL))
    run = gwlint(*shape.arguments)
    assert run.code in (0, 1, 2)
    assert run.stdout or run.stderr or run.code == 0
