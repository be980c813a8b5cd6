"""Orders count once by their key; drafts keep every version; queries answer page by page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.store import drafts, ledger, queries
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.ledger import State
from denxanh.controller.centre.store.schema import alarms, events, spans
from denxanh.errors import RequestError, StoreError


def _begin(store: Store, key: str = "k1", **changed: Any) -> ledger.Begun:
    usual: dict[str, Any] = {
        "actor": "lan",
        "role": "operator",
        "intersection": "THN_304",
        "kind": "hold",
        "reason": "Sửa đường",
        "body": {"stage": 1, "for_s": 60},
        "until_ms": 1_800_000_060_000,
    }
    with store.writing() as connection:
        return ledger.enter(connection, key=key, **{**usual, **changed})


def _finish(store: Store, key: str, state: State, outcome: dict[str, str]) -> None:
    with store.writing() as connection:
        ledger.close(connection, key, state, outcome)


def _acknowledge(store: Store, number: int, by: str, note: str = "") -> bool:
    with store.writing() as connection:
        return queries.acknowledge(connection, number, by=by, note=note)


def test_an_order_given_twice_counts_once(store: Store) -> None:
    first = _begin(store)
    _finish(store, "k1", State.DONE, {"detail": "giữ pha B"})
    again = _begin(store)
    assert (first.fresh, again.fresh) == (True, False)
    assert again.command["state"] == "done"
    assert again.command["outcome"] == '{"detail":"giữ pha B"}'
    assert len(ledger.recent(store).rows) == 1


@pytest.mark.parametrize(
    "changed", [{"body": {"stage": 2}}, {"actor": "minh"}, {"intersection": "X"}, {"kind": "plan"}]
)
def test_another_order_under_the_same_key_is_told_apart(store: Store, changed: dict[str, Any]) -> None:
    _begin(store)
    again = _begin(store, **changed)
    assert not again.fresh
    assert (again.command["actor"], again.command["kind"]) == ("lan", "hold")


def test_of_many_at_once_one_is_the_first(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: _begin(store), range(16)))
    assert [one.fresh for one in begun].count(True) == 1


def test_what_came_of_an_order_is_never_written_over(store: Store) -> None:
    _begin(store)
    _finish(store, "k1", State.REFUSED, {"detail": "công an đang điều khiển"})
    with pytest.raises(StoreError, match="open"):
        _finish(store, "k1", State.DONE, {})
    with pytest.raises(StoreError, match="open"):
        _finish(store, "never", State.DONE, {})
    found = ledger.get(store, "k1")
    assert found is not None
    assert found["state"] == "refused"
    assert ledger.get(store, "never") is None


def test_recent_orders_come_page_by_page(store: Store) -> None:
    for number in range(7):
        _begin(store, key=f"k{number}", intersection=f"X{number % 2}")
    first = ledger.recent(store, limit=4)
    rest = ledger.recent(store, after=first.next, limit=4)
    assert rest.next is None
    assert {row["id"] for row in (*first.rows, *rest.rows)} == {f"k{number}" for number in range(7)}
    assert {row["id"] for row in ledger.recent(store, intersection="X1").rows} == {"k1", "k3", "k5"}


def test_every_version_of_a_draft_stays(store: Store) -> None:
    with store.writing() as connection:
        one = drafts.save(
            connection, kind="plan", target="X/3", body={"cycle_s": 90}, author="lan", reason="Giờ cao điểm"
        )
        two = drafts.save(
            connection, kind="plan", target="X/3", body={"cycle_s": 96}, author="minh", reason="Chu kỳ dài"
        )
        other = drafts.save(
            connection, kind="calendar", target="corridor", body={}, author="lan", reason="Tết"
        )
        assert drafts.mark(connection, one, drafts.State.WITHDRAWN)
        assert not drafts.mark(connection, one, drafts.State.WITHDRAWN)
    assert [row["id"] for row in drafts.listed(store, kind="plan", target="X/3").rows] == [two, one]
    found = drafts.get(store, one)
    assert found is not None
    assert (found["state"], found["body"]) == ("withdrawn", '{"cycle_s":90}')
    assert [row["id"] for row in drafts.listed(store, limit=1).rows] == [other]
    with pytest.raises(StoreError, match="no such draft"), store.writing() as connection:
        drafts.mark(connection, 99, drafts.State.ACCEPTED)


@pytest.mark.parametrize("state", [drafts.State.ACCEPTED, drafts.State.REPLACED])
def test_what_was_installed_is_not_withdrawn(store: Store, state: drafts.State) -> None:
    with store.writing() as connection:
        one = drafts.save(connection, kind="plan", target="X/3", body={}, author="lan", reason="Giờ cao điểm")
        drafts.mark(connection, one, state)
    with pytest.raises(RequestError, match="it was installed"), store.writing() as connection:
        drafts.mark(connection, one, drafts.State.WITHDRAWN)
    found = drafts.get(store, one)
    assert found is not None
    assert found["state"] == state


def _event(at_ms: int, **changed: Any) -> dict[str, Any]:
    usual = {
        "at_ms": at_ms,
        "intersection": "X1",
        "kind": "mode",
        "cause": "link-lost",
        "text_vi": "Mất",
        "text_en": "Lost",
    }
    return {**usual, **changed}


def test_events_at_the_same_instant_are_on_one_page_each(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(insert(events), [_event(1000 + number // 4) for number in range(11)])
    seen: list[int] = []
    after = None
    while True:
        page = queries.events(store, after=after, limit=3)
        seen += [row["id"] for row in page.rows]
        if (after := page.next) is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 11


def test_events_are_found_by_place_kind_time_and_words(store: Store) -> None:
    rows = [
        _event(1000),
        _event(2000, intersection="X2", kind="alarm", text_en="The door is open", cause="door"),
        _event(3000, kind="switch", text_vi="Chuyển pha 100%"),
    ]
    with store.writing() as connection:
        connection.execute(insert(events), rows)

    def times(**wanted: Any) -> list[int]:
        return [row["at_ms"] for row in queries.events(store, **wanted).rows]

    assert times(intersection="X1") == [3000, 1000]
    assert times(kinds=["alarm", "switch"]) == [3000, 2000]
    assert times(since_ms=2000, until_ms=3000) == [2000]
    assert times(text="DOOR") == [2000]
    assert times(text="100%") == [3000]
    assert times(text="10_%") == []


def test_words_are_sought_month_by_month_until_everything_was_seen(store: Store) -> None:
    month = queries.SEARCH_MS
    times = [0, 5, month * 2, month * 3 + 7, month * 3 + 8]
    with store.writing() as connection:
        connection.execute(
            insert(events), [_event(time, text_en="rare" if time % 2 else "x") for time in times]
        )
    seen, pages, after = [], 0, None
    while True:
        page = queries.events(store, text="rare", after=after, limit=1)
        seen += [row["at_ms"] for row in page.rows]
        pages += 1
        if (after := page.next) is None:
            break
    assert seen == [row for row in reversed(times) if row % 2]
    assert 3 < pages < 8
    assert queries.events(store, text="rare", since_ms=month * 3, until_ms=month * 3 + 5).next is None


def test_spans_of_a_time_include_the_one_that_lasted_at_its_beginning(store: Store) -> None:
    usual = {"intersection": "X1", "aspects": "Gr", "stage": 0, "in_interstage": False, "mode": "PLAN"}
    ends = [(0, 10), (10, 20), (20, 30), (40, None)]
    with store.writing() as connection:
        connection.execute(insert(spans), [{**usual, "began_ms": a, "ended_ms": b} for a, b in ends])

    def begins(from_ms: int, to_ms: int) -> list[int]:
        return [row["began_ms"] for row in queries.spans(store, "X1", from_ms, to_ms)]

    assert begins(15, 25) == [10, 20]
    assert begins(20, 25) == [20]
    assert begins(35, 45) == [40]
    assert begins(100, 200) == [40]
    assert queries.spans(store, "X2", 0, 100) == ()


def test_whoever_acknowledged_first_stays(store: Store) -> None:
    with store.writing() as connection:
        row = {"intersection": "X1", "cause": "door", "text_vi": "Cửa", "text_en": "Door"}
        row |= {"raised_ms": 5, "cleared_ms": None}
        connection.execute(insert(alarms), [row, {**row, "raised_ms": 6, "cleared_ms": 7}])
    number = queries.alarms(store).rows[-1]["id"]
    assert _acknowledge(store, number, "lan", "Đã gọi đội\nbảo trì")
    assert not _acknowledge(store, number, "minh")
    found = queries.alarm(store, number)
    assert found is not None
    assert found["acknowledged_by"] == "lan"
    assert "\n" not in found["note"]
    assert len(queries.alarms(store, open_only=True).rows) == 2  # one still stands, of one nobody took note
    _acknowledge(store, queries.alarms(store).rows[0]["id"], "lan")
    assert [row["id"] for row in queries.alarms(store, open_only=True).rows] == [number]
    assert not _acknowledge(store, 99, "lan")


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_limit(store: Store, limit: int) -> None:
    with pytest.raises(StoreError, match="1 to 1000"):
        queries.events(store, limit=limit)
