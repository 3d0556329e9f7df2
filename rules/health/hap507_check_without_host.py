from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, literal_name, working_servers
from gwlint.source import Span
from gwlint.syntax.haproxy.amend import line_after, line_before, words_added
from gwlint.syntax.haproxy.tree import Line

_SEND_SINCE = "2.2"


class CheckWithoutHost(HaproxyRule):
    """The health check names no host, so a server that serves by name refuses it.

    ## Problem
    `option httpchk` sends HTTP/1.0 without a Host header. Written with HTTP/1.1, it still sends no
    Host, which HTTP/1.1 requires. Requests get their Host from the client or from a rule; the check
    gets it from nowhere.

    ## Why
    Measured on HAProxy 2.6.12 with an application that serves named hosts only: it answered 400 to
    the check, every server was taken out, and all requests got 503. With the Host header in the
    check all got 200. HAProxy 2.8.25 sends the same check.

    ## In the log
    `Server app/s1 is DOWN, reason: Layer7 wrong status, code: 400`, then
    `app/<NOSRV> ... 503 ... SC--`.

    ## Silent when
    Nothing says that the server goes by name: no HTTP/1.1 in the check, no rule that sets Host to a
    fixed name, no fixed `sni`; the check sends a Host, also inside of the old `HTTP/1.1\\r\\nHost:`
    form; `http-check connect` opens several steps; no server is checked; the file holds neither
    global nor defaults, so that others complete it.

    ## Fix safety
    Adds the name that requests are sent with, as HTTP/1.1. Unsafe: another virtual host answers the
    check from then on. No fix where no name is known, and none below HAProxy 2.2, which has no
    `http-check send`.

    ## Versions
    `http-check send` came with HAProxy 2.2: there is no fix for an older target.

    ## Learnt
    Most real files check without a Host and are well, since their applications do not care. So the
    rule asks for a sign that this one does.

    ## References
    - HAProxy configuration manual, section 4.2, option httpchk, http-check send
    - RFC 9112, section 3.2
    """

    code = "HAP507"
    name = "check-without-host"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                option httpchk GET /health
                http-request set-header Host app.example
                server one 127.0.0.1:3000 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                option httpchk GET /health HTTP/1.1
                server one 127.0.0.1:3000 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                option httpchk
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                http-check send meth GET uri /health  # every two seconds
                server one 192.0.2.1:443 ssl verify none sni str(app.example) check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                option httpchk
                http-check send meth GET uri /health ver HTTP/1.1 hdr Host app.example
                http-request set-header Host app.example
                server one 127.0.0.1:3000 check

            backend any
                option httpchk GET /health
                server one 127.0.0.1:3001 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            option = backend.option("httpchk")
            if option is None or option.conditions or not backend.is_http:
                continue
            if not any(server.has("check") for server in working_servers(backend)):
                continue
            if _sends_host(backend, option) or any(backend.lines("http-check", "connect")):
                continue
            version = _version(backend, option)
            known = _known_name(backend)
            if known is None and version is None:
                continue
            own = option.section is backend.section
            name = None if known is None else known[0]
            yield self.finding(
                option if own else backend.header,
                f"the check of {backend.name} sends no Host header"
                + (", which HTTP/1.1 requires" if version else "")
                + (f", though requests are sent to {name}" if name else "")
                + ": a server that answers it with 400 is taken out",
                advice=f"add http-check send ver HTTP/1.1 hdr Host {name or '<name>'}",
                related=() if known is None else (Label(known[1], "the name of the server"),),
                fix=self._fix(config, backend, option, name),
            )

    def _fix(
        self, config: HaproxyConfig, backend: Proxy, option: Line, name: str | None
    ) -> Fix | None:
        edit = None if name is None else _host_added(backend, option, name)
        if edit is None or config.is_older_than(_SEND_SINCE):
            return None
        return Fix("send the name with the check", Safety.UNSAFE, (edit,))


def _sends_host(backend: Proxy, option: Line) -> bool:
    """Whether a Host header, or something unknown that may hold one, goes along."""
    # What follows the version is a trick of old files, or the host from HAProxy 3.0 on.
    written = option.arguments[3:]
    if len(written) > 1 or any("host" in word.value.lower() for word in written):
        return True
    sent = [word for line in backend.lines("http-check", "send") for word in line.arguments]
    return any(word.value.lower() == "host" or word.references for word in (*written, *sent))


def _version(backend: Proxy, option: Line) -> str | None:
    """HTTP/1.1 if the check says so."""
    words = [word.value for word in option.arguments[3:4]]
    for line in backend.lines("http-check", "send"):
        values = line.values
        words += [after for word, after in pairwise(values) if word == "ver"]
    return next((word for word in words if word.upper() == "HTTP/1.1"), None)


def _known_name(backend: Proxy) -> tuple[str, Span] | None:
    """The fixed name under which requests are sent to the servers, and where it stands."""
    for line in backend.own("http-request", "set-header"):
        values = line.values
        is_fixed = len(values) == 3 and values[1].lower() == "host" and not line.conditions
        if is_fixed and not line.arguments[2].references and _is_name(values[2]):
            return values[2], line.span
    names = set()
    for server in working_servers(backend):
        sni = server.value("sni")
        name = None if sni is None else literal_name(sni)
        if sni is None or name is None:
            return None
        names.add((name, sni.span))
    found = {name for name, _ in names}
    return next(iter(names)) if len(found) == 1 else None


def _is_name(text: str) -> bool:
    return "%" not in text and "." in text and not text.replace(".", "").isdecimal()


def _host_added(backend: Proxy, option: Line, name: str) -> Edit | None:
    """In the request that is sent already, else as one; None where that would hide inherited rules.

    `http-check send` has to stand before the rules that look at the answer (measured).
    """
    rules = backend.own("http-check")
    sends = [line for line in rules if line.values[:1] == ["send"]]
    version = [] if _version(backend, option) else ["ver", "HTTP/1.1"]
    if sends:
        return words_added(sends[-1], *version, "hdr", "Host", name)
    if any(backend.lines("http-check")) and not rules:
        return None
    statement = " ".join(("http-check", "send", *version, "hdr", "Host", name))
    if rules:
        return line_before(rules[0], statement)
    if option.section is backend.section:
        return line_after(option, statement)
    return line_before(backend.servers[0].line, statement)
