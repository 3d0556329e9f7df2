"""What fuzzing kept is borne still: each input of tests/fuzz/seeds, by its target."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.seeds import FOLDER, read_seeds, write_seeds
from fuzz.targets import TARGETS
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("target", TARGETS)
def test_kept_inputs_break_nothing(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = read_seeds(target)
    assert inputs, f"no inputs of {target} were kept in {FOLDER}"
    for data in inputs:
        TARGETS[target](data)


@given(inputs=st.sets(st.binary(max_size=50), min_size=1))
def test_inputs_are_kept_to_the_byte(
    inputs: set[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fuzz.seeds.FOLDER", tmp_path_factory.mktemp("seeds"))
        write_seeds("nginx", inputs)
        assert set(read_seeds("nginx")) == inputs
