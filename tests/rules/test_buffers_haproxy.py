"""HAP202, HAP203: what the global section leaves of a buffer."""

from __future__ import annotations

import pytest
from support import findings, fixed_text

HEAD = "defaults\n\tmode http\n"


def in_global(*lines: str) -> str:
    return "global\n" + "".join(f"\t{line}\n" for line in lines) + HEAD


@pytest.mark.parametrize(
    ("lines", "room"),
    [
        (("tune.maxrewrite 8192",), 8192),
        # A reserve above half of the buffer is cut to that half.
        (("tune.maxrewrite 16k",), 8192),
        (("tune.bufsize 20000", "tune.maxrewrite 6000"), 14000),
        (("tune.maxrewrite 1025",), 15359),
    ],
)
def test_what_a_large_reserve_leaves(lines: tuple[str, ...], room: int) -> None:
    (found,) = findings(in_global(*lines), "HAP202")
    assert f"headers of more than {room} bytes" in found.message


@pytest.mark.parametrize(
    "lines",
    [
        ("tune.maxrewrite 1024",),
        ("tune.bufsize 8192",),  # HAP201 says so
        ("tune.bufsize 32768", "tune.maxrewrite 16384"),
        ("tune.maxrewrite 1025", "tune.bufsize 16385"),
        ('tune.maxrewrite "$RESERVE"',),
        ('tune.bufsize "$SIZE"', "tune.maxrewrite 8192"),
        (".if version_atleast(2.4)", "tune.maxrewrite 8192", ".endif"),
        ("tune.maxrewrite lots",),
    ],
)
def test_reserves_that_leave_enough_or_are_not_known(lines: tuple[str, ...]) -> None:
    assert findings(in_global(*lines), "HAP202") == []


def test_the_buffer_grows_until_the_default_room_is_left() -> None:
    after = fixed_text(in_global("tune.maxrewrite 8k # headers", "maxconn 10"), "HAP202")
    assert after.startswith(
        "global\n\ttune.maxrewrite 8k # headers\n\ttune.bufsize 23552\n\tmaxconn 10\n"
    )
    after = fixed_text(in_global("tune.bufsize 16384 # b", "tune.maxrewrite 16384"), "HAP202")
    assert "\ttune.bufsize 31744 # b\n" in after


def test_the_number_of_headers() -> None:
    (found,) = findings(in_global("tune.http.maxhdr 64"), "HAP203")
    assert found.span.text == "64"
    after = fixed_text(in_global("tune.http.maxhdr   64 # few"), "HAP203")
    assert "\ttune.http.maxhdr   101 # few\n" in after
    for sound in ("101", "1000", "0", '"$HEADERS"'):
        assert findings(in_global(f"tune.http.maxhdr {sound}"), "HAP203") == []
