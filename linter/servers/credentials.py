"""A throw-away certificate for scratch copies, made by `openssl`."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gwlint.servers.process import run

TICKET_KEY_BYTES = 80
"""What nginx takes for AES256 session tickets (ngx_http_ssl_module, ssl_session_ticket_key)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files: certificate, key, both in one PEM, Diffie-Hellman parameters, ticket key.

    They last as long as `folder`, which removes itself.
    """

    folder: tempfile.TemporaryDirectory[str]
    certificate: Path
    key: Path
    bundle: Path
    parameters: Path
    ticket_key: Path


@cache
def credentials() -> Credentials | None:
    """The files, made once a process, since a key takes a while; None when `openssl` is missing
    or fails.

    RSA with 2048 bits, since many configurations allow only RSA suites; the group is the
    standard ffdhe2048 (RFC 7919), which need not be searched.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    owner = tempfile.TemporaryDirectory(prefix="gwlint-", ignore_cleanup_errors=True)
    folder = Path(owner.name)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    made = run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"),
            *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        folder,
    )
    if made.code != 0:
        return None
    parameters = folder / "dh.pem"
    found = run(
        [
            *(openssl, "genpkey", "-genparam", "-algorithm", "DH"),
            *("-pkeyopt", "group:ffdhe2048", "-out", str(parameters)),
        ],
        folder,
    )
    if found.code != 0:
        return None
    bundle = folder / "bundle.pem"
    bundle.write_bytes(certificate.read_bytes() + key.read_bytes() + parameters.read_bytes())
    ticket_key = folder / "ticket.key"
    ticket_key.write_bytes(bytes(TICKET_KEY_BYTES))
    return Credentials(owner, certificate, key, bundle, parameters, ticket_key)
