"""Secrets stay where they are: no report shows a password, a key or a token of a configuration.

What is a secret is told by the words before it, in comments too. It is masked in the source lines
that a report shows, and wherever a message repeats it; a fix that repeats one is left out of
reports. The patch of `gwlint fix` has the lines as they are, since it could not be applied else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gwlint.source import Source, decode

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.rule import Finding

MASK = b"*"
SHORTEST_REPEATED = 4
"""Characters. A message is searched for secrets of this length at least: shorter ones stand for
much else, and no message quotes what stands after these words."""

_VERBOSE = re.IGNORECASE | re.MULTILINE | re.VERBOSE

_PARTS = {
    # A word of either dialect, quoted or not, or several such parts written as one.
    "WORD": r"""(?: "(?:[^"\\\n]|\\.)*+"? | '(?:[^'\\\n]|\\.)*+'? | \\. | [^\s"'\\;{}] )++""",
    # The same, where `;` and braces are letters.
    "HAPROXY": r"""(?: "(?:[^"\\\n]|\\.)*+"? | '(?:[^'\\\n]|\\.)*+'? | \\. | [^\s"'\\] )++""",
    # What names of secrets hold. What is around is bounded: a long word would be looked through
    # again from each of its places.
    "SECRET": r"""(?: passw(?:or)?d | passphrase | secret | token | api[_-]?key | credential )""",
    "NAME": r"""(?: [\w.$-]{0,64} SECRET (?! [\w.-]{0,64}(?:file|path|dir)\b ) [\w.-]{0,64} )""",
    "VARIABLE": r"""(?: \w{0,64} (?: SECRET | authorization | _pass | _pwd | auth_key )
                      \w{0,64} )""",
    "SETTING": r"""(?: \w{0,64} (?: SECRET | pass\b | pwd\b | auth\b | _key\b ) \w{0,64} )""",
    "USUAL": r"""(?: (?:proxy-)?authorization | (?:set-)?cookie
                   | x-[\w-]{0,64} (?: key | auth | SECRET ) [\w-]{0,64} )""",
    "HEADER": r"""(?: USUAL | [\w-]{0,64} SECRET [\w-]{0,64} )""",
    "SP": r"""(?: [ \t]++ )""",
}

