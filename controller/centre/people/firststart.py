"""A new installation has no account, and no password that anybody could know before it was made."""

from __future__ import annotations

import asyncio

from denxanh.controller.centre.people.deed import CENTRE
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.people.refusal import Refusal
from denxanh.controller.centre.people.secret import one_time_password
from denxanh.controller.operator.message import Role
from denxanh.errors import AccessError

FIRST = "admin"


async def first_account(people: People) -> str | None:
    """Make the first administrator where there has never been one, whoever else has an account by then.

    Returns:
        The one-time password, to be shown once on the terminal and nowhere else; None: there is one.
    """
    accounts = await asyncio.to_thread(people.accounts.list)
    if any(one.role is Role.ADMINISTRATOR for one in accounts):
        return None
    password = one_time_password()
    kept = await people.hasher.hash(password)
    try:
        await asyncio.to_thread(
            people.accounts.create,
            FIRST,
            display="Quản trị viên",
            role=Role.ADMINISTRATOR,
            by=CENTRE,
            now_ms=people.clock.wall_ms(),
            password_hash=kept,
        )
    except AccessError as error:
        if error.reason == Refusal.NAME_TAKEN:  # Another centre of the same store was quicker.
            return None
        raise
    return password


async def demo_link(people: People, role: Role) -> str:
    """The path of a one-time link into an account without password, which is made if it is not there.

    Only for a simulated street on this machine: whoever reads the terminal may use it.
    """
    name = f"demo-{role}"
    if await asyncio.to_thread(people.accounts.find, name) is None:
        await asyncio.to_thread(
            people.accounts.create,
            name,
            display="Demo",
            role=role,
            by=CENTRE,
            now_ms=people.clock.wall_ms(),
        )
    return f"/login/once/{people.links.issue(name)}"
