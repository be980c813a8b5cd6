"""Commands are answered by what the cabinet shows, once per key, and every one of them is on record."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from denxanh.controller.centre.command import book, service
from denxanh.controller.mode import Mode
from denxanh.controller.operator.client import Answer
from denxanh.controller.operator.message import Role
from denxanh.controller.operator.standing import StandingView
from denxanh.errors import StoreError, UnreachableError
from denxanh.plc.contract import CabinetMode

_NUMBERS = itertools.count(1)


@pytest.fixture
def key() -> str:
    """A key that no test has used."""
    return f"test-{next(_NUMBERS)}"


@pytest.fixture
def hasty(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait half a second for the effect instead of twenty."""
    monkeypatch.setattr(town.app.state.centre.commands, "_answer_s", 0.5)


def audited(town: Any, key: str) -> list[tuple[str, str]]:
    """(action, outcome) of the log's entries about a command, oldest first."""
    entries = town.get("audit", text=key)["entries"]
    return [(one["action"], one["outcome"]) for one in reversed(entries)]


def test_hold_is_done_when_the_cabinet_shows_the_stage(town: Any, place: str, key: str) -> None:
    answer = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    assert answer.status_code == 200, answer.text
    command = answer.json()
    assert (command["state"], command["stage"], command["actor"]) == ("done", 2, "test-engineer")
    assert command["cabinet"]["stage"] == 2
    assert command["cabinet"]["mode"] == "adaptive"
    assert command["why"]["vi"]
    assert command["why"]["en"]
    order = town.street.given[-1]
    assert (order.id, order.kind, order.stage, order.for_s) == (key, "hold", 2, 300)
    assert (order.actor, order.role, order.reason) == ("test-engineer", Role.ENGINEER, "Kiểm thử giữ pha")
    assert audited(town, key) == [("order.hold", "asked"), ("order.hold", "done")]
    (asked,) = town.get("audit", text=key, outcome="asked")["entries"]
    assert asked["detail"]["token"] in [one.id for one in town.people.tokens.list("test-engineer")]


def test_release_ends_what_stands(town: Any, place: str, key: str) -> None:
    town.order(f"intersections/{place}/hold", f"{key}-before", stage=2, for_s=300)
    command = town.order(f"intersections/{place}/release", key).json()
    assert command["state"] == "done"
    assert town.get(f"intersections/{place}/status")["orders"] == []


def test_plan_is_done_when_the_cabinet_runs_it(town: Any, place: str, key: str) -> None:
    command = town.order(f"intersections/{place}/plan", key, plan=2, for_s=1800).json()
    assert command["state"] == "done"
    assert (command["cabinet"]["mode"], command["cabinet"]["plan"]) == ("central-plan", 2)


def test_a_stage_that_is_only_ordered_is_not_done(town: Any, place: str, key: str, hasty: None) -> None:
    town.street.obedient = False
    answer = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    assert answer.status_code == 202
    assert answer.json()["state"] == "waiting"
    assert answer.json()["cabinet"]["stage"] == 0
    assert audited(town, key) == [("order.hold", "asked")]
    # The centre goes on watching; nobody has to ask again for the outcome to be on record.
    town.street.change(place, {"stage": 2, "stage_next": 2}, stage=2, mode=Mode.MANUAL, cause="operator-hold")
    town.street.second()
    town.until(lambda: town.get(f"commands/{key}")["state"] == "done")
    assert audited(town, key) == [("order.hold", "asked"), ("order.hold", "done")]


def test_police_at_the_panel_keep_a_hold_waiting(town: Any, place: str, key: str, hasty: None) -> None:
    town.street.obedient = False
    town.street.change(place, {"mode": CabinetMode.MANUAL, "stage": 2, "stage_next": 2, "panel": 2})
    town.street.change(place, stage=2, mode=Mode.MANUAL, cause="police-panel")
    command = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300).json()
    assert command["state"] == "waiting"
    assert command["cabinet"]["police_panel"]
    assert "cảnh sát" in command["why"]["vi"]


