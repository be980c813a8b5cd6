"""Logging in: the one way from a password to a session. No HTTP here."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from denxanh.controller.centre.people.accounts import NAME, Account, Accounts
from denxanh.controller.centre.people.clock import Clock
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.limiter import Limiter
from denxanh.controller.centre.people.passwords import Hasher, Match
from denxanh.controller.centre.people.refusal import Refusal, refused
from denxanh.controller.centre.people.sessions import Opened, Sessions
from denxanh.controller.centre.people.weak import is_weak
from denxanh.errors import AccessError, StoreError


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in, and the session."""

    account: Account
    opened: Opened
    actor: Actor


class Login:
    """Judges who wants to come in."""

    def __init__(self, accounts: Accounts, sessions: Sessions, hasher: Hasher, clock: Clock) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock
        self._limiter = Limiter()

    async def by_password(self, typed: str, password: str, address: str) -> Entered:
        """A session for a name and a password.

        Raises:
            AccessError: they do not fit, were tried too often, or too many people wait; nothing tells
                whether there is such an account.
        """
        name = typed.strip().lower()
        await self._check(name, password, address)
        return await self.enter(name, address, "password")

    async def enter(self, name: str, address: str, how: str) -> Entered:
        """A session for a person who has proven to be this account's.

        Raises:
            AccessError: the account is closed.
        """
        account = await asyncio.to_thread(self._accounts.get, name)
        if account.disabled:
            raise refused(Refusal.WRONG_LOGIN, where=name)
        actor = Actor(account.name, account.role, {"address": address})
        opened = await asyncio.to_thread(self._sessions.begin, actor, self._clock.wall_ms(), how=how)
        return Entered(account, opened, actor)

    async def change_password(self, by: Actor, display: str, current: str, new: str, address: str) -> Entered:
        """Give oneself another password; every session ends, and a new one begins.

        Raises:
            AccessError: the current one is wrong or was tried too often, or the new one is too weak.
        """
        if is_weak(new, by.name, display) or new == current:
            raise refused(Refusal.WEAK_PASSWORD)
        await self._check(by.name, current, address)
        kept = await self._hasher.hash(new)
        await asyncio.to_thread(self._accounts.set_password, by.name, kept, by=by, must_change=False)
        return await self.enter(by.name, address, "password")

    async def _check(self, name: str, password: str, address: str) -> None:
        wait_s = self._limiter.try_at(name, address, self._clock.steady_s())
        if wait_s > 0:
            raise refused(Refusal.TOO_MANY_ATTEMPTS, wait_s=math.ceil(wait_s))
        try:
            known = NAME.fullmatch(name) is not None
            kept = await asyncio.to_thread(self._accounts.password_hash, name) if known else None
            match = await self._hasher.compare(kept, password)
        except (AccessError, StoreError):
            # Nobody waits for a quarter of an hour because the centre was busy or its store away.
            self._limiter.not_made(name, address)
            raise
        if kept is None or match is Match.NO:
            raise refused(Refusal.WRONG_LOGIN)
        self._limiter.succeeded(name, address)
        if match is Match.YES_BUT_OLD:
            renewed = await self._hasher.hash(password)
            await asyncio.to_thread(self._accounts.renew_hash, name, kept, renewed)
