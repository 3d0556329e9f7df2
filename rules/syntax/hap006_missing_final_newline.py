from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.source import Place, decode
from gwlint.syntax.problem import SyntaxProblem

_ADVICE = {
    "missing-final-newline": "end the last line with a line break",
    "byte-order-mark": "save the file as UTF-8 without a byte order mark",
    "nul": "remove the NUL byte",
}


class MissingFinalNewline(HaproxyRule):
    """The file does not end with a line break, begins with a byte order mark, or holds a NUL byte.

    ## Problem
    HAProxy takes a last line without a line break for a sign that the file was cut off. A byte
    order mark, of which editors show nothing, becomes a part of the first word. A NUL byte ends the
    line for HAProxy wherever it stands.

    ## Why
    Measured on 2.6.12 and 2.8.25: the configuration is refused in each case.

    ## In the log
    `[ALERT] parsing [haproxy.cfg:55]: Missing LF on last line, file might have been truncated at
    position 80`, `[ALERT] parsing [haproxy.cfg:1]: unknown keyword '\\xef\\xbb\\xbfglobal' out of
    section`, `[ALERT] parsing [haproxy.cfg:11]: Stray NUL character at position 6.`

    ## Silent when
    The file is empty, or holds so many NUL bytes that it is binary data, which is not read at all.

    ## Fix safety
    Safe: as the file is, HAProxy does not start.

    ## Learnt
    The most frequent reason in real files for which HAProxy refuses a configuration. Often the last
    line holds nothing but blanks. All 9 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 2.1
    """

    code = "HAP006"
    name = "missing-final-newline"
    severity = Severity.ERROR
    fix = Safety.SAFE
    bad = (
        Example.haproxy("backend app\n    server s1 10.0.0.1:80"),
        Example.haproxy("backend app\r\n    server s1 10.0.0.1:80"),
        Example.haproxy("\ufeffbackend app\n    server s1 10.0.0.1:80\n"),
        Example.haproxy(
            "backend app\n    # the application of the shop, on one machine for now,\n"
            "    # with another to come when there is time\0\n"
            "    server s1 10.0.0.1:80\n"
        ),
    )
    good = (Example.haproxy("backend app\n    server s1 10.0.0.1:80\n"),)

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for tree in config.trees:
            for problem in tree.errors:
                if problem.kind in _ADVICE:
                    yield self._problem(problem)

    def _problem(self, problem: SyntaxProblem) -> Finding:
        source = problem.span.source
        line = source.line_span(source.line_of(problem.span.start))
        fix = None
        if problem.kind == "missing-final-newline":
            ending = Edit.insert(source, len(source.data), decode(source.newline))
            fix = Fix("end the last line", Safety.SAFE, (ending,))
        elif problem.kind == "byte-order-mark":
            fix = Fix("remove the byte order mark", Safety.SAFE, (Edit.delete(problem.span),))
        elif problem.kind == "nul":
            fix = Fix("remove the NUL byte", Safety.SAFE, (Edit.delete(problem.span),))
        return self.finding(
            Place(line), problem.message, advice=_ADVICE[problem.kind], span=problem.span, fix=fix
        )
