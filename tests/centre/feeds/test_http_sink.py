"""The HTTP sink against a real server that answers, refuses, hangs, breaks and lies."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.runner import Runner
from denxanh.controller.centre.feeds.settings import ToHttp
from denxanh.controller.centre.feeds.sinks import http
from denxanh.controller.centre.feeds.sinks.http import HttpSink
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import DenXanhError, FeedError, RefusedError, SecretError
from denxanh.plc.security.authority import Authority

MESSAGES = [Message(str(n), f"events-{n}", "event/THN_304", {"text": f"đèn {n}"}) for n in range(1, 4)]


@pytest.fixture
def sink(door: Any, tmp_path: Path) -> Callable[..., HttpSink]:
    def made(**changes: Any) -> HttpSink:
        settings = {"kind": "http", "url": f"http://127.0.0.1:{door.port}/in?x=1", **changes}
        return HttpSink("ioc", ToHttp.model_validate(settings), tmp_path)

    return made


async def test_a_batch_is_one_post(door: Any, sink: Any) -> None:
    await sink().send(MESSAGES)
    assert door.headers[0][""] == "POST /in?x=1 HTTP/1.1"
    assert door.headers[0]["content-type"] == "application/json"
    assert door.bodies == [
        {
            "feed": "ioc",
            "messages": [
                {"id": f"events-{n}", "topic": "event/THN_304", "body": {"text": f"đèn {n}"}}
                for n in (1, 2, 3)
            ],
        }
    ]
    schema = files("denxanh.controller.centre").joinpath("schemas/envelope-v1.schema.json").read_text()
    for one in door.bodies[0]["messages"]:
        jsonschema.Draft202012Validator(json.loads(schema)).validate(one)


async def test_without_messages_nothing_is_asked(door: Any, sink: Any) -> None:
    await sink().send([])
    assert door.headers == []


async def test_bodies_alone_for_standard_formats(door: Any, sink: Any) -> None:
    await sink(shape="bodies", content_type="application/ld+json").send(MESSAGES[:2])
    assert door.bodies == [[{"text": "đèn 1"}, {"text": "đèn 2"}]]
    assert door.headers[0]["content-type"] == "application/ld+json"


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 503])
async def test_an_answer_that_may_change_is_trouble(door: Any, sink: Any, status: int) -> None:
    door.moods = iter([status])
    with pytest.raises(FeedError, match=f"answers {status}: no thanks") as caught:
        await sink().send(MESSAGES)
    assert not isinstance(caught.value, RefusedError)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_an_answer_that_will_stay_is_a_refusal(door: Any, sink: Any, status: int) -> None:
    door.moods = iter([status])
    with pytest.raises(RefusedError):
        await sink().send(MESSAGES)


@pytest.mark.parametrize("mood", ["close", "lose", "cut", "noise", "hang", "drip"])
async def test_no_answer_is_trouble(door: Any, sink: Any, mood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_S", 0.3)
    door.moods = iter([mood])
    with pytest.raises(FeedError) as caught:
        await sink().send(MESSAGES)
    assert not isinstance(caught.value, RefusedError)
    await sink().send(MESSAGES)  # and the next one passes


@pytest.mark.parametrize("mood", ["long", "slow", "short"])
async def test_the_status_counts_whatever_becomes_of_the_answers_content(
    door: Any, sink: Any, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what the receiver has taken would come again for ever."""
    monkeypatch.setattr(http, "ANSWER_S", 0.3)
    door.moods = iter([f"{mood} 200", f"{mood} 400", f"{mood} 503"])
    await sink().send(MESSAGES)
    with pytest.raises(RefusedError, match="answers 400: xxx"):
        await sink().send(MESSAGES)
    with pytest.raises(FeedError, match="answers 503: xxx"):
        await sink().send(MESSAGES)


