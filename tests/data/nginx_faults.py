"""Faults that were measured on real nginx servers, each with the configuration that shows it.

A row is either a `Case`, a configuration with the fault and its corrected form, or an `Unseen`: why
no configuration can show it. Several cases of one row are variants of it.
"""

from __future__ import annotations

from dataclasses import dataclass

OLD = "1.22.1"
"""The nginx on which the faults were measured."""

NEW = "1.31.3"
"""The newer nginx on which the same scenarios ran; four rows show no longer there."""

ONE = "server 10.0.0.1:3000;"
TWO = "server 10.0.0.1:3000; server 10.0.0.2:3000;"
THREE = f"{TWO} server 10.0.0.3:3000;"
PATIENT = "max_fails=3 fail_timeout=2s"
PASS = "proxy_pass http://app;"
REUSE = 'proxy_http_version 1.1; proxy_set_header Connection "";'
UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
LISTEN = "listen 8080;"
RESOLVER = "resolver 10.0.0.53;"
CA = "proxy_ssl_trusted_certificate /etc/ssl/certs/ca.pem;"


@dataclass(frozen=True)
class Case:
    """`code` is what names the fault, and what is silent on the corrected form.

    `facts` is a gwlint.yaml; `target` an nginx version. `refused`: nginx itself does not take the
    faulty form. `elsewhere`: what the server says depends on name servers or files of the machine.
    """

    row: str
    code: str
    faulty: str
    corrected: str
    facts: str = ""
    target: str | None = None
    refused: bool = False
    elsewhere: bool = False


@dataclass(frozen=True)
class Unseen:
    row: str
    reason: str


@dataclass(frozen=True)
class NeverClaimed:
    """A suspicion that did not come true on the real server: none of `codes` may speak of it."""

    row: str
    codes: tuple[str, ...]
    text: str


def site(
    location: str = PASS,
    *,
    path: str = "/",
    pool: str = ONE,
    name: str = "app",
    server: str = LISTEN,
    http: str = "",
    behind: str = "",
    main: str = "",
    events: str = "",
) -> str:
    """A complete configuration: one upstream, one server, one location.

    `http` stands in the http block before the server, `behind` after it. Without a `pool` there is
    no upstream.
    """
    upstream = f"upstream {name} {{ {pool} }}\n" if pool else ""
    return (
        f"{main}\nevents {{ {events} }}\nhttp {{\n{http}\n{upstream}"
        f"server {{\n{server}\nlocation {path} {{\n{location}\n}}\n}}\n{behind}\n}}\n"
    )


def service(fact: str, address: str = "10.0.0.1:3000") -> str:
    """A gwlint.yaml that says one thing about the application."""
    return f'services:\n  app:\n    addresses: ["{address}"]\n    {fact}\n'


def _pooled(more: str = "", servers: str = ONE) -> str:
    return site(f"{PASS} {REUSE}", pool=f"{servers} keepalive 16; {more}")


def _buffers(row: str, *faulty: str, corrected: str) -> list[Case]:
    return [
        Case(row, "NGX202", site(f"{PASS} {one}"), site(f"{PASS} {corrected}"), refused=True)
        for one in faulty
    ]


def _race(row: str) -> Case:
    return Case(
        row,
        "NGX410",
        _pooled("keepalive_timeout 60s;"),
        _pooled("keepalive_timeout 4s;"),
        facts=service("idle_timeout: 5s"),
    )


def _two_addresses(row: str, more: str = "") -> Case:
    return Case(
        row,
        "NGX108",
        site(PASS + more, pool="server localhost:3000;"),
        site(PASS + more, pool="server 127.0.0.1:3000;"),
        elsewhere=True,
    )


def _mixed(row: str, other: str, corrected: str) -> list[Case]:
    """The application speaks HTTP, as another route or gwlint.yaml says."""
    return [
        Case(
            row,
            "NGX118",
            site(PASS, server=f"{LISTEN} location /x {{ {other} }}"),
            site(PASS, server=f"{LISTEN} location /x {{ {corrected} }}"),
        ),
        Case(row, "GTW603", site(other), site(corrected), facts=service("protocol: http1")),
    ]


