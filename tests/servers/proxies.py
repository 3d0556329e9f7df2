"""Run the real nginx and HAProxy in the foreground, in a folder that goes away afterwards."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from servers.binaries import Binary
from servers.ports import LOOPBACK

START_SECONDS = 10.0
STOP_SECONDS = 3.0

MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

NGINX_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class StartError(Exception):
    """The server ended, or did not listen in time; the text is what it printed."""


@dataclass(frozen=True)
class Proxy:
    """A running proxy. `log` holds all it printed and logged so far, for nginx from level info."""

    port: int
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def logged(self, pattern: str, within: float = 2.0) -> bool:
        """Whether a line that matches the regular expression is logged within so many seconds.

        A proxy logs after it has answered, so a client may be faster than the line.
        """
        end = time.monotonic() + within
        while not re.search(pattern, self.log):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def http(text: str) -> str:
    """A whole nginx configuration around what stands in its http block."""
    return f"events {{}}\nhttp {{\n{indent(dedent(text).strip(), '    ')}\n}}\n"


def sections(text: str) -> str:
    """A whole HAProxy configuration: logging, and mode http with all timeouts, then `text`."""
    common = """
        global
            log stdout format raw local0
        defaults
            mode http
            log global
            option httplog
            timeout connect 2s
            timeout client 5s
            timeout server 5s
            timeout http-request 5s
        """
    return f"{dedent(common).strip()}\n{dedent(text).strip()}\n"


def hurried(text: str, factor: int, *names: str) -> str:
    """The text with the times after these names divided by `factor`.

    A test has no minutes. Faulty and corrected text are hurried alike, and so is the origin, so
    that which one waits longer stays as it was; the fix is made from the text as users write it.
    """

    def divided(found: re.Match[str]) -> str:
        # HAProxy counts bare numbers in milliseconds, nginx in seconds.
        bare = "ms" if found[1].startswith("timeout") else "s"
        milliseconds = int(found[2]) * MILLISECONDS[found[3] or bare]
        return f"{found[1]}{max(1, milliseconds // factor)}ms"

    for name in names:
        text = re.sub(rf"(\b{re.escape(name)}\s+)(\d+)(ms|[smhd])?\b", divided, text)
    return text


@contextmanager
def run_nginx(text: str, port: int, binary: Binary) -> Iterator[Proxy]:
    """Run nginx with this main configuration until the block ends.

    `port` is one it listens on: the block begins when it accepts. The text needs no paths: pid,
    logs and temporary files go to the scratch folder, on the line of `http {` so that lines keep
    their numbers. StartError if nginx refuses.
    """
    with _scratch() as folder:
        (folder / "nginx.conf").write_text(_within(folder, text))
        settings = f"daemon off; pid {folder}/nginx.pid; error_log stderr info;"
        command = [binary.path, "-p", str(folder), "-e", "stderr", "-g", settings]
        command += ["-c", str(folder / "nginx.conf")]
        with _running(command, binary, folder, port) as proxy:
            yield proxy


def _within(folder: Path, text: str) -> str:
    """The text with the paths of its http block inside the folder, none of the build's own."""
    paths = [f"{name}_temp_path {folder}/{name};" for name in NGINX_TEMPORARY]
    if not re.search(r"^\s*access_log\s", text, re.MULTILINE):
        paths.append("access_log off;")
    return re.sub(r"^(\s*http\s*\{)", rf"\1 {' '.join(paths)}", text, count=1, flags=re.MULTILINE)


@contextmanager
def run_haproxy(text: str, port: int, binary: Binary) -> Iterator[Proxy]:
    """Run HAProxy with this configuration until the block ends.

    `port` is one it binds: the block begins when it accepts, which costs one connection (in mode
    tcp one to the server too). Logs come from `log stdout format raw local0`. StartError if
    HAProxy refuses.
    """
    with _scratch() as folder:
        (folder / "haproxy.cfg").write_text(text)
        command = [binary.path, "-db", "-f", str(folder / "haproxy.cfg")]
        with _running(command, binary, folder, port) as proxy:
            yield proxy


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gwlint-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx started by root has workers of another user
        yield folder


@contextmanager
def _running(command: list[str], binary: Binary, folder: Path, port: int) -> Iterator[Proxy]:
    proxy = Proxy(port, folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*_bound_to_parent(), *command],
            cwd=folder,
            env={**os.environ, **binary.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(process, proxy)
        yield proxy
    finally:
        _end(process)


def _bound_to_parent() -> list[str]:
    """What makes the server end even if this process is killed (prctl(2), PR_SET_PDEATHSIG)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _await(process: subprocess.Popen[bytes], proxy: Proxy) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise StartError(proxy.log)
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, proxy.port), 1).close()
            return
        time.sleep(0.02)
    raise StartError(f"not listening on {proxy.port} after {START_SECONDS} s\n{proxy.log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group: the master, its workers, and any wrapper that started it."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
