"""The site of docs/: built strictly, needing nothing from elsewhere, and telling the truth."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from gwlint.registry import all_rules
from gwlint.rule import TOPICS, Rule

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "pages").glob("*.md"))
RULES = all_rules()


def part_of_docs(name: str) -> ModuleType:
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shown = part_of_docs("shown")
symptoms = part_of_docs("symptoms")


class Page(HTMLParser):
    """A built page: its text, its links, what a browser loads for it, its elements."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.counts: dict[str, int] = defaultdict(int)
        self.text = ""
        self._inside = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = self._inside or given.get("role") == "main"
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "link" or "src" in given:
            self.loaded.append(given.get("src") or given.get("href", ""))
        if self._inside:
            self.counts[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "footer"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"),
            *("--config-file", DOCS / "mkdocs.yml", "--site-dir", folder),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder


def rule_pages(site: Path) -> dict[type[Rule], Page]:
    return {rule: Page(site / "rules" / rule.code / "index.html") for rule in RULES}


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(RULES)
    for path in pages:
        loaded = Page(path).loaded
        assert loaded
        assert [one for one in loaded if re.match(r"(?:[a-z]+:)?//", one)] == [], path
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text("utf-8"))
    assert "href=" not in (site / "report.svg").read_text()


def test_each_rule_has_a_page_with_its_parts(site: Path) -> None:
    for rule, page in rule_pages(site).items():
        assert rule.name in page.text
        assert page.counts["h1"] == 1
        assert page.counts["h2"] >= 8, rule.code
        files = [name for example in (*rule.bad, *rule.good) for name in example.files]
        assert page.counts["pre"] == len(files), rule.code
        # Marks that Markdown would have taken for something else.
        assert (page.counts["em"], page.counts["strong"]) == (0, 0), rule.code
        assert "<http" not in page.text, rule.code
        assert "**" not in page.text, rule.code


def test_references_are_links(site: Path) -> None:
    for rule, page in rule_pages(site).items():
        if rule.dialect() != "gateway":
            manual = "docs.haproxy.org" if rule.dialect() == "haproxy" else "nginx.org"
            assert any(manual in link for link in page.links), rule.code
    one = Page(site / "rules" / "HAP304" / "index.html").links
    assert "https://docs.haproxy.org/2.8/configuration.html#4.2" in one


def test_the_index_by_topic_leads_to_each_rule(site: Path) -> None:
    page = Page(site / "rules" / "index.html")
    assert {f"{rule.code}/" for rule in RULES} <= set(page.links)
    assert page.counts["table"] == page.counts["h2"] == len(TOPICS)
    assert page.counts["tr"] == len(RULES) + len(TOPICS)


def test_the_index_by_symptom_has_each_log_line(site: Path) -> None:
    page = Page(site / "symptoms" / "index.html")
    html = (site / "symptoms" / "index.html").read_text("utf-8")
    for rule in RULES:
        for line in symptoms.log_lines(rule):
            assert f"../rules/{rule.code}/" in page.links
            assert line.session or line.message in page.text, line.text
    for item in re.findall(r"<li><code>.*?</li>", html):
        if "upstream sent too big header" in item:
            assert ">NGX201 header-buffer-too-small</a>" in item
            break
    else:
        pytest.fail("nobody finds the rule for a header that is too big")


def test_each_end_of_a_session_is_explained_and_led_to_its_rules(site: Path) -> None:
    html = (site / "symptoms" / "index.html").read_text("utf-8")
    found = {
        line.session["state"]
        for rule in RULES
        for line in symptoms.log_lines(rule)
        if line.server == "haproxy" and line.session
    }
    assert {"SC", "sH", "PH", "cD", "sQ", "--"} <= found <= set(symptoms.STATES)
    parts = dict(re.findall(r"<h3 [^>]*><code>(.{4})</code>.*?</h3>(.*?)(?=<h[23])", html, re.S))
    assert set(parts) == {f"{state}--" for state in symptoms.STATES}
    _, without_server = parts["SC--"].split("&lt;NOSRV&gt;")[0:2]
    assert "HAP108" in without_server.partition("</li>")[0]
    assert "HAP603" in parts["SC--"]
    assert "HAP603" not in without_server.partition("</li>")[0]


def test_log_lines_are_taken_apart() -> None:
    def session(text: str) -> tuple[str | None, ...] | None:
        match = symptoms.LogLine("haproxy", text, RULES[0]).session
        return match and (match["server"], match["status"], match["state"])

    assert session("app/s1 ... 503 ... SC--") == ("app/s1", "503", "SC")
    assert session("web app/<NOSRV> 0/-1/-1/-1/0 503 ... SC--") == ("app/<NOSRV>", "503", "SC")
    assert session("app/s1 ... cD") == ("app/s1", None, "cD")
    assert session("Server app/s1 is DOWN") is None
    assert session("web/1: SSL handshake failure") is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert shown.renewed(text, tmp_path) == text, (
        f"run: python docs/shown.py docs/pages/{page.name}"
    )


def test_the_pages_show_commands() -> None:
    for name in ("adopt", "fixing", "generate", "settings"):
        text = (DOCS / "pages" / f"{name}.md").read_text("utf-8")
        assert any(one.startswith("gwlint ") for one in shown.commands(text)), name
        assert shown.files(text), name


def test_the_picture_is_what_gwlint_prints(tmp_path: Path) -> None:
    made = tmp_path / "report.svg"
    subprocess.run([sys.executable, DOCS / "report_picture.py", made], check=True, timeout=60)
    assert made.read_text() == (DOCS / "pages" / "report.svg").read_text(), (
        "run: python docs/report_picture.py"
    )
    assert "GTW301" in made.read_text()