def test_an_order_that_is_replaced_before_it_showed_has_ended(
    town: Any, place: str, key: str, hasty: None
) -> None:
    town.street.obedient = False
    town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    other = StandingView("someone-else", "hold", "lan", "operator", "khác", 1, None, 100)
    town.street.change(place, orders=(other,))
    town.street.second()
    town.until(lambda: town.get(f"commands/{key}")["state"] == "ended")


def test_the_same_key_gives_the_same_answer_and_no_second_order(town: Any, place: str, key: str) -> None:
    first = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    given = len(town.street.given)
    again = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    assert again.json() == first.json()
    assert len(town.street.given) == given
    assert town.get(f"commands/{key}") == first.json()


@pytest.mark.parametrize(
    ("path", "body", "role"),
    [
        ("hold", {"stage": 1, "for_s": 300}, Role.ENGINEER),
        ("hold", {"stage": 2, "for_s": 301}, Role.ENGINEER),
        ("hold", {"stage": 2, "for_s": 300, "reason": "Vì lý do khác"}, Role.ENGINEER),
        ("hold", {"stage": 2, "for_s": 300}, Role.OPERATOR),
        ("release", {}, Role.ENGINEER),
    ],
)
def test_the_same_key_for_another_wish_is_refused(
    town: Any, place: str, key: str, path: str, body: dict[str, Any], role: Role
) -> None:
    town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    given = len(town.street.given)
    answer = town.order(f"intersections/{place}/{path}", key, role=role, **body)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:denxanh:problem:key-reused"
    assert len(town.street.given) == given


def test_one_key_at_the_same_time_is_given_once(town: Any, place: str, key: str) -> None:
    given = len(town.street.given)
    answers: list[Any] = []

    def send() -> None:
        answers.append(town.order(f"intersections/{place}/hold", key, stage=2, for_s=300).json())

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(town.street.given) == given + 1
    assert {answer["state"] for answer in answers} == {"done"}


def test_a_refusal_of_the_controller_is_told_in_its_words(town: Any, place: str, key: str) -> None:
    town.street.answer = Answer(False, "unreachable-stage", "from stage 0")
    command = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300).json()
    assert command["state"] == "refused"
    assert "không thể chuyển" in command["why"]["vi"]
    assert audited(town, key)[-1] == ("order.hold", "refused")


def test_without_a_controller_nothing_is_claimed(town: Any, place: str, key: str) -> None:
    town.street.answer = UnreachableError("cannot be reached", where="operator.sock")
    command = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300).json()
    assert command["state"] == "unreachable"


def test_an_order_that_was_taken_although_no_answer_came_is_found_standing(
    town: Any, place: str, key: str
) -> None:
    lost = UnreachableError("no answer within 3 s", where="operator.sock")
    lost.__cause__ = TimeoutError()
    town.street.answer = lost
    view = StandingView(key, "hold", "test-engineer", "engineer", "Kiểm thử giữ pha", 2, None, 300)
    town.street.change(place, {"stage": 2, "stage_next": 2}, stage=2, mode=Mode.MANUAL, cause="operator-hold")
    town.street.change(place, orders=(view,))
    town.street.second()
    command = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300).json()
    assert command["state"] == "done"


def test_adaptive_is_done_when_the_cabinet_is_adaptive_again(
    town: Any, place: str, key: str, hasty: None
) -> None:
    town.order(f"intersections/{place}/plan", f"{key}-before", plan=2, for_s=1800)
    town.street.change(place, orders=(), mode=Mode.PLAN, cause="hold-off: 40 s")
    town.street.answer = Answer(True, None, "")
    take, town.street._take = town.street._take, lambda order: None
    try:
        answer = town.order(f"intersections/{place}/mode", key, target="ADAPTIVE")
    finally:
        town.street._take = take
    assert answer.status_code == 202
    assert (answer.json()["target"], answer.json()["kind"]) == ("ADAPTIVE", "mode")
    town.street.change(place, {"mode": CabinetMode.ADAPTIVE}, mode=Mode.ADAPTIVE, cause="in-charge")
    town.street.second()
    town.until(lambda: town.get(f"commands/{key}")["state"] == "done")


