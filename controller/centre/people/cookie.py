"""The session's cookie, and how the browser knows the centre."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

NAME = "denxanh"


@dataclass(frozen=True, slots=True)
class Door:
    """How one request came: which decides its cookie's name and the origin that pages must have.

    Attributes:
        origin: scheme, host and port as the browser knows them.
        secure: whether that is TLS, here or at a proxy in front.
    """

    origin: str
    secure: bool

    @property
    def cookie(self) -> str:
        """The cookie's name.

        `__Host-` makes the browser refuse one that another host or a plain connection has set. Without TLS
        there is no such promise; the port keeps centres on one machine apart.
        """
        return f"__Host-{NAME}" if self.secure else f"{NAME}-{self.origin.rpartition(':')[2].strip('/')}"

    def give(
        self, response: Response, secret: str, *, name: str = "", lax: bool = False, age_s: int | None = None
    ) -> None:
        """Let the browser keep a secret that scripts cannot read.

        Args:
            response: what carries it.
            secret: what it is.
            name: appended to the cookie's name.
            lax: also sent when another site leads here.
            age_s: for how long; None: until the browser is closed.
        """
        response.set_cookie(
            self.cookie + name,
            secret,
            max_age=age_s,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax" if lax else "strict",
        )

    def take_back(self, response: Response, *, name: str = "") -> None:
        """Let the browser forget it."""
        response.delete_cookie(self.cookie + name, path="/", secure=self.secure, httponly=True)


def door(request: Request, public_url: str | None) -> Door:
    """How a request came.

    Args:
        request: whichever.
        public_url: the address that the site file gives to the centre; without one, only this machine
            reaches it and its Host header has been checked.
    """
    origin = public_url or f"{request.url.scheme}://{request.url.netloc}"
    return Door(origin, origin.startswith("https://"))
