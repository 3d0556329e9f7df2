"""Git LFS: files whose content lies beside the repository, and pointers to them inside.

The pointer format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:[^\n]+\n)*?oid sha256:([0-9a-f]{64})\n"
)
_LONGEST_POINTER = 1024


def pointed_to(data: bytes) -> str | None:
    """The SHA-256 of the content that a pointer stands for; None if this is no pointer."""
    match = _POINTER.match(data) if len(data) < _LONGEST_POINTER else None
    return match[1].decode("ascii") if match else None


def content(digest: str, on_disk: bytes | None, common_dir: str) -> bytes | None:
    """The content of a large file, from the work tree if it did not change, or from what Git LFS
    has fetched; None if it is in neither. `common_dir` is git's own folder."""
    if on_disk is not None and hashlib.sha256(on_disk).hexdigest() == digest:
        return on_disk
    stored = Path(common_dir, "lfs", "objects", digest[:2], digest[2:4], digest)
    try:
        return stored.read_bytes()
    except OSError:
        return None
