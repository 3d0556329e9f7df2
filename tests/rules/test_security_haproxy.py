"""HAP801 to HAP812, with HAProxy itself as the judge of what fixes write."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import selected
from gwlint.rule import Severity
from gwlint.settings import Settings

HEAD = """\
global
\tmaxconn 100
defaults
\tmode http
\ttimeout connect 5s
\ttimeout client 5s
\ttimeout server 5s
"""
PAGE = f"{HEAD}listen st\n\tbind :8404\n\tstats enable\n"
WEB = f"{HEAD}frontend web\n\tbind :8080\n"
APP = "\tdefault_backend app\nbackend app\n\tserver s1 10.0.0.1:80\n"
TLS = f"{HEAD}frontend web\n\tbind :8443 ssl crt /etc/h.pem"


def severities(text: str, code: str, target: str | None = None) -> list[Severity]:
    return [found.severity for found in findings(text, code, target)]


def starts(text: str, folder: Path) -> bool:
    """Whether every HAProxy that is installed takes the file."""
    return all(judge.check(text)[0] != 1 for judge in judges(folder))


# HAP801


@pytest.mark.parametrize(
    "line",
    [
        "stats auth joe:Vq8-hw2k-Zz",
        "stats http-request deny unless { src 10.0.0.0/8 }",
        "http-request deny if !{ src 10.0.0.0/8 }",
        "http-request auth unless { http_auth(users) }",
        "http-request deny",
        "tcp-request connection reject unless { src 10.0.0.0/8 }",
        "tcp-request content reject unless { src 10.0.0.0/8 }",
        "acl known src -f /etc/known\n\thttp-request deny unless known",
        "http-request deny unless known-to-nobody",
        "http-request lua.guard",
        "mode tcp",
        "disabled",
    ],
)
def test_a_page_that_somebody_guards_is_not_open(line: str) -> None:
    assert findings(f"{PAGE}\t{line}\n", "HAP801") == []


@pytest.mark.parametrize(
    "line",
    [
        "http-request deny if { path_beg /admin }",
        "acl bad url_sub ..\n\thttp-request deny if bad",
        "http-request deny if METH_TRACE",
        "http-request deny unless { hdr(host) -i stats.example.com }",
        "stats hide-version",
        "stats scope .",
        # HAProxy serves the page before this statement (measured).
        "redirect scheme https",
    ],
)
def test_rules_about_something_else_guard_nothing(line: str) -> None:
    assert severities(f"{PAGE}\t{line}\n", "HAP801") == [Severity.WARNING]


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        (":8404", [Severity.WARNING]),
        ("192.0.2.7:8404", [Severity.INFO]),
        ("8.8.4.4:8404", [Severity.WARNING]),
        ("10.0.0.7:8404", [Severity.INFO]),
        ("127.0.0.1:8404", []),
        ("[::1]:8404", []),
        ("localhost:8404", []),
        ("/run/stats.sock", []),
        ("unix@/run/stats.sock", []),
        ("abns@stats", []),
        ('"$ADDRESS:8404"', []),
        ("127.0.0.1:8404,:8405", [Severity.WARNING]),
        (":8404 ssl crt /etc/h.pem ca-file /etc/ca.pem verify required", []),
        (":8404 ssl crt /etc/h.pem ca-file /etc/ca.pem verify optional", [Severity.WARNING]),
    ],
)
def test_the_address_tells_who_comes_in(bind: str, expected: list[Severity]) -> None:
    assert severities(PAGE.replace(":8404", bind), "HAP801") == expected


def test_a_page_in_a_backend_is_as_open_as_the_way_to_it() -> None:
    page = "backend st\n\tstats enable\n"
    for route, is_open in (
        ("default_backend st", True),
        ("use_backend st if { path_beg /st }", True),
        ("use_backend st if { src 10.0.0.0/8 }", False),
        ("acl office src 10.0.0.0/8\n\tuse_backend st if office { path_beg /st }", False),
    ):
        assert bool(findings(f"{WEB}\t{route}\n{page}", "HAP801")) is is_open, route
    assert findings(HEAD + page, "HAP801") == []


def test_a_page_of_the_defaults_is_reported_once() -> None:
    text = f"{HEAD}\tstats enable\nlisten a\n\tbind 10.0.0.1:1\nlisten b\n\tbind :2\nlisten c\n"
    (found,) = findings(f"{text}\tbind :3\n", "HAP801")
    assert found.statement.normalised == "stats enable"
    assert found.severity is Severity.WARNING


def test_a_password_of_the_defaults_is_lost_where_the_section_has_own_lines() -> None:
    with_password = f"{HEAD}\tstats auth joe:Vq8-hw2k-Zz\nlisten st\n\tbind :8404\n"
    assert findings(with_password, "HAP801") == []
    (found,) = findings(f"{with_password}\tstats uri /\n", "HAP801")
    assert any("stats auth" in label.span.text for label in found.related)


@pytest.mark.parametrize(
    ("credentials", "is_published"),
    [
        ("admin:admin", True),
        ("joe:joe", True),
        ("joe:Password", True),
        ("haproxy:123456", True),
        ("admin:Vq8-hw2k-Zz", False),
        ('"joe:$SECRET"', False),
        ("<user>:<password>", False),
    ],
)
def test_passwords_that_everybody_knows(credentials: str, is_published: bool) -> None:
    found = findings(f"{PAGE}\tstats auth {credentials}\n", "HAP801")
    assert [one.severity for one in found] == [Severity.ERROR] * is_published
    # The password is not repeated in what may be shown elsewhere.
    assert all(credentials.partition(":")[2] not in one.message for one in found)


def test_what_hangs_on_a_condition_is_not_judged() -> None:
    assert findings(PAGE.replace("\tstats", ".if defined(A)\n\tstats") + ".endif\n", "HAP801") == []
    fragment = "listen st\n\tbind :8404\n\tstats enable\n"
    assert findings(fragment, "HAP801") == []
    assert len(findings(f"{fragment}\tmode http\n", "HAP801")) == 1


# HAP802


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("if TRUE", [Severity.ERROR]),
        ("if { always_true }", [Severity.ERROR]),
        ("unless FALSE", [Severity.ERROR]),
        ("if LOCALHOST", []),
        ("if LOCALHOST or TRUE", [Severity.ERROR]),
        ("if LOCALHOST TRUE", []),
        ("if !TRUE", []),
        ("if { http_auth_group(users) admin }", []),
    ],
)
def test_the_page_administers_for_everybody(condition: str, expected: list[Severity]) -> None:
    assert severities(f"{PAGE}\tstats admin {condition}\n", "HAP802") == expected


def test_a_password_or_a_private_address_makes_it_less() -> None:
    text = f"{PAGE}\tstats admin if TRUE\n"
    assert findings(f"{text}\tstats auth joe:Vq8-hw2k-Zz\n", "HAP802") == []
    assert severities(text.replace(":8404", "10.0.0.1:8404"), "HAP802") == [Severity.WARNING]


# HAP803


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/run/h.sock mode 666 level admin", [Severity.WARNING]),
        ("/run/h.sock level admin mode 0777", [Severity.WARNING]),
        ("/run/h.sock mode 666", [Severity.WARNING]),
        ("/run/h.sock mode 664 level admin", []),
        ("/run/h.sock mode 755 level admin", []),
        ("/run/h.sock level admin", []),
        ("/run/h.sock mode 666 level user", []),
        ("/run/h.sock mode $MODE level admin", []),
        (":9999 level admin", [Severity.WARNING]),
        ("ipv4@10.0.0.1:9999 level admin", [Severity.WARNING]),
        (":9999", [Severity.INFO]),
        (":9999 level user", []),
        ("ipv4@127.0.0.1:9999 level admin", [Severity.INFO]),
        ("ipv4@127.0.0.1:9999", []),
        ('"$SOCKET" level admin', []),
    ],
)
def test_who_may_talk_to_the_socket(words: str, expected: list[Severity]) -> None:
    text = HEAD.replace("global\n", f"global\n\tstats socket {words}\n")
    assert severities(text, "HAP803") == expected


def test_the_socket_is_narrowed(tmp_path: Path) -> None:
    line = "\tstats socket /run/h.sock  mode 666 level admin # all"
    text = f"{WEB}{APP}".replace("\tmaxconn 100", line)
    after = fixed_text(text, "HAP803")
    assert after == text.replace("666", "660")
    assert starts(after, tmp_path)


# HAP804


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", []),
        ("ssl-min-ver TLSv1.0", [Severity.WARNING]),
        ("ssl-min-ver TLSv1.1", [Severity.WARNING]),
        ("ssl-min-ver TLSv1.2", []),
        ("ssl-min-ver TLSv1.0 ssl-min-ver TLSv1.2", []),
        ("force-tlsv10", [Severity.WARNING]),
        ("force-tlsv12", []),
        ("force-tlsv10 ssl-min-ver TLSv1.2", [Severity.WARNING]),
        ("ssl-max-ver TLSv1.1", [Severity.WARNING]),
        ("ssl-max-ver TLSv1.2", []),
        ("no-sslv3", []),
        ("no-tlsv10 no-tlsv11", []),
        ("no-tlsv12", [Severity.INFO]),
        ("no-tlsv13", []),
        ("ssl-min-ver TLSv1.2 no-tlsv12", []),
        ("ssl-min-ver TLSv1.0 no-tlsv10 no-tlsv11", [Severity.WARNING]),
    ],
)
def test_the_versions_of_a_port(words: str, expected: list[Severity]) -> None:
    assert severities(f"{TLS} {words}\n", "HAP804") == expected
    general = f"global\n\tssl-default-bind-options {words}\n"
    assert severities(f"{TLS}\n".replace("global\n", general), "HAP804") == expected


def test_the_default_is_of_the_version() -> None:
    assert findings(f"{TLS}\n", "HAP804") == []
    assert findings(f"{TLS}\n", "HAP804", "2.2") == []
    assert severities(f"{TLS}\n", "HAP804", "2.0") == [Severity.WARNING]
    assert findings(f"{TLS} no-tlsv10 no-tlsv11\n", "HAP804", "2.0") == []
    general = "global\n\tssl-default-bind-options ssl-min-ver TLSv1.2\n"
    assert findings(f"{TLS}\n".replace("global\n", general), "HAP804", "2.0") == []
    assert fixed_text(f"{TLS} # site\n", "HAP804", "2.0") == f"{TLS} ssl-min-ver TLSv1.2 # site\n"


def test_the_global_lowest_version_makes_no_words_ignored() -> None:
    general = "global\n\tssl-default-bind-options ssl-min-ver TLSv1.2\n"
    assert findings(f"{TLS} no-tlsv12\n".replace("global\n", general), "HAP804") == []


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("force-tlsv10", "ssl-min-ver TLSv1.2"),
        ("ssl-min-ver\tTLSv1.0", "ssl-min-ver\tTLSv1.2"),
        ("no-tlsv12", "ssl-min-ver TLSv1.3"),
    ],
)
def test_the_lowest_version_is_raised(words: str, after: str) -> None:
    assert fixed_text(f"{TLS} {words}\n", "HAP804") == f"{TLS} {after}\n"


def test_servers_with_old_versions_are_information() -> None:
    text = f"{WEB}{APP}".replace("10.0.0.1:80", "10.0.0.1:443 ssl verify none force-tlsv11")
    assert severities(text, "HAP804") == [Severity.INFO]
    assert findings(text.replace(" ssl verify none", ""), "HAP804") == []


# HAP805


@pytest.mark.parametrize(
    ("ciphers", "words"),
    [
        ("RC4-MD5:DES-CBC3-SHA", ["RC4", "MD5", "3DES"]),
        ("ECDHE+AESGCM:kRSA+3DES", ["3DES"]),
        ("EDH-RSA-DES-CBC-SHA:HIGH", ["DES"]),
        ("EXP-DES-CBC-SHA", ["export", "DES"]),
        ("ALL:@SECLEVEL=0", ["security level 0"]),
        ("HIGH:aNULL", ["no authentication"]),
        ("ADH-AES128-SHA", ["no authentication"]),
        ("NULL-SHA256", ["no encryption"]),
        ("HIGH:!aNULL:!MD5", []),
        ("ALL:!aNULL:!eNULL:!RC4:!3DES", []),
        ("HIGH:3DES:!3DES", []),
        ("HIGH:ADH:!aNULL", []),
        ("RC4:HIGH:-RC4", []),
        ("HIGH:+RC4", []),
        ("DEFAULT", []),
        ("ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA", []),
    ],
)
def test_what_a_cipher_list_lets_in(ciphers: str, words: list[str]) -> None:
    for text in (
        f"{TLS} ciphers {ciphers}\n",
        f"{TLS}\n".replace("global\n", f"global\n\tssl-default-bind-ciphers {ciphers}\n"),
    ):
        found = findings(text, "HAP805")
        assert len(found) == bool(words)
        assert all(word in found[0].message for word in words)


def test_lists_of_ports_without_tls_and_of_variables_are_left_alone() -> None:
    assert findings(f"{WEB}".replace(":8080", ":8080 ciphers RC4"), "HAP805") == []
    assert findings(f'{TLS} ciphers "$CIPHERS:RC4"\n', "HAP805") == []


def test_short_keys_and_broken_lists_are_replaced(tmp_path: Path) -> None:
    text = f"{WEB}{APP}".replace(
        "\tmaxconn 100", "\tssl-default-bind-ciphers 3DES:HIGH\n\ttune.ssl.default-dh-param 1024"
    )
    after = fixed_text(text, "HAP805")
    assert "\ttune.ssl.default-dh-param 2048\n" in after
    assert "\tssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:" in after
    assert starts(after, tmp_path)


# HAP806


@pytest.mark.parametrize(
    ("general", "words", "count"),
    [
        ("", "", 1),
        ("", "ssl-min-ver TLSv1.2", 1),
        ("", "ssl-min-ver TLSv1.3", 0),
        ("", "ciphers HIGH", 0),
        ("", "crt-list /etc/list", 0),
        ("ssl-default-bind-ciphers HIGH", "", 0),
        ("ssl-default-bind-options ssl-min-ver TLSv1.3", "", 0),
        ("ssl-default-bind-options no-tls-tickets", "", 1),
    ],
)
def test_ciphers_that_nobody_chose(general: str, words: str, count: int) -> None:
    text = f"{TLS} {words}\n".replace("global\n", f"global\n\t{general}\n")
    assert len(findings(text, "HAP806")) == count


def test_all_ports_are_one_finding_and_one_fix(tmp_path: Path) -> None:
    text = f"{TLS}\n\tbind :8444 ssl crt /etc/h.pem\n"
    (found,) = findings(text, "HAP806")
    assert "1 more port" in found.message
    after = fixed_text(text, "HAP806")
    assert "\tmaxconn 100\n\tssl-default-bind-ciphers ECDHE" in after
    assert "\tssl-default-bind-options ssl-min-ver TLSv1.2\n" in after
    assert starts(after.replace(" ssl crt /etc/h.pem", ""), tmp_path)
    assert findings("frontend web\n\tbind :443 ssl crt /etc/h.pem\n", "HAP806") == []


# HAP807


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("insecure-password secret", "insecure-password"),
        ("insecure-password secret groups a", "insecure-password"),
        ("groups a insecure-password secret", "insecure-password"),
        ("password $1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "password"),
        ("password abNANd1rDfiNc", "password"),
        ("password _J9..abcd/H6HLCcf7nw", "password"),
        ("password $5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.", None),
        ("password $6$abc$def", None),
        ("password $y$j9T$abc$def", None),
        ('insecure-password "$SECRET"', None),
        ("", None),
    ],
)
def test_passwords_of_users(words: str, word: str | None) -> None:
    found = findings(f"userlist u\n\tgroup a\n\tuser joe {words}\n", "HAP807")
    assert [one.span.text for one in found] == ([] if word is None else [word])
    assert all("secret" not in one.message for one in found)


# HAP808

HSTS = "set-header Strict-Transport-Security max-age=63072000"


@pytest.mark.parametrize(
    ("lines", "count", "is_fixed"),
    [
        (f"http-response {HSTS}", 1, True),
        (f"http-response {HSTS} if {{ ssl_fc }}", 1, True),
        (f"http-response {HSTS.lower()}", 1, True),
        (f"http-after-response {HSTS}", 0, False),
        (f"http-response {HSTS}\n\thttp-after-response {HSTS}", 0, False),
        (f"http-response {HSTS}\n\thttp-response del-header Server", 1, True),
        (f"http-response {HSTS}\n\thttp-response del-header Strict-Transport-Security", 1, False),
        (f"http-response {HSTS}\n\thttp-response del-header ^s -m reg", 1, False),
        (f"http-response deny if {{ status 500 }}\n\thttp-response {HSTS}", 1, False),
        ("http-response set-header X-Frame-Options DENY", 0, False),
        ("http-response del-header Strict-Transport-Security", 0, False),
        (f"mode tcp\n\thttp-response {HSTS}", 0, False),
    ],
)
def test_hsts_on_the_answers_of_haproxy(
    lines: str, count: int, is_fixed: bool, tmp_path: Path
) -> None:
    text = f"{WEB}\t{lines}\n{APP}"
    found = findings(text, "HAP808")
    assert len(found) == count
    assert all((one.fix is not None) is is_fixed for one in found)
    if is_fixed:
        after = fixed_text(text, "HAP808")
        assert after == text.replace("http-response " + HSTS[:4], "http-after-response set-", 1)
        assert starts(after, tmp_path)


def test_the_frontend_may_set_it_for_its_backends() -> None:
    text = f"{WEB}{APP}\thttp-response {HSTS}\n"
    assert len(findings(text, "HAP808")) == 1
    assert (
        findings(text.replace(":8080\n", f":8080\n\thttp-after-response {HSTS}\n"), "HAP808") == []
    )
    assert findings(text, "HAP808", "2.1") == []


# HAP809


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("option forwardfor", [Severity.INFO]),
        ("option forwardfor except 127.0.0.0/8", [Severity.INFO]),
        ("option forwardfor if-none", [Severity.WARNING]),
        ("option forwardfor header X-Client", []),
        ("option forwardfor header X-Forwarded-For", [Severity.INFO]),
        ("http-request del-header X-Forwarded-For\n\toption forwardfor", []),
        ("http-request del-header x-forwarded- -m beg\n\toption forwardfor", []),
        ("option forwardfor\n\thttp-request set-header x-forwarded-for %[src]", []),
        ("option forwardfor\n\thttp-request lua.headers", []),
        ("option forwardfor\n\ttcp-request connection reject if !{ src -f /cdn }", []),
        ("option forwardfor\n\thttp-request deny if { hdr_ip(x-forwarded-for) 10.0.0.1 }", []),
        ("http-request set-header X-Forwarded-For %[src]", []),
        ("http-request add-header X-Forwarded-For %[src]", [Severity.WARNING]),
        ("http-request add-header X-Forwarded-Proto http", [Severity.WARNING]),
        ("http-request set-header X-Forwarded-Proto http", []),
        ("http-request set-header X-Forwarded-Proto https if { ssl_fc }", [Severity.WARNING]),
        (
            "http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"
            "\thttp-request set-header X-Forwarded-Proto http if !{ ssl_fc }",
            [],
        ),
        (
            "acl tls ssl_fc\n\thttp-request set-header X-Forwarded-Proto https if tls\n"
            "\thttp-request set-header X-Forwarded-Proto http unless tls",
            [],
        ),
        (
            "http-request del-header X-Forwarded-Proto\n"
            "\thttp-request set-header X-Forwarded-Proto https if { ssl_fc }",
            [],
        ),
        (
            "http-request redirect scheme https unless { ssl_fc }\n"
            "\thttp-request set-header X-Forwarded-Proto https if { ssl_fc }",
            [],
        ),
        (
            "acl tls hdr(X-Forwarded-Proto) https\n"
            "\thttp-request add-header X-Forwarded-Proto https if tls",
            [],
        ),
        ("http-request set-header X-Real-IP %[src] if { path_beg /api }", []),
        ("", []),
    ],
)
def test_headers_that_clients_may_write(lines: str, expected: list[Severity]) -> None:
    assert severities(f"{WEB}\t{lines}\n{APP}", "HAP809") == expected


@pytest.mark.parametrize(
    "bind",
    ["127.0.0.1:8080", "/run/web.sock", "10.0.0.1:8080", ":8080 accept-proxy", '"$A:80"'],
)
def test_ports_that_strangers_do_not_reach(bind: str) -> None:
    text = f"{WEB}\toption forwardfor if-none\n{APP}".replace(":8080", bind, 1)
    assert findings(text, "HAP809") == []


def test_a_backend_may_take_the_header_away_or_have_the_option() -> None:
    text = f"{WEB}{APP}"
    option = f"{text}\toption forwardfor\n"
    assert severities(option, "HAP809") == [Severity.INFO]
    assert findings(f"{option}\thttp-request del-header X-Forwarded-For\n", "HAP809") == []
    # One of the two without if-none adds the header for all (measured).
    weak = option.replace(":8080\n", ":8080\n\toption forwardfor if-none\n")
    assert severities(weak, "HAP809") == [Severity.INFO]
    assert findings(option.replace("\tserver s1 10.0.0.1:80\n", ""), "HAP809") == []


def test_the_clients_header_is_deleted_before_other_rules(tmp_path: Path) -> None:
    text = f"{WEB}\toption forwardfor\n\tacl x path /x\n\thttp-request deny if x\n{APP}"
    after = fixed_text(text, "HAP809")
    deletion = "\thttp-request del-header X-Forwarded-For\n"
    assert after == text.replace("\thttp-request deny", f"{deletion}\thttp-request deny")
    assert starts(after, tmp_path)
    inherited = f"{WEB}{APP}".replace("\tmode http\n", "\tmode http\n\toption forwardfor\n")
    assert fixed_text(inherited, "HAP809") == inherited.replace(":8080\n", f":8080\n{deletion}")


def test_added_headers_become_set_ones(tmp_path: Path) -> None:
    text = f"{WEB}\thttp-request add-header  X-Forwarded-Proto http # plain\n{APP}"
    assert fixed_text(text, "HAP809") == text.replace("add-header", "set-header")
    conditional = f"{WEB}\thttp-request set-header X-Forwarded-Proto https if {{ ssl_fc }}\n{APP}"
    after = fixed_text(conditional, "HAP809")
    assert "\thttp-request del-header X-Forwarded-Proto\n\thttp-request set-header" in after
    assert starts(after, tmp_path)


# HAP810


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ("", "rights"),
        ("user haproxy", "file system"),
        ("uid 80", "file system"),
        ("chroot /empty", "rights"),
        ("user haproxy\n\tchroot /empty", None),
    ],
)
def test_rights_of_the_process(lines: str, word: str | None) -> None:
    found = findings(WEB.replace("global\n", f"global\n\t{lines}\n"), "HAP810")
    assert len(found) == (word is not None)
    assert all(word is not None and word in one.message for one in found)


def test_files_without_global_section_or_port_say_nothing_of_rights() -> None:
    assert findings(WEB.replace("global\n\tmaxconn 100\n", ""), "HAP810") == []
    assert findings(HEAD, "HAP810") == []


# HAP811

ROUTED = f"{WEB}\tuse_backend shop if {{ hdr(host) -i shop.example.com }}\n{APP}"
SHOP = "backend shop\n\tserver s1 10.0.0.2:80\n"


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("", "", 1),
        ("\tuse_backend shop", "\tuse_backend app", 1),
        ("{ hdr(host) -i shop.example.com }", "{ path_beg /shop }", 0),
        ("{ hdr(host) -i shop.example.com }", "{ src 10.0.0.0/8 }", 0),
        ("\tserver s1 10.0.0.1:80\n", "\thttp-request deny\n", 0),
        ("\tserver s1 10.0.0.1:80\n", "\thttp-request deny\n\tserver s1 10.0.0.1:80\n", 0),
        ("\tdefault_backend app\n", "", 0),
        (":8080", "127.0.0.1:8080", 0),
        (":8080", ":8080 ssl crt /etc/h.pem strict-sni", 0),
        (
            "\tuse_backend",
            "\tacl ours hdr(host) -i a.example.com\n\thttp-request deny unless ours\n\tuse_backend",
            0,
        ),
        (
            "\tuse_backend",
            "\thttp-request redirect prefix https://a if { hdr(host) b }\n\tuse_backend",
            0,
        ),
    ],
)
def test_hosts_that_nobody_configured(before: str, after: str, count: int) -> None:
    assert before in ROUTED
    text = ROUTED.replace(before, after, 1) if before else ROUTED
    assert len(findings(text + SHOP, "HAP811")) == count


# HAP812


@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("hdr(host) app.example.com", 1),
        ("hdr(Host) app.example.com", 1),
        ("hdr_dom(host) example.com", 1),
        ("req.hdr(host) -m end .example.com", 1),
        ("hdr(host) -m reg ^app", 1),
        ("hdr(host) -f /etc/hosts.lst", 1),
        ("hdr(host),field(1,:) app.example.com", 1),
        ("hdr(host) -i app.example.com", 0),
        ("hdr_end(host) -i -f /etc/hosts.lst", 0),
        ("hdr(host),lower app.example.com", 0),
        ("req.hdr(host) lower app.example.com", 0),
        ("req.hdr(host),host_only app.example.com", 0),
        ("hdr(host) -m reg (?i)^app", 0),
        ("hdr(host) 192.0.2.1 192.0.2.2:80", 0),
        ("hdr(host) -m found", 0),
        ("hdr_cnt(host) gt 1", 0),
        ("hdr(user-agent) Googlebot", 0),
        ("path /App", 0),
        ('hdr(host) "$HOST"', 0),
    ],
)
def test_hosts_compared_by_case(test: str, count: int) -> None:
    assert len(findings(f"{WEB}\tacl a {test}\n", "HAP812")) == count
    assert len(findings(f"{WEB}\thttp-request deny if !{{ {test} }}\n", "HAP812")) == count


# Profiles


@pytest.mark.parametrize(
    ("profile", "runs", "severity"),
    [
        ("reliability", False, Severity.INFO),
        ("security", True, Severity.WARNING),
        ("strict", True, Severity.INFO),
    ],
)
def test_the_profile_decides_on_the_topic_and_on_servers_that_are_not_verified(
    profile: str, runs: bool, severity: Severity, tmp_path: Path
) -> None:
    text = PAGE + "backend app\n\tserver s1 10.0.0.1:443 ssl verify none\n"
    (tmp_path / "haproxy.cfg").write_text(text)
    settings = Settings(profile=profile)
    rules = [file.load() for file in selected(profile, [], [])]
    found = check(load_project([str(tmp_path)], settings), settings, rules).findings
    assert any(one.code == "HAP801" for one in found) is runs
    assert [one.severity for one in found if one.code == "HAP605"] == [severity]


def test_no_rule_is_quadratic() -> None:
    """Thousands of backends, rules and ACLs: seconds at most, all rules of the topic together."""
    routes = "".join(
        f"\tacl h{n} hdr(host) h{n}.example.com\n\tuse_backend b{n} if h{n}\n" for n in range(2000)
    )
    backends = "".join(f"backend b{n}\n\tserver s1 10.0.0.1:80\n" for n in range(2000))
    text = f"{WEB}\toption forwardfor\n{routes}{backends}"
    text = text.replace("\tmode http\n", "\tmode http\n\tstats enable\n", 1)
    assert len(findings(text, "HAP801")) == 1
    assert len(findings(text, "HAP809")) == 1
    assert len(findings(text, "HAP812")) == 2000
