"""Accounts: who may come in, as what. No account is ever deleted: the audit log names it for good."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.people.deed import Actor, note
from denxanh.controller.centre.people.refusal import Refusal, refused
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import sessions, tokens, users
from denxanh.controller.operator.message import Role

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
"""An account's name is also an order's actor. No colon: `unix:` and the like name who is no account."""
MAX_DISPLAY = 128


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account; its password's hash never leaves this module but by `Accounts.password_hash`."""

    name: str
    display: str
    """How the person is called."""
    role: Role
    disabled: bool
    must_change: bool
    """The password was made up for the person, who must choose another one first."""
    has_password: bool
    subject: str | None
    """Who the person is to the identity provider."""
    created_ms: int


class Accounts:
    """The accounts in a store. Names are as `account_name` gives them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> tuple[Account, ...]:
        """All of them, by name."""
        with self._store.reading() as connection:
            return tuple(_account(row) for row in connection.execute(select(users).order_by(users.c.name)))

    def find(self, name: str) -> Account | None:
        """The account of this name, if there is one."""
        return self._one(select(users).where(users.c.name == name))

    def get(self, name: str) -> Account:
        """The account of this name.

        Raises:
            AccessError: there is none.
        """
        found = self.find(name)
        if found is None:
            raise refused(Refusal.UNKNOWN_ACCOUNT, where=name)
        return found

    def of_subject(self, subject: str) -> Account | None:
        """The account of a user of the identity provider."""
        return self._one(select(users).where(users.c.subject == subject))

    def password_hash(self, name: str) -> str | None:
        """What is kept of a password; None for no account, a disabled one, or one without password."""
        query = select(users.c.password_hash).where(users.c.name == name, users.c.disabled.is_(False))
        with self._store.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def create(
        self,
        name: str,
        *,
        display: str,
        role: Role,
        by: Actor,
        now_ms: int,
        password_hash: str | None = None,
        subject: str | None = None,
    ) -> Account:
        """A new account. A password that comes with it was made up, so it must be changed.

        Raises:
            AccessError: the name or the subject is taken.
        """
        row = {
            "name": name,
            "display": display,
            "role": role,
            "password_hash": password_hash,
            "subject": subject,
            "disabled": False,
            "must_change": password_hash is not None,
            "created_ms": now_ms,
        }
        try:
            with self._store.writing() as connection:
                connection.execute(insert(users).values(row))
                note(connection, by, "account.create", name, given=role, subject=subject)
        except IntegrityError as error:
            reason = Refusal.NAME_TAKEN if self.find(name) else Refusal.SUBJECT_TAKEN
            raise refused(reason, where=name) from error
        return self.get(name)

    def disable(self, name: str, *, by: Actor, now_ms: int) -> None:
        """Close an account: its sessions end and its tokens are revoked.

        Raises:
            AccessError: there is none, or it is the last administrator's.
        """
        with self._changed(name, disabled=True) as connection:
            _end_sessions(connection, name)
            connection.execute(
                update(tokens)
                .where(tokens.c.owner == name, tokens.c.revoked_ms.is_(None))
                .values(revoked_ms=now_ms)
            )
            note(connection, by, "account.disable", name)

    def enable(self, name: str, *, by: Actor) -> None:
        """Open a closed account again.

        Raises:
            AccessError: there is none.
        """
        with self._changed(name, disabled=False) as connection:
            note(connection, by, "account.enable", name)

    def set_role(self, name: str, role: Role, *, by: Actor) -> None:
        """Give an account another role; it counts from the next request on.

        Raises:
            AccessError: there is none, or it is the last administrator's.
        """
        with self._changed(name, role=role) as connection:
            note(connection, by, "account.role", name, given=role)

    def set_subject(self, name: str, subject: str | None, *, by: Actor) -> None:
        """Bind an account to a user of the identity provider, or to none.

        Raises:
            AccessError: there is no such account, or the subject is another one's.
        """
        try:
            with self._changed(name, subject=subject) as connection:
                note(connection, by, "account.subject", name, subject=subject)
        except IntegrityError as error:
            raise refused(Refusal.SUBJECT_TAKEN, where=name) from error

    def set_password(self, name: str, password_hash: str, *, by: Actor, must_change: bool) -> None:
        """Replace what is kept of a password; every session of the account ends.

        Raises:
            AccessError: there is no such account.
        """
        with self._changed(name, password_hash=password_hash, must_change=must_change) as connection:
            _end_sessions(connection, name)
            note(connection, by, "account.reset" if must_change else "account.password", name)

    def renew_hash(self, name: str, old: str, new: str) -> None:
        """The same password at today's cost, unless it was changed meanwhile."""
        with self._store.writing() as connection:
            connection.execute(
                update(users)
                .where(users.c.name == name, users.c.password_hash == old)
                .values(password_hash=new)
            )

    @contextlib.contextmanager
    def _changed(self, name: str, **values: Any) -> Iterator[Connection]:
        """The transaction in which the account has these values."""
        with self._store.writing() as connection:
            before = _administrators(connection)
            if connection.execute(update(users).where(users.c.name == name).values(values)).rowcount == 0:
                raise refused(Refusal.UNKNOWN_ACCOUNT, where=name)
            if before and not _administrators(connection):
                raise refused(Refusal.LAST_ADMINISTRATOR, where=name)
            yield connection

    def _one(self, query: Select[Any]) -> Account | None:
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _account(row)


def account_name(typed: str) -> str:
    """The name of an account as it is kept: small letters.

    Raises:
        AccessError: no account can be called so.
    """
    name = typed.strip().lower()
    if not NAME.fullmatch(name):
        raise refused(Refusal.BAD_NAME)
    return name


def _administrators(connection: Connection) -> int:
    """How many can log in. They are locked, so that two who disable each other cannot both succeed."""
    names = (
        select(users.c.name)
        .where(users.c.role == Role.ADMINISTRATOR, users.c.disabled.is_(False))
        .where(func.coalesce(users.c.password_hash, users.c.subject).is_not(None))
        .with_for_update()
    )
    return len(connection.execute(names).all())


def _end_sessions(connection: Connection, name: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.user == name))


def _account(row: Row[Any]) -> Account:
    return Account(
        name=row.name,
        display=row.display,
        role=Role(row.role),
        disabled=row.disabled,
        must_change=row.must_change,
        has_password=row.password_hash is not None,
        subject=row.subject,
        created_ms=row.created_ms,
    )
