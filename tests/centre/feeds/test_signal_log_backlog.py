"""A long backlog of the signal-state log: the same packages in whatever batches, each made once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from denxanh.controller.centre.exports import evidence
from denxanh.controller.centre.exports.evidence import PACKAGE_MS, begin_of_day, broken
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import minutes, signal_events, spans
from denxanh.controller.highres.codes import Code
from denxanh.networks.example import crossroads_corridor

CORRIDOR = crossroads_corridor(2)
MIDNIGHT = begin_of_day(1_795_000_200_000)
BEGIN = MIDNIGHT - 20 * PACKAGE_MS
END = MIDNIGHT + 70 * PACKAGE_MS
QUIET = range(MIDNIGHT + 10 * PACKAGE_MS, MIDNIGHT + 14 * PACKAGE_MS, PACKAGE_MS)
"""Nothing is recorded of the second intersection."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A night and a morning, lamps that change once a package."""
    found = open_store(f"sqlite:///{tmp_path_factory.mktemp('log') / 'centre.db'}")
    lamps: list[dict[str, Any]] = []
    for number, place in enumerate(CORRIDOR.intersections):
        for begin in range(BEGIN, END, PACKAGE_MS):
            if number and begin in QUIET:
                continue
            aspect = "rG"[begin // PACKAGE_MS % 2]
            lamps.append(
                {
                    "intersection": place.id,
                    "began_ms": begin + 7000,
                    "ended_ms": begin + 7000 + PACKAGE_MS,
                    "aspects": aspect * len(place.groups),
                    "stage": 0,
                    "in_interstage": False,
                    "mode": "PLAN",
                    "plan": 1,
                }
            )
    newest = {"lane": 0, "seconds": 60, "queued_mean": 0, "queued_max": 0, "moving_mean": 0}
    with found.writing() as connection:
        connection.execute(insert(spans), lamps)
        for place in CORRIDOR.intersections:
            seen = {"intersection": place.id, "at_ms": BEGIN, "code": Code.REGAINED.value, "parameter": 0}
            connection.execute(insert(signal_events), seen)
            last = {"intersection": place.id, "minute_ms": END, "confidence_min": 1.0, **newest}
            connection.execute(insert(minutes), last)
    yield found
    found.close()


def test_in_whatever_batches_and_however_often_it_is_the_same(store: Store) -> None:
    chance = random.Random(5)
    with store.reading() as connection:
        whole = SOURCES["signal-log"](CORRIDOR).read(connection, None, 1_000_000)
        assert len(whole) == 90 + 90 - 3
        assert broken([one.body for one in whole]) is None
        source, at = SOURCES["signal-log"](CORRIDOR), 0
        for _ in range(40):
            limit = chance.choice((1, 2, 3, 7, 50))
            after = whole[at - 1].position if at else None
            assert source.read(connection, after, limit) == whole[at : at + limit]
            # A batch that was not acknowledged comes again; now and then a person sets the feed back.
            at = chance.choice((at, min(at + limit, len(whole)), chance.randrange(len(whole))))


def test_it_is_the_same_as_an_export(store: Store) -> None:
    with store.reading() as connection:
        fed = [one.body for one in SOURCES["signal-log"](CORRIDOR).read(connection, None, 1_000_000)]
        for place in CORRIDOR.intersections:
            day = [body for _, body in evidence.day(connection, place, MIDNIGHT, END)]
            its = [one for one in fed if one["intersection"] == place.id]
            assert day == its[20:]


def test_a_package_costs_as_much_at_the_end_of_a_day_as_at_its_beginning(store: Store) -> None:
    with store.reading() as connection:
        source = SOURCES["signal-log"](CORRIDOR)
        costs, after = [], None
        for _ in range(25):  # seven at a time: every other batch begins amid a stretch
            with counted(connection) as statements:
                found = source.read(connection, after, 7)
            costs.append(len(statements))
            after = found[-1].position
    assert max(costs[1:]) <= 12 * 7
    assert max(costs[15:]) <= max(costs[1:10])


class counted:  # noqa: N801 - a context manager that reads like a function
    """The statements that a connection executes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._statements: list[str] = []

    def _note(self, *told: Any) -> None:
        self._statements.append(told[2])

    def __enter__(self) -> list[str]:
        event.listen(self._connection, "before_cursor_execute", self._note)
        return self._statements

    def __exit__(self, *_: object) -> None:
        event.remove(self._connection, "before_cursor_execute", self._note)
