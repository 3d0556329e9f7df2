"""Files are replaced as a whole, keep mode and owner, and are left alone when they changed."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from pathlib import Path

import pytest

from gwlint import writing
from gwlint.writing import Replacement, write_all

OLD, NEW = b"old\r\n\xe9", b"new\r\n\xe9"


def replacement(path: Path, old: bytes = OLD, new: bytes = NEW) -> Replacement:
    return Replacement(path.name, str(path), old, new)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "nginx.conf"
    path.write_bytes(OLD)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_bytes_change_and_the_mode_stays(target: Path, mode: int) -> None:
    target.chmod(mode)
    report = write_all([replacement(target)])
    assert (report.written, report.failed) == (["nginx.conf"], [])
    assert target.read_bytes() == NEW
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert list(target.parent.iterdir()) == [target]


def test_the_owner_stays(target: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(target, 12345, 23456)
    write_all([replacement(target)])
    assert target.read_bytes() == NEW
    assert (target.stat().st_uid, target.stat().st_gid) == (12345, 23456)


def test_a_symbolic_link_stays_one(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "enabled" / "nginx.conf"
    link.parent.mkdir()
    link.symlink_to(target)
    write_all([replacement(link)])
    assert link.is_symlink()
    assert target.read_bytes() == NEW


def test_a_file_that_changed_meanwhile_is_left_alone(target: Path) -> None:
    target.write_bytes(b"edited by hand\n")
    report = write_all([replacement(target)])
    assert report.written == []
    assert report.failed == [("nginx.conf", "it was changed by someone else meanwhile")]
    assert target.read_bytes() == b"edited by hand\n"


def test_one_file_that_cannot_be_written_stops_all(target: Path, tmp_path: Path) -> None:
    missing = tmp_path / "gone.conf"
    report = write_all([replacement(target), replacement(missing)])
    assert report.written == []
    assert dict(report.failed) == {
        "gone.conf": "No such file or directory",
        "nginx.conf": "another file could not be",
    }
    assert target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is where a full disk shows at the latest; the error comes from the system call."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    report = write_all([replacement(target)])
    assert report.failed == [("nginx.conf", "No space left on device")]
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


def test_an_interruption_leaves_the_old_file(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all([replacement(target)])
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


def access_control_list() -> bytes:
    """As Linux keeps it (linux/posix_acl_xattr.h): user 33 may read, besides the usual three."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 6, nobody), (0x02, 4, 33), (0x04, 4, nobody), (0x10, 4, nobody)]
    entries.append((0x20, 0, nobody))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)


@pytest.mark.parametrize(
    ("name", "value"),
    [("user.gwlint", b"kept"), ("system.posix_acl_access", access_control_list())],
)
def test_extended_attributes_stay(target: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(target, name, value)
    except OSError as problem:
        pytest.skip(f"this file system keeps no {name}: {problem.strerror}")
    mode = target.stat().st_mode
    assert write_all([replacement(target)]).failed == []
    assert target.read_bytes() == NEW
    assert os.getxattr(target, name) == value
    assert target.stat().st_mode == mode


def test_a_file_with_two_names_is_left_alone(target: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.conf"
    other.hardlink_to(target)
    report = write_all([replacement(target)])
    assert report.failed == [
        ("nginx.conf", "it has 2 names (hard links), and the others would keep the old text")
    ]
    assert target.read_bytes() == other.read_bytes() == OLD
    assert target.samefile(other)


def test_what_was_replaced_goes_back_when_a_later_file_fails(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is mounted into a container cannot be renamed over: the system says EBUSY."""
    mounted = target.with_name("mounted.conf")
    mounted.write_bytes(OLD)
    rename = os.replace

    def replace(source: str, destination: str) -> None:
        if Path(destination) == mounted:
            raise OSError(16, "Device or resource busy")
        rename(source, destination)

    monkeypatch.setattr(os, "replace", replace)
    before = target.stat().st_ino
    report = write_all([replacement(target), replacement(mounted)])
    assert report.written == []
    assert dict(report.failed) == {
        "mounted.conf": "Device or resource busy",
        "nginx.conf": "another file could not be",
    }
    assert target.read_bytes() == mounted.read_bytes() == OLD
    assert target.stat().st_ino == before
    assert sorted(target.parent.iterdir()) == [mounted, target]


def test_a_run_does_not_wait_for_ever_for_another_one(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOCK_SECONDS", 0.1)
    other = os.open(target.parent, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    report = write_all([replacement(target)])
    os.close(other)
    assert report.failed == [("nginx.conf", "another process keeps its folder locked")]
    assert target.read_bytes() == OLD
    assert write_all([replacement(target)]).written == ["nginx.conf"]
