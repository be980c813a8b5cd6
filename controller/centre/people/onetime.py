"""Links that let one person in once, without a password: for a demo on this machine."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from denxanh.controller.centre.people.secret import digest, new_secret

VALID_S = 3_600.0
MAX_OPEN = 100
"""Links that wait to be used; the oldest goes."""


@dataclass(frozen=True, slots=True)
class _Link:
    account: str
    until_s: float


class OneTimeLinks:
    """In memory only: a restart ends them all.

    Args:
        steady_s: seconds on a clock that does not jump.
    """

    def __init__(self, steady_s: Callable[[], float]) -> None:
        self._steady_s = steady_s
        self._links: OrderedDict[str, _Link] = OrderedDict()

    def issue(self, account: str) -> str:
        """The secret of a new link for an account; the page is `/login/once/SECRET`."""
        secret = new_secret()
        self._links[digest(secret)] = _Link(account, self._steady_s() + VALID_S)
        while len(self._links) > MAX_OPEN:
            self._links.popitem(last=False)
        return secret

    def take(self, secret: str) -> str | None:
        """The account of a link, which is used up; None: there is none such, or no more."""
        link = self._links.pop(digest(secret), None)
        return link.account if link is not None and self._steady_s() < link.until_s else None
