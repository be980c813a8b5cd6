"""What an application needs so that its routes know who asks."""

from __future__ import annotations

from fastapi import FastAPI

from denxanh.controller.centre.people import access, api, pages
from denxanh.controller.centre.people.people import People
from denxanh.errors import AccessError


def install(app: FastAPI, people: People) -> None:
    """Give an application its people: the pages of login, their API, and an answer to every refusal."""
    app.state.people = people
    app.add_exception_handler(AccessError, access.turn_away)
    app.include_router(pages.router)
    app.include_router(api.router)
