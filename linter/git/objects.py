"""The contents of blobs, from one `git cat-file --batch` that answers as long as it is asked."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from types import TracebackType
from typing import Self

from gwlint.git.process import GIT_TIMEOUT, GitError, command, not_started
from gwlint.git.repository import Repository


class Objects:
    """A context manager; git starts with the first question and ends with the context."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End git. Nothing that it has still to say is of interest."""
        if self._process is not None:
            self._process.kill()
            # What was to be written to a git that died cannot be flushed.
            with contextlib.suppress(OSError):
                self._process.communicate()
            self._process = None

    def read(self, object_id: str) -> bytes:
        """The bytes of an object. Raises GitError when the repository lacks it, as a partial clone
        without its server does."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        watch = threading.Timer(GIT_TIMEOUT, process.kill)
        watch.start()
        try:
            process.stdin.write(object_id.encode("ascii") + b"\n")
            process.stdin.flush()
            header = process.stdout.readline().split()
            if len(header) != 3:
                raise self._lacks(object_id)
            size = int(header[2])
            data = process.stdout.read(size + 1)
        except OSError as error:
            raise self._lacks(object_id) from error
        finally:
            watch.cancel()
        if len(data) != size + 1:
            raise self._lacks(object_id)
        return data[:-1]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    command([f"--git-dir={self.repository.git_dir}", "cat-file", "--batch"]),
                    cwd=self.repository.top,
                    env=self.repository.variables,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except OSError as error:
                raise not_started(error) from error
        return self._process

    def _lacks(self, object_id: str) -> GitError:
        return GitError(
            f"the repository {self.repository.top} lacks object {object_id}, or git could not"
            " read it; git fsck says more"
        )
