"""The audit log: append-only, one chain from any number of writers, and no change that stays unseen."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from denxanh.controller.centre.store import anchors, audit
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.audit import GENESIS, Anchor
from denxanh.errors import StoreError


def _append(store: Store, **changed: Any) -> int:
    usual = {
        "actor": "lan",
        "role": "operator",
        "action": "order.hold",
        "target": "THN_304",
        "outcome": "done",
        "detail": {"lý do": "sửa đường"},
    }
    return audit.append(store, **{**usual, **changed})


def _chain(count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for seq in range(1, count + 1):
        row: dict[str, Any] = {
            "seq": seq,
            "at_ms": 1_800_000_000_000 + seq,
            "actor": f"a{seq % 3}",
            "role": "operator",
            "action": "order.plan",
            "target": "x",
            "outcome": "done",
            "detail": "{}",
            "previous": rows[-1]["hash"] if rows else GENESIS,
        }
        rows.append({**row, "hash": audit.digest(row)})
    return rows


def test_rows_are_numbered_and_the_chain_holds(store: Store) -> None:
    assert [_append(store) for _ in range(3)] == [1, 2, 3]
    found = audit.verify(store)
    assert (found.rows, found.first_broken) == (3, None)
    assert found.head is not None
    assert found.head.seq == 3


def test_an_empty_log_is_whole(store: Store) -> None:
    assert audit.verify(store) == audit.Verified(0, None, "", None)


def test_the_chain_holds_over_more_rows_than_one_step_reads(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_STEP", 3)
    for _ in range(7):
        _append(store)
    assert audit.verify(store).rows == 7


@pytest.mark.parametrize("act", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit WHERE seq = 2"])
def test_the_database_itself_refuses_changes(store: Store, act: str) -> None:
    for _ in range(2):
        _append(store)
    with pytest.raises(StoreError, match="append-only"), store.writing() as connection:
        connection.execute(text(act))
    assert audit.verify(store).rows == 2


def test_postgresql_refuses_to_empty_the_log(empty_database: Callable[[str], str]) -> None:
    store = open_store(empty_database("postgresql"))
    _append(store)
    with pytest.raises(StoreError, match="append-only"), store.writing() as connection:
        connection.execute(text("TRUNCATE audit"))
    assert audit.verify(store).rows == 1
    store.close()


def test_many_writers_make_one_chain(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: _append(store, actor=f"a{n}"), range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert audit.verify(store).rows == 40


def test_what_is_stored_with_an_entry_stands_or_falls_with_it(store: Store) -> None:
    usual = {"actor": "a", "role": "", "action": "x.y", "target": "", "outcome": "done"}

    def one_good_and_one_too_long() -> None:
        with store.writing() as connection:
            audit.entry(connection, **usual, detail={})
            audit.entry(connection, **usual, detail={"x": "a" * audit.MAX_DETAIL})

    with pytest.raises(StoreError, match="longer"):
        one_good_and_one_too_long()
    assert audit.verify(store).rows == 0


@settings(deadline=None, max_examples=40)
@given(st.text(), st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4))
def test_any_words_hash_the_same_after_they_were_stored(
    any_store: Store, actor: str, target: str, detail: dict[str, Any]
) -> None:
    _append(any_store, actor=actor, target=target, detail=detail)
    assert audit.verify(any_store).first_broken is None


@given(st.data())
def test_every_change_inside_the_chain_is_seen(data: st.DataObject) -> None:
    rows = _chain(data.draw(st.integers(2, 12)))
    anchor = Anchor(rows[-1]["seq"], rows[-1]["hash"])
    place = data.draw(st.integers(0, len(rows) - 1))
    match data.draw(st.sampled_from(("edit", "remove", "swap", "double", "cut"))):
        case "edit":
            field = data.draw(st.sampled_from(sorted(rows[place])))
            was = rows[place][field]
            rows[place][field] = was + 1 if isinstance(was, int) else was + "x"
        case "remove":
            del rows[place]
        case "swap":
            other = (place + 1) % len(rows)
            rows[place], rows[other] = rows[other], rows[place]
        case "double":
            rows.insert(place, dict(rows[place]))
        case "cut":
            del rows[place:]
    found = audit.check(rows, [anchor])
    assert found.first_broken is not None
    assert found.head is None


@given(st.integers(1, 8), st.integers(1, 8))
def test_a_log_written_anew_from_any_row_on_is_seen_by_an_anchor(count: int, place: int) -> None:
    rows = _chain(count)
    anchor = Anchor(rows[-1]["seq"], rows[-1]["hash"])
    place = min(place, count)
    forged = rows[: place - 1]
    for row in rows[place - 1 :]:
        new = {**row, "actor": "nobody", "previous": forged[-1]["hash"] if forged else GENESIS}
        forged.append({**new, "hash": audit.digest(new)})
    assert audit.check(forged).first_broken is None  # the chain alone cannot tell
    assert audit.check(forged, [anchor]).first_broken == count


def test_rows_cut_off_the_end_are_missed_by_the_notes(store: Store, tmp_path: Path) -> None:
    for _ in range(3):
        _append(store)
    head = audit.verify(store).head
    assert head is not None
    path = tmp_path / anchors.FILE_NAME
    anchors.note(path, head)
    with store.writing() as connection:
        connection.execute(
            text(
                "DROP TRIGGER audit_refuses_delete"
                if store.sqlite
                else "DROP TRIGGER audit_refuses_change ON audit"
            )
        )
        connection.execute(text("DELETE FROM audit WHERE seq > 1"))
    assert audit.verify(store).first_broken is None
    found = audit.verify(store, anchors.noted(path))
    assert (found.rows, found.first_broken) == (1, 2)
    assert "missing" in found.why


def test_notes_are_not_doubled_and_a_torn_one_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / anchors.FILE_NAME
    one, two = Anchor(1, "a" * 64), Anchor(2, "b" * 64)
    anchors.note(path, one)
    anchors.note(path, one)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"at_ms": 1, "seq": 9')
    anchors.note(path, two)
    assert anchors.noted(path) == (one, two)


@pytest.mark.parametrize("given", ["", "5", "5:abc", "x:" + "a" * 64, "-1:" + "a" * 64, "5:" + "G" * 64])
def test_what_is_no_anchor_is_refused(given: str) -> None:
    with pytest.raises(StoreError, match="NUMBER:HASH"):
        anchors.parse(given)


def test_search_goes_page_by_page_through_everything_once(store: Store) -> None:
    for number in range(10):
        _append(store, actor="lan" if number % 2 else "minh", target=f"T{number % 3}", detail={"n": number})
    seen: list[int] = []
    after = None
    while True:
        page = audit.search(store, after=after, limit=3)
        seen += [row["seq"] for row in page.rows]
        if page.next is None:
            break
        after = page.next
    assert seen == list(range(10, 0, -1))
    assert {row["seq"] for row in audit.search(store, actor="lan", target="T1").rows} == {2, 8}
    assert [row["seq"] for row in audit.search(store, text='"n":7').rows] == [8]
    assert audit.search(store, action="order.").rows
    assert not audit.search(store, action="order_").rows  # no wildcard
    assert not audit.search(store, text="%").rows
    at = audit.search(store, limit=1).rows[0]["at_ms"]
    assert not audit.search(store, since_ms=at + 1).rows


@pytest.mark.parametrize(
    "after", ["", "x", "[]", "[1,2]", '["1"]', "[null]", "[1.5]", "[true]", f"[{2**63}]", "{}"]
)
def test_a_place_that_no_page_had_is_refused(store: Store, after: str) -> None:
    with pytest.raises(StoreError, match="no place"):
        audit.search(store, after=after)


def test_what_was_acknowledged_is_there_after_a_kill(store_url: str) -> None:
    program = textwrap.dedent(
        """
        import sys
        from denxanh.controller.centre.store import audit
        from denxanh.controller.centre.store.archive import open_store
        store = open_store(sys.argv[1])
        one = {"actor": "a", "role": "", "action": "x.y", "target": "", "outcome": "done", "detail": {}}
        while True:
            print(audit.append(store, **one), flush=True)
        """
    )
    child = subprocess.Popen([sys.executable, "-c", program, store_url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout]
    child.stdout.close()
    child.wait()
    store = open_store(store_url)
    found = audit.verify(store)
    store.close()
    assert found.first_broken is None
    assert found.rows >= acknowledged[-1]
