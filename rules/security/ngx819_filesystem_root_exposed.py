from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.addresses.locations import Location
from gwlint.rules.security.access import Access, answers_itself
from gwlint.syntax.nginx.tree import Directive


class FilesystemRootExposed(NginxRule):
    """All files of the machine that nginx may read are served.

    ## Problem
    `root /` or `alias /`.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with `root /` GET /etc/hostname answered with the file, and
    with `alias /` in `location /x/` GET /x/etc/hostname did.

    ## In the log
    `"GET /etc/passwd HTTP/1.1" 200`

    ## Silent when
    The location is exact (`=`) or `internal`, or is guarded by `deny` or a password; no location
    serves files from there, since each is passed on, returns, or has a root of its own; a file that
    could not be read may say otherwise.

    ## Fix safety
    None: which folder is meant is not known.

    ## Learnt
    Stands in examples of containers, where the files of the site lie at the top.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#root
    """

    code = "NGX819"
    name = "filesystem-root-exposed"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    root /;
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
                    location /x/ {
                        alias /;
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
                    root /;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
                server {
                    listen 8081;
                    root /srv;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        access = Access()
        for level, directive in config.find("root", "alias"):
            folder = directive.values[0] if directive.values else ""
            if not folder or folder.strip("/"):
                continue
            if any(_serves(place, directive, access) for place in _places(level)):
                yield self.finding(
                    directive,
                    "all files of this machine that nginx may read are served from here",
                    advice="name the folder of the site",
                    span=directive.words[1].span,
                )


def _places(level: Context) -> Iterator[Context]:
    """The places that may serve files from the folder of a level: it, and locations in it.

    A server whose `location /` takes all that is left serves nothing itself.
    """
    for place in level.descendants():
        is_left = place.kind == "http server" and not any(map(_takes_all, place.children))
        if is_left or place.kind == "location":
            yield place


def _takes_all(context: Context) -> bool:
    location = Location.of(context)
    return location is not None and location.is_prefix and location.pattern == "/"


def _serves(place: Context, directive: Directive, access: Access) -> bool:
    location = Location.of(place)
    if location is not None and (location.modifier == "=" or location.is_named):
        return False
    other = "alias" if directive.name == "root" else "root"
    if directive not in place.effective(directive.name).directives or place.own(other):
        return False
    return not answers_itself(place) and not access.is_restricted(place)
