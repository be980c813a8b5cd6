"""Sources over numbered tables: in order, the same again, and honest about what is gone."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from sqlalchemy import delete, insert

from denxanh.controller.centre.feeds.contract import Gap
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import events
from denxanh.errors import StoreError
from denxanh.networks.example import crossroads_corridor

SOURCE = SOURCES["events"](crossroads_corridor(2))


def _fill(store: Store, count: int, **changes: Any) -> None:
    row = {
        "at_ms": 1_795_000_000_123,
        "intersection": "J1",
        "kind": "mode",
        "cause": "link-lost",
        "text_vi": "Thích nghi → chương trình",
        "text_en": "Adaptive → plan",
        "mode_from": "ADAPTIVE",
        "mode_to": "PLAN",
    }
    with store.writing() as connection:
        connection.execute(insert(events), [{**row, **changes} for _ in range(count)])


def _positions(store: Store, after: str | None, limit: int = 100) -> list[str]:
    with store.reading() as connection:
        return [one.position for one in SOURCE.read(connection, after, limit)]


def test_all_rows_in_order_and_the_same_again(store: Store) -> None:
    _fill(store, 5)
    first = _positions(store, None, 2)
    assert [int(one) for one in first] == sorted(int(one) for one in first)
    assert first + _positions(store, first[-1]) == _positions(store, None)
    assert len(_positions(store, None)) == 5
    with store.reading() as connection:
        assert SOURCE.end(connection) == _positions(store, None)[-1]
        assert SOURCE.read(connection, None, 5) == SOURCE.read(connection, None, 5)


def test_an_empty_table(store: Store) -> None:
    assert _positions(store, None) == []
    with store.reading() as connection:
        assert SOURCE.end(connection) is None
        assert SOURCE.gap(connection, "3") is None


def test_bodies_fit_their_schema(store: Store) -> None:
    _fill(store, 1)
    _fill(store, 1, intersection="", kind="alarm", mode_from=None, mode_to=None)
    schema = json.loads(
        files("denxanh.controller.centre").joinpath("schemas/events-v1.schema.json").read_text()
    )
    with store.reading() as connection:
        of_a_place, of_the_site = SOURCE.read(connection, None, 10)
    for one in (of_a_place, of_the_site):
        jsonschema.Draft202012Validator(schema).validate(dict(one.body))
    assert (of_a_place.topic, of_a_place.kind, of_a_place.place) == ("mode/J1", "mode", "J1")
    assert (of_the_site.topic, of_the_site.place) == ("event", None)
    assert of_a_place.body["at"] == "2026-11-18T18:06:40.123+07:00"
    assert of_a_place.id != of_the_site.id


def test_what_was_removed_unread_is_told(store: Store) -> None:
    _fill(store, 6)
    all_ = _positions(store, None)
    with store.writing() as connection:
        connection.execute(delete(events).where(events.c.id <= int(all_[3])))
    with store.reading() as connection:
        assert SOURCE.gap(connection, all_[0]) == Gap(3, all_[3])
        assert SOURCE.gap(connection, all_[3]) is None
        assert SOURCE.gap(connection, all_[5]) is None
    assert _positions(store, all_[3]) == all_[4:]


def test_a_position_behind_the_newest_row_is_refused(store: Store) -> None:
    _fill(store, 2)
    with pytest.raises(StoreError, match="the store is another one"):
        _positions(store, "999")


def test_a_damaged_position_is_refused(store: Store) -> None:
    with store.reading() as connection:
        for position in ("", "-1", "1.5", "x", "٣", "9" * 40, str(2**63), "1\0"):
            with pytest.raises(StoreError, match="is no position of events"):
                SOURCE.read(connection, position, 1)
            with pytest.raises(StoreError, match="is no position of events"):
                SOURCE.gap(connection, position)


def test_times_before_1970_and_whole_seconds() -> None:
    assert stamp(0) == "1970-01-01T07:00:00.000+07:00"
    assert stamp(-1) == "1970-01-01T06:59:59.999+07:00"
