"""Begins a rule: writes its file, with a small rule that works, to be turned into the new one.

Usage: python -m gwlint.rules.new_rule CODE NAME, as in NGX903 conflicting-server-name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from string import Template

from gwlint.rule import TOPICS

_CODE = re.compile(r"(NGX|HAP)[0-9]{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_RULE = Template('''\
from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.$dialect.config import $config
from gwlint.rule import Example, Finding, $base, Severity


class $class_name($base):
    """The fault in one line.

    ## Problem
    What the configuration says, and what the server makes of it.

    ## Why
    What happens to requests, and how that was measured.

    ## In the log
    The line that the server writes when it happens, or that it writes none.

    ## Silent when
    The configurations that look alike and are sound, or cannot be judged.

    ## Fix safety
    There is no fix, since the decision is the user's.

    ## References
    - https://...
    """

    code = "$code"
    name = "$name"
    severity = Severity.INFO
    bad = (
        Example.$dialect(
            """
            $bad
            """
        ),
    )
    good = (
        Example.$dialect(
            """
            $good
            """
        ),
    )

    def check(self, config: $config) -> Iterator[Finding]:
        $find
            if $condition:
                yield self.finding(
                    $statement,
                    "what is wrong here, with the names and values of this configuration",
                    advice="what to write instead",
                )
''')

_NGINX = {
    "dialect": "nginx",
    "base": "NginxRule",
    "config": "NginxConfig",
    "bad": "worker_processes 1;",
    "good": "worker_processes auto;",
    "find": 'for _context, directive in config.find("worker_processes"):',
    "condition": 'directive.values == ["1"]',
    "statement": "directive",
}
_HAPROXY = {
    "dialect": "haproxy",
    "base": "HaproxyRule",
    "config": "HaproxyConfig",
    "bad": "defaults\n                retries 0",
    "good": "defaults\n                retries 3",
    "find": "for line in config.lines:",
    "condition": 'line.keyword == "retries" and line.arguments[0].value == "0"',
    "statement": "line",
}


def write_rule(code: str, name: str, folder: Path) -> Path:
    """Write the file of a new rule under `folder`, which holds a folder for each topic.

    Raises ValueError for a code or name of another form, FileExistsError when the code is taken.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no code such as NGX903 or HAP112")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name such as conflicting-server-name")
    taken = sorted(folder.glob(f"*/{code.lower()}_*.py"))
    if taken:
        raise FileExistsError(f"{code} is taken: {taken[0]}")
    topic = folder / TOPICS[code[3]]
    topic.mkdir(exist_ok=True)
    (topic / "__init__.py").touch()
    words = _NGINX if code.startswith("NGX") else _HAPROXY
    class_name = "".join(part.capitalize() for part in name.split("-"))
    path = topic / f"{code.lower()}_{name.replace('-', '_')}.py"
    path.write_text(_RULE.substitute(words, code=code, name=name, class_name=class_name))
    return path


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: make rule CODE=NGX903 NAME=conflicting-server-name")
    code, name = sys.argv[1:]
    try:
        print(f"wrote {write_rule(code, name, Path(__file__).parent)}")
    except (ValueError, FileExistsError) as error:
        sys.exit(f"make rule: {error}")


if __name__ == "__main__":
    main()
