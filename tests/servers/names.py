"""Host names of a test's own: a name server on loopback, and a hosts file for one process."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from servers.binaries import Binary
from servers.ports import LOOPBACK, free_port

TIME_TO_LIVE = 1
"""Seconds for which an answer holds, the shortest that nginx keeps apart."""

HEADER = 12
QUESTION_TAIL = 4
"""Bytes of a DNS message: its header, and type and class after the name (RFC 1035, section 4)."""


class NameServer:
    """Answers every question of type A with `addresses`, or nothing at all while it is None."""

    def __init__(self, addresses: Sequence[str] | None) -> None:
        self.addresses = addresses
        self.asked = 0
        self.port = free_port()
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        # The twin of a free port is held for its UDP side, so another address is taken.
        self._socket.bind(("127.0.0.3", self.port))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=2)

    @property
    def address(self) -> str:
        return f"127.0.0.3:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                message, client = self._socket.recvfrom(512)
            except OSError:
                return
            if not message:  # shut down
                return
            self.asked += 1
            if self.addresses is not None:
                self._socket.sendto(_answer(message, self.addresses), client)


def _answer(message: bytes, addresses: Sequence[str]) -> bytes:
    """The reply with one record for each address; with none to a question of another type."""
    end = message.index(b"\0", HEADER) + 1 + QUESTION_TAIL
    is_a = message[end - QUESTION_TAIL : end - 2] == b"\0\1"
    records = b"".join(
        # A pointer to the name, type A, class IN, time to live, length.
        b"\xc0\x0c\0\1\0\1" + TIME_TO_LIVE.to_bytes(4, "big") + b"\0\4" + socket.inet_aton(address)
        for address in (addresses if is_a else ())
    )
    count = (len(addresses) if is_a else 0).to_bytes(2, "big")
    return message[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0" + message[HEADER:end] + records


@contextmanager
def with_hosts(binary: Binary, *lines: str) -> Iterator[Binary]:
    """The same server, for which /etc/hosts holds these lines and that of localhost.

    It runs in a mount namespace of its own. The test is skipped where that is not allowed.
    """
    unshare = shutil.which("unshare")
    command = [unshare or "", "-m"] if os.geteuid() == 0 else [unshare or "", "-rm"]
    if unshare is None or subprocess.run([*command, "true"], check=False).returncode != 0:
        pytest.skip("no mount namespace for a hosts file: unshare is missing or not allowed")
    with tempfile.TemporaryDirectory(prefix="gwlint-") as folder:
        hosts = Path(folder, "hosts")
        hosts.write_text("\n".join([f"{LOOPBACK} localhost", *lines, ""]))
        script = Path(folder, "server")
        inside = f'mount --bind {shlex.quote(str(hosts))} /etc/hosts && exec "$0" "$@"'
        script.write_text(
            f"#!/bin/sh\nexec {shlex.join(command)} sh -c {shlex.quote(inside)}"
            f' {shlex.quote(binary.path)} "$@"\n'
        )
        script.chmod(0o755)
        yield replace(binary, path=str(script))
