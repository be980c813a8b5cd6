"""The live picture: the newest of each intersection, never what was missed."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from denxanh.controller.centre.feeds import live
from denxanh.controller.centre.feeds.live import LiveFeed, Street
from denxanh.errors import FeedError


def _valid(receiver: Any) -> None:
    for one in receiver.seen:
        schema = files("denxanh.controller.centre").joinpath(f"schemas/{one.kind}-v1.schema.json").read_text()
        jsonschema.Draft202012Validator(json.loads(schema)).validate(dict(one.body))


async def test_only_the_newest_goes_out(
    scribe: Any, make_receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = make_receiver(FeedError, ["ok", "away"])
    street = Street(scribe.corridor, scribe.path)
    feed = LiveFeed("live", street, receiver)
    await feed.step()
    assert receiver.seen == []
    first, second = (one.id for one in scribe.corridor.intersections)
    for tick in (1, 2, 3):
        scribe.write(scribe.tick(tick, first), scribe.tick(tick, second))
    with pytest.raises(FeedError):
        await feed.step()
    scribe.write(scribe.tick(4, first, commitment=scribe.promise(5, 1)), scribe.tick(4, second, plan=None))
    await feed.step()
    assert [one.topic for one in receiver.seen] == [
        *(f"status/{first}", f"spat/{first}", f"status/{second}", f"spat/{second}")
    ]
    assert {one.body["at"] for one in receiver.seen} == {"2026-11-23T06:30:04.000+07:00"}
    assert receiver.seen[1].body["end_in_s"] == 5
    await feed.step()
    assert len(receiver.seen) == 4, "nothing is new"
    now = live.time.monotonic() + 10
    monkeypatch.setattr(live.time, "monotonic", lambda: now)
    await feed.step()
    stale = receiver.seen[4:]
    assert [one.topic for one in stale] == [f"status/{first}", f"status/{second}"], (
        "what lamps show is unknown"
    )
    assert all(one.body["stale"] for one in stale)
    await feed.step()
    assert len(receiver.seen) == 6
    _valid(receiver)
    street.close()


async def test_places_and_a_damaged_journal(scribe: Any, make_receiver: Any) -> None:
    receiver = make_receiver(FeedError)
    first, second = (one.id for one in scribe.corridor.intersections)
    street = Street(scribe.corridor, scribe.path)
    scribe.raw("\0\0 no journal\n{}\n[]\n")
    scribe.write(scribe.tick(1, first), scribe.tick(1, second), scribe.tick(1, "elsewhere"))
    bad = scribe.tick(2, second)
    bad["in"]["date"] = "2026-02-31"
    scribe.write(bad)
    scribe.raw('{"k": "tick", "i"')
    await LiveFeed("live", street, receiver, frozenset((first,))).step()
    assert {one.place for one in receiver.seen} == {first}
    await LiveFeed("live", street, receiver, frozenset((second,))).step()
    assert {one.place for one in receiver.seen} == {first}, "a second of no day is of no use"
    street.close()
