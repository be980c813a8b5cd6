"""Who asks, and may they: what every route of the centre depends on.

@router.post(...)
async def hold(person: Annotated[Person, Depends(requires(Right.HOLD))]) -> …
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from denxanh.controller.centre.api import problem
from denxanh.controller.centre.people import csrf
from denxanh.controller.centre.people.cookie import Door, door
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.people.refusal import WORDS, Refusal, refused
from denxanh.controller.centre.people.rights import Right, may
from denxanh.controller.centre.people.sessions import Session
from denxanh.controller.centre.people.tokens import Token
from denxanh.controller.operator.message import Role
from denxanh.errors import AccessError, StoreError

LOGIN, PASSWORD = "/login", "/password"
"""Pages to which a browser is sent that may not go on."""
_BEARER = "bearer "

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks.

    Attributes:
        name: the account; of a token, its owner's.
        display: how the person is called.
        role: what counts now; of a token, its own.
        csrf: what this session's unsafe requests must carry; None where no browser is involved.
        token: the API token's id; None for a person who has logged in.
        must_change: may do nothing before choosing another password.
    """

    name: str
    display: str
    role: Role
    csrf: str | None = None
    token: str | None = None
    must_change: bool = False

    @property
    def actor(self) -> Actor:
        """The same, for the audit log."""
        return Actor(self.name, self.role, {"token": self.token} if self.token else {})


ANYBODY = Person("anybody:viewer", "Khách", Role.VIEWER)
"""Who has not logged in, at a site that lets everybody look."""


def people(request: Request) -> People:
    """The application's people."""
    return cast("People", request.app.state.people)


def way_in(request: Request) -> Door:
    """How the request came."""
    return door(request, people(request).public_url)


def address(request: Request) -> str:
    """Where the request came from; behind a proxy, what the server made of its headers."""
    return request.client.host if request.client else "local"


async def person(request: Request) -> Person | None:
    """Who asks, or None: nobody that we know. Whether they may is `requires`'s to say.

    Raises:
        AccessError: a token that does not count.
    """
    found = await _find(request)
    request.state.person = found
    return found


def requires(right: Right) -> Callable[[Request], Awaitable[Person]]:
    """A dependency that lets a request pass whose person has the right; else `AccessError` (401 or 403)."""

    async def allowed(request: Request) -> Person:
        found = await person(request)
        if found is None and right is Right.VIEW and people(request).viewers_without_login:
            request.state.person = ANYBODY
            return ANYBODY
        checked = known(request, found)
        if checked.must_change:
            raise refused(Refusal.MUST_CHANGE)
        if not may(checked.role, right):
            raise refused(Refusal.NO_RIGHT, where=right)
        return checked

    return allowed


def requires_login(right: Right | None = None) -> Callable[[Request], Awaitable[Person]]:
    """As `requires`, but only for a person in a browser: no token, however strong, makes accounts or tokens.

    Without a right, also for one who must choose another password first.
    """

    async def allowed(request: Request) -> Person:
        checked = known(request, await person(request)) if right is None else await requires(right)(request)
        if checked.csrf is None:
            raise refused(Refusal.TOKENS_MAY_NOT)
        return checked

    return allowed


async def may_still(request: Request, right: Right) -> bool:
    """Whether who has sent a request, which may have been long ago, still has a right; for streams.

    Watching does not keep a session from idling out: nobody may sit in front of the screen. While the store
    does not answer, who has been let in stays.
    """
    desk, now_ms = people(request), people(request).clock.wall_ms()
    secret, given = request.cookies.get(way_in(request).cookie), request.headers.get("authorization")
    found: Token | Session | None = None
    try:
        if given is not None:
            found = await asyncio.to_thread(desk.tokens.find, given[len(_BEARER) :].strip(), now_ms)
        elif secret:
            found = await asyncio.to_thread(desk.sessions.look, secret, now_ms)
    except StoreError as trouble:
        log.warning("whether somebody may still look cannot be asked: %s", trouble)
        return True
    if found is None:
        return given is None and right is Right.VIEW and desk.viewers_without_login
    return may(found.role, right)


def known(request: Request, found: Person | None) -> Person:
    """The person, once it is sure that their browser sends this of its own pages' accord.

    Raises:
        AccessError: there is nobody, or an unsafe request comes from another site.
    """
    if found is None:
        raise refused(Refusal.NOT_LOGGED_IN)
    if found.csrf is not None and request.method not in csrf.SAFE_METHODS:
        own_page(request)
        if not csrf.is_right_token(found.csrf, request.headers.get(csrf.HEADER)):
            raise refused(Refusal.NO_CSRF)
    return found


def own_page(request: Request) -> None:
    """Check that a request comes from one of our pages.

    Raises:
        AccessError: it does not.
    """
    if not csrf.is_same_origin(request.headers, way_in(request).origin):
        raise refused(Refusal.FOREIGN_ORIGIN)


async def _find(request: Request) -> Person | None:
    desk, now_ms = people(request), people(request).clock.wall_ms()
    given = request.headers.get("authorization")
    if given is not None:
        # Whoever shows a token is judged by it alone, whatever cookies come along.
        return await _of_token(desk, given, now_ms)
    secret = request.cookies.get(way_in(request).cookie)
    if not secret:
        return None
    session = await asyncio.to_thread(desk.sessions.find, secret, now_ms)
    if session is None:
        return None
    return Person(
        session.user, session.display, session.role, csrf=session.csrf, must_change=session.must_change
    )


async def _of_token(desk: People, given: str, now_ms: int) -> Person:
    scheme, secret = given[: len(_BEARER)].lower(), given[len(_BEARER) :].strip()
    token = await asyncio.to_thread(desk.tokens.find, secret, now_ms) if scheme == _BEARER else None
    if token is None:
        raise refused(Refusal.BAD_TOKEN)
    return Person(token.owner, token.label, token.role, token=token.id)


async def turn_away(request: Request, error: Exception) -> Response:
    """The answer to an `AccessError`, wherever a route or a dependency raises it."""
    assert isinstance(error, AccessError)
    await report(request, error)
    if problem.is_page(request):
        if error.reason == Refusal.NOT_LOGGED_IN:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{LOGIN}?next={quote(asked, safe='')}", HTTPStatus.SEE_OTHER)
        if error.reason == Refusal.MUST_CHANGE:
            return RedirectResponse(PASSWORD, HTTPStatus.SEE_OTHER)
    return _problem(request, error)


async def report(request: Request, error: AccessError, name: str = "", target: str = "") -> None:
    """Log and audit a refusal.

    Args:
        request: what was refused.
        error: why.
        name: what somebody who is not known yet calls himself.
        target: what was asked for, where the path should not be told.
    """
    found: Person | None = getattr(request.state, "person", None)
    actor = found.actor if found else Actor(name[:64] or "anybody:unknown")
    asked = target or f"{request.method} {request.url.path}"
    await people(request).watch.refused(error, actor, asked, address(request))


def _problem(request: Request, error: AccessError) -> Response:
    words = WORDS[Refusal(error.reason)]
    headers = {"Cache-Control": "no-store"}
    if words.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="denxanh"'
    if error.wait_s:
        headers["Retry-After"] = str(error.wait_s)
    kind = problem.Kind(error.reason, words.status, words.vi, words.en)
    return problem.response(request, kind, headers=headers)
