"""Which dynamic modules a configuration needs, and which of them the machine has.

`load_module` lines are not followed: they name files whose code would run. The judge loads the
modules of the server's own folder that the directives call for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from gwlint.servers.process import run

NEEDED_BY = (
    (re.compile(r"stream"), ("ngx_stream_module",)),
    (re.compile(r"mail"), ("ngx_mail_module",)),
    (re.compile(r".*_by_lua.*|lua_.*"), ("ndk_http_module", "ngx_http_lua_module")),
    (re.compile(r"set_(?:un)?escape_uri|set_(?:md5|random|misc).*"), ("ndk_http_module",)),
    (re.compile(r"more_(?:set|clear)_.*"), ("ngx_http_headers_more_filter_module",)),
    (re.compile(r"geoip_.*"), ("ngx_http_geoip_module",)),
    (re.compile(r"geoip2.*"), ("ngx_http_geoip2_module",)),
    (re.compile(r"echo(?:_.*)?"), ("ngx_http_echo_module",)),
    (re.compile(r"fancyindex.*"), ("ngx_http_fancyindex_module",)),
    (re.compile(r"image_filter.*"), ("ngx_http_image_filter_module",)),
    (re.compile(r"xslt_.*|xml_entities"), ("ngx_http_xslt_filter_module",)),
    (re.compile(r"subs_filter.*"), ("ngx_http_subs_filter_module",)),
    (re.compile(r"dav_ext_.*"), ("ngx_http_dav_ext_module",)),
    (re.compile(r"auth_pam.*"), ("ngx_http_auth_pam_module",)),
    (re.compile(r".*_cache_purge"), ("ngx_http_cache_purge_module",)),
    (re.compile(r"nchan_.*|push_stream.*"), ("ngx_nchan_module",)),
    (re.compile(r"upload_progress|track_uploads"), ("ngx_http_uploadprogress_module",)),
    (re.compile(r"fair"), ("ngx_http_upstream_fair_module",)),
    (re.compile(r"js_.*"), ("ngx_http_js_module",)),
    (
        re.compile(r"brotli.*"),
        ("ngx_http_brotli_filter_module", "ngx_http_brotli_static_module"),
    ),
)
"""Directive names and the files (without `.so`) that Debian, nginx.org and Alpine ship for them."""

_MODULES_PATH = re.compile(r"--modules-path=(\S+)")


@cache
def modules_folder(binary: str) -> Path | None:
    """The folder of dynamic modules the binary was built for (`nginx -V`)."""
    found = _MODULES_PATH.search(run([binary, "-V"], Path("/")).text)
    return Path(found[1]) if found else None


def needed_modules(binary: str, names: Iterable[str]) -> list[Path]:
    """The files to load for directives of these names, of those that exist, in a fixed order."""
    folder = modules_folder(binary)
    if folder is None:
        return []
    distinct = sorted(set(names))
    files = {
        folder / f"{module}.so": None
        for pattern, modules in NEEDED_BY
        if any(map(pattern.fullmatch, distinct))
        for module in modules
    }
    return [file for file in files if file.is_file()]
