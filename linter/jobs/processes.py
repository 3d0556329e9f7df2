"""Worker processes: copies of this one, made by fork, that each give back some bytes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Self

BYTES_WORTH_A_PROCESS = 50_000
"""Of configuration. Two processes take as long as one for 24 kB in all, and a seventh less from
70 kB on (measured on two cores)."""

_DONE, _UNABLE, _INTERRUPTED = 0, 3, 130


class WorkerError(Exception):
    """A worker was killed or crashed, so its findings are lost."""


def processes_for(limit: int | None, sizes: Sequence[int]) -> int:
    """How many processes to use for roots of these sizes in bytes: at most `limit`; if None, at
    most one a core, and as many as pay."""
    # On macOS a forked process may not use the system's libraries.
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return 1
    if limit is None:
        limit = min(_cores(), sum(sizes) // BYTES_WORTH_A_PROCESS)
    return max(1, min(limit, len(sizes)))


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shares(sizes: Sequence[int], count: int) -> list[list[int]]:
    """The numbers of the roots in `count` groups that take about the same time.

    The first is for this process, which also looks across all and takes in what the others found:
    as much work as the rules of a third of all roots (measured on 500).
    """
    groups: list[list[int]] = [[] for _ in range(count)]
    totals = [sum(sizes) // 3, *[0] * (count - 1)]
    for number in sorted(range(len(sizes)), key=lambda one: -sizes[one]):
        least = totals.index(min(totals))
        groups[least].append(number)
        totals[least] += sizes[number]
    return groups


class Workers:
    """A context manager: processes that have begun, and end with the context at the latest."""

    def __init__(self, tasks: Sequence[Callable[[], bytes]]) -> None:
        """Raises OSError when there can be no more processes or temporary files."""
        self._running: dict[int, IO[bytes]] = {}
        try:
            for task in tasks:
                self._begin(task)
        except OSError:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def results(self) -> list[bytes] | None:
        """What the tasks gave, when all are done; None if one raised an exception.

        Raises WorkerError.
        """
        found: list[bytes] | None = []
        while self._running:
            process, file = next(iter(self._running.items()))
            _, status = os.waitpid(process, 0)
            del self._running[process]
            code = os.waitstatus_to_exitcode(status)
            if code == _DONE:
                file.seek(0)
                if found is not None:
                    found.append(file.read())
            elif code == _UNABLE:
                found = None
            else:
                ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
                raise WorkerError(f"a worker process {ended}; --jobs 1 needs none")
            file.close()
        return found

    def _begin(self, task: Callable[[], bytes]) -> None:
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `results` or `_end`
        try:
            process = os.fork()
        except OSError:
            file.close()
            raise
        if process == 0:
            _work(task, file)
        self._running[process] = file

    def _end(self) -> None:
        for process, file in self._running.items():
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
            file.close()
        self._running.clear()


def _work(task: Callable[[], bytes], file: IO[bytes]) -> None:
    """The life of a worker. It never returns, and leaves everything but its file alone."""
    code = _UNABLE
    try:
        file.write(task())
        file.flush()
        code = _DONE
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception:
        code = _UNABLE
    finally:
        os._exit(code)
