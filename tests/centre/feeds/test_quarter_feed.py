"""Quarters of an hour as a stream: each intersection in its own order, each quarter once, none left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.centre.feeds.sources.quarters import QuarterSource
from denxanh.controller.centre.store import quarters
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.quarters import catch_up
from denxanh.controller.centre.store.schema import quarter_hours, signal_events
from denxanh.controller.measures.duties import duties
from denxanh.controller.measures.quarters import QUARTER_MS
from denxanh.errors import StoreError
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import GroupKind

CORRIDOR = crossroads_corridor(3)
PLACES = tuple(one.id for one in CORRIDOR.intersections)
DUTIES = tuple(duties(one) for one in CORRIDOR.intersections)
PHASES = {
    one.id: [n for n, group in enumerate(one.groups, start=1) if group.kind is GroupKind.VEHICLE]
    for one in CORRIDOR.intersections
}
NOON = 1_795_000_200_000 // QUARTER_MS * QUARTER_MS
LOST, REGAINED, ON = 910, 911, 82
TABLES = (quarter_hours, signal_events)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples; each empties it."""
    found = open_store(f"sqlite:///{tmp_path_factory.mktemp('quarters') / 'centre.db'}")
    yield found
    found.close()


@pytest.fixture
def store(shared: Store) -> Store:
    with shared.writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))
    return shared


class Street:
    """Events of each intersection, told up to its own time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._now = dict.fromkeys(PLACES, NOON)
        self._seen = dict.fromkeys(PLACES, False)

    def tell(self, place: str, count: int, *, seen: bool) -> None:
        """So many quarters more; unseen ones make no rows."""
        begin = self._now[place]
        self._now[place] += count * QUARTER_MS
        told = [] if self._seen[place] == seen else [(begin, REGAINED if seen else LOST)]
        self._seen[place] = seen
        told += [(at + 60_000, ON) for at in range(begin, self._now[place], QUARTER_MS) if seen]
        rows = [{"intersection": place, "at_ms": at, "code": code, "parameter": 1} for at, code in told]
        if rows:
            with self._store.writing() as connection:
                connection.execute(insert(signal_events), rows)


class Receiver:
    """Takes what the source gives; the position moves only if it is acknowledged."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.after: str | None = None
        self.got: list[Message] = []

    def take(self, limit: int, *, acknowledge: bool = True) -> int:
        with self._store.reading() as connection:
            source = SOURCES["flow-15min"](CORRIDOR)
            assert self.after is None or source.gap(connection, self.after) is None
            found = source.read(connection, self.after, limit)
            assert source.read(connection, self.after, limit) == found
        assert len(found) <= limit
        if acknowledge and found:
            self.after = found[-1].position
            self.got += found
        return len(found)


def whole(store: Store) -> dict[str, list[str]]:
    """What the table has at last, as ids, by intersection in order."""
    table, found = quarter_hours.c, defaultdict(list)
    with store.reading() as connection:
        rows = connection.execute(select(quarter_hours).order_by(table.begin_ms, table.phase)).all()
    for row in rows:
        if row.phase in PHASES[row.intersection]:
            found[row.intersection].append(f"flow-15min-{row.intersection}-{row.phase}-{row.begin_ms}")
    return found


def by_place(messages: Sequence[Message]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for one in messages:
        found[str(one.place)].append(one.id)
    return found


tell = st.tuples(st.just("tell"), st.sampled_from(PLACES), st.integers(1, 4), st.booleans())
# Quarters of more than a day: what is worked out in one step is less than what is missing.
backlog = st.tuples(st.just("tell"), st.sampled_from(PLACES), st.integers(8, 12), st.just(True))
work = st.tuples(st.just("work"), st.booleans(), st.sets(st.sampled_from(range(3)), min_size=1))
take = st.tuples(st.just("take"), st.integers(1, 40), st.booleans())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(tell, backlog, work, take), min_size=5, max_size=25))
def test_each_quarter_goes_out_once_in_its_order_and_complete(
    shared: Store, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setattr(quarters, "STEP_MS", 4 * QUARTER_MS)  # a "day" of one hour: backlogs are cheap
    with shared.writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))
    street, receiver, done = Street(shared), Receiver(shared), dict[str, int]()
    for step in steps:
        match step:
            case "tell", place, count, seen:
                street.tell(place, count, seen=seen)
            case "work", restarted, which:
                done = {} if restarted else done
                catch_up(shared, [DUTIES[one] for one in which], done)
            case "take", limit, acknowledge:
                receiver.take(limit, acknowledge=acknowledge)
    while catch_up(shared, DUTIES, done):
        receiver.take(5)
    while receiver.take(40):
        pass
    assert by_place(receiver.got) == whole(shared)
    with shared.reading() as connection:
        again = SOURCES["flow-15min"](CORRIDOR).read(connection, None, 1_000_000)
    final = {one.id: one.body for one in again}
    assert all(final[one.id] == one.body for one in receiver.got), "what went out was complete"