_FORMS = r"""
    # A name that people gave is no secret, whatever it is called.
      (?<![\w-]) (?: backend | default_backend | frontend | hash | peer | server | upstream
                   | use_backend | userlist | zone ) SP (?! \#) [^\s;{]++
    | ^ [ \t]*+ location SP [^\s;{]++
    # user NAME password HASH; insecure-password TEXT; setenv PGPASSWORD x; dynamic-cookie-key x
    | ^ [ \t]*+ user SP HAPROXY SP (?: groups SP HAPROXY SP )? ["']?(?:insecure-)?password["']? SP
      (?P<whole_user> HAPROXY )
    | (?<![\w-]) ["']?insecure-password["']? SP (?P<whole_password> HAPROXY )
    | (?<![\w-]) dynamic-cookie-key SP (?P<whole_cookie> HAPROXY )
    | (?<![\w-]) (?:pre)?setenv SP ["']?SETTING["']? SP (?P<whole_setenv> HAPROXY )
    # stats auth USER:PASSWORD
    | (?<![\w-]) stats SP ["']?auth["']? SP (?P<stats> HAPROXY )
    # env API_KEY=x; set $api_key x; fastcgi_param DB_PASSWORD x
    | (?<![\w-]) env \s++ ["']? SETTING = (?P<mixed_env> [^\s;"']++ )
    | (?<![\w-]) (?:set|js_var) \s++ ["']?\$ VARIABLE ["']? \s++ (?P<mixed_set> WORD )
    | (?<![\w-]) (?:fastcgi|uwsgi|scgi)_param \s++ ["']?SETTING["']? \s++ (?P<mixed_param> WORD )
    | (?<![\w-]) secure_link_(?:secret|md5) \s++ (?P<mixed_link> WORD )
    | (?<![\w-]) redis2_query \s++ auth \s++ (?P<mixed_redis> WORD )
    # if ($http_x_api_key != "x"), and the entries of a map of such a variable
    | (?<![\w-]) if \s*+ \( \s*+ \$ VARIABLE \s*+ !?[=~]\*? \s*+
      (?P<mixed_if> (?: "(?:[^"\\\n]|\\.)*+"? | '(?:[^'\\\n]|\\.)*+'? | [^\s"')] )++ )
    | (?<![\w-]) map \s++ \$ VARIABLE \s++ \$\w++ \s*+ \{ (?P<entries> [^{}]*+ )
    # A header, set for the other side, compared by a condition, or written out in a text
    | (?<![\w-]) (?: \w{1,16}_set_header | add_header | (?:set|add)-header | hdr ) \s++
      ["']?HEADER["']? \s++ (?P<mixed_header> WORD )
    | (?: (?<![\w-])acl SP \S++ | \{ ) SP !?[\w.]{0,32}
      (?: (?:hdr|cook|urlp|url_param) [\w.]{0,16} \( ["']?HEADER["']? (?:,[^()\s]{0,64})? \)
        | http_auth_bearer (?:\([^()\s]{0,64}\))? )
      (?: SP -(?: [inu] | m SP (?:str|beg|end|sub|dir|dom|reg) ) (?![\w-]) )*+
      SP (?! -[\w-] ) (?P<whole_acl> HAPROXY )
    | (?: (?<![\w-]) | (?<=\\n) ) USUAL : (?: \\?[ \t] )*+
      (?P<text_header> (?: [^\s\\"'] | \\?[ \t](?![\#]) )++ )
    # tcp-check send AUTH\ x\r\n, and the same in hexadecimal
    | (?<![\w-]) tcp-check SP send(?:-lf)? SP ["']? (?:AUTH|PASS) (?: \\?[ \t] )++
      (?P<text_check> (?: [^\s\\"'] | \\?[ \t] )++ )
    | (?<![\w-]) send-binary(?:-lf)? SP ["']?
      (?P<whole_binary> [0-9a-f]*? (?:41555448|61757468|50415353|70617373) [0-9a-f]*+ )
    # Authorization "Basic dXNlcjpwYXNz", also within a longer word
    | \b (?:Basic|Bearer|Digest|Token) ["']? (?: \\?[ \t] )++ (?P<scheme> [\w+/=.~-]{6,} )
    # https://user:password@host/, https://token@host/, /path?token=x&api_key=y
    | ://[^\s/@:"']{0,256} : (?P<whole_url> [^\s/@"']{1,512} ) @
    | :// (?P<likely_url> [^\s/@:"'$]{12,512} ) @
    | [?&;] (?: [\w-]{0,64} SECRET | [\w-]{0,64}(?:signature|auth) | key | pwd | sig ) =
      (?P<whole_query> [^\s&;"'$]++ )
    # By its shape: JSON web tokens, keys of AWS, GitHub, GitLab, Slack and Stripe, PEM
    | \b (?P<whole_shape> eyJ[\w-]{8,512} \. [\w-]{4,4096} \. [\w-]*+ | (?:AKIA|ASIA)[0-9A-Z]{16}\b
        | gh[pousr]_\w{20,} | github_pat_\w{20,} | glpat-[\w-]{16,} | xox[abprs]-[\w-]{10,}
        | [sr]k_live_\w{10,} )
    | -----BEGIN[ ][A-Z ]{0,32}PRIVATE[ ]KEY-----
      (?P<whole_pem> (?: [\w+/=\s\#\\:,.] | -(?!----) )*+ )
    | \( NAME \) SP str\( (?P<whole_str> [^()\s]++ )
    # A directive, a parameter or a comment: jwt_secret x, password=x, # token: x
    | ^ [ \t]*+ (?!server_tokens) NAME SP (?P<mixed_directive> WORD ) (?= [ \t]*+ ; )
    | (?<![\w=/$-]) (?: NAME | \w{0,32}pass | pwd | pw ) ["')]? (?: [ \t]*=[ \t]* | :SP )
      (?P<likely_value> WORD )
    | (?<![\w=/$-]) NAME ["')]? SP (?P<likely_word> WORD )
"""


def _spelled_out(forms: str) -> str:
    """The expression with its parts in place; a part may be made of those before it."""
    for _ in range(2):
        for name, part in _PARTS.items():
            forms = re.sub(rf"\b{name}\b", part.replace("\\", r"\\"), forms)
    return forms


_SECRETS = re.compile(_spelled_out(_FORMS).encode(), _VERBOSE)

