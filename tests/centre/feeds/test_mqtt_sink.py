"""The MQTT sink against a real Mosquitto that is killed, restarted and forbids."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.runner import Runner
from denxanh.controller.centre.feeds.settings import ToMqtt
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import FeedError

aiomqtt = pytest.importorskip("aiomqtt", reason="aiomqtt is not installed (make setup)")

from denxanh.controller.centre.feeds.sinks import mqtt  # noqa: E402
from denxanh.controller.centre.feeds.sinks.mqtt import MqttSink  # noqa: E402

MESSAGES = [Message(str(n), f"events-{n}", "event/THN_304", {"text": f"đèn {n}"}) for n in range(1, 26)]


@pytest.fixture
async def sink(free_port: int, tmp_path: Path) -> AsyncIterator[Callable[..., MqttSink]]:
    made_all: list[MqttSink] = []

    def made(**changes: Any) -> MqttSink:
        settings = {"kind": "mqtt", "host": "127.0.0.1", "port": free_port, "tls": False, **changes}
        made_all.append(MqttSink("ioc", ToMqtt.model_validate(settings), tmp_path))
        return made_all[-1]

    yield made
    for one in made_all:
        await one.close()


class Subscriber:
    """A foreign client with a session that the broker keeps while it is away."""

    def __init__(self, port: int) -> None:
        self.got: list[tuple[str, str, bool]] = []
        self._port = port
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def ids(self) -> list[str]:
        return [json.loads(text)["id"] for topic, text, _ in self.got if "/feeds/" not in topic]

    async def on(self) -> None:
        self._ready.clear()
        self._task = asyncio.create_task(self._listen())
        await asyncio.wait_for(self._ready.wait(), 10)

    async def off(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110 - what it waits for is of another program
                await asyncio.sleep(0.02)

    async def _listen(self) -> None:
        with contextlib.suppress(aiomqtt.MqttError):
            async with aiomqtt.Client(
                "127.0.0.1", self._port, identifier="ioc", clean_session=False
            ) as client:
                await client.subscribe("cantho/its/v1/#", qos=1)
                self._ready.set()
                async for one in client.messages:
                    self.got.append((str(one.topic), bytes(one.payload).decode(), one.retain))


async def test_topics_order_presence_and_what_is_retained(
    sink: Any, mosquitto: Any, free_port: int, tmp_path: Path
) -> None:
    one = sink()
    mode = Message("26", "events-26", "mode/THN_304", {"mode_to": "PLAN"})
    async with mosquitto(free_port, tmp_path):
        await one.send(MESSAGES)
        await one.send([mode, Message("27", "events-27", "event", {}), Message("28", "e", "event/a/+#", {})])
        late = Subscriber(free_port)
        await late.on()
        await late.until(lambda: len(late.got) == 2)
        assert ("cantho/its/v1/feeds/ioc", "online", True) in late.got
        assert [(topic, retained) for topic, _, retained in late.got if "/feeds/" not in topic] == [
            ("cantho/its/v1/THN_304/mode", True)
        ]
        late.got.clear()
        await one.send(
            [*MESSAGES, Message("27", "events-27", "event", {}), Message("28", "e-28", "event/a/+#", {})]
        )
        await late.until(lambda: len(late.got) == 27)
        assert late.ids == [m.id for m in MESSAGES] + ["events-27", "e-28"]
        assert [topic for topic, _, _ in late.got[-3:]] == [
            "cantho/its/v1/THN_304/event",
            "cantho/its/v1/site/event",
            "cantho/its/v1/a%2F%2B%23/event",
        ]
        await one.close()
        await late.until(lambda: late.got[-1][:2] == ("cantho/its/v1/feeds/ioc", "offline"))
        await late.off()


async def test_the_last_will_says_offline_for_a_sink_that_died(
    sink: Any, mosquitto: Any, free_port: int, tmp_path: Path
) -> None:
    one = sink()
    async with mosquitto(free_port, tmp_path):
        await one.send([])
        listener = Subscriber(free_port)
        await listener.on()
        await listener.until(lambda: listener.got[-1:] == [("cantho/its/v1/feeds/ioc", "online", True)])
        one._client._client.socket().shutdown(2)  # as when its process is killed
        await listener.until(lambda: listener.got[-1][:2] == ("cantho/its/v1/feeds/ioc", "offline"))
        with pytest.raises(FeedError):
            await one.send([])
        await one.send([])
        await listener.until(lambda: listener.got[-1][:2] == ("cantho/its/v1/feeds/ioc", "online"))
        await listener.off()


async def test_a_broker_that_is_away_is_trouble_and_comes_back(
    sink: Any, mosquitto: Any, free_port: int, tmp_path: Path
) -> None:
    one = sink()
    with pytest.raises(FeedError, match="cannot be reached"):
        await one.send(MESSAGES)
    async with mosquitto(free_port, tmp_path):
        await one.send(MESSAGES)
    with pytest.raises(FeedError):
        await one.send([])
    async with mosquitto(free_port, tmp_path):
        await one.send(MESSAGES)


async def test_a_broker_that_stands_still_does_not_hold_the_feed(
    sink: Any, mosquitto: Any, free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "ANSWER_S", 0.5)
    one = sink()
    async with mosquitto(free_port, tmp_path) as broker:
        await one.send(MESSAGES)
        broker.send_signal(19)  # SIGSTOP: the connection stands, nothing answers
        with pytest.raises(FeedError):
            await one.send(MESSAGES)
        broker.send_signal(18)
        await one.send(MESSAGES)


async def test_what_the_broker_forbids_is_not_taken_for_sent(
    sink: Any, mosquitto: Any, free_port: int, tmp_path: Path
) -> None:
    (tmp_path / "acl").write_text("topic readwrite cantho/its/v1/feeds/#\n")
    (tmp_path / "acl").chmod(0o644)
    async with mosquitto(free_port, tmp_path, f"acl_file {tmp_path}/acl"):
        with pytest.raises(FeedError):
            await sink().send(MESSAGES)
        # Where the broker leaves while more comes, its answer may be lost with the connection: one, then.
        said = ""
        for _ in range(20):
            with pytest.raises(FeedError) as refused:
                await sink().send(MESSAGES[:1])
            said = str(refused.value)
            if "has broken the connection" not in said:
                break
            await asyncio.sleep(0.1)
        assert "Not authorized" in said


async def test_a_broker_killed_again_and_again_loses_nothing(
    sink: Any, mosquitto: Any, free_port: int, tmp_path: Path, sqlite: Store, street: Any, change: Any,
    make_feed: Any, ids: Any, once: Any,
) -> None:  # fmt: skip
    listener = Subscriber(free_port)
    running = Runner(make_feed(sink(), batch=20), sqlite)
    for _ in range(3):
        street.seconds(25, [change])
        with contextlib.suppress(FeedError):
            await running.step()
        async with mosquitto(free_port, tmp_path) as broker:
            await listener.on()
            more = True
            for _ in range(2):
                with contextlib.suppress(FeedError):
                    more = await running.step()
            broker.terminate()  # in the middle of the rest
            for _ in range(5):
                with contextlib.suppress(FeedError):
                    await running.step()
            await broker.wait()
            await listener.off()
    async with mosquitto(free_port, tmp_path):
        await listener.on()
        more = True
        while more:
            try:
                more = await running.step()
            except FeedError:
                await asyncio.sleep(0.05)
        await listener.until(lambda: len(once(listener.ids)) == len(ids(sqlite)))
        await listener.off()
    assert once(listener.ids) == ids(sqlite)
    assert len(ids(sqlite)) >= 150