BUFFERS = "proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k;"

CONNECTION_MAP = "map $http_upgrade $connection_upgrade {{ default upgrade; '' {}; }}"

TLS = "proxy_pass https://app;"
NAMED = "proxy_set_header Host api.shop.net;"
SNI = "proxy_ssl_server_name on; proxy_ssl_name api.shop.net;"
TLS_POOL = "server 93.184.216.34:443;"

KEEPALIVE_ALONE = "nginx: upstream keepalive without HTTP/1.1 + empty Connection"
NO_KEEPALIVE = "nginx: no upstream keepalive at all / pool smaller than concurrency"
KEEPALIVE_FIRST = "nginx: keepalive before the balancing method: pool silently replaced"
ORIGIN_WANTS_13 = (
    "nginx: origin requires TLSv1.3; proxy_ssl_protocols default of this nginx stops at 1.2"
)
INEQUALITIES = "nginx: proxy_buffer* inequalities"
HARD_CODED = (
    "nginx: Connection upgrade hard-coded: sent on plain requests too (pool survives);"
    " the usual map '' -> close loses the pool"
)

CASES: list[Case] = [
    # Buffers
    Case(
        "nginx: proxy_buffer_size too small for the response headers",
        "NGX201",
        site(f"{PASS} proxy_buffer_size 2k;"),
        site(f"{PASS} {BUFFERS}"),
    ),
    Case(
        "nginx: response headers just below/above the 4k default (boundary probe)",
        "NGX201",
        site(path="/oauth2/"),
        site(f"{PASS} {BUFFERS}", path="/oauth2/"),
    ),
    *_buffers(
        INEQUALITIES,
        "proxy_buffer_size 16k;",
        "proxy_busy_buffers_size 2k;",
        "proxy_busy_buffers_size 64k;",
        "proxy_buffers 1 4k;",
        "proxy_temp_file_write_size 2k;",
        "proxy_max_temp_file_size 2k;",
        "proxy_buffer_size 16k; proxy_buffers 4 4k;",
        corrected=BUFFERS,
    ),
    Case(
        INEQUALITIES,
        "NGX202",
        site(f"{PASS} proxy_busy_buffers_size 32k;"),
        site(f"{PASS} proxy_busy_buffers_size 28k;"),
        refused=True,
    ),
    Case(
        "nginx: large_client_header_buffers: 12 kB Cookie",
        "NGX203",
        site(http="large_client_header_buffers 4 4k;"),
        site(http="large_client_header_buffers 4 16k;"),
    ),
    Case(
        "nginx: large_client_header_buffers: 12 kB request line",
        "NGX203",
        site(server=f"{LISTEN} large_client_header_buffers 4 4k;"),
        site(server=f"{LISTEN} large_client_header_buffers 4 16k;"),
    ),
    Case(
        "nginx: large_client_header_buffers set in a named vhost only:"
        " the default server's value is what counts",
        "NGX204",
        site(
            server="listen 8080; server_name a.lab; large_client_header_buffers 4 32k;",
            http="server { listen 8080 default_server; return 404; }",
        ),
        site(
            server="listen 8080; server_name a.lab;",
            http="large_client_header_buffers 4 32k;"
            " server { listen 8080 default_server; return 404; }",
        ),
    ),
    Case(
        "nginx: client_max_body_size default 1m vs 2 MB upload",
        "NGX205",
        site(path="/upload/"),
        site(f"{PASS} client_max_body_size 10m;", path="/upload/"),
    ),
    Case(
        "nginx: proxy_buffering off + slow client pins the app",
        "NGX206",
        site(f"{PASS} proxy_buffering off;"),
        site(f"{PASS} proxy_buffering on;"),
    ),
    # Timeouts
    Case(
        "nginx: proxy_read_timeout shorter than the app's time",
        "GTW304",
        site(f"{PASS} proxy_read_timeout 30s;"),
        site(f"{PASS} proxy_read_timeout 60s;"),
        facts=service("slowest_response: 45s"),
    ),
    Case(
        "nginx: long proxy_connect_timeout with one black-holed server",
        "NGX302",
        site(f"{PASS} proxy_connect_timeout 120s; proxy_read_timeout 150s;", pool=TWO),
        site(f"{PASS} proxy_connect_timeout 2s; proxy_read_timeout 150s;", pool=TWO),
    ),
    Case(
        "nginx: all servers black-holed: next_upstream_timeout/tries bound the total stall",
        "NGX303",
        site(f"{PASS} proxy_connect_timeout 40s;", pool=TWO),
        site(f"{PASS} proxy_connect_timeout 40s; proxy_next_upstream_timeout 10s;", pool=TWO),
    ),
    Case(
        "nginx: retries amplify slow GETs: 4 servers x read timeout",
        "NGX303",
        site(f"{PASS} proxy_read_timeout 30s;", pool=f"{THREE} server 10.0.0.4:3000;"),
        site(
            f"{PASS} proxy_read_timeout 30s; proxy_next_upstream_tries 2;",
            pool=f"{THREE} server 10.0.0.4:3000;",
        ),
    ),
    Case(
        "nginx: websocket idle longer than proxy_read_timeout",
        "NGX304",
        site(f'{PASS} {UPGRADE} proxy_set_header Connection "upgrade";', path="/ws/"),
        site(
            f'{PASS} {UPGRADE} proxy_set_header Connection "upgrade"; proxy_read_timeout 1h;',
            path="/ws/",
        ),
    ),
    # Keep-alive
    Case(KEEPALIVE_ALONE, "NGX402", site(pool=f"{ONE} keepalive 16;"), _pooled()),
    Case(KEEPALIVE_ALONE, "NGX403", site(pool=f"{ONE} keepalive 16;"), _pooled()),
    Case(
        KEEPALIVE_ALONE,
        "NGX403",
        site(f"{PASS} proxy_http_version 1.1;", pool=f"{ONE} keepalive 16;"),
        _pooled(),
    ),
    Case(
        KEEPALIVE_ALONE,
        "NGX402",
        site(f'{PASS} proxy_set_header Connection "";', pool=f"{ONE} keepalive 16;"),
        _pooled(),
    ),
    Case(
        "nginx: proxy_pass straight to an address: no upstream block, so no keep-alive pool",
        "NGX409",
        site("proxy_pass http://10.0.0.1:3000;", pool=""),
        _pooled(),
    ),
    Case(NO_KEEPALIVE, "NGX401", site(pool=TWO), _pooled(servers=TWO)),
    Case(
        NO_KEEPALIVE,
        "NGX407",
        site(f"{PASS} {REUSE}", pool=f"{TWO} keepalive 1;"),
        _pooled(servers=TWO),
        target=NEW,
    ),
    _race("nginx: origin idle timeout < upstream keepalive_timeout, POST (20 ms close lag)"),
    _race(
        "nginx: same race, GET: nginx retries idempotent requests, fault only visible in the log"
    ),
    _race("nginx: same race, POST, origin closes with no lag"),
    Case(
        KEEPALIVE_FIRST,
        "NGX404",
        site(f"{PASS} {REUSE}", pool=f"{TWO} keepalive 16; least_conn;"),
        site(f"{PASS} {REUSE}", pool=f"{TWO} least_conn; keepalive 16;"),
    ),
    Case(
        HARD_CODED,
        "NGX405",
        site(f'{PASS} {UPGRADE} proxy_set_header Connection "upgrade";'),
        site(
            f"{PASS} {UPGRADE} proxy_set_header Connection $connection_upgrade;",
            http=CONNECTION_MAP.format("''"),
        ),
    ),
    Case(
        HARD_CODED,
        "NGX406",
        *(
            site(
                f"{PASS} {UPGRADE} proxy_set_header Connection $connection_upgrade;",
                pool=f"{ONE} keepalive 16;",
                http=CONNECTION_MAP.format(otherwise),
            )
            for otherwise in ("close", "''")
        ),
    ),
    # Health and failover
    Case(
        "nginx: one black-holed server of three: max_fails=0 stalls every third request",
        "NGX501",
        site(pool=f"{TWO} server 10.0.0.3:3000 max_fails=0;"),
        site(pool=f"{TWO} server 10.0.0.3:3000 max_fails=3;"),
    ),
    Case(
        "nginx: one refusing server of three with proxy_next_upstream off",
        "NGX502",
        site(f"{PASS} proxy_next_upstream off;", pool=THREE),
        site(f"{PASS} proxy_next_upstream error timeout;", pool=THREE),
    ),
    Case(
        "nginx: one server answers 503: proxy_next_upstream default does not cover http_503",
        "NGX505",
        site(pool=TWO),
        site(f"{PASS} proxy_next_upstream error timeout http_503;", pool=TWO),
    ),
    *(
        Case(
            "nginx: two servers, one blip each -> 'no live upstreams' for fail_timeout",
            "NGX504",
            site(pool=TWO),
            site(pool=f"server 10.0.0.1:3000 {how}; server 10.0.0.2:3000 {how};"),
        )
        for how in (PATIENT, "max_fails=0")
    ),
    Case(
        "nginx: proxy_next_upstream non_idempotent -> POST executed twice",
        "NGX503",
        site(f"{PASS} proxy_next_upstream error timeout non_idempotent;", pool=TWO),
        site(f"{PASS} proxy_next_upstream error timeout;", pool=TWO),
    ),
    Case(
        "nginx: same, the app is only slow: read timeout + non_idempotent",
        "NGX503",
        site(
            f"{PASS} proxy_read_timeout 10s; proxy_next_upstream timeout non_idempotent;",
            pool=TWO,
        ),
        site(f"{PASS} proxy_read_timeout 10s; proxy_next_upstream timeout;", pool=TWO),
    ),
    Case(
        "nginx: backup server with ip_hash",
        "NGX507",
        site(pool=f"ip_hash; {ONE} server 10.0.0.2:3000 backup;"),
        site(pool=f"least_conn; {ONE} server 10.0.0.2:3000 backup;"),
        refused=True,
    ),
    Case(
        "nginx: all servers 'down'",
        "NGX109",
        site(pool="server 10.0.0.1:3000 down; server 10.0.0.2:3000 down;"),
        site(pool="server 10.0.0.1:3000; server 10.0.0.2:3000 down;"),
    ),
    Case(
        "nginx: max_conns without zone is per worker (limit x workers)",
        "NGX506",
        site(pool="server 10.0.0.1:3000 max_conns=3;", main="worker_processes 4;"),
        site(pool="zone app 64k; server 10.0.0.1:3000 max_conns=3;", main="worker_processes 4;"),
    ),
    Case(
        "nginx: no zone: failure state is per worker (4 workers learn separately)",
        "NGX506",
        site(pool=TWO, main="worker_processes 4;"),
        site(pool=f"zone app 64k; {TWO}", main="worker_processes 4;"),
    ),
    Case(
        "nginx: error_page 502 pointing at the same dead upstream with recursive_error_pages",
        "NGX510",
        site(f"{PASS} error_page 502 /sorry.html; recursive_error_pages on;"),
        site(
            f"{PASS} error_page 502 /sorry.html; recursive_error_pages on;",
            server=f"{LISTEN} location = /sorry.html {{ root /srv/errors; }}",
        ),
    ),
    Case(
        "nginx: error_page 502 proxied to the same dead upstream (not recursive):"
        " plain 502 twice the connects",
        "NGX510",
        site(f"{PASS} error_page 502 /sorry.html;"),
        site(
            f"{PASS} error_page 502 /sorry.html;",
            server=f"{LISTEN} location = /sorry.html {{ root /srv/errors; }}",
        ),
    ),
    Case(
        "nginx: proxy_intercept_errors missing: upstream 503 page bypasses error_page",
        "NGX511",
        *(
            site(
                PASS + more,
                server=f"{LISTEN} error_page 503 /busy.html;"
                " location = /busy.html { root /srv/errors; }",
            )
            for more in ("", " proxy_intercept_errors on;")
        ),
    ),
    Case(
        "nginx: proxy_request_buffering off: no retry on the next server once the body is"
        " being sent",
        "NGX512",
        site(f"{PASS} proxy_request_buffering off;", pool=TWO),
        site(f"{PASS} proxy_request_buffering on;", pool=TWO),
    ),
    Case(
        "nginx: proxy_request_buffering off + slow upload pins the app",
        "NGX512",
        site(f"{PASS} proxy_request_buffering off;", pool=TWO),
        site(pool=TWO),
    ),
    # Addresses
    *(
        Case(
            row,
            "NGX105",
            site(PASS, pool=f"server 10.0.0.1:{port};"),
            site("proxy_pass https://app;", pool=f"server 10.0.0.1:{port};"),
        )
        for row, port in (
            ("nginx: plain http:// to a TLS port", 443),
            ("nginx: plain http:// to an nginx TLS port (400 from the origin)", 8443),
        )
    ),
    Case(
        "nginx: https:// to a plain port",
        "NGX105",
        site("proxy_pass https://10.0.0.1:80;"),
        site("proxy_pass http://10.0.0.1:80;"),
    ),
    *(
        Case(row, "GTW602", site(faulty), site(corrected), facts=service(f"protocol: {protocol}"))
        for row, protocol, faulty, corrected in (
            ("nginx: plain http:// to a TLS port", "https", PASS, TLS),
            ("nginx: https:// to a plain port", "http1", TLS, PASS),
        )
    ),
    *_mixed("nginx: fastcgi_pass to an HTTP port", "fastcgi_pass app;", PASS),
    *_mixed("nginx: uwsgi_pass to an HTTP port", "uwsgi_pass app;", PASS),
    Case(
        "nginx: http:// (HTTP/1) to an h2c-only origin; grpc_pass speaks h2",
        "NGX118",
        site(PASS, server=f"{LISTEN} location /x {{ grpc_pass grpc://app; }}"),
        site("grpc_pass grpc://app;", server=f"{LISTEN} location /x {{ grpc_pass grpc://app; }}"),
    ),
    Case(
        "nginx: http:// (HTTP/1) to an h2c-only origin; grpc_pass speaks h2",
        "GTW603",
        site(PASS),
        site("grpc_pass grpc://app;"),
        facts=service("protocol: h2c"),
    ),
    *(
        Case(
            row,
            "NGX107",
            site(pool=f"server {host}:3000;"),
            site(f"set $app {host}; proxy_pass http://$app:3000;", pool="", http=RESOLVER),
            elsewhere=True,
        )
        for row, host in (
            ("nginx: unresolvable upstream name: nginx does not start", "gone.lab"),
            ("nginx: name resolved once at start: address changes afterwards", "app.lab"),
        )
    ),
    Case(
        "nginx: resolver that never answers: resolver_timeout 30s default stalls every request",
        "NGX117",
        *(
            site("set $app app.lab; proxy_pass http://$app:3000;", pool="", http=RESOLVER + more)
            for more in ("", " resolver_timeout 2s;")
        ),
    ),
    Case(
        "nginx: misspelt upstream name is taken for a host name",
        "NGX101",
        site("proxy_pass http://backends;", name="backend"),
        site("proxy_pass http://backend;", name="backend"),
        elsewhere=True,
    ),
    Case(
        "nginx: variable proxy_pass without a resolver",
        "NGX106",
        *(
            site("set $app app.lab; proxy_pass http://$app:3000;", pool="", http=more)
            for more in ("", RESOLVER)
        ),
    ),
    _two_addresses(
        "nginx: name with two addresses, app on one (like localhost -> ::1 + 127.0.0.1):"
        " blip -> no live upstreams"
    ),
    _two_addresses("nginx: same with proxy_next_upstream off", " proxy_next_upstream off;"),
    _two_addresses(
        "nginx: same without any app failure: hidden refused connects in the log, all 200"
    ),
    Case(
        "nginx: wrong upstream port",
        "GTW101",
        site(pool="server 10.0.0.1:3001;"),
        site(),
        facts=service("protocol: http1"),
    ),
    Case(
        "nginx: location /api (no slash) + proxy_pass http://app/ -> //v1",
        "NGX114",
        site("proxy_pass http://app/;", path="/api"),
        site("proxy_pass http://app/;", path="/api/"),
    ),
    Case(
        "nginx: proxy_pass with a URI in a regex location",
        "NGX115",
        site("proxy_pass http://app/v1/;", path="~ ^/api/"),
        site(PASS, path="~ ^/api/"),
        refused=True,
    ),
    # Protocol
    Case(
        "nginx: websocket location without Upgrade/Connection headers",
        "NGX601",
        site(path="/ws/"),
        site(
            f'{PASS} {UPGRADE} proxy_set_header Connection "upgrade"; proxy_read_timeout 1h;',
            path="/ws/",
        ),
    ),
    Case(
        "nginx: proxy_set_header in a location drops the inherited ones (Host, Connection)",
        "NGX609",
        *(
            site(
                f"{PASS} proxy_set_header X-Real-IP $remote_addr;{again}",
                http='proxy_set_header Host $host; proxy_set_header Connection "";',
            )
            for again in ("", ' proxy_set_header Host $host; proxy_set_header Connection "";')
        ),
    ),
    Case(
        "nginx: underscore upstream name leaks as Host (no proxy_set_header Host): app rejects it",
        "NGX610",
        site("proxy_pass http://my_app;", name="my_app"),
        site("proxy_pass http://my_app; proxy_set_header Host $host;", name="my_app"),
    ),
    Case(
        "nginx: add_header in a location drops the inherited ones; no 'always' on errors",
        "NGX807",
        *(
            site(
                f"{PASS} add_header X-Cache hit always;{again}",
                http='add_header Strict-Transport-Security "max-age=31536000" always;',
            )
            for again in ("", ' add_header Strict-Transport-Security "max-age=31536000" always;')
        ),
    ),
    Case(
        "nginx: https upstream requiring SNI, proxy_ssl_server_name off",
        "NGX603",
        site("proxy_pass https://api.shop.net;", pool=""),
        site("proxy_pass https://api.shop.net; proxy_ssl_server_name on;", pool=""),
        elsewhere=True,
    ),
    Case(
        "nginx: https upstream requiring SNI, proxy_ssl_server_name off",
        "NGX603",
        site(f"{TLS} {NAMED}", pool=TLS_POOL),
        site(f"{TLS} {NAMED} {SNI}", pool=TLS_POOL),
    ),
    Case(
        "nginx: proxy_ssl_verify on without proxy_ssl_trusted_certificate",
        "NGX606",
        site(f"{TLS} {SNI} proxy_ssl_verify on;", pool=TLS_POOL),
        site(f"{TLS} {SNI} proxy_ssl_verify on; {CA}", pool=TLS_POOL),
        refused=True,
        elsewhere=True,
    ),
    Case(
        "nginx: SNI on, but proxy_ssl_name defaults to the upstream block's name",
        "NGX604",
        site(f"{TLS} {NAMED} proxy_ssl_server_name on;", pool=TLS_POOL),
        site(f"{TLS} {NAMED} {SNI}", pool=TLS_POOL),
    ),
    Case(
        "nginx: proxy_ssl_verify off (default) accepts an impostor certificate",
        "NGX605",
        site(f"{TLS} {NAMED} {SNI}", pool=TLS_POOL),
        site(f"{TLS} {NAMED} {SNI} proxy_ssl_verify on; {CA}", pool=TLS_POOL),
        elsewhere=True,
    ),
    Case(
        ORIGIN_WANTS_13,
        "NGX608",
        site(TLS, pool=TLS_POOL),
        site(f"{TLS} proxy_ssl_protocols TLSv1.2 TLSv1.3;", pool=TLS_POOL),
        target=OLD,
    ),
    Case(
        "nginx: proxy_ssl_verify on with a certificate for another name",
        "NGX607",
        site(f"{TLS} proxy_ssl_server_name on; proxy_ssl_verify on; {CA}", pool=TLS_POOL),
        site(f"{TLS} {SNI} proxy_ssl_verify on; {CA}", pool=TLS_POOL),
        elsewhere=True,
    ),
    # Capacity
    Case(
        "nginx: worker_connections too small",
        "NGX701",
        site(events="worker_connections 20;"),
        site(events="worker_connections 4096;"),
    ),
    Case(
        "nginx: file-descriptor limit below worker_connections",
        "NGX702",
        site(main="worker_rlimit_nofile 40;", events="worker_connections 1024;"),
        site(main="worker_rlimit_nofile 2048;", events="worker_connections 1024;"),
    ),
    Case(
        "nginx: limit_req without burst",
        "NGX704",
        *(
            site(
                f"{PASS} limit_req zone=per_ip{burst};",
                http="limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;",
            )
            for burst in ("", " burst=20 nodelay")
        ),
    ),
    Case(
        "nginx: limit_conn too low for parallel clients behind one address",
        "NGX705",
        *(
            site(
                f"{PASS} limit_conn addr 2;",
                server="listen 127.0.0.1:8080;",
                http=f"limit_conn_zone $binary_remote_addr zone=addr:1m; {real_ip}",
            )
            for real_ip in ("", "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;")
        ),
    ),
    # Hygiene
    Case(
        "nginx: duplicate server_name on the same listen: second block ignored",
        "NGX903",
        *(
            site(
                server="listen 8080; server_name test.lab;",
                http=f"server {{ listen 8080; server_name {other}.lab; return 204; }}",
            )
            for other in ("test", "other")
        ),
    ),
    Case(
        "nginx: no default_server: unknown Host reaches the first vhost's app",
        "NGX904",
        *(
            site(
                server="listen 8080; server_name a.lab;",
                http=first,
                behind="server { listen 8080; server_name b.lab; return 204; }",
            )
            for first in ("", "server { listen 8080 default_server; return 444; }")
        ),
    ),
    Case(
        "nginx: two default_server on one listen",
        "NGX904",
        *(
            site(
                server="listen 8080 default_server; server_name a.lab;",
                http=f"server {{ listen 8080{again}; server_name b.lab; return 204; }}",
            )
            for again in (" default_server", "")
        ),
        refused=True,
    ),
]

