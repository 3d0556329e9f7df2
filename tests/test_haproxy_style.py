"""Fixes are written the way the author writes: columns, tabs, indentation, comments, order."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "rules"))
from support import fixed_text

TIMES = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
"""


def after(text: str, code: str) -> str:
    """What follows the defaults of `TIMES` after the fix."""
    return fixed_text(TIMES + text, code).removeprefix(TIMES)


def servers(*lines: str) -> str:
    return "backend app\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        pytest.param(
            ("server web1  10.0.0.1:80", "server web10 10.0.0.10:80"),
            ("server web1  10.0.0.1:80  check", "server web10 10.0.0.10:80 check"),
            id="the new words begin a column where the others stand in columns",
        ),
        pytest.param(
            ("server web1  10.0.0.1:80", "server web10 10.0.0.10:8080  check"),
            ("server web1  10.0.0.1:80     check", "server web10 10.0.0.10:8080  check"),
            id="the new word stands below that of the other line",
        ),
        pytest.param(
            ("server a 10.0.0.1:80", "server b 10.0.0.10:80"),
            ("server a 10.0.0.1:80 check", "server b 10.0.0.10:80 check"),
            id="nobody padded anything",
        ),
        pytest.param(
            ("server web1 10.0.0.1:80", "server web10 10.0.0.10:80"),
            ("server web1 10.0.0.1:80 check", "server web10 10.0.0.10:80 check"),
            id="ragged lines stay ragged",
        ),
        pytest.param(
            ("server\tweb1\t10.0.0.1:80", "server\tweb10\t10.0.0.10:80"),
            ("server\tweb1\t10.0.0.1:80\tcheck", "server\tweb10\t10.0.0.10:80\tcheck"),
            id="tabs between words",
        ),
        pytest.param(
            ("server a 10.0.0.1:80           # one", "server b 10.0.0.10:8080        # two"),
            ("server a 10.0.0.1:80 check     # one", "server b 10.0.0.10:8080 check  # two"),
            id="comments keep their column where there is room",
        ),
        pytest.param(
            ("server a 10.0.0.1:80 # one", "server b 10.0.0.1:81\t# two"),
            ("server a 10.0.0.1:80 check # one", "server b 10.0.0.1:81 check\t# two"),
            id="comments move where there is none",
        ),
    ],
)
def test_words_join_the_columns_of_the_servers(
    written: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    assert after(servers(*written), "HAP501") == servers(*wanted)


def test_lines_join_the_columns_of_their_section() -> None:
    text = """\
defaults
    mode                    http
    option                  dontlognull
    timeout connect         5s
    timeout client          30s
    timeout server          30s
frontend web
    bind                    :80
    default_backend         app
backend app
    server one 10.0.0.1:80 maxconn 10
    server two 10.0.0.2:80 maxconn 10
"""
    for code in ("HAP303", "HAP305", "HAP504"):
        text = fixed_text(text, code)
    assert text.startswith(
        """\
defaults
    mode                    http
    option                  dontlognull
    option                  redispatch
    timeout connect         5s
    timeout client          30s
    timeout server          30s
    timeout http-request    10s
    timeout queue           30s
"""
    )


def test_a_column_too_narrow_for_the_new_word_is_left() -> None:
    text = (
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client  30s\n  timeout server  9s\n"
    )
    frontend = (
        "frontend web\n  bind :80\n  default_backend app\nbackend app\n  server a 10.0.0.1:80\n"
    )
    assert fixed_text(text + frontend, "HAP303").startswith(f"{text}  timeout http-request 10s\n")


def test_lines_between_tabs() -> None:
    text = "defaults\n\tmode\thttp\n\toption\thttplog\n\ttimeout\tconnect\t5s\n"
    text += "\ttimeout\tclient\t30s\n\ttimeout\tserver\t30s\n"
    rest = (
        "frontend web\n\tbind\t:80\n\tdefault_backend\tapp\nbackend app\n\tserver\ta\t10.0.0.1:80\n"
    )
    assert fixed_text(text + rest, "HAP303").startswith(f"{text}\ttimeout\thttp-request\t10s\n")
    assert "\tbind\t:80\n\toption\tforwardfor\n" in fixed_text(text + rest, "HAP608")


def test_a_new_section_is_indented_like_the_others() -> None:
    text = (
        "defaults\n\tmode http\nbackend app\n\tserver s1 x.eu-west-1.elb.amazonaws.com:80 check\n"
    )
    assert "resolvers dns\n\tparse-resolv-conf\n\nbackend app\n" in fixed_text(text, "HAP106")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("timeout connect 30s   # slow network", "timeout connect 5s    # slow network"),
        ("timeout connect 30s # slow network", "timeout connect 5s # slow network"),
        ("timeout connect 30s   ", "timeout connect 5s   "),
    ],
)
def test_what_stands_behind_a_shorter_value_keeps_its_column(line: str, wanted: str) -> None:
    text = TIMES.replace("timeout connect 5s", line) + servers("server a 10.0.0.1:80 check")
    assert f"    {wanted}\n" in fixed_text(text, "HAP306")


def test_rules_move_with_their_comments() -> None:
    moved = after(
        """\
frontend web
    bind :80
    use_backend app if { path_beg /api }   # the API
    # Who asks for the old paths is sent on.
    # (ticket 12)
    http-request redirect location / if { path /old }  # for good
    default_backend app
backend app
    server a 10.0.0.1:80
""",
        "HAP901",
    )
    assert (
        """\
    bind :80
    # Who asks for the old paths is sent on.
    # (ticket 12)
    http-request redirect location / if { path /old }  # for good
    use_backend app if { path_beg /api }   # the API
    default_backend app
"""
        in moved
    )


def test_moved_rules_leave_no_double_blank_line() -> None:
    moved = after(
        """\
frontend web
    bind :80

    # The API has servers of its own.
    use_backend app if { path_beg /api }

    # Old paths.
    http-request redirect location / if { path /old }

    default_backend app
backend app
    server a 10.0.0.1:80
""",
        "HAP901",
    )
    assert moved.startswith(
        """\
frontend web
    bind :80

    # Old paths.
    http-request redirect location / if { path /old }
    # The API has servers of its own.
    use_backend app if { path_beg /api }

    default_backend app
"""
    )
