"""Edits compose, and patches do with real tools what `--write` does with bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwlint.edits import Change, Edit, Fix, Safety, apply, changes_for, compatible, conflicts
from gwlint.revision import Revision
from gwlint.source import Source, Span

GIT_APPLY = ("git", "apply", "--whitespace=nowarn")
PATCH = ("patch", "-p1", "--binary", "--silent", "--input")

texts = st.lists(st.sampled_from([b"a", b"b", b"\n", b"\n", b"\r\n", b"\xe9", b" "])).map(b"".join)
new_texts = st.sampled_from([b"", b"x", b"y\n", b"\nz\n", b"q\r\nr", b"\xff"])


@st.composite
def changes_to(draw: st.DrawFn, size: int) -> list[Change]:
    """Sorted changes that do not overlap, in a text of `size` bytes."""
    bounds = sorted(
        draw(
            st.lists(st.integers(0, size), unique=True, max_size=8).filter(
                lambda n: len(n) % 2 == 0
            )
        )
    )
    return [
        Change(start, draw(st.sampled_from([start, end])), draw(new_texts))
        for start, end in zip(bounds[::2], bounds[1::2], strict=True)
    ]


@st.composite
def revisions(draw: st.DrawFn) -> Revision:
    revision = Revision(draw(texts))
    for _ in range(draw(st.integers(1, 3))):
        revision = revision.changed(draw(changes_to(len(revision.data))))
    return revision


@given(revisions())
def test_composed_changes_lead_from_the_original_to_the_result(revision: Revision) -> None:
    assert apply(revision.original, revision.changes) == revision.data


@given(revisions())
def test_a_patch_is_empty_exactly_when_nothing_changed(revision: Revision) -> None:
    assert bool(revision.patch("nginx.conf")) == (revision.original != revision.data)


@given(texts)
def test_a_revision_without_changes_has_no_patch(data: bytes) -> None:
    assert Revision(data).changed([]).patch("nginx.conf") == b""


def patched(tool: tuple[str, ...], folder: Path, path: str, original: bytes, patch: bytes) -> bytes:
    """What a tool makes of `original`; the patch lies beside the tree it is applied in."""
    tree = folder / "tree"
    target = tree / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(original)
    written = folder / "change.patch"
    written.write_bytes(patch)
    done = subprocess.run(
        [*tool, str(written)], cwd=tree, capture_output=True, check=False, timeout=20
    )
    assert done.returncode == 0, (done.stdout + done.stderr, patch)
    # Both tools remove a file that a patch leaves empty.
    return target.read_bytes() if target.exists() else b""


@pytest.mark.parametrize("tool", [GIT_APPLY, PATCH], ids=["git", "patch"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(revision=revisions())
def test_patches_apply(tool: tuple[str, ...], tmp_path: Path, revision: Revision) -> None:
    patch = revision.patch("nginx.conf")
    if patch:
        assert patched(tool, tmp_path, "nginx.conf", revision.original, patch) == revision.data


HARD_FILES = {
    "crlf": b"events {\r\n}\r\nhttp {\r\n}\r\n",
    "no final newline": b"events { }\nhttp { }",
    "one line without newline": b"http { }",
    "latin-1": b"# caf\xe9\nhttp { }\n# \xa0 \n",
    "byte order mark": b"\xef\xbb\xbfhttp { }\n",
    "carriage returns inside": b"a\rb\nhttp\r{ }\n\r\n",
    "form feed and vertical tab": b"a\x0b\x0c\nhttp { }\n",
    "NUL": b"# \x00\nhttp { }\nlast\n",
    "looks like a patch": b"--- a/x\n+++ b/x\n@@ -1 +1 @@\nhttp { }\n",
}


@pytest.mark.parametrize("tool", [GIT_APPLY, PATCH], ids=["git", "patch"])
@pytest.mark.parametrize("original", HARD_FILES.values(), ids=HARD_FILES.keys())
@pytest.mark.parametrize(
    ("where", "new"),
    [("start", b"first\n"), ("middle", b"gateway"), ("end", b" # last"), ("all", b"")],
)
def test_patches_apply_to_hard_files(
    tool: tuple[str, ...], original: bytes, where: str, new: bytes, tmp_path: Path
) -> None:
    middle = original.rindex(b"http")
    start, end = {
        "start": (0, 0),
        "middle": (middle, middle + 4),
        "end": (len(original), len(original)),
        "all": (0, len(original)),
    }[where]
    revision = Revision(original).changed([Change(start, end, new)])
    assert revision.data == original[:start] + new + original[end:]
    patch = revision.patch("nginx.conf")
    assert patched(tool, tmp_path, "nginx.conf", original, patch) == revision.data


@pytest.mark.parametrize("tool", [GIT_APPLY, PATCH], ids=["git", "patch"])
@pytest.mark.parametrize(
    "path",
    ["conf.d/a b.conf", "two  blanks/x.conf", 'quo"te.conf', "back\\slash.conf", "grün/café.conf"],
)
def test_patches_apply_to_paths_that_need_quotes(
    tool: tuple[str, ...], path: str, tmp_path: Path
) -> None:
    revision = Revision(b"a\nb\nc\n").changed([Change(2, 3, b"B")])
    assert patched(tool, tmp_path, path, revision.original, revision.patch(path)) == b"a\nB\nc\n"


def test_a_patch_touches_only_the_lines_that_changed() -> None:
    original = b"".join(b"line %d\n" % number for number in range(100))
    first, second = original.index(b"line 10\n"), original.index(b"line 90\n")
    revision = Revision(original).changed(
        [Change(first, first + 4, b"LINE"), Change(second, second, b"new\n")]
    )
    changed = [line for line in revision.patch("x").splitlines()[2:] if line[:1] in b"+-"]
    assert changed == [b"-line 10", b"+LINE 10", b"+new"]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_line_between_added_lines_counts_as_untouched(newline: bytes) -> None:
    """One fix adds a line in front of `events {`, another one behind it, at the end of the line."""
    original = b"events {\n}\n".replace(b"\n", newline)
    behind = original.index(b"{") + 1
    revision = Revision(original).changed(
        [
            Change(0, 0, b"worker_processes auto;" + newline),
            Change(behind, behind, newline + b"    worker_connections 4096;"),
        ]
    )
    changed = [line for line in revision.patch("x").split(b"\n")[2:] if line[:1] in b"+-" and line]
    assert [line.rstrip(b"\r") for line in changed] == [
        b"+worker_processes auto;",
        b"+    worker_connections 4096;",
    ]


def test_a_replacement_that_repeats_what_stands_there_changes_the_rest_only() -> None:
    original = b"a 1;\nb 2;\nc 3;\n"
    revision = Revision(original).changed([Change(0, len(original), b"a 1;\nb 2;\nx;\nc 3;\n")])
    changed = [line for line in revision.patch("x").splitlines()[2:] if line[:1] in b"+-"]
    assert changed == [b"+x;"]


def test_a_round_that_undoes_the_one_before_leaves_no_patch() -> None:
    revision = Revision(b"a b c\n").changed([Change(2, 3, b"X")]).changed([Change(2, 3, b"b")])
    assert revision.data == revision.original
    assert revision.patch("x") == b""


@pytest.mark.parametrize(
    "changes",
    [
        [Change(0, 3, b""), Change(2, 4, b"")],
        [Change(3, 2, b"")],
        [Change(0, 99, b"")],
        [Change(4, 4, b""), Change(1, 1, b"")],
    ],
)
def test_overlapping_changes_are_refused(changes: list[Change]) -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply(b"abcdef", changes)


def edit(source: Source, start: int, end: int, text: str) -> Edit:
    return Edit(Span(source, start, end), text)


def fix(*edits: Edit) -> Fix:
    return Fix("t", Safety.SAFE, edits)


def test_conflicts_are_overlaps_and_insertions_at_one_place() -> None:
    source = Source("a.conf", b"0123456789")
    other = Source("b.conf", b"0123456789")
    assert conflicts([edit(source, 0, 3, "")], [edit(source, 2, 4, "")])
    assert conflicts([edit(source, 2, 2, "a")], [edit(source, 2, 2, "b")])
    assert not conflicts([edit(source, 0, 3, "")], [edit(source, 3, 4, "")])
    assert not conflicts([edit(source, 0, 3, "")], [edit(other, 0, 3, "")])


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from("xy"))))
def test_compatible_keeps_every_fix_that_conflicts_with_none_before(
    places: list[tuple[int, int, str]],
) -> None:
    """Held against the definition, which compares each fix with all that were taken."""
    source = Source("a.conf", bytes(16))
    fixes = [fix(edit(source, start, start + length, text)) for start, length, text in places]
    expected: list[Fix] = []
    for one in fixes:
        taken = {edit for other in expected for edit in other.edits}
        if set(one.edits) <= taken or not conflicts(one.edits, taken):
            expected.append(one)
    assert compatible(fixes) == expected


def test_compatible_takes_fixes_in_order_and_equal_edits_once() -> None:
    source = Source("a.conf", b"0123456789")
    first = fix(edit(source, 0, 2, "x"), edit(source, 8, 8, "shared"))
    rival = fix(edit(source, 1, 3, "y"))
    ally = fix(edit(source, 4, 5, "z"), edit(source, 8, 8, "shared"))
    chosen = compatible([first, rival, ally])
    assert chosen == [first, ally]
    assert apply(source.data, changes_for("a.conf", chosen)) == b"x23z567shared89"
