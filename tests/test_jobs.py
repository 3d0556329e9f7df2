"""Several processes say what one says, and none is lost in silence."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, GWLINT, Run

from gwlint.jobs.parcel import Parcels, Told
from gwlint.jobs.processes import WorkerError, Workers, processes_for, shares
from gwlint.project import load_project
from gwlint.registry import all_rules
from gwlint.report.formats import FORMATS
from gwlint.rule import Finding, HaproxyRule, Label
from gwlint.settings import Settings
from gwlint.source import Place, Source, Span

SAMPLES = Path(__file__).resolve().parent.parent / "samples"

NGINX = """\
events {{}}
http {{
    include sites/*.conf;
    upstream app {{
        server 127.0.0.1:{port};
        server 127.0.0.1:{port} backup;
        keepalive 8;
    }}
    server {{
        listen {listen};
        proxy_read_timeout {seconds};
        # gwlint: ignore[NGX002] an example
        proxy_reed_timeout 1s;
        location / {{ proxy_pass http://app; }}
    }}
}}
"""
HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout server {seconds}
frontend web
    bind :{port}
    default_backend app{number}
backend app
    server one 127.0.0.1:{next}
"""


def _many_roots(folder: Path, count: int) -> None:
    """Configurations of both dialects, some of which lead to the next one."""
    for number in range(count):
        here = folder / f"host{number:03}"
        (here / "sites").mkdir(parents=True)
        port, seconds = 10_000 + number, 5 + number % 7
        if number % 3:
            text = NGINX.format(port=port + 1, listen=port, seconds=f"{seconds}s")
            (here / "nginx.conf").write_text(text)
            (here / "sites/one.conf").write_text("server { listen 80 defualt_server; }\n" * 2)
        else:
            text = HAPROXY.format(
                port=port, next=port + 1, seconds=seconds, number=number % 2 or ""
            )
            (here / "haproxy.cfg").write_text(text)


def _reports(
    gwlint: Callable[..., Run], folder: Path, out: Path, jobs: int
) -> tuple[Run, dict[str, bytes]]:
    """A run with a number of processes, and what it wrote in each format."""
    out.mkdir()
    wanted = [f"--format={name}:{out / name}" for name in FORMATS]
    words = ("--no-cache", "--profile=strict", "--jobs", str(jobs), *wanted)
    run = gwlint("check", ".", *words, cwd=folder)
    return run, {one.name: one.read_bytes() for one in out.iterdir()}


def test_300_roots_give_the_same_report(gwlint: Callable[..., Run], tmp_path: Path) -> None:
    folder = tmp_path / "hosts"
    _many_roots(folder, 300)
    one = _reports(gwlint, folder, tmp_path / "one", 1)
    several = _reports(gwlint, folder, tmp_path / "four", 4)
    assert one[0].code == 1
    assert b"NGX" in one[1]["text"]
    assert b"HAP" in one[1]["text"]
    assert b"GTW" in one[1]["text"]
    assert b'"suppressed": 200' in one[1]["json"]
    assert several == one


def test_samples_give_the_same_report(gwlint: Callable[..., Run], tmp_path: Path) -> None:
    one = _reports(gwlint, SAMPLES, tmp_path / "one", 1)
    assert one[0].code == 1
    assert _reports(gwlint, SAMPLES, tmp_path / "three", 3) == one


def test_a_finding_survives_the_way() -> None:
    """All parts of it, for every rule: each is told by its own bad examples."""
    sources = [Source("a.conf", b"server one\n"), Source("b\udcff.cfg", b"\xff two\n")]
    rules = all_rules()
    parcels = Parcels(rules, sources)
    spans = [Span(sources[0], 0, 6), Span(sources[1], 0, 1)]
    findings = [
        kind.finding(
            Place(spans[0]), f"m {kind.code} \udcff", advice="a", related=(Label(spans[1], "r"),)
        )
        for kind in rules
    ]
    (found,) = parcels.unpack(parcels.pack([((3, 4), findings)])).values()
    assert [_facts(one) for one in found] == [_facts(one) for one in findings]
    assert all(isinstance(one.statement, Told) for one in found)
    assert found[0].span.source is sources[0], "what holds for a file holds for the one object"


def test_every_example_survives_the_way(tmp_path: Path) -> None:
    """What rules really yield, with their fixes."""
    rules = [kind for kind in all_rules() if issubclass(kind, HaproxyRule)]
    (tmp_path / "haproxy.cfg").write_text(
        "".join(HAPROXY.format(port=1, next=2, seconds="5s", number=""))
        + "backend empty\nbackend dead\n    server a 127.0.0.1:80 disabled\n"
    )
    project = load_project([str(tmp_path)], Settings())
    from gwlint.engine import check

    report = check(project, Settings(), rules)
    sources = [file.source for file in project.files if file.source is not None]
    parcels = Parcels(rules, sources)
    (found,) = parcels.unpack(parcels.pack([((0, 0), report.findings)])).values()
    assert any(one.fix for one in found)
    assert [_facts(one) for one in found] == [_facts(one) for one in report.findings]


def _facts(finding: Finding) -> tuple[object, ...]:
    """A finding without the object that stands for its statement."""
    return (*finding._replace(statement=None), finding.identity, finding.statement.span)  # type: ignore[arg-type]


def test_what_names_an_unknown_file_is_not_sent() -> None:
    rule = all_rules()[0]
    finding = rule.finding(Place(Span(Source("x", b"x"), 0, 1)), "m", advice="a")
    with pytest.raises(KeyError):
        Parcels([rule], []).pack([((0, 0), [finding])])


def test_results_come_in_order_and_of_any_size() -> None:
    big = b"x" * 3_000_000
    with Workers([lambda: big, lambda: b"", lambda: b"last"]) as workers:
        assert workers.results() == [big, b"", b"last"]


def _raise() -> bytes:
    raise ValueError("a defect in a rule")


def test_an_exception_in_a_worker_is_told() -> None:
    with Workers([_raise, lambda: b"fine"]) as workers:
        assert workers.results() is None


def _be_killed() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b"never"


def _end_early() -> bytes:
    os._exit(0 + 9)


@pytest.mark.parametrize(
    ("task", "told"), [(_be_killed, "ended by signal 9"), (_end_early, "ended with code 9")]
)
def test_a_lost_worker_is_an_error(task: Callable[[], bytes], told: str) -> None:
    with pytest.raises(WorkerError, match=told), Workers([lambda: b"fine", task]) as workers:
        workers.results()


def test_workers_end_with_their_context() -> None:
    def sleep() -> bytes:
        time.sleep(600)
        return b""

    with pytest.raises(KeyboardInterrupt), Workers([sleep, sleep]) as workers:
        processes = list(workers._running)
        raise KeyboardInterrupt
    assert len(processes) == 2
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_killed_worker_ends_the_command_with_2(tmp_path: Path) -> None:
    """The command itself, with a rule that lasts: a worker is killed while it runs."""
    (tmp_path / "tree").mkdir()
    _many_roots(tmp_path / "tree", 4)
    program = (
        "import os, sys, time\n"
        "from gwlint.cli.main import main\n"
        "from gwlint.rules.syntax.ngx002_unknown_directive import UnknownDirective as rule\n"
        "parent, check = os.getpid(), rule.check\n"
        "def dying(self, config):\n"
        "    if os.getpid() != parent:\n"
        "        os.kill(os.getpid(), 9)\n"
        "    return check(self, config)\n"
        "rule.check = dying\n"
        "sys.argv = ['gwlint', 'check', '--no-cache', '--jobs', '2', '.']\n"
        "main()\n"
    )
    done = subprocess.run(
        [GWLINT.with_name("python"), "-c", program],
        cwd=tmp_path / "tree",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "internal error: a worker process was ended by signal 9" in done.stderr
    assert done.stdout == ""


def test_small_runs_use_one_process() -> None:
    assert processes_for(None, [100] * 100) == 1
    assert processes_for(None, []) == 1
    assert processes_for(None, [10**9]) == 1
    assert processes_for(1, [10**9] * 10) == 1
    assert processes_for(4, [1, 1, 1]) == 3


def test_shares_hold_each_root_once() -> None:
    sizes = [5, 1, 1, 900, 3, 3, 3, 300, 0]
    groups = shares(sizes, 3)
    assert sorted(number for group in groups for number in group) == list(range(len(sizes)))
    assert [3] in groups, "the largest has a process of its own"