_ENTRY = re.compile(
    _spelled_out(
        r"""(?<= [{;\n] ) \s*+ (?! (?:default|include|hostnames|volatile)\b | \# ) (WORD)"""
    ).encode(),
    _VERBOSE,
)

_HINT = re.compile(
    rb"passw|passphr|pwd|\bpw\b|pass[ \t]*[:=]|\$\w{0,64}pass\b|secret|token|api[_-]?key|credential"
    rb"|authori|auth_|_auth\b|cookie|\b(?:basic|bearer|digest)\b|setenv|_param\b|\benv\b|signature"
    rb"|x-[\w-]{0,64}(?:key|auth)|://[^\s/@]{1,512}@|[?&;][\w-]{0,64}(?:key|sig|auth)=|_link_|eyJ"
    rb"|\b(?:AKIA|ASIA)|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|[sr]k_live_|PRIVATE[ ]KEY"
    rb"|tcp-check|send-binary|redis2|stats[ \t]",
    re.IGNORECASE,
)
"""A statement without any of these has no secret. Looking for them takes a tenth of the time."""

_LINES = 2
"""A name and its value may stand on lines of their own."""

_KEPT = re.compile(
    rb"\$\{[^}\s]*\} | \$\w+ | %\[ (?: (?!str\()[^\[\]\s] )* \] | \b(?:Basic|Bearer|Digest|Token)\b"
    rb"| [\s\"'\\]+",
    re.IGNORECASE | re.VERBOSE,
)
"""What of a value is shown: variables, samples, the name of the scheme and what is between."""

_MIXED_LETTERS = re.compile(rb"[0-9]|[a-z][A-Z]|=")
"""What hardly a word of a sentence has, and hardly a token lacks."""

_REFERENCE = re.compile(rb"\$\w+|\$\{[^}\s]*\}")
_CONDITION_WORDS = frozenset({b"if", b"unless", b"or", b"||", b"}", b"{", b"always", b"="})


def shown_data(source: Source) -> bytes:
    """The bytes of a file with every secret masked, offset by offset."""
    return _masked(source)[0]


def masked_text(text: str, sources: Iterable[Source]) -> str:
    """A text that may quote these files, without their secrets: what a server said of them."""
    for source in sources:
        text = _masked(source)[1].hidden_in(text)
    return text


def masked(report: Report) -> Report:
    """The report with no secret in its messages, and without fixes that repeat one."""
    return replace(report, findings=[_masked_finding(finding) for finding in report.findings])


@lru_cache(maxsize=64)
def _masked(source: Source) -> tuple[bytes, _Secrets]:
    """The masked bytes, and the secrets that messages are searched for."""
    data = bytearray(source.data)
    found: set[str] = set()
    for start, end in _places(source.data):
        secret = source.data[start:end]
        data[start:end] = b"".join(one if one in b"\r\n" else MASK for one in _letters(secret))
        found |= {decode(secret), decode(_WRITTEN.sub(rb"\1", secret))}
    return bytes(data), _Secrets(one for one in found if len(one) >= SHORTEST_REPEATED)


class _Secrets:
    """The secrets of a file, found in a text without looking for each: there may be thousands."""

    def __init__(self, found: Iterable[str]) -> None:
        self._all = frozenset(found)
        self._lengths = sorted({len(one) for one in self._all}, reverse=True)
        self._beginnings = {one[:SHORTEST_REPEATED] for one in self._all}

    def __bool__(self) -> bool:
        return bool(self._all)

    def hidden_in(self, text: str) -> str:
        """`text` without the secrets, the longest first: one may be a part of another."""
        parts: list[str] = []
        done = offset = 0
        while offset < len(text):
            end = self._end(text, offset) if offset == 0 or not _is_word(text[offset - 1]) else None
            if end is None:
                offset += 1
            else:
                parts += (text[done:offset], "***")
                done = offset = end
        return "".join((*parts, text[done:])) if parts else text

    def _end(self, text: str, start: int) -> int | None:
        """Where a secret ends that begins there, as a word of its own."""
        if text[start : start + SHORTEST_REPEATED] not in self._beginnings:
            return None
        for length in self._lengths:
            end = start + length
            if text[start:end] in self._all and (end >= len(text) or not _is_word(text[end])):
                return end
        return None


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


_WRITTEN = re.compile(rb"\\(.)|[\"']")
"""What a server does not see of a word: quotes, and backslashes before what they escape."""


