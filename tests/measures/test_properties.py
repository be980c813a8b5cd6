"""What must hold of every log, whatever it says."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta, timezone
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures import drawing
from denxanh.controller.measures.coverage import coverage
from denxanh.controller.measures.detectors import Suspicion, detector_health
from denxanh.controller.measures.duties import Duties, duties
from denxanh.controller.measures.losses import Loss, communication
from denxanh.controller.measures.presence import presence
from denxanh.controller.measures.quarters import QUARTER_MS, TRAIL_MS, PhaseQuarter, quarters
from denxanh.controller.measures.summary import measure, summary
from denxanh.controller.measures.turning import turn_counts
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Intersection, Lane, LaneGroup

Event = tuple[int, int, int]
HANOI = timezone(timedelta(hours=7))
CODES = (0, 1, 4, 5, 6, 7, 8, 10, 11, 12, 21, 22, 23, 24, 43, 44, 45, 81, 82, 83, 84, 88, 90, 131, 132, 173)
ANY_EVENT = st.tuples(
    st.integers(0, 40_000).map(lambda tenth: tenth * 100),
    st.sampled_from((*CODES, 500, 501, 902, 910, 911, 912, -1, 32_767)),
    st.one_of(st.integers(0, 30), st.sampled_from((-(2**31), 2**31 - 1))),
)


@pytest.fixture(params=[11, 12])
def log(
    request: pytest.FixtureRequest,
    make_log: Callable[[list[Event]], EventLog],
    make_events: Callable[..., list[Event]],
) -> EventLog:
    return make_log(make_events(request.param, 75))


def test_quarters_conserve_what_they_count(log: EventLog, watched: Duties, begin_ms: int) -> None:
    rows = quarters(log, watched, begin_ms, begin_ms + 6 * QUARTER_MS)
    whole = {line.phase: line for line in summary(measure(log, watched, begin_ms, begin_ms + 6 * QUARTER_MS))}
    same = ("gap_outs", "max_outs", "force_offs", "volume", "arrivals", "split_failures", "red_entries")
    for phase in watched.vehicles:
        mine = [row for row in rows if row.phase == phase]
        for name in (*same, "yellow_entries"):
            parts = [getattr(row, name) for row in mine]
            assert sum(part or 0 for part in parts) == (getattr(whole[phase], name) or 0)
        assert sum(row.cycles for row in mine) == int(((log.code == 1) & (log.parameter == phase)).sum())
        assert max(row.wait_max_s or 0 for row in mine) == pytest.approx(whole[phase].wait_max_s, abs=0.05)
    for row in rows:
        assert 0 < row.known_s <= 900
        assert 0 <= row.green_s + row.yellow_s <= row.known_s + 0.11
        assert (row.arrivals_on_green or 0) <= (row.arrivals or 0)
        assert row.gap_outs + row.max_outs + row.force_offs <= row.cycles + 1
    assert len({(row.begin_ms, row.phase) for row in rows}) == len(rows)


def test_quarters_do_not_depend_on_how_they_are_cut(log: EventLog, watched: Duties, begin_ms: int) -> None:
    whole = quarters(log, watched, begin_ms, begin_ms + 5 * QUARTER_MS)
    apart: list[PhaseQuarter] = []
    for at in range(begin_ms, begin_ms + 5 * QUARTER_MS, QUARTER_MS):
        before = np.flatnonzero(log.at_ms < at - QUARTER_MS)[-1:]
        end = at + QUARTER_MS + TRAIL_MS
        after = np.flatnonzero(log.at_ms >= end)[:1]
        within = np.flatnonzero((log.at_ms >= at - QUARTER_MS) & (log.at_ms < end))
        part = np.concatenate((before, within, after))
        cut = EventLog(log.at_ms[part], log.code[part], log.parameter[part])
        apart += quarters(cut, watched, at, at + QUARTER_MS)
    assert apart == whole


@given(st.lists(ANY_EVENT, max_size=120))
@settings(max_examples=25, deadline=None)
def test_no_log_breaks_a_measure(events: list[Event]) -> None:
    place = duties(crossroads_corridor(1).intersections[0])
    events = sorted(events, key=lambda event: event[0])
    rows = np.array(events, np.int64).reshape(-1, 3)
    log = EventLog(rows[:, 0], rows[:, 1].astype(np.int16), rows[:, 2].astype(np.int32))
    found = measure(log, place, 0, 5 * QUARTER_MS)
    for line in summary(found):
        for name, value in asdict(line).items():
            if isinstance(value, float | int):
                assert value >= 0, name
            if name in ("share_on_green", "green_occupancy", "red_occupancy") and value is not None:
                assert value <= 1
    for row in quarters(log, place, 0, 5 * QUARTER_MS):
        assert 0 < row.known_s <= 900
        assert row.green_s <= row.known_s + 0.1
    detector_health(log, place, found.known)
    communication(log)
    ElementTree.fromstring(drawing.terminations(found, HANOI))
    assert found.known_s <= 5 * 900


def test_whole_quarters_only(log: EventLog, watched: Duties, begin_ms: int) -> None:
    for begin, end in ((begin_ms + 1, begin_ms + QUARTER_MS), (begin_ms, begin_ms), (begin_ms, begin_ms + 5)):
        with pytest.raises(ValueError, match="no whole quarters"):
            quarters(log, watched, begin, end)


def test_a_vehicle_of_a_mixed_lane_counts_once(watched: Duties) -> None:
    """Each loop counts for one phase; shares of a loop's movements add up to its vehicles."""
    channels = [loop.channel for loop in watched.stop_line]
    assert len(channels) == len(set(channels))
    for channel in channels:
        assert sum(part.share for part in watched.movements if part.channel == channel) == pytest.approx(1)


