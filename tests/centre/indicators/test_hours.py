"""What rows of the street come to by hour, whatever database, however often, however late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.indicators import hours, summing
from denxanh.controller.centre.indicators.hours import extent, gather, load
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import hours as table
from denxanh.controller.centre.store.schema import minutes, signal_events, spans
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.mode import Mode
from denxanh.networks.model import Corridor

DAY = date(2026, 11, 23)
RULES = Indicators()
ALL = (0, 2**62)
Make = Callable[[Store], Any]


def test_an_hour_is_summed_up_alike_in_both_databases(
    store: Store, make_writer: Make, corridor: Corridor
) -> None:
    writer = make_writer(store)
    full = corridor.intersections[0].lanes[0].storage_pcu
    lanes = len(corridor.intersections[0].lanes)
    writer.hour(DAY, 7, full, minutes_of=45)
    writer.hour(DAY, 8, 1.0, Mode.PLAN)
    assert gather(store, corridor, RULES) == 2
    seven, eight = load(store, *ALL)
    assert seven.when.hour == 7
    assert (seven.lanes, seven.lane_s, seven.trusted_s) == (lanes, 45 * 60 * lanes, 45 * 60 * lanes)
    full_lanes = sum(
        full >= RULES.congested_share * lane.storage_pcu for lane in corridor.intersections[0].lanes
    )
    assert seven.congested_s == 45 * 60 * full_lanes > 0
    assert seven.queued_pcu_s == pytest.approx(full * 45 * 60 * lanes)
    assert (seven.adaptive_s, seven.plan_s) == (45 * 60, 0)
    assert (eight.adaptive_s, eight.plan_s, eight.congested_s) == (0, 3600, 0)
    assert (eight.volume, eight.stops) == (None, None)


def test_doubted_minutes_are_seen_and_not_trusted(writer: Any, kept: Store, corridor: Corridor) -> None:
    writer.hour(DAY, 7, 30.0, confidence=0.49)
    gather(kept, corridor, RULES)
    (one,) = load(kept, *ALL)
    assert one.lane_s > 0
    assert (one.trusted_s, one.congested_s, one.queued_pcu_s) == (0, 0, 0)


def test_long_spans_are_cut_at_the_hours(writer: Any, kept: Store, corridor: Corridor) -> None:
    place, begin = writer.place.id, writer.at(DAY, 6, 30)
    writer.spans(
        writer.span(place, begin, begin + 3 * HOUR_MS, Mode.LOCAL),
        writer.span(place, begin + 3 * HOUR_MS, begin + 3 * HOUR_MS + 600_000, Mode.FLASH),
        writer.span(place, begin + 3 * HOUR_MS + 600_000, None, Mode.ADAPTIVE),  # lasts: not known yet
    )
    gather(kept, corridor, RULES)
    found = load(kept, *ALL)
    assert [(one.when.hour, one.local_s, one.other_s, one.adaptive_s) for one in found] == [
        (6, 1800, 0, 0),
        (7, 3600, 0, 0),
        (8, 3600, 0, 0),
        (9, 1800, 600, 0),
    ]


def test_counts_and_faults(writer: Any, kept: Store, corridor: Corridor) -> None:
    writer.spans(writer.span(writer.place.id, writer.at(DAY, 7), writer.at(DAY, 7, 50), Mode.PLAN))
    writer.quarter(writer.at(DAY, 7), 1, 100, 80, 50)
    writer.quarter(writer.at(DAY, 7, 15), 1, 60, None, 0)
    writer.quarter(writer.at(DAY, 8), 1, None, None, 0)
    writer.alarm("link-lost", writer.at(DAY, 6, 50), writer.at(DAY, 7, 10))
    writer.alarm("detector-stuck", writer.at(DAY, 7, 0), writer.at(DAY, 7, 40))
    writer.alarm("door", writer.at(DAY, 7, 0), writer.at(DAY, 7, 40))  # no fault
    writer.alarm("lamp-fault", writer.at(DAY, 7, 0), None)  # still stands
    gather(kept, corridor, RULES)
    (seven,) = load(kept, *ALL)
    assert (seven.volume, seven.stops) == (160, 30)
    assert (seven.faults, seven.fault_s) == (2, 60 * 60)


def test_again_and_again_comes_to_the_same(writer: Any, kept: Store, corridor: Corridor) -> None:
    for hour in range(5, 20):
        writer.hour(DAY, hour, 2.0)
    gather(kept, corridor, RULES)
    first = load(kept, *ALL)
    for again in (False, True, False):
        gather(kept, corridor, RULES, again=again)
        assert load(kept, *ALL) == first


def test_what_comes_late_or_from_before_counts(writer: Any, kept: Store, corridor: Corridor) -> None:
    writer.hour(DAY, 7, 2.0, minutes_of=30)
    gather(kept, corridor, RULES)
    writer.hour(DAY, 9, 2.0)
    writer.hour(DAY - timedelta(days=365), 7, 4.0)  # a year before, restored later
    gather(kept, corridor, RULES)
    assert [one.when.hour for one in load(kept, *ALL)] == [7, 7, 9]
    assert load(kept, *ALL)[0].when.year == 2025


def test_the_sums_outlive_the_rows(writer: Any, kept: Store, corridor: Corridor) -> None:
    for days in (0, 1, 400):
        writer.hour(DAY + timedelta(days=days), 7, 2.0)
    gather(kept, corridor, RULES)
    before = load(kept, *ALL)
    with kept.writing() as connection:
        limit = writer.at(DAY + timedelta(days=300))
        connection.execute(delete(minutes).where(minutes.c.minute_ms < limit))
        connection.execute(delete(spans).where(spans.c.began_ms < limit))
    gather(kept, corridor, RULES, again=True)
    assert load(kept, *ALL) == before


def test_another_threshold_is_written_beside_the_sums(writer: Any, kept: Store, corridor: Corridor) -> None:
    writer.hour(DAY, 7, corridor.intersections[0].lanes[0].storage_pcu * 0.25)
    gather(kept, corridor, RULES)
    (before,) = load(kept, *ALL)
    gather(kept, corridor, RULES.model_copy(update={"congested_share": 0.2}), again=True)
    (after,) = load(kept, *ALL)
    assert (before.congested_share, after.congested_share) == (0.3, 0.2)
    assert before.congested_s == 0 < after.congested_s
    assert replace(after, congested_s=0, congested_share=0.3) == before


def test_an_empty_store(kept: Store, corridor: Corridor) -> None:
    assert extent(kept) is None
    assert gather(kept, corridor, RULES) == 0
    assert load(kept, *ALL) == ()


def test_only_some_intersections(writer: Any, kept: Store, corridor: Corridor) -> None:
    for one in corridor.intersections:
        writer.hour(DAY, 7, 2.0, place=one.id)
    gather(kept, corridor, RULES)
    other = corridor.intersections[1].id
    assert {one.intersection for one in load(kept, *ALL, {other})} == {other}
    assert len(load(kept, *ALL)) == 2


def test_sums_stay_when_only_one_table_has_lost_its_rows(
    writer: Any, kept: Store, corridor: Corridor
) -> None:
    writer.hour(DAY, 7, 2.0)
    gather(kept, corridor, RULES)
    (before,) = load(kept, *ALL)
    with kept.writing() as connection:  # retention cuts within the hour
        connection.execute(delete(spans).where(spans.c.began_ms < writer.at(DAY, 7, 30)))
    gather(kept, corridor, RULES, again=True)
    assert load(kept, *ALL) == (before,)
    with kept.writing() as connection:
        connection.execute(delete(minutes))
    gather(kept, corridor, RULES.model_copy(update={"congested_share": 0.1}), again=True)
    assert load(kept, *ALL) == (before,)


@pytest.mark.parametrize("old", ["alarm", "span that lasts", "quarter", "other intersection"])
def test_old_rows_that_make_no_hour_do_not_have_all_summed_up_again(
    writer: Any, kept: Store, corridor: Corridor, old: str
) -> None:
    long_ago = writer.at(DAY - timedelta(days=700), 7)
    match old:
        case "alarm":
            writer.alarm("door", long_ago, None, place="site")
        case "span that lasts":
            writer.spans(writer.span(writer.place.id, long_ago, None, Mode.PLAN))
        case "quarter":
            writer.quarter(long_ago, 1, None, None, 0)
        case _:
            writer.spans(writer.span("gone", long_ago, long_ago + HOUR_MS, Mode.PLAN))
    for days in range(10):
        writer.hour(DAY + timedelta(days=days), 7, 2.0)
    assert gather(kept, corridor, RULES) == 10
    assert gather(kept, corridor, RULES) == 3


def test_another_process_that_sums_up_at_the_same_moment(
    writer: Any, kept: Store, corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.hour(DAY, 7, 2.0)

    def collide(*_: Any) -> int:
        raise IntegrityError("insert", {}, ValueError("unique"))

    monkeypatch.setattr(hours, "_replace", collide)
    assert gather(kept, corridor, RULES) == 0


def test_summing_goes_on_after_a_bug(
    kept: Store, corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = threading.Semaphore(0)

    def broken(*_: Any) -> int:
        rounds.release()
        raise ValueError("a bug")

    monkeypatch.setattr(summing, "gather", broken)
    monkeypatch.setattr(summing, "FIRST_S", 0.0)
    monkeypatch.setattr(summing, "PERIOD_S", 0.001)

    async def watched() -> None:
        task = asyncio.create_task(summing.Summing(kept, corridor, RULES).run())
        for _ in range(2):
            assert await asyncio.to_thread(rounds.acquire, timeout=5)
        task.cancel()

    asyncio.run(watched())


JUMPS = st.lists(
    st.tuples(st.integers(-3, 300), st.integers(0, 23), st.sampled_from((1, 30, 60)), st.booleans()),
    min_size=2,
    max_size=8,
    unique_by=lambda one: one[:2],
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=JUMPS, lasting_h=st.integers(0, 24 * 20))
def test_however_the_clock_jumps_every_row_comes_into_its_sum(
    writer: Any, kept: Store, corridor: Corridor, rows: list[tuple[int, int, int, bool]], lasting_h: int
) -> None:
    _emptied(kept)
    for day, hour, minutes_of, summed in rows:
        writer.hour(DAY + timedelta(days=day), hour, 2.0, minutes_of=minutes_of)
        if summed:
            gather(kept, corridor, RULES)
    day, hour, _, _ = rows[-1]
    begin = writer.at(DAY + timedelta(days=day), hour + 1)
    writer.spans(writer.span(writer.place.id, begin, begin + lasting_h * HOUR_MS + 1, Mode.FLASH))
    gather(kept, corridor, RULES)
    in_pieces = load(kept, *ALL)
    with kept.writing() as connection:
        connection.execute(delete(table))
    gather(kept, corridor, RULES)
    assert load(kept, *ALL) == in_pieces


def _emptied(store: Store) -> None:
    with store.writing() as connection:
        for one in (table, minutes, spans):
            connection.execute(delete(one))


def test_after_a_jump_of_the_clock_the_running_hour_is_still_summed_up_to_its_end(
    writer: Any, kept: Store, corridor: Corridor
) -> None:
    writer.hour(DAY, 7, 2.0)
    writer.hour(DAY + timedelta(days=200), 7, 2.0, minutes_of=1)
    writer.hour(DAY, 8, 2.0, minutes_of=10)
    gather(kept, corridor, RULES)
    begin = writer.at(DAY, 8, 10)
    writer.spans(writer.span(writer.place.id, begin, begin + 50 * 60_000, Mode.LOCAL))
    gather(kept, corridor, RULES)
    assert [(one.adaptive_s, one.local_s) for one in load(kept, *ALL)] == [(3600, 0), (600, 3000), (300, 0)]


def test_a_state_that_lasts_for_days_is_summed_up_whole(writer: Any, kept: Store, corridor: Corridor) -> None:
    place, begin = writer.place.id, writer.at(DAY)
    writer.spans(writer.span(place, begin, None, Mode.FLASH))
    with kept.reading() as connection:
        number = connection.execute(select(func.max(spans.c.id))).scalar_one()
    for hour in range(0, 120, 12):
        lane = {"intersection": place, "minute_ms": begin + hour * HOUR_MS, "lane": 0, "seconds": 60}
        means = {"queued_mean": 1.0, "queued_max": 1.0, "moving_mean": 1.0, "confidence_min": 0.9}
        with kept.writing() as connection:
            connection.execute(insert(minutes), {**lane, **means})
        gather(kept, corridor, RULES)
    with kept.writing() as connection:
        ended = update(spans).where(spans.c.id == number).values(ended_ms=begin + 120 * HOUR_MS)
        connection.execute(ended)
    end = begin + 120 * HOUR_MS
    writer.spans(writer.span(place, end, end + 60_000, Mode.PLAN))
    gather(kept, corridor, RULES)
    assert [one.other_s for one in load(kept, *ALL)] == [3600.0] * 120 + [0.0]


def test_a_row_from_the_end_of_time_takes_no_time(writer: Any, kept: Store, corridor: Corridor) -> None:
    writer.hour(DAY, 7, 2.0)
    begin = 2**62 - 2**62 % HOUR_MS
    writer.spans(writer.span(writer.place.id, begin, begin + 1000, Mode.PLAN))
    assert gather(kept, corridor, RULES) == 2


def test_quarters_that_are_counted_late_come_into_an_hour_that_has_others(
    writer: Any, kept: Store, corridor: Corridor
) -> None:
    for days in range(5):
        writer.hour(DAY + timedelta(days=days), 7, 2.0)
    with kept.writing() as connection:
        event = {"intersection": writer.place.id, "at_ms": writer.at(DAY, 7), "code": 1, "parameter": 1}
        connection.execute(insert(signal_events), event)
    for number in range(4):
        writer.quarter(writer.at(DAY, 7, 15 * number), 1, 100, 80, 50)
        gather(kept, corridor, RULES)
    assert load(kept, *ALL)[0].volume == 400
    assert gather(kept, corridor, RULES) == 3, "once is enough"
