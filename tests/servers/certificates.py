"""Certificates that sign themselves, for origins that speak TLS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers.binaries import absent


@dataclass(frozen=True)
class Certificate:
    """A certificate for one host name. `file` serves as the authority to trust as well."""

    name: str
    file: Path
    key: Path

    def context(self, needs_name: bool = True) -> ssl.SSLContext:
        """What an origin answers with: only to clients that send the name as SNI, or to all."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)

        def check(_: ssl.SSLObject, sent: str | None, __: ssl.SSLContext) -> int | None:
            return None if sent == self.name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

        if needs_name:
            context.sni_callback = check
        return context


@contextmanager
def certificate(name: str) -> Iterator[Certificate]:
    """A new certificate for `name`, made by the openssl command, until the block ends."""
    openssl = shutil.which("openssl")
    if openssl is None:
        absent("the command openssl is not installed")
    with tempfile.TemporaryDirectory(prefix="gwlint-") as folder:
        made = Certificate(name, Path(folder, "cert.pem"), Path(folder, "key.pem"))
        command = [openssl, "req", "-x509", "-days", "2", "-nodes", "-subj", f"/CN={name}"]
        command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        command += ["-addext", f"subjectAltName=DNS:{name}"]
        command += ["-out", str(made.file), "-keyout", str(made.key)]
        subprocess.run(command, capture_output=True, timeout=20, check=True)
        yield made
