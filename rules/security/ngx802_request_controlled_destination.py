from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.variables import Variables, exactly, pieces
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.security.access import Access
from gwlint.rules.security.request_values import Part, RequestValues

_FREE = frozenset({"args", "query_string"})
_FREE_BEGINNINGS = ("arg_", "cookie_", "http_")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_ENDS_HOST = re.compile(r"[:/?]")


class RequestControlledDestination(NginxRule):
    """The client says which host nginx connects to.

    ## Problem
    The host of a pass directive is made of an argument, a header, a cookie or a path.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with `proxy_pass http://$arg_host` a request with
    ?host=127.0.0.1:PORT was answered by a service that listens on the machine itself only. A fixed
    ending did not help: with `http://$arg_host.example.com` the argument 127.0.0.1:PORT/ led there
    too, since a slash ends the host.

    ## In the log
    `upstream: "http://127.0.0.1:9000/", host: "www.example.com"`

    ## Silent when
    All values are known from `map` or `set`; the capture begins with a slash, or takes neither
    slashes nor question marks and is not the whole host, or takes no dots; a port or a slash stands
    before; `internal`, `deny`, a password or an `if` that returns guards the place; a file that
    could not be read may hold one; the value is `$host` or `$http_host`.

    ## Fix safety
    None: which hosts are meant is not known.

    ## Learnt
    A `map` from the names that are allowed to addresses says the same, without the hole.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - CWE-918
    """

    code = "NGX802"
    name = "request-controlled-destination"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                resolver 127.0.0.53;
                server {
                    listen 8080;
                    location /fetch {
                        proxy_pass http://$arg_host/;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                resolver 127.0.0.53;
                server {
                    listen 8080;
                    location ~ ^/proxy/(.*)$ {
                        set $target $1;
                        proxy_pass http://$target;
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
                resolver 127.0.0.53;
                map $arg_host $target {
                    default 10.0.0.1:80;
                    blog    10.0.0.2:80;
                }
                server {
                    listen 8080;
                    location /fetch {
                        proxy_pass http://$target/;
                    }
                    location ~ ^/(?<name>[a-z]+)/ {
                        proxy_pass http://$name.internal;
                    }
                    location ~ ^/private/(.*)$ {
                        internal;
                        proxy_pass http://$1;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        routes = [one for one in config.passes if one.is_http and "$" in one.word.value]
        if not routes:
            return
        values, variables, access = RequestValues(config), Variables(config), Access()
        for route in routes:
            part = _chosen_host(route, values, variables)
            if part is not None and not access.is_restricted(route.context):
                yield self.finding(
                    route.directive,
                    f"the host comes from {part.shown}: a client makes nginx connect to any service"
                    " that it reaches",
                    advice="choose among known hosts with a map",
                    span=route.word.span,
                    related=tuple(
                        Label(one.span, "the value comes from here") for one in part.through
                    ),
                )


def _chosen_host(route: Pass, values: RequestValues, variables: Variables) -> Part | None:
    """What of the request decides on the host; None when nothing does, or not freely."""
    before = ""
    parts = list(pieces(route.word.value))
    for index, (written, name) in enumerate(parts):
        known = exactly(written) if name is None else variables.of(name, route.context)
        if known.is_complete and known.known:
            before += min(known.known)
        elif _ENDS_HOST.search(_SCHEME.sub("", before)):
            return None
        else:
            rest = "".join(piece for piece, _ in parts[index + 1 :])
            is_whole = not _SCHEME.sub("", before) and (not rest or rest[0] in ":/?")
            for part in values.parts(written, route.context):
                if _is_free(part, is_whole and not part.through):
                    return part
            return None
    return None


def _is_free(part: Part, is_whole: bool) -> bool:
    """Whether the part can name any host; `is_whole`: nothing else stands in the host."""
    if part.group is not None:
        begins_with_slash = part.group.text.startswith("/")
        ends_host = part.group.admits("/") or part.group.admits("?")
        return not begins_with_slash and (ends_host or (is_whole and part.group.admits(".")))
    return part.name in _FREE or (
        part.name.startswith(_FREE_BEGINNINGS) and part.name != "http_host"
    )
