"""How many workers there are: each has its own view of an upstream that has no `zone`."""

from __future__ import annotations

from gwlint.model.nginx.config import NginxConfig
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.whole_numbers import whole_number


def several_workers(config: NginxConfig) -> Directive | None:
    """The directive that asks for more than one worker; None where there is none in sight."""
    workers = config.main.effective("worker_processes")
    return workers.directive if _is_several(workers.value or "") else None


def is_one_worker(config: NginxConfig) -> bool:
    """Whether there is certainly one worker, which is the default."""
    workers = config.main.effective("worker_processes")
    return workers.is_certain and not _is_several(workers.value or "")


def _is_several(text: str) -> bool:
    return text == "auto" or (text.isdecimal() and whole_number(text) > 1)
