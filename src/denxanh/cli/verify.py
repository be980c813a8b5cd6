"""`denxanh verify`: the exhaustive safety proof."""

from __future__ import annotations

from denxanh.cli.output import Json


def verify(json: Json = False) -> None:
    """Prove the guard safe: explore every state that a hostile requester can reach."""
    raise NotImplementedError
