"""The counters of a run: the same whichever cabinet answers first."""

from __future__ import annotations

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
