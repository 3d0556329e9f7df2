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

_NGINX = Template('''\
from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity


class $class_name(NginxRule):
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
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#server_tokens
    """

    code = "$code"
    name = "$name"
    severity = Severity.INFO
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server_tokens on;
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server_tokens off;
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _context, directive in config.find("server_tokens"):
            if directive.values == ["on"]:
                yield self.finding(
                    directive,
                    "what is wrong here, with the names and values of this configuration",
                    advice="what to write instead",
                )
''')

_HAPROXY = Template('''\
from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity


class $class_name(HaproxyRule):
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
    - https://docs.haproxy.org/2.8/configuration.html#4.2-retries
    """

    code = "$code"
    name = "$name"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                retries 0
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                retries 3
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for line in config.lines:
            if line.keyword == "retries" and line.arguments[0].value == "0":
                yield self.finding(
                    line,
                    "what is wrong here, with the names and values of this configuration",
                    advice="what to write instead",
                )
''')


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
    template = _NGINX if code.startswith("NGX") else _HAPROXY
    class_name = "".join(part.capitalize() for part in name.split("-"))
    path = topic / f"{code.lower()}_{name.replace('-', '_')}.py"
    path.write_text(template.substitute(code=code, name=name, class_name=class_name))
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
