"""Faults that were measured on real HAProxy servers, each with the change that shows it.

A row is either a `Case`, changes of the sound file of `haproxy_fault_rows` that make the fault and
others that mend it, or an `Unseen`: why no configuration can show it. Several cases of one row are
variants of it. A row whose suspicion did not come true on the real server is a `NeverClaimed`.
"""

from __future__ import annotations

from dataclasses import dataclass

OLD = "2.6.12"
"""The HAProxy on which the faults were measured."""

NEW = "2.8.25"
"""The newer HAProxy on which the same scenarios ran; every case below shows there as well."""


@dataclass(frozen=True)
class Case:
    """`code` is what names the fault, and what is silent on the corrected form.

    `faulty` and `corrected` are changes of the sound file; `facts` is a gwlint.yaml. `refused`:
    HAProxy itself does not take the faulty form. `elsewhere`: what HAProxy says depends on name
    servers or limits of the machine.
    """

    row: str
    code: str
    faulty: tuple[str, ...]
    corrected: tuple[str, ...] = ()
    facts: str = ""
    refused: bool = False
    elsewhere: bool = False


@dataclass(frozen=True)
class Unseen:
    row: str
    reason: str


@dataclass(frozen=True)
class NeverClaimed:
    """A suspicion that did not come true on the real server: gwlint sees no difference.

    `suspect` makes the form that looks faulty, `sound` the one that does not.
    """

    row: str
    suspect: tuple[str, ...]
    sound: tuple[str, ...] = ()
    facts: str = ""


def service(fact: str, address: str = "127.0.0.1:3001") -> str:
    """A gwlint.yaml that says one thing about the application behind a server of the sound file."""
    return f'services:\n  app:\n    addresses: ["{address}"]\n    {fact}\n'


S1, S2 = "s1 127.0.0.1:3001", "s2 127.0.0.1:3002"
BOTH = "check maxconn"
"""What both server lines have, and where both can be given more words."""
NO_HTTP_CHECK = ("option httpchk => #", "http-check send => #http-check send")
HOST = " hdr Host app.example.com"
ALL = "/etc/ssl/certs/ca-certificates.crt"
TLS = f"127.0.0.1:3001 => 10.0.0.5:8443 ssl ca-file {ALL}"
NAMED = "verifyhost app.example.com"
SNI = "sni str(app.example.com)"
RESOLVED = (
    "127.0.0.1:3001 => app.shop.net:3001 resolvers dns init-addr last,libc,none",
    "a resolvers dns\n    nameserver one 10.0.0.53:53",
)
WEBSOCKET = "f use_backend be if { hdr(Upgrade) -i websocket }"
TUNNEL = "d timeout tunnel 1h"
OTHER = "a backend other\n    option httpchk\n    server o1 127.0.0.1:3009 check"
BROAD = "f use_backend be if { path_beg /api }"
EXACT = "f use_backend other if { path_beg /api/v2 }"
GUARD = "b http-request disable-l7-retry if METH_POST"
PASS_ON = "f use_backend be if { path /x }"
COOKIES = ("b cookie S insert", f"{S1} => {S1} cookie a", f"{S2} => {S2} cookie b")
HEADER = "f http-request set-header X-A b"
TCP = (
    "mode http => mode tcp",
    "option httplog => option tcplog",
    "option forwardfor => #",
    "timeout http-request 10s => #",
    *NO_HTTP_CHECK,
)

NO_CHECK_REFUSED = "haproxy: no health check, one refusing server of two"
HEADER_SPACE = (
    "haproxy: tune.maxrewrite: headers fit bufsize but not bufsize - maxrewrite (rewrite rule)"
)
FIRST_REUSE = (
    "haproxy: http-reuse never/safe/aggressive: a connection per request for short client"
    " connections"
)
CLOSE = "haproxy: option httpclose / http-server-close disable reuse"
NEW_CONNECTIONS = (
    "haproxy: same race, new client connection each time: 'safe' does not use idle connections"
    " for a first request, 'always' does"
)
KEPT_GET = (
    "haproxy: origin closes idle connections first (100 ms): reuse race on kept-alive client, GET"
)
NOT_PROXY = "haproxy: send-proxy to a server that does not speak PROXY"
PLAIN_TO_TLS = "haproxy: server without 'ssl' to a TLS port"
TLS_TO_PLAIN = "haproxy: server with 'ssl' to a plain port"
NO_CA = "haproxy: server ssl without ca-file (verify required is the default)"
OTHER_NAME = "haproxy: verify required with a certificate for another name (verifyhost)"
AT_START = "haproxy: server host name unresolvable at start"
STICKY = "haproxy: sticky cookie to a dead server without option redispatch"

