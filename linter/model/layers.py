"""What stands in front of the gateway: the layers of gwlint.yaml, and the services sold as such.

Figures of a preset are the defaults that the provider documents. What depends on a plan, or what
the provider has changed over the years, is left out: who uses it writes it by hand.

- aws-alb, AWS Application Load Balancer. Idle timeout 60 s, for the connection to the target too
  ("Connection idle timeout", docs.aws.amazon.com/elasticloadbalancing/latest/application/
  edit-load-balancer-attributes.html). The same timeout ends a wait for an answer: 504 when the
  target does not answer before it has elapsed (.../load-balancer-troubleshooting.html). Headers of
  a request 64 K in all, of a response 32 K (.../load-balancer-limits.html, "HTTP headers").
- gcp-alb, Google Cloud Application Load Balancer. Backend keepalive fixed at 600 s
  (cloud.google.com/load-balancing/docs/https/request-distribution); backend service timeout 30 s
  unless set (cloud.google.com/load-balancing/docs/https#timeout-bes).
- cloudflare. Connections to the origin idle for 900 s ("Proxy Idle Timeout",
  developers.cloudflare.com/fundamentals/reference/connection-limits). That page has given 100 s
  and 125 s as "Proxy Read Timeout", and plans may change it: no figure for the response timeout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in front of the gateway: a load balancer, a CDN, another proxy.

    Times are seconds, sizes bytes; None is a fact that is not given. `idle_timeout`: it keeps an
    idle connection to the next layer for reuse as long; `response_timeout`: it waits for an answer
    as long; `body_limit`: the largest request body that it lets through; `request_header` and
    `response_header`: the largest headers, all fields of a message together, that it lets through.
    `preset` is a key of `PRESETS` or None; `file`, `line` and `column` say where gwlint.yaml has
    it, counted from 1.
    """

    name: str
    preset: str | None = None
    idle_timeout: float | None = None
    response_timeout: float | None = None
    body_limit: int | None = None
    request_header: int | None = None
    response_header: int | None = None
    file: str | None = None
    line: int = 0
    column: int = 0


PRESETS: Mapping[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer(
            "aws-alb",
            idle_timeout=60,
            response_timeout=60,
            request_header=64 * 1024,
            response_header=32 * 1024,
        ),
        Layer("gcp-alb", idle_timeout=600, response_timeout=30),
        Layer("cloudflare", idle_timeout=900),
    )
}

_ONE_TIMEOUT = frozenset({"aws-alb"})
"""Presets whose idle timeout is the response timeout too: setting one sets both."""


def with_preset(said: Layer) -> Layer:
    """A layer with what its preset knows where gwlint.yaml says nothing."""
    if said.preset is None:
        return said
    preset = PRESETS[said.preset]
    if said.preset in _ONE_TIMEOUT and said.idle_timeout is not None:
        preset = replace(preset, response_timeout=said.idle_timeout)
    known = {
        name: getattr(preset, name)
        for name in (
            "idle_timeout",
            "response_timeout",
            "body_limit",
            "request_header",
            "response_header",
        )
        if getattr(said, name) is None
    }
    return replace(said, **known)
