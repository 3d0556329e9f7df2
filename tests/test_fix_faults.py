"""`gwlint fix --write` when something goes wrong: nothing is lost, nothing is half written."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

GWLINT = Path(sys.executable).with_name("gwlint")
TIME_LIMIT = 120
"""Seconds after which a run counts as hanging, on a machine that does much else."""

WITHOUT_SERVERS = {"GWLINT_NGINX": "", "GWLINT_HAPROXY": ""}

SITE = """\
upstream app{number} {{
    server 10.0.0.{number}:8080 max_fails=0;
    server 10.0.1.{number}:8080;
}}
server {{
    listen 80{number};
    location / {{
        proxy_pass http://app{number};
        proxy_connect_timeout 300s;
    }}
}}
"""

Snapshot = dict[str, bytes]


def project(folder: Path, sites: int = 3) -> Path:
    """A main file and some sites; NGX302 finds something in each site, and so does NGX501."""
    (folder / "conf.d").mkdir(parents=True)
    (folder / "nginx.conf").write_text("events { }\nhttp {\n    include conf.d/*.conf;\n}\n")
    for number in range(1, sites + 1):
        (folder / "conf.d" / f"site{number}.conf").write_text(SITE.format(number=number))
    return folder


def snapshot(folder: Path) -> Snapshot:
    """Every file, hidden ones too: what a run leaves behind is seen."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def command(*options: str) -> list[str]:
    return [str(GWLINT), "fix", "--write", "--unsafe", *options, "."]


