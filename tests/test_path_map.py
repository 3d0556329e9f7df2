"""What gwlint.yaml says of paths: path_map, contexts, per_file_ignores, profile and fail_on.

All through the command, with whole configurations of both dialects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import Run

Command = Callable[..., Run]

MAIN = """\
events {}
http {
    include /etc/nginx/mime.types;
    include /etc/nginx/conf.d/*.conf;
}
"""
SITE = """\
upstream app {
    server 10.0.0.1:8080 max_fails=3;
    server 10.0.0.2:8080 max_fails=3;
    keepalive 16;
}
server {
    listen 8080;
    location / {
        proxy_pass http://app;
        proxy_connect_timeout 90s;
        proxy_set_header Connection "";
    }
}
"""
HAPROXY_MAIN = """\
global
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s
"""
HAPROXY_WEB = """\
frontend web
    bind :80
    default_backend app
backend app
    option redispatch
    server a 10.0.0.1:8080
    server b 10.0.0.2:8080
"""


def lay_out(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(run: Run) -> set[tuple[str, str]]:
    """Path and code of each finding."""
    assert run.code in (0, 1), run.stderr
    return {(one["path"], one["code"]) for one in run.json["findings"]}


def statuses(run: Run) -> dict[str, str]:
    return {one["path"]: one["dialect"] for one in run.json["files"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A main file that is not called nginx.conf, and the folder that will be its /etc/nginx."""
    lay_out(
        tmp_path,
        {
            "deploy/main.conf": MAIN,
            "nginx/mime.types": "types { text/html html; }\n",
            "nginx/conf.d/app.conf": SITE,
            "haproxy/haproxy.cfg": HAPROXY_MAIN,
            "haproxy/conf.d/web.cfg": HAPROXY_WEB,
        },
    )
    return tmp_path


def check(gwlint: Command, *arguments: str) -> Run:
    return gwlint("check", "--format", "json", *arguments)


# --------------------------------------------------------------------------- path_map


def test_includes_lead_where_path_map_says(gwlint: Command, project: Path) -> None:
    alone = check(gwlint, "deploy/main.conf")
    assert set(statuses(alone)) == {"deploy/main.conf"}
    (project / "gwlint.yaml").write_text("path_map: {/etc/nginx: ./nginx}\n")
    run = check(gwlint, "deploy/main.conf")
    assert set(statuses(run)) == {
        "deploy/main.conf",
        "nginx/conf.d/app.conf",
        "nginx/mime.types",
    }
    assert ("nginx/conf.d/app.conf", "NGX302") in found(run)


def test_a_mapped_file_that_is_missing_is_told(gwlint: Command, project: Path) -> None:
    (project / "gwlint.yaml").write_text("path_map: {/etc/nginx: ./nginx}\n")
    (project / "nginx" / "mime.types").unlink()
    assert ("deploy/main.conf", "NGX006") in found(check(gwlint, "deploy/main.conf"))
    (project / "gwlint.yaml").unlink()
    assert ("deploy/main.conf", "NGX006") not in found(check(gwlint, "deploy/main.conf"))


def test_local_paths_count_from_gwlint_yaml_and_may_lead_out_of_its_folder(
    gwlint: Command, project: Path
) -> None:
    (project / "deploy" / "gwlint.yaml").write_text("path_map: {/etc/nginx/: ../nginx}\n")
    run = check(gwlint, "deploy/main.conf")
    assert ("nginx/conf.d/app.conf", "NGX302") in found(run)
    inside = gwlint("check", "-q", "main.conf", cwd=project / "deploy")
    assert "nginx/conf.d/app.conf:10:9: warning NGX302" in inside.text


def test_the_longest_prefix_counts(gwlint: Command, project: Path) -> None:
    lay_out(project, {"other/site.conf": SITE.replace("90s", "91s")})
    (project / "gwlint.yaml").write_text(
        "path_map:\n  /etc/nginx: ./nginx\n  /etc/nginx/conf.d: ./other\n"
    )
    paths = set(statuses(check(gwlint, "deploy/main.conf")))
    assert "other/site.conf" in paths
    assert "nginx/conf.d/app.conf" not in paths
    assert "nginx/mime.types" in paths


@pytest.mark.parametrize(
    "pattern", ["/etc/nginx/../secret/*.conf", "/etc/nginx/conf.d/../../secret/a.conf"]
)
def test_a_configuration_does_not_climb_out_of_what_is_mapped(
    gwlint: Command, project: Path, pattern: str
) -> None:
    lay_out(
        project,
        {
            "site/deploy/main.conf": f"events {{}}\nhttp {{ include {pattern}; }}\n",
            "site/gwlint.yaml": "path_map: {/etc/nginx: ../nginx}\n",
            "secret/a.conf": SITE,
        },
    )
    run = check(gwlint, "site/deploy/main.conf")
    assert set(statuses(run)) == {"site/deploy/main.conf"}
    (project / "site" / "gwlint.yaml").write_text(
        "path_map: {/etc/nginx: ../nginx, /etc/secret: ../secret}\n"
    )
    run = check(gwlint, "site/deploy/main.conf")
    assert "secret/a.conf" in statuses(run), "asked for by its own name it is read"


def test_the_whole_root_may_be_mapped(gwlint: Command, project: Path) -> None:
    lay_out(project, {"rootfs/etc/nginx/conf.d/x.conf": SITE, "rootfs/etc/nginx/mime.types": ""})
    (project / "gwlint.yaml").write_text("path_map: {/: ./rootfs}\n")
    assert "rootfs/etc/nginx/conf.d/x.conf" in statuses(check(gwlint, "deploy/main.conf"))


# --------------------------------------------------------------------------- contexts


def test_a_context_decides_what_a_fragment_may_hold(gwlint: Command, project: Path) -> None:
    lay_out(project, {"snippets/one.conf": "rewrite ^/a /b last;\n"})
    for context, wrong in (("http", True), ("http server", False), ("location", False)):
        (project / "gwlint.yaml").write_text(f'contexts: {{"snippets/*.conf": {context}}}\n')
        assert (("snippets/one.conf", "NGX003") in found(check(gwlint, "snippets"))) is wrong


def test_the_last_pattern_that_fits_counts_and_a_comment_goes_first(
    gwlint: Command, project: Path
) -> None:
    lay_out(
        project,
        {
            "snippets/one.conf": "rewrite ^/a /b last;\n",
            "snippets/two.conf": "# gwlint: context=http server\nrewrite ^/a /b last;\n",
        },
    )
    (project / "gwlint.yaml").write_text(
        'contexts:\n  "snippets/**": http server\n  "snippets/*.conf": http\n'
    )
    run = check(gwlint, "snippets", "--select", "NGX003")
    assert found(run) == {("snippets/one.conf", "NGX003")}


def test_contexts_leave_whole_files_and_haproxy_alone(gwlint: Command, project: Path) -> None:
    (project / "gwlint.yaml").write_text("path_map: {/etc/nginx: ./nginx}\n")
    before = found(check(gwlint, "."))
    (project / "gwlint.yaml").write_text(
        'path_map: {/etc/nginx: ./nginx}\ncontexts: {"*.cfg": http, "deploy/**": location}\n'
    )
    assert found(check(gwlint, ".")) == before


# --------------------------------------------------------------------------- per_file_ignores


NGINX_FINDING = ("nginx/conf.d/app.conf", "NGX302")
HAPROXY_FINDING = ("haproxy/conf.d/web.cfg", "HAP501")


@pytest.mark.parametrize(
    ("ignores", "left"),
    [
        ("{}", [NGINX_FINDING, HAPROXY_FINDING]),
        ("{'nginx/**': [NGX302]}", [HAPROXY_FINDING]),
        ("{nginx: timeouts}", [HAPROXY_FINDING]),
        ("{'*.conf': 'NGX1, ngx3'}", [HAPROXY_FINDING]),
        ("{'haproxy/conf.d/*.cfg': [server-without-check]}", [NGINX_FINDING]),
        ("{web.cfg: HAP}", [NGINX_FINDING]),
        ("{'/conf.d': [NGX, HAP]}", [NGINX_FINDING, HAPROXY_FINDING]),
        ("{conf.d: [NGX, HAP]}", []),
        ("{'haproxy/*.cfg': HAP501, 'nginx/*.conf': NGX302}", [NGINX_FINDING, HAPROXY_FINDING]),
    ],
)
def test_rules_are_left_out_by_path_in_both_dialects(
    gwlint: Command, project: Path, ignores: str, left: Sequence[tuple[str, str]]
) -> None:
    (project / "gwlint.yaml").write_text(
        f"path_map: {{/etc/nginx: ./nginx}}\nper_file_ignores: {ignores}\n"
    )
    run = check(gwlint, "--select", "NGX302,HAP501", ".")
    assert found(run) == set(left)
    assert run.code == (1 if left else 0)


def test_patterns_count_from_gwlint_yaml_wherever_the_command_runs(
    gwlint: Command, project: Path
) -> None:
    (project / "gwlint.yaml").write_text('per_file_ignores: {"/nginx/**": NGX302}\n')
    folder = project / "nginx" / "conf.d"
    assert "NGX302" not in gwlint("check", "-q", ".", cwd=folder).text
    (project / "gwlint.yaml").unlink()
    assert "NGX302" in gwlint("check", "-q", ".", cwd=folder).text


# --------------------------------------------------------------------------- profile, fail_on


def test_profile_and_fail_on_in_both_dialects(gwlint: Command, tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "nginx.conf": "events {}\nhttp { server { listen 8080; add_header X-Frame-Options DENY;"
            " location / { root /srv; add_header Cache-Control no-store; } } }\n",
            "haproxy.cfg": HAPROXY_MAIN
            + "frontend web\n    bind :80\n    stats enable\n    stats admin if TRUE\n",
        },
    )
    wanted = {("nginx.conf", "NGX807"), ("haproxy.cfg", "HAP801")}
    settings = tmp_path / "gwlint.yaml"
    settings.write_text("profile: reliability\n")
    assert not wanted & found(check(gwlint, "."))
    settings.write_text("profile: security\n")
    run = check(gwlint, ".")
    assert wanted <= found(run)
    assert run.code == 1
    settings.write_text("profile: security\nfail_on: never\n")
    assert check(gwlint, ".").code == 0
    assert check(gwlint, ".", "--fail-on", "warning").code == 1, "the option wins"
    assert check(gwlint, ".", "--profile", "reliability", "--fail-on", "error").code == 0


# --------------------------------------------------------------------------- several gwlint.yaml


def test_paths_with_different_settings_are_told_apart(gwlint: Command, tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "a/nginx.conf": MAIN,
            "a/gwlint.yaml": "profile: strict\n",
            "b/nginx.conf": MAIN,
            "c/nginx.conf": MAIN,
        },
    )
    assert check(gwlint, "b/nginx.conf", "c").code == 0, "no gwlint.yaml is one and the same"
    for command in ("check", "fix"):
        run = gwlint(command, "a/nginx.conf", "b")
        assert (run.code, run.stdout) == (2, b"")
        assert "a/gwlint.yaml is that of a/nginx.conf" in run.stderr
        assert "no gwlint.yaml is that of b" in run.stderr
    assert check(gwlint, "a/nginx.conf", "b", "--config", "a/gwlint.yaml").code == 0


def test_settings_below_the_path_are_not_used_and_that_is_said(
    gwlint: Command, tmp_path: Path
) -> None:
    lay_out(
        tmp_path,
        {"a/nginx.conf": MAIN, "a/gwlint.yaml": "profil: wrong\n", "gwlint.yaml": "fail_on: error"},
    )
    run = gwlint("check", ".")
    assert run.code == 0
    assert "a/gwlint.yaml is not used" in run.stderr
    assert "a/gwlint.yaml" not in gwlint("check", ".", "--quiet").stderr
    assert "a/gwlint.yaml" not in gwlint("check", ".", "--config", "gwlint.yaml").stderr
    assert gwlint("check", "a").code == 2


def test_standard_input_has_the_settings_of_its_name(gwlint: Command, tmp_path: Path) -> None:
    lay_out(tmp_path, {"a/gwlint.yaml": "profile: wrong\n"})
    name = ("-", "--stdin-filename")
    assert gwlint("check", *name, "a/nginx.conf", stdin=MAIN.encode()).code == 2
    assert gwlint("check", *name, "b/nginx.conf", stdin=MAIN.encode()).code == 0
