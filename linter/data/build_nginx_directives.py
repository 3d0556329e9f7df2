"""Make nginx_directives.json: which directives nginx has, where they may stand, what they take.

    python linter/data/build_nginx_directives.py DIRECTIVES.tsv

Three sources are joined, each closing gaps of the one before:

1. `crossplane.analyzer.DIRECTIVES`: contexts and argument counts of 634 names, dead ones included.
2. nginx_commands.tsv, beside this file: the command tables of nginx 1.22.1 with Debian's modules
   and of nginx 1.31.3 (read_nginx_commands.py). The only source for how a value is read.
3. DIRECTIVES.tsv: every directive of nginx.org's documentation, with the columns directive, module,
   contexts, block, syntax, default, since, commercial. Defaults and versions come from here.

Joining only ever widens: a context or a count that one source allows is allowed, and a value is
checked only where every source that tells how it is read tells the same. What no source knows
stands in the tables below, each with its reason.
"""

from __future__ import annotations

import csv
import html
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crossplane import analyzer

HERE = Path(__file__).parent
ANY_CONTEXT = "any"

CROSSPLANE_CONTEXTS = {
    analyzer.NGX_MAIN_CONF: "main",
    analyzer.NGX_EVENT_CONF: "events",
    analyzer.NGX_MAIL_MAIN_CONF: "mail",
    analyzer.NGX_MAIL_SRV_CONF: "mail server",
    analyzer.NGX_STREAM_MAIN_CONF: "stream",
    analyzer.NGX_STREAM_SRV_CONF: "stream server",
    analyzer.NGX_STREAM_UPS_CONF: "stream upstream",
    analyzer.NGX_HTTP_MAIN_CONF: "http",
    analyzer.NGX_HTTP_SRV_CONF: "http server",
    analyzer.NGX_HTTP_LOC_CONF: "location",
    analyzer.NGX_HTTP_UPS_CONF: "http upstream",
    analyzer.NGX_HTTP_SIF_CONF: "http server if",
    analyzer.NGX_HTTP_LIF_CONF: "location if",
    analyzer.NGX_HTTP_LMT_CONF: "limit_except",
}

# Words of the documentation's contexts that are the same in every kind of module.
DOCUMENTED_CONTEXTS = {
    "main": ("main",),
    "events": ("events",),
    "http": ("http",),
    "stream": ("stream",),
    "mail": ("mail",),
    "location": ("location",),
    "if in location": ("location if",),
    "if": ("http server if", "location if"),
    "limit_except": ("limit_except",),
    "acme_issuer": ("acme_issuer",),
    "oidc_provider": ("oidc_provider",),
    "mgmt": ("mgmt",),
}

# Counts of arguments are a bit for each of 0 to 7, and one for "more than 7".
MORE = 1 << 8
ANY_COUNT = MORE | 0xFF

# The documentation's data sets what stands for a value in single angle quotation marks.
PLACEHOLDER_BRACKETS = {0x2039: "<", 0x203A: ">"}

# The documentation leaves the contexts of `include` empty: nginx takes it in any block.
UNDOCUMENTED_CONTEXTS = {"include": (ANY_CONTEXT,)}

# Open source modules whose own page says since when they exist, which the data leaves out.
MODULE_SINCE = {
    "ngx_http_auth_request_module": "1.5.4",
    "ngx_http_grpc_module": "1.13.10",
    "ngx_http_mirror_module": "1.13.4",
    "ngx_http_slice_module": "1.9.8",
    "ngx_http_v2_module": "1.9.5",
    "ngx_http_v3_module": "1.25.0",
    "ngx_stream_access_module": "1.9.2",
    "ngx_stream_core_module": "1.9.0",
    "ngx_stream_geo_module": "1.11.3",
    "ngx_stream_geoip_module": "1.11.3",
    "ngx_stream_limit_conn_module": "1.9.3",
    "ngx_stream_log_module": "1.11.4",
    "ngx_stream_map_module": "1.11.2",
    "ngx_stream_pass_module": "1.25.5",
    "ngx_stream_proxy_module": "1.9.0",
    "ngx_stream_realip_module": "1.11.4",
    "ngx_stream_return_module": "1.11.2",
    "ngx_stream_set_module": "1.19.3",
    "ngx_stream_split_clients_module": "1.11.3",
    "ngx_stream_ssl_module": "1.9.0",
    "ngx_stream_ssl_preread_module": "1.11.5",
    "ngx_stream_upstream_module": "1.9.0",
}