def start(
    folder: Path, *options: str, before: Sequence[str] = (), **more: Any
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **WITHOUT_SERVERS}
    return subprocess.Popen(
        [*before, *command(*options)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def finish(run: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The exit code, and what was said on stderr."""
    _, errors = run.communicate(timeout=TIME_LIMIT)
    said = errors.decode()
    assert "Traceback" not in said, said
    assert "internal error" not in said, said
    return run.returncode, said


def fixed(folder: Path, *options: str) -> Snapshot:
    """What a run in peace makes of a copy of the folder."""
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.copytree(folder, copy)
    code, said = finish(start(copy, *options))
    assert code == 0, said
    result = snapshot(copy)
    shutil.rmtree(copy)
    assert result != snapshot(folder)
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path / "project")


class TestAtOnce:
    """Several processes in one folder."""

    def test_runs_leave_the_result_of_one_order(self, folder: Path) -> None:
        """Each run decides from what it read: none may write over what another wrote, and no file
        may be from one run while the next file is from another."""
        timeouts, failures = ("--select", "NGX302"), ("--select", "NGX501")
        before = snapshot(folder)
        alone = [fixed(folder, *timeouts), fixed(folder, *failures)]
        both = fixed(folder, "--select", "NGX302", "--select", "NGX501")
        runs = [start(folder, *options) for options in (timeouts, failures, timeouts, failures)]
        ends = [finish(run) for run in runs]
        after = snapshot(folder)
        assert after != before
        assert after in [*alone, both]
        for code, said in ends:
            assert code == 0 or "changed by someone else meanwhile" in said, said

    def test_no_update_is_lost(self, tmp_path: Path) -> None:
        """Four processes count in two files; each counts only what it did write."""
        files = [tmp_path / "a.conf", tmp_path / "b.conf"]
        for file in files:
            file.write_text("0\n")
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", COUNTING, *map(str, files)], stdout=subprocess.PIPE
            )
            for _ in range(4)
        ]
        written = [int(run.communicate(timeout=TIME_LIMIT)[0]) for run in runs]
        assert [run.returncode for run in runs] == [0] * 4
        assert sum(written) > 0
        assert [file.read_text() for file in files] == [f"{sum(written)}\n"] * 2
        assert sorted(tmp_path.iterdir()) == files


COUNTING = """
import sys
from pathlib import Path
from gwlint.writing import Replacement, write_all

written = 0
for _ in range(40):
    replacements = []
    for name in sys.argv[1:]:
        old = Path(name).read_bytes()
        replacements.append(Replacement(name, name, old, b"%d\\n" % (int(old) + 1)))
    written += not write_all(replacements).failed
print(written)
"""


class TestNoRoom:
    def test_a_file_that_cannot_be_written_to_its_end_stays_as_it_was(self, folder: Path) -> None:
        """A limit on the size of files ends a write in its middle, as a full disk does."""
        site = folder / "conf.d" / "site2.conf"
        site.write_text(site.read_text() + "# padding\n" * 2000)
        before = snapshot(folder)

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

        code, said = finish(start(folder, "--select", "NGX302", preexec_fn=limit))
        assert code == 2
        assert "conf.d/site2.conf: not written: File too large" in said
        assert "conf.d/site1.conf: not written: another file could not be" in said
        assert snapshot(folder) == before

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
    def test_a_patch_that_cannot_be_written_is_an_error(
        self, folder: Path, gwlint: Callable[..., Any]
    ) -> None:
        options = ("fix", "--unsafe", "--select", "NGX302", "-o", "/dev/full", ".")
        done = gwlint(*options, cwd=folder, **WITHOUT_SERVERS)
        assert done.code == 2
        assert "cannot write /dev/full: No space left on device" in done.stderr


@pytest.fixture
def bounded() -> list[str]:
    """What stands before a command so that file modes count, which they do not for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everything, and there is no setpriv to take that right away")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


class TestNoRight:
    def test_a_read_only_file_stops_all(self, folder: Path, bounded: list[str]) -> None:
        (folder / "conf.d" / "site2.conf").chmod(0o444)
        before = snapshot(folder)
        code, said = finish(start(folder, "--select", "NGX302", before=bounded))
        assert code == 2
        assert "conf.d/site2.conf: not written: it is read-only" in said
        assert snapshot(folder) == before

    def test_a_read_only_folder_stops_all(self, folder: Path, bounded: list[str]) -> None:
        (folder / "conf.d").chmod(0o555)
        before = snapshot(folder)
        code, said = finish(start(folder, "--select", "NGX302", before=bounded))
        (folder / "conf.d").chmod(0o755)
        assert code == 2
        assert (
            "conf.d/site1.conf: not written: no new file can be made in its folder:"
            " Permission denied" in said
        )
        assert snapshot(folder) == before


class TestChangedMeanwhile:
    def test_what_someone_wrote_meanwhile_stays(self, folder: Path, tmp_path: Path) -> None:
        """The server that gwlint asks edits a file: surely between reading and writing."""
        site = folder / "conf.d" / "site2.conf"
        server = tmp_path / "nginx"
        server.write_text(f"#!/bin/sh\necho '# by hand' > {site}\n")
        server.chmod(0o755)
        before = snapshot(folder)
        done = subprocess.run(
            command("--select", "NGX302"),
            cwd=folder,
            env={**os.environ, "GWLINT_NGINX": str(server)},
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        said = done.stderr.decode()
        assert done.returncode == 2, said
        assert "conf.d/site2.conf: not written: it was changed by someone else meanwhile" in said
        assert snapshot(folder) == {**before, "conf.d/site2.conf": b"# by hand\n"}


WRITING = """
import sys
from pathlib import Path
from gwlint.writing import Replacement, write_all

files = sorted(Path(sys.argv[1]).glob("*.conf"))
replacements = [Replacement(f.name, str(f), f.read_bytes(), b"new" * 5000) for f in files]
print("ready", flush=True)
write_all(replacements)
"""


class TestInterrupted:
    """Signals at moments that chance chooses, so that over many runs all moments are met."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_each_file_is_old_or_new(self, tmp_path: Path, number: signal.Signals) -> None:
        chance = random.Random(int(number))
        old, new = b"old" * 5000, b"new" * 5000
        stopped = 0
        for _ in range(8):
            place = tmp_path / "place"
            place.mkdir()
            for index in range(40):
                (place / f"{index}.conf").write_bytes(old)
            run = subprocess.Popen(
                [sys.executable, "-c", WRITING, str(place)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert run.stdout is not None
            assert run.stdout.readline() == b"ready\n"
            time.sleep(chance.random() * 0.1)
            run.send_signal(number)
            run.communicate(timeout=TIME_LIMIT)
            stopped += run.returncode != 0
            left = snapshot(place)
            files = {name: data for name, data in left.items() if name.endswith(".conf")}
            assert len(files) == 40
            assert set(files.values()) <= {old, new}
            if number is not signal.SIGKILL:
                # Those who can wait come when all files are in place, or before the first.
                assert len(set(files.values())) == 1
                assert left == files
            shutil.rmtree(place)
        assert stopped

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_the_command_can_be_stopped_at_any_time(
        self, folder: Path, number: signal.Signals
    ) -> None:
        before = snapshot(folder)
        started = time.monotonic()
        whole = fixed(folder, "--select", "NGX302")
        duration = time.monotonic() - started
        chance = random.Random(int(number))
        for _ in range(4):
            run = start(folder, "--select", "NGX302")
            time.sleep(duration * chance.uniform(0.3, 1.0))
            run.send_signal(number)
            run.communicate(timeout=TIME_LIMIT)
            after = snapshot(folder)
            for path, data in before.items():
                assert after[path] in (data, whole[path])
            if number is not signal.SIGKILL:
                assert after.keys() == before.keys()
        finish(start(folder, "--select", "NGX302"))
        after = snapshot(folder)
        assert {path: after[path] for path in whole} == whole


class TestWhatStays:
    def test_mode_and_link_and_a_hard_link(self, folder: Path, tmp_path: Path) -> None:
        first, second, third = (folder / "conf.d" / f"site{n}.conf" for n in (1, 2, 3))
        first.chmod(0o640)
        kept = tmp_path / "kept.conf"
        second.rename(folder / "real.txt")
        second.symlink_to("../real.txt")
        os.link(third, kept)
        before = snapshot(folder)
        code, said = finish(start(folder, "--select", "NGX302"))
        assert code == 2
        assert "conf.d/site3.conf: not written: it has 2 names (hard links)" in said
        assert snapshot(folder) == before
        kept.unlink()
        code, said = finish(start(folder, "--select", "NGX302"))
        assert code == 0, said
        assert stat.S_IMODE(first.stat().st_mode) == 0o640
        assert second.readlink() == Path("../real.txt")
        assert b"300s" not in (folder / "real.txt").read_bytes()
        assert b"300s" not in third.read_bytes()
