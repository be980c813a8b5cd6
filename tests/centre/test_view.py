"""What the page knows follows from the records alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.foes import in_conflict
from denxanh.controller.centre.place import STALE_S
from denxanh.controller.centre.view import CorridorView
from denxanh.controller.mode import Mode
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor


@pytest.fixture
def view(corridor: Corridor) -> CorridorView:
    return CorridorView(corridor)


def test_nothing_heard_is_waiting(view: CorridorView) -> None:
    snapshot = view.snapshot(0.0)
    assert (snapshot["feed"], snapshot["tick"], snapshot["intersections"]) == ("waiting", None, {})


def test_last_second_is_shown(view: CorridorView, scribe: Any) -> None:
    view.take(scribe.opened(), 0.0)
    view.take(scribe.tick(1), 1.0)
    view.take(scribe.tick(2, commitment=scribe.promise(8, 2), mode=Mode.PLAN), 2.0)
    snapshot = view.snapshot(2.5)
    shown = snapshot["intersections"][scribe.intersection.id]
    assert snapshot["feed"] == "live"
    assert snapshot["run"]["policy"] == "max-pressure"
    assert (snapshot["tick"], snapshot["clock_s"]) == (2, 23_402.0)
    assert shown["mode"] == "PLAN"
    assert shown["commitment"] == {"end_in_s": 8, "next_stage": 2}
    assert shown["lanes"][0] == (3.2, 1.0, 0.9)
    assert shown["ribbon"] == "00"
    json.dumps(snapshot, allow_nan=False)


def test_a_model_without_a_gate_is_warned_of_as_long_as_it_runs(view: CorridorView, scribe: Any) -> None:
    assert view.snapshot(0.0)["run"]["warning"] is None
    sha = "ab" * 32
    learned = {**scribe.opened(), "policy": "model:/m.onnx", "model": sha, "unfit": ["no gate has judged it"]}
    view.take(learned, 0.0)
    view.take(scribe.tick(1), 0.0)
    run = view.snapshot(0.0)["run"]
    assert run["warning"] == ("Mô hình chưa qua cổng kiểm định", "The model has not passed the gate")
    assert run["model"] == sha
    view.take({**learned, "ungated": "thử nghiệm có người trực"}, 0.0)
    vi, en = view.snapshot(0.0)["run"]["warning"]
    assert vi == "Mô hình chưa qua cổng kiểm định, vẫn được phép điều khiển vì: thử nghiệm có người trực"
    assert en == "The model has not passed the gate; it may control nevertheless: thử nghiệm có người trực"
    view.take({**learned, "unfit": []}, 0.0)
    assert view.snapshot(0.0)["run"]["warning"] is None


def test_the_sites_own_warning_stands_until_the_journal_knows_better(corridor: Corridor, scribe: Any) -> None:
    view = CorridorView(corridor, "universal", ("chưa", "not yet"))
    view.take(scribe.tick(1), 0.0)
    assert view.snapshot(0.0)["run"]["warning"] == ("chưa", "not yet")
    view.take(scribe.opened(), 0.0)
    assert view.snapshot(0.0)["run"]["warning"] is None


def test_silence_makes_stale_and_a_close_says_why(view: CorridorView, scribe: Any) -> None:
    view.take(scribe.tick(1), 10.0)
    assert view.snapshot(10.0 + STALE_S)["feed"] == "live"
    late = view.snapshot(10.1 + STALE_S)
    assert late["feed"] == "stale"
    assert late["intersections"][scribe.intersection.id]["stale"] is True
    view.take({"k": "close", "t": 2}, 11.0)
    assert view.snapshot(11.0)["feed"] == "ended"
    view.take(scribe.tick(2), 12.0)
    assert view.snapshot(12.0)["feed"] == "live"


def test_one_silent_intersection_is_stale_alone(view: CorridorView, scribe: Any, corridor: Corridor) -> None:
    other = corridor.intersections[1].id
    view.take(scribe.tick(1), 0.0)
    view.take(scribe.tick(1, other), 0.0)
    view.take(scribe.tick(9, other), 8.0)
    snapshot = view.snapshot(8.5)
    assert snapshot["feed"] == "live"
    assert snapshot["intersections"][scribe.intersection.id]["stale"] is True
    assert snapshot["intersections"][other]["stale"] is False


def test_events_are_numbered_and_sent_once(view: CorridorView, scribe: Any) -> None:
    view.take(scribe.tick(1, events=(scribe.mode_event(),)), 1.0)
    first = view.snapshot(1.0)
    assert [(event["seq"], event["kind"], event["to"]) for event in first["events"]] == [(1, "mode", "PLAN")]
    assert first["counters"]["mode_changes"] == 1
    view.take(scribe.tick(2, events=(scribe.mode_event(),)), 2.0)
    assert [event["seq"] for event in view.snapshot(2.0, after=first["last_event"])["events"]] == [2]
    assert len(view.snapshot(2.0, after=99)["events"]) == 2, "a page from before this process starts over"


def test_refusals_are_counted_by_reason(view: CorridorView, scribe: Any) -> None:
    for number in range(3):
        view.take(scribe.tick(number, guard_refusal="min-green", cabinet_refusal="stale-epoch"), 0.0)
    counters = view.snapshot(0.0)["counters"]
    assert counters["guard_refusals"] == {"min-green": 3}
    assert counters["cabinet_refusals"] == {"stale-epoch": 3}


def test_conflicts_are_judged_from_the_lamps(view: CorridorView, scribe: Any) -> None:
    view.take(scribe.tick(1), 0.0)
    assert view.snapshot(0.0)["counters"]["conflicts"] == 0
    view.take(scribe.tick(2, aspects="GGrrrr"), 0.0)
    assert view.snapshot(0.0)["counters"]["conflicts"] == 1


def test_yielding_green_kept_through_an_interstage_is_not_shown_as_protected(
    view: CorridorView, scribe: Any
) -> None:
    """The cabinet's masks know green, not which; in an interstage the coming stage's kind is read."""
    view.take(scribe.tick(1, aspects="Grgrrr"), 0.0)
    view.take(scribe.tick(2, aspects="yrGrrr", stage=1, in_interstage=True), 0.0)
    snapshot = view.snapshot(0.0)
    assert snapshot["intersections"][scribe.intersection.id]["aspects"] == "yrgrrr"
    assert snapshot["counters"]["conflicts"] == 0
    view.take(scribe.tick(3, aspects="rrGrrr", stage=1), 0.0)
    assert view.snapshot(0.0)["intersections"][scribe.intersection.id]["aspects"] == "rrGrrr"


@pytest.mark.parametrize(
    ("aspects", "wrong"),
    [
        ("rrrrrr", False),
        ("GrgrrW", False),
        ("yrrrrr", False),
        ("GGrrrr", True),
        ("yGrrrr", True),
        ("GrGrrr", True),  # a permissive turn shown protected beside the oncoming green
        ("GrgrWr", True),  # walking across the main road while it drives
        ("GrgrCr", True),
        ("oooooo", False),
    ],
)
def test_conflict_of_aspects(aspects: str, wrong: bool) -> None:
    assert in_conflict(crossroads_corridor().intersections[0], aspects) is wrong


def test_broken_records_are_counted_and_left_out(view: CorridorView, scribe: Any) -> None:
    good = scribe.tick(1)
    broken: list[Any] = [
        {},
        {"k": 7},
        {"k": "tick"},
        {**good, "i": "nowhere"},
        {**good, "out": {**good["out"], "aspects": "G"}},
        {**good, "out": {**good["out"], "stage": 99}},
        {**good, "out": {**good["out"], "mode": "HAPPY"}},
        {**good, "out": {**good["out"], "elapsed_s": float("inf")}},
        {**good, "in": {"tick": "x"}},
        {**good, "in": {**good["in"], "clock_s": float("nan")}},
        {"k": "event", "kind": 3},
    ]
    for record in broken:
        view.take(record, 0.0)
    assert view.snapshot(0.0)["counters"]["skipped"] == len(broken)
    view.take({"k": "some-later-kind"}, 0.0)
    view.take(good, 0.0)
    snapshot = view.snapshot(0.0)
    assert snapshot["counters"]["skipped"] == len(broken)
    assert list(snapshot["intersections"]) == [scribe.intersection.id]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


KINDS = st.sampled_from(["tick", "event", "open", "close", "restart"])
FIELDS = ("i", "in", "out", "event", "kind", "policy", "clock_s", "cause", "model", "unfit", "ungated")


@given(st.fixed_dictionaries({"k": KINDS | JUNK}, optional=dict.fromkeys(FIELDS, JUNK)))
def test_no_record_breaks_the_view(record: dict[str, Any]) -> None:
    view = CorridorView(crossroads_corridor())
    view.take(record, 0.0)
    snapshot = view.snapshot(1.0)
    json.dumps(snapshot, allow_nan=False)
    assert snapshot["intersections"] == {}
