"""The names that start a section, as HAProxy registers them."""

from __future__ import annotations

SECTION_KINDS = frozenset(
    {
        # 2.4 to 2.8
        "backend",
        "cache",
        "defaults",
        "fcgi-app",
        "frontend",
        "global",
        "http-errors",
        "listen",
        "log-forward",
        "mailers",
        "namespace_list",
        "peers",
        "program",  # up to 3.2
        "resolvers",
        "ring",
        "userlist",
        # since 3.0
        "crt-store",
        # since 3.2
        "acme",
        "log-profile",
        "traces",
        # since 3.4
        "healthcheck",
        # in files that `filter spoe` loads
        "spoe-agent",
        "spoe-group",
        "spoe-message",
    }
)
"""All names of 2.4 to 3.4. Which of them a version knows is a matter of keywords."""

NEGATABLE = frozenset(
    {
        "busy-polling",
        "insecure-fork-wanted",
        "log",
        "numa-cpu-mapping",
        "option",
        "set-dumpable",
        "strict-limits",
    }
)
"""What may follow `no` and `default`; HAProxy names the list in its error message."""
