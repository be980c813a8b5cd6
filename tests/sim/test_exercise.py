"""What an exercise plays, and how it is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from denxanh.errors import ConfigError
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor
from denxanh.sim.exercise import Deed, Grade, Lasted, Lesson, Script, Wanted, debrief, load, usual
from denxanh.sim.mishaps import Hooks, Mishaps
from denxanh.sim.spec import FaultSpec, Happening


def lesson(wanted: Wanted, place: str = "A") -> Lesson:
    fault = FaultSpec(happening=Happening.LINK, target=place, at_s=10, for_s=20)
    return Lesson(fault=fault, wanted=wanted, within_s=60, vi="x", en="x")


def judged(wanted: Wanted, *deeds: Deed, ended_s: float = 200.0) -> tuple[Grade, str | None]:
    script = Script(name_vi="x", name_en="x", seconds=60, lessons=(lesson(wanted),))
    (found,) = debrief(script, {0: Lasted(100.0, ended_s)}, deeds)
    return found.grade, found.actor


ACK = "alarm.acknowledge"


@pytest.mark.parametrize(
    ("deeds", "grade"),
    [
        ((Deed(150, "lan", ACK, "A"),), Grade.RIGHT),
        ((Deed(161, "lan", ACK, "A"),), Grade.LATE),
        ((Deed(99, "lan", ACK, "A"),), Grade.MISSED),
        ((Deed(150, "lan", ACK, "B"),), Grade.MISSED),
        ((Deed(150, "lan", "order.hold", "A"),), Grade.MISSED),
        ((Deed(170, "huy", ACK, "A"), Deed(120, "lan", ACK, "A")), Grade.RIGHT),
    ],
)
def test_an_alarm_is_acknowledged_there_then_and_in_time(deeds: tuple[Deed, ...], grade: Grade) -> None:
    assert judged(Wanted.ACKNOWLEDGE, *deeds)[0] is grade


def test_who_did_it_first_is_named() -> None:
    deeds = (Deed(140, "huy", "order.plan", "A"), Deed(120, "lan", "order.plan", "A"))
    assert judged(Wanted.PLAN, *deeds) == (Grade.RIGHT, "lan")


def test_an_order_where_none_is_wanted_is_wrong_only_while_the_fault_lasts() -> None:
    order = Deed(150, "lan", "order.hold", "A")
    assert judged(Wanted.LEAVE, order) == (Grade.WRONG, "lan")
    assert judged(Wanted.LEAVE, order, ended_s=149) == (Grade.RIGHT, None)
    assert judged(Wanted.LEAVE, Deed(150, "lan", ACK, "A")) == (Grade.RIGHT, None)


def test_what_never_began_is_not_judged() -> None:
    script = Script(name_vi="x", name_en="x", seconds=60, lessons=(lesson(Wanted.PLAN),))
    assert debrief(script, {}, [Deed(1, "lan", "order.plan", "A")])[0].grade is Grade.NOT_REACHED


@pytest.mark.parametrize("name", catalogue.names())
def test_the_usual_exercise_fits_every_corridor(name: str, tmp_path: Path) -> None:
    corridor = catalogue.load(name)
    script = usual(corridor)
    hooks = Hooks(*(lambda *_: None,) * 5)
    Mishaps(script.faults, corridor.intersections, hooks)
    assert max(one.fault.at_s + one.fault.for_s for one in script.lessons) < script.seconds
    path = tmp_path / "script.json"
    path.write_text(script.model_dump_json(), encoding="utf-8")
    assert load(path) == script


def test_a_single_intersection_is_enough() -> None:
    assert {one.place for one in usual(crossroads_corridor(1)).lessons} == {"X1"}


def test_a_wrong_script_names_every_key(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"name_vi": "x", "seconds": 1, "lessons": []}', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    text = str(caught.value)
    assert all(key in text for key in ("name_en", "seconds", "lessons"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.json")
