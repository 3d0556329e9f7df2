"""Inputs that are made to hang or to crash a reader: a shape each, at any size.

tests/test_hostile.py checks all of them small, tests/bench/hostile.py measures them at 1 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CHECK = ("check", "--profile", "strict", "--format", "json", ".")
FIX = ("fix", "--unsafe", "--profile", "strict", ".")
GENERATE = ("generate", "spec.yaml")

Text = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Shape:
    """`make` gives the files of a folder, by name, for a count; `size` is the count that comes to
    about 1 MB."""

    name: str
    size: int
    make: Callable[[int], dict[str, str]]
    arguments: tuple[str, ...] = CHECK

    def write(self, folder: Path, count: int) -> None:
        for name, text in self.make(count).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def nginx(text: Text) -> Callable[[int], dict[str, str]]:
    return lambda count: {"nginx.conf": text(count)}


def http(text: Text) -> Callable[[int], dict[str, str]]:
    return nginx(lambda count: f"events {{}}\nhttp {{\n{text(count)}\n}}\n")


def server(text: Text) -> Callable[[int], dict[str, str]]:
    return http(lambda count: f"server {{ listen 80;\n{text(count)}\n}}")


def haproxy(text: Text) -> Callable[[int], dict[str, str]]:
    return lambda count: {"haproxy.cfg": text(count)}


def frontend(text: Text) -> Callable[[int], dict[str, str]]:
    return haproxy(
        lambda count: (
            "defaults\n mode http\n timeout client 5s\nfrontend f\n bind :80\n"
            f"{text(count)}\nbackend b\n server s 127.0.0.1:1\n"
        )
    )


def backend(text: Text) -> Callable[[int], dict[str, str]]:
    return haproxy(
        lambda count: (
            "defaults\n mode http\n timeout server 5s\nfrontend f\n bind :80\n default_backend b\n"
            f"backend b\n{text(count)}\n"
        )
    )


def settings(text: Text) -> Callable[[int], dict[str, str]]:
    return lambda count: {"nginx.conf": "events {}\n", "gwlint.yaml": text(count)}


def spec(text: Text) -> Callable[[int], dict[str, str]]:
    return lambda count: {"spec.yaml": text(count)}


def lines(count: int, text: Callable[[int], str]) -> str:
    return "\n".join(map(text, range(count)))


def _many_files(count: int) -> dict[str, str]:
    include = lines(1000, lambda i: f"include d/*{i % 10}*.conf;")
    main = f"events {{}}\nhttp {{\n{include}\n}}\n"
    return {"nginx.conf": main, **{f"d/{i}.txt": "" for i in range(count)}}


def _doubling(count: int) -> dict[str, str]:
    depth = max(2, count)
    files = {
        f"inc/{i}.inc": f"include inc/{i + 1}.inc;\ninclude inc/{i + 1}.inc;\n"
        for i in range(depth)
    }
    last = {f"inc/{depth}.inc": "proxy_read_timeout 5s;\n"}
    return {"nginx.conf": "events {}\nhttp { include inc/0.inc; }\n", **files, **last}


def _include_chain(count: int) -> dict[str, str]:
    files = {f"inc/{i}.inc": f"include inc/{i + 1}.inc;\n" for i in range(count)}
    return {"nginx.conf": "events {}\nhttp { include inc/0.inc; }\n", **files}


def _defaults_chain(count: int) -> str:
    return "\n".join(
        f"defaults d{i}" + (f" from d{i - 1}" if i else "") + "\n timeout client 5s"
        for i in range(count)
    )


def _aliases(count: int) -> str:
    """Each line is ten times the one before it: ten to the power of `count` in the end."""
    yield_lines: Iterator[str] = (
        f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, count)
    )
    return "a0: &a0 [x]\n" + "\n".join(yield_lines) + "\n"


SHAPES: tuple[Shape, ...] = (
    # The nginx parser
    Shape("nginx nested blocks", 200_000, nginx(lambda n: "a {" * n + "}" * n)),
    Shape("nginx nested locations", 50_000, server(lambda n: "location /a {" * n + "}" * n)),
    Shape(
        "nginx nested settings",
        25_000,
        server(
            lambda n: (
                "location /a { proxy_read_timeout 5s; proxy_pass http://10.0.0.1; " * n + "}" * n
            )
        ),
    ),
    Shape("nginx nested, open", 300_000, nginx(lambda n: "a {" * n)),
    Shape("nginx closing braces", 1_000_000, nginx(lambda n: "}" * n)),
    Shape("nginx closing brace lines", 500_000, nginx(lambda n: "}\n" * n)),
    Shape("nginx semicolons", 1_000_000, nginx(lambda n: ";" * n)),
    Shape("nginx unclosed quotes", 250_000, nginx(lambda n: 'a "\n' * n)),
    Shape("nginx quotes", 1_000_000, nginx(lambda n: '"' * n)),
    Shape("nginx backslashes", 1_000_000, nginx(lambda n: "\\" * n)),
    Shape("nginx one word", 1_000_000, nginx(lambda n: "a" * n)),
    Shape("nginx one long line", 250_000, http(lambda n: "a b;" * n)),
    Shape("nginx directive without end", 500_000, nginx(lambda n: "a " * n)),
    Shape("nginx lines without end", 90_000, nginx(lambda n: "proxy_pass http://a\n" * n)),
    Shape("nginx tiny directives", 100_000, http(lambda n: "gzip on;\n" * n)),
    Shape("nginx distinct directives", 80_000, http(lambda n: lines(n, lambda i: f"gzip{i} on;"))),
    Shape(
        "nginx misspelt long names",
        60,
        http(lambda n: lines(n, lambda i: "proxy_pas" * 1800 + ";")),
    ),
    Shape("nginx misspelt names", 60_000, http(lambda n: lines(n, lambda i: f"proxy_pas{i} on;"))),
    Shape("nginx dollars", 1_000_000, server(lambda n: f"return 200 {'$' * n};")),
    Shape("nginx variables in a word", 250_000, server(lambda n: f"return 200 {'$a_b' * n};")),
    Shape("nginx braces in a word", 500_000, server(lambda n: f"return 200 {'${' * n};")),
    Shape("nginx comments", 500_000, nginx(lambda n: "#\n" * n)),
    Shape("nginx template marks", 300_000, nginx(lambda n: "{{ " * n)),
    Shape("nginx lua", 120_000, server(lambda n: "content_by_lua_block {" + "{[[ ]] " * n + "}")),
    Shape("nginx lua, open", 300_000, server(lambda n: "content_by_lua_block {" + "[=[" * n)),
    # nginx: rules and model
    Shape(
        "nginx servers in an upstream",
        35_000,
        http(
            lambda n: (
                "upstream u {\n"
                + lines(n, lambda i: f"server 10.0.{i >> 8 & 255}.{i & 255}:{i >> 16};")
                + "}\nserver { location / { proxy_pass http://u; } }"
            )
        ),
    ),
    Shape(
        "nginx upstreams",
        25_000,
        http(lambda n: lines(n, lambda i: f"upstream u{i} {{ server 10.0.0.1:{i % 60000 + 1}; }}")),
    ),
    Shape(
        "nginx upstream near misses",
        12_000,
        http(
            lambda n: lines(
                n,
                lambda i: (
                    f"upstream app{i}a {{ server 10.0.0.1; }}\nserver {{ location / {{ proxy_pass http://app{i}b; }} }}"
                ),
            )
        ),
    ),
    Shape(
        "nginx servers",
        15_000,
        http(
            lambda n: lines(
                n, lambda i: f"server {{ listen 80; server_name h{i}.example.org; return 200; }}"
            )
        ),
    ),
    Shape(
        "nginx one server name",
        15_000,
        http(
            lambda n: lines(
                n, lambda i: "server { listen 80; server_name example.org; return 200; }"
            )
        ),
    ),
    Shape(
        "nginx names of a server",
        60_000,
        server(lambda n: "server_name " + lines(n, lambda i: f"h{i}.example.org") + ";"),
    ),
    Shape(
        "nginx listens of a server",
        50_000,
        server(lambda n: lines(n, lambda i: f"listen 10.0.0.1:{i % 60000 + 1};")),
    ),
    Shape(
        "nginx regex locations",
        15_000,
        server(
            lambda n: lines(
                n, lambda i: f"location ~ ^/(a+)+{i}(.*)*$ {{ proxy_pass http://10.0.0.1; }}"
            )
        ),
    ),
    Shape(
        "nginx catastrophic regexes",
        7_000,
        server(
            lambda n: lines(
                n,
                lambda i: (
                    f"location ~ ^(([a-z])+.)+[A-Z]([a-z])+${i} {{ return 200; }}\nlocation /{'a' * 40}{i} {{ return 200; }}"
                ),
            )
        ),
    ),
    Shape(
        "nginx one regex",
        500_000,
        server(lambda n: f"location ~ {'(a' * n}{')+' * n} {{ return 200; }}"),
    ),
    Shape(
        "nginx prefix locations",
        20_000,
        server(lambda n: lines(n, lambda i: f"location /a{i} {{ proxy_pass http://10.0.0.1; }}")),
    ),
    Shape(
        "nginx locations one in another",
        1_300,
        server(
            lambda n: lines(n, lambda i: f"location /{'a' * i} {{ proxy_pass http://10.0.0.1; }}")
        ),
    ),
    Shape(
        "nginx variable chain",
        35_000,
        server(
            lambda n: (
                "set $a0 x;\n"
                + lines(n, lambda i: f"set $a{i + 1} $a{i};")
                + f"\nlocation / {{ proxy_pass http://$a{n}; }}"
            )
        ),
    ),
    Shape(
        "nginx variable tree",
        20_000,
        server(
            lambda n: (
                "set $a0 x;\n"
                + lines(n, lambda i: f"set $a{i + 1} $a{i}$a{i}$a{i};")
                + f"\nlocation / {{ proxy_pass http://$a{n}; }}"
            )
        ),
    ),
    Shape(
        "nginx variable, many values",
        25_000,
        server(lambda n: lines(n, lambda i: f"set $a u{i};\nproxy_pass http://$a;")),
    ),
    Shape(
        "nginx map entries",
        60_000,
        http(
            lambda n: (
                "map $uri $m {\n"
                + lines(n, lambda i: f"/a{i} u{i};")
                + "\n}\nserver { location / { proxy_pass http://$m; } }"
            )
        ),
    ),
    Shape(
        "nginx maps of maps",
        20_000,
        http(
            lambda n: (
                "map $uri $m0 { default a; }\n"
                + lines(n, lambda i: f"map $m{i} $m{i + 1} {{ default $m{i}; a $m{i}; }}")
                + f"\nserver {{ location / {{ proxy_pass http://$m{n}; }} }}"
            )
        ),
    ),
    Shape(
        "nginx headers",
        30_000,
        server(
            lambda n: (
                lines(n, lambda i: f"proxy_set_header X-{i} $host;")
                + "\nlocation / { proxy_pass http://10.0.0.1; proxy_set_header A b; }"
            )
        ),
    ),
    Shape(
        "nginx headers, locations",
        8_000,
        server(
            lambda n: (
                lines(n, lambda i: f"proxy_set_header X-{i} $host;")
                + lines(
                    n,
                    lambda i: (
                        f"location /{i} {{ proxy_pass http://10.0.0.1; proxy_set_header A b; }}"
                    ),
                )
            )
        ),
    ),
    Shape(
        "nginx error pages",
        12_000,
        server(
            lambda n: lines(
                n,
                lambda i: (
                    f"error_page 502 503 @e{i};\nlocation @e{i} {{ proxy_pass http://10.0.0.1; error_page 502 @e{i + 1}; }}"
                ),
            )
        ),
    ),
    Shape(
        "nginx rewrites",
        30_000,
        server(lambda n: lines(n, lambda i: f"rewrite ^/a{i}(.*)$ /b{i}$1 last;")),
    ),
    Shape(
        "nginx ifs",
        25_000,
        server(lambda n: lines(n, lambda i: f'if ($host = "h{i}") {{ set $x 1; }}')),
    ),
    Shape(
        "nginx allows",
        40_000,
        server(lambda n: lines(n, lambda i: f"allow 10.0.{i >> 8 & 255}.{i & 255};")),
    ),
    Shape(
        "nginx huge number",
        1_000_000,
        server(
            lambda n: (
                f"proxy_read_timeout {'9' * n}s;\nlocation / {{ proxy_pass http://10.0.0.1; }}"
            )
        ),
    ),
    Shape(
        "nginx huge numbers",
        60,
        server(
            lambda n: lines(
                n,
                lambda i: (
                    f"client_max_body_size {'9' * 5000}{i};\nlocation /{i} {{ proxy_pass http://10.0.0.1:{'1' * 5000}; proxy_buffers {'8' * 5000} 4k; }}"
                ),
            )
        ),
    ),
    Shape("nginx time parts", 300_000, server(lambda n: f"proxy_read_timeout {'1m ' * n};\n")),
    Shape(
        "nginx suppressions",
        20_000,
        http(
            lambda n: lines(n, lambda i: f"gzip on; # gwlint: ignore[NGX{i % 900 + 100}] because")
        ),
    ),
    Shape(
        "nginx suppression ranges",
        12_000,
        http(
            lambda n: (
                "# gwlint: ignore-start[NGX401] x\n" * n
                + "gzip on;\n"
                + "# gwlint: ignore-end[NGX401]\n" * n
            )
        ),
    ),
    Shape(
        "nginx suppression words",
        200_000,
        nginx(lambda n: "# gwlint: ignore[" + "NGX4," * n + "] x\nevents {}\n"),
    ),
    Shape(
        "nginx suppression spaces",
        1_000_000,
        nginx(lambda n: "# gwlint:" + " " * n + "ignore\nevents {}\n"),
    ),
    Shape("nginx log format", 1_000_000, http(lambda n: f"log_format x '{'$a ' * (n // 3)}';")),
    # Includes and folders
    Shape("nginx includes doubling", 40, _doubling),
    Shape("nginx include chain", 5_000, _include_chain),
    Shape("nginx globs, many files", 20_000, _many_files),
    Shape("nginx glob of stars", 100_000, http(lambda n: f"include {'*' * n}a;")),
    Shape(
        "nginx glob of folders",
        100_000,
        http(lambda n: f"include {'*/' * n}a;\ninclude {'**/' * 10}a;"),
    ),
    Shape(
        "nginx absent includes",
        40_000,
        http(lambda n: lines(n, lambda i: f"include inc/{i}.conf;")),
    ),
    Shape("nginx include of dots", 300_000, http(lambda n: f"include {'../' * n}a;")),
    # The HAProxy parser
    Shape("haproxy one line", 500_000, haproxy(lambda n: "global\n " + "a " * n)),
    Shape("haproxy one word", 1_000_000, haproxy(lambda n: "a" * n)),
    Shape("haproxy backslashes", 1_000_000, haproxy(lambda n: "global\n log " + "\\" * n)),
    Shape("haproxy quotes", 1_000_000, haproxy(lambda n: "global\n log " + '"' * (n | 1))),
    Shape("haproxy unclosed quotes", 65_000, haproxy(lambda n: 'global\n log "a\n' * n)),
    Shape("haproxy dollars", 500_000, haproxy(lambda n: 'global\n log "' + "${" * n + '"')),
    Shape("haproxy nested ifs", 150_000, haproxy(lambda n: ".if 1\n" * n)),
    Shape("haproxy nested ifs, ended", 80_000, haproxy(lambda n: ".if 1\n" * n + ".endif\n" * n)),
    Shape(
        "haproxy condition",
        300_000,
        haproxy(lambda n: ".if " + "(" * n + "1" + ")" * n + "\n.endif\n"),
    ),
    Shape("haproxy tiny lines", 100_000, frontend(lambda n: " maxconn 1\n" * n)),
    Shape(
        "haproxy distinct keywords", 80_000, frontend(lambda n: lines(n, lambda i: f" maxcon{i} 1"))
    ),
    Shape(
        "haproxy misspelt long names",
        60,
        frontend(lambda n: lines(n, lambda i: " " + "use_backen" * 1700)),
    ),
    Shape("haproxy sections", 60_000, haproxy(lambda n: lines(n, lambda i: f"backend b{i}"))),
    Shape("haproxy outside of sections", 250_000, haproxy(lambda n: "a b\n" * n)),
    Shape("haproxy one section name", 80_000, haproxy(lambda n: "backend b\n" * n)),
    # HAProxy: rules and model
    Shape(
        "haproxy acls",
        25_000,
        frontend(lambda n: lines(n, lambda i: f" acl a{i} path_beg /a{i}\n use_backend b if a{i}")),
    ),
    Shape(
        "haproxy one acl", 40_000, frontend(lambda n: lines(n, lambda i: f" acl a path_beg /a{i}"))
    ),
    Shape(
        "haproxy long conditions",
        2_500,
        frontend(
            lambda n: (
                lines(100, lambda i: f" acl a{i} path /{i}")
                + "\n"
                + lines(n, lambda i: " use_backend b if " + " ".join(f"a{j}" for j in range(100)))
            )
        ),
    ),
    Shape(
        "haproxy nested condition",
        150_000,
        frontend(lambda n: " use_backend b if " + "{ " * n + "} " * n),
    ),
    Shape(
        "haproxy nested converters",
        150_000,
        frontend(lambda n: " http-request set-var(txn.a) src" + ",map(a" * n + ")" * n),
    ),
    Shape(
        "haproxy nested samples",
        200_000,
        frontend(lambda n: " http-request set-header a %[" + "src(" * n + ")" * n + "]"),
    ),
    Shape("haproxy log format", 300_000, frontend(lambda n: " log-format " + "%ci" * n)),
    Shape("haproxy log format open", 300_000, frontend(lambda n: " log-format " + "%[" * n)),
    Shape(
        "haproxy use_backends",
        30_000,
        frontend(lambda n: lines(n, lambda i: f" use_backend b{i} if {{ path_beg /{i} }}")),
    ),
    Shape(
        "haproxy backend near misses",
        15_000,
        frontend(
            lambda n: (
                lines(n, lambda i: f" use_backend app{i}a if {{ path /{i} }}")
                + "\n"
                + lines(n, lambda i: f"backend app{i}b")
            )
        ),
    ),
    Shape(
        "haproxy redirects",
        15_000,
        frontend(
            lambda n: lines(
                n, lambda i: f" http-request redirect location /x{i} if {{ path /{i} }}"
            )
        ),
    ),
    Shape(
        "haproxy denies",
        20_000,
        frontend(
            lambda n: lines(
                n, lambda i: f" http-request deny if {{ src 10.0.{i >> 8 & 255}.{i & 255} }}"
            )
        ),
    ),
    Shape(
        "haproxy servers",
        25_000,
        backend(
            lambda n: lines(n, lambda i: f" server s{i} 10.0.{i >> 8 & 255}.{i & 255}:80 check")
        ),
    ),
    Shape(
        "haproxy one server name",
        25_000,
        backend(lambda n: lines(n, lambda i: f" server s 10.0.{i >> 8 & 255}.{i & 255}:80 check")),
    ),
    Shape(
        "haproxy default-servers",
        12_000,
        backend(
            lambda n: lines(
                n, lambda i: f" default-server inter {i}s rise 2\n server s{i} 10.0.0.1:80 check"
            )
        ),
    ),
    Shape(
        "haproxy track chain",
        20_000,
        backend(
            lambda n: (
                " server s0 10.0.0.1:80 check\n"
                + lines(n, lambda i: f" server s{i + 1} 10.0.0.1:80 track b/s{i}")
            )
        ),
    ),
    Shape(
        "haproxy track ring",
        20_000,
        backend(lambda n: lines(n, lambda i: f" server s{i} 10.0.0.1:80 track b/s{(i + 1) % n}")),
    ),
    Shape(
        "haproxy defaults chain",
        15_000,
        haproxy(lambda n: _defaults_chain(n) + f"\nfrontend f from d{n - 1}\n bind :80"),
    ),
    Shape(
        "haproxy defaults, proxies",
        8_000,
        haproxy(
            lambda n: (
                "defaults\n"
                + lines(n, lambda i: f" option httplog{i}\n timeout client 5s")
                + "\n"
                + lines(n, lambda i: f"frontend f{i}\n bind :{i % 60000 + 1}")
            )
        ),
    ),
    Shape(
        "haproxy binds", 40_000, frontend(lambda n: lines(n, lambda i: f" bind :{i % 60000 + 1}"))
    ),
    Shape("haproxy bind list", 150_000, frontend(lambda n: " bind " + ",".join([":8080"] * n))),
    Shape("haproxy port ranges", 40_000, frontend(lambda n: lines(n, lambda i: " bind :1-65535"))),
    Shape(
        "haproxy huge number",
        1_000_000,
        backend(lambda n: f" timeout server {'9' * n}ms\n server s 10.0.0.1:80"),
    ),
    Shape(
        "haproxy huge numbers",
        60,
        backend(
            lambda n: lines(
                n,
                lambda i: (
                    f" server s{i} 10.0.0.1:{'9' * 5000} maxconn {'9' * 5000} weight {'1' * 5000} check inter {'7' * 5000}"
                ),
            )
        ),
    ),
    Shape(
        "haproxy template count",
        20_000,
        backend(lambda n: lines(n, lambda i: f" server-template s{i} 1-99999999 10.0.0.1:80")),
    ),
    Shape(
        "haproxy suppressions",
        20_000,
        frontend(
            lambda n: lines(n, lambda i: f" maxconn 1 # gwlint: ignore[HAP{i % 900 + 100}] because")
        ),
    ),
    Shape(
        "haproxy userlist",
        25_000,
        haproxy(
            lambda n: (
                "userlist u\n" + lines(n, lambda i: f" user a{i} insecure-password pass{i}word")
            )
        ),
    ),
    Shape(
        "haproxy spaced set-header",
        1_000_000,
        frontend(lambda n: " http-request set-header a" + "\\ " * (n // 2) + "b"),
    ),
    # YAML
    Shape("settings nested", 300_000, settings(lambda n: "select: " + "[" * n)),
    Shape("settings nested, closed", 200_000, settings(lambda n: "select: " + "[" * n + "]" * n)),
    Shape("settings aliases", 12, settings(_aliases)),
    Shape("settings keys", 40_000, settings(lambda n: lines(n, lambda i: f"selec{i}: x"))),
    Shape(
        "settings selectors",
        60_000,
        settings(lambda n: "select: [" + lines(n, lambda i: f"NGX{i},") + "]"),
    ),
    Shape(
        "settings patterns",
        30_000,
        settings(lambda n: "per_file_ignores:\n" + lines(n, lambda i: f'  "**/a{i}*": [NGX401]')),
    ),
    Shape(
        "settings one pattern",
        300_000,
        settings(lambda n: f'per_file_ignores: {{"{"**/" * (n // 3)}a": [NGX401]}}'),
    ),
    Shape(
        "settings star pattern",
        100_000,
        settings(lambda n: f'per_file_ignores: {{"{"*a" * (n // 2)}b": [NGX401]}}'),
    ),
    Shape(
        "settings path_map",
        30_000,
        settings(lambda n: "path_map:\n" + lines(n, lambda i: f"  /etc/a{i}: .")),
    ),
    Shape(
        "settings services",
        15_000,
        settings(
            lambda n: (
                "services:\n"
                + lines(n, lambda i: f'  "10.0.{i >> 8 & 255}.{i & 255}:80": {{timeout: 30s}}')
            )
        ),
    ),
    Shape("settings huge number", 1_000_000, settings(lambda n: "fail_on: " + "9" * n)),
    Shape(
        "settings huge option",
        1_000_000,
        settings(lambda n: "rules: {NGX303: {budget: " + "9" * n + "s}}"),
    ),
    Shape("settings one text", 1_000_000, settings(lambda n: 'profile: "' + "a" * n + '"')),
    Shape("spec nested", 300_000, spec(lambda n: "pools: " + "{a: " * n), GENERATE),
    Shape("spec aliases", 12, spec(_aliases), GENERATE),
    Shape(
        "spec pools",
        15_000,
        spec(
            lambda n: (
                "sites: []\npools:\n" + lines(n, lambda i: f"  p{i}: {{servers: [10.0.0.1:80]}}")
            )
        ),
        GENERATE,
    ),
    Shape("spec keys", 50_000, spec(lambda n: lines(n, lambda i: f"pool{i}: x")), GENERATE),
    Shape("spec huge number", 1_000_000, spec(lambda n: "target: " + "9" * n), GENERATE),
    # Fixes
    Shape(
        "fix nginx upstreams",
        5_000,
        http(
            lambda n: lines(
                n,
                lambda i: (
                    f"upstream u{i} {{ server 10.0.0.1:80; }}\nserver {{ location / {{ proxy_pass http://u{i}; }} }}"
                ),
            )
        ),
        FIX,
    ),
    Shape(
        "fix nginx suppressions",
        8_000,
        http(lambda n: lines(n, lambda i: "gzip on; # gwlint: ignore[NGX401] because")),
        FIX,
    ),
    Shape(
        "fix nginx missing semicolons",
        5_000,
        http(lambda n: lines(n, lambda i: "gzip on\ngzip off;")),
        FIX,
    ),
    Shape(
        "fix haproxy servers",
        5_000,
        backend(lambda n: lines(n, lambda i: f" server s{i} 10.0.{i >> 8 & 255}.{i & 255}:80")),
        FIX,
    ),
    Shape(
        "fix haproxy times",
        5_000,
        haproxy(
            lambda n: lines(n, lambda i: f"backend b{i}\n timeout server 30\n server s 10.0.0.1:80")
        ),
        FIX,
    ),
)
