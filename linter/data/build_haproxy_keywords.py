"""Makes haproxy_keywords.json from keyword dumps and the table of the manuals.

    python build_haproxy_keywords.py FOLDER

FOLDER holds haproxy-keywords.tsv (kind, keyword, one column a version, as read from each manual)
and haproxy-keywords-dump-VERSION.txt (what `haproxy -dKall` printed). What neither holds, the
keywords of the small sections and the reactions of real servers, stands in the tables below;
"measured" means `haproxy -c` of 2.6.12 and 2.8.25.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ["2.4", "2.6", "2.8", "3.0", "3.1", "3.2", "3.3", "3.4"]
DUMPED = ["2.6", "2.8", "3.0", "3.2", "3.4"]
RULE_SETS = ("http-request", "http-response", "http-after-response")
TCP_RULE_SETS = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "tcp-response content",
)

# Manual chapters on each section; peers, ring, log-forward, fcgi-app and cache measured.
SECTION_KEYWORDS: dict[str, list[str]] = {
    "peers": [
        "bind", "default-bind", "default-server", "disabled", "enabled", "log", "peer",
        "server", "shards@2.8", "table", "curves",
    ],
    "resolvers": [
        "accepted_payload_size", "hold", "nameserver", "parse-resolv-conf", "resolve_retries",
        "timeout resolve", "timeout retry",
    ],
    "userlist": ["group", "user"],
    "mailers": ["mailer", "timeout mail"],
    "cache": [
        "max-age", "max-object-size", "max-secondary-entries", "process-vary", "total-max-size",
    ],
    "ring": [
        "backing-file@2.6", "description", "format", "maxlen", "server", "size",
        "timeout connect", "timeout server",
    ],
    "http-errors": ["errorfile"],
    "log-forward": [
        "backlog", "bind", "dgram-bind", "log", "maxconn", "option assume-rfc6587-ntf",
        "option dont-parse-log", "option host", "timeout client",
    ],
    "fcgi-app": [
        "acl", "docroot", "index", "log-stderr", "option get-values", "option keep-conn",
        "option max-reqs", "option mpxs-conns", "pass-header", "path-info", "set-param",
    ],
    "program": ["command", "group", "option start-on-reload", "user"],
    "namespace_list": ["namespace"],
    "crt-store": ["crt-base", "key-base", "load"],
    "traces": ["trace"],
    "acme": [],
    "log-profile": ["log-tag", "on"],
    "spoe-agent": [
        "groups", "log", "maxconnrate", "maxerrrate", "max-frame-size", "max-waiting-frames",
        "messages", "option async", "option continue-on-error", "option dontlog-normal",
        "option force-set-var", "option pipelining", "option send-frag-payload",
        "option set-on-error", "option set-process-time", "option set-total-time",
        "option var-prefix", "register-var-names", "timeout hello", "timeout idle",
        "timeout processing", "use-backend",
    ],
    "spoe-group": ["messages"],
    "spoe-message": ["acl", "args", "event"],
}  # fmt: skip

# Sections of which not every keyword is known here: nothing in them is called unknown.
OPEN_SECTIONS = ["healthcheck"]

SECTION_SINCE = {
    "crt-store": "3.0", "acme": "3.2", "log-profile": "3.1", "traces": "3.1", "healthcheck": "3.4",
}  # fmt: skip

# In the manual's text, but neither in its lists nor in the dumps of these binaries.
MORE_GLOBAL = [
    "51degrees-cache-size", "51degrees-data-file", "51degrees-property-name-list",
    "51degrees-property-separator", "wurfl-patch-file",
]  # fmt: skip
STATS_IN_GLOBAL = ["stats socket", "stats timeout", "stats maxconn", "stats bind-process"]

# Second words that the manual's matrix leaves out, measured: word, sections, since.
MORE_PROXY = [
    ("http-check set-var-fmt*", "DLB", "2.6"),
    ("tcp-check set-var-fmt*", "DLB", "2.6"),
    ("tcp-check send-binary-lf", "DLB", None),
    ("stick store", "LB", None),
    ("stick match", "LB", None),
    ("ssl-f-use", "FL", "3.3"),
    ("use-fcgi-app", "LB", None),
]
# Older than the table says (measured).
KNOWN_BY_2_6 = ["hash-balance-factor", "max-session-srv-conns"]
GLOBAL_SINCE = {"limited-quic": "2.8", "master-worker": None}
# A name in brackets may follow: set-var(check.x), rdp-cookie(name).
BRACKETED = {
    "http-check set-var", "http-check unset-var", "tcp-check set-var", "tcp-check unset-var",
    "persist rdp-cookie",
}  # fmt: skip

# Actions that the dumps do not register: they are compiled in by hand.
BUILT_IN_ACTIONS = {
    "tcp-request connection": [
        "accept", "reject", "expect-proxy", "expect-netscaler-cip", "capture", "track-sc*",
    ],
    "tcp-request session": ["accept", "reject", "track-sc*"],
    "tcp-request content": ["accept", "reject", "capture", "track-sc*"],
    "tcp-response content": ["accept", "reject", "close"],
}  # fmt: skip

# Keyword -> the version that took it out (what HAProxy itself says of it, measured).
REMOVED = {
    **dict.fromkeys(
        [
            "block", "cliexp", "srvexp", "reqadd", "reqallow", "reqdel", "reqdeny", "reqiallow",
            "reqidel", "reqideny", "reqipass", "reqirep", "reqitarpit", "reqpass", "reqrep",
            "reqtarpit", "rspadd", "rspdel", "rspdeny", "rspidel", "rspideny", "rspirep",
            "rsprep", "redispatch", "redisp", "clitimeout", "contimeout", "srvtimeout",
            "reqisetbe", "reqsetbe",
            "timeout clitimeout", "timeout contimeout", "timeout srvtimeout",
            "option http-tunnel", "monitor-net",
        ],
        "2.1",
    ),
    "appsession": "1.6",
    "option forceclose": "2.0",
    "option http_proxy": "2.5",
    "option http-use-htx": "2.5",
    "grace": "2.5",
    "bind-process": "2.7",
    "dispatch": "3.5",
    "transparent": "3.5",
    "option transparent": "3.5",
}  # fmt: skip

# How a keyword outside its sections is met, where it is not the usual way (measured). Usual:
# defaults refuses; frontend and backend warn that it is ignored.
REFUSED_IN = {
    "F": [
        "default-server", "retry-on", "server", "server-template", "tcp-response content",
        "tcp-response inspect-delay", "use-fcgi-app",
    ],
    "B": ["declare capture", "tcp-request connection", "tcp-request session"],
}  # fmt: skip
SILENT_IN = {
    "F": [
        "external-check command", "external-check path", "hash-balance-factor",
        "option external-check", "persist rdp-cookie*", "transparent",
    ],
    "B": ["unique-id-format", "unique-id-header"],
}  # fmt: skip
# Rules need a name on their defaults section (measured).
NAMED_DEFAULTS_ONLY = [
    "acl", *RULE_SETS, *TCP_RULE_SETS, "tcp-request inspect-delay", "tcp-response inspect-delay",
]  # fmt: skip

# Arguments after the keyword, fewest and most, where the server refuses others (measured).
ARGUMENTS: dict[str, tuple[int, int | None]] = {
    "acl": (2, None),
    "backlog": (1, 1),
    "bind": (1, None),
    "balance": (0, None),
    "cookie": (1, None),
    "default_backend": (1, 1),
    "disabled": (0, 0),
    "enabled": (0, 0),
    "errorfile": (2, None),
    "errorloc": (2, None),
    "errorloc302": (2, None),
    "errorloc303": (2, None),
    "fullconn": (1, 1),
    "id": (1, 1),
    "http-reuse": (1, 1),
    "log-format": (1, 1),
    "log-format-sd": (1, 1),
    "error-log-format": (1, 1),
    "unique-id-format": (1, 1),
    "maxconn": (1, 1),
    "mode": (1, 1),
    "monitor-uri": (1, 1),
    "retries": (1, 1),
    "server": (2, None),
    "server-template": (3, None),
    "timeout": (1, 1),
    "use_backend": (1, None),
    "use-server": (1, None),
    "log-tag": (1, None),
    "unique-id-header": (1, None),
    "http-send-name-header": (1, None),
    "rate-limit sessions": (1, None),
    "option httpclose": (0, 0),
    "option http-server-close": (0, 0),
    "option http-keep-alive": (0, 0),
    "option tcp-check": (0, 0),
    "option httplog": (0, 1),
    "option tcplog": (0, 0),
    "option httpchk": (0, 3),
    "option redispatch": (0, 1),
}

# The same for keywords that only want something, or nothing, after them (measured).
ARGUMENTS |= dict.fromkeys(
    [
        "capture cookie", "capture request header", "capture response header", "clitcpka-cnt",
        "clitcpka-idle", "clitcpka-intvl", "compression", "declare capture", "description",
        "email-alert level", "errorfiles", "external-check command", "external-check path",
        "filter", "force-persist", "hash-balance-factor", "hash-type", "http-check comment",
        "http-check expect", "http-error", "ignore-persist", "load-server-state-from-file",
        "log", "max-keep-alive-queue", "max-session-srv-conns", "monitor fail",
        "option http-restrict-req-hdr-names", "option pgsql-check", "redirect", "retry-on",
        "source", "srvtcpka-cnt", "srvtcpka-idle", "srvtcpka-intvl", "stats admin",
        "stats auth", "stats realm", "stats refresh", "stats scope", "stats uri", "stick match",
        "stick on", "stick store-request", "stick store-response", "stick-table",
        "tcp-check comment", "tcp-check expect", "tcp-check send", "tcp-check send-binary",
        "tcp-check send-binary-lf", "tcp-check send-lf", "use-fcgi-app",
        "tcp-request inspect-delay", "tcp-response inspect-delay",
    ],
    (1, None),
)  # fmt: skip
ARGUMENTS |= dict.fromkeys(
    [
        "http-check disable-on-404", "http-check send-state", "option abortonclose",
        "option accept-invalid-http-request", "option accept-invalid-http-response",
        "option allbackups", "option checkcache", "option clitcpka", "option contstats",
        "option disable-h2-upgrade", "option dontlog-normal", "option dontlognull",
        "option external-check", "option h1-case-adjust-bogus-client",
        "option h1-case-adjust-bogus-server", "option http-buffer-request",
        "option http-ignore-probes", "option http-no-delay", "option http-pretend-keepalive",
        "option http-use-proxy-header", "option idle-close-on-response",
        "option independent-streams", "option ldap-check", "option log-health-checks",
        "option log-separate-errors", "option logasap", "option nolinger", "option persist",
        "option prefer-last-server", "option redis-check", "option socket-stats",
        "option splice-auto", "option splice-request", "option splice-response",
        "option spop-check", "option srvtcpka", "option ssl-hello-chk",
        "option tcp-smart-accept", "option tcp-smart-connect", "option tcpka",
    ],
    (0, 0),
)  # fmt: skip
GLOBAL_NEED_ARGUMENT = [
        "ca-base", "crt-base", "default-path", "hard-stop-after", "log", "log-tag", "lua-load",
        "localpeer", "maxconn", "nbthread", "pidfile", "ssl-server-verify", "stats socket",
        "stats timeout", "tune.bufsize", "tune.maxrewrite", "tune.http.maxhdr",
        "tune.idletimer", "tune.maxaccept", "tune.ssl.default-dh-param", "tune.ssl.cachesize",
        "ulimit-n", "maxsslconn", "maxconnrate", "thread-groups",
]  # fmt: skip
GLOBAL_TAKE_ONE = [
        "ca-base", "crt-base", "log-tag", "localpeer", "maxconn", "maxconnrate", "maxsslconn",
        "nbthread", "pidfile", "spread-checks", "ssl-default-bind-ciphers",
        "ssl-default-bind-ciphersuites", "ssl-default-server-ciphers",
        "ssl-default-server-ciphersuites", "ssl-dh-param-file", "ssl-server-verify",
        "tune.bufsize", "tune.maxrewrite", "tune.http.maxhdr", "tune.idletimer",
        "tune.maxaccept", "tune.ssl.default-dh-param", "tune.ssl.cachesize", "ulimit-n",
        "thread-groups",
]  # fmt: skip
GLOBAL_TAKE_NONE = [
        "busy-polling", "insecure-fork-wanted", "insecure-setuid-wanted", "daemon", "noepoll",
        "nokqueue", "nopoll", "noreuseport", "nosplice", "quiet", "set-dumpable",
        "strict-limits", "zero-warning",
]  # fmt: skip
ARGUMENTS |= {
    f"global {keyword}": (
        int(keyword in GLOBAL_NEED_ARGUMENT),
        0 if keyword in GLOBAL_TAKE_NONE else 1 if keyword in GLOBAL_TAKE_ONE else None,
    )
    for keyword in [*GLOBAL_NEED_ARGUMENT, *GLOBAL_TAKE_ONE, *GLOBAL_TAKE_NONE]
}

# Words after a server parameter; -1: until what follows is no part of it (`source`).
SERVER_ARITY = {"set-proxy-v2-tlv-fmt": 1, "quic-cc-algo": 1, "no-verifyhost": 0,
                "no-check-send-proxy": 0, "source": -1}  # fmt: skip
BIND_ARITY = {"ech": 1, "ocsp-update": 1, "quic-cc-algo": 1, "quic-socket": 1,
              "quic-force-retry": 0}  # fmt: skip
NO_PARAMETERS = {"no", "parameters", "ssl", "after"}

_SAMPLE = re.compile(r"([^(:]+)(?:\((.*)\))?: (.*)")


def since_of(seen: set[str], manual_too: bool) -> str | None:
    """The version from which a keyword counts as known; None: from the oldest on.

    A keyword that only dumps show may have come with any version after the last dump without it.
    """
    first = min(seen, key=VERSIONS.index)
    if manual_too:
        return None if first == VERSIONS[0] else first
    if first == DUMPED[0]:
        return None
    before = VERSIONS.index(DUMPED[DUMPED.index(first) - 1])
    return VERSIONS[before + 1]


def table_rows(folder: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(kind, keyword, version -> cell) for every row of the manuals' table."""
    for line in (folder / "haproxy-keywords.tsv").read_text().splitlines():
        if line.startswith(("#", "kind\t")):
            continue
        kind, keyword, *cells = line.split("\t")
        yield kind, keyword, {v: c for v, c in zip(VERSIONS, cells, strict=True) if c}


