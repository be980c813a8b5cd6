"""The pages by which people come in and go out. They work without scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from denxanh.controller.centre.people import csrf
from denxanh.controller.centre.people.access import (
    LOGIN,
    PASSWORD,
    Person,
    address,
    own_page,
    people,
    person,
    report,
    way_in,
)
from denxanh.controller.centre.people.form import form
from denxanh.controller.centre.people.login import Entered
from denxanh.controller.centre.people.nexturl import HOME, page_of_ours
from denxanh.controller.centre.people.oidc import PENDING_S
from denxanh.controller.centre.people.refusal import WORDS, Refusal, refused
from denxanh.controller.centre.people.weak import MAX_LENGTH, MIN_LENGTH
from denxanh.controller.centre.render import theme_of
from denxanh.controller.centre.template import template
from denxanh.errors import AccessError

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Whoever = Annotated[Person | None, Depends(person)]

_OIDC_BACK = "/login/oidc/back"
_OIDC_COOKIE = "-oidc"
# What a person typed must not come back from the browser's or a proxy's store to the next one.
_UNKEPT = {"Cache-Control": "no-store"}


@router.get(LOGIN)
async def login_page(request: Request, who: Whoever, next: str = HOME) -> Response:  # noqa: A002
    """Ask for name and password."""
    if who is not None:
        return _go(page_of_ours(next))
    return _login(request, page=page_of_ours(next))


@router.post(LOGIN)
async def login(request: Request) -> Response:
    """Let somebody in whose name and password fit."""
    fields = await form(request)
    name, page = fields.get("name", ""), page_of_ours(fields.get("next"))
    try:
        own_page(request)
        entered = await people(request).login.by_password(name, fields.get("password", ""), address(request))
    except AccessError as error:
        await report(request, error, name)
        return _login(request, error, name=name, page=page)
    return await _let_in(request, entered, page)


@router.post("/logout")
async def logout(request: Request, who: Whoever) -> Response:
    """End the session of this browser."""
    # Also where no cookie came: another site's form comes without it, and could take it from the browser.
    own_page(request)
    door, answer = way_in(request), _go(LOGIN)
    if who is not None and who.csrf is not None:
        _check_form(request, await form(request), who)
        await asyncio.to_thread(people(request).sessions.end, request.cookies[door.cookie], who.actor)
    door.take_back(answer)
    return answer


@router.get(PASSWORD)
async def password_page(request: Request, who: Whoever) -> Response:
    """Ask for another password."""
    return _password(request, _in_browser(who))


@router.post(PASSWORD)
async def password(request: Request, who: Whoever) -> Response:
    """Change one's own password."""
    mine, fields = _in_browser(who), await form(request)
    try:
        _check_form(request, fields, mine)
        if fields.get("new") != fields.get("again"):
            return _password(request, mine, unequal=True)
        entered = await people(request).login.change_password(
            mine.actor, mine.display, fields.get("current", ""), fields.get("new", ""), address(request)
        )
    except AccessError as error:
        await report(request, error)
        return _password(request, mine, error)
    return await _let_in(request, entered, HOME)


@router.get("/login/once/{secret}")
async def once(request: Request, secret: str) -> Response:
    """Let somebody in who has a link that nobody has used yet."""
    desk = people(request)
    try:
        name = desk.links.take(secret)
        if name is None:
            raise refused(Refusal.WRONG_LOGIN)
        entered = await desk.login.enter(name, address(request), "one-time link")
    except AccessError as error:
        # The path holds a secret; the log does not need it.
        await report(request, error, target="GET /login/once")
        return _login(request, error)
    return await _let_in(request, entered, HOME)


@router.get("/login/oidc")
async def oidc(request: Request, next: str = HOME) -> Response:  # noqa: A002
    """Send the browser to the identity provider."""
    desk, door = people(request), way_in(request)
    if desk.provider is None:
        return _go(LOGIN)
    try:
        begun = await desk.provider.begin(door.origin + _OIDC_BACK, page_of_ours(next))
    except AccessError as error:
        await report(request, error)
        return _login(request, error)
    answer = _go(begun.url)
    door.give(answer, begun.secret, name=_OIDC_COOKIE, lax=True, age_s=int(PENDING_S))
    return answer


@router.get(_OIDC_BACK)
async def oidc_back(request: Request) -> Response:
    """Let somebody in whom the identity provider has confirmed, and who has an account here."""
    desk, door = people(request), way_in(request)
    if desk.provider is None:
        return _go(LOGIN)
    try:
        kept = request.cookies.get(door.cookie + _OIDC_COOKIE, "")
        proven = await desk.provider.finish(request.query_params, kept)
        account = await asyncio.to_thread(desk.accounts.of_subject, proven.subject)
        if account is None:
            raise refused(Refusal.UNKNOWN_SUBJECT)
        entered = await desk.login.enter(account.name, address(request), "oidc")
    except AccessError as error:
        await report(request, error)
        answer: Response = _login(request, error)
    else:
        # Another site led here, so with a redirect the browser would not send the new cookie.
        answer = _page("onward.html", page=proven.page)
        door.give(answer, entered.opened.secret)
    door.take_back(answer, name=_OIDC_COOKIE)
    return answer


async def _let_in(request: Request, entered: Entered, page: str) -> Response:
    """A new session in this browser; whatever it had before ends, so nobody can have planted it."""
    door = way_in(request)
    before = request.cookies.get(door.cookie)
    if before:
        await asyncio.to_thread(people(request).sessions.end, before, entered.actor)
    answer = _go(PASSWORD if entered.account.must_change else page)
    door.give(answer, entered.opened.secret)
    return answer


def _in_browser(who: Person | None) -> Person:
    if who is None:
        raise refused(Refusal.NOT_LOGGED_IN)
    if who.csrf is None:
        raise refused(Refusal.TOKENS_MAY_NOT)
    return who


def _check_form(request: Request, fields: Mapping[str, str], who: Person) -> None:
    """The same as `access.known` asks of scripts; a form has the token in a field."""
    own_page(request)
    if not csrf.is_right_token(who.csrf or "", fields.get("csrf")):
        raise refused(Refusal.NO_CSRF)


def _login(
    request: Request, error: AccessError | None = None, *, name: str = "", page: str = HOME
) -> Response:
    provider = people(request).provider
    return _page(
        "login.html",
        error,
        theme=theme_of(request),
        name=name[:64],
        page=page,
        oidc=None if provider is None else f"/login/oidc?{urlencode({'next': page})}",
    )


def _password(
    request: Request, who: Person, error: AccessError | None = None, *, unequal: bool = False
) -> Response:
    answer = _page(
        "password.html",
        error,
        theme=theme_of(request),
        who=who,
        unequal=unequal,
        least=MIN_LENGTH,
        most=MAX_LENGTH,
    )
    if unequal:
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer


def _page(file: str, error: AccessError | None = None, **values: Any) -> Response:
    words = None if error is None else WORDS[Refusal(error.reason)]
    wait_s = 0 if error is None else error.wait_s
    text = template(file).render(words=words, wait_s=wait_s, **values)
    headers = {**_UNKEPT, "Retry-After": str(wait_s)} if wait_s else _UNKEPT
    return HTMLResponse(text, 200 if words is None else words.status, headers)


def _go(page: str) -> RedirectResponse:
    return RedirectResponse(page, HTTPStatus.SEE_OTHER, _UNKEPT)