async def test_what_is_secret_in_an_address_is_told_to_nobody(sink: Any, door: Any, free_port: int) -> None:
    door.moods = iter([500])
    for port in (door.port, free_port):
        with pytest.raises(FeedError) as caught:
            await sink(url=f"http://127.0.0.1:{port}/in?key=hush").send(MESSAGES)
        assert f"http://127.0.0.1:{port}/in: " in str(caught.value)
        assert "hush" not in str(caught.value)
    assert door.headers[0][""] == "POST /in?key=hush HTTP/1.1"


async def test_nobody_there(sink: Any, door: Any, free_port: int) -> None:
    with pytest.raises(FeedError, match="cannot be reached"):
        await sink(url=f"http://127.0.0.1:{free_port}/").send(MESSAGES)
    with pytest.raises(FeedError, match="cannot be reached"):
        await sink(url="http://no-such-host.invalid/").send(MESSAGES)


async def test_whatever_the_server_does_nothing_is_lost(
    door: Any, sink: Any, sqlite: Store, street: Any, change: Any, make_feed: Any, ids: Any, once: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(http, "ANSWER_S", 0.2)
    street.seconds(15, [change])
    door.moods = iter([200, "lose", "hang", 500, "close", 200, "cut", "noise", 500, 503, "lose", 401])
    running = Runner(make_feed(sink(), batch=4), sqlite)
    more = True
    while more:
        try:
            more = await running.step()
        except FeedError:
            more = True
    assert once(door.ids) == ids(sqlite)
    assert len(door.ids) > len(ids(sqlite)), "it kept what it did not acknowledge"


async def test_a_token_and_a_signature(door: Any, sink: Any, tmp_path: Path) -> None:
    for name, text in (("token", "s3cret\n"), ("key", "hm4c\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    one = sink(token_file="token", hmac_file="key")
    await one.send(MESSAGES)
    headers = door.headers[0]
    assert headers["authorization"] == "bearer s3cret"
    text = headers["x-timestamp"].encode() + b"." + door.texts[0]
    assert headers["x-signature"] == "sha256=" + hmac.new(b"hm4c", text, hashlib.sha256).hexdigest()
    (tmp_path / "token").write_text("n3w\n")  # a new one counts at once
    await one.send(MESSAGES)
    assert door.headers[1]["authorization"] == "bearer n3w"
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(SecretError, match="others can read"):
        await one.send(MESSAGES)
    assert len(door.bodies) == 2


async def test_a_key_with_a_line_break_cannot_write_headers(door: Any, sink: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a\r\nx-evil: 1\n")
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(DenXanhError):
        await sink(token_file="token").send(MESSAGES)
    assert door.headers == []


async def test_a_server_must_prove_itself(door: Any, sink: Any, tmp_path: Path, free_port: int) -> None:
    authority = Authority(tmp_path / "ca")
    authority.create()
    authority.cabinet("localhost")
    keys = authority.keys("localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(keys.certificate, keys.key)
    secure = type(door)()
    await secure.open(tls=tls)
    try:
        url = f"https://localhost:{secure.port}/"
        await sink(url=url, ca_file=str(authority.certificate)).send(MESSAGES)
        assert len(secure.ids) == 3
        with pytest.raises(FeedError, match="certificate verify failed"):
            await sink(url=url).send(MESSAGES)
        with pytest.raises(FeedError, match=r"certificate verify failed"):
            await sink(url=f"https://127.0.0.1:{secure.port}/", ca_file=str(authority.certificate)).send(
                MESSAGES
            )
        with pytest.raises(SecretError):
            await sink(url=url, ca_file="none.crt").send(MESSAGES)
        assert len(secure.ids) == 3
    finally:
        await secure.shut()


async def test_half_a_surrogate_pair_is_still_json(door: Any, sink: Any) -> None:
    await sink().send([Message("1", "e-1", "event", {"text": "\ud83d", "nul": "\0"})])
    assert json.loads(door.texts[0])["messages"][0]["body"] == {"text": "\ud83d", "nul": "\0"}
