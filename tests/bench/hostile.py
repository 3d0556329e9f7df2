"""What hostile input costs: `python tests/bench/hostile.py [NAME...]`, by hand; it takes minutes.

Each shape is made at a quarter, at half and at all of its size (about 1 MB), and checked by the
installed command in a process of its own. The table gives seconds of processor time, how they grow
from half to all (2.0 is linear), and peak memory. Nothing may take more than LIMIT_SECONDS.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile_shapes import SHAPES, Shape

GWLINT = Path(sys.executable).with_name("gwlint")
LIMIT_SECONDS = 10
"""What interface users are promised for 1 MB."""

STOP_SECONDS = 60
SLOWER_THAN_LINEAR = 3.0
"""From half to all, where it takes more than a second: twice the size in more than thrice the
time."""


def main(names: list[str]) -> int:
    """Print the table; 1 if anything is slower than promised."""
    print(
        f"{'shape':34} {'bytes':>9} {'n/4':>7} {'n/2':>7} {'n':>7} {'growth':>6} {'MiB':>5}  code"
    )
    worst = 0
    for shape in SHAPES:
        if names and shape.name not in names:
            continue
        size, seconds, memory, code = 0, [], 0, 0
        for part in (4, 2, 1):
            size, took, memory, code = measured(shape, shape.size // part)
            seconds.append(took)
        growth = seconds[2] / max(seconds[1], 0.01)
        is_slow = seconds[2] > LIMIT_SECONDS or (seconds[2] > 2 and growth > SLOWER_THAN_LINEAR)
        worst |= is_slow or code not in (0, 1, 2)
        times = " ".join(f"{one:7.2f}" for one in seconds)
        mark = "  SLOW" if is_slow else ""
        print(
            f"{shape.name:34} {size:9} {times} {growth:6.1f} {memory:5} {code:5}{mark}", flush=True
        )
    return int(worst)


def measured(shape: Shape, count: int) -> tuple[int, float, int, int]:
    """Bytes of the input, seconds of processor time, MiB of memory and the exit code; of a run
    that was stopped, the code is -9."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape.write(folder, count)
        size = sum(path.stat().st_size for path in _files(folder))
        environment = {**os.environ, "GWLINT_CACHE_DIR": os.devnull}
        process = subprocess.Popen(
            [GWLINT, *shape.arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_limit,
        )
        begin = time.monotonic()
        usage = None
        while usage is None:
            pid, status, spent = os.wait4(process.pid, os.WNOHANG)
            if pid:
                usage = spent
            elif time.monotonic() - begin > 4 * STOP_SECONDS:
                process.kill()
            else:
                time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        return size, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, process.returncode


def _limit() -> None:
    """No run takes the machine with it."""
    resource.setrlimit(resource.RLIMIT_CPU, (STOP_SECONDS, STOP_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
