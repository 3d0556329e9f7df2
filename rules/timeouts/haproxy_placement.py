"""Where a HAProxy setting that is missing belongs: once in the defaults, or in the proxy itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from gwlint.edits import Edit
from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.amend import added_to_section, line_after, line_before
from gwlint.syntax.haproxy.tree import Line, Section
from gwlint.syntax.values.server_line import SERVER_KEYWORDS


def home_of(proxy: Proxy) -> Section:
    """The nearest defaults section that the proxy inherits from, else the proxy itself."""
    return proxy.nearest_defaults or proxy.section


def by_home(proxies: Iterable[Proxy]) -> dict[Section, list[Proxy]]:
    """The proxies by the section in which one line would serve them."""
    found: dict[Section, list[Proxy]] = {}
    for proxy in proxies:
        found.setdefault(home_of(proxy), []).append(proxy)
    return found


def is_written_conditionally(proxy: Proxy, *keyword: str) -> bool:
    """Whether `.if` may decide that the keyword is there."""
    return proxy.is_written_conditionally(*keyword)


def setting_added(section: Section, *statements: str) -> Edit:
    """Lines such as `timeout client 30s`: behind the last timeout of the section, or before its
    servers, or at its end."""
    timeout, server = _anchors(section)
    if timeout is not None:
        return line_after(timeout, *statements)
    if server is not None:
        return line_before(server, *statements)
    return added_to_section(section, *statements)


@lru_cache(maxsize=1024)
def _anchors(section: Section) -> tuple[Line | None, Line | None]:
    """The last timeout and the first server; remembered, since thousands of proxies may have one
    defaults section."""
    plain = [line for line in section.lines if _is_plain(line)]
    timeouts = [line for line in plain if line.keyword == "timeout"]
    servers = [line for line in plain if line.keyword in SERVER_KEYWORDS]
    return timeouts[-1] if timeouts else None, servers[0] if servers else None


def _is_plain(line: Line) -> bool:
    return not line.conditions and line.modifier is None


def names(proxies: Iterable[Proxy]) -> str:
    """`frontend www, backend app`, for messages; the first three and how many more."""
    listed = [f"{proxy.kind} {proxy.name}".strip() for proxy in proxies]
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more
