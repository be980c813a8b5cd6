"""Measures by quarter of an hour: worked out once a quarter is over, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from denxanh.controller.centre.store import backup, measuring
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.measuring import Measuring
from denxanh.controller.centre.store.quarters import catch_up, missing, read, window, work_out
from denxanh.controller.centre.store.retention import Days, retain
from denxanh.controller.centre.store.schema import quarter_hours, signal_events
from denxanh.controller.measures.duties import Duties, duties
from denxanh.controller.measures.quarters import QUARTER_MS, PhaseQuarter
from denxanh.networks.model import Corridor

BEGIN_MS = 1_764_000_000_000 - 1_764_000_000_000 % QUARTER_MS
Event = tuple[int, int, int]


@pytest.fixture
def place(corridor: Corridor) -> Duties:
    return duties(corridor.intersections[0])


def signal(minutes: int, phase: int = 1) -> list[Event]:
    """A phase that is green for 20 s of each minute, and a vehicle on its stop line half a minute in each."""
    found: list[Event] = [(BEGIN_MS, 911, 0)]
    for at in range(BEGIN_MS + 10_000, BEGIN_MS + 60_000 * minutes, 60_000):
        found += [(at, 1, phase), (at + 20_000, 5, phase), (at + 20_000, 8, phase), (at + 23_000, 10, phase)]
        found += [
            (at + 1000, 82, 5),
            (at + 29_000, 81, 5),
            (at + 40_000, 43, phase),
            (at + 60_000, 44, phase),
        ]
    return sorted(found)


def put(store: Store, place: Duties, events: Iterable[Event]) -> None:
    with store.writing() as connection:
        connection.execute(
            insert(signal_events),
            [
                {
                    "intersection": place.numbering.intersection,
                    "at_ms": at,
                    "code": code,
                    "parameter": parameter,
                }
                for at, code, parameter in events
            ],
        )


def stored(store: Store) -> list[PhaseQuarter]:
    with store.reading() as connection:
        return [row for rows in read(connection, 0, 2**62).values() for row in rows]


def test_a_quarter_is_worked_out_when_it_is_over(store: Store, place: Duties) -> None:
    put(store, place, signal(29))
    done: dict[str, int] = {}
    assert catch_up(store, [place], done) == 1
    assert catch_up(store, [place], done) == 0
    row = next(row for row in stored(store) if row.phase == 1)
    assert row == PhaseQuarter(
        begin_ms=BEGIN_MS,
        phase=1,
        known_s=900.0,
        cycles=15,
        green_s=300.0,
        yellow_s=45.0,
        max_outs=15,
        volume=15,
        arrivals=0,
        arrivals_on_green=0,
        split_failures=15,
        yellow_entries=0,
        red_entries=15,
        wait_max_s=20.0,
    )
    assert {row.begin_ms for row in stored(store)} == {BEGIN_MS}


def test_in_pieces_it_comes_to_the_same_as_at_once(store: Store, place: Duties, tmp_path: Path) -> None:
    events = signal(100)
    done: dict[str, int] = {}
    for begin in range(0, len(events), 97):
        put(store, place, events[begin : begin + 97])
        catch_up(store, [place], done if begin % 2 else {})  # with and without a restart between
    other = open_store(f"sqlite:///{tmp_path}/other.db")
    put(other, place, events)
    catch_up(other, [place], {})
    assert stored(store) == stored(other)
    assert len({row.begin_ms for row in stored(store)}) == 6
    other.close()


def test_doing_it_again_changes_nothing(any_store: Store, place: Duties) -> None:
    with any_store.writing() as connection:
        connection.execute(delete(signal_events))
        connection.execute(delete(quarter_hours))
    put(any_store, place, signal(64))
    catch_up(any_store, [place], {})
    before = stored(any_store)
    assert work_out(any_store, place, BEGIN_MS, BEGIN_MS + 4 * QUARTER_MS) == len(before) > 0
    assert stored(any_store) == before


def test_what_is_not_known_has_no_rows(store: Store, place: Duties) -> None:
    lost, back = BEGIN_MS + 20 * 60_000, BEGIN_MS + 50 * 60_000
    events = [event for event in signal(64) if not lost <= event[0] < back]
    put(store, place, sorted([*events, (lost, 910, 1), (back, 911, 0)]))
    catch_up(store, [place], {})
    known = {row.begin_ms: row.known_s for row in stored(store)}
    assert known == {BEGIN_MS: 900.0, BEGIN_MS + QUARTER_MS: 300.0, BEGIN_MS + 3 * QUARTER_MS: 600.0}


def test_a_quiet_quarter_is_known(store: Store, place: Duties) -> None:
    """A signal that rests in green tells nothing for an hour; the events around say that it was watched."""
    put(
        store,
        place,
        [(BEGIN_MS, 911, 0), (BEGIN_MS + 1000, 1, 1), (BEGIN_MS + 5 * QUARTER_MS + 20_000, 8, 1)],
    )
    catch_up(store, [place], {})
    rows = [row for row in stored(store) if row.phase == 1]
    assert [row.known_s for row in rows] == [900.0] * 5
    assert [row.green_s for row in rows] == [899.0, 900.0, 900.0, 900.0, 900.0]
    assert [row.cycles for row in rows] == [1, 0, 0, 0, 0]


def test_an_empty_store_has_nothing_to_do(store: Store, place: Duties) -> None:
    assert catch_up(store, [place], {}) == 0
    with store.reading() as connection:
        assert missing(connection, place.numbering.intersection) is None
        assert len(window(connection, place.numbering.intersection, 0, 2**62)) == 0
        assert read(connection, 0, 2**62) == {}


def test_backup_and_retention_know_the_table(store: Store, place: Duties, tmp_path: Path) -> None:
    put(store, place, signal(64))
    catch_up(store, [place], {})
    before = stored(store)
    backup.make(store, tmp_path / "b.tar.gz")
    other = open_store(f"sqlite:///{tmp_path}/other.db")
    backup.restore(other, tmp_path / "b.tar.gz")
    assert stored(other) == before
    day = 86_400_000
    retain(other, Days(quarter_hours=1), BEGIN_MS + 2 * QUARTER_MS + day)
    assert {row.begin_ms for row in stored(other)} == {BEGIN_MS + 2 * QUARTER_MS, BEGIN_MS + 3 * QUARTER_MS}
    other.close()


async def test_the_loop_goes_on_after_the_store_was_away(
    store: Store, corridor: Corridor, place: Duties, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, place, signal(29))
    loop = Measuring(store, corridor, period_s=0.01)
    event_loop, worked, tries = asyncio.get_running_loop(), asyncio.Event(), 0

    def away(*_: object) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise measuring.StoreError("away")
        count = catch_up(*_)  # type: ignore[arg-type]
        event_loop.call_soon_threadsafe(worked.set)
        return count

    monkeypatch.setattr(measuring, "catch_up", away)
    task = asyncio.create_task(loop.run())
    await worked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tries >= 3
    with store.reading() as connection:
        assert connection.execute(select(quarter_hours.c.begin_ms).distinct()).scalars().all() == [BEGIN_MS]


HOUR, DAYS = 4 * QUARTER_MS, 96 * QUARTER_MS


def later(events: Iterable[Event], ms: int) -> list[Event]:
    return [(at + ms, code, parameter) for at, code, parameter in events]


@pytest.mark.parametrize("restarted", [True, False])
@pytest.mark.parametrize("ahead_ms", [HOUR, 5 * DAYS])
def test_a_clock_that_ran_ahead_leaves_no_quarter_that_is_not_known(
    place: Duties, tmp_path: Path, ahead_ms: int, restarted: bool
) -> None:
    """It jumps, events and quarters of the time ahead are stored, then it is right again."""
    store = open_store(f"sqlite:///{tmp_path}/jumped.db")
    before, wrong = signal(40), later(signal(20), ahead_ms)
    after = later(signal(100)[1:], 40 * 60_000)
    done: dict[str, int] = {}
    put(store, place, before)
    catch_up(store, [place], done, before[-1][0])
    put(store, place, wrong)
    while catch_up(store, [place], done, wrong[-1][0]):
        pass
    for begin in range(0, len(after), 97):
        put(store, place, after[begin : begin + 97])
        done = {} if restarted else done
        now_ms = after[: begin + 97][-1][0]
        while catch_up(store, [place], done, now_ms):
            pass
    right = open_store(f"sqlite:///{tmp_path}/right.db")
    put(right, place, [*before, *after, *wrong])
    while catch_up(right, [place], {}, now_ms):
        pass
    assert stored(store) == stored(right)
    assert len({row.begin_ms for row in stored(store)}) == 9
    right.close()
    store.close()


def test_a_computer_whose_clock_is_at_its_beginning_forgets_nothing(store: Store, place: Duties) -> None:
    put(store, place, signal(64))
    catch_up(store, [place], {}, BEGIN_MS + 64 * 60_000)
    before = stored(store)
    assert catch_up(store, [place], {}, 0) == 0
    assert stored(store) == before


def test_events_that_come_after_one_from_a_clock_that_ran_ahead_are_awaited(
    store: Store, place: Duties
) -> None:
    put(store, place, [*signal(20), (BEGIN_MS + 60 * DAYS, 1, 1)])
    now_ms = BEGIN_MS + 2 * HOUR  # the journal of these two hours is not stored yet
    catch_up(store, [place], {}, now_ms)
    assert {row.begin_ms for row in stored(store)} == {BEGIN_MS}