CASES: list[Case] = [
    # Buffers
    Case(
        "haproxy: tune.bufsize too small for response headers",
        "HAP201",
        ("g tune.bufsize 4096", "g tune.maxrewrite 1024"),
        ("g tune.bufsize 32768", "g tune.maxrewrite 1024"),
    ),
    Case(
        "haproxy: tune.bufsize too small for response headers",
        "HAP201",
        ("g tune.bufsize 1024",),
        ("g tune.bufsize 32768",),
    ),
    Case(
        HEADER_SPACE,
        "HAP202",
        ("g tune.maxrewrite 8192",),
        ("g tune.maxrewrite 1024",),
    ),
    Case(
        "haproxy: request headers larger than tune.bufsize",
        "HAP201",
        ("g tune.bufsize 8192",),
        ("g tune.bufsize 16384",),
    ),
    # Health
    Case(NO_CHECK_REFUSED, "HAP501", (f"{BOTH} => maxconn", *NO_HTTP_CHECK)),
    Case(NO_CHECK_REFUSED, "HAP504", ("option redispatch => #",)),
    Case(
        "haproxy: no health check, one black-holed server of two",
        "HAP501",
        (f"{BOTH} => maxconn", *NO_HTTP_CHECK),
    ),
    Case(
        "haproxy: backup server is never used because the main server has no check",
        "HAP509",
        (f"{S1} {BOTH} => {S1} maxconn", f"{S2} {BOTH} => {S2} backup {BOTH}"),
        (f"{S2} {BOTH} => {S2} backup {BOTH}",),
    ),
    Case(
        "haproxy: TLS server with 'check' but checks lack SNI (check-sni): server marked down",
        "HAP508",
        (f"{TLS} {NAMED} {SNI}",),
        (f"{TLS} {NAMED} {SNI} check-sni app.example.com",),
    ),
    Case(
        "haproxy: slow detection: inter 2s fall 3 vs inter 200ms fall 2 (server starts hanging)",
        "HAP308",
        (f"{BOTH} => check inter 20s fall 3 maxconn",),
        (f"{BOTH} => check inter 2s fall 2 maxconn",),
    ),
    Case(
        "haproxy: TCP-only check (no httpchk): app that accepts but answers 500 stays UP",
        "HAP503",
        NO_HTTP_CHECK,
    ),
    Case(
        "haproxy: httpchk without Host/HTTP 1.1: vhosted app answers 400 to the check",
        "HAP507",
        (f"{HOST} => ",),
    ),
    Case(
        "haproxy: observe layer7 on every server + app-wide 5xx burst: breaker takes the whole"
        " backend down",
        "HAP511",
        (f"{BOTH} => check observe layer7 on-error mark-down maxconn",),
        (f"{BOTH} => check observe layer7 on-error fastinter maxconn",),
    ),
    Case(
        STICKY,
        "HAP504",
        ("option redispatch => #", *COOKIES),
        COOKIES,
    ),
    # Timeouts
    Case(
        "haproxy: timeout server shorter than the app's time",
        "GTW304",
        (),
        ("timeout server 30s => timeout server 60s",),
        facts=service("slowest_response: 45s"),
    ),
    Case(
        "haproxy: no timeouts at all: hung app hangs the client",
        "HAP301",
        ("timeout connect 5s => #", "timeout client 30s => #", "timeout server 30s => #"),
    ),
    Case(
        "haproxy: no timeouts at all: hung app hangs the client",
        "HAP301",
        ("timeout client 30s => #", "timeout server 30s => #"),
    ),
    Case(
        "haproxy: websocket without timeout tunnel",
        "HAP304",
        (WEBSOCKET,),
        (WEBSOCKET, TUNNEL),
    ),
    Case(
        "haproxy: no timeout queue: falls back to timeout connect",
        "HAP305",
        ("timeout queue 10s => #",),
    ),
    Case(
        "haproxy: timeout http-request missing: slowloris keeps frontend slots",
        "HAP303",
        ("timeout http-request 10s => #",),
    ),
    Case(
        "haproxy: long timeout connect with a black-holed server",
        "HAP306",
        ("timeout connect 5s => timeout connect 30s",),
        ("timeout connect 5s => timeout connect 2s",),
    ),
    Case(
        "haproxy: mode tcp: timeout client < timeout server half-closes a connection waiting for a"
        " slow answer",
        "HAP307",
        (*TCP, "timeout client 30s => timeout client 10s"),
        (*TCP, "timeout client 30s => timeout client 1m"),
    ),
    # Connections
    Case(
        FIRST_REUSE,
        "HAP402",
        ("d http-reuse never",),
        (
            "d http-reuse always",
            "b retry-on conn-failure empty-response",
            GUARD,
        ),
    ),
    Case(CLOSE, "HAP401", ("d option httpclose",)),
    Case(CLOSE, "HAP401", ("d option http-server-close",)),
    Case(
        "haproxy: http-reuse never with kept-alive clients: many mostly idle clients pin a server"
        " connection each",
        "HAP402",
        ("b http-reuse never",),
        ("b http-reuse aggressive",),
    ),
    *(
        Case(
            row,
            "HAP404",
            (),
            (f"{S1} {BOTH} => {S1} pool-purge-delay 1s {BOTH}",),
            facts=service("idle_timeout: 4s"),
        )
        for row in (
            KEPT_GET,
            "haproxy: same race, POST on a kept-alive client connection",
        )
    ),
    Case(NEW_CONNECTIONS, "HAP403", ("d http-reuse always",), ("d http-reuse aggressive",)),
    # Retries
    Case(
        "haproxy: retry-on all-retryable-errors duplicates POSTs",
        "HAP506",
        ("d retry-on all-retryable-errors",),
        ("d retry-on conn-failure",),
    ),
    Case(
        "haproxy: retry-on response-timeout duplicates slow POSTs",
        "HAP506",
        ("d retry-on conn-failure response-timeout",),
        (
            "b retry-on conn-failure response-timeout",
            GUARD,
        ),
    ),
    # Protocols
    Case(
        NOT_PROXY,
        "GTW601",
        (f"{S1} {BOTH} => {S1} send-proxy {BOTH}",),
        facts=service("proxy_protocol: false"),
    ),
    Case(
        NOT_PROXY,
        "GTW601",
        (f"{S1} {BOTH} => {S1} send-proxy-v2 {BOTH}",),
        facts=service("proxy_protocol: false"),
    ),
    Case(
        "haproxy: origin expects PROXY, send-proxy missing",
        "GTW601",
        (),
        (f"{S1} {BOTH} => {S1} send-proxy {BOTH}",),
        facts=service("proxy_protocol: true"),
    ),
    Case(
        "haproxy: bind accept-proxy with clients that do not send it",
        "HAP609",
        ("bind 127.0.0.1:18080 => bind :18080 accept-proxy",),
        (
            "bind 127.0.0.1:18080 => bind :18080",
            "f tcp-request connection expect-proxy layer4 if { src 10.0.0.9 }",
        ),
    ),
    Case(
        PLAIN_TO_TLS,
        "HAP105",
        ("127.0.0.1:3001 => 10.0.0.5:443",),
        (f"{TLS} {NAMED} {SNI}",),
    ),
    Case(
        PLAIN_TO_TLS,
        "GTW602",
        (),
        (f"{S1} => {S1} ssl ca-file {ALL} {NAMED} {SNI}",),
        facts=service("protocol: https"),
    ),
    *(
        Case(NO_CA, "HAP604", (f"127.0.0.1:3001 => 10.0.0.5:8443 ssl{more}",), (TLS,), refused=True)
        for more in ("", " verify required")
    ),
    Case(
        TLS_TO_PLAIN, "HAP105", (f"127.0.0.1:3001 => 10.0.0.5:80 ssl ca-file {ALL} {NAMED} {SNI}",)
    ),
    Case(
        TLS_TO_PLAIN,
        "GTW602",
        (f"{S1} => {S1} ssl ca-file {ALL} {NAMED} {SNI}",),
        facts=service("protocol: http1"),
    ),
    Case(
        "haproxy: TLS server requiring SNI, no 'sni'",
        "HAP603",
        (f"{TLS} {NAMED}",),
        (f"{TLS} {NAMED} {SNI}",),
    ),
    Case(OTHER_NAME, "HAP606", (TLS,), (f"{TLS} {NAMED}",)),
    Case("haproxy: proto h2 to an HTTP/1 server", "HAP607", (f"{S1} => {S1} proto h2",)),
    Case(
        "haproxy: HTTP/1 to an h2c-only server",
        "GTW603",
        (),
        (f"{S1} => {S1} proto h2",),
        facts=service("protocol: h2c"),
    ),
    Case(
        "haproxy: mode http frontend with a mode tcp backend",
        "HAP601",
        ("b mode tcp",),
        refused=True,
    ),
    # Addresses
    Case(AT_START, "HAP106", ("127.0.0.1:3001 => app.shop.net:3001",), RESOLVED, elsewhere=True),
    Case(
        AT_START,
        "HAP107",
        ("127.0.0.1:3001 => app.shop.net:3001 init-addr none",),
        RESOLVED,
    ),
    Case(
        "haproxy: address changes after start: needs a resolvers section",
        "HAP106",
        ("127.0.0.1:3001 => app-1234.eu-west-1.elb.amazonaws.com:3001",),
        RESOLVED,
        elsewhere=True,
    ),
    Case(
        "haproxy: default_backend that does not exist",
        "HAP101",
        ("default_backend be => default_backend bes",),
        refused=True,
    ),
    Case(
        "haproxy: backend without any server",
        "HAP108",
        ("server s1 => #server s1", "server s2 => #server s2"),
    ),
    Case(
        "haproxy: no default_backend and no matching use_backend: 503 <NOSRV> SC",
        "HAP110",
        ("default_backend be => use_backend be if { path /x }",),
    ),
    Case("haproxy: weight 0 on every server", "HAP109", (f"{BOTH} => weight 0 {BOTH}",)),
    Case(
        "haproxy: wrong server port",
        "GTW101",
        ("127.0.0.1:3001 => 10.0.0.5:3001",),
        ("127.0.0.1:3001 => 10.0.0.5:3100",),
        facts=service("protocol: http1", "10.0.0.5:3100"),
    ),
    # Capacity
    Case(
        "haproxy: global maxconn too small: connections wait in the kernel backlog",
        "HAP702",
        ("maxconn 2000 => maxconn 20", "f maxconn 2000"),
        ("f maxconn 2000",),
    ),
    Case(
        "haproxy: global maxconn above the file-descriptor limit",
        "HAP703",
        ("maxconn 2000 => maxconn 200000\n    fd-hard-limit 1024",),
        ("maxconn 2000 => maxconn 400\n    fd-hard-limit 1024",),
        elsewhere=True,
    ),
    # Rules
    Case(
        "haproxy: http-request rule written after use_backend still runs first (order warning)",
        "HAP901",
        (PASS_ON, HEADER),
        (HEADER, PASS_ON),
    ),
    Case(
        "haproxy: use_backend shadowed by an earlier, broader rule",
        "HAP902",
        (BROAD, EXACT, OTHER),
        (EXACT, BROAD, OTHER),
    ),
]

