"""Where a login leads afterwards: to one of our own pages, never anywhere else; pure."""

from __future__ import annotations

import re

HOME = "/"
# One slash, then what a path and a query of ours are made of: no second slash or backslash in front (another
# host), no colon (a scheme), no control character (another header).
_OURS = re.compile(r"/(?![/\\])[A-Za-z0-9._~/?=&%+-]{0,500}")


def page_of_ours(asked: str | None) -> str:
    """The page that was asked for if it is one of ours, else the first."""
    return asked if asked is not None and _OURS.fullmatch(asked) else HOME
