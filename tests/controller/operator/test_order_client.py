"""The way to the desk, against a controller that does not keep to the rules."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.controller.operator.client import Answer, OperatorLine
from denxanh.controller.operator.desk import SOCKET_NAME
from denxanh.controller.operator.message import body
from denxanh.errors import FrameError, UnreachableError


@pytest.fixture
def answering(tmp_path: Path):
    """Gives an order to somebody who answers with these bytes; what was heard comes back, too."""

    async def give(order, reply: Callable[[socket.socket, str], None]) -> tuple[bytes, Answer]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as desk:
            desk.bind(str(tmp_path / SOCKET_NAME))
            task = asyncio.create_task(OperatorLine(tmp_path).give(order))
            heard, who = await asyncio.to_thread(desk.recvfrom, 4096)
            reply(desk, who)
            return heard, await task

    return give


def _saying(text: bytes) -> Callable[[socket.socket, str], None]:
    return lambda desk, who: desk.sendto(text, who)


async def test_an_answer_is_brought(answering, order) -> None:
    given = order("hold")
    text = json.dumps({"ok": False, "id": "x", "refused": "too-old", "detail": "60 s old"}).encode()
    heard, answer = await answering(given, _saying(text))
    assert heard == body(given)
    assert answer == Answer(False, "too-old", "60 s old")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\xff", b"[]", b"null", b"{}", b'{"ok": 1, "refused": null, "detail": ""}',
        b'{"ok": true, "refused": 5, "detail": ""}', b'{"ok": true, "refused": null}', b"[" * 4000,
    ],
)  # fmt: skip
async def test_nonsense_is_no_answer(answering, order, text) -> None:
    with pytest.raises(FrameError, match="not an answer"):
        await answering(order("hold"), _saying(text))


async def test_nobody_else_can_answer(answering, order) -> None:
    def reply(desk: socket.socket, who: str) -> None:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger,
            pytest.raises(PermissionError),
        ):
            stranger.sendto(b'{"ok": true, "refused": null, "detail": "forged"}', who)
        desk.sendto(b'{"ok": true, "refused": null, "detail": "true"}', who)

    _, answer = await answering(order("hold"), reply)
    assert answer.detail == "true"


async def test_a_controller_that_has_gone(tmp_path, order) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as desk:
        desk.bind(str(tmp_path / SOCKET_NAME))
    with pytest.raises(UnreachableError, match="cannot be reached"):
        await OperatorLine(tmp_path).give(order("hold"))
