from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.variables import pieces
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.locations import Location
from gwlint.rules.security.access import answers_itself
from gwlint.rules.security.captures import Group, groups_of, text_before
from gwlint.source import decode
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.tree import Directive

_ENDS_OPEN = re.compile(r"[\w)\]}+*?-]$")


class AliasTraversal(NginxRule):
    """A path such as /files../secret leaves the folder of the alias.

    ## Problem
    `location /files` with `alias /srv/files/`: nginx replaces /files by /srv/files/, and what
    follows may be `../`. The same with a capture that may begin with dots behind a slash of the
    alias.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: GET /files../secret answered with the file secret beside
    the folder. `location ~ ^/files(.*)$` with `alias /srv/files/$1` did the same. With
    `location /files/`, or `^/files/(.*)$`, it was 404.

    ## In the log
    `"GET /files../secret HTTP/1.1" 200`

    ## Silent when
    The location ends in a slash, is exact (`=`), or the alias has no slash at its end; it answers
    with `return` or passes requests on; a capture begins behind a slash, cannot begin with a dot,
    or the alias has no slash before it.

    ## Fix safety
    Ends the location in a slash. Unsafe: /files without one was redirected to /files/ before, and
    goes to another location then. There is none for regular expressions.

    ## Learnt
    Mostly folders of static files, one level below the application with its settings and database.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#alias
    """

    code = "NGX801"
    name = "alias-traversal"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /files {
                        alias /srv/files/;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location ~ ^/files(.*)$ {
                        alias /srv/files/$1;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /files/ {
                        alias /srv/files/;
                    }
                    location = /icon {
                        alias /srv/icons/;
                    }
                    location ~ ^/media/(.*)$ {
                        alias /srv/media/$1;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for context, alias in config.find("alias"):
            location = Location.of(context)
            if location is None or len(alias.values) != 1 or answers_itself(context):
                continue
            if location.is_prefix:
                if not location.pattern.endswith("/") and alias.values[0].endswith("/"):
                    yield self._of_prefix(alias, location)
            elif location.is_regex and _leaves(alias.values[0], location, context):
                yield self._found(alias, location, "files beside the folder are served")

    def _of_prefix(self, alias: Directive, location: Location) -> Finding:
        raw = decode(location.word.raw)
        fix = None
        if raw == location.word.value:
            edit = replaced(location.word, f"{raw}/")
            fix = Fix("end the location in a slash", Safety.UNSAFE, (edit,))
        path = f"{location.pattern}../"
        return self._found(alias, location, f"{path} leaves {alias.values[0]}", fix)

    def _found(
        self, alias: Directive, location: Location, what: str, fix: Fix | None = None
    ) -> Finding:
        return self.finding(
            alias,
            f"the location ends without a slash and the alias has one: {what}",
            advice="end the location in a slash too",
            span=alias.words[1].span,
            related=(Label(location.word.span, "a path may go on with ../ here"),),
            fix=fix,
        )


def _leaves(alias: str, location: Location, context: Context) -> bool:
    """Whether a capture that may begin with `../` stands behind a slash of the alias."""
    if context.own("rewrite") or context.children:
        return False
    groups = groups_of(location.pattern)
    before = ""
    for text, name in pieces(alias):
        if name is None:
            before += text
            continue
        group = next((one for one in groups if name in (one.name, str(one.number))), None)
        if group is None:
            return False
        return before.endswith("/") and _begins_behind_a_name(location.pattern, group)
    return False


def _begins_behind_a_name(pattern: str, group: Group) -> bool:
    before = text_before(pattern, group)
    takes_more = group.admits("/") and group.begins_freely
    return takes_more and _ENDS_OPEN.search(before) is not None
