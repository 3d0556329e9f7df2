"""NGX601 to NGX612 beyond their examples."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import find
from gwlint.rule import Finding, Severity
from gwlint.settings import Settings

HEADER = "proxy_set_header"


def http(inner: str) -> str:
    return f"events {{}}\nhttp {{\n{inner}\n}}\n"


def server(inner: str, outside: str = "") -> str:
    return http(f"{outside}\nserver {{\n    listen unix:test.sock;\n{inner}\n}}")


def nginx_accepts(text: str, folder: Path) -> bool:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    (folder / "nginx.conf").write_bytes(text.encode())
    (folder / "logs").mkdir(exist_ok=True)
    command = [binary, "-t", "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


def with_facts(text: str, code: str, folder: Path, **facts: object) -> list[Finding]:
    """Findings when gwlint.yaml says this of the service at 192.0.2.1:443."""
    (folder / "nginx.conf").write_text(text)
    services = {"app": {"addresses": ["192.0.2.1:443"], **facts}}
    settings = Settings(services=services)
    return check(load_project([str(folder)], settings), settings, [find(code)[0].load()]).findings


# NGX601


@pytest.mark.parametrize(
    "path",
    [
        "/ws",
        "/api/ws/",
        "= /websocket",
        "^~ /socket.io/",
        r"~ ^/(chat|ws)$",
        r"~* /socket\.io/",
        "/cable",
    ],
)
def test_paths_that_say_web_sockets(path: str) -> None:
    text = server(f"    location {path} {{ proxy_pass http://127.0.0.1:1; }}")
    (found,) = findings(text, "NGX601")
    assert "path says web sockets" in found.message


@pytest.mark.parametrize("path", ["/", "/news", "/wsdl", "/socket", "@ws.php5", "/cables"])
def test_other_paths_say_nothing(path: str) -> None:
    text = server(f"    location {path} {{ proxy_pass http://127.0.0.1:1; }}")
    assert findings(text, "NGX601") == []


def test_inherited_headers_are_repeated_with_the_pair(tmp_path: Path) -> None:
    text = server(
        f"    {HEADER} Host  $host; # by name\n"
        "    location /ws { proxy_pass http://127.0.0.1:1; }"
    )
    after = fixed_text(text, "NGX601")
    assert (
        "proxy_pass http://127.0.0.1:1; proxy_set_header Host $host; proxy_http_version 1.1;"
        " proxy_set_header Upgrade $http_upgrade;"
        ' proxy_set_header Connection "upgrade"; }'
    ) in after
    assert findings(after, "NGX609") == []
    assert nginx_accepts(after, tmp_path)


def test_the_map_of_the_configuration_is_used() -> None:
    outside = "map $http_upgrade $go_on {\n    default upgrade;\n    '' '';\n}"
    text = server("    location /ws { proxy_pass http://127.0.0.1:1; }", outside)
    assert "proxy_set_header Connection $go_on;" in fixed_text(text, "NGX601")


def test_a_cleared_connection_is_replaced_and_a_cleared_upgrade_stays(tmp_path: Path) -> None:
    pair = f'{HEADER} Upgrade $http_upgrade; {HEADER} Connection "";'
    text = server(f"    location / {{ proxy_pass http://127.0.0.1:1; {pair} }}")
    after = fixed_text(text, "NGX601")
    assert f"{HEADER} Connection $connection_upgrade;" in after
    assert "map $http_upgrade $connection_upgrade {" in after
    assert nginx_accepts(after, tmp_path)
    cleared = text.replace("$http_upgrade", '""').replace("location /", "location /ws")
    assert findings(cleared, "NGX601") == []


def test_a_fragment_may_inherit_the_pair_unless_it_sets_headers_itself() -> None:
    part = "server {{ listen 80; location /ws {{\n{}        proxy_pass http://a:1;\n    }}\n}}\n"
    assert findings({"conf.d/site.conf": part.format("")}, "NGX601") == []
    own = part.format(f"        {HEADER} X-A b;\n")
    assert len(findings({"conf.d/site.conf": own}, "NGX601")) == 1


def test_a_service_that_speaks_web_sockets(tmp_path: Path) -> None:
    text = server("    location / { proxy_pass http://192.0.2.1:443; }")
    (found,) = with_facts(text, "NGX601", tmp_path, websocket=True)
    assert found.message.startswith('the service "app" speaks web sockets')
    assert with_facts(text, "NGX601", tmp_path, websocket=False) == []


# NGX602


def test_the_version_is_set_where_the_header_is(tmp_path: Path) -> None:
    pair = f"    {HEADER} Upgrade $http_upgrade;\n\t{HEADER} Connection upgrade;\n"
    text = server(pair + "    location /a { proxy_pass http://127.0.0.1:1; }")
    text = text.replace("\n", "\r\n")
    after = fixed_text(text, "NGX602")
    assert f"{HEADER} Upgrade $http_upgrade;\r\n    proxy_http_version 1.1;\r\n" in after
    assert nginx_accepts(after, tmp_path)


# NGX603 to NGX608


@pytest.mark.parametrize(
    ("destination", "severity"),
    [
        ("https://api.example.com", Severity.WARNING),
        ("https://api.example.com:8443/v1", Severity.WARNING),
        ("https://$tenant.example.com", Severity.WARNING),
        ("https://api.shop.svc.cluster.local", Severity.INFO),
        ("https://127.0.0.1", None),
        ("https://[2001:db8::1]:8443", None),
        ("https://localhost:8443", None),
        ("https://$host", None),
        ("https://$ip.1", None),
        ("http://api.example.com", None),
    ],
)
def test_which_destinations_need_sni(destination: str, severity: Severity | None) -> None:
    text = server(f"    location / {{ set $ip 10.0.0; proxy_pass {destination}; }}")
    found = [one.severity for one in findings(text, "NGX603")]
    assert found == ([] if severity is None else [severity])


def test_sni_of_grpc_and_stream() -> None:
    text = server("    location / { grpc_pass grpcs://api.example.com; }")
    assert "grpc_ssl_server_name on;" in fixed_text(text, "NGX603")
    stream = (
        "events {}\nstream { server { listen 1; proxy_ssl on; proxy_pass api.example.com:1; } }"
    )
    assert "proxy_ssl_server_name on;" in fixed_text(stream, "NGX603")
    assert findings(stream.replace("proxy_ssl on; ", ""), "NGX603") == []


def test_one_name_for_servers_of_several_is_not_chosen() -> None:
    outside = "upstream app { server a.example.com:443; server b.example.com:443; }"
    text = server("    location / { proxy_pass https://app; }", outside)
    (found,) = findings(text, "NGX603")
    assert found.fix is None
    assert "a.example.com, b.example.com" in found.message


def test_facts_give_the_name(tmp_path: Path) -> None:
    outside = "upstream app { server 192.0.2.1:443; }"
    text = server("    location / { proxy_pass https://app; }", outside)
    assert findings(text, "NGX603") == []
    (found,) = with_facts(text, "NGX603", tmp_path, tls_name="api.internal.example")
    assert found.fix is not None
    (edit,) = found.fix.edits
    assert "proxy_ssl_name api.internal.example;" in edit.text


def test_routes_of_one_level_get_each_setting_once(tmp_path: Path) -> None:
    """Two passes of one location, one of them within `if`: nginx refuses a repeated directive."""
    passes = "if ($arg_a) { proxy_pass https://a.example.com; } proxy_pass https://a.example.com;"
    after = fixed_text(server(f"    location / {{ {passes} }}"), "NGX603")
    assert after.count("proxy_ssl_server_name on;") == 1


def test_the_name_of_the_block_may_be_right(tmp_path: Path) -> None:
    outside = "upstream app { server 192.0.2.1:443; }"
    text = server("    location / { proxy_pass https://app; proxy_ssl_server_name on; }", outside)
    (found,) = findings(text, "NGX604")
    assert (found.severity, found.fix) == (Severity.WARNING, None)
    assert with_facts(text, "NGX604", tmp_path, tls_name="app") == []
    (found,) = with_facts(text, "NGX604", tmp_path, tls_name="api.example.com")
    assert (found.severity, found.fix is not None) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("inner", "refused"),
    [
        ("proxy_ssl_verify on; location / { proxy_pass https://127.0.0.1:1; }", True),
        ("proxy_ssl_verify on; location / { proxy_pass http://127.0.0.1:1; }", False),
        ("proxy_ssl_verify on; location / { return 204; }", False),
        ("location / { proxy_ssl_verify on; proxy_pass http://127.0.0.1$uri; }", True),
        ("location / { grpc_ssl_verify on; grpc_pass grpcs://127.0.0.1:1; }", True),
        ("location / { uwsgi_ssl_verify on; uwsgi_pass uwsgi://127.0.0.1:1; }", False),
        ("location / { proxy_ssl_verify on; if ($arg_a) { proxy_pass https://127.0.0.1; } }", True),
    ],
)
def test_verification_without_authorities_as_nginx_says(
    inner: str, refused: bool, tmp_path: Path
) -> None:
    text = server(f"    {inner}")
    assert bool(findings(text, "NGX606")) is refused
    assert nginx_accepts(text, tmp_path) is not refused


def test_protocols_depend_on_the_target() -> None:
    text = server("    location / { proxy_pass https://192.0.2.1; }")
    assert len(findings(text, "NGX608")) == 1
    assert len(findings(text, "NGX608", "1.22.1")) == 1
    assert findings(text, "NGX608", "1.23.4") == []


# NGX609


def test_the_nearest_outer_level_is_what_is_lost(tmp_path: Path) -> None:
    text = http(
        f"{HEADER} X-Far a;\nserver {{\n    listen unix:s;\n\t{HEADER} Host $host;\n"
        f"\tlocation / {{\n\t\t{HEADER} x-own b;\n\t\tproxy_pass http://127.0.0.1:1;\n\t}}\n}}"
    )
    (found,) = findings(text, "NGX609")
    assert "sets: Host" in found.message
    after = fixed_text(text, "NGX609")
    assert f"\t\t{HEADER} x-own b;\n\t\t{HEADER} Host $host;\n" in after
    assert nginx_accepts(after, tmp_path)


@pytest.mark.parametrize(
    ("outer", "target"),
    [
        (f"{HEADER} X-OWN b;", None),
        (f"{HEADER} Host $proxy_host;", None),
        (f"{HEADER} Connection close;", None),
        (f'{HEADER} Connection "";', "1.29.7"),
    ],
)
def test_what_is_repeated_or_the_default_is_not_lost(outer: str, target: str | None) -> None:
    inner = f"    {outer}\n    location / {{ {HEADER} X-Own b; proxy_pass http://127.0.0.1:1; }}"
    assert findings(server(inner), "NGX609", target) == []


def test_an_include_that_was_not_read_may_repeat_them() -> None:
    inner = (
        f"    {HEADER} Host $host;\n    location / {{\n        include /elsewhere/proxy.conf;\n"
        f"        {HEADER} X-Own b;\n        proxy_pass http://127.0.0.1:1;\n    }}"
    )
    assert findings(server(inner), "NGX609") == []
    assert len(findings(server(inner.replace("include", "# include")), "NGX609")) == 1


def test_headers_of_a_shared_file_are_repeated_beside_the_include() -> None:
    files = {
        "nginx.conf": server(
            f"    {HEADER} Host $host;\n    location /a {{\n        include own.inc;\n"
            "        proxy_pass http://127.0.0.1:1;\n    }"
        ),
        "own.inc": f"{HEADER} X-Own b;\n",
    }
    after = fixed(files, "NGX609")
    assert after["own.inc"] == files["own.inc"]
    assert f"proxy_pass http://127.0.0.1:1;\n        {HEADER} Host $host;" in after["nginx.conf"]


# NGX610 to NGX612


@pytest.mark.parametrize(
    ("name", "severity"),
    [("my_app", Severity.WARNING), ("app", Severity.INFO), ("app.example.com", None)],
)
def test_names_of_upstreams_as_host(name: str, severity: Severity | None) -> None:
    text = server(
        f"    location / {{ proxy_pass http://{name}; }}",
        f"upstream {name} {{ server 127.0.0.1:1; }}",
    )
    found = [one.severity for one in findings(text, "NGX610")]
    assert found == ([] if severity is None else [severity])


def test_forwarded_headers_are_for_applications_of_ones_own() -> None:
    text = server("    location / { proxy_pass http://api.example.com; }")
    assert findings(text, "NGX611") == []
    text = text.replace("api.example.com", "app:3000")
    after = fixed_text(text, "NGX611")
    assert f"{HEADER} X-Forwarded-Proto $scheme;" in after


def test_the_proxy_protocol_of_a_server_that_passes_nothing_on() -> None:
    text = http("server {\n    listen 8080 proxy_protocol;\n    return 204;\n}")
    assert findings(text, "NGX612") == []


def test_a_shared_file_is_fixed_only_as_suits_all_that_include_it() -> None:
    """Two servers with other headers include the same location."""
    main = http(
        "upstream app { server 192.0.2.1:443; }\n"
        f"server {{ listen 1; {HEADER} Host $host; include routes.inc; }}\n"
        f"server {{ listen 2; {HEADER} Host b.example.com; include routes.inc; }}"
    )
    routes = (
        f"location /a {{ {HEADER} X-A b; proxy_pass https://app; }}\n"
        "location /ws { proxy_pass https://app; }\n"
    )
    files = {"nginx.conf": main, "routes.inc": routes}
    for code in ("NGX601", "NGX603", "NGX609"):
        assert fixed(files, code) == files
    alike = {**files, "nginx.conf": main.replace("b.example.com", "$host")}
    after = fixed(alike, "NGX609")["routes.inc"]
    assert after.count(f"{HEADER} Host $host;") == 1
