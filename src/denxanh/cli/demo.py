"""`denxanh demo`."""

from __future__ import annotations

from denxanh.cli.output import Json


def demo(json: Json = False) -> None:
    """Run SUMO, a virtual cabinet at every intersection, the controller and the live page on this machine."""
    raise NotImplementedError
