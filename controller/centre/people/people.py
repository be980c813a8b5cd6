"""Everything that the centre needs to know its people, put together once."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.controller.centre.people.accounts import Accounts
from denxanh.controller.centre.people.clock import Clock
from denxanh.controller.centre.people.login import Login
from denxanh.controller.centre.people.oidc import Provider
from denxanh.controller.centre.people.onetime import OneTimeLinks
from denxanh.controller.centre.people.passwords import Hasher
from denxanh.controller.centre.people.sessions import Sessions
from denxanh.controller.centre.people.tokens import Tokens
from denxanh.controller.centre.people.watch import Watch
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.console_site import Console


@dataclass(frozen=True, slots=True)
class People:
    """One centre's people. Lives as long as the process."""

    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    hasher: Hasher
    login: Login
    links: OneTimeLinks
    watch: Watch
    clock: Clock
    provider: Provider | None
    public_url: str | None
    viewers_without_login: bool


def gather(
    store: Store, console: Console | None = None, *, hasher: Hasher | None = None, clock: Clock | None = None
) -> People:
    """The people of a store, under a site's `[console]`.

    Raises:
        SecretError: the identity provider's secret cannot be used.
        MissingExtraError: a provider is named and the extra `oidc` is not installed.
    """
    hasher, clock = hasher or Hasher(), clock or Clock()
    accounts, sessions = Accounts(store), Sessions(store)
    oidc = console.oidc if console else None
    return People(
        accounts=accounts,
        sessions=sessions,
        tokens=Tokens(store),
        hasher=hasher,
        login=Login(accounts, sessions, hasher, clock),
        links=OneTimeLinks(clock.steady_s),
        watch=Watch(store, clock.steady_s),
        clock=clock,
        provider=None if oidc is None else Provider(oidc, clock),
        public_url=console.public_url if console else None,
        viewers_without_login=console.viewers_without_login if console else False,
    )
