"""The stream's heartbeat: one encoding for all, news at once, and nothing piles up behind a slow viewer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from denxanh.controller.centre.feed import Feed
from denxanh.controller.centre.view import CorridorView
from denxanh.networks.model import Corridor


def feed_of(scribe: Any, period_s: float = 0.05) -> Feed:
    return Feed(CorridorView(scribe.corridor), scribe.path, period_s)


@contextlib.asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[None]:
    """A feed that beats."""
    task = asyncio.create_task(feed.run())
    try:
        async with asyncio.timeout(10):
            await feed.next_beat(0)
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reached(feed: Feed, tick: int) -> None:
    """Wait until this second has been heard and told."""
    while feed.snapshot()["tick"] != tick:
        await feed.next_beat(feed.beats)


async def test_viewers_that_are_up_to_date_share_one_encoding(scribe: Any) -> None:
    scribe.write(scribe.opened(), scribe.tick(1, events=(scribe.mode_event(),)))
    feed = feed_of(scribe)
    async with running(feed):
        last, body = feed.encoded(0)
        assert feed.encoded(0)[1] is body
        assert json.loads(body)["events"][-1]["seq"] == last
        assert feed.encoded(last)[1] is not body
        assert json.loads(feed.encoded(last)[1])["events"] == []


async def test_a_slow_viewer_gets_the_newest_and_every_event(scribe: Any) -> None:
    scribe.write(scribe.opened(), scribe.tick(1))
    feed = feed_of(scribe)
    async with running(feed):
        snapshots = feed.snapshots(0)
        assert json.loads((await anext(snapshots))[1])["tick"] == 1
        for number in range(2, 7):  # the viewer sleeps while five seconds pass
            scribe.write(scribe.tick(number, events=(scribe.mode_event(),)))
            await reached(feed, number)
        second = json.loads((await anext(snapshots))[1])
        assert second["tick"] == 6
        assert len(second["events"]) == 5
        await snapshots.aclose()


async def test_what_one_beat_encoded_is_gone_with_the_next(scribe: Any) -> None:
    scribe.write(scribe.opened(), scribe.tick(1))
    feed = feed_of(scribe)
    async with running(feed):
        for after in range(50):
            feed.encoded(after)
        await feed.next_beat(feed.beats)
        assert feed._encoded == {}


async def test_news_go_out_before_the_period_is_over(scribe: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("denxanh.controller.centre.feed.LOOK_S", 0.02)
    monkeypatch.setattr("denxanh.controller.centre.feed.GATHER_S", 0.02)
    feed = feed_of(scribe, period_s=60.0)
    async with running(feed):  # ends after 10 s, long before the period
        scribe.write(scribe.opened(), scribe.tick(1))
        await reached(feed, 1)


def test_the_centres_own_trouble_stands_in_every_snapshot(tmp_path: Path, corridor: Corridor) -> None:
    trouble: list[tuple[str, str]] = []
    feed = Feed(CorridorView(corridor), tmp_path / "journal.jsonl", notices=lambda: trouble)
    assert feed.snapshot()["notices"] == []
    trouble.append(("kho không trả lời", "the store does not answer"))
    assert feed.snapshot()["notices"] == [trouble[0]]
