from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.deployment import Deployment
from gwlint.project import Status
from gwlint.rule import DeploymentRule, Example, Finding, Severity
from gwlint.source import Place, Span


class TemplateSkipped(DeploymentRule):
    """The file is a template, which is no configuration before its values are filled in.

    ## Problem
    Marks of a template engine (Jinja, ERB, Go, envsubst, `%name%`) stand where the server could
    not have meant them. The file was not checked, and no fix ever touches it.

    ## Why
    What the server would read is known only after rendering. Check the rendered file, for example
    in the pipeline that renders it.

    ## In the log
    Nothing: the server never sees the template.

    ## Silent when
    The marks are the server's own: nginx variables, environment variables in HAProxy files, text
    inside of comments.

    ## Fix safety
    None.

    ## References
    - https://nginx.org/en/docs/faq/variables_in_config.html
    """

    code = "GTW002"
    name = "template-skipped"
    severity = Severity.INFO
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen {{ port }};
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
                    return 200 $host;
                }
            }
            """
        ),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        for file in deployment.project.files:
            if file.status is not Status.SKIPPED_TEMPLATE or file.source is None:
                continue
            mark = file.marker or Span(file.source, 0, 0)
            line = file.source.line_span(file.source.line_of(mark.start))
            yield self.finding(
                Place(line),
                f"{file.reason}: the file was not checked",
                advice="check the file that the template makes",
                span=Span(file.source, mark.start, min(mark.end, line.end)),
            )
