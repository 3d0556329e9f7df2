"""What all tests share: the installed command, run as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

GWLINT = Path(sys.executable).with_name("gwlint")
TIME_LIMIT = 60
"""Seconds after which a run counts as hanging."""

# Compiled modules are kept between runs, as on users' machines: that is half of a short run. What
# a CI service says of itself would change what gwlint prints. Outcomes are kept only where a test
# says so: the developer's own cache is none of the tests' business.
ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if key != "PYTHONDONTWRITEBYTECODE" and not key.startswith(("GITHUB_", "CI_PROJECT"))
} | {"GWLINT_CACHE_DIR": os.devnull}


@dataclass(frozen=True)
class Run:
    """How one run of the command ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@pytest.fixture
def gwlint(tmp_path: Path) -> Callable[..., Run]:
    """Runs `gwlint ARGUMENTS` in the test's folder; no run may end in a traceback."""

    def run(
        *arguments: str | Path, stdin: bytes = b"", cwd: Path = tmp_path, **environment: str
    ) -> Run:
        done = subprocess.run(
            [GWLINT, *arguments],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env={**ENVIRONMENT, **environment},
            timeout=TIME_LIMIT,
            check=False,
        )
        stderr = done.stderr.decode()
        if "GWLINT_DEBUG" not in environment:
            assert "Traceback" not in stderr, stderr
            assert "internal error" not in stderr, stderr
        return Run(done.returncode, done.stdout, stderr)

    return run