UNSEEN = [
    Unseen(
        "haproxy: server maxconn + short timeout queue",
        "a short queue sheds load on purpose; how many requests come is not in the configuration",
    ),
    Unseen(
        "haproxy: httpchk to a path that does not exist: every server down",
        "which paths the application has is not shown",
    ),
    Unseen(
        "haproxy: health check on a port nobody listens on",
        "a port of its own for the check is common; which ports are open is known there alone",
    ),
    Unseen(
        "haproxy: timeout client shorter than a pause in reading the response: cut download",
        "how clients read is not in the configuration",
    ),
    Unseen(
        "haproxy: timeout server (1s) expires while the client pauses its upload for 3s: 504 though"
        " the app is fine",
        "how clients send is not in the configuration",
    ),
    Unseen(
        "haproxy: frontend maxconn smaller than the load",
        "how many clients come is not in the configuration",
    ),
    Unseen(
        "haproxy: 5xx burst from one server: observe layer7 circuit breaker",
        "whether errors of requests take a server out is a decision, and the default is sound",
    ),
    Unseen(
        "haproxy: origin dies before answering / mid-body: termination codes",
        "the application does that by itself",
    ),
]

SLOW = "haproxy: timeout client < timeout server, slow app"
UPLOAD = "haproxy: timeout client shorter than a pause in the upload"
SHORT = "timeout client 30s => timeout client 1s"
HURRIED = "timeout http-request 10s => timeout http-request 1s"
LISTEN = "a listen l\n    bind 127.0.0.1:18082\n    server l1 127.0.0.1:3007 check\n   "

