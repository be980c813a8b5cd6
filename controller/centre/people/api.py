"""Sessions, people and tokens in the REST API."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from denxanh.controller.centre.people.access import (
    Person,
    address,
    known,
    people,
    person,
    requires_login,
    way_in,
)
from denxanh.controller.centre.people.accounts import MAX_DISPLAY, NAME, Account, account_name
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.rights import RIGHTS, Right, may
from denxanh.controller.centre.people.secret import one_time_password
from denxanh.controller.centre.people.tokens import MAX_DAYS, Token
from denxanh.controller.centre.people.weak import MAX_LENGTH
from denxanh.controller.centre.whole import WHOLE
from denxanh.controller.operator.message import Role

router = APIRouter(prefix="/api/v1", tags=["people"])
Me = Annotated[Person, Depends(requires_login())]
Administrator = Annotated[Person, Depends(requires_login(Right.MANAGE_PEOPLE))]
Looker = Annotated[Person, Depends(requires_login(Right.VIEW))]
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$", description="An account's name.")]
TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="A token's id.")]
_Line = Annotated[
    str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$")
]
"""One line without a blank at either end."""
_Display = Annotated[_Line, Field(min_length=1, max_length=MAX_DISPLAY)]
_Subject = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
_Password = Annotated[str, Field(max_length=4 * MAX_LENGTH)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SessionView(_Model):
    """Who one is to the centre."""

    name: str
    display: str
    role: Role
    rights: list[Right] = Field(description="What this role may do.")
    csrf: str | None = Field(description="Unsafe requests of this browser carry it as X-CSRF-Token.")
    must_change_password: bool


class PasswordChange(_Model):
    """Another password for oneself."""

    current: _Password
    new: _Password = Field(description="12 to 128 characters, nothing common.")


class AccountView(_Model):
    """A person's account."""

    name: str
    display: str
    role: Role
    disabled: bool
    must_change_password: bool
    has_password: bool
    subject: str | None = Field(description="Who the person is to the identity provider.")
    created: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """An account as others may see it."""
        return cls(
            name=account.name,
            display=account.display,
            role=account.role,
            disabled=account.disabled,
            must_change_password=account.must_change,
            has_password=account.has_password,
            subject=account.subject,
            created=_moment(account.created_ms),
        )


class NewAccount(_Model):
    """An account that shall be."""

    # The pattern is described only: `account_name` refuses in both languages, and makes capitals small.
    name: str = Field(
        description="Small letters, digits and . _ - @.", json_schema_extra={"pattern": f"^{NAME.pattern}$"}
    )
    display: _Display
    role: Role
    subject: _Subject | None = Field(
        default=None, description="Log in through the identity provider instead of by password."
    )


