"""`retry-on` and `retries`: what is tried again, and which requests are spared it."""

from __future__ import annotations

from gwlint.edits import Edit
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.gateway import BEFORE_SENDING
from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.amend import added_to_section
from gwlint.syntax.haproxy.tree import Line

GUARD = "http-request disable-l7-retry if { method POST PATCH }"
"""Other methods are idempotent (RFC 9110, section 9.2.2) and go on being retried."""


def repeats_requests(backend: Proxy) -> bool:
    """Whether `retry-on` sends requests again that the application may have executed."""
    return any(word.value not in BEFORE_SENDING for word in backend.effective("retry-on").words)


def is_guarded(config: HaproxyConfig, backend: Proxy) -> bool:
    """Whether a rule decides which requests are repeated, or none is."""
    if backend.effective("retries").value == "0":
        return True
    return any(
        any(proxy.lines("http-request", "disable-l7-retry"))
        for proxy in (backend, *config.users_of(backend))
    )


def guard_added(backend: Proxy, beside: Line | None) -> Edit:
    """`GUARD` behind the last request rule of the backend, else behind `beside`."""
    rules = backend.own("http-request")
    return added_to_section(backend.section, GUARD, beside=rules[-1] if rules else beside)
