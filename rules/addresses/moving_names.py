"""Host names whose addresses are known to change."""

from __future__ import annotations

import re

_MOVES = re.compile(
    r".*\.(?:elb(?:\.[a-z0-9-]+)?\.amazonaws\.com|rds\.amazonaws\.com|elasticbeanstalk\.com"
    r"|execute-api\.[a-z0-9-]+\.amazonaws\.com|cloudfront\.net|awsapprunner\.com"
    r"|azurewebsites\.net|cloudapp\.(?:net|azure\.com)|trafficmanager\.net|azurefd\.net"
    r"|azurecontainerapps\.io|run\.app|appspot\.com|cloudfunctions\.net|herokuapp\.com"
    r"|herokudns\.com|onrender\.com|fly\.dev|vercel\.app|netlify\.app|railway\.internal"
    r"|service\.consul|service\.[a-z0-9-]+\.consul)|tasks\.[^.]+"
    r"|[^.]+\.[^.]+\.[^.]+\.svc(?:\.cluster\.local)?"
)
"""Names whose addresses change while they are in use: load balancers and platforms of clouds, tasks
of Docker Swarm, services of Consul, single pods of Kubernetes. A service of Kubernetes
(`name.namespace.svc`) keeps its address for as long as it exists."""


def moves(host: str) -> bool:
    """Whether a name, in lower case, is one whose addresses change while it is in use."""
    return _MOVES.fullmatch(host) is not None
