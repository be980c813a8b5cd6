"""A small OpenID provider on a real socket: strict about what it is sent, dishonest where a test says so."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

from denxanh.controller.centre.people.oidc import Provider as Client
from denxanh.controller.centre.server import bind
from denxanh.controller.console_site import Oidc

CLIENT, SECRET = "den-xanh", "a-secret-of-the-client"


@dataclass
class Provider:
    """Who logs in there, and what it does wrong."""

    issuer: str = ""
    subject: str = "subject-of-hoa"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    claims: dict[str, Any] = field(default_factory=dict)
    """Replace those of the identity token; None: left out."""
    signed_with: Any = None
    header: dict[str, str] = field(default_factory=lambda: {"alg": "RS256", "kid": "k1"})
    description: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def describe() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.description,
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self.key.as_dict(private=False)]}

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            self.asked.append(asked)
            back = {"state": asked["state"], "iss": self.issuer}
            if self.error:
                return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({**back, 'error': self.error})}")
            code = f"code-{len(self.asked)}"
            self.codes[code] = asked
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({**back, 'code': code})}")

        @app.post("/token")
        async def token(request: Request) -> Response:
            given = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
            asked = self.codes.pop(given.get("code", ""), None)
            known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if asked is None or request.headers.get("authorization") != f"Basic {known}":
                return JSONResponse({"error": "invalid_grant"}, 400)
            challenge = hashlib.sha256(given["code_verifier"].encode()).digest()
            fits = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
            if not fits or given["redirect_uri"] != asked["redirect_uri"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            return JSONResponse(
                {"access_token": "a", "token_type": "Bearer", "id_token": self.identity(asked)}
            )

        return app

    def identity(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        kept = {key: value for key, value in claims.items() if value is not None}
        return jwt.encode(self.header, kept, self.signed_with or self.key, algorithms=[self.header["alg"]])


@pytest.fixture(scope="module")
def running_provider() -> Iterator[Provider]:
    """The provider, listening on a free port of this machine."""
    provider = Provider()
    listening = bind("127.0.0.1", 0)
    provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(provider.app(), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """The same one, honest again."""
    fresh = Provider(issuer=running_provider.issuer, key=running_provider.key)
    running_provider.__dict__.update(fresh.__dict__)
    return running_provider


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """The client's secret, as a site keeps it."""
    path = tmp_path / "oidc-secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


@pytest.fixture
def browser(open_browser: Callable[..., Any], provider: Provider, secret_file: Path, hands: Any) -> Any:
    """A browser at a centre that trusts the provider."""
    hands.wall_ms = int(time.time() * 1000)
    return open_browser(provider=Client(Oidc(provider.issuer, CLIENT, secret_file), hands.clock()))
