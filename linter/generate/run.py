"""`gwlint generate SPEC.yaml`: from the spec file to the files of a configuration."""

from __future__ import annotations

from pathlib import Path

from gwlint.generate.plan_haproxy import HaproxyPlan
from gwlint.generate.plan_nginx import NginxPlan
from gwlint.generate.problems import Problems, SpecErrors, SpecProblem
from gwlint.generate.quoting import haproxy_word, nginx_word
from gwlint.generate.reader import read_spec
from gwlint.generate.render import render
from gwlint.syntax.version import Version

__all__ = ["SpecErrors", "SpecProblem", "generate"]

PROXIES = ("nginx", "haproxy")

OLDEST = {"nginx": "1.19.4", "haproxy": "2.6"}
"""Before these, ssl_reject_handshake and parts of the HAProxy output do not exist."""


def generate(spec_path: Path, proxy: str, target: str | None = None) -> dict[str, bytes]:
    """The configuration that a spec describes: file name -> content.

    `proxy` is nginx or haproxy. `target` is the version that will read the result, such as
    "1.22.1"; without it, the spec's own `target` counts. Raises SpecErrors with all faults of the
    spec, OSError when it cannot be read, and ValueError for another proxy or a malformed target.
    """
    if proxy not in PROXIES:
        raise ValueError(f"no proxy {proxy!r}; there are {' and '.join(PROXIES)}")
    if target is not None:
        Version.parse(target)
    path = spec_path.as_posix()
    spec = read_spec(path, spec_path.read_bytes())
    problems = Problems(path)
    version = target or getattr(spec.target, proxy)
    if Version.parse(version) < Version.parse(OLDEST[proxy]):
        message = f"{proxy} {version} is too old; the oldest that can be written for"
        problems.add(spec.places["target"], f"{message} is {OLDEST[proxy]}")
    plan: NginxPlan | HaproxyPlan
    if proxy == "nginx":
        name, quote, plan = "nginx.conf", nginx_word, NginxPlan(spec, version)
    else:
        name, quote, plan = "haproxy.cfg", haproxy_word, HaproxyPlan(spec, version)
        plan.check(problems)
    problems.raise_if_any()
    return {name: render(f"{proxy}/{name}.j2", quote, plan, spec_path.name)}