# Where the documentation's data misleads, corrected: (directive, context) -> since, commercial.
CORRECTIONS = {
    # Open source since 1.29.6 (CHANGES); the documentation still counts from NGINX Plus.
    ("sticky", "http upstream"): ("1.29.6", False),
    # Open source since 1.31.0 (CHANGES).
    ("least_time", "http upstream"): ("1.31.0", False),
    # The documentation says "as part of our commercial subscription" in the text only.
    ("queue", "http upstream"): ("1.5.12", True),
}

# Directives inside of blocks that the documentation describes in the text of the block's own
# directive, without an entry of their own: (context, names). Counts are not checked.
BLOCK_DIRECTIVES = {
    "otel_exporter": (
        "endpoint",
        "interval",
        "batch_size",
        "batch_count",
        "header",
        "trusted_certificate",
    ),
    "match": ("status", "header", "body", "require", "send", "expect"),
}

# Third-party directives that are in wide use and in none of the sources. Their contexts and
# counts were not measured, so nothing but their names is known: "any" contexts, any counts.
# Names that end in "*" stand for all that begin so.
THIRD_PARTY = {
    "ngx_brotli": (
        "brotli",
        "brotli_static",
        "brotli_types",
        "brotli_buffers",
        "brotli_comp_level",
        "brotli_window",
        "brotli_min_length",
    ),
    "zstd-nginx-module": (
        "zstd",
        "zstd_static",
        "zstd_types",
        "zstd_buffers",
        "zstd_comp_level",
        "zstd_min_length",
        "zstd_dict_file",
    ),
    "ModSecurity-nginx": (
        "modsecurity",
        "modsecurity_rules",
        "modsecurity_rules_file",
        "modsecurity_rules_remote",
        "modsecurity_transaction_id",
        "modsecurity_use_error_log",
    ),
    "naxsi": (
        "BasicRule",
        "CheckRule",
        "DeniedUrl",
        "IgnoreCIDR",
        "IgnoreIP",
        "LearningMode",
        "LibInjectionSql",
        "LibInjectionXss",
        "MainRule",
        "NaxsiLogFile",
        "SecRulesDisabled",
        "SecRulesEnabled",
        "basic_rule",
        "check_rule",
        "denied_url",
        "learning_mode",
        "libinjection_sql",
        "libinjection_xss",
        "main_rule",
        "naxsi_log",
        "rules_disabled",
        "rules_enabled",
    ),
    "nginx-module-vts": (
        "vhost_traffic_status",
        "vhost_traffic_status_bypass_limit",
        "vhost_traffic_status_bypass_stats",
        "vhost_traffic_status_display",
        "vhost_traffic_status_display_format",
        "vhost_traffic_status_display_jsonp",
        "vhost_traffic_status_display_sum_key",
        "vhost_traffic_status_dump",
        "vhost_traffic_status_filter",
        "vhost_traffic_status_filter_by_host",
        "vhost_traffic_status_filter_by_set_key",
        "vhost_traffic_status_filter_check_duplicate",
        "vhost_traffic_status_filter_max_node",
        "vhost_traffic_status_histogram_buckets",
        "vhost_traffic_status_limit",
        "vhost_traffic_status_limit_check_duplicate",
        "vhost_traffic_status_limit_traffic",
        "vhost_traffic_status_limit_traffic_by_set_key",
        "vhost_traffic_status_set_by_filter",
        "vhost_traffic_status_stats_by_upstream",
        "vhost_traffic_status_zone",
    ),
    "nginx_upstream_check_module": (
        "check",
        "check_fastcgi_param",
        "check_http_expect_alive",
        "check_http_send",
        "check_keepalive_requests",
        "check_shm_size",
        "check_status",
    ),
    "nginx-upstream-dynamic-servers, jdomain": ("jdomain",),
    "nginx-rtmp-module": (
        "rtmp",
        "rtmp_auto_push",
        "rtmp_auto_push_reconnect",
        "rtmp_control",
        "rtmp_socket_dir",
        "rtmp_stat",
        "rtmp_stat_stylesheet",
    ),
    "lua-nginx-module, newer than the one measured": (
        "balancer_keepalive",
        "exit_worker_by_lua_block",
        "exit_worker_by_lua_file",
        "lua_load_resty_core",
        "lua_sa_restart",
        "lua_ssl_certificate",
        "lua_ssl_certificate_key",
        "lua_ssl_conf_command",
        "lua_ssl_key_log",
        "lua_thread_cache_max_entries",
        "lua_upstream_skip_openssl_default_verify",
        "lua_worker_thread_vm_pool_size",
        "precontent_by_lua_block",
        "precontent_by_lua_file",
        "proxy_ssl_certificate_by_lua_block",
        "proxy_ssl_certificate_by_lua_file",
        "proxy_ssl_verify_by_lua_block",
        "proxy_ssl_verify_by_lua_file",
        "server_rewrite_by_lua_block",
        "server_rewrite_by_lua_file",
        "ssl_client_hello_by_lua_block",
        "ssl_client_hello_by_lua_file",
    ),
    "stream-lua-nginx-module": (
        "balancer_by_lua_block",
        "balancer_by_lua_file",
        "content_by_lua_block",
        "content_by_lua_file",
        "init_by_lua_block",
        "init_by_lua_file",
        "init_worker_by_lua_block",
        "init_worker_by_lua_file",
        "log_by_lua_block",
        "log_by_lua_file",
        "lua_add_variable",
        "lua_capture_error_log",
        "lua_check_client_abort",
        "lua_code_cache",
        "lua_max_pending_timers",
        "lua_max_running_timers",
        "lua_package_cpath",
        "lua_package_path",
        "lua_regex_cache_max_entries",
        "lua_regex_match_limit",
        "lua_shared_dict",
        "lua_socket_buffer_size",
        "lua_socket_connect_timeout",
        "lua_socket_keepalive_timeout",
        "lua_socket_log_errors",
        "lua_socket_pool_size",
        "lua_socket_read_timeout",
        "lua_socket_send_timeout",
        "lua_ssl_ciphers",
        "lua_ssl_crl",
        "lua_ssl_protocols",
        "lua_ssl_trusted_certificate",
        "lua_ssl_verify_depth",
        "preread_by_lua_block",
        "preread_by_lua_file",
        "preread_by_lua_no_postpone",
        "ssl_certificate_by_lua_block",
        "ssl_certificate_by_lua_file",
    ),
    "others": (
        "app_protect*",
        "aws_auth*",
        "datadog*",
        "drizzle_*",
        "dynamic_tls*",
        "http_guard*",
        "memc_*",
        "mruby_*",
        "opentelemetry*",
        "opentracing*",
        "pagespeed*",
        "passenger*",
        "postgres_*",
        "push_stream*",
        "pushstream*",
        "rds_*",
        "redis2_*",
        "redis_*",
        "set_decode_*",
        "set_encode_*",
        "shib_request*",
        "spnego_auth*",
        "auth_gss*",
        "auth_ldap*",
        "vod*",
    ),
}


