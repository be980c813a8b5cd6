"""What happened, as the API tells it: events, alarms, lamps, queues, who did what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from denxanh.controller.centre.store import audit, queries, schema
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.operator.message import Role
from denxanh.controller.record import Event
from denxanh.errors import StoreError


def full(*_: object, **__: object) -> Any:
    """What the store says when it takes nothing any more."""
    raise StoreError("the disk is full")


def raised(town: Any, place: str, cause: str) -> dict[str, Any]:
    """An alarm of this cause, once it is stored."""
    town.street.change(place, events=(Event("alarm", f"Cảnh báo {cause}", f"Alarm {cause}", cause),))
    town.street.second()
    town.street.change(place, events=())
    found: list[dict[str, Any]] = []

    def stored() -> bool:
        alarms = town.get(f"intersections/{place}/alarms")["alarms"]
        found[:] = [one for one in alarms if one["cause"] == cause]
        return bool(found)

    town.until(stored)
    return found[0]


def test_an_alarm_is_acknowledged_once_and_by_whom(town: Any, place: str) -> None:
    alarm = raised(town, place, "door")
    path = f"alarms/{alarm['id']}/acknowledge"
    first = town.ask("POST", path, Role.OPERATOR, json={"note": "Đã báo tổ sửa chữa"}).json()
    assert (first["acknowledged_by"], first["note"]) == ("test-operator", "Đã báo tổ sửa chữa")
    assert first["cleared"] is None
    again = town.ask("POST", path, Role.ENGINEER, json={"note": "tôi nữa"}).json()
    assert again == first
    (entry,) = town.get("audit", action="alarm.acknowledge", text=f'"alarm":{alarm["id"]}')["entries"]
    assert (entry["actor"], entry["target"]) == ("test-operator", place)
    assert entry["detail"]["token"]


def test_alarms_that_are_over_are_acknowledged_at_once_and_no_others(town: Any, place: str) -> None:
    names = ("over-a", "over-b", "stands", "over-unseen")
    alarms = {name: raised(town, place, name)["id"] for name in names}
    with town.store.writing() as connection:
        for name in names:
            if name != "stands":
                connection.execute(
                    update(schema.alarms).where(schema.alarms.c.id == alarms[name]).values(cleared_ms=2)
                )
    body = {"note": "đã xem", "intersection": place, "up_to": alarms["stands"]}
    assert town.ask("POST", "alarms/acknowledge-ended", Role.VIEWER, json=body).status_code == 403
    assert town.ask("POST", "alarms/acknowledge-ended", Role.OPERATOR, json=body).json()["count"] >= 2
    assert town.ask("POST", "alarms/acknowledge-ended", Role.OPERATOR, json=body).json()["count"] == 0
    taken = {
        one["cause"]: one["acknowledged_by"]
        for one in town.get(f"intersections/{place}/alarms")["alarms"]
        if one["cause"] in names
    }
    assert taken == {
        "over-a": "test-operator",
        "over-b": "test-operator",
        "stands": None,
        "over-unseen": None,
    }
    (entry,) = town.get("audit", action="alarm.acknowledge-ended")["entries"]
    assert (entry["target"], entry["detail"]["up_to"]) == (place, alarms["stands"])


@pytest.mark.parametrize("part", [(queries, "acknowledge"), (audit, "entry")])
def test_taking_note_and_the_log_of_it_stand_together_or_not_at_all(
    town: Any, place: str, monkeypatch: pytest.MonkeyPatch, part: tuple[Any, str]
) -> None:
    alarm = raised(town, place, f"together-{part[1]}")
    path = f"alarms/{alarm['id']}/acknowledge"
    with monkeypatch.context() as broken:
        broken.setattr(*part, full)
        assert town.ask("POST", path, json={}).status_code == 503
    logged = town.get("audit", action="alarm.acknowledge", text=f'"alarm":{alarm["id"]}')["entries"]
    (now,) = [one for one in town.get("alarms", open=True)["alarms"] if one["id"] == alarm["id"]]
    assert (logged, now["acknowledged"]) == ([], None)


def test_of_two_who_take_note_at_once_the_log_names_the_one_that_stands(
    town: Any, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = raised(town, place, "at-once")
    path = f"alarms/{alarm['id']}/acknowledge"
    look, waiting = queries.alarm, Barrier(2)

    def looked(store: Store, number: int) -> Any:
        found = look(store, number)
        if found is not None and found["acknowledged_ms"] is None:
            waiting.wait(5)
        return found

    monkeypatch.setattr(queries, "alarm", looked)
    roles = (Role.OPERATOR, Role.ENGINEER)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda role: town.ask("POST", path, role, json={}).json(), roles))
    (entry,) = town.get("audit", action="alarm.acknowledge", text=f'"alarm":{alarm["id"]}')["entries"]
    assert {one["acknowledged_by"] for one in answers} == {entry["actor"]}


def test_open_alarms_are_those_that_stand_or_that_nobody_saw(town: Any, place: str) -> None:
    alarm = raised(town, place, "ups")
    town.ask("POST", f"alarms/{alarm['id']}/acknowledge", json={})
    assert alarm["id"] in [one["id"] for one in town.get("alarms", open=True)["alarms"]]
    cleared = Event("alarm-cleared", "Hết cảnh báo: Cảnh báo ups", "Cleared: Alarm ups", "ups")
    town.street.change(place, events=(cleared,))
    town.street.second()
    town.street.change(place, events=())
    town.until(lambda: alarm["id"] not in [one["id"] for one in town.get("alarms", open=True)["alarms"]])


def test_an_alarm_that_is_not_there(town: Any) -> None:
    assert town.ask("POST", "alarms/987654/acknowledge", json={}).status_code == 404


def test_events_are_found_by_text_kind_place_and_time(town: Any, place: str) -> None:
    raised(town, place, "lamp-fault")
    (event,) = town.get("events", text="lamp-fault", kind="alarm", intersection=place)["events"]
    assert event["at"].startswith("2026-11-2")
    assert town.get("events", text="lamp-fault", kind="mode")["events"] == []
    assert town.get("events", text="lamp-fault", to=event["at"])["events"] == []
    (same,) = town.get("events", **{"text": "lamp-fault", "from": event["at"]})["events"]
    assert same == event
    for moment in ("2026", "1.5e9", "-4e-192", "2026-11-25", "2026-11-25T07:00:00"):
        refused = town.ask("GET", f"events?from={moment}")
        assert refused.status_code == 422
        assert "thời điểm có múi giờ" in refused.json()["vi"]


def test_pages_follow_each_other_without_gap_or_overlap(town: Any, place: str) -> None:
    for number in range(5):
        raised(town, place, f"page-{number}")
    whole = [one["id"] for one in town.get("events", text="page-")["events"]]
    page = town.get("events", text="page-", limit=2)
    ids = [one["id"] for one in page["events"]]
    while page["next"] is not None:
        page = town.get("events", text="page-", limit=2, after=page["next"])
        ids += [one["id"] for one in page["events"]]
    assert ids == whole
    assert len(ids) == 5


def test_history_holds_what_the_lamps_showed(town: Any, place: str) -> None:
    def spans() -> list[dict[str, Any]]:
        town.street.second()
        found: list[dict[str, Any]] = town.get(f"intersections/{place}/history")
        return found

    town.until(lambda: bool(spans()))
    last = spans()[-1]
    assert (last["ended"], last["mode"], last["stage"]) == (None, "ADAPTIVE", 0)
    assert last["aspects"] == town.street.shown[place].aspects


def test_the_audit_chain_is_checked(town: Any, place: str) -> None:
    town.order(f"intersections/{place}/release", "audit-check")
    found = town.get("audit/verify")
    assert found["whole"]
    assert found["entries"] >= 2
    assert len(found["head"]) == 64


def test_readiness_tells_of_the_store(town: Any) -> None:
    assert town.get("/readyz")["ready"]
    assert town.ask("GET", "/healthz", None).json()["status"] == "ok"


@pytest.mark.parametrize("what", ["history", "minutes"])
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
def test_the_first_and_the_last_moment_of_the_calendar_are_no_fault_of_the_centre(
    town: Any, place: str, what: str, end: str
) -> None:
    for query in ({"to": end}, {"from": end}, {"from": end, "to": end}):
        answer = town.ask("GET", f"intersections/{place}/{what}", params=query)
        assert answer.status_code in (200, 422), (query, answer.text)
