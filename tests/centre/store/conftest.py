"""A street's seconds as journal records, and a store's whole content."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from denxanh.controller.alarms import CLEARED
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import metadata
from denxanh.controller.centre.store.signals import Signals, signals
from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event, LaneView, TickInput, TickOutput
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor

Record = dict[str, Any]
OPEN = {
    "k": "open",
    "v": 1,
    "site": "site.toml",
    "corridor": "c",
    "policy": "max-pressure",
    "epoch": 3,
    "t": "2026-11-23T06:29:58+07:00",
}
DOOR = Event("alarm", "Cửa tủ đang mở", "The cabinet's door is open", "door")
SHUT = Event("alarm-cleared", CLEARED[0] + DOOR.text_vi, CLEARED[1] + DOOR.text_en, DOOR.cause)


class Street:
    """Ticks of every intersection from 06:30 on, with stages, modes and alarms that come and go by chance."""

    def __init__(self, corridor: Corridor, seed: int = 1) -> None:
        self._corridor = corridor
        self._chance = random.Random(seed)
        self._number = 0
        self._outputs = {
            one.id: self._first(len(one.lanes), one.stages[0].aspects) for one in corridor.intersections
        }
        self._open = {one.id: False for one in corridor.intersections}

    def seconds(self, count: int) -> Iterator[Record]:
        """The records of so many seconds, in the journal's order."""
        for _ in range(count):
            self._number += 1
            for one in self._corridor.intersections:
                yield self.tick(one.id)

    def tick(self, intersection: str, **changed: Any) -> Record:
        """One record of the second that runs."""
        chance, before = self._chance, self._outputs[intersection]
        one = self._corridor.intersection(intersection)
        if chance.random() < 0.1:
            stage = chance.randrange(len(one.stages))
            before = replace(before, stage=stage, aspects="".join(one.stages[stage].aspects))
        events: tuple[Event, ...] = ()
        if chance.random() < 0.05:
            mode = chance.choice((Mode.ADAPTIVE, Mode.PLAN))
            events = (Event("mode", "Đổi chế độ", "Mode changes", "test", before.mode, mode),)
            before = replace(before, mode=mode)
        if chance.random() < 0.05:
            events += (SHUT if self._open[intersection] else DOOR,)
            self._open[intersection] = not self._open[intersection]
        lanes = tuple(
            LaneView(chance.random() * 9, chance.random() * 5, 0.5 + chance.random() / 2) for _ in one.lanes
        )
        output = replace(before, **{"lanes": lanes, "events": events, **changed})
        self._outputs[intersection] = output
        heard = TickInput(self._number, 23_400.0 + self._number, "2026-11-23", None, None)
        return {"k": "tick", "i": intersection, "in": encode_input(heard), "out": encode_output(output)}

    @staticmethod
    def _first(lanes: int, aspects: tuple[str, ...]) -> TickOutput:
        return TickOutput(
            mode=Mode.ADAPTIVE,
            cause="in-charge",
            aspects="".join(aspects),
            stage=0,
            elapsed_s=12.0,
            in_interstage=False,
            commitment=None,
            request=0,
            why="",
            guard_refusal=None,
            cabinet_refusal=None,
            command=None,
            plan=1,
            lanes=tuple(LaneView(0.0, 0.0, 1.0) for _ in range(lanes)),
            events=(),
        )


@pytest.fixture
def street(corridor: Corridor) -> Street:
    return Street(corridor)


@pytest.fixture(scope="session")
def make_street() -> Callable[[int], Street]:
    """Another street for each seed, always of the corridor of the fixture `corridor`."""
    return lambda seed: Street(crossroads_corridor(2), seed)


@pytest.fixture(scope="session")
def ids() -> Mapping[str, Signals]:
    """Its intersections, as `fold` takes them."""
    return signals(crossroads_corridor(2))


@pytest.fixture(scope="session")
def one(ids: Mapping[str, Signals]) -> str:
    """Its first intersection."""
    return min(ids)


@pytest.fixture(scope="session")
def opened() -> Record:
    """The record that begins a run."""
    return dict(OPEN)


def _content(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without numbers that only count and clocks of this computer."""
    found = {}
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            names = [c for c in table.columns if c.name not in ("id", "updated_ms") or table.name == "runs"]
            rows = connection.execute(select(*names).order_by(*table.primary_key.columns)).all()
            found[table.name] = [tuple(row) for row in rows]
    return found


@pytest.fixture(scope="session")
def content() -> Callable[[Store], dict[str, list[tuple[Any, ...]]]]:
    """What a store holds, to be compared with another one."""
    return _content


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that the examples of a property share, of each kind in turn."""
    url = f"sqlite:///{tmp_path_factory.mktemp('words')}/centre.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database()
    store = open_store(url)
    yield store
    store.close()
