"""Writing files so that each is always whole: the old bytes or the new ones.

A new file is made beside its target and renamed over it, which the system does at once. Several
files are replaced together or not at all: when one cannot be, those before it get their old file
back. Runs at the same time wait for each other, so that what one decided is never mixed with what
another did.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOCK_SECONDS = 10.0
"""How long to wait for another run that is writing in the same folder."""

_LOCK_PAUSE_SECONDS = 0.02
_OF_THE_OLD_BYTES = frozenset({"security.ima", "security.evm"})
"""Attributes that sign the content, and would be wrong for another one."""


class NotReplaceable(Exception):  # noqa: N818 - not a defect: something speaks against it
    """The file cannot be replaced without losing something; the text says what."""


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

    @property
    def target(self) -> Path:
        """The file itself, at the end of symbolic links, which stay."""
        return Path(os.path.realpath(self.absolute))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """`ready` lies beside the target; `saved` is where its old file is kept until all is done."""

    replacement: Replacement
    target: Path
    ready: Path

    @property
    def saved(self) -> Path:
        return self.ready.with_suffix(".old")


def write_all(replacements: list[Replacement]) -> WriteReport:
    """Replace files, all or none.

    Every new file is prepared beside its target first, which is where a full disk or a lacking
    permission shows; only when all are ready are they put in place. Whatever fails, the report
    says which files were replaced and which were not. Mode, owner and extended attributes stay.
    """
    report = WriteReport()
    with contextlib.ExitStack() as locks:
        for folder in sorted({one.target.parent for one in replacements}):
            try:
                locks.enter_context(_locked(folder))
            except NotReplaceable as problem:
                inside = [one.path for one in replacements if one.target.parent == folder]
                report.failed += [(path, str(problem)) for path in inside]
        with _interruptions_wait():
            prepared = [] if report.failed else _all_prepared(replacements, report)
            try:
                if not report.failed:
                    _put_in_place(prepared, report)
            finally:
                for item in prepared:
                    item.ready.unlink(missing_ok=True)
                    item.saved.unlink(missing_ok=True)
    named = {*report.written, *(path for path, _ in report.failed)}
    report.failed += [
        (one.path, "another file could not be") for one in replacements if one.path not in named
    ]
    return report


def _all_prepared(replacements: list[Replacement], report: WriteReport) -> list[_Prepared]:
    """The new files, as far as they could be made; the report takes the others."""
    prepared: list[_Prepared] = []
    try:
        for one in replacements:
            try:
                prepared.append(_Prepared(one, one.target, _prepare(one.target, one)))
            except (OSError, NotReplaceable) as problem:
                report.failed.append((one.path, _reason(problem)))
    except BaseException:
        for item in prepared:
            item.ready.unlink(missing_ok=True)
        raise
    return prepared


def _put_in_place(prepared: list[_Prepared], report: WriteReport) -> None:
    """Rename the new files over their targets; if one fails, those before it go back."""
    done: list[_Prepared] = []
    for item in prepared:
        try:
            if len(prepared) > 1:
                _save(item)
            _require_unchanged(item.target, item.replacement.old)
            item.ready.replace(item.target)
        except (OSError, NotReplaceable) as problem:
            report.failed.append((item.replacement.path, _reason(problem)))
            done = [one for one in reversed(done) if not _put_back(one)]
            break
        done.append(item)
    report.written += [item.replacement.path for item in done]
    for folder in {item.target.parent for item in prepared}:
        _sync_folder(folder)


def _save(item: _Prepared) -> None:
    """A second name for the old file, where the file system has such; without it there is no way
    back, and the report will say so."""
    with contextlib.suppress(OSError):
        item.saved.hardlink_to(item.target)


def _put_back(item: _Prepared) -> bool:
    try:
        item.saved.replace(item.target)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _interruptions_wait() -> Iterator[None]:
    """Holds ^C, SIGTERM and SIGHUP back: they come when everything is in place and tidied up."""
    waiting = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    )
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps other runs from writing in a folder. Raises NotReplaceable when one does not end.

    Folders, since files are replaced by others while runs wait for them.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        # A folder need not be readable to be written in; what else is wrong shows soon enough.
        yield
        return
    try:
        _lock(descriptor, time.monotonic() + LOCK_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise NotReplaceable("another process keeps its folder locked") from None
            time.sleep(_LOCK_PAUSE_SECONDS)
        except OSError:
            return  # a file system without locks
        else:
            return


def _prepare(target: Path, one: Replacement) -> Path:
    """A finished, synced file in the folder of `target` with its mode, owner and attributes."""
    _require_unchanged(target, one.old)
    status = target.stat()
    if status.st_nlink > 1:
        raise NotReplaceable(
            f"it has {status.st_nlink} names (hard links), and the others would keep the old text"
        )
    if not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise NotReplaceable("it is read-only")
    try:
        descriptor, name = tempfile.mkstemp(prefix=".gwlint-", suffix=".new", dir=target.parent)
    except OSError as problem:
        reason = f"no new file can be made in its folder: {_reason(problem)}"
        raise NotReplaceable(reason) from problem
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
            # After fchmod, which would change the mask of an access control list.
            _copy_attributes(target, file.fileno())
            os.fsync(file.fileno())
    except BaseException:
        ready.unlink(missing_ok=True)
        raise
    return ready


def _copy_attributes(target: Path, descriptor: int) -> None:
    """Give the new file the extended attributes of the old one: access control lists, labels."""
    wanted = _attributes(target)
    present = _attributes(descriptor)
    for name in present.keys() - wanted.keys() - _OF_THE_OLD_BYTES:
        os.removexattr(descriptor, name)
    for name, value in wanted.items():
        if name not in _OF_THE_OLD_BYTES and present.get(name) != value:
            try:
                os.setxattr(descriptor, name, value)
            except OSError as problem:
                reason = f"its attribute {name} cannot be kept: {_reason(problem)}"
                raise NotReplaceable(reason) from problem


def _attributes(file: Path | int) -> dict[str, bytes]:
    """Extended attributes by name; none where the system or the file system has no such thing."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file)}
    except OSError as problem:
        if problem.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise


def _require_unchanged(target: Path, old: bytes) -> None:
    if target.read_bytes() != old:
        raise NotReplaceable("it was changed by someone else meanwhile")


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