def dump_sections(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(version, heading, line) for every line of every dump."""
    for version in DUMPED:
        heading = ""
        path = folder / f"haproxy-keywords-dump-{version}.txt"
        for line in path.read_text().splitlines():
            if line.startswith("# List of registered "):
                heading = line.removeprefix("# List of registered ").rstrip(":")
            elif line and not line.startswith("#"):
                yield version, heading, line


class Samples:
    """Sample fetches, converters, ACL keywords, filters and services from the dumps."""

    def __init__(self, folder: Path) -> None:
        self.facts: dict[str, dict[str, list[object]]] = {
            "fetches": {}, "converters": {}, "acls": {}, "filters": {}, "services": {},
        }  # fmt: skip
        self._seen: dict[tuple[str, str], set[str]] = {}
        readers = {
            "ACL keywords": self._acl,
            "sample converter functions": self._converter,
            "filter names": self._filter,
            "sample fetch functions": self._fetch,
            "service names": self._service,
        }
        for version, heading, line in dump_sections(folder):
            if heading in readers:
                group, name, facts = readers[heading](line)
                self.facts[group][name] = facts
                self._seen.setdefault((group, name), set()).add(version)

    def finished(self) -> dict[str, dict[str, list[object]]]:
        for (group, name), seen in self._seen.items():
            self.facts[group][name].append(since_of(seen, manual_too=False))
        return {group: dict(sorted(names.items())) for group, names in self.facts.items()}

    @staticmethod
    def _acl(line: str) -> tuple[str, str, list[object]]:
        name, _, definition = line.partition(" = ")
        return "acls", name.strip(), [definition.strip()]

    @staticmethod
    def _converter(line: str) -> tuple[str, str, list[object]]:
        # A dump prints "name(arguments): type it makes => type it takes".
        name, arguments, types = _sample(line)
        made, _, taken = types.partition(" => ")
        return "converters", name, [arguments, taken, made]

    @staticmethod
    def _fetch(line: str) -> tuple[str, str, list[object]]:
        marks, _, rest = line.lstrip("[ ").partition(" ] ")
        contexts = int("".join("1" if mark == "Y" else "0" for mark in marks.split()), 2)
        name, arguments, made = _sample(rest)
        return "fetches", name, [arguments, made, contexts]

    @staticmethod
    def _filter(line: str) -> tuple[str, str, list[object]]:
        return "filters", line.partition(" ")[0], []

    @staticmethod
    def _service(line: str) -> tuple[str, str, list[object]]:
        return "services", line.partition(" ")[0], []


def _sample(text: str) -> tuple[str, str, str]:
    match = _SAMPLE.fullmatch(text.strip())
    if match is None:
        raise SystemExit(f"not a sample: {text!r}")
    return match[1], match[2] or "", match[3]


def parameters(folder: Path) -> dict[str, dict[str, list[object]]]:
    """Of bind and server: parameter -> [words that follow it, since]."""
    arity: dict[tuple[str, str], int] = {}
    in_dumps: dict[tuple[str, str], set[str]] = {}
    pattern = re.compile(r"\t(bind|server) (?:<name> )?<addr> (?:ssl (?=\S))?(\S+)(?: \+(-?\d+))?")
    for version, heading, line in dump_sections(folder):
        match = pattern.fullmatch(line) if heading == "configuration keywords" else None
        if match:
            key = (match[1], match[2])
            arity[key] = int(match[3] or 0)
            in_dumps.setdefault(key, set()).add(version)
    in_manuals = {
        (kind, keyword): set(cells)
        for kind, keyword, cells in table_rows(folder)
        if kind in ("bind", "server") and keyword not in NO_PARAMETERS
    }
    for kind, table in (("bind", BIND_ARITY), ("server", SERVER_ARITY)):
        arity.update({(kind, name): words for name, words in table.items()})
    arity["bind", "ssl"] = 0
    in_dumps["bind", "ssl"] = {DUMPED[0]}
    found: dict[str, dict[str, list[object]]] = {"bind": {}, "server": {}}
    for key in sorted(in_dumps.keys() | in_manuals.keys()):
        seen = in_dumps.get(key, set()) | in_manuals.get(key, set())
        # usesrc alone is refused; the table holds it only for its error message.
        if key not in arity or key == ("server", "usesrc"):
            print(f"left out: {' '.join(key)}", file=sys.stderr)
            continue
        found[key[0]][key[1]] = [arity[key], since_of(seen, key in in_manuals)]
    return found


def proxy_keywords(folder: Path) -> dict[str, list[object]]:
    """Keyword -> [sections out of DFLB, since]."""
    found: dict[str, list[object]] = {}
    for kind, keyword, cells in table_rows(folder):
        if kind != "proxy" or "<" in keyword:
            continue
        matrix = {v: "".join(c for c in cell.split()[0] if c in "DFLB")
                  for v, cell in cells.items() if cell != "?"}  # fmt: skip
        if "[" in keyword:
            _add_option(found, keyword, set(cells))
        elif matrix:
            where = "".join(s for s in "DFLB" if any(s in cell for cell in matrix.values()))
            name = f"{keyword}*" if keyword in BRACKETED else keyword
            found[name] = [where, since_of(set(cells), manual_too=True)]
        elif keyword.startswith((*RULE_SETS, *TCP_RULE_SETS)) and keyword not in RULE_SETS:
            found[keyword] = ["", since_of(set(cells), manual_too=False)]
    for keyword, where, since in MORE_PROXY:
        found.setdefault(keyword, [where, since])
    for rule_set, actions in BUILT_IN_ACTIONS.items():
        for action in actions:
            found.setdefault(f"{rule_set} {action}", ["", None])
    for keyword in REMOVED:
        found.setdefault(keyword, ["DFLB", None])
    for keyword, entry in found.items():
        if entry[0] == "":
            rule_set = next(r for r in (*RULE_SETS, *TCP_RULE_SETS) if keyword.startswith(f"{r} "))
            entry[0] = found[rule_set][0]
    for keyword in KNOWN_BY_2_6:
        found[keyword][1] = None
    # Measured: accepted in defaults by 2.6 and 2.8, whatever their manuals say.
    found["http-send-name-header"][0] = "DLB"
    found["option spop-check"][0] = "DLB"
    return dict(sorted(found.items()))


def _add_option(found: dict[str, list[object]], keyword: str, seen: set[str]) -> None:
    """An option that a dump shows as `option name [ FE BE HTTP ]`."""
    name, _, sides = keyword.partition(" [ ")
    if name in found:
        return
    front, back = "FE" in sides.split(), "BE" in sides.split()
    where = "D" + ("F" if front else "") + "L" + ("B" if back else "")
    found[name] = [where, since_of(seen, manual_too=False)]


def section_keywords(folder: Path) -> dict[str, dict[str, list[object]]]:
    """Section -> keyword -> [since]; also for global."""
    sections: dict[str, dict[str, list[object]]] = {"global": {}}
    for kind, keyword, cells in table_rows(folder):
        if kind == "global" and keyword != "stats":
            sections["global"][keyword] = [since_of(set(cells), manual_too=True)]
        elif kind.startswith("section ") and kind != "section crt-list":
            name = keyword.split()[0]
            sections.setdefault(kind.removeprefix("section "), {})[name] = [None]
    for keyword, since in GLOBAL_SINCE.items():
        sections["global"][keyword] = [since]
    for keyword in [*MORE_GLOBAL, *STATS_IN_GLOBAL]:
        sections["global"].setdefault(keyword, [None])
    for section, keywords in SECTION_KEYWORDS.items():
        for entry in keywords:
            keyword, _, since = entry.partition("@")
            sections.setdefault(section, {})[keyword] = [since or None]
    return {name: dict(sorted(keywords.items())) for name, keywords in sections.items()}


def build(folder: Path) -> dict[str, object]:
    return {
        "versions": VERSIONS,
        "proxy": proxy_keywords(folder),
        "sections": section_keywords(folder),
        "open_sections": OPEN_SECTIONS,
        "section_since": SECTION_SINCE,
        "removed": REMOVED,
        "refused": REFUSED_IN,
        "silent": SILENT_IN,
        "named_defaults_only": NAMED_DEFAULTS_ONLY,
        "arguments": ARGUMENTS,
        "parameters": parameters(folder),
        **Samples(folder).finished(),
    }


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    target = Path(__file__).with_name("haproxy_keywords.json")
    facts = build(Path(sys.argv[1]))
    # One fact a line at the second level: readable differences, still compact.
    lines = []
    for key, value in facts.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}"
                               for k, v in value.items())  # fmt: skip
            lines.append(f"{json.dumps(key)}:{{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}")
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