def test_a_silent_intersection_holds_up_nobody(store: Store) -> None:
    street, receiver = Street(store), Receiver(store)
    silent, other, _ = PLACES
    street.tell(silent, 2, seen=True)
    street.tell(other, 5, seen=True)
    catch_up(store, DUTIES, {})
    receiver.take(1000)
    assert len(by_place(receiver.got)[other]) == 4 * len(PHASES[other])
    street.tell(silent, 3, seen=True)
    catch_up(store, DUTIES, {})
    receiver.take(1000)
    assert by_place(receiver.got) == whole(store), "what comes late goes out all the same"


def test_where_a_feed_without_history_starts(store: Store) -> None:
    street, receiver = Street(store), Receiver(store)
    with store.reading() as connection:
        assert SOURCES["flow-15min"](CORRIDOR).end(connection) is None
    street.tell(PLACES[0], 4, seen=True)
    catch_up(store, DUTIES, {})
    with store.reading() as connection:
        receiver.after = SOURCES["flow-15min"](CORRIDOR).end(connection)
    assert receiver.take(10) == 0
    street.tell(PLACES[0], 1, seen=True)
    street.tell(PLACES[1], 2, seen=True)
    catch_up(store, DUTIES, {})
    receiver.take(100)
    got = by_place(receiver.got)
    assert len(got[PLACES[0]]) == len(PHASES[PLACES[0]])
    assert len(got[PLACES[1]]) == len(PHASES[PLACES[1]])


def test_what_retention_took_is_a_gap_of_that_intersection(store: Store) -> None:
    street, receiver = Street(store), Receiver(store)
    for place in PLACES[:2]:
        street.tell(place, 11, seen=True)
    catch_up(store, DUTIES, {})
    receiver.take(2 * len(PHASES[PLACES[0]]))
    table = quarter_hours.c
    with store.writing() as connection:
        connection.execute(
            delete(quarter_hours).where(
                table.intersection == PLACES[0], table.begin_ms < NOON + 6 * QUARTER_MS
            )
        )
    source = SOURCES["flow-15min"](CORRIDOR)
    with store.reading() as connection:
        assert receiver.after is not None
        gap = source.gap(connection, receiver.after)
        assert gap is not None
        assert gap.count == 5 * len(PHASES[PLACES[0]])
        assert source.gap(connection, gap.position) is None
        rest = by_place(source.read(connection, gap.position, 1000))
    assert {place: rest[place] for place in PLACES[:1]} == {PLACES[0]: whole(store)[PLACES[0]]}
    assert len(rest[PLACES[1]]) == 9 * len(PHASES[PLACES[1]])


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "x",
            "{}",
            "[]",
            "[1]",
            "[1,-1]",
            "[true,0]",
            "[1,0,0]",
            '["1",0]',
            "null",
            '{"a":1}',
            '{"a":[1]}',
            '{"a":[1,2,3]}',
            '{"a":["1",2]}',
        ),
        *('{"a":[1.5,2]}', '{"a":[true,1]}', '{"a":[1,-1]}', '{"a":[1,9999999999]}', "9" * 5000, "[" * 9999),
        *('{"a":"12"}', '{"a":[NaN,1]}'),
    ],
)
def test_a_damaged_position_is_refused(store: Store, wrong: str) -> None:
    with store.reading() as connection, pytest.raises(StoreError, match="is no position of flow-15min"):
        SOURCES["flow-15min"](CORRIDOR).read(connection, wrong, 10)


def test_a_position_of_another_store_is_refused(store: Store) -> None:
    Street(store).tell(PLACES[0], 3, seen=True)
    catch_up(store, DUTIES, {})
    far = f'{{"{PLACES[0]}":[{NOON + 9 * QUARTER_MS},1]}}'
    with store.reading() as connection, pytest.raises(StoreError, match="further than the store goes"):
        SOURCES["flow-15min"](CORRIDOR).read(connection, far, 10)


