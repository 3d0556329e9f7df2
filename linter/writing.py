"""Writing files so that each is always whole: the old bytes or the new ones."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


class FileChanged(Exception):  # noqa: N818 - not a defect: someone else wrote meanwhile
    """The file no longer holds what was read from it."""


@dataclass
class WriteReport:
    """Paths that were replaced, and paths that were not, each with the reason."""

    written: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file (as shown, and where it lies), the bytes that were read and those to write."""

    path: str
    absolute: str
    old: bytes
    new: bytes


def write_all(replacements: list[Replacement]) -> WriteReport:
    """Replace files, all or, if something goes wrong, as few as possible.

    Every new file is prepared beside its target first, which is where a full disk or a lacking
    permission shows; only when all are ready are they put in place. On failure nothing is
    replaced, or the report says which files were.
    """
    report = WriteReport()
    prepared: list[tuple[Replacement, Path, Path]] = []
    try:
        for one in replacements:
            target = Path(os.path.realpath(one.absolute))
            try:
                prepared.append((one, target, _prepare(target, one)))
            except (OSError, FileChanged) as problem:
                report.failed.append((one.path, _reason(problem)))
        if report.failed:
            blamed = {path for path, _ in report.failed}
            report.failed += [
                (one.path, "not written because another file could not be")
                for one in replacements
                if one.path not in blamed
            ]
            return report
        with _interruptions_wait():
            for one, target, ready in prepared:
                try:
                    _require_unchanged(target, one.old)
                    ready.replace(target)
                except (OSError, FileChanged) as problem:
                    report.failed.append((one.path, _reason(problem)))
                else:
                    report.written.append(one.path)
                    _sync_folder(target.parent)
        return report
    finally:
        for _, _, ready in prepared:
            ready.unlink(missing_ok=True)


@contextlib.contextmanager
def _interruptions_wait() -> Iterator[None]:
    """Holds ^C and SIGTERM back, so that they come before the first renaming or after the last."""
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


def _prepare(target: Path, one: Replacement) -> Path:
    """A finished, synced file in the folder of `target` with its mode and owner."""
    _require_unchanged(target, one.old)
    status = target.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
    ready = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(one.new)
            file.flush()
            own = os.fstat(file.fileno())
            if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            # After fchown, which clears the set-id bits.
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            os.fsync(file.fileno())
    except BaseException:
        ready.unlink(missing_ok=True)
        raise
    return ready


def _require_unchanged(target: Path, old: bytes) -> None:
    if target.read_bytes() != old:
        raise FileChanged("it was changed by someone else meanwhile")


def _reason(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)


def _sync_folder(folder: Path) -> None:
    """Make the renaming durable, where the system lets folders be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
