"""What records come to: runs, spans, minutes, events and alarms."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.folding import STATE, State, fold
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.centre.store.signals import Signals
from denxanh.controller.codec import encode_event
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event, LaneView
from denxanh.networks.example import crossroads_corridor

BEGIN = at_ms("2026-11-23", 23_400.0)


def _at(record: dict[str, Any], second: int) -> dict[str, Any]:
    return {**record, "in": {**record["in"], "tick": second, "clock_s": 23_400.0 + second}}


def test_local_time_is_seven_hours_ahead() -> None:
    assert at_ms("1970-01-01", 7 * 3600.0) == 0
    assert BEGIN == 1_795_390_200_000


def test_a_span_lasts_while_nothing_changes(street: Any, one: str, ids: Mapping[str, Signals]) -> None:
    tick = street.tick(one, events=(), mode=Mode.ADAPTIVE)
    same = [_at(tick, second) for second in range(5)]
    other = {**tick, "out": {**tick["out"], "in_interstage": True}}
    state = State()
    rows = fold(state, [*same, _at(other, 5), _at(other, 6)], ids)
    assert [(row["began_ms"], row["ended_ms"], row["in_interstage"]) for row in rows.spans] == [
        (BEGIN, BEGIN + 5000, tick["out"]["in_interstage"]),
        (BEGIN + 5000, None, True),
    ]
    later = fold(state, [_at(tick, 7)], ids)
    assert later.ended_spans == [{"of": one, "began": BEGIN + 5000, "ended_ms": BEGIN + 7000}]


def test_nobody_claims_to_know_what_lamps_showed_in_a_silence(
    street: Any, one: str, ids: Mapping[str, Signals]
) -> None:
    tick = street.tick(one, events=())
    rows = fold(State(), [_at(tick, 0), _at(tick, 1), _at(tick, 60)], ids)
    assert [(row["began_ms"], row["ended_ms"]) for row in rows.spans] == [
        (BEGIN, BEGIN + 2000),
        (BEGIN + 60_000, None),
    ]


def test_a_clock_that_goes_back_begins_a_new_span(street: Any, one: str, ids: Mapping[str, Signals]) -> None:
    tick = street.tick(one, events=())
    rows = fold(State(), [_at(tick, 10), _at(tick, 3)], ids)
    assert [(row["began_ms"], row["ended_ms"]) for row in rows.spans] == [
        (BEGIN + 10_000, BEGIN + 11_000),
        (BEGIN + 3000, None),
    ]


def test_minutes_hold_means_and_extremes_of_each_lane(
    street: Any, one: str, ids: Mapping[str, Signals]
) -> None:
    def second(number: int, queued: float) -> dict[str, Any]:
        return _at(street.tick(one, events=()), number) | {
            "out": {**street.tick(one)["out"], "lanes": [encode(LaneView(queued, 1.0, 0.9 - queued / 100))]}
        }

    def encode(lane: LaneView) -> dict[str, float]:
        return {"queued": lane.queued, "moving": lane.moving, "confidence": lane.confidence}

    state = State()
    rows = fold(state, [second(n, float(n % 10)) for n in range(60)] + [second(60, 3.0)], ids)
    assert rows.minutes == [
        {
            "intersection": one,
            "minute_ms": BEGIN,
            "lane": 0,
            "seconds": 60,
            "queued_mean": 4.5,
            "queued_max": 9.0,
            "moving_mean": 1.0,
            "confidence_min": 0.81,
        }
    ]
    rest = fold(state, [{"k": "close", "cause": "released", "ticks": 61}], ids)
    assert [(row["seconds"], row["queued_mean"]) for row in rest.minutes] == [(1, 3.0)]


def test_an_alarm_stands_until_its_own_words_take_it_back(
    street: Any, one: str, ids: Mapping[str, Signals]
) -> None:
    raised = Event("detector", "Bộ dò L1: kẹt", "Detector L1: stuck", "detector-stuck-on")
    other = Event("detector", "Bộ dò L2: kẹt", "Detector L2: stuck", "detector-stuck-on")
    cleared = Event(
        "alarm-cleared", "Hết cảnh báo: Bộ dò L1: kẹt", "Cleared: Detector L1: stuck", "detector-stuck-on"
    )
    records = [
        _at(street.tick(one, events=events), number)
        for number, events in enumerate([(raised, other), (), (cleared,)])
    ]
    for record, events in zip(records, [(raised, other), (), (cleared,)], strict=True):
        record["out"]["events"] = [encode_event(event) for event in events]
    rows = fold(State(), records, ids)
    assert [(row["text_en"], row["raised_ms"], row["cleared_ms"]) for row in rows.alarms] == [
        ("Detector L1: stuck", BEGIN, BEGIN + 2000),
        ("Detector L2: stuck", BEGIN, None),
    ]
    assert [row["kind"] for row in rows.events] == ["detector", "detector", "alarm-cleared"]


def test_a_run_knows_its_beginning_and_its_end(
    street: Any, one: str, ids: Mapping[str, Signals], opened: dict[str, Any]
) -> None:
    tick = street.tick(one)
    state = State()
    close = {"k": "close", "cause": "released", "ticks": 2}
    rows = fold(state, [opened, _at(tick, 0), _at(tick, 1), close, opened, _at(tick, 9)], ids)
    assert [(r["id"], r["began_ms"], r["closed_ms"], r["ended"]) for r in rows.runs] == [
        (1, BEGIN, BEGIN + 2000, "released"),
        (2, BEGIN + 9000, None, None),
    ]
    assert {row["run"] for row in rows.spans} == {1, 2}
    killed = fold(state, [opened], ids)
    assert killed.run_changes == {2: {"closed_ms": BEGIN + 10_000, "ended": "no close record"}}


def test_a_new_run_begins_without_the_alarms_of_the_one_before(
    street: Any, one: str, ids: Mapping[str, Signals], opened: dict[str, Any]
) -> None:
    alarm = encode_event(Event("alarm", "Cửa", "Door", "door"))
    tick = street.tick(one)
    tick["out"]["events"] = [alarm]
    rows = fold(State(), [opened, _at(tick, 0), opened], ids)
    assert [row["cleared_ms"] for row in rows.alarms] == [BEGIN]


def test_an_event_of_no_second_has_the_time_of_the_last_one(
    street: Any, one: str, ids: Mapping[str, Signals], opened: dict[str, Any]
) -> None:
    event = {"k": "event", "event": encode_event(Event("alarm", "Chưa duyệt", "Ungated", "ungated-model"))}
    rows = fold(State(), [opened, event, _at(street.tick(one, events=()), 4), event], ids)
    outside = [row["at_ms"] for row in rows.events if row["cause"] == "ungated-model"]
    assert outside == [at_ms("2026-11-23", 23_398.0), BEGIN + 4000]


def test_the_state_is_the_same_after_it_was_stored(make_street: Any, ids: Mapping[str, Signals]) -> None:
    """Folding in two halves, the state stored between them as text, comes to what folding in one comes to."""
    records = list(make_street(5).seconds(150))
    whole, half = State(), State()
    fold(whole, records, ids)
    fold(half, records[:151], ids)
    again = STATE.validate_json(STATE.dump_json(half))
    assert again == half
    fold(again, records[151:], ids)
    assert again == whole


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((2**31, 2**63, -1, 1e308, float("inf"), float("nan"), "\x00", "\ud800", "x" * 300))
    | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a record."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_record_can_stop_the_recording(
    any_store: Store, make_street: Any, opened: dict[str, Any], one: str, data: st.DataObject
) -> None:
    """One value anywhere in a record is something else: it is stored or left out, and the next one stored."""
    tick = make_street(3).tick(one)
    tick["out"]["events"] = [encode_event(Event("alarm", "Cửa", "Door", "door", Mode.PLAN, Mode.ADAPTIVE))]
    event = {"k": "event", "event": encode_event(Event("alarm", "Cửa", "Door", "door"))}
    restart = {"k": "restart", "i": one, "cause": "x", "claim": "drives"}
    close = {"k": "close", "cause": "released", "ticks": 1}
    record = copy.deepcopy(data.draw(st.sampled_from((tick, tick, opened, event, restart, close))))
    place, key = data.draw(st.sampled_from(_places(record)))
    place[key] = data.draw(JSON)
    recorder = Recorder(any_store, crossroads_corridor(2))
    before = recorder.resume()
    number = 1 if before is None else before.offset + 1
    recorder.take([opened, record, make_street(4).tick(one)], Bookmark(1, number, "m", "h"))
    again = Recorder(any_store, crossroads_corridor(2))
    assert again.resume() == Bookmark(1, number, "m", "h")
