"""HAProxy, who is let in and what he may claim: statistics, sockets, TLS, headers, hosts."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers.binaries import Binary, absent
from servers.certificates import certificate
from servers.clients import get, post
from servers.fixes import Correction, corrected, gwlint, replaced
from servers.origins import Origin
from servers.ports import LOOPBACK, free_port
from servers.proxies import StartError, run_haproxy, sections

NOBODY = "65534"
HSTS = "Strict-Transport-Security"
CLAIMS = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}


def with_global(text: str, line: str) -> str:
    return text.replace("global\n", f"global\n    {line}\n", 1)


def web(port: int, lines: str, server: str = "") -> str:
    return sections(f"frontend fe\n    bind :{port}\n    {lines}\n") + (
        f"    default_backend app\nbackend app\n    retries 0\n    {server}\n" if server else ""
    )


# Statistics


def test_hap801_stats_open(haproxy: Binary) -> None:
    """Fault: the page answers everybody, also where the defaults ask for a password. By hand."""
    port = free_port()
    faulty = sections(f"""
        defaults
            mode http
            timeout client 5s
            stats auth joe:secret
        listen st
            bind :{port}
            stats uri /
        """)
    with run_haproxy(faulty, port, haproxy):
        page = get(port)
        assert page.result == 200
        assert b"Statistics Report" in page.body
    with run_haproxy(replaced(faulty, {"    stats uri /\n": ""}), port, haproxy):
        assert get(port, "/haproxy?stats").result == 401
    guarded = replaced(faulty, {"stats uri /": "stats uri /\n    stats auth joe:secret"})
    with run_haproxy(guarded, port, haproxy):
        assert get(port).result == 401


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("http-request deny unless { src 192.0.2.1 }", 403),
        ("http-request auth unless { src 192.0.2.1 }", 401),
        ("stats http-request deny unless { src 192.0.2.1 }", 403),
        ("redirect location /elsewhere", 200),
        ("http-request deny if { path_beg /admin }", 200),
        ("stats hide-version", 200),
    ],
)
def test_hap801_which_rules_guard_the_page(haproxy: Binary, rule: str, status: int) -> None:
    port = free_port()
    with run_haproxy(web(port, f"stats enable\n    {rule}"), port, haproxy):
        assert get(port, "/haproxy?stats").result == status


def test_hap802_stats_admin_open(haproxy: Binary) -> None:
    """Fault: an unknown client takes the only server away. By hand: without stats admin."""
    port, page = free_port(), free_port()
    with Origin() as origin:
        faulty = sections(f"""
            listen st
                bind :{page}
                stats uri /
                stats admin if TRUE
            listen app
                bind :{port}
                server s1 {origin.address}
            """)
        good = replaced(faulty, {"    stats admin if TRUE\n": ""})
        for text, before, after in ((faulty, 200, 503), (good, 200, 200)):
            with run_haproxy(text, port, haproxy):
                assert get(port).result == before
                assert post(page, "/", b"s=s1&action=maint&b=app").status == 303
                assert get(port).result == after


# The runtime socket


def test_hap803_socket_too_open(haproxy: Binary, correct: Correction) -> None:
    """Fault: another user of the machine gives orders. Fix: safe."""
    with _public_folder(haproxy) as folder:
        port = free_port()
        faulty = _with_socket(port, folder, "mode 666")
        good = correct(faulty, "HAP803", {"mode 666": "mode 660"}, "--profile", "security")
        for text, is_obeyed in ((faulty, True), (good, False)):
            with run_haproxy(text, port, haproxy):
                assert _is_obeyed(folder) is is_obeyed


@pytest.mark.parametrize("words", ["mode 664", "mode 755", ""])
def test_hap803_who_connects_must_have_the_right_to_write(haproxy: Binary, words: str) -> None:
    with _public_folder(haproxy) as folder:
        port = free_port()
        with run_haproxy(_with_socket(port, folder, words), port, haproxy):
            assert not _is_obeyed(folder)


@contextmanager
def _public_folder(haproxy: Binary) -> Iterator[Path]:
    """A folder into which every user may go, unlike those that pytest makes."""
    port = free_port()
    with run_haproxy(sections(f"listen x\n    bind :{port}"), port, haproxy) as running:
        yield running.folder


def _with_socket(port: int, folder: Path, words: str) -> str:
    text = sections(f"listen app\n    bind :{port}")
    return with_global(text, f"stats socket {folder}/admin.sock {words} level admin")


def _is_obeyed(folder: Path) -> bool:
    """Whether another user than root gets an answer from the socket in the folder."""
    setpriv, perl = shutil.which("setpriv"), shutil.which("perl")
    if os.geteuid() != 0 or setpriv is None or perl is None:
        pytest.skip("only root can ask as another user, with setpriv and perl")
    program = (
        f"my $s = IO::Socket::UNIX->new(Peer => '{folder}/admin.sock') or die;"
        ' print $s "show info\\n"; print scalar <$s>;'
    )
    command = [setpriv, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    command += [perl, "-MIO::Socket::UNIX", "-e", program]
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    return done.stdout.startswith(b"Name:")


@pytest.mark.parametrize(("level", "is_obeyed"), [("admin", True), ("operator", False)])
def test_hap803_a_port_obeys_whoever_connects(haproxy: Binary, level: str, is_obeyed: bool) -> None:
    port, admin = free_port(), free_port()
    with Origin() as origin:
        text = with_global(
            web(port, "", f"server s1 {origin.address}"),
            f"stats socket ipv4@{LOOPBACK}:{admin} level {level}",
        )
        with run_haproxy(text, port, haproxy):
            with socket.create_connection((LOOPBACK, admin), 5) as connected:
                connected.sendall(b"disable server app/s1\n")
                answer = connected.makefile("rb").read()
            assert (b"Permission denied" in answer) is not is_obeyed
            assert get(port).result == (503 if is_obeyed else 200)


# TLS


def spoken(port: int, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> str | None:
    """The version that a client which knows no other gets; None when it is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    try:
        with (
            socket.create_connection((LOOPBACK, port), 5) as connected,
            context.wrap_socket(connected, server_hostname="a.gwlint.test") as wrapped,
        ):
            return wrapped.version()
    except (ssl.SSLError, ConnectionError):
        return None


