"""Definitions that an incomplete configuration lacks, learnt from what nginx misses."""

from __future__ import annotations

import re

from gwlint.servers.credentials import credentials
from gwlint.servers.nginx_copy import Supplies

_FORMAT = re.compile(r'unknown log format "([^"]+)"')
_VARIABLE = re.compile(r'unknown "([A-Za-z0-9_]+)" variable')
_ZONE = re.compile(r'zero size shared memory zone "([^"]+)"')
_CERTIFICATE = re.compile(r'no "ssl_certificate(?:_key)?" is defined')
_CACHE = re.compile(r'"(proxy|fastcgi|uwsgi|scgi)_cache" zone "([^"]+)" is unknown')


def learn(text: str, supplies: Supplies) -> bool:
    """Add to `supplies` what `text`, the words of nginx, says is missing; whether it helped.

    A file that is meant to be included may use log formats, variables and zones of a file that
    nobody gave. The same definitions then serve the original and its corrected form.
    """
    found: list[str] = []
    if match := _FORMAT.search(text):
        found = [f"log_format {match[1]} '';"]
    elif match := _VARIABLE.search(text):
        found = [f"map '' ${match[1]} {{ default ''; }}"]
    elif _CERTIFICATE.search(text) and (made := credentials()):
        found = [f"ssl_certificate {made.certificate}; ssl_certificate_key {made.key};"]
    elif match := _CACHE.search(text):
        found = [f"{match[1]}_cache_path supplied_{match[2]} keys_zone={match[2]}:1m;"]
    elif match := _ZONE.search(text):
        request = f"limit_req_zone $binary_remote_addr zone={match[1]}:1m rate=1r/s;"
        connection = f"limit_conn_zone $binary_remote_addr zone={match[1]}:1m;"
        if request in supplies.http:
            supplies.http.remove(request)
            found = [connection]
        elif connection not in supplies.http:
            found = [request]
    new = [text for text in found if text not in supplies.http]
    supplies.http.extend(new)
    supplies.stream.extend(text for text in new if text.startswith(("map", "log_format")))
    return bool(new)
