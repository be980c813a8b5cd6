"""One feed against a store and a receiver that fail: nothing lost, order kept, nothing moved too early."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from denxanh.controller.centre.feeds import loop, positions, runner
from denxanh.controller.centre.feeds.aside import Aside
from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.runner import Runner
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import alarms, events, feed_positions
from denxanh.errors import FeedError, LeaseError, RefusedError, StoreError


def _row(store: Store) -> positions.Position:
    with store.reading() as connection:
        found = positions.of(connection, "ioc")
    assert found is not None
    return found


async def _drain(runner: Runner) -> None:
    while await runner.step():
        pass


async def test_everything_goes_out_in_order(
    store: Store, scribe: Any, make_street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any
) -> None:
    make_street(store, scribe).seconds(30, [change])
    receiver = make_receiver(FeedError)
    await _drain(Runner(make_feed(receiver, batch=7), store))
    assert receiver.ids == ids(store)
    assert len(receiver.ids) >= 60
    assert max(receiver.calls) == 7
    assert _row(store).sent == len(receiver.ids)
    assert _row(store).position == receiver.seen[-1].position


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_fails_a_receiver_that_leaves_out_doubles_has_the_store(
    seed: int,
    sqlite: Store,
    street: Any,
    make_feed: Any,
    make_receiver: Any,
    change: Any,
    ids: Any,
    once: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(seed)
    moods = [chance.choice(["ok", "ok", "away", "half", "unheard", RuntimeError("bug")]) for _ in range(50)]
    receiver = make_receiver(FeedError, moods)
    real = positions.acknowledge

    def acknowledge(*arguments: Any) -> None:
        """Fails before or after it is done, or not at all."""
        fails = chance.choice(["", "", "before", "after"])
        if fails == "before":
            raise StoreError("gone")
        real(*arguments)
        if fails == "after":
            raise StoreError("gone after the commit")

    monkeypatch.setattr(positions, "acknowledge", acknowledge)
    feed = make_feed(receiver, batch=chance.randrange(1, 9))
    running = Runner(feed, sqlite)
    for _ in range(60):
        if chance.random() < 0.3:
            street.seconds(chance.randrange(1, 4), [change])
        if chance.random() < 0.2:  # killed and started again
            running = Runner(feed, sqlite)
        with contextlib.suppress(FeedError, StoreError, RuntimeError):
            await running.step()
    monkeypatch.setattr(positions, "acknowledge", real)
    await _drain(Runner(make_feed(receiver), sqlite))
    assert once(receiver.ids) == ids(sqlite)
    assert len(ids(sqlite)) > 30
    assert len(receiver.ids) > len(ids(sqlite)), "nothing was sent twice: nothing was tried"


async def test_thousands_wait_for_one_that_is_away(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any
) -> None:
    receiver = make_receiver(FeedError, ["away"] * 60)
    running = Runner(make_feed(receiver), sqlite)
    for _ in range(60):
        street.seconds(15, [change])
        with pytest.raises(FeedError):
            await running.step()
    assert receiver.ids == []
    assert set(receiver.calls) <= set(range(30, 101)), "it would hold more the longer it waits"
    await _drain(running)
    assert receiver.ids == ids(sqlite)
    assert len(receiver.ids) >= 1800


async def test_now_leaves_out_what_was_there(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any
) -> None:
    street.seconds(3, [change])
    before = ids(sqlite)
    receiver = make_receiver(FeedError, ["away"])
    running = Runner(make_feed(receiver, begins="now"), sqlite)
    with pytest.raises(FeedError):
        await running.step()
    street.seconds(2, [change])
    await _drain(running)
    assert receiver.ids == ids(sqlite)[len(before) :]
    assert receiver.ids


async def test_now_on_an_empty_store_begins_with_the_first(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any
) -> None:
    receiver = make_receiver(FeedError)
    running = Runner(make_feed(receiver, begins="now"), sqlite)
    assert not await running.step()
    street.seconds(1, [change])
    await _drain(running)
    assert receiver.ids == ids(sqlite)


async def test_a_filter_passes_on_without_sending(
    sqlite: Store, street: Any, scribe: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any
) -> None:
    street.seconds(4, [change])
    street.of_the_site("x")
    here = scribe.corridor.intersections[1].id
    receiver = make_receiver(FeedError)
    await _drain(Runner(make_feed(receiver, places=frozenset((here,)), batch=3), sqlite))
    assert {one.place for one in receiver.seen} == {here}
    assert 0 < _row(sqlite).sent == len(receiver.seen) < len(ids(sqlite))
    with sqlite.reading() as connection:
        source = make_feed(receiver).source
        assert _row(sqlite).position == source.end(connection), "it would read the same rows for ever"


async def test_the_one_that_is_refused_stops_the_feed(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any
) -> None:
    street.seconds(8, [change])
    all_ = ids(sqlite)
    receiver = make_receiver(FeedError)
    receiver.poison, receiver.refusal = {all_[5]}, RefusedError
    running = Runner(make_feed(receiver), sqlite)
    with pytest.raises(RefusedError, match=all_[5]):
        await _drain(running)
    assert receiver.ids == all_[:5]
    for _ in range(3):
        with pytest.raises(RefusedError):
            await running.step()
    receiver.poison = set()  # the receiver has been mended
    await _drain(running)
    assert receiver.ids == all_


async def test_the_one_that_is_refused_is_set_aside_and_the_rest_passes(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any, tmp_path: Path
) -> None:
    street.seconds(10, [change])
    all_ = ids(sqlite)
    receiver = make_receiver(FeedError)
    receiver.poison, receiver.refusal = {all_[0], all_[5], all_[-1]}, RefusedError
    aside = Aside(tmp_path / "feeds" / "ioc-refused.jsonl")
    await _drain(Runner(make_feed(receiver, aside=aside), sqlite))
    assert receiver.ids == [one for one in all_ if one not in receiver.poison]
    assert aside.count() == 3
    text = aside.path.read_text()
    assert all(one in text for one in receiver.poison)
    assert _row(sqlite).sent == len(all_) - 3
    assert max(receiver.calls[-8:]) > 1, "it goes on one by one"


async def test_a_full_file_of_refused_messages_stops_the_feed(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("denxanh.controller.centre.feeds.aside.MAX_BYTES", 1000)
    street.seconds(10, [change])
    receiver = make_receiver(FeedError)
    receiver.poison, receiver.refusal = set(ids(sqlite)), RefusedError
    aside = Aside(tmp_path / "refused.jsonl")
    running = Runner(make_feed(receiver, aside=aside, batch=1), sqlite)
    with pytest.raises(FeedError, match="is full"):
        await _drain(running)
    assert aside.path.stat().st_size <= 1000
    assert 0 < aside.count() < len(ids(sqlite))
    assert _row(sqlite).position == str(aside.count())


def test_a_refused_message_does_not_hang_on_a_torn_one_and_is_not_for_everybody(tmp_path: Path) -> None:
    aside = Aside(tmp_path / "refused.jsonl")
    message = Message("1", "events-1", "event/X1", {})
    before = os.umask(0o022)
    try:
        aside.put(message, "why")
        with aside.path.open("ab") as file:
            file.write(b'{"torn')
        aside.put(message, "why")
        aside.put(message, "why")
    finally:
        os.umask(before)
    lines = aside.path.read_text(encoding="utf-8").splitlines()
    assert lines[1] == '{"torn'
    assert [json.loads(line)["id"] for line in lines if line != '{"torn'] == ["events-1"] * 3
    assert stat.S_IMODE(aside.path.stat().st_mode) == 0o600


async def test_what_retention_took_is_an_alarm_and_the_rest_goes_out(
    store: Store, scribe: Any, make_street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    street = make_street(store, scribe)
    street.seconds(4, [change])
    all_ = ids(store)
    receiver = make_receiver(FeedError)
    running = Runner(make_feed(receiver, batch=2), store)
    await running.step()
    with store.writing() as connection:
        kept = select(events.c.id).order_by(events.c.id.desc()).limit(3)
        connection.execute(delete(events).where(events.c.id.not_in(kept)))
    await _drain(running)
    await _drain(running)
    assert receiver.ids == all_[:2] + all_[-3:]
    with store.reading() as connection:
        told = connection.execute(select(alarms).where(alarms.c.cause == positions.GAP_CAUSE)).all()
    assert len(told) == 1
    assert f"up to {len(all_) - 5} messages" in told[0].text_en
    assert "đã bị xóa khỏi kho trước khi gửi" in told[0].text_vi
    assert caplog.text.count("were removed before they were sent") == 1


async def test_a_damaged_position_is_trouble_not_loss(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any
) -> None:
    street.seconds(2, [change])
    for damaged in ("x", "9999"):
        positions.put(sqlite, "ioc", damaged)
        receiver = make_receiver(FeedError)
        with pytest.raises(StoreError, match="denxanh feeds start"):
            await Runner(make_feed(receiver), sqlite).step()
        assert receiver.seen == []
        assert _row(sqlite).position == damaged


async def test_two_runners_of_one_feed_end_at_once(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any
) -> None:
    street.seconds(5, [change])
    receiver = make_receiver(FeedError)

    class Overtaken:
        """Sends slowly: meanwhile another runner has done the same."""

        async def send(self, messages: Any) -> None:
            await Runner(make_feed(receiver, batch=2), sqlite).step()

        async def close(self) -> None: ...

    with pytest.raises(LeaseError, match="another runner"):
        await Runner(make_feed(Overtaken(), batch=2), sqlite).run()
    assert _row(sqlite).sent == 2


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that only note how long they were to be."""
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float, *_: Any) -> None:
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr(loop.asyncio, "sleep", sleep)
    return waits


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def test_trouble_is_told_once_and_ends(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any, quick: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.WARNING)
    street.seconds(2, [change])
    gate = asyncio.Event()
    receiver = make_receiver(FeedError, ["away"] * 12)
    real_send = receiver.send

    async def send(messages: Any) -> None:
        if len(receiver.calls) == 12:
            await gate.wait()
        await real_send(messages)

    receiver.send = send
    task = asyncio.create_task(Runner(make_feed(receiver), sqlite).run())
    await _until(lambda: len(receiver.calls) == 12)
    row = _row(sqlite)
    assert row.trouble == "away"
    assert row.trouble_ms is not None
    gate.set()
    await _until(lambda: "goes on" in caplog.text)
    assert _row(sqlite).trouble is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert receiver.ids == ids(sqlite)
    assert receiver.closed == 1
    assert caplog.text.count("waits: away") == 1
    assert caplog.text.count("goes on") == 1
    waits = [one for one in quick if one not in (0, loop.PERIOD_S)][:12]
    for tried, waited in enumerate(waits):
        longest = min(2.0**tried, loop.LONGEST_AGAIN_S)
        assert longest / 2 <= waited <= longest


