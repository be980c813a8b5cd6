"""The counters of a run: the same whichever cabinet answers first."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.tally import ModeChange, RunSummary


def test_mode_changes_of_one_second_stand_in_the_order_of_their_intersections() -> None:
    changes = [
        ModeChange(0, "A0", None, "FLASH", "start"),
        ModeChange(0, "B0", None, "FLASH", "start"),
        ModeChange(8, "A0", "FLASH", "LOCAL", "one"),
        ModeChange(8, "A0", "LOCAL", "PLAN", "two"),
        ModeChange(8, "B0", "FLASH", "LOCAL", "one"),
    ]
    answered_otherwise = [changes[i] for i in (1, 0, 4, 2, 3)]
    assert RunSummary(mode_changes=answered_otherwise).as_json() == RunSummary(mode_changes=changes).as_json()
    told = RunSummary(mode_changes=answered_otherwise).as_json()["mode_changes"]
    assert [(one["t"], one["intersection"], one["cause"]) for one in told] == [  # type: ignore[attr-defined]
        (change.t, change.intersection, change.cause) for change in changes
    ]


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.integers(1, 30)), max_size=20))
def test_a_refusal_of_a_cabinet_counts_once_while_it_lasts(said: list[tuple[str | None, int]]) -> None:
    """Also where answers are missing meanwhile, and whatever the other cabinets say."""
    summary, before, wanted = RunSummary(), None, 0
    for reason, seconds in said:
        wanted += reason is not None and reason != before
        before = reason
        for second in range(seconds):
            lost = second % 3 == 1
            value = SimpleNamespace(link_error="lost" if lost else None, late=False, unsent=False, tick=0)
            told = None if lost else reason
            output = SimpleNamespace(guard_refusal=None, cabinet_refusal=told, events=())
            summary.count("A0", cast(TickInput, value), cast(TickOutput, output))
            other = SimpleNamespace(guard_refusal=None, cabinet_refusal="other", events=())
            summary.count("B0", cast(TickInput, value), cast(TickOutput, other))
    refusals = cast(dict[str, int], json.loads(json.dumps(summary.as_json()))["refusals"])
    assert sum(count for reason, count in refusals.items() if reason != "cabinet-other") == wanted
    assert refusals.get("cabinet-other", 0) <= 1