ALL_VERSIONS = (
    ssl.TLSVersion.TLSv1,
    ssl.TLSVersion.TLSv1_1,
    ssl.TLSVersion.TLSv1_2,
    ssl.TLSVersion.TLSv1_3,
)


@pytest.mark.parametrize(
    ("words", "versions"),
    [
        ("", ["TLSv1.2", "TLSv1.3"]),
        ("no-tlsv12", ["TLSv1.3"]),
        ("no-tlsv10 no-tlsv11", ["TLSv1.2", "TLSv1.3"]),
        ("ssl-min-ver TLSv1.0", ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
        ("ssl-min-ver TLSv1.0 no-tlsv11", ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
        ("ssl-min-ver TLSv1.0 ssl-min-ver TLSv1.2", ["TLSv1.2", "TLSv1.3"]),
        ("force-tlsv10", ["TLSv1"]),
        ("force-tlsv10 ssl-min-ver TLSv1.2", None),
        ("ssl-max-ver TLSv1.1", ["TLSv1.1"]),
    ],
)
def test_hap804_which_versions_a_port_speaks(
    haproxy: Binary, words: str, versions: list[str] | None
) -> None:
    """What the words mean; the library's own floor, its security level, is taken away."""
    port = free_port()
    with certificate("a.gwlint.test") as made:
        text = _tls(port, _joined(made.file, made.key), f"{words} ciphers DEFAULT:@SECLEVEL=0")
        if versions is None:
            with pytest.raises(StartError, match="all SSL/TLS versions are disabled"):
                run_haproxy(text, port, haproxy).__enter__()
            return
        with run_haproxy(text, port, haproxy):
            found = [spoken(port, version) for version in ALL_VERSIONS]
        assert [one for one in found if one is not None] == versions


def test_hap804_weak_tls_minimum(haproxy: Binary, correct: Correction) -> None:
    """Fault: a client with TLS 1.0 is served. Fix: unsafe."""
    port = free_port()
    with certificate("a.gwlint.test") as made:
        words = "ssl-min-ver TLSv1.0 ciphers DEFAULT:@SECLEVEL=0"
        faulty = _tls(port, _joined(made.file, made.key), words)
        good = correct(
            faulty, "HAP804", {"TLSv1.0": "TLSv1.2"}, "--unsafe", "--profile", "security"
        )
        for text, version in ((faulty, "TLSv1"), (good, None)):
            with run_haproxy(text, port, haproxy):
                assert spoken(port, ssl.TLSVersion.TLSv1) == version
                assert spoken(port, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"


def test_hap805_weak_tls_ciphers(haproxy: Binary, correct: Correction) -> None:
    """Fault: a cipher without authentication is spoken. Fix: unsafe."""
    port = free_port()
    with certificate("a.gwlint.test") as made:
        weak = "ciphers aNULL:@SECLEVEL=0"
        faulty = _tls(port, _joined(made.file, made.key), weak)
        strong = "ciphers ECDHE-ECDSA-AES128-GCM-SHA256"
        good = correct(faulty, "HAP805", {weak: strong}, "--unsafe", "--profile", "security")
        for text, version in ((faulty, "TLSv1.2"), (good, None)):
            with run_haproxy(text, port, haproxy):
                assert spoken(port, ssl.TLSVersion.TLSv1_2, "aNULL:@SECLEVEL=0") == version


def test_hap805_a_list_of_which_the_library_has_nothing_is_refused(haproxy: Binary) -> None:
    port = free_port()
    with certificate("a.gwlint.test") as made:
        pem = _joined(made.file, made.key)
        with pytest.raises(StartError, match="unable to set SSL cipher list"):
            run_haproxy(_tls(port, pem, "ciphers RC4-MD5:DES-CBC3-SHA"), port, haproxy).__enter__()
        with run_haproxy(_tls(port, pem, "ciphers RC4-MD5:AES128-SHA"), port, haproxy):
            assert spoken(port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


def test_hap806_tls_unset_defaults(haproxy: Binary, correct: Correction, tmp_path: Path) -> None:
    """Fault: a cipher without forward secrecy is spoken. Fix: unsafe."""
    port = free_port()
    faulty = _tls(port, _rsa_certificate(tmp_path), "")
    ciphers = "ssl-default-bind-ciphers ECDHE-RSA-AES128-GCM-SHA256"
    by_hand = {"    log stdout": f"    {ciphers}\n    log stdout"}
    good = correct(faulty, "HAP806", by_hand, "--unsafe", "--profile", "security")
    for text, version in ((faulty, "TLSv1.2"), (good, None)):
        with run_haproxy(text, port, haproxy):
            assert spoken(port, ssl.TLSVersion.TLSv1_2, "AES256-SHA") == version
            assert spoken(port, ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256") == "TLSv1.2"


def _tls(port: int, pem: Path, words: str) -> str:
    return sections(f"""
        frontend fe
            bind :{port} ssl crt {pem} {words}
            http-request return status 200
        """)


def _joined(*files: Path) -> Path:
    """Certificate and key in one file, as HAProxy wants them, beside the first."""
    pem = files[0].parent / "both.pem"
    pem.write_text("".join(file.read_text() for file in files))
    return pem


def _rsa_certificate(folder: Path) -> Path:
    """One with an RSA key: the old ciphers need it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        absent("the command openssl is not installed")
    key, crt = folder / "rsa.key", folder / "rsa.crt"
    command = [openssl, "req", "-x509", "-days", "2", "-nodes", "-subj", "/CN=a.gwlint.test"]
    command += ["-newkey", "rsa:2048", "-keyout", str(key), "-out", str(crt)]
    subprocess.run(command, capture_output=True, timeout=30, check=True)
    return _joined(crt, key)


# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "insecure-password secret",
        "password $1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
        "password abNANd1rDfiNc",
        "password $5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.",
    ],
)
def test_hap807_each_form_of_password_lets_in(haproxy: Binary, password: str) -> None:
    """The weak forms work as well as the strong one: nothing else tells that they are weak."""
    port = free_port()
    text = web(
        port, "http-request auth unless { http_auth(u) }\n    http-request return status 200"
    )
    text = f"userlist u\n    user joe {password}\n{text}"
    with run_haproxy(text, port, haproxy):
        for secret, status in (("secret", 200), ("other", 401)):
            credentials = b64encode(f"joe:{secret}".encode()).decode()
            assert get(port, "/", {"Authorization": f"Basic {credentials}"}).result == status


# Headers


HSTS_RULE = f"http-response set-header {HSTS} max-age=63072000"


def test_hap808_hsts_missing_on_errors(haproxy: Binary, correct: Correction) -> None:
    """Fault: the 503 of HAProxy has no HSTS. Fix: safe."""
    port = free_port()
    faulty = web(port, HSTS_RULE, f"server s1 {LOOPBACK}:{free_port()}")
    by_hand = {"http-response": "http-after-response"}
    good = correct(faulty, "HAP808", by_hand, "--profile", "security")
    for text, value in ((faulty, ""), (good, "max-age=63072000")):
        with run_haproxy(text, port, haproxy):
            reply = get(port)
            assert (reply.result, reply.header(HSTS)) == (503, value)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("http-request deny", 403),
        ("http-request redirect location /x", 302),
        ("http-request return status 404", 404),
    ],
)
def test_hap808_which_answers_lack_it(haproxy: Binary, line: str, status: int) -> None:
    port = free_port()
    faulty = web(port, f"{HSTS_RULE}\n    {line}")
    good = replaced(faulty, {"http-response": "http-after-response"})
    for text, value in ((faulty, ""), (good, "max-age=63072000")):
        with run_haproxy(text, port, haproxy):
            reply = get(port)
            assert (reply.result, reply.header(HSTS)) == (status, value)


def test_hap808_answers_of_servers_have_it_both_ways(haproxy: Binary) -> None:
    port = free_port()
    with Origin() as origin:
        for kind in ("http-response", "http-after-response"):
            rule = f"{kind} set-header {HSTS} max-age=63072000"
            with run_haproxy(web(port, rule, f"server s1 {origin.address}"), port, haproxy):
                assert get(port).header(HSTS) == "max-age=63072000"


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ("option forwardfor", ["6.6.6.6", LOOPBACK]),
        ("option forwardfor if-none", ["6.6.6.6"]),
        ("option forwardfor\n    http-request del-header X-Forwarded-For", [LOOPBACK]),
        ("option forwardfor\n    http-request del-header x-forwarded- -m beg", [LOOPBACK]),
        ("http-request add-header X-Forwarded-For %[src]", ["6.6.6.6", LOOPBACK]),
        ("http-request set-header X-Forwarded-For %[src]", [LOOPBACK]),
    ],
)
def test_hap809_what_the_application_reads(haproxy: Binary, lines: str, seen: list[str]) -> None:
    port = free_port()
    with Origin() as origin:
        text = web(port, lines, f"server s1 {origin.address}")
        with run_haproxy(text, port, haproxy):
            assert get(port, "/", CLAIMS).result == 200
        assert _values(origin, "x-forwarded-for") == seen


def test_hap809_forwarded_header_spoofable(haproxy: Binary, correct: Correction) -> None:
    """Fault: the application believes what the client claims. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        proto = "http-request set-header X-Forwarded-Proto https if { ssl_fc }"
        faulty = web(port, f"option forwardfor if-none\n    {proto}", f"server s1 {origin.address}")
        deletions = "".join(f"http-request del-header {name}\n    " for name in CLAIMS)
        good = correct(
            faulty, "HAP809", {proto: deletions + proto}, "--unsafe", "--profile", "security"
        )
        for text, address, protocol in ((faulty, "6.6.6.6", ["https"]), (good, LOOPBACK, [])):
            origin.forget()
            with run_haproxy(text, port, haproxy):
                assert get(port, "/", CLAIMS).result == 200
            assert _values(origin, "x-forwarded-for") == [address]
            assert _values(origin, "x-forwarded-proto") == protocol


def _values(origin: Origin, name: str) -> list[str]:
    """All values of a header in the last request, in order."""
    return [value for key, value in origin.seen.requests[-1].headers if key.lower() == name]


def test_the_fixes_of_many_faults_go_together(haproxy: Binary, tmp_path: Path) -> None:
    """What one run writes starts, and the next run has nothing to add."""
    port = free_port()
    with Origin() as origin, certificate("a.gwlint.test") as made:
        pem = _joined(made.file, made.key)
        faulty = f"""\
global
    stats socket {tmp_path}/admin.sock mode 666 level admin
    tune.ssl.default-dh-param 1024
    ssl-default-bind-options ssl-min-ver TLSv1.0
defaults
    mode http
    option forwardfor if-none
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind :{port}
    bind :{free_port()} ssl crt {pem} no-tlsv11 ciphers HIGH:3DES:@SECLEVEL=0
    http-request add-header X-Forwarded-Proto http
    {HSTS_RULE}
    default_backend app
backend app
    server s1 {origin.address}
"""
        options = ("--unsafe", "--profile", "security")
        good = corrected({"haproxy.cfg": faulty}, *options)["haproxy.cfg"]
        (tmp_path / "haproxy.cfg").write_text(good)
        again = gwlint("fix", "--write", *options, ".", folder=str(tmp_path))
        assert again.returncode in (0, 1), again.stdout + again.stderr
        assert (tmp_path / "haproxy.cfg").read_text() == good
        for words in ("mode 660", "2048", "TLSv1.2", "del-header", "set-header X-F", "after-resp"):
            assert words in good
        with run_haproxy(good, port, haproxy):
            reply = get(port, "/", CLAIMS)
            assert (reply.result, reply.header(HSTS)) == (200, "max-age=63072000")
        assert _values(origin, "x-forwarded-for") == [LOOPBACK]
        assert _values(origin, "x-forwarded-proto") == ["http"]


# Rights and hosts


def test_hap810_runs_as_root(haproxy: Binary) -> None:
    """Fault: started by root, the process stays root. By hand: user."""
    if os.geteuid() != 0:
        pytest.skip("only root can start HAProxy as root")
    port = free_port()
    faulty = web(port, "http-request return status 200")
    for text, is_root in ((faulty, True), (with_global(faulty, f"uid {NOBODY}"), False)):
        with run_haproxy(text, port, haproxy):
            assert _has_process_of_root(port) is is_root


def _has_process_of_root(port: int) -> bool:
    """Whether the process that listens on a port belongs to root."""
    sockets = {
        fields[9]: fields[7]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[1].endswith(f":{port:04X}") and fields[3] == "0A"
    }
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            targets = [str(entry.readlink()) for entry in (folder / "fd").iterdir()]
        except OSError:
            continue
        if any(target == f"socket:[{inode}]" for inode in sockets for target in targets):
            uids = (folder / "status").read_text().partition("\nUid:\t")[2].split()[:4]
            return uids[1] == "0"
    return False


def test_hap811_host_not_checked(haproxy: Binary) -> None:
    """Fault: a host that nobody configured is served. By hand: deny."""
    port = free_port()
    with Origin() as origin:
        route = "use_backend app if { hdr(host) -i app.example.com }"
        faulty = web(port, route, f"server s1 {origin.address}")
        refusal = "http-request deny deny_status 421 unless { hdr(host) -i app.example.com }"
        good = replaced(faulty, {route: f"{refusal}\n    {route}"})
        for text, status in ((faulty, 200), (good, 421)):
            with run_haproxy(text, port, haproxy):
                assert get(port, "/", {"Host": "attacker.example"}).result == status
                assert get(port, "/", {"Host": "app.example.com"}).result == 200


@pytest.mark.parametrize(
    ("test", "is_denied"),
    [
        ("hdr(host) admin.example.com", False),
        ("hdr_dom(host) example.com", False),
        ("hdr_end(host) .example.com", False),
        ("hdr(host) -m reg ^admin", False),
        ("hdr(host),field(1,:) admin.example.com", False),
        ("hdr(host) -i admin.example.com", True),
        ("hdr(host),lower admin.example.com", True),
        ("req.hdr(host),host_only admin.example.com", True),
        ("hdr(host) -m reg (?i)^admin", True),
    ],
)
def test_hap812_acl_case_sensitive(haproxy: Binary, test: str, is_denied: bool) -> None:
    """Fault: capitals pass a rule by."""
    port = free_port()
    text = web(port, f"http-request deny if {{ {test} }}\n    http-request return status 200")
    with run_haproxy(text, port, haproxy):
        reply = get(port, "/", {"Host": "ADMIN.Example.Com"})
        assert reply.result == (403 if is_denied else 200)
        assert get(port, "/", {"Host": "admin.example.com"}).result == 403