async def test_a_store_that_is_gone_is_waited_for(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any, quick: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    street.seconds(2, [change])
    gone, asked = True, 0
    reading, writing = sqlite.reading, sqlite.writing

    def refuse(real: Any) -> Any:
        def opened() -> Any:
            nonlocal asked
            if gone:
                asked += 1
                raise StoreError("the database refuses", where="centre.db")
            return real()

        return opened

    monkeypatch.setattr(sqlite, "reading", refuse(reading))
    monkeypatch.setattr(sqlite, "writing", refuse(writing))
    receiver = make_receiver(FeedError)
    task = asyncio.create_task(Runner(make_feed(receiver), sqlite).run())
    await _until(lambda: asked > 8)
    assert receiver.calls == []
    gone = False
    await _until(lambda: len(receiver.ids) > 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert receiver.ids == ids(sqlite)


async def test_a_feed_that_hangs_holds_up_no_other(
    sqlite: Store, street: Any, make_feed: Any, make_receiver: Any, change: Any, ids: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(runner, "SEND_S", 0.3)
    street.seconds(20, [change])

    class Hanging:
        async def send(self, messages: Any) -> None:
            await asyncio.sleep(3600)

        async def close(self) -> None: ...

    receiver = make_receiver(FeedError)
    tasks = [
        asyncio.create_task(Runner(feed, sqlite).run())
        for feed in (make_feed(Hanging(), name="hangs"), make_feed(receiver, batch=5))
    ]
    await _until(lambda: len(receiver.ids) == len(ids(sqlite)))
    with sqlite.reading() as connection:
        await _until(lambda: True)
        assert positions.of(connection, "ioc") is not None

    def troubled() -> bool:
        with sqlite.reading() as connection:
            row = positions.of(connection, "hangs")
            return row is not None and "took longer than 0.3 s" in (row.trouble or "")

    await _until(troubled)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert receiver.ids == ids(sqlite)


async def test_signs_of_life_do_not_depend_on_the_wall_clock(
    sqlite: Store, make_feed: Any, make_receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Runner(make_feed(make_receiver(FeedError)), sqlite)
    monkeypatch.setattr(positions, "now_ms", lambda: 5_000_000)
    await running.step()
    assert _row(sqlite).updated_ms == 5_000_000
    monkeypatch.setattr(positions, "now_ms", lambda: 1_000)  # the clock was set back by hours
    await running.step()
    assert _row(sqlite).updated_ms == 5_000_000, "one step after the other is no news"
    since_start = time.monotonic() + loop.BEAT_S
    monkeypatch.setattr(loop.time, "monotonic", lambda: since_start)
    await running.step()
    assert _row(sqlite).updated_ms == 1_000


def test_rows_of_all_feeds_stand_apart(sqlite: Store, make_feed: Any, make_receiver: Any) -> None:
    source = make_feed(make_receiver(FeedError)).source
    for name in ("b", "a"):
        positions.begin(sqlite, name, source)
    positions.note(sqlite, "a", "x" * 10_000 + "\0")
    with sqlite.reading() as connection:
        a, b = positions.every(connection)
        assert connection.execute(select(feed_positions)).all()
    assert (a.feed, b.feed) == ("a", "b")
    assert a.trouble is not None
    assert len(a.trouble) == positions.MAX_TROUBLE
    assert b.trouble is None
