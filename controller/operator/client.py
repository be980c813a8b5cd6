"""Gives orders to the controller that runs on this machine, and brings its answers."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denxanh.controller.operator.desk import SOCKET_NAME
from denxanh.controller.operator.judge import MAX_AGE_S
from denxanh.controller.operator.message import Order, body
from denxanh.errors import FrameError, UnreachableError

ANSWER_S = 3.0
"""The controller reads once per tick; longer than this it does not run."""
_MAX_ANSWER = 4096
_STARTING = "is `denxanh run` running for this site, as this user?"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the controller has said: `refused` is one of `judge.Refused`, None when the order was taken.

    A taken order stands in the journal and counts from this second on; what the cabinet makes of it shows in
    the records that follow (`effect.Watch`). `detail`: which orders it ends, or more about the refusal.
    """

    ok: bool
    refused: str | None
    detail: str


class OperatorLine:
    """The way to one controller's desk; any number of orders may be under way at once.

    Args:
        state_dir: the site's.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / SOCKET_NAME

    async def give(self, order: Order) -> Answer:
        """Give an order and wait for the answer, `ANSWER_S` at most.

        Giving the same order again (same id) is safe: it counts once and brings the same answer.

        Raises:
            UnreachableError: no controller answers; one that only hangs may still take the order within
                `MAX_AGE_S`.
            FrameError: the answer is none.
        """
        where = str(self._path)
        with (
            tempfile.TemporaryDirectory(prefix="denxanh-") as folder,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own,
        ):
            own.setblocking(False)
            own.bind(f"{folder}/answer")
            try:
                own.connect(where)  # from here on only the controller can answer
                async with asyncio.timeout(ANSWER_S):
                    loop = asyncio.get_running_loop()
                    await loop.sock_sendall(own, body(order))
                    answer = await loop.sock_recv(own, _MAX_ANSWER)
            except TimeoutError as error:
                raise UnreachableError(
                    f"no answer within {ANSWER_S:.0f} s; the order may still count within {MAX_AGE_S:.0f} s",
                    where=where,
                    fix="look at the intersection before giving it again",
                ) from error
            except OSError as error:
                raise UnreachableError(
                    f"cannot be reached: {error.strerror}", where=where, fix=_STARTING
                ) from error
        return _read(answer, where)


def _read(text: bytes, where: str) -> Answer:
    try:
        answer: Any = json.loads(text)
        ok, refused, detail = answer["ok"], answer["refused"], answer["detail"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FrameError("not an answer", where=where) from error
    if not (isinstance(ok, bool) and isinstance(refused, str | None) and isinstance(detail, str)):
        raise FrameError("not an answer", where=where)
    return Answer(ok, refused, detail)
