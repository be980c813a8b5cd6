"""API tokens: for programs, with an owner who answers for them. The store holds their digests only."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from denxanh.controller.centre.people.deed import Actor, note
from denxanh.controller.centre.people.refusal import Refusal, refused
from denxanh.controller.centre.people.rights import RIGHTS
from denxanh.controller.centre.people.secret import digest, new_secret
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import tokens, users
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError

PREFIX = "dx_"
"""Lets people and scanners of leaked secrets recognise one."""
MAX_DAYS = 366
DAY_MS = 86_400_000
MAX_LIVE = 20
"""Tokens of one owner that count at the same time."""
TOUCH_MS = 60_000
"""How exactly the last use is kept."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token."""

    id: str
    label: str
    """What it is for."""
    owner: str
    role: Role
    created_ms: int
    expires_ms: int
    revoked_ms: int | None
    used_ms: int | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token; `secret` is shown once."""

    token: Token
    secret: str


def covers(owner: Role, token: Role) -> bool:
    """Whether a token of one role may belong to an owner of another: it can do nothing the owner cannot."""
    return RIGHTS[token] <= RIGHTS[owner]


class Tokens:
    """The tokens in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(self, owner: Actor, *, role: Role, label: str, days: int, now_ms: int) -> Issued:
        """A new token.

        Args:
            owner: an account, with its role.
            role: what the token may do.
            label: what it is for.
            days: how long it counts, 1 to `MAX_DAYS`.
            now_ms: milliseconds since 1970.

        Raises:
            AccessError: it would be able to do more than its owner, or the owner has too many.
        """
        if not covers(Role(owner.role), role):
            raise refused(Refusal.ROLE_ABOVE_OWN, where=role)
        secret = PREFIX + new_secret()
        expires_ms = now_ms + min(max(days, 1), MAX_DAYS) * DAY_MS
        token = Token(secrets.token_hex(8), label, owner.name, role, now_ms, expires_ms, None, None)
        row = {
            "id": token.id,
            "token_hash": digest(secret),
            "label": label,
            "owner": owner.name,
            "role": role,
            "created_ms": now_ms,
            "expires_ms": expires_ms,
        }
        live = select(func.count()).where(
            tokens.c.owner == owner.name, tokens.c.revoked_ms.is_(None), tokens.c.expires_ms > now_ms
        )
        with self._store.writing() as connection:
            if connection.execute(live).scalar_one() >= MAX_LIVE:
                raise refused(Refusal.TOO_MANY_TOKENS, where=owner.name)
            connection.execute(insert(tokens).values(row))
            note(connection, owner, "token.issue", token.id, label=label, given=role, days=days)
        return Issued(token, secret)

    def find(self, secret: str, now_ms: int) -> Token | None:
        """The token, if it counts: not revoked or ended, its owner's account open and allowed as much."""
        query = (
            select(tokens, users.c.role.label("owner_role"))
            .join(users, users.c.name == tokens.c.owner)
            .where(
                tokens.c.token_hash == digest(secret),
                tokens.c.revoked_ms.is_(None),
                tokens.c.expires_ms > now_ms,
                users.c.disabled.is_(False),
            )
        )
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or not covers(Role(row.owner_role), Role(row.role)):
            return None
        if row.used_ms is None or now_ms - row.used_ms >= TOUCH_MS:
            self._touch(row.id, now_ms)
        return _token(row)

    def list(self, owner: str | None = None) -> tuple[Token, ...]:
        """An owner's tokens, or everybody's; the newest first."""
        query: Select[Any] = select(tokens).order_by(tokens.c.created_ms.desc(), tokens.c.id)
        if owner is not None:
            query = query.where(tokens.c.owner == owner)
        with self._store.reading() as connection:
            return tuple(_token(row) for row in connection.execute(query))

    def revoke(self, identity: str, *, by: Actor, now_ms: int, owner: str | None = None) -> Token:
        """End a token at once and for good.

        Args:
            identity: its id.
            by: who does it.
            now_ms: milliseconds since 1970.
            owner: whose it must be; None: anybody's.

        Raises:
            AccessError: there is no such token.
        """
        chosen = [tokens.c.id == identity]
        if owner is not None:
            chosen.append(tokens.c.owner == owner)
        with self._store.writing() as connection:
            ended = connection.execute(
                update(tokens).where(*chosen, tokens.c.revoked_ms.is_(None)).values(revoked_ms=now_ms)
            )
            row = connection.execute(select(tokens).where(*chosen)).one_or_none()
            if row is None:
                raise refused(Refusal.UNKNOWN_TOKEN, where=identity)
            if ended.rowcount:
                note(connection, by, "token.revoke", identity, owner=row.owner, label=row.label)
        return _token(row)

    def _touch(self, identity: str, now_ms: int) -> None:
        try:
            with self._store.writing() as connection:
                connection.execute(update(tokens).where(tokens.c.id == identity).values(used_ms=now_ms))
        except StoreError as trouble:
            log.warning("the use of token %s is not kept: %s", identity, trouble)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        label=row.label,
        owner=row.owner,
        role=Role(row.role),
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        revoked_ms=row.revoked_ms,
        used_ms=row.used_ms,
    )
