"""A report of an exercise begins and ends when the controller has taken it, and not before."""

from __future__ import annotations

from denxanh.cli.exercise_watch import Watch
from denxanh.sim.exercise import Lesson, Script, Wanted
from denxanh.sim.spec import FaultSpec, Happening
from denxanh.sim.streetreport import Reported, StreetReport


def script() -> Script:
    street = StreetReport(happening=Reported.CLOSURE, target="A/a_n", at_s=10, for_s=30)
    link = FaultSpec(happening=Happening.LINK, target="A", at_s=10, for_s=30)
    lessons = tuple(
        Lesson(fault=fault, wanted=Wanted.ACKNOWLEDGE, vi="x", en="x") for fault in (street, link)
    )
    return Script(name_vi="x", name_en="x", seconds=90, lessons=lessons)


class Door:
    """A controller that may be away; keeps what it took."""

    def __init__(self) -> None:
        self.open = True
        self.taken: list[bool] = []

    def __call__(self, _: StreetReport, on: bool) -> bool:
        if self.open:
            self.taken.append(on)
        return self.open


def test_it_is_told_once_at_either_end() -> None:
    door = Door()
    watch = Watch(script(), door)
    for second in range(60):
        watch(float(second))
    assert door.taken == [True, False]
    assert watch.lasted[0].ended_s < float("inf")


def test_a_controller_that_is_away_hears_it_when_it_is_back() -> None:
    door = Door()
    door.open = False
    watch = Watch(script(), door)
    for second in range(20):
        watch(float(second))
    assert 0 not in watch.lasted
    assert 1 in watch.lasted  # the street does its faults by itself
    door.open = True
    for second in range(20, 60):
        watch(float(second))
    assert door.taken == [True, False]


def test_what_nobody_took_in_time_has_not_happened() -> None:
    door = Door()
    door.open = False
    watch = Watch(script(), door)
    for second in range(60):
        watch(float(second))
    door.open = True
    watch(60.0)
    assert 0 not in watch.lasted
    assert door.taken == []