@dataclass
class Use:
    """What the sources say about one directive in one context."""

    counts: int = 0
    blocks: set[bool] = field(default_factory=set)
    value_forms: set[tuple[str, str]] = field(default_factory=set)
    documented_words: set[str] = field(default_factory=set)
    open_ended: bool = False
    modules: list[str] = field(default_factory=list)
    since: list[str] = field(default_factory=list)
    commercial: list[bool] = field(default_factory=list)
    default: str = ""

    def add(self, counts: int, block: bool, module: str = "") -> None:
        self.counts |= counts
        self.blocks.add(block)
        if module and module not in self.modules:
            self.modules.append(module)


Uses = defaultdict[tuple[str, str], Use]
"""(directive, context) -> what is known."""


def counts_mask(text: str) -> int:
    """The bits of counts written as "0,1" or "2+"."""
    if text.endswith("+"):
        return ANY_COUNT & ~((1 << int(text[:-1])) - 1)
    mask = 0
    for count in filter(None, text.split(",")):
        mask |= 1 << int(count)
    return mask


def crossplane_counts(mask: int) -> int:
    """The bits of a mask of crossplane's, which are nginx's own."""
    for bit, text in (
        (analyzer.NGX_CONF_ANY, "0+"),
        (analyzer.NGX_CONF_FLAG, "1"),
        (analyzer.NGX_CONF_1MORE, "1+"),
        (analyzer.NGX_CONF_2MORE, "2+"),
    ):
        if mask & bit:
            return counts_mask(text)
    return int(mask) & 0xFF


