"""Who runs gwlint: servers look users and groups up, and refuse names that do not exist."""

from __future__ import annotations

import grp
import os
import pwd


def user_name() -> str:
    """The user's name, or the number where a container has no name for it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def group_name() -> str:
    """The group's name, or the number where a container has no name for it."""
    try:
        return grp.getgrgid(os.getegid()).gr_name
    except KeyError:
        return str(os.getegid())
