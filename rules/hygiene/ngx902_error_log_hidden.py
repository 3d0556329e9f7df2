from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.effective import Effective
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import removed, replaced
from gwlint.syntax.nginx.tree import Directive

_NOWHERE = ("/dev/null", "off")
_TOO_SEVERE = frozenset({"crit", "alert", "emerg"})


class ErrorLogHidden(NginxRule):
    """Why a request became a 502 or 504 is not written down.

    ## Problem
    The error log of a route that passes requests on goes to `/dev/null`, or has only `crit` and
    above. `error_log off` does not exist: nginx writes to a file of the name "off".

    ## Why
    nginx writes nearly every reason for a 502 or 504 at level error: measured on nginx 1.22.1,
    `connect() failed`, `upstream timed out`, `upstream sent too big header` and `no live upstreams`
    all are. The access log has the status, but not the reason.

    ## In the log
    Nothing; that is the fault.

    ## Silent when
    No request is passed on where it holds; another `error_log` at the same level keeps the errors,
    or may, in an include that could not be read or in the surroundings of a fragment.

    ## Fix safety
    Sets level error, or removes the line where an outer level has a log. Answers do not change. No
    fix where no outer log is known.

    ## Learnt
    All 42 findings in real files read: all right, and all in contest entries, where it is meant to
    save time. It saves none as long as nothing fails, since nothing is logged then. For `/dev/null`
    and `off` the level does not matter, so the advice names another file instead.

    ## References
    - https://nginx.org/en/docs/ngx_core_module.html#error_log
    """

    code = "NGX902"
    name = "error-log-hidden"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            error_log stderr crit;
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            error_log stderr warn;
            events {}
            http {
                error_log /dev/null;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            error_log stderr warn;
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location = /favicon.ico {
                        error_log /dev/null;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        reported: set[int] = set()
        for route in config.passes:
            log = route.context.effective("error_log")
            where = log.context
            if where is None or not log.is_certain or not where.is_complete:
                continue
            if id(where) in reported:
                continue
            reported.add(id(where))
            if all(_hides(directive) for directive in log.directives):
                directive = log.directives[0]
                yield self.finding(
                    directive,
                    _message(directive),
                    advice=_advice(directive),
                    related=(Label(route.word.span, "errors of this route"),),
                    fix=_fix(config, log, directive),
                )


def _hides(directive: Directive) -> bool:
    values = directive.values
    if not values:
        return False
    return values[0] in _NOWHERE or (len(values) == 2 and values[1] in _TOO_SEVERE)


def _message(directive: Directive) -> str:
    values = directive.values
    if values[0] == "off":
        return 'nginx knows no "off": errors go to a file of that name, where nobody looks for them'
    if values[0] == "/dev/null":
        return "errors are thrown away, so that the reason for a 502 or 504 is lost"
    return (
        f"errors below {values[1]} are not logged, and the reasons for nearly every 502 and 504"
        " are written at level error"
    )


def _advice(directive: Directive) -> str:
    if directive.values[0] in _NOWHERE:
        return "name a log that is kept, such as stderr, at level error or warn"
    return "set level error, or warn"


def _fix(config: NginxConfig, log: Effective, directive: Directive) -> Fix | None:
    if directive.values[0] not in _NOWHERE:
        edit = replaced(directive.arguments[1], "error")
        return Fix("log errors", Safety.SAFE, (edit,))
    if len(log.directives) > 1:
        return None
    if not all(_has_outer_log(context) for context in config.contexts_of(directive)):
        return None
    return Fix("leave errors to the outer log", Safety.SAFE, (removed(directive),))


def _has_outer_log(context: Context) -> bool:
    outer = None if context.parent is None else context.parent.effective("error_log")
    return outer is not None and any(not _hides(one) for one in outer.directives)
