"""High-resolution events from the journal into the store and out again."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller import guard
from denxanh.controller.centre.store import parquet, signal_events
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.folding import STATE, State, fold
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.centre.store.signals import Signals, signals
from denxanh.controller.codec import encode_input
from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.encoder import Encoder
from denxanh.controller.highres.moment import Moment
from denxanh.controller.mode import Mode
from denxanh.controller.record import TickInput
from denxanh.controller.vds.arrival import Arrival, Heard, ZoneValue
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Aspect, DetectorKind, Intersection
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Fault,
    LoopReading,
    Readings,
    Refusal,
    ZoneReading,
)
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_status, encode_readings, encode_status

Record = dict[str, Any]
Queues = tuple[float, ...]
BEGIN_S = 23_400.0
BEGIN_MS = at_ms("2026-11-23", BEGIN_S)
CORRIDOR = crossroads_corridor(2)


class Poll:
    """A guarded intersection whose cabinet answers in registers; traffic by chance."""

    def __init__(self, intersection: Intersection, seed: int) -> None:
        self.intersection = intersection
        self._chance = random.Random(seed)
        self._config = guard.guard_config(intersection)
        self._guard = guard.initial(self._config)
        kinds = [one.kind for one in intersection.detectors]
        self._loops = [(0, 0)] * sum(kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE) for kind in kinds)
        self._zones = kinds.count(DetectorKind.ZONE)
        self._buttons = kinds.count(DetectorKind.BUTTON)

    def seconds(self, count: int) -> Iterator[tuple[Record, Moment]]:
        """Tick records, and the same as moments."""
        chance, one = self._chance, self.intersection
        for number in range(count):
            given = guard.GuardInput(
                Mode.ADAPTIVE,
                chance.randrange(len(one.stages)),
                tuple(chance.random() < 0.5 for _ in one.groups),
                (True,) * len(one.groups),
            )
            self._guard, out = guard.tick(self._config, self._guard, given)
            status, readings = self._status(number, out.aspects), self._readings()
            queued = tuple(chance.choice((0.0, 3.0)) for _ in one.lanes)
            yield (
                self._record(number, status, readings, out, queued),
                self._moment(number, status, readings, out, queued),
            )

    def _status(self, number: int, aspects: tuple[Aspect, ...]) -> CabinetStatus:
        def mask(*shown: Aspect) -> int:
            return sum(1 << group for group, aspect in enumerate(aspects) if aspect in shown)

        state = self._guard
        return CabinetStatus(
            map_version=1, junction=self.intersection.number, mode=CabinetMode.ADAPTIVE, faults=Fault.NONE,
            heartbeat=number, accepted_seq=0, refusal=Refusal.NONE, epoch=3, lease_ds=0, heard_ds=0,
            stage=state.stage, stage_elapsed_ds=0 if state.in_interstage else 10, stage_next=state.stage,
            plan=0, cycle_second=0, cycle_s=0, utc_s=0,
            green=mask(Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK), yellow=mask(Aspect.YELLOW),
            red=mask(Aspect.RED), flashing=mask(Aspect.FLASH, Aspect.CLEARANCE), lamp_fault=0, panel=0,
            config_crc=0, countdown_s=0, monitor=0, min_left_s=(0,) * len(self.intersection.stages),
        )  # fmt: skip

    def _readings(self) -> Readings:
        chance = self._chance
        self._loops = [
            ((count + chance.choice((0, 0, 1, 2))) % 65_536, (busy + chance.choice((0, 3, 10))) % 65_536)
            for count, busy in self._loops
        ]
        loops = tuple(LoopReading(count, busy, fault=False, age_ds=0) for count, busy in self._loops)
        zones = tuple(ZoneReading(chance.randint(0, 1), 0, 0.1, 20.0, False, 0) for _ in range(self._zones))
        return Readings(loops, zones, tuple(chance.random() < 0.2 for _ in range(self._buttons)))

    def _record(
        self,
        number: int,
        status: CabinetStatus,
        readings: Readings,
        out: guard.GuardOutput,
        queued: Queues,
    ) -> Record:
        words = (encode_status(status), *encode_readings(readings))
        promise = out.commitment
        return {
            "k": "tick",
            "i": self.intersection.id,
            "in": encode_input(TickInput(number, BEGIN_S + number, "2026-11-23", words, None)),
            "out": {
                "mode": "ADAPTIVE",
                "cause": "in-charge",
                "aspects": "".join(out.aspects),
                "stage": self._guard.stage,
                "in_interstage": self._guard.in_interstage,
                "plan": 1,
                "commitment": promise and {"end_in_s": promise.end_in_s, "next_stage": promise.next_stage},
                "guard_refusal": out.refusal and out.refusal.value,
                "lanes": [{"queued": queue, "moving": 0.0, "confidence": 0.9} for queue in queued],
                "events": [],
                "vds": [],
            },
        }

    def _moment(
        self,
        number: int,
        status: CabinetStatus,
        readings: Readings,
        out: guard.GuardOutput,
        queued: Queues,
    ) -> Moment:
        return Moment(
            at_ms=BEGIN_MS + 1000 * number,
            aspects="".join(out.aspects),
            stage=self._guard.stage,
            in_interstage=self._guard.in_interstage,
            mode=Mode.ADAPTIVE,
            commitment=out.commitment,
            guard_refusal=out.refusal and out.refusal.value,
            queued=queued,
            readings=readings,
            status=decode_status(encode_status(status), layout(self.intersection)),
        )


@pytest.fixture
def place() -> Intersection:
    return CORRIDOR.intersections[0]


def _stored(store: Store, name: str) -> list[tuple[int, int, int]]:
    with store.reading() as connection:
        log = signal_events.read(connection, name, 0, 2**53)
    return list(zip(log.at_ms.tolist(), log.code.tolist(), log.parameter.tolist(), strict=True))


def test_the_store_holds_what_the_encoder_says(store: Store, place: Intersection) -> None:
    """By the registers and the journal, in batches of uneven length, as by the values themselves at once."""
    pairs = list(Poll(place, 5).seconds(200))
    encoder = Encoder(place)
    wanted = [tuple(event) for _, moment in pairs for event in encoder.take(moment)]
    chance, at = random.Random(1), 0
    recorder = Recorder(store, CORRIDOR)
    while at < len(pairs):
        step = chance.randint(1, 40)
        if chance.random() < 0.5:
            recorder = Recorder(store, CORRIDOR)
        recorder.resume()
        recorder.take([record for record, _ in pairs[at : at + step]], Bookmark(1, at, "m", "h"))
        at += step
    found = _stored(store, place.id)
    assert found == wanted
    codes = {code for _, code, _ in found}
    assert {Code.BEGIN_GREEN, Code.BEGIN_YELLOW, Code.BEGIN_WALK, Code.DETECTOR_ON} <= codes
    with store.reading() as connection:
        assert signal_events.intersections(connection) == [place.id]
        assert signal_events.extent(connection, place.id) == (found[0][0], found[-1][0])
        assert signal_events.extent(connection, "elsewhere") is None
        part = signal_events.read(connection, place.id, BEGIN_MS + 50_000, BEGIN_MS + 60_000)
    assert part.at_ms.tolist() == [at for at, *_ in found if BEGIN_MS + 50_000 <= at < BEGIN_MS + 60_000]


def test_an_empty_store_has_no_events(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="polars is not installed (make setup)")
    with store.reading() as connection:
        assert len(signal_events.read(connection, "X1", 0, 2**53)) == 0
        assert signal_events.intersections(connection) == []
        assert len(signal_events.indiana(connection, 0, 2**53)) == 0
    assert list(parquet.export(store, tmp_path, ("signal_events",), date.min, date.max)) == []


def test_a_closed_run_ends_what_is_known(ids: Mapping[str, Signals], place: Intersection) -> None:
    records = [record for record, _ in Poll(place, 5).seconds(3)]
    rows = fold(State(), [*records, {"k": "close", "cause": "released", "ticks": 3}], ids)
    assert rows.signal_events[-1] == (place.id, (BEGIN_MS + 3000, Code.LOST, 2))


def test_a_zone_that_a_camera_feeds_is_told_by_the_camera(place: Intersection, opened: Record) -> None:
    """Its place in the registers is not there: the other zones keep their channels."""
    zones = [at for at, one in enumerate(place.detectors) if one.kind is DetectorKind.ZONE]
    fed, other = place.detectors[zones[0]].id, zones[1] + 1
    source = {"id": "cam-1", "intersection": place.id, "zones": [fed], "max_skew_s": 1.0}
    records = []
    for number, (record, moment) in enumerate(Poll(place, 5).seconds(5)):
        assert moment.readings is not None
        seen = [int(at == 0 and number > 1) for at in range(len(zones) - 1)]
        own = replace(moment.readings, zones=tuple(ZoneReading(one, 0, 0.1, 20.0, False, 0) for one in seen))
        words = (tuple(record["in"]["words"][0]), *encode_readings(own))
        value = ZoneValue(fed, int(number in (1, 2)), 0, 0.1, 20.0, fault=False)
        heard = Heard((Arrival("cam-1", number, 0.0, (value,)),) if number < 3 else ())
        record["in"] = encode_input(TickInput(number, BEGIN_S + number, "2026-11-23", words, None, vds=heard))
        record["out"]["vds"] = [["cam-1", 1 if number < 3 else 0, [], 0.0 if number < 4 else 9.0, 0.0]]
        records.append(record)
    rows = fold(State(), [{**opened, "vds": [source]}, *records], signals(CORRIDOR))
    told = [
        ((event.at_ms - BEGIN_MS) // 1000, event.code, event.parameter)
        for _, event in rows.signal_events
        if event.code in (Code.DETECTOR_ON, Code.DETECTOR_OFF) and event.parameter in (zones[0] + 1, other)
    ]
    # The camera falls silent after second 2: in second 4 what it said is too old to be believed.
    assert told == [(1, 82, zones[0] + 1), (2, 82, other), (4, 81, zones[0] + 1)]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_poll_can_stop_the_folding(odd: st.SearchStrategy[Any], data: st.DataObject) -> None:
    """One value somewhere in a whole record is something else; the state can still be stored."""
    records = [copy.deepcopy(record) for record, _ in Poll(CORRIDOR.intersections[0], 3).seconds(4)]
    heard, decided = records[1]["in"], records[1]["out"]
    words = heard["words"]
    names = ("commitment", "guard_refusal", "vds", "cause", "aspects", "stage")
    places = [(words, at) for at in range(4)] + [(words[0], at) for at in range(32)]
    places += [(words[1], 0), (words[1], 2), (words[3], 0), (heard, "words"), (heard, "vds")]
    place, key = data.draw(st.sampled_from(places + [(decided, name) for name in names]))
    place[key] = data.draw(odd)
    state = State()
    rows = fold(state, records, signals(CORRIDOR))
    assert rows.skipped <= 1
    assert STATE.validate_json(STATE.dump_json(state)) == state
    assert all(0 <= event.parameter < 2**31 and 0 <= event.at_ms < 2**53 for _, event in rows.signal_events)


@pytest.fixture(scope="session")
def odd() -> st.SearchStrategy[Any]:
    """Values that no record has where they stand."""
    strange = (None, True, -1, 2**16, 2**31, 2**63, 1e308, float("nan"), [], [None], {}, [[]])
    return st.sampled_from((*strange, "", "\x00", "\ud800", "x" * 300))