NEVER_CLAIMED = [
    NeverClaimed(SLOW, (SHORT,)),
    NeverClaimed(SLOW, (SHORT,), facts=service("slowest_response: 20s")),
    NeverClaimed(SLOW, ("f timeout client 5s",), ("f timeout client 30s",)),
    NeverClaimed(SLOW, ("timeout server 30s => timeout server 5m",)),
    NeverClaimed(SLOW, (f"{LISTEN} timeout client 2s",), (f"{LISTEN} timeout client 30s",)),
    NeverClaimed(SLOW, (SHORT, "d option http-keep-alive"), ("d option http-keep-alive",)),
    NeverClaimed(
        SLOW,
        ("timeout client 30s => timeout client 10s", WEBSOCKET, TUNNEL),
        (WEBSOCKET, TUNNEL),
    ),
    *(
        NeverClaimed(UPLOAD, (client, route, OTHER), (route, OTHER))
        for client in (SHORT, "timeout client 30s => timeout client 1500ms")
        for route in (
            "f use_backend other if { path_beg /upload }",
            "f use_backend other if METH_POST",
        )
    ),
    NeverClaimed(
        UPLOAD, (SHORT, "d option http-buffer-request"), ("d option http-buffer-request",)
    ),
    NeverClaimed(
        UPLOAD,
        (SHORT, HURRIED),
        (HURRIED,),
    ),
]