def test_an_intersection_whose_rows_have_all_gone_stops_nobody(store: Store) -> None:
    street, receiver = Street(store), Receiver(store)
    for place in PLACES[:2]:
        street.tell(place, 3, seen=True)
    catch_up(store, DUTIES, {})
    receiver.take(100)
    with store.writing() as connection:
        connection.execute(delete(quarter_hours).where(quarter_hours.c.intersection == PLACES[0]))
    street.tell(PLACES[1], 2, seen=True)
    catch_up(store, DUTIES[1:], {})
    assert receiver.take(100) == 2 * len(PHASES[PLACES[1]])


@given(
    counts=st.tuples(*[st.integers(0, 6)] * 3).filter(any),
    stretch=st.integers(0, 5),
    told=st.integers(0, 12),
    more=st.tuples(*[st.integers(0, 2)] * 3),
)
@settings(max_examples=12, deadline=None)
def test_a_position_of_an_earlier_release_goes_on_and_nothing_is_left_out(
    shared: Store, counts: tuple[int, ...], stretch: int, told: int, more: tuple[int, ...]
) -> None:
    stretch = min(stretch, max(counts) - 1)
    with shared.writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))
    stored(shared, dict(zip(PLACES, ((0, count) for count in counts), strict=True)))
    receiver = Receiver(shared)
    receiver.after = f"[{NOON + stretch * QUARTER_MS},{told}]"
    while receiver.take(5):
        pass
    later = {place: (count, count + n) for place, count, n in zip(PLACES, counts, more, strict=True)}
    stored(shared, later)
    while receiver.take(5):
        pass
    got = [one.id for one in receiver.got]
    assert len(got) == len({*got})
    for place, count in zip(PLACES, counts, strict=True):
        due = {*range(stretch, count), *range(*later[place])}
        ids = {f"flow-15min-{place}-{p}-{NOON + n * QUARTER_MS}" for n in due for p in PHASES[place]}
        assert ids <= {*got}


def test_the_end_of_an_earlier_release(store: Store) -> None:
    stored(store, {PLACES[0]: (0, 4), PLACES[1]: (0, 1)})
    receiver = Receiver(store)
    receiver.after = f"[{NOON + 3 * QUARTER_MS + 1},0]"
    receiver.take(100)
    quarters_again = {one.id.rpartition("-")[2] for one in receiver.got}
    assert quarters_again == {str(NOON + 3 * QUARTER_MS)}
    assert {one.place for one in receiver.got} == {PLACES[0]}


def test_a_position_of_an_earlier_release_of_another_store_is_refused(store: Store) -> None:
    stored(store, {PLACES[0]: (0, 2)})
    with store.reading() as connection, pytest.raises(StoreError, match="further than the store goes"):
        SOURCES["flow-15min"](CORRIDOR).read(connection, f"[{NOON + 9 * QUARTER_MS},3]", 10)


def stored(store: Store, told: Mapping[str, tuple[int, int]]) -> None:
    """Rows of these quarters, numbers from and to, of each phase for vehicles."""
    usual = {column.name: 1 for column in quarter_hours.columns if not column.nullable}
    rows = [
        usual | {"intersection": place, "begin_ms": NOON + number * QUARTER_MS, "phase": phase}
        for place, (begin, end) in told.items()
        for number in range(begin, end)
        for phase in PHASES[place]
    ]
    if rows:
        with store.writing() as connection:
            connection.execute(insert(quarter_hours), rows)


def test_a_clock_that_runs_ahead_takes_no_quarter_along(store: Store) -> None:
    street, receiver = Street(store), Receiver(store)
    street.tell(PLACES[0], 12, seen=True)
    catch_up(store, DUTIES, {})
    now = NOON + 3 * QUARTER_MS
    real = QuarterSource(CORRIDOR, lambda: now)
    with store.reading() as connection:
        first = real.read(connection, None, 1000)
        assert {one.id.rpartition("-")[2] for one in first} == {str(NOON + n * QUARTER_MS) for n in range(3)}
        assert real.end(connection) == first[-1].position
        assert real.read(connection, first[-1].position, 1000) == []
        beyond = SOURCES["flow-15min"](CORRIDOR).end(connection)
        with pytest.raises(StoreError, match="further than the computer's clock"):
            real.read(connection, beyond, 1000)
        now += QUARTER_MS
        assert len(real.read(connection, first[-1].position, 1000)) == len(PHASES[PLACES[0]])
    receiver.after = beyond
    assert receiver.take(10) == 0, "a simulated street has a clock of its own"