def test_the_lead_of_a_lane_has_the_largest_share(intersection: Intersection) -> None:
    lane: Lane = intersection.lanes[0]
    even = replace(lane, groups=(LaneGroup(3, 0.5, ()), LaneGroup(1, 0.5, ())))
    other = replace(intersection, lanes=(even, *intersection.lanes[1:]))
    lead = {loop.channel: loop.phase for loop in duties(other).stop_line}
    assert lead[1] == 2


def test_turns(make_log: Callable[[list[Event]], EventLog], watched: Duties, begin_ms: int) -> None:
    on = [(begin_ms + 1000 * second, 82, 1) for second in range(10)]  # north: straight 0.7, turns 0.3
    on += [(begin_ms + 1000 * second, 82, 9) for second in range(4)]  # east's own left lane
    counts = {
        one.phase: one
        for one in turn_counts(make_log(on), watched, np.array([begin_ms, begin_ms + QUARTER_MS]))
    }
    assert counts[2].vehicles.tolist() == pytest.approx([7.0])
    assert counts[4].vehicles.tolist() == pytest.approx([3.0])
    assert counts[3].vehicles.tolist() == [4.0]
    assert not counts[2].counted
    assert not counts[3].counted  # the right turn of east's other lane is a share


def test_detectors_that_look_wrong(
    make_log: Callable[[list[Event]], EventLog], watched: Duties, begin_ms: int
) -> None:
    minute = 60_000
    events: list[Event] = [(begin_ms, 911, 0), (begin_ms + 60 * minute, 501, 60)]
    events += [(begin_ms + 5000 * n, 82, 1) for n in range(100)]  # 2, the same lane's other loop, is silent
    events += [(begin_ms + 5000 * n + 400, 81, 1) for n in range(100)]
    events += [(begin_ms + minute, 82, 5), (begin_ms + 30 * minute, 81, 5)]  # a queue does not stand so long
    events += [(begin_ms + 100 * n, 82 - n % 2, 9) for n in range(600)]  # 300 a minute
    events += [(begin_ms, 84, 13), (begin_ms + minute, 88, 13), (begin_ms + 2 * minute, 83, 13)]
    log = make_log(events)
    found = {one.channel: one for one in detector_health(log, watched, coverage(log))}
    assert found[1].suspicion is Suspicion.NONE
    assert found[1].actuations == 100
    assert found[2].suspicion is Suspicion.SILENT
    assert found[5].suspicion is Suspicion.STUCK_ON
    assert found[5].longest_on_s == 29 * 60
    assert found[9].suspicion is Suspicion.ERRATIC
    assert found[13].suspicion is Suspicion.FAULT
    assert (found[13].faults, found[13].faulty_s) == (1, 120)
    assert found[21].suspicion is Suspicion.NONE  # nobody came to this lane at all


