from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity

_USER = ("user", "uid")


class RunsAsRoot(HaproxyRule):
    """HAProxy keeps the rights of the user that starts it, or sees the whole file system.

    ## Problem
    The global section has neither `user` nor `uid`, or no `chroot`.

    ## Why
    Measured on 2.6.12 and 2.8.25: started by root without `user`, the process that reads requests
    went on as root; with `user` it did not. HAProxy 3.3 and newer warn of it. With `chroot` a
    process that was taken over sees an empty folder.

    ## In the log
    Nothing below 3.3.

    ## Silent when
    Both are set; there is no global section, or no port in these files; `.if` decides.

    ## Fix safety
    None: which user and folder exist is not known here.

    ## Learnt
    In containers the user is set outside of the file, and the official image has an own one: so
    this is information.

    ## References
    - HAProxy configuration manual, section 3.1, keywords user, uid, chroot
    - HAProxy management guide, section 13
    """

    code = "HAP810"
    name = "runs-as-root"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            global
                maxconn 1000
            frontend web
                bind :80
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                user haproxy
                group haproxy
                chroot /var/lib/haproxy
            frontend web
                bind :80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.global_sections or not any(frontend.binds for frontend in config.frontends):
            return
        has_user = any(config.global_line(keyword) is not None for keyword in _USER)
        has_chroot = config.global_line("chroot") is not None
        if has_user and has_chroot:
            return
        if not has_user:
            message = "HAProxy keeps the rights of the user that starts it, maybe root"
            advice = "set user and group, unless the container or the service does"
        else:
            message = "HAProxy sees the whole file system: there is no chroot"
            advice = "set chroot to an empty folder"
        yield self.finding(config.global_sections[0].header, message, advice=advice)