def test_what_is_not_there_is_not_ordered(town: Any, place: str, key: str) -> None:
    given = len(town.street.given)
    assert town.order(f"intersections/{place}/hold", key, stage=9, for_s=300).status_code == 404
    assert town.order(f"intersections/{place}/plan", key, plan=99, for_s=300).status_code == 404
    assert town.order("intersections/NOWHERE/release", key).status_code == 404
    assert len(town.street.given) == given
    assert town.ask("GET", f"commands/{key}").status_code == 404


def test_json_has_one_kind_of_number(town: Any, place: str, key: str) -> None:
    assert town.order(f"intersections/{place}/hold", key, stage=2.0, for_s=300.0).json()["for_s"] == 300


@pytest.mark.parametrize(
    "body",
    [
        {"stage": 0.5, "for_s": 300},
        {"stage": True, "for_s": 300},
        {"stage": 0, "for_s": 5},
        {"stage": 0, "for_s": 3601},
        {"stage": "0", "for_s": 300},
        {"stage": 0, "for_s": 300, "reason": "x"},
        {"stage": 0, "for_s": 300, "reason": "hai\ndòng"},
        {"stage": 0, "for_s": 300, "more": 1},
        {"for_s": 300},
    ],
)
def test_a_body_that_is_not_right_names_its_fields(
    town: Any, place: str, key: str, body: dict[str, Any]
) -> None:
    answer = town.order(f"intersections/{place}/hold", key, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert all(one["field"].startswith("body") for one in answer.json()["errors"])


def test_a_command_needs_a_key(town: Any, place: str) -> None:
    body = {"reason": "Không có khóa", "stage": 0, "for_s": 60}
    answer = town.ask("POST", f"intersections/{place}/hold", json=body)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.text


def test_a_full_disk_means_no_order(town: Any, place: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise StoreError("the database refuses: disk is full", where="centre.db")

    given = len(town.street.given)
    monkeypatch.setattr(book.ledger, "enter", full)
    answer = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:denxanh:problem:store-unavailable"
    assert len(town.street.given) == given


@pytest.mark.parametrize("part", ["ledger", "audit"])
def test_an_outcome_that_cannot_be_stored_is_not_called_final(
    town: Any, place: str, key: str, hasty: None, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    append = book.audit.entry

    def full(*given: Any, **said: Any) -> Any:
        if said.get("outcome") == "asked":
            return append(*given, **said)
        raise StoreError("the database refuses: disk is full", where="centre.db")

    monkeypatch.setattr(service, "RETRY_S", 0.1)
    with monkeypatch.context() as broken:
        if part == "ledger":
            broken.setattr(book.ledger, "close", full)
        else:
            broken.setattr(book.audit, "entry", full)
        answer = town.order(f"intersections/{place}/hold", key, stage=2, for_s=300)
        assert answer.status_code == 202
        assert "kho dữ liệu" in answer.json()["why"]["vi"]
    town.until(lambda: town.get(f"commands/{key}")["state"] == "done")
    assert audited(town, key) == [("order.hold", "asked"), ("order.hold", "done")]


def test_commands_are_listed_newest_first(town: Any, place: str, key: str) -> None:
    for number in range(3):
        town.order(f"intersections/{place}/release", f"{key}-{number}")
    first = town.get(f"intersections/{place}/commands", limit=2)
    assert [one["id"] for one in first["commands"]] == [f"{key}-2", f"{key}-1"]
    rest = town.get("commands", limit=1, after=first["next"])
    assert [one["id"] for one in rest["commands"]] == [f"{key}-0"]
    assert town.ask("GET", "commands?after=nonsense").status_code == 404
