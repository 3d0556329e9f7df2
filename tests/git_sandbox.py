"""A real git repository in a folder of the test, and gwlint run in it as users and hooks do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from conftest import ENVIRONMENT, GWLINT, TIME_LIMIT, Run

CLEAN = {
    **{name: value for name, value in ENVIRONMENT.items() if not name.startswith("GIT_")},
    "PATH": f"{GWLINT.parent}{os.pathsep}{ENVIRONMENT['PATH']}",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}
"""The tests may themselves run in a hook, and the user's settings of git are not theirs."""

FAULTS = ("--select", "NGX402,HAP501")
"""What the configurations here have of faults, one each."""


def nginx(*names: str) -> str:
    """A main file with one NGX402 for each name, in the lines 11, 23, 35 and so on."""
    blocks = "".join(
        f"    upstream {name} {{\n        server 10.0.0.1:3000;\n"
        "        keepalive 32; keepalive_timeout 4s;\n    }\n"
        f"    server {{\n        listen 80;\n        server_name {name};\n"
        f"        location / {{\n            proxy_pass http://{name};\n"
        '            proxy_set_header Connection "";\n        }\n    }\n'
        for name in names
    )
    return f"events {{}}\nhttp {{\n{blocks}}}\n"


def haproxy(*names: str) -> str:
    """A configuration with one HAP501 for each name: a server without a check beside another."""
    backends = "".join(
        f"\nbackend {name}\n    server {name}1 10.0.0.1:3000\n"
        f"    server {name}2 10.0.0.2:3000 check\n"
        for name in names
    )
    return (
        "global\n    maxconn 1000\n\ndefaults\n    mode http\n    timeout connect 5s\n"
        "    timeout client 30s\n    timeout server 30s\n    timeout http-request 10s\n"
        f"\nfrontend web\n    bind :8080\n    default_backend {names[0]}\n{backends}"
    )


class Sandbox:
    """A repository at `top`. Nothing outside of the test's folder is read or written."""

    def __init__(self, top: Path, *options: str) -> None:
        self.top = top
        top.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def git(self, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> str:
        """What git prints; it must not fail."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.top if cwd is None else cwd,
            env={**CLEAN, **variables},
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="surrogateescape")

    def commit(self, message: str = "change") -> str:
        """Commit everything; the id of the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def run(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        **variables: str,
    ) -> Run:
        """Run gwlint; `environment` replaces the usual one, `variables` add to it."""
        done = subprocess.run(
            [GWLINT, *arguments],
            cwd=self.top if cwd is None else cwd,
            env={**(CLEAN if environment is None else environment), **variables},
            input=stdin,
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        stderr = done.stderr.decode()
        assert "Traceback" not in stderr, stderr
        assert "internal error" not in stderr, stderr
        return Run(done.returncode, done.stdout, stderr)

    def new(self, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> list[str]:
        """`path:line:code` of each finding that a check lists."""
        run = self.run("check", *FAULTS, "--format", "json", *arguments, cwd=cwd, **variables)
        assert run.code in (0, 1), run.stderr
        return [
            f"{one['path']}:{one['start']['line']}:{one['code']}" for one in run.json["findings"]
        ]
