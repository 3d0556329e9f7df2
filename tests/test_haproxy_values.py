"""Times, sizes, addresses, server and bind lines, conditions, samples, log-formats.

What HAProxy and nginx accept is asked of the real servers; where each value needs a run of its
own, of the newest HAProxy only.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from haproxy_judge import corpus_files, judges
from hypothesis import given, settings
from hypothesis import strategies as st

from gwlint.source import Source
from gwlint.syntax.haproxy.parser import parse
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.address import Address, Family
from gwlint.syntax.values.addresses import (
    parse_address,
    parse_bind_addresses,
    parse_server_address,
)
from gwlint.syntax.values.bind_line import parse_bind
from gwlint.syntax.values.conditions import (
    PREDEFINED_ACLS,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.log_format import ALIASES, parse_log_format
from gwlint.syntax.values.nginx_address import (
    parse_listen_address,
    parse_upstream_server,
    parse_upstream_url,
)
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.samples import parse_sample, sample_problems
from gwlint.syntax.values.server_line import parse_server, parse_template_range
from gwlint.syntax.values.sizes import parse_size
from gwlint.syntax.values.times import parse_time

TIMEOUTS = "  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"
DEFAULTS = f"defaults\n  mode http\n{TIMEOUTS}"


def listed(text: str) -> list[str]:
    return text.split()


def line(text: str) -> Line:
    """One line of a backend, as the parser gives it."""
    return parse(Source("x.cfg", f"backend b\n  {text}\n".encode())).sections[0].lines[0]


def accepts(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueProblem as problem:
        assert 0 <= problem.position <= len(text)
        return False
    return True


# Times and sizes


@pytest.mark.parametrize(
    ("text", "seconds", "unit"),
    [
        ("5000", 5.0, None),
        ("30s", 30.0, "s"),
        ("100us", 0.0001, "us"),
        ("2m", 120.0, "m"),
        ("1h", 3600.0, "h"),
        ("1d", 86400.0, "d"),
        ("0", 0.0, None),
    ],
)
def test_time_is_read_in_seconds(text: str, seconds: float, unit: str | None) -> None:
    duration = parse_time(text)
    assert duration.seconds == pytest.approx(seconds)
    assert duration.unit_written == unit


def test_bare_number_counts_in_the_keywords_own_unit() -> None:
    assert parse_time("10", "s").seconds == 10


def test_what_follows_a_unit_is_ignored_as_by_the_server() -> None:
    assert parse_time("1h30m").seconds == 3600
    assert parse_time("1h30m").ignored == "30m"


def test_times_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    texts = listed("""
1 0 s ms 1s 1ms 1us 1000us 1m 1h 1d 24d 25d 2147483647 2147483648 2147483s 2147484s 1.5s 1S -1 +1
1sec 30mn 10000000000us 2147483647001us 99999999999999999999 5ss 1h30m 0x10 010 1w 1e3 us 1u
35791m 35792m 596h 597h 2147483648us
""")
    for judge in judges(tmp_path):
        refused = judge.refused(f"{DEFAULTS}backend b\n", [f"timeout queue {t}" for t in texts])
        assert refused
        for text in texts:
            assert accepts(parse_time, text) == (f"timeout queue {text}" not in refused), text


def test_sizes_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    texts = listed("""
1 1k 1K 1m 1g 3g 4g 1kb 1.5k -1 4294967295 4294967296 4194303k 4194304k 0x1 1t
""")
    for judge in judges(tmp_path):
        for text in texts:
            table = f"backend b\n{TIMEOUTS}  stick-table type ip size {text}\n"
            assert accepts(parse_size, text) == (judge.check(table)[0] == 2), text


def test_size_is_in_bytes() -> None:
    assert parse_size("16k") == 16384
    assert parse_size("2G") == 2 * 1024**3


# Addresses

ADDRESSES = listed("""
1.2.3.4:80 1.2.3.4 1.2.3.4: 1.2.3.4:0 1.2.3.4:65535 1.2.3.4:65536 1.2.3.4:+10 1.2.3.4:-10 *:80 *
:80 1.2.3.4:80-90 1.2.3.4:90-80 1.2.3.4:abc [::1]:80 [::1] ::1:80 ::1 :::80 :: [::] fe80::1
ipv4@1.2.3.4:80 ipv6@[::1]:80 ipv6@1.2.3.4:80 ipv4@[::1]:80 ip@127.0.0.1:80 unix@/tmp/s /tmp/s
abns@name tcp@1.2.3.4:80 tcp4@1.2.3.4:80 tcp6@[::1]:80 udp@1.2.3.4:80 stream+ipv4@1.2.3.4:80
dgram+ipv4@1.2.3.4:80 unix@rel uxst@/tmp/x uxdg@/x stream+unix@/x foo@1.2.3.4:80 [::1:80 [::1]80
256.1.1.1:80 localhost:80 localhost ip@:80 127.1:80 1.2.3.4:080 [1.2.3.4]:80 1.2.3.4:80:90 fd@x
fd@-1 local:host:80 127.0.0.1:+ / 0 0:80 2130706433:80 [::1%lo]:80 [::ffff:1.2.3.4]:80
::ffff:1.2.3.4:80 1.2.3.4:1-2-3 1.2.3.4:80,1.2.3.5:80 http://1.2.3.4:80 1.2.3.4:80x
""")


def test_bind_addresses_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    texts = [*ADDRESSES, ":80,:443", ",", "1.2.3.4:80,", "1.2.3.4:0x50"]
    for judge in judges(tmp_path):
        refused = judge.refused(f"{DEFAULTS}frontend f\n", [f"bind {text}" for text in texts])
        for text in texts:
            real = f"bind {text}" not in refused
            if text == "1.2.3.4:0x50":
                assert not real
            assert accepts(parse_bind_addresses, text) == real, text


def test_server_addresses_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    """A host that no resolver can find is refused at start; `has_hopeless_host` tells."""

    def usable(text: str) -> bool:
        return accepts(parse_server_address, text) and not parse_address(text).has_hopeless_host

    for judge in judges(tmp_path)[-1:]:
        for text in ADDRESSES:
            code, _ = judge.check(f"{DEFAULTS}backend b\n  server s {text}\n")
            assert usable(text) == (code != 1), text


def test_parts_of_an_address() -> None:
    assert parse_address("[::1]:80").host == "::1"
    assert parse_address("[::1]:80").family is Family.IPV6
    assert parse_address("::1:80").host == "::1"
    assert parse_address("*:80").family is Family.ANY
    assert parse_address("*:80").is_any
    assert parse_address("0.0.0.0:80").is_any
    assert parse_address("App.Example.:80").canonical_host == "app.example"
    assert list(parse_address("10.0.0.1:80-82").ports) == [80, 81, 82]
    assert parse_address("10.0.0.1:+100").offset == 100
    assert parse_address("unix@/run/app.sock").path == "/run/app.sock"
    assert parse_address("/run/app.sock").family is Family.UNIX
    assert parse_address("abns@app").family is Family.ABSTRACT
    assert parse_address("fd@7").descriptor == 7
    assert parse_address("rhttp@pool/srv").path == "pool/srv"
    assert parse_address("quic4@:443").transport == "quic"
    assert parse_address("dgram+unix@/dev/log").transport == "dgram"
    assert [a.port for a in parse_bind_addresses(":80,[::]:443")] == [80, 443]


def test_variables_make_parts_unknown() -> None:
    both = parse_address("${BACKEND}")
    assert both.host is None
    assert both.port_unknown
    host = parse_address("$UP:80")
    assert (host.family, host.host, host.port) == (Family.UNKNOWN, None, 80)
    port = parse_address("127.0.0.1:${PORT-8080}")
    assert (port.host, port.port, port.port_unknown) == ("127.0.0.1", None, True)
    assert port.variables == ("${PORT-8080}",)
    assert parse_address("${H-a:b}:80").port == 80
    assert len(parse_bind_addresses("${A-x,y}:80,:81")) == 2


def nginx_accepts(folder: Path, body: str) -> bool:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        pytest.skip("no nginx installed")
    config = folder / "nginx.conf"
    config.write_text(f"pid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{body}\n}}\n")
    result = subprocess.run(
        [binary, "-t", "-p", str(folder), "-c", str(config), "-e", "stderr"],
        capture_output=True,
        timeout=20,
        check=False,
    )
    return result.returncode == 0


def test_nginx_listen_addresses(tmp_path: Path) -> None:
    texts = listed("""
80 0 65535 65536 *:8080 127.0.0.1 127.0.0.1:80 127.0.0.1: [::]:80 [::1] ::1 unix: localhost:80
unix:/tmp/x.sock * 8000-8005 127.0.0.1:8000-8005 8005-8000 :80 [::1:80 127.0.0.1:abc 127.0.0.1:80x
unix:/tmp/x:80 08080 *:8000-8001
""")
    for text in texts:
        real = nginx_accepts(tmp_path, f"server {{ listen {text}; }}")
        assert accepts(parse_listen_address, text) == real, text
    assert list(parse_listen_address("8000-8002").ports) == [8000, 8001, 8002]
    assert parse_listen_address("8000-8002").is_any
    assert parse_listen_address("127.0.0.1").port == 80


def test_nginx_upstream_servers(tmp_path: Path) -> None:
    texts = listed("""
127.0.0.1 127.0.0.1:80 127.0.0.1:0 127.0.0.1:65536 localhost [::1] [::1]:80 [::1]80 ::1
unix:/tmp/x unix: *:80 :80 127.0.0.1: 127.0.0.1:80x http://127.0.0.1 127.0.0.1/x 127.0.0.1:80/x
127.0.0.1:80-90 UNIX:/tmp/x [x]:80
""")
    for text in texts:
        body = f"upstream u {{ server {text}; }} server {{ listen 8080; }}"
        assert accepts(parse_upstream_server, text) == nginx_accepts(tmp_path, body), text


def test_nginx_proxy_pass(tmp_path: Path) -> None:
    texts = listed("""
http://127.0.0.1 http://127.0.0.1:80 http://127.0.0.1:0 http://127.0.0.1:99999
https://localhost/x?y http://[::1]:80/x http://unix:/tmp/x:/uri http://unix: http:// http:///x
http://:80 http://a:b http://127.0.0.1:/x http://127.0.0.1:80x http://$host:80/x
http://$host$request_uri http://127.0.0.1?x http://::1:80/
""")
    for text in texts:
        body = f"server {{ listen 8080; location / {{ proxy_pass {text}; }} }}"
        assert accepts(parse_upstream_url, text) == nginx_accepts(tmp_path, body), text


def test_parts_of_an_upstream_url() -> None:
    plain = parse_upstream_url("https://app/x?y")
    assert (plain.scheme, plain.address.host, plain.address.port) == ("https", "app", 443)
    assert (plain.uri, plain.port_written) == ("/x?y", False)
    assert parse_upstream_url("http://app:8080").uri == ""
    socket = parse_upstream_url("http://unix:/run/app.sock:/api")
    assert (socket.address.path, socket.uri) == ("/run/app.sock", "/api")
    assert parse_upstream_url("http://$backend").uri is None
    assert parse_upstream_url("http://$backend:80/").uri == "/"
    assert parse_upstream_url("$proto://$app:$port").address.port_unknown
    assert parse_upstream_url("127.0.0.1:9000").address.port == 9000


# Server and bind lines


def test_server_line_in_its_parts() -> None:
    server = parse_server(
        line("server s1 10.0.0.1:80 check inter 2s source 10.0.0.9 usesrc clientip no-ssl weight 5")
    )
    assert server.name is not None
    assert server.name.value == "s1"
    assert server.address is not None
    assert server.address.value == "10.0.0.1:80"
    assert [p.name for p in server.parameters] == ["check", "inter", "source", "ssl", "weight"]
    assert "check" in server
    assert "ssl" not in server
    assert server.last("ssl") is not None
    assert server.value("weight") == "5"
    source = server.get("source")
    assert source is not None
    assert [word.value for word in source.values] == ["10.0.0.9", "usesrc", "clientip"]
    assert server.unknown == ()


def test_default_server_and_template() -> None:
    assert parse_server(line("default-server inter 1s")).value("inter") == "1s"
    template = parse_server(line("server-template app 1-3 app.local:80 check"))
    assert template.count is not None
    assert template.address is not None
    assert (template.count.value, template.address.value) == ("1-3", "app.local:80")
    span = parse_template_range("1-3")
    assert span is not None
    assert span.size == 3
    assert parse_template_range("x") is None


def test_unknown_and_unfinished_parameters() -> None:
    server = parse_server(line("server s1 10.0.0.1:80 chekc weight"))
    assert [p.keyword.value for p in server.unknown] == ["chekc"]
    assert "check" in server.unknown[0].suggestions()
    assert server.parameters[-1].missing == 1


def test_a_variable_among_parameters_is_not_unknown() -> None:
    server = parse_server(line('server s1 10.0.0.1:80 "${OPTIONS[*]}" check'))
    assert server.unknown == ()
    assert server.parameters[0].uncertain
    assert "check" in server


def test_every_parameter_of_the_data_takes_the_words_that_haproxy_takes(tmp_path: Path) -> None:
    """A parameter of the table, its words, and then `weight 1`: no "unknown keyword" follows."""
    from gwlint.syntax.haproxy.keywords import parameter_arities

    lines = {
        f"server s{i} 127.0.0.1:80 {name} {'1 ' * max(words, 0)}check": name
        for i, (name, words) in enumerate(parameter_arities("server").items())
        if words >= 0 and name != "set-proxy-v2-tlv-fmt"
    }
    for judge in judges(tmp_path):
        refused = judge.refused(f"{DEFAULTS}backend b\n", list(lines), chunk=30)
        for text, alert in refused.items():
            if "unknown keyword" in alert:
                assert f"'{lines[text]}'" in alert, alert


def test_bind_line_in_its_parts() -> None:
    bind = parse_bind(line("bind :443,:8443 ssl crt /a.pem alpn h2,http/1.1 no-sslv3 accept-proxi"))
    assert bind.address is not None
    assert bind.address.value == ":443,:8443"
    assert bind.value("crt") == "/a.pem"
    assert [p.keyword.value for p in bind.unknown] == ["accept-proxi"]
    socket = parse_bind(line("stats socket /run/h.sock level admin"))
    assert socket.address is not None
    assert (socket.address.value, socket.value("level")) == ("/run/h.sock", "admin")


def test_ten_thousand_distinct_server_lines_are_read() -> None:
    text = "backend b\n" + "".join(
        f"  server s{i} 10.{i >> 16}.{i >> 8 & 255}.{i & 255}:80 check inter {i}ms weight {i}\n"
        for i in range(10_000)
    )
    lines = parse(Source("x.cfg", text.encode())).sections[0].lines
    for each in lines:
        server = parse_server(each)
        assert server.address is not None
        assert parse_server_address(server.address.value).port == 80


# Conditions and ACLs

CONDITIONS = (
    """
if a|unless a|if !a|if ! a|if !!a|if a b|if a or b|if a \\|\\| b|if a OR b|if or|if a or|if or a
if { src 1.2.3.4 }|if !{ src 1.2.3.4 }|if ! { src 1.2.3.4 }|if { }|if {|if { src|if TRUE|if METH_GET
if { path_beg /a } or { hdr(host) -i x }|if { path -m beg -i /a }|if { path -q a }|if { path }
if { path -- -a }|if { path -u 5 a }|if a !|if !or a|if { hdr(host) lower a }|if { path -i -foo }
if { hdr_cnt(host) gt 1 }|if { hdr_cnt(host) gt -1 }|if { path_beg,lower /a }|if { path -m }
""".replace("\\|\\|", "\0")
    .replace("\n", "|")
    .split("|")
)
CONDITIONS = [text.replace("\0", "||") for text in CONDITIONS if text]


def condition_is_read(text: str) -> bool:
    try:
        parse_condition(line(f"redirect {text}").arguments)
    except WordProblem:
        return False
    return True


def test_conditions_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    head = f"{DEFAULTS}frontend f\n  acl a src 1.2.3.4\n  acl b path /x\n"
    for judge in judges(tmp_path)[-1:]:
        for text in CONDITIONS:
            code, _ = judge.check(f"{head}  http-request deny {text}\n")
            assert condition_is_read(text) == (code != 1), text


def test_predefined_acls_exist(tmp_path: Path) -> None:
    names = sorted(PREDEFINED_ACLS - {"HTTP_3.0"})
    for judge in judges(tmp_path):
        code, reports = judge.check(
            f"{DEFAULTS}frontend f\n"
            + "".join(f"  http-request set-header A b if {name}\n" for name in names)
        )
        assert code != 1, reports


def test_condition_in_its_parts() -> None:
    before, rest = split_condition(
        line("use_backend api if a !b or ! { path_beg -i /api /v2 }").arguments
    )
    assert [word.value for word in before] == ["api"]
    condition = parse_condition(rest)
    assert not condition.is_negated
    first, second = condition.terms
    assert [(o.negated, o.name and o.name.value) for o in first] == [(False, "a"), (True, "!b")]
    anonymous = second[0].anonymous
    assert second[0].negated
    assert anonymous is not None
    assert anonymous.sample.value == "path_beg"
    assert [flag.word.value for flag in anonymous.flags] == ["-i"]
    assert [pattern.value for pattern in anonymous.patterns] == ["/api", "/v2"]


def test_acl_in_its_parts() -> None:
    acl = parse_acl(line("acl big hdr_cnt(x) -m int gt 5").arguments)
    assert acl.name.value == "big"
    method = acl.expression.flag("-m")
    assert method is not None
    assert method.value is not None
    assert method.value.value == "int"
    assert acl.expression.operator is not None
    assert acl.expression.operator.value == "gt"
    assert [word.value for word in acl.expression.patterns] == ["5"]


def test_acl_names_are_refused_where_haproxy_refuses_them(tmp_path: Path) -> None:
    for judge in judges(tmp_path):
        for text in ("x src", "x- src", "x:y src", "x/y src", "or src", "x", "if src"):
            code, _ = judge.check(f"{DEFAULTS}frontend f\n  acl {text}\n")
            try:
                parse_acl(line(f"acl {text}").arguments)
            except WordProblem:
                assert code == 1, text
            else:
                assert code != 1, text


# Sample expressions and log-formats

SAMPLES = listed(r"""
hdr(host) hdr(host),lower hdr(host),,lower hdr(host), src() hdr hdr(host hdr(host)) hdr(host)lower
nope hdr(host),nope str("a,b)") str('a,b)') str('a\'b') str(a(b) str(a(b)) int(5),add(1)
hdr(host,1,2) url32+src str(a,b) ( path,field(1,/) src,ipmask(24) var(txn.a) str(") str(a"b)
str(\)) date(1,ms) hdr_beg(host) path_beg rand() hdr(host),lower(x) hdr(host),lower() nbsrv(l)
hdr(host),map(a,b,c) hdr(host);lower hdr(host),Lower HDR(host) req.hdr(a),regsub(\"a\",b,g)
""")


def sample_is_right(text: str) -> bool:
    return accepts(parse_sample, text) and not list(sample_problems(parse_sample(text)))


def test_samples_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    texts = [text for text in SAMPLES if "regsub" not in text]
    for judge in judges(tmp_path)[-1:]:
        for text in texts:
            quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
            code, _ = judge.check(f"{DEFAULTS}listen l\n  http-request set-var(txn.z) {quoted}\n")
            assert sample_is_right(text) == (code != 1), text


def test_sample_in_its_parts() -> None:
    sample = parse_sample("""req.hdr('a,b',1),regsub("\\"x\\"",y,g),lower""")
    assert sample.fetch.name == "req.hdr"
    assert sample.fetch.arguments == ("a,b", "1")
    assert [call.name for call in sample.converters] == ["regsub", "lower"]
    assert sample.converters[0].arguments == ('"x"', "y", "g")
    assert sample.converters[1].arguments is None
    assert parse_sample("src()").fetch.arguments == ()


def test_sample_problems_bring_suggestions_and_spare_lua() -> None:
    found = list(sample_problems(parse_sample("req.hdrs_bi,lowr")))
    assert [near[:1] for _, near in found] == [["req.hdrs_bin"], ["lower"]]
    assert not list(sample_problems(parse_sample("lua.f,lua.g(1)")))
    assert list(sample_problems(parse_sample("hdr_beg(host)")))
    assert not list(sample_problems(parse_sample("hdr_beg(host)"), in_acl=True))


LOG_FORMATS = """
a|%%|%|100%|% a|%zz|%ci|%cip|%ci:%cp|%[src]|%[src|%[src]]|%[str([a])]|%[str(a]b)]|%{+Q}o %ci|%{+Q
%{+Q,+X}o|%{+Q}ci|%{+Q}|%{}ci|%{+Q}[src]|%[nope]|%[]|%[ src ]|%(n)ci|%(n)[src]|%%%|%5|%HM%%|a%[src]b
""".replace("\n", "|").split("|")


def log_format_is_right(text: str) -> bool:
    if not accepts(parse_log_format, text):
        return False
    found = parse_log_format(text)
    return all(alias.is_known for alias in found.aliases) and not any(
        list(sample_problems(expression.sample)) for expression in found.expressions
    )


def test_log_formats_are_accepted_where_haproxy_accepts_them(tmp_path: Path) -> None:
    for judge in judges(tmp_path)[-1:]:
        for text in filter(None, LOG_FORMATS):
            code, _ = judge.check(f"{DEFAULTS}listen l\n  log-format '{text}'\n")
            assert log_format_is_right(text) == (code != 1), text


def test_aliases_exist(tmp_path: Path) -> None:
    for judge in judges(tmp_path):
        text = " ".join(f"%{alias}" for alias in sorted(ALIASES))
        code, reports = judge.check(f"{DEFAULTS}listen l\n  log-format '{text}'\n")
        assert code != 1, reports


def test_log_format_in_its_parts() -> None:
    found = parse_log_format("%{+Q}r 100%% %[src,ipmask(24)] %ci")
    assert [(alias.name, alias.flags) for alias in found.aliases] == [("r", "+Q"), ("ci", "")]
    assert found.expressions[0].sample.converters[0].arguments == ("24",)
    assert parse_log_format("plain").is_literal


# Any input

READERS: list[Callable[[str], object]] = [
    parse_time,
    parse_size,
    parse_address,
    parse_server_address,
    parse_bind_addresses,
    parse_listen_address,
    parse_upstream_server,
    parse_upstream_url,
    parse_sample,
    parse_log_format,
]
NEARLY = st.text(alphabet="0123456789smhdk:.,-+*@/[](){}%$\\'\"!ab \u0661\x00\udc80", max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.one_of(NEARLY, st.text(max_size=40)))
def test_no_text_is_a_crash(text: str) -> None:
    for read in READERS:
        accepts(read, text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["a", "!", "!a", "{", "}", "or", "||", "if", "-m", "--", '""'])))
def test_no_condition_is_a_crash(words: list[str]) -> None:
    arguments = line(" ".join(["x", "if", *words])).arguments
    try:
        parse_condition(arguments)
    except WordProblem as problem:
        assert problem.word is None or problem.word in arguments


@pytest.mark.parametrize("piece", ["(", "a(", "[", "{", "%{", "%[a(", "${", "'", '"', "\\", ":"])
def test_no_deep_nesting_is_a_crash_or_a_hang(piece: str) -> None:
    text = piece * 100_000
    assert all(accepts(read, text) in (True, False) for read in READERS)


def test_equal_values_are_parsed_once() -> None:
    assert parse_address("10.9.8.7:80") is parse_address("10.9.8.7:80")
    assert isinstance(parse_address("10.9.8.7:80"), Address)


# Real configurations


def test_values_of_accepted_configurations_are_understood() -> None:
    """Every server, bind, acl, condition and timeout of files that HAProxy accepts."""
    counted = 0
    for path in corpus_files("haproxy", "haproxy_c_stubbed", {"ok", "ok-no-listener"}):
        for section in parse(Source(path.name, path.read_bytes())).sections:
            for each in section.lines:
                counted += _understood(section.kind, each)
    assert counted > 1000


def _understood(kind: str, each: Line) -> int:
    if each.keyword in ("server", "default-server", "server-template"):
        server = parse_server(each)
        assert not server.unknown, each
        assert not any(parameter.missing for parameter in server.parameters), each
        if server.address is not None and not server.address.references:
            parse_server_address(server.address.value)
        return 1
    if each.keyword == "bind":
        bind = parse_bind(each)
        assert not bind.unknown, each
        if bind.address is not None and not bind.address.references:
            parse_bind_addresses(bind.address.value)
        return 1
    if each.keyword == "acl":
        sample = parse_acl(each.arguments).expression.sample
        if not sample.references:
            assert not list(sample_problems(parse_sample(sample.value), in_acl=True)), each
        return 1
    if each.keyword == "timeout" and not each.arguments[1].references:
        parse_time(each.values[1])
        return 1
    if kind in ("frontend", "listen", "backend") and each.keyword.startswith(("http-re", "use_")):
        _, condition = split_condition(each.arguments)
        if condition:
            parse_condition(condition)
        return 1
    return 0


def test_addresses_of_accepted_nginx_configurations_are_understood() -> None:
    from gwlint.syntax.nginx.parser import parse as parse_nginx

    counted = 0
    readers: dict[tuple[str, str], Callable[[str], object]] = {
        ("server", "listen"): parse_listen_address,
        ("upstream", "server"): parse_upstream_server,
        ("location", "proxy_pass"): parse_upstream_url,
        ("location", "fastcgi_pass"): parse_upstream_url,
        ("location", "uwsgi_pass"): parse_upstream_url,
    }
    for path in corpus_files("nginx", "nginx_t_stubbed", {"ok"}):
        pending = list(parse_nginx(Source(path.name, path.read_bytes())).directives)
        while pending:
            directive = pending.pop()
            pending.extend(getattr(directive.block, "directives", ()))
            parent = directive.parent.name if directive.parent else ""
            read = readers.get((parent, directive.name))
            if read is not None:
                read(directive.values[0])
                counted += 1
    assert counted > 1000
