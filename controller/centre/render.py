"""From a template and its words to a page in the reader's language and theme."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.nav import NAVIGATION
from denxanh.controller.centre.people.rights import may
from denxanh.controller.centre.template import template
from denxanh.controller.centre.words.shared import SHARED
from denxanh.controller.centre.words.word import Lang, Words, join, speaker, spoken

LANG_COOKIE = "denxanh-lang"
THEME_COOKIE = "denxanh-theme"
YEAR_S = 365 * 86_400
_Choice = TypeVar("_Choice", bound=StrEnum)


class Theme(StrEnum):
    """How bright the console is; `AUTO` follows the machine."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


def render(
    request: Request,
    file: str,
    *,
    page: str,
    words: tuple[Words, ...] = (),
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """One page.

    Args:
        request: its query (`lang`, `theme`), else its cookies, choose language and theme; else Vietnamese.
        file: of `templates/`; it extends `shell.html`.
        page: the page's id in the navigation.
        words: the page's own tables, beside those that all pages have.
        status: of the HTTP answer.
        values: what else the template reads.
    """
    lang = _language(request)
    theme = theme_of(request)
    table = join(*SHARED, *words)
    person = getattr(request.state, "person", None)
    text = template(file).render(
        t=speaker(table, lang),
        words=embedded(spoken(table, lang)),
        lang=lang,
        theme=theme,
        page=page,
        path=request.url.path,
        person=person,
        sections=_navigation(person),
        corridor=request.app.state.corridor,
        simulated=request.app.state.centre.simulated,
        **values,
    )
    answer = HTMLResponse(text, status)
    for parameter, cookie, value in (("lang", LANG_COOKIE, lang), ("theme", THEME_COOKIE, theme)):
        if parameter in request.query_params:
            # Scripts write the theme's too, so it cannot be kept from them.
            answer.set_cookie(cookie, value, max_age=YEAR_S, samesite="lax")
    return answer


def problem(request: Request, status: int, key: str, **values: Any) -> HTMLResponse:
    """A page that says why there is no other (`key`: of the shared words)."""
    text = speaker(join(*SHARED), _language(request))(key, **values)
    return render(request, "problem.html", page="", status=status, text=text)


def theme_of(request: Request) -> Theme:
    """What this browser's user has chosen."""
    return _choice(request, "theme", THEME_COOKIE, Theme, Theme.AUTO)


def _language(request: Request) -> Lang:
    return _choice(request, "lang", LANG_COOKIE, Lang, Lang.VI)


def _choice(request: Request, parameter: str, cookie: str, kind: type[_Choice], usual: _Choice) -> _Choice:
    asked = request.query_params.get(parameter) or request.cookies.get(cookie)
    return kind(asked) if asked in set(kind) else usual


def _navigation(person: Any) -> list[Any]:
    shown = []
    for section in NAVIGATION:
        entries = [entry for entry in section.entries if person is None or may(person.role, entry.right)]
        if entries:
            shown.append((section.id, entries))
    return shown


def embedded(data: Any) -> str:
    """JSON that can stand inside a `script` element: nothing in it closes the element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