UNSEEN = [
    Unseen(
        "nginx: proxy_read_timeout between two reads of the body: truncated 200, not 504",
        "how long the application pauses inside of an answer is not in the configuration",
    ),
    Unseen(
        "nginx: variable proxy_pass, the resolver answers NXDOMAIN: 502 per request",
        "which names exist is known to the name server alone",
    ),
    Unseen(
        "nginx: trailing slash on proxy_pass strips the location prefix",
        "that is what the slash is for; which paths the application has is not shown",
    ),
    Unseen(
        "nginx: client aborts: proxy_ignore_client_abort off drops the running upstream request"
        " (499)",
        "whether work goes on when nobody waits for it is a decision, and the default is sound",
    ),
    Unseen(
        "nginx: inherited ulimit -n below worker_connections, no worker_rlimit_nofile",
        "the limit is one of the service that starts nginx",
    ),
    Unseen(
        "nginx: unix socket path that does not exist",
        "which sockets exist is known on the machine alone",
    ),
    Unseen(
        "nginx: unix socket the worker may not open",
        "the permissions of the socket are on the machine",
    ),
    Unseen(
        "nginx: origin closes mid-body: 200 with a truncated body, never a 5xx",
        "the application does that by itself",
    ),
]

NEVER_CLAIMED = [
    NeverClaimed(
        "nginx: single server: max_fails/fail_timeout are ignored, so no 'no live upstreams'",
        ("NGX501", "NGX502", "NGX504", "NGX505"),
        site(pool=f"server 10.0.0.1:3000 {how};"),
    )
    for how in ("max_fails=1 fail_timeout=10s", "max_fails=0", "")
]

GONE = {
    KEEPALIVE_ALONE: ("NGX402", "NGX403"),
    NO_KEEPALIVE: ("NGX401",),
    KEEPALIVE_FIRST: ("NGX404",),
    ORIGIN_WANTS_13: ("NGX608",),
}
"""What may not be said for the target `NEW`, on the faulty forms of these rows."""