def add_crossplane(uses: Uses) -> None:
    for name, masks in analyzer.DIRECTIVES.items():
        if name in UNDOCUMENTED_CONTEXTS:
            continue
        for mask in masks:
            for bit, context in CROSSPLANE_CONTEXTS.items():
                if mask & bit:
                    block = bool(mask & analyzer.NGX_CONF_BLOCK)
                    uses[name, context].add(crossplane_counts(mask), block)


def add_measured(uses: Uses) -> None:
    with (HERE / "nginx_commands.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            modules = [name for name in row["modules"].split(",") if name.startswith("ngx_")]
            for context in filter(None, row["contexts"].split(",")):
                use = uses[row["name"], context]
                use.add(counts_mask(row["counts"]), row["block"] == "block")
                use.modules += [name for name in modules if name not in use.modules]
                use.value_forms.add((row["form"], row["detail"]))


def documented_contexts(row: dict[str, str]) -> Iterator[str]:
    """Contexts of a row, with "server" and "upstream" told apart by the kind of module."""
    kinds = [kind for kind in ("http", "stream", "mail") if f"ngx_{kind}_" in row["module"]]
    if row["module"] == "ngx_otel_module":
        kinds = ["http"]
    for context in filter(None, row["contexts"].split(",")):
        if context in ("server", "upstream"):
            yield from (f"{kind} {context}" for kind in kinds or ("http", "stream", "mail"))
        else:
            yield from DOCUMENTED_CONTEXTS[context]
    yield from UNDOCUMENTED_CONTEXTS.get(row["directive"], ())


def documented_counts(syntax: str) -> int:
    """The counts that a syntax allows: the fewest of its alternatives, and any from there on.

    The text of the documentation is for people, so no upper limit is read from it, except that
    a syntax without any argument or with exactly one plain one means what it says.
    """
    if not syntax:
        return counts_mask("0")
    if re.fullmatch(r"<[\w.-]+>|on \| off(?: \| \w+)*", syntax):
        return counts_mask("1")
    if re.fullmatch(r"<[\w.-]+> <[\w.-]+>", syntax):
        return counts_mask("2")
    if re.match(r"\[|.*\| *\[", syntax):
        return ANY_COUNT
    return counts_mask("1+")


def documented_words(syntax: str) -> set[str]:
    """The literal words of a syntax such as "on | off | build | <string>"."""
    words = re.split(r"[\s|\[\]]+", syntax)
    return {word for word in words if re.fullmatch(r"\w[\w.-]*", word)}


def documented_form(syntax: str) -> tuple[str, str] | None:
    """How a syntax says that its value is read; None when it tells nothing for certain."""
    return ("flag", "") if syntax == "on | off" else None


def add_documented(uses: Uses, path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        syntax = row["syntax"].translate(PLACEHOLDER_BRACKETS)
        for context in documented_contexts(row):
            known = (row["directive"], context) in uses
            use = uses[row["directive"], context]
            # Counts that nginx or crossplane gave are exact; the documentation's are read loosely.
            counts = 0 if known else documented_counts(syntax)
            use.add(counts, row["block"] == "block", row["module"])
            use.documented_words |= documented_words(syntax)
            use.open_ended = use.open_ended or "<" in syntax
            if not any(form for form, _ in use.value_forms) and not known:
                form = documented_form(syntax)
                if form is not None:
                    use.value_forms.add(form)
            since = row["since"] or MODULE_SINCE.get(row["module"], "")
            if since:
                use.since.append(since)
            use.commercial.append(bool(row["commercial"]))
            use.default = use.default or html.unescape(row["default"])


def correct(uses: Uses) -> None:
    for key, (since, commercial) in CORRECTIONS.items():
        uses[key].since = [since]
        uses[key].commercial = [commercial]


def add_unmeasured(uses: Uses) -> None:
    for context, names in BLOCK_DIRECTIVES.items():
        for name in names:
            uses[name, context].add(ANY_COUNT, False)
    for module, directives in THIRD_PARTY.items():
        for name in directives:
            use = uses[name, ANY_CONTEXT]
            use.add(ANY_COUNT, False, module)
            use.blocks.add(True)


def value_form(use: Use) -> tuple[str, str]:
    """The one way in which the value is read, and its words or bounds; ("", "") if unsure."""
    forms = {form for form, _ in use.value_forms}
    if len(forms) != 1:
        return "", ""
    form = forms.pop()
    details = {detail for _, detail in use.value_forms}
    if form in ("word", "words"):
        if "" in details or use.open_ended:
            return "", ""  # NGINX Plus, for one, takes any string as server_tokens
        words = {word for detail in details for word in detail.split()}
        return form, " ".join(sorted(words | use.documented_words))
    if form == "number":
        bounds = details - {""}
        return form, bounds.pop() if len(bounds) == 1 else ""
    return form, ""


def block_code(blocks: set[bool]) -> int:
    """0: ends with a semicolon, 1: has a block, 2: either."""
    return 2 if len(blocks) == 2 else int(True in blocks)


def version_key(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def oldest(versions: list[str]) -> str:
    return min(versions, key=version_key) if versions else ""


def table(uses: Uses) -> dict[str, object]:
    """The JSON: per directive, forms of contexts that say the same, as rows of small values."""
    grouped: defaultdict[str, defaultdict[tuple[object, ...], list[str]]]
    grouped = defaultdict(lambda: defaultdict(list))
    for (name, context), use in uses.items():
        form, detail = value_form(use)
        facts = (
            use.counts,
            block_code(use.blocks),
            form,
            detail,
            use.modules[-1] if use.modules else "",
            oldest(use.since) if len(use.since) == len(use.commercial) else "",
            int(bool(use.commercial) and all(use.commercial)),
            use.default,
        )
        grouped[name][facts].append(context)
    directives: dict[str, list[list[object]]] = {}
    prefixes: list[str] = []
    for name in sorted(grouped):
        if name.endswith("*"):
            prefixes.append(name[:-1])
            continue
        rows = [[",".join(contexts), *facts] for facts, contexts in grouped[name].items()]
        for row in rows:
            while len(row) > 3 and not row[-1]:
                row.pop()
        directives[name] = rows
    return {"prefixes": prefixes, "directives": directives}


def write(data: dict[str, object], path: Path) -> None:
    """One directive a line, so that a change of the data can be read in a diff."""
    directives = data["directives"]
    assert isinstance(directives, dict)
    lines = [
        f"{json.dumps(name)}:{json.dumps(rows, separators=(',', ':'), ensure_ascii=False)}"
        for name, rows in directives.items()
    ]
    prefixes = json.dumps(data["prefixes"], separators=(",", ":"))
    body = ",\n".join(lines)
    path.write_text(f'{{"prefixes":{prefixes},"directives":{{\n{body}\n}}}}\n', encoding="utf-8")


def build(documentation: Path) -> dict[str, object]:
    uses: Uses = defaultdict(Use)
    add_crossplane(uses)
    add_measured(uses)
    add_documented(uses, documentation)
    correct(uses)
    add_unmeasured(uses)
    return table(uses)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build_nginx_directives.py DIRECTIVES.tsv")
    write(build(Path(sys.argv[1])), HERE / "nginx_directives.json")
