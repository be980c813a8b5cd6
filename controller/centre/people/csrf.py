"""Whether a browser's request comes from the centre's own pages; pure.

Two checks, each enough by itself: where the browser says that the request comes from, and a token that only
our pages know. The session's cookie is SameSite=Strict besides.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

HEADER = "x-csrf-token"
"""Carries the token with what scripts send; forms without scripts have a field `csrf`."""
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
"""They change nothing, so nobody gains by having them sent."""


def is_same_origin(headers: Mapping[str, str], own: str) -> bool:
    """Whether the browser says that the request comes from one of our pages.

    Args:
        headers: of the request, names in small letters.
        own: scheme, host and port under which the browser knows us.

    A browser that says nothing is too old to be protected and is not believed; so is `Origin: null`.
    """
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and origin in (None, own)


def is_right_token(expected: str, given: str | None) -> bool:
    """Whether a request carries its session's token."""
    return given is not None and hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
