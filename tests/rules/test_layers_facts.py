"""What gwlint.yaml says of applications and layers, compared with the gateways."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.rule import Severity

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed

FILES = dict[str, str]

ADDRESS = "10.0.1.10:3000"
ALB = "layers:\n  - {name: alb, preset: aws-alb}\n"


def services(*facts: str, address: str = ADDRESS) -> str:
    lines = "".join(f"    {fact}\n" for fact in facts)
    return f'services:\n  api:\n    addresses: ["{address}"]\n{lines}'


def nginx(location: str, http: str = "", listen: str = "80") -> str:
    return (
        f"events {{}}\nhttp {{\n    {http}\n    server {{\n        listen {listen};\n"
        f"        location / {{\n            {location}\n        }}\n    }}\n}}\n"
    )


def haproxy(server: str = ADDRESS, more: str = "", defaults: str = "") -> str:
    return (
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n"
        f"    timeout server 30s\n{defaults}\nfrontend www\n    bind :80\n    default_backend app\n"
        f"\nbackend app\n{more}    server one {server}\n"
    )


def with_facts(text: str, facts: str) -> FILES:
    name = "nginx.conf" if "events" in text else "haproxy.cfg"
    return {name: text, "gwlint.yaml": facts}


PASS = f"proxy_pass http://{ADDRESS};"


# GTW101


def pool(*servers: str) -> str:
    return "upstream app { " + " ".join(f"server {one};" for one in servers) + " }"


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        "10.0.1.11:3000",  # another machine: the inventory need not be whole
        "other:3000",
        "app2:3000",  # one of several, by its number
        "apl:3000",  # short names are near to many
        "127.0.0.1:3001",
        "unix:/run/app.sock",
        "billing:3000",
        "$host:3001",
    ],
)
def test_what_a_partial_inventory_leaves_alone(address: str) -> None:
    facts = services(
        address=f'{ADDRESS}", "127.0.0.1:3000", "app:3000", "app1:3000", "billing:3000'
    )
    assert not findings(with_facts(nginx(f"proxy_pass http://{address};"), facts), "GTW101")
    if "$" not in address:
        assert not findings(with_facts(haproxy(address), facts), "GTW101")


def test_a_known_host_on_another_port_is_an_error_with_its_fix() -> None:
    files = with_facts(nginx("proxy_pass http://10.0.1.10:3001/v3001/;"), services())
    (found,) = findings(files, "GTW101")
    assert found.severity is Severity.ERROR
    assert found.span.text == "10.0.1.10:3001"
    after = fixed(files, "GTW101")["nginx.conf"]
    assert "proxy_pass http://10.0.1.10:3000/v3001/;" in after


def test_a_port_that_is_not_written_is_not_replaced() -> None:
    facts = services(address="10.0.80.1:3000")
    (found,) = findings(with_facts(nginx("proxy_pass http://10.0.80.1;"), facts), "GTW101")
    assert found.fix is None


def test_a_host_with_several_services_has_no_fix() -> None:
    facts = services(address=f'{ADDRESS}", "10.0.1.10:3002')
    (found,) = findings(with_facts(nginx(PASS.replace("3000", "3001")), facts), "GTW101")
    assert found.fix is None
    assert "3000 and 3002" in found.message


def test_a_name_that_is_near_is_a_warning() -> None:
    files = with_facts(haproxy("biling:3000 check"), services(address="billing:3000"))
    (found,) = findings(files, "GTW101")
    assert found.severity is Severity.WARNING
    assert "server one billing:3000 check" in fixed(files, "GTW101")["haproxy.cfg"]


def test_a_complete_inventory_says_all() -> None:
    facts = services() + "rules: {GTW101: {inventory: complete}}\n"
    http = pool(ADDRESS, "10.0.1.11:3000", "127.0.0.1:3000 down", "unix:/run/a.sock")
    found = findings(with_facts(nginx("proxy_pass http://app;", http), facts), "GTW101")
    assert [one.span.text for one in found] == ["10.0.1.11:3000", "unix:/run/a.sock"]
    # What another server of the run listens on is known.
    http = "server { listen 127.0.0.1:8081; return 204; }"
    text = nginx("proxy_pass http://127.0.0.1:8081;", http)
    assert not findings(with_facts(text, facts), "GTW101")


def test_without_services_nothing_is_compared() -> None:
    facts = "rules: {GTW101: {inventory: complete}}\n"
    assert not findings(with_facts(nginx(PASS), facts), "GTW101")


# GTW303 and GTW304


def test_the_timeout_is_set_in_the_location_itself() -> None:
    text = nginx(PASS, http="proxy_read_timeout 30s;")
    files = with_facts(text, services("slowest_response: 45s"))
    (found,) = findings(files, "GTW304")
    assert found.span.text == f"proxy_pass http://{ADDRESS}"
    assert found.related[0].span.text == "proxy_read_timeout 30s"
    after = fixed(files, "GTW304")["nginx.conf"]
    assert f"            {PASS}\n            proxy_read_timeout 50s;\n" in after
    assert "    proxy_read_timeout 30s;\n" in after


def test_the_family_has_its_own_timeout() -> None:
    files = with_facts(nginx(f"uwsgi_pass {ADDRESS};"), services("slowest_response: 90500ms"))
    assert "uwsgi_read_timeout 95500ms;" in fixed(files, "GTW304")["nginx.conf"]


@pytest.mark.parametrize(
    "location",
    [
        f"{PASS} proxy_read_timeout 45s;",
        f'{PASS} proxy_set_header Upgrade $http_upgrade;',
        f"{PASS} include /etc/nginx/proxy.conf;",
        "proxy_pass http://$backend;",
    ],
)  # fmt: skip
def test_routes_that_wait_long_enough_or_are_not_known(location: str) -> None:
    text = nginx(location, http="proxy_read_timeout 30s;" if "include" not in location else "")
    assert not findings(with_facts(text, services("slowest_response: 45s")), "GTW304")


def test_slow_requests_may_go_by_the_most_patient_route() -> None:
    slow = f"location /export/ {{ {PASS} proxy_read_timeout 90s; }}"
    text = nginx(f"{PASS} proxy_read_timeout 5s;").replace("location /", f"{slow}\n location /", 1)
    assert not findings(with_facts(text, services("slowest_response: 45s")), "GTW304")
    (found,) = findings(with_facts(text, services("slowest_response: 2m")), "GTW304")
    assert found.span.text == "proxy_read_timeout 90s"


def test_a_file_that_several_places_include_is_not_changed() -> None:
    text = nginx("include app.inc;").replace(
        "location / {", "location /a/ { include app.inc; } location / {"
    )
    files = {**with_facts(text, services("slowest_response: 90s")), "app.inc": PASS + "\n"}
    (found,) = findings(files, "GTW304")
    assert (found.path, found.fix) == ("app.inc", None)


def test_a_pass_in_an_if_has_no_place_for_a_timeout() -> None:
    text = nginx(f"if ($arg_a) {{ {PASS} }}", http="proxy_read_timeout 60s;")
    (found,) = findings(with_facts(text, services("slowest_response: 90s")), "GTW304")
    assert found.fix is None


def test_haproxy_gets_a_timeout_in_the_backend() -> None:
    files = with_facts(haproxy(), services("slowest_response: 45s"))
    (found,) = findings(files, "GTW304")
    assert found.related[0].span.text == "timeout server 30s"
    assert fixed(files, "GTW304")["haproxy.cfg"].endswith("    timeout server 50s\n")


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (("response_timeout: 20s",), "18s"),
        (("response_timeout: 20s", "slowest_response: 10s"), "18s"),
        (("response_timeout: 1s",), "500ms"),
    ],
)
def test_the_proxy_gives_up_before_the_application(facts: tuple[str, ...], wanted: str) -> None:
    files = with_facts(nginx(PASS), services(*facts))
    assert f"proxy_read_timeout {wanted};" in fixed(files, "GTW303")["nginx.conf"]


def test_a_limit_below_the_slowest_request_is_not_copied() -> None:
    files = with_facts(nginx(PASS), services("response_timeout: 20s", "slowest_response: 19s"))
    (found,) = findings(files, "GTW303")
    assert found.fix is None


def test_without_a_timeout_haproxy_waits_for_ever() -> None:
    text = haproxy().replace("    timeout server 30s\n", "")
    (found,) = findings(with_facts(text, services("response_timeout: 20s")), "GTW303")
    assert "without end" in found.message
    fragment = f"backend app\n    mode http\n    server one {ADDRESS}\n"
    assert not findings(with_facts(fragment, services("response_timeout: 20s")), "GTW303")


def test_tcp_is_passed_through() -> None:
    facts = services("response_timeout: 20s", "slowest_response: 90s", "response_header: 64k")
    text = haproxy().replace("mode http", "mode tcp")
    for code in ("GTW201", "GTW303", "GTW304"):
        assert not findings(with_facts(text, facts), code)


# GTW201


@pytest.mark.parametrize(
    ("location", "fixed_location"),
    [
        (PASS, f"{PASS}\n            proxy_buffer_size 12k;\n        }}"),
        (f"grpc_pass grpc://{ADDRESS};", "grpc_buffer_size 12k;\n"),
    ],
)
def test_room_is_made_for_known_headers(location: str, fixed_location: str) -> None:
    files = with_facts(nginx(location), services("response_header: 9k"))
    (found,) = findings(files, "GTW201")
    assert "9k" in found.message
    assert fixed_location in fixed(files, "GTW201")["nginx.conf"]
    assert not findings(with_facts(nginx(location), services("response_header: 4k")), "GTW201")


def test_haproxy_is_said_to_be_too_small_once() -> None:
    more = f"    server two {ADDRESS}\n\nbackend other\n"
    files = with_facts(haproxy(more=more), services("response_header: 20k"))
    (found,) = findings(files, "GTW201")
    assert found.fix is None
    top = {**files, "haproxy.cfg": "global\n    tune.bufsize 16384\n\n" + files["haproxy.cfg"]}
    (found,) = findings(top, "GTW201")
    assert found.span.text == "tune.bufsize 16384"
    assert "tune.bufsize 21504\n" in fixed(top, "GTW201")["haproxy.cfg"]


def test_a_layer_takes_no_more_than_it_does() -> None:
    large = f"{PASS} proxy_buffer_size 64k; proxy_buffers 8 64k;"
    (found,) = findings(with_facts(nginx(large), ALB), "GTW201")
    assert "32k" in found.message
    assert found.fix is None
    assert not findings(with_facts(nginx(PASS), ALB), "GTW201")


# GTW602 and GTW603


def test_one_scheme_for_servers_that_do_not_agree_has_no_fix() -> None:
    http = pool(ADDRESS, "10.0.1.11:3000")
    files = with_facts(nginx("proxy_pass http://app;", http), services("protocol: https"))
    (found,) = findings(files, "GTW602")
    assert found.fix is None
    assert found.related[0].span.text == ADDRESS
    facts = services("protocol: https", address=f'{ADDRESS}", "10.0.1.11:3000')
    after = fixed(with_facts(nginx("proxy_pass http://app;", http), facts), "GTW602")
    assert "proxy_pass https://app;" in after["nginx.conf"]


def test_the_name_of_the_certificate_goes_along() -> None:
    facts = services("protocol: https", "tls_name: api.internal")
    after = fixed(with_facts(nginx(PASS), facts), "GTW602")["nginx.conf"]
    assert "proxy_ssl_server_name on;" in after
    assert "proxy_ssl_name api.internal;" in after
    after = fixed(with_facts(haproxy(f"{ADDRESS} check"), facts), "GTW602")["haproxy.cfg"]
    assert (
        f"server one {ADDRESS} check ssl verify required ca-file @system-ca"
        " sni str(api.internal) verifyhost api.internal check-sni api.internal\n"
    ) in after


def test_whom_to_trust_is_a_decision() -> None:
    (found,) = findings(with_facts(haproxy(), services("protocol: https")), "GTW602")
    assert found.fix is None


def test_another_protocol_is_said_once() -> None:
    files = with_facts(nginx(f"proxy_pass https://{ADDRESS};"), services("protocol: fastcgi"))
    assert not findings(files, "GTW602")
    assert findings(files, "GTW603")


@pytest.mark.parametrize(
    ("protocol", "location"),
    [
        ("grpc", f"grpc_pass grpc://{ADDRESS};"),
        ("grpc", f"grpc_pass grpcs://{ADDRESS};"),
        ("h2c", f"{PASS} proxy_http_version 2;"),
        ("https", f"proxy_pass https://{ADDRESS};"),
        ("fastcgi", f"fastcgi_pass {ADDRESS};"),
    ],
)
def test_what_agrees(protocol: str, location: str) -> None:
    files = with_facts(nginx(location), services(f"protocol: {protocol}"))
    assert not findings(files, "GTW602")
    assert not findings(files, "GTW603")


@pytest.mark.parametrize(
    "location",
    [
        f"proxy_pass http://{ADDRESS}/v1/;",
        f"{PASS} proxy_set_header Host $host;",
        "set $app app; proxy_pass http://$app;",
    ],
)
def test_more_than_the_name_would_have_to_change(location: str) -> None:
    files = with_facts(nginx(location), services("protocol: h2c"))
    assert [one.fix for one in findings(files, "GTW603")] in ([None], [])


def test_h2_in_haproxy() -> None:
    files = with_facts(haproxy(f"{ADDRESS} check"), services("protocol: h2c"))
    assert f"server one {ADDRESS} check proto h2\n" in fixed(files, "GTW603")["haproxy.cfg"]
    # h2-to-plain-server says the reverse.
    files = with_facts(haproxy(f"{ADDRESS} proto h2"), services("protocol: http1"))
    assert not findings(files, "GTW603")
    assert findings({**files, "a.cfg": ""}, "HAP607")


# Layers


@pytest.mark.parametrize(("timeout", "found"), [("60s", 1), ("61s", 0), ("0", 0)])
def test_the_gateway_outlasts_the_layer(timeout: str, found: int) -> None:
    text = nginx(PASS, http=f"keepalive_timeout {timeout};")
    assert len(findings(with_facts(text, ALB), "GTW401")) == found


def test_only_a_default_below_the_layer_is_a_finding() -> None:
    assert not findings(with_facts(nginx(PASS), ALB), "GTW401")
    files = with_facts(nginx(PASS), "layers: [{preset: cloudflare}]\n")
    (found,) = findings(files, "GTW401")
    assert "its default" in found.message
    assert "listen 80;\n        keepalive_timeout 905s;\n" in fixed(files, "GTW401")["nginx.conf"]


def test_each_frontend_gets_its_own_time() -> None:
    text = haproxy() + "\nfrontend two\n    bind :81\n    default_backend app\n"
    files = with_facts(text, ALB)
    assert len(findings(files, "GTW401")) == 2
    assert fixed(files, "GTW401")["haproxy.cfg"].count("timeout http-keep-alive 65s") == 2


@pytest.mark.parametrize("listen", ["127.0.0.1:80", "unix:/run/www.sock"])
def test_no_layer_reaches_a_gateway_on_this_machine(listen: str) -> None:
    text = nginx(PASS, http="keepalive_timeout 5s;", listen=listen)
    assert not findings(with_facts(text, ALB), "GTW401")


def test_only_the_outermost_gateway_stands_behind_the_layer() -> None:
    inner = nginx(PASS, http="keepalive_timeout 30s;", listen="8080")
    front = haproxy("127.0.0.1:8080", defaults="    timeout http-keep-alive 65s\n")
    files = {"haproxy.cfg": front, "nginx.conf": inner, "gwlint.yaml": ALB}
    assert not findings(files, "GTW401")


def test_a_layer_that_gives_up_first() -> None:
    files = with_facts(nginx(f"{PASS} proxy_read_timeout 90s;"), ALB)
    (found,) = findings(files, "GTW301")
    assert found.fix is None
    assert "60 s" in found.message
    assert not findings(with_facts(nginx(PASS), ALB), "GTW301")


def test_a_layer_lets_through_what_is_refused() -> None:
    facts = "layers: [{name: cdn, body_limit: 100m}]\n"
    (found,) = findings(with_facts(nginx(PASS), facts), "GTW202")
    assert "100m" in found.message
    assert "1m" in found.message
    assert not findings(with_facts(nginx(f"{PASS} client_max_body_size 0;"), facts), "GTW202")
