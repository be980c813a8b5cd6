"""Notices over the API: what was found, whom it was told and why not, and a person taking note."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.notify.condition import FEED
from denxanh.controller.centre.notify.overview import BEAT
from denxanh.controller.centre.notify.posting import MAX_REFUSALS
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.centre.store.schema import deliveries, feed_positions, notices
from denxanh.controller.operator.message import Role

MINUTE_MS = 60_000
HOOK = {"kind": "webhook", "url": "https://ioc.example/in", "key_file": "k"}
NOTIFY = {
    "rule": [{"name": "link", "what": "alarm", "causes": ["*"], "channels": ["hook"]}],
    "channel": [
        {"name": "hook", **HOOK},
        {"name": "night", **HOOK, "quiet": ["00:00", "00:00"]},
        {"name": "busy", **HOOK},
    ],
}


@pytest.fixture
def told(town: Any) -> Iterator[Any]:
    """The town with rules, three notices and what became of their deliveries."""
    centre = town.app.state.centre
    town.app.state.centre = replace(centre, city=CityFile.model_validate({"notify": NOTIFY}))
    at_ms = now_ms() - 10 * MINUTE_MS
    with town.store.writing() as connection:
        for number, severity in ((1, "warning"), (2, "critical"), (3, "info")):
            connection.execute(insert(notices).values(_notice(number, severity, at_ms)))
        for row in (
            _delivery(1, "hook", "", at_ms, sent_ms=at_ms + 1000),
            _delivery(1, "night", "", at_ms),
            _delivery(1, "sms-old", "0912345678", at_ms, sent_ms=at_ms + 1000),
            _delivery(1, "sms-old", "0987654321", at_ms),
            _delivery(2, "hook", "", at_ms, refusals=MAX_REFUSALS, aside_ms=at_ms, trouble="answers 422"),
            _delivery(2, "night", "", at_ms, aside_ms=at_ms),
            _delivery(2, "busy", "", at_ms, trouble="cannot be reached: 0912345678 is busy"),
        ):
            connection.execute(insert(deliveries).values(row))
        values = {"position": "", "sent": 0, "updated_ms": at_ms, "trouble": "x", "trouble_ms": at_ms}
        connection.execute(insert(feed_positions).values(feed=FEED + "busy", **values))
    yield town
    town.app.state.centre = centre
    with town.store.writing() as connection:
        for table in (notices, deliveries, feed_positions):
            connection.execute(delete(table))


def _notice(number: int, severity: str, at_ms: int) -> dict[str, Any]:
    return {
        "id": number,
        "rule": "link",
        "place": "" if number == 3 else "X1",
        "fault": "link-lost",
        "severity": severity,
        "text_vi": "mất kết nối với tủ",
        "text_en": "the link to the cabinet is lost",
        "since_ms": at_ms - MINUTE_MS,
        "raised_ms": at_ms + number,
        "times": 1,
        "level": 0,
        "cleared_ms": at_ms + MINUTE_MS if number == 3 else None,
    }


def _delivery(notice: int, channel: str, recipient: str, at_ms: int, **more: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "recipient": recipient,
        "key": f"{notice}/raised/0/{channel}/{recipient}",
        "notice": notice,
        "kind": "raised",
        "severity": "warning",
        "body": "{}",
        "created_ms": at_ms,
        "refusals": 0,
        **more,
    }


def whys(notice: Any) -> dict[str, str | None]:
    return {one["channel"]: one["why"] for one in notice["told"]}


def test_notices_come_newest_first_in_pages(told: Any) -> None:
    page = told.get("notices", limit=2)
    assert [one["id"] for one in page["notices"]] == [3, 2]
    older = told.get("notices", limit=2, after=page["next"])
    assert [one["id"] for one in older["notices"]] == [1]
    assert older["next"] is None
    assert told.ask("GET", "notices", params={"after": "[1,2,3]"}).status_code == 404


def test_open_ones_and_those_of_a_place(told: Any) -> None:
    assert [one["id"] for one in told.get("notices", open="true")["notices"]] == [2, 1]
    assert [one["id"] for one in told.get("notices", intersection="X1")["notices"]] == [2, 1]
    assert told.get("notices", intersection="X2")["notices"] == []


def test_it_says_whom_it_was_told_and_why_not(told: Any) -> None:
    _, critical, warning = told.get("notices")["notices"]
    assert whys(warning) == {"hook": None, "night": "quiet", "sms-old": "gone"}
    assert whys(critical) == {"hook": "refused", "night": "old", "busy": "trouble"}
    gone = next(one for one in warning["told"] if one["channel"] == "sms-old")
    assert (gone["recipients"], gone["sent"], gone["aside"]) == (2, 1, 0)
    assert told.get("notices")["notices"][0]["told"] == []


def test_what_waits_behind_others_waits_for_its_turn(told: Any) -> None:
    with told.store.writing() as connection:
        connection.execute(insert(deliveries).values(_delivery(3, "busy", "", now_ms())))
    assert whys(told.get("notices")["notices"][0]) == {"busy": "turn"}


def test_who_waits_for_a_turn_is_not_told_what_was_said_to_another(told: Any) -> None:
    """Two numbers of one channel: one was refused and put aside, the other waits behind others."""
    with told.store.writing() as connection:
        refused = {"refusals": MAX_REFUSALS, "aside_ms": now_ms(), "trouble": "answers 400: bad number"}
        for row in (_delivery(3, "busy", "a", now_ms()), _delivery(3, "busy", "b", now_ms(), **refused)):
            connection.execute(insert(deliveries).values(row))
    (one,) = told.get("notices")["notices"][0]["told"]
    assert (one["why"], one["trouble"]) == ("turn", None)
    with told.store.writing() as connection:
        connection.execute(update(deliveries).where(deliveries.c.recipient == "a").values(sent_ms=now_ms()))
    (one,) = told.get("notices")["notices"][0]["told"]
    assert (one["why"], one["trouble"]) == ("refused", "answers 400: bad number")


def test_channels_and_whether_anybody_works_on_them(told: Any) -> None:
    found = told.get("notices/channels")
    assert (found["rules"], found["running"], found["heard"]) == (1, False, None)
    by_name = {one["name"]: one for one in found["channels"]}
    assert list(by_name) == ["hook", "night", "busy", "sms-old"]
    assert by_name["sms-old"]["kind"] is None
    assert by_name["night"]["quiet"]
    assert not by_name["hook"]["quiet"]
    counts = [by_name["hook"][name] for name in ("waiting", "sent", "aside")]
    assert counts == [0, 1, 1]
    assert by_name["hook"]["troubled"] is None
    assert by_name["busy"]["troubled"] is not None
    assert "busy" in by_name["busy"]["trouble"]
    positions.put(told.store, BEAT, None)
    assert told.get("notices/channels")["running"]
    with told.store.writing() as connection:
        connection.execute(feed_positions.update().values(updated_ms=now_ms() - 200_000))
    assert not told.get("notices/channels")["running"]


def test_what_a_receiver_said_is_for_those_who_act_on_it(told: Any) -> None:
    for path in ("notices", "notices/channels"):
        assert "0912345678" in told.ask("GET", path, Role.OPERATOR).text
        assert "0912345678" not in told.ask("GET", path, Role.VIEWER).text
        assert "0987654321" not in told.ask("GET", path, Role.OPERATOR).text


def test_a_person_takes_note_once_and_the_log_knows(told: Any) -> None:
    path = "notices/1/acknowledge"
    assert told.ask("POST", path, Role.VIEWER, json={"note": ""}).status_code == 403
    first = told.ask("POST", path, Role.OPERATOR, json={"note": "Đã cử đội"}).json()
    assert (first["acknowledged_by"], first["note"]) == ("test-operator", "Đã cử đội")
    again = told.ask("POST", path, Role.ENGINEER, json={"note": "tôi nữa"}).json()
    assert (again["acknowledged_by"], again["note"]) == ("test-operator", "Đã cử đội")
    (row,) = audit.search(told.store, action="notice.").rows
    assert (row["action"], row["actor"], row["target"]) == ("notice.acknowledge", "test-operator", "X1")
    assert told.ask("POST", "notices/99/acknowledge", json={"note": ""}).status_code == 404
    assert told.ask("POST", path, json={"note": "a\u0000b"}).status_code == 422
