"""Sessions of people in browsers. The browser holds a secret; the store holds its digest and when it ends.

Whether an account is still open, and its role, is asked anew for every request, never remembered here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Row, delete, insert, or_, select, update

from denxanh.controller.centre.people.deed import Actor, note
from denxanh.controller.centre.people.secret import digest, new_secret
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import sessions, users
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError

IDLE_MS = 30 * 60_000
"""A session ends after so long without a request."""
ABSOLUTE_MS = 12 * 3_600_000
"""And at the latest so long after the login: a shift with its handover."""
TOUCH_MS = 60_000
"""How exactly the last request is kept: not every one needs to write."""
MAX_OPEN = 10
"""Sessions of one account; the oldest ends when another begins."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a login gives: `secret` for the cookie, `csrf` for the pages."""

    secret: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session that counts now, with its account as it is now."""

    user: str
    display: str
    role: Role
    csrf: str
    must_change: bool
    seen_ms: int
    """When it was asked for, to the minute."""
    expires_ms: int
    """When it ends whatever happens."""


def has_ended(seen_ms: int, expires_ms: int, now_ms: int) -> bool:
    """Whether a session is over; all three in milliseconds since 1970."""
    return now_ms >= expires_ms or now_ms - seen_ms >= IDLE_MS


class Sessions:
    """The sessions in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, by: Actor, now_ms: int, *, how: str) -> Opened:
        """A new session of an account, with a secret that nobody has seen before.

        Args:
            by: the account.
            now_ms: milliseconds since 1970.
            how: `password`, `oidc`, …, for the audit log.
        """
        user = by.name
        opened = Opened(new_secret(), new_secret())
        row = {
            "token_hash": digest(opened.secret),
            "user": user,
            "csrf": opened.csrf,
            "created_ms": now_ms,
            "seen_ms": now_ms,
            "expires_ms": now_ms + ABSOLUTE_MS,
        }
        over = or_(sessions.c.expires_ms <= now_ms, sessions.c.seen_ms <= now_ms - IDLE_MS)
        newest = (
            select(sessions.c.token_hash)
            .where(sessions.c.user == user)
            .order_by(sessions.c.created_ms.desc(), sessions.c.token_hash)
            .limit(MAX_OPEN - 1)
        )
        with self._store.writing() as connection:
            connection.execute(delete(sessions).where(over))
            kept = connection.execute(newest).scalars().all()
            connection.execute(
                delete(sessions).where(sessions.c.user == user, sessions.c.token_hash.not_in(kept))
            )
            connection.execute(insert(sessions).values(row))
            note(connection, by, "login", user, how=how)
        return opened

    def find(self, secret: str, now_ms: int) -> Session | None:
        """The session of a cookie, if it counts; being asked for keeps it from idling out."""
        found = self.look(secret, now_ms)
        if found is not None and now_ms - found.seen_ms >= TOUCH_MS:
            self._touch(secret, now_ms)
        return found

    def look(self, secret: str, now_ms: int) -> Session | None:
        """The session of a cookie, if it counts; it idles on."""
        query = (
            select(sessions, users.c.display, users.c.role, users.c.must_change)
            .join(users, users.c.name == sessions.c.user)
            .where(sessions.c.token_hash == digest(secret), users.c.disabled.is_(False))
        )
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None or has_ended(row.seen_ms, row.expires_ms, now_ms) else _session(row)

    def end(self, secret: str, by: Actor) -> None:
        """End one session, which may be another account's of the same browser; none is no error."""
        gone = delete(sessions).where(sessions.c.token_hash == digest(secret)).returning(sessions.c.user)
        with self._store.writing() as connection:
            user = connection.execute(gone).scalar_one_or_none()
            if user is not None:
                note(connection, by, "logout", user)

    def end_all(self, user: str, by: Actor) -> int:
        """End every session of an account; how many there were."""
        with self._store.writing() as connection:
            count = connection.execute(delete(sessions).where(sessions.c.user == user)).rowcount
            note(connection, by, "session.end-all", user, sessions=count)
            return count

    def _touch(self, secret: str, now_ms: int) -> None:
        seen = update(sessions).where(sessions.c.token_hash == digest(secret)).values(seen_ms=now_ms)
        try:
            with self._store.writing() as connection:
                connection.execute(seen)
        except StoreError as trouble:
            # Whoever is logged in goes on seeing the street when the disk is full.
            log.warning("the use of a session is not kept: %s", trouble)


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        user=row.user,
        display=row.display,
        role=Role(row.role),
        csrf=row.csrf,
        must_change=row.must_change,
        seen_ms=row.seen_ms,
        expires_ms=row.expires_ms,
    )