def test_losses(make_log: Callable[[list[Event]], EventLog], begin_ms: int) -> None:
    events = [
        (begin_ms, 911, 0),
        (begin_ms + 1000, 910, 1),
        (begin_ms + 60_000, 500, 12),
        (begin_ms + 60_000, 501, 60),
        (begin_ms + 90_000, 911, 0),
        (begin_ms + 95_000, 910, 2),
    ]
    found = communication(make_log(events))
    assert found.losses == (
        Loss(begin_ms + 1000, begin_ms + 90_000, "no-answer"),
        Loss(begin_ms + 95_000, None, "no-records"),
    )
    assert (found.failures, found.polls) == (12, 60)
    known = coverage(make_log(events))
    assert known.known_ms(begin_ms, begin_ms + QUARTER_MS) == 6000


def test_silence_is_a_gap_only_where_a_log_does_not_tell(
    make_log: Callable[[list[Event]], EventLog], begin_ms: int
) -> None:
    log = make_log(
        [(begin_ms, 1, 1), (begin_ms + 1000, 8, 1), (begin_ms + 900_000, 10, 1), (begin_ms + 901_000, 1, 1)]
    )
    assert coverage(log).known_ms(begin_ms, begin_ms + QUARTER_MS) == 900_000
    assert coverage(log, silence_ms=300_000).known_ms(begin_ms, begin_ms + 2 * QUARTER_MS) == 2000


def test_presence_of_a_vehicle_that_was_there_before(
    make_log: Callable[[list[Event]], EventLog], begin_ms: int
) -> None:
    log = make_log(
        [(begin_ms, 911, 0), (begin_ms + 5000, 81, 1), (begin_ms + 9000, 82, 1), (begin_ms + 9500, 910, 1)]
    )
    found = presence(log, (1,), coverage(log))
    assert found.on_ms.tolist() == [begin_ms, begin_ms + 9000]
    assert found.off_ms.tolist() == [begin_ms + 5000, begin_ms + 9500]


def test_pictures_are_whole_and_name_what_they_show(log: EventLog, watched: Duties, begin_ms: int) -> None:
    found = measure(log, watched, begin_ms, begin_ms + 4 * QUARTER_MS)
    for phase in (1, 3):
        diagram = ElementTree.fromstring(drawing.coordination(found, phase, HANOI, drawing.VIETNAMESE))
        dots = [one for one in diagram.iter() if one.tag.endswith("circle")]
        place, _ = found.arrivals[phase].in_cycle
        assert len(dots) == int(((place >= 0) & found.within(found.arrivals[phase].at_ms)).sum()) > 10
        assert diagram.get("aria-label") == f"nhóm đèn {watched.name(phase)}"
        bars = ElementTree.fromstring(drawing.split_monitor(found, phase, HANOI))
        assert sum(one.tag.endswith("rect") for one in bars.iter()) == summary(found)[phase - 1].greens
    picture = drawing.standalone(drawing.terminations(found, HANOI))
    assert picture.count("<style>") == 1
    ElementTree.fromstring(picture)


def test_measures_of_a_busy_day_are_quick(watched: Duties, begin_ms: int) -> None:
    """A day with 300,000 events, as a large intersection's: seconds, not minutes."""
    chance = random.Random(1)
    size = 300_000
    at = np.sort(np.array([begin_ms + 100 * chance.randrange(864_000) for _ in range(size)], np.int64))
    code = np.array(chance.choices((1, 8, 10, 43, 44, 81, 82), k=size), np.int16)
    log = EventLog(at, code, np.array(chance.choices(range(1, 27), k=size), np.int32))
    assert len(quarters(log, watched, begin_ms, begin_ms + 96 * QUARTER_MS)) == 96 * 6