def _letters(data: bytes) -> Iterator[bytes]:
    return (data[index : index + 1] for index in range(len(data)))


def _places(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of every secret, in order."""
    for match in _found(data):
        kind = match.lastgroup
        if kind is None:
            continue
        start, end = match.span(kind)
        if kind == "entries":
            for entry in _ENTRY.finditer(data, start, end):
                yield from _mixed(data, *entry.span(1))
        elif kind == "stats":
            colon = data.find(b":", start, end)
            if colon != -1:
                yield from _whole(data, colon + 1, end, data[start : start + 1])
        elif kind.startswith("mixed"):
            yield from _mixed(data, start, end)
        elif _is_secret(kind, data[start:end]):
            yield from _whole(data, start, end)


def _is_secret(kind: str, value: bytes) -> bool:
    """Whether the value of a form is what its name says."""
    if kind.startswith("text"):
        return _KEPT.fullmatch(value) is None
    if kind.startswith("likely"):
        return _is_likely(value)
    return kind != "scheme" or _MIXED_LETTERS.search(value) is not None


def _found(data: bytes) -> Iterator[re.Match[bytes]]:
    """The forms in the lines that may have some, and wherever a longer one ends."""
    offset = 0
    while (hint := _HINT.search(data, offset)) is not None:
        line = data.rfind(b"\n", 0, hint.start()) + 1
        begin = max(offset, data.rfind(b"\n", 0, max(line - 1, 0)) + 1)
        offset = hint.end()
        for _ in range(_LINES):
            end = data.find(b"\n", offset)
            offset = len(data) if end == -1 else end + 1
        if (block := _BLOCK.search(data, begin, offset)) is not None:
            offset = max(offset, _END_OF_BLOCK.match(data, block.end()).end())  # type: ignore[union-attr]
        yield from _SECRETS.finditer(data, begin, offset)


_BLOCK = re.compile(rb"\bmap\s[^{}\n]{1,200}\{|-----BEGIN[ ][A-Z ]{0,32}PRIVATE[ ]KEY-----", re.I)
_END_OF_BLOCK = re.compile(rb"[^{}]*?(?:\}|-----END|\Z|(?=\{))")


def _whole(data: bytes, start: int, end: int, quote: bytes = b"") -> Iterator[tuple[int, int]]:
    """A value without the quotes around it; nothing where it comes from elsewhere or is none."""
    first = data[start : start + 1]
    if first in (b'"', b"'"):
        start, quote = start + 1, first
    if quote in (b'"', b"'") and data[end - 1 : end] == quote:
        end -= 1
    value = data[start:end]
    if end > start and not _REFERENCE.fullmatch(value) and value not in _CONDITION_WORDS:
        yield start, end


def _mixed(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What of a value is no variable, no sample and no scheme."""
    kept = list(_KEPT.finditer(data, start, end))
    if all(match[0].strip(b" \t\n\r\"'\\") == b"" for match in kept):
        yield from _whole(data, start, end)
        return
    for match in kept:
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if end > start and data[start:end] not in _CONDITION_WORDS:
        yield start, end


def _is_likely(value: bytes) -> bool:
    """Whether a word behind the name of a secret is one, and not the next word of a sentence."""
    text = value.strip(b"\"'")
    return (
        len(text) >= SHORTEST_REPEATED
        and not text.startswith((b"/", b"$", b"-", b"~", b"^"))
        and b"(" not in text
        and re.search(rb"[0-9]", text) is not None
        and re.search(rb"[A-Za-z]", text) is not None
    ) or (value[:1] in (b'"', b"'") and len(text) >= SHORTEST_REPEATED and b" " not in text)


def _masked_finding(finding: Finding) -> Finding:
    sources = {finding.span.source, *(label.span.source for label in finding.related)}
    for source in sources:
        if secrets := _masked(source)[1]:
            finding = _without(secrets, finding)
    return finding


def _without(secrets: _Secrets, finding: Finding) -> Finding:
    hidden = secrets.hidden_in
    fix = finding.fix
    repeats = fix is not None and any(hidden(edit.text) != edit.text for edit in fix.edits)
    return finding._replace(
        message=hidden(finding.message),
        advice=hidden(finding.advice),
        related=tuple(label._replace(message=hidden(label.message)) for label in finding.related),
        fix=None if repeats else fix,
    )
