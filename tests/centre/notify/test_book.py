"""Notices over any history: one per fault, none lost, none twice, whatever is restarted or set back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.notify import book
from denxanh.controller.centre.notify.book import Kind, Notice, Told
from denxanh.controller.centre.notify.condition import AlarmRow, Snapshot
from denxanh.controller.centre.notify.tables import NotifyTable

MIN = 60_000
START = 1_764_100_000_000
RULE = {
    "name": "link",
    "what": "alarm",
    "causes": ["link-lost"],
    "severity": "critical",
    "clear_after_min": 5,
    "channels": ["desk"],
    "escalate": [{"after_min": 10, "channels": ["chief"]}, {"after_min": 20, "channels": ["chief", "hook"]}],
}
TABLE = NotifyTable.model_validate(
    {
        "rule": [RULE],
        "channel": [
            {"name": name, "kind": "webhook", "url": "http://127.0.0.1/x", "key_file": "k"}
            for name in ("desk", "chief", "hook")
        ],
    }
)


class Days:
    """Turns one after the other, with what stays between them."""

    def __init__(self, table: NotifyTable = TABLE) -> None:
        self.table = table
        self.open: dict[int, Notice] = {}
        self.said: list[tuple[Kind, int, tuple[str, ...]]] = []
        self._next = 1

    def turn(self, seen: Snapshot) -> list[Told]:
        result = book.turn(self.table.rule, list(self.open.values()), seen, {})
        for notice in result.opened:
            self.open[self._next] = replace(notice, id=self._next)
            self._next += 1
        for notice in result.changed:
            self.open[notice.id] = notice
        for told in result.told:
            number = told.notice.id or next(n for n, one in self.open.items() if one.key == told.notice.key)
            self.said.append((told.kind, number, told.channels))
        self.open = {n: one for n, one in self.open.items() if one.cleared_ms is None}
        return result.told

    def kinds(self) -> list[Kind]:
        return [kind for kind, _, _ in self.said]


def seen(
    minute: float, *places: str, since: float = 0, by: str | None = None, site: float | None = None
) -> Snapshot:
    now = START + int(minute * MIN)
    rows = tuple(
        AlarmRow(place, "link-lost", ("mất", "lost: timeout"), START + int(since * MIN), True, by)
        for place in places
    )
    return Snapshot(now, now if site is None else START + int(site * MIN), now, alarms=rows)


def test_a_fault_is_told_once_and_its_end_once_it_stays_away() -> None:
    days = Days()
    for minute in range(9):
        days.turn(seen(minute, "A"))
    assert days.said == [(Kind.RAISED, 1, ("desk",))]
    for minute in range(9, 14):
        days.turn(seen(minute))
    assert days.kinds() == [Kind.RAISED]
    days.turn(seen(14))
    assert days.said[1:] == [(Kind.CLEARED, 1, ("desk",))]
    assert not days.open


def test_what_flaps_is_one_notice() -> None:
    days = Days()
    for minute in range(120):
        days.turn(seen(minute / 2, *(["A"] if minute % 2 else []), since=minute / 2, by="an"))
    assert days.kinds() == [Kind.RAISED]
    assert days.open[1].times == 60


def test_nobody_takes_note() -> None:
    days = Days()
    for minute in range(40):
        days.turn(seen(minute, "A"))
    assert days.said == [
        (Kind.RAISED, 1, ("desk",)),
        (Kind.ESCALATED, 1, ("chief",)),
        (Kind.ESCALATED, 1, ("chief", "hook")),
    ]
    for minute in range(40, 50):
        days.turn(seen(minute))
    # Whoever was told hears that it is over, once.
    assert days.said[3:] == [(Kind.CLEARED, 1, ("desk", "chief", "hook"))]


def test_a_notifier_that_was_away_escalates_all_at_once() -> None:
    days = Days()
    days.turn(seen(0, "A"))
    days.turn(seen(500, "A"))
    assert days.said[1:] == [(Kind.ESCALATED, 1, ("chief", "hook"))]


def test_somebody_takes_note() -> None:
    days = Days()
    days.turn(seen(0, "A"))
    days.turn(seen(9, "A", by="an"))
    days.turn(seen(60, "A", by="an"))
    assert days.kinds() == [Kind.RAISED]
    assert days.open[1].acknowledged_by == "an"


def test_an_old_acknowledgement_counts_for_no_new_fault() -> None:
    old = AlarmRow("A", "link-lost", ("mất", "lost"), START - 60 * MIN, standing=False, acknowledged_by="an")
    days = Days()
    for minute in (0, 15):
        now = seen(minute, "A")
        days.turn(replace(now, alarms=(*now.alarms, old)))
    assert days.kinds() == [Kind.RAISED, Kind.ESCALATED]


def test_an_acknowledgement_while_it_flaps_counts() -> None:
    days = Days()
    days.turn(seen(0, "A"))
    noted = AlarmRow("A", "link-lost", ("mất", "lost"), START, standing=False, acknowledged_by="an")
    again = seen(3, "A", since=2)
    days.turn(replace(again, alarms=(*again.alarms, noted)))
    days.turn(seen(30, "A", since=2))
    assert days.kinds() == [Kind.RAISED]


def test_while_nothing_is_heard_nothing_ends() -> None:
    days = Days()
    days.turn(seen(0, "A"))
    days.turn(seen(1, site=1))
    days.turn(seen(60, site=1))
    assert days.kinds() == [Kind.RAISED]


@pytest.mark.parametrize("back_min", [90, 60 * 24 * 400])
def test_clocks_that_are_set_back(back_min: int) -> None:
    days = Days()
    days.turn(seen(0, "A"))
    days.turn(seen(-back_min, "A", since=-back_min))
    days.turn(seen(-back_min + 11, "A", since=-back_min))
    assert days.kinds() == [Kind.RAISED, Kind.ESCALATED]
    days.turn(seen(-2 * back_min))
    days.turn(seen(-2 * back_min + 5))
    assert days.kinds()[2:] == [Kind.CLEARED]


def test_a_rule_that_is_gone_closes_its_notices_without_a_word() -> None:
    days = Days()
    days.turn(seen(0, "A"))
    days.table = NotifyTable()
    days.turn(seen(1, "A"))
    assert not days.open
    assert days.kinds() == [Kind.RAISED]


def test_two_faults_at_one_place_are_two_notices_and_other_words_are_the_same() -> None:
    table = TABLE.model_copy(update={"rule": (TABLE.rule[0].model_copy(update={"causes": ("*",)}),)})

    def alarm(cause: str, text: str) -> AlarmRow:
        return AlarmRow("A", cause, (text, text), START, standing=True, acknowledged_by=None)

    days = Days(table)
    first = (alarm("link-lost", "lost: timeout"), alarm("detector-stale", "Detector d1: no fresh data"))
    days.turn(Snapshot(START, START, START, alarms=first))
    again = (
        alarm("link-lost", "lost: refused"),
        alarm("detector-stale", "Detector d1: no fresh data"),
        alarm("detector-stale", "Detector d2: no fresh data"),
    )
    days.turn(Snapshot(START + MIN, START + MIN, START, alarms=again))
    stale = "The report of frmis on gauge {} was not renewed; it counts no more"
    water = tuple(alarm("flood-report-stale", stale.format(name)) for name in ("a", "b"))
    days.turn(Snapshot(START + MIN, START + MIN, START, alarms=again + water))
    assert [one.fault for one in days.open.values()][3:] == [
        f"flood-report-stale The report of frmis on gauge {name} was not renewed" for name in ("a", "b")
    ]
    assert [one.fault for one in days.open.values()][:3] == [
        "link-lost",
        "detector-stale Detector d1",
        "detector-stale Detector d2",
    ]


STEPS = st.lists(
    st.tuples(st.sets(st.sampled_from("ABC")), st.integers(-20, 40), st.integers(0, 30), st.booleans()),
    max_size=40,
)


@given(STEPS)
def test_any_history(steps: list[tuple[set[str], int, int, bool]]) -> None:
    """Presence, clocks and acknowledgements by chance: raised and cleared alternate for each fault."""
    days, wall, site = Days(), 0, 0
    standing: dict[str, bool] = {}
    for places, wall_step, site_step, noted in steps:
        wall, site = wall + wall_step, site + site_step
        since = min(wall, site)
        told = days.turn(seen(wall, *sorted(places), since=since, by="an" if noted else None, site=site))
        assert len({one.key for one in days.open.values()}) == len(days.open)
        for one in told:
            place = one.notice.place
            match one.kind:
                case Kind.RAISED:
                    assert not standing.get(place)
                    assert place in places
                    standing[place] = True
                case Kind.CLEARED:
                    assert standing[place]
                    assert place not in places
                    standing[place] = False
                case Kind.ESCALATED:
                    assert standing[place]
                    assert one.notice.acknowledged_ms is None
        assert places <= {one.place for one in days.open.values()}
        for place, known in standing.items():
            assert known is any(one.place == place for one in days.open.values())