class AccountChange(_Model):
    """One thing that shall be different; one at a time, so that it is done or not."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    role: Role | SkipJsonSchema[None] = None
    disabled: StrictBool | SkipJsonSchema[None] = None
    subject: _Subject | None = Field(default=None, description="null: no longer through the provider.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = self.model_fields_set
        if len(given) != 1 or (given != {"subject"} and self.role is None and self.disabled is None):
            raise ValueError("give one of role, disabled, subject")
        return self


class Made(_Model):
    """A new account, or one with a new password."""

    account: AccountView
    one_time_password: str | None = Field(description="Shown once; the person must change it.")


class People(_Model):
    """Every account."""

    people: list[AccountView]


class Ended(_Model):
    """How many sessions there were."""

    ended: int


class TokenView(_Model):
    """A token without its secret."""

    id: str
    label: str
    owner: str
    role: Role
    created: datetime
    expires: datetime
    revoked: datetime | None
    used: datetime | None = Field(description="To the minute.")

    @classmethod
    def of(cls, token: Token) -> Self:
        """What may be known of a token."""
        return cls(
            id=token.id,
            label=token.label,
            owner=token.owner,
            role=token.role,
            created=_moment(token.created_ms),
            expires=_moment(token.expires_ms),
            revoked=None if token.revoked_ms is None else _moment(token.revoked_ms),
            used=None if token.used_ms is None else _moment(token.used_ms),
        )


class NewToken(_Model):
    """A token that shall be."""

    label: Annotated[_Line, Field(min_length=3, max_length=MAX_DISPLAY, description="What it is for.")]
    role: Role = Field(description="It can do no more than its owner.")
    days: Annotated[
        int, Field(strict=True, ge=1, le=MAX_DAYS, description="After so many days it ends."), WHOLE
    ]


class IssuedToken(_Model):
    """A new token."""

    token: TokenView
    secret: str = Field(description="Shown once; goes into the header Authorization: Bearer.")


class Tokens(_Model):
    """Tokens, the newest first."""

    tokens: list[TokenView]


@router.get("/session")
async def session(request: Request, who: Annotated[Person | None, Depends(person)]) -> SessionView:
    """Who I am to the centre, and what I may do."""
    return _session(known(request, who))


@router.put("/session/password")
async def change_password(
    request: Request, response: Response, me: Me, change: PasswordChange
) -> SessionView:
    """Choose another password. Every other session of mine ends; this browser gets a new one."""
    entered = await people(request).login.change_password(
        _actor(request, me), me.display, change.current, change.new, address(request)
    )
    way_in(request).give(response, entered.opened.secret)
    account = entered.account
    return _session(Person(account.name, account.display, account.role, csrf=entered.opened.csrf))


@router.get("/people")
def list_people(request: Request, _: Administrator) -> People:
    """Every account."""
    return People(people=[AccountView.of(one) for one in people(request).accounts.list()])


@router.post("/people", status_code=201)
async def create_account(request: Request, admin: Administrator, wish: NewAccount) -> Made:
    """Make an account; without `subject` it gets a one-time password."""
    desk, password = people(request), None if wish.subject else one_time_password()
    account = await asyncio.to_thread(
        desk.accounts.create,
        account_name(wish.name),
        display=wish.display,
        role=wish.role,
        by=_actor(request, admin),
        now_ms=desk.clock.wall_ms(),
        password_hash=None if password is None else await desk.hasher.hash(password),
        subject=wish.subject,
    )
    return Made(account=AccountView.of(account), one_time_password=password)


@router.patch("/people/{name}")
def change_account(request: Request, admin: Administrator, name: Name, change: AccountChange) -> AccountView:
    """Give an account another role, close it or open it again, bind it to the identity provider."""
    desk, by = people(request), _actor(request, admin)
    if change.role is not None:
        desk.accounts.set_role(name, change.role, by=by)
    elif change.disabled is None:
        desk.accounts.set_subject(name, change.subject, by=by)
    elif change.disabled:
        desk.accounts.disable(name, by=by, now_ms=desk.clock.wall_ms())
    else:
        desk.accounts.enable(name, by=by)
    return AccountView.of(desk.accounts.get(name))


@router.post("/people/{name}/reset")
async def reset_password(request: Request, admin: Administrator, name: Name) -> Made:
    """Give an account a one-time password; its sessions end."""
    desk, password = people(request), one_time_password()
    kept = await desk.hasher.hash(password)
    await asyncio.to_thread(
        desk.accounts.set_password, name, kept, by=_actor(request, admin), must_change=True
    )
    account = await asyncio.to_thread(desk.accounts.get, name)
    return Made(account=AccountView.of(account), one_time_password=password)


@router.delete("/people/{name}/sessions")
def end_sessions(request: Request, admin: Administrator, name: Name) -> Ended:
    """Log an account out everywhere."""
    desk = people(request)
    desk.accounts.get(name)
    return Ended(ended=desk.sessions.end_all(name, _actor(request, admin)))


@router.get("/tokens")
def list_tokens(request: Request, me: Looker) -> Tokens:
    """My tokens; an administrator sees everybody's."""
    return Tokens(tokens=[TokenView.of(one) for one in people(request).tokens.list(_whose(me))])


@router.post("/tokens", status_code=201)
def issue_token(request: Request, me: Looker, wish: NewToken) -> IssuedToken:
    """Make a token of mine for a program."""
    desk = people(request)
    issued = desk.tokens.issue(
        _actor(request, me), role=wish.role, label=wish.label, days=wish.days, now_ms=desk.clock.wall_ms()
    )
    return IssuedToken(token=TokenView.of(issued.token), secret=issued.secret)


@router.delete("/tokens/{token}")
def revoke_token(request: Request, me: Looker, token: TokenId) -> TokenView:
    """End a token of mine at once; an administrator may end anybody's."""
    desk = people(request)
    revoked = desk.tokens.revoke(token, by=_actor(request, me), now_ms=desk.clock.wall_ms(), owner=_whose(me))
    return TokenView.of(revoked)


def _whose(me: Person) -> str | None:
    return None if may(me.role, Right.MANAGE_PEOPLE) else me.name


def _actor(request: Request, who: Person) -> Actor:
    return Actor(who.name, who.role, {"address": address(request)})


def _session(who: Person) -> SessionView:
    return SessionView(
        name=who.name,
        display=who.display,
        role=who.role,
        rights=sorted(RIGHTS[who.role]),
        csrf=who.csrf,
        must_change_password=who.must_change,
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
