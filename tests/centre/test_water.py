"""Flooded and closed streets on the console: what the picture says, and in a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from denxanh.controller.alarms import CLEARED
from denxanh.controller.centre.trouble import Code
from denxanh.controller.centre.view import CorridorView
from denxanh.controller.codec import encode_input
from denxanh.controller.priority.telling import STREET_CLOSED
from denxanh.controller.priority.wishes import Wishes
from denxanh.controller.record import Event, TickInput

WHY = "frmis: mau-than 34 cm"


def flooded(scribe: Any, number: int, closed: tuple[str, ...], *events: Event) -> dict[str, Any]:
    """A second in which these approaches are closed."""
    wishes = Wishes(closed=closed, held=("elsewhere",), why=WHY) if closed else None
    heard = TickInput(number, 23_400.0 + number, "2026-11-23", None, None, wishes=wishes)
    record: dict[str, Any] = scribe.tick(number, events=events)
    return {**record, "in": encode_input(heard)}


def test_since_when_and_who_says_so(scribe: Any) -> None:
    view = CorridorView(scribe.corridor)
    approach = scribe.intersection.lanes[0].approach
    alarm = Event("alarm", "Hướng x ngập", "Approach x is flooded", STREET_CLOSED)
    view.take(flooded(scribe, 1, ()), 0.0)
    view.take(flooded(scribe, 2, (approach, "far-away"), alarm), 1.0)
    view.take(flooded(scribe, 3, (approach, "far-away")), 2.0)
    shown = view.snapshot(2.0)
    streets = shown["intersections"][scribe.intersection.id]["streets"]
    assert streets == {"closed": (approach,), "since_s": 23_402.0, "held": ("elsewhere",), "why": WHY}
    # Said once, not a second time as an alarm.
    assert [one["code"] for one in shown["trouble"]] == [Code.FLOODED]
    cleared = replace(alarm, kind="alarm-cleared", text_en=CLEARED[1] + alarm.text_en)
    view.take(flooded(scribe, 4, (), cleared), 3.0)
    shown = view.snapshot(3.0)
    assert shown["intersections"][scribe.intersection.id]["streets"] is None
    assert shown["trouble"] == []


@pytest.mark.parametrize("wrong", [{"closed": 7}, {"closed": [{}]}, "x", []])
def test_wishes_that_are_none_cost_the_second_and_nothing_else(scribe: Any, wrong: Any) -> None:
    view = CorridorView(scribe.corridor)
    record: dict[str, Any] = scribe.tick(1)
    record["in"] = {**record["in"], "wishes": wrong}
    view.take(record, 0.0)
    assert view.skipped == 1
    view.take(scribe.tick(2), 1.0)
    assert view.snapshot(1.0)["intersections"]


class Flood(threading.Thread):
    """Writes a second every 0.2 s, so that the page does not find it stale."""

    def __init__(self, scribe: Any) -> None:
        super().__init__(daemon=True)
        self.closed = (scribe.intersection.lanes[0].approach,)
        self._scribe = scribe
        self.end = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.end.wait(0.2):
            number += 1
            self._scribe.write(flooded(self._scribe, number, self.closed))


def test_water_on_the_map_and_on_the_page(scribe: Any, visit: Callable[..., Any]) -> None:
    flood = Flood(scribe)
    lanes = sum(lane.approach in flood.closed for lane in scribe.intersection.lanes)
    scribe.write(scribe.opened())
    flood.start()
    page = visit("/")
    page.wait("document.querySelectorAll('.wave.shut').length === 1")
    page.wait("document.getElementById('trouble').textContent.includes('Đường ngập hoặc cấm')")
    assert WHY in page.text("#trouble")
    place = visit(f"/intersections/{scribe.intersection.id}", lang="en")
    place.wait(f"document.querySelectorAll('#junction .water.shut').length === {lanes}")
    place.wait("document.getElementById('trouble').textContent.includes('no vehicles from the')")
    assert "since 06:30:01" in place.text("#trouble")
    flood.closed = ()
    page.wait("document.querySelectorAll('.wave.shut').length === 0")
    flood.end.set()
    flood.join()
    assert page.wrong == []
    assert place.wrong == []
