"""What the API says of the street: what is built, what happens now."""

from __future__ import annotations

from typing import Any

import pytest

from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.plc.contract import CabinetMode


def test_lists_what_is_built(town: Any, place: str) -> None:
    listed = town.get("intersections")
    assert [one["id"] for one in listed] == [one.id for one in town.street.corridor.intersections]
    one = town.get(f"intersections/{place}")
    assert one == listed[0]
    groups = town.get(f"intersections/{place}/groups")
    built = town.street.corridor.intersection(place)
    assert [group["id"] for group in groups] == [group.id for group in built.groups]
    assert groups[0]["stages"] == [n for n, stage in enumerate(built.stages) if stage.serves(0)]


def test_plans_come_with_their_minima_and_say_which_one_runs(town: Any, place: str) -> None:
    plans = town.get(f"intersections/{place}/plans")
    assert [plan["number"] for plan in plans if plan["running"]] == [1]
    for plan in plans:
        assert sum(split["split_s"] for split in plan["splits"]) == plan["cycle_s"]
        assert all(split["least_s"] <= split["split_s"] for split in plan["splits"])


def test_schedule_is_the_days_and_today_is_the_controllers(town: Any, place: str) -> None:
    assert town.get(f"intersections/{place}/schedule")["date"] == "2026-11-23"
    sunday = town.get(f"intersections/{place}/schedule", date="2026-11-22")
    assert sunday["day"] == town.street.corridor.schedule.week[6]
    assert town.ask("GET", f"intersections/{place}/schedule?date=1066-10-14").status_code == 422


def test_status_holds_the_centres_decision_and_the_cabinets_words(town: Any, place: str) -> None:
    town.street.change(place, {"mode": CabinetMode.LOCAL_PLAN, "plan": 2, "panel": 1 | 2}, plan=2)
    town.street.change(place, mode=Mode.LOCAL, cause=f"{Cause.CABINET_LOCAL}: vì thế")
    town.street.second()
    town.until(lambda: town.get(f"intersections/{place}/status")["mode"]["mode"] == "LOCAL")
    status = town.get(f"intersections/{place}/status")
    assert status["mode"]["cause"] == "cabinet-local"
    assert status["mode"]["why"]["vi"].endswith("(vì thế)")
    cabinet = status["cabinet"]
    assert (cabinet["mode"], cabinet["plan"]) == ("local-plan", 2)
    assert cabinet["door_open"]
    assert cabinet["police_panel"]
    assert not cabinet["on_ups"]


def test_detectors_tell_what_they_read_and_whether_they_are_believed(town: Any, place: str) -> None:
    built = town.street.corridor.intersection(place)
    bad = built.detectors[0]
    from denxanh.controller.alarms import of_detectors
    from denxanh.controller.health import DetectorHealth, Symptom
    from denxanh.controller.record import Event

    health = [DetectorHealth(symptom=Symptom.STUCK_ON)] + [DetectorHealth()] * (len(built.detectors) - 1)
    (alarm,) = of_detectors(built, health, settled=True)
    town.street.change(place, events=(Event(alarm.kind, alarm.text_vi, alarm.text_en, alarm.cause),))
    town.street.second()
    town.street.change(place, events=())

    def told() -> bool:
        views = town.get(f"intersections/{place}/detectors")
        return [one["id"] for one in views if not one["healthy"]] == [bad.id]

    town.until(told)
    views = {one["id"]: one for one in town.get(f"intersections/{place}/detectors")}
    assert views[bad.id]["symptom"] == "stuck-on"
    assert {one["called"] for one in views.values() if one["kind"] == "button"} == {True, False}
    assert {one["occupancy"] for one in views.values() if one["kind"] == "zone"} == {0.25}
    assert {one["count"] for one in views.values() if one["kind"] == "stop-line"} == {7}


@pytest.mark.parametrize("rest", ["", "/status", "/groups", "/detectors", "/plans", "/history", "/commands"])
def test_an_unknown_intersection_is_a_problem_in_both_languages(town: Any, rest: str) -> None:
    answer = town.ask("GET", f"intersections/NOWHERE{rest}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:denxanh:problem:not-found",
        "title": "There is no such thing",
        "status": 404,
        "vi": "Không có: nút giao NOWHERE",
        "en": "There is no such thing: intersection NOWHERE",
        "instance": f"/api/v1/intersections/NOWHERE{rest}",
        "errors": [],
    }
