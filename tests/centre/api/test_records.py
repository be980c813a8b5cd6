"""What happened, as the API tells it: events, alarms, lamps, queues, who did what."""

from __future__ import annotations

from typing import Any

from denxanh.controller.operator.message import Role
from denxanh.controller.record import Event


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
