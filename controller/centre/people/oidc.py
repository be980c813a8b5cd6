"""Logging in through an identity provider: OpenID Connect, authorization code with PKCE, state and nonce.

The provider says who somebody is (`sub`); whether that is an account here, and as what, is said here alone.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from denxanh.controller.centre.people.clock import Clock
from denxanh.controller.centre.people.refusal import Refusal, refused
from denxanh.controller.centre.people.secret import digest, new_secret
from denxanh.controller.console_site import Oidc
from denxanh.errors import AccessError, MissingExtraError
from denxanh.plc.security.secrets import read_line

TIMEOUT_S = 5.0
"""Longest wait for each of the provider's answers."""
PENDING_S = 600.0
"""So long a person may take at the provider's pages."""
MAX_PENDING = 1_000
"""Logins under way; the oldest goes."""
METADATA_S = 600.0
"""How long the provider's description is believed."""
LEEWAY_S = 60
"""How far the provider's clock may be off."""
ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures that are believed; never `none`, never one made with our own secret."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Who somebody is to the provider, and the page that was asked for."""

    subject: str
    page: str


@dataclass(frozen=True, slots=True)
class _Pending:
    state: str
    nonce: str
    verifier: str
    redirect: str
    page: str
    since_s: float


class Provider:
    """One identity provider.

    Args:
        settings: the site's.
        clock: what time it is.

    Raises:
        SecretError: the client's secret cannot be read, or others can read it.
        MissingExtraError: the extra `oidc` is not installed.
    """

    def __init__(self, settings: Oidc, clock: Clock) -> None:
        try:
            import authlib.integrations.httpx_client  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("authlib", "oidc") from error
        self._settings = settings
        self._secret = None if settings.secret_file is None else read_line(settings.secret_file)
        self._clock = clock
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._metadata: tuple[float, Mapping[str, str]] | None = None

    async def begin(self, redirect: str, page: str) -> Begun:
        """Start a login.

        Args:
            redirect: where the provider sends the browser back to; it must know this address.
            page: where the login shall lead.

        Raises:
            AccessError: the provider does not answer as one.
        """
        pending = _Pending(new_secret(), new_secret(), new_secret(), redirect, page, self._clock.steady_s())
        with _provider_errors():
            async with self._client(redirect) as client:
                endpoint = (await self._described(client))["authorization_endpoint"]
                url, _ = client.create_authorization_url(
                    endpoint, state=pending.state, nonce=pending.nonce, code_verifier=pending.verifier
                )
        secret = new_secret()
        self._pending[digest(secret)] = pending
        while len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)
        return Begun(url, secret)

    async def finish(self, answer: Mapping[str, str], secret: str) -> Proven:
        """Who came back from the provider.

        Args:
            answer: the query of the address to which the provider sent the browser.
            secret: what that browser has kept; a login can be finished only where it began, and once.

        Raises:
            AccessError: it cannot be trusted, or the provider did not confirm it.
        """
        pending = self._pending.pop(digest(secret), None)
        if pending is None or self._clock.steady_s() - pending.since_s > PENDING_S:
            raise _unproven("no login is under way in this browser")
        if not hmac.compare_digest(pending.state.encode(), answer.get("state", "").encode()):
            raise _unproven("state does not fit")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:
            raise _unproven("another provider answers")
        code = answer.get("code")
        if code is None:
            raise _unproven(f"the provider says {answer.get('error', 'nothing')!r}")
        with _provider_errors():
            async with self._client(pending.redirect) as client:
                about = await self._described(client)
                token = await client.fetch_token(
                    about["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=pending.verifier,
                )
                keys = await _document(client, about["jwks_uri"])
            subject = self._subject(token, keys, pending.nonce)
        return Proven(subject, pending.page)

    def _subject(self, token: Mapping[str, Any], keys: dict[str, Any], nonce: str) -> str:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        published = keys["keys"]
        if not isinstance(published, list) or not all(isinstance(one, dict) for one in published):
            raise ValueError("the provider's keys are no list of objects")
        key_set = KeySet.import_key_set({"keys": published})
        decoded = jwt.decode(str(token["id_token"]), key_set, registry=registry)
        own = self._settings
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": own.issuer},
                "aud": {"essential": True, "value": own.client_id},
            },
            {"nonce": nonce, "client_id": own.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=self._clock.wall_ms() // 1000, leeway=LEEWAY_S)
        subject = claims["sub"]
        if not (isinstance(subject, str) and subject.isascii() and subject.isprintable()):
            raise ValueError("sub is no plain text")
        return subject

    async def _described(self, client: Any) -> Mapping[str, str]:
        now_s = self._clock.steady_s()
        if self._metadata is None or now_s - self._metadata[0] > METADATA_S:
            issuer = self._settings.issuer
            found = await _document(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise ValueError(f"the provider calls itself {found.get('issuer')!r}")
            scheme = issuer.partition(":")[0]
            places: dict[str, str] = {}
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                places[name] = str(found[name])
                if not places[name].startswith(("https://", f"{scheme}://")):
                    raise ValueError(f"{name} is not reached by {scheme}")
            self._metadata = now_s, places
        return self._metadata[1]

    def _client(self, redirect: str) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            self._settings.client_id,
            self._secret,
            scope="openid",
            redirect_uri=redirect,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )


async def _document(client: Any, url: str) -> dict[str, Any]:
    answer = await client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{url} is no JSON object")
    return found


@contextlib.contextmanager
def _provider_errors() -> Iterator[None]:
    """Whatever goes wrong on the way is one refusal; the log has the cause."""
    from authlib.common.errors import AuthlibBaseError
    from httpx2 import HTTPError, InvalidURL
    from joserfc.errors import JoseError

    try:
        yield
    # The last two: a document in which something is missing, or is something else than the standard says.
    except (AuthlibBaseError, HTTPError, InvalidURL, JoseError, ValueError, KeyError) as error:
        raise _unproven(f"{type(error).__name__}: {error}") from error


def _unproven(cause: str) -> AccessError:
    log.warning("identity provider: %s", cause.replace("\n", " ")[:300])
    return refused(Refusal.PROVIDER)
