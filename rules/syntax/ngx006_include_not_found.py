from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity

_SHIPPED = re.compile(
    r"(?:conf/)?(?:mime\.types|(?:fastcgi|uwsgi|scgi)_params|fastcgi\.conf|proxy_params"
    r"|koi-(?:utf|win)|win-utf|snippets/(?:fastcgi-php|snakeoil)\.conf|naxsi_core\.rules)"
)
"""Files that nginx or Debian put beside nginx.conf, so that projects need no copy of them."""


class IncludeNotFound(NginxRule):
    """The file that an include names does not exist.

    ## Problem
    nginx looks for a relative path beside the main configuration file, wherever the include
    stands, and there is no such file.

    ## Why
    A file without wildcards that is missing keeps nginx from starting; gwlint cannot see what it
    would have set.

    ## In the log
    `[emerg] open() "/etc/nginx/snippets/tls.conf" failed (2: No such file or directory) in ...`

    ## Silent when
    The path leads out of the project and no path map says where it is; the main file is not known;
    the path has wildcards, which may match nothing; the file comes with nginx (`mime.types`,
    `fastcgi_params`, ...).

    ## Fix safety
    None.

    ## Learnt
    Most projects keep nginx.conf without the files that nginx itself installs beside it.

    ## References
    - https://nginx.org/en/docs/ngx_core_module.html#include
    """

    code = "NGX006"
    name = "include-not-found"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                include snippets/gone.conf;
            }
            """
        ),
    )
    good = (
        Example(
            {
                "nginx.conf": "events {}\nhttp { include mime.types; include conf.d/*.conf;"
                " include limits.inc; }\n",
                "limits.inc": "client_max_body_size 10m;\n",
            }
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, include in config.includes:
            if include.problem != "not-found" or _SHIPPED.fullmatch(include.pattern):
                continue
            yield self.finding(
                include.directive,
                f'there is no file "{include.pattern}" beside {config.root.main.path};'
                " nginx does not start without it",
                advice="correct the path, add the file, or say where it is with path_map",
                span=include.directive.words[1].span,
            )
