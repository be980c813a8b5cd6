"""Order, limits and quiet hours of one lane."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.notify.choosing import ALONE, choose
from denxanh.controller.centre.notify.outbox import Waiting
from denxanh.controller.centre.notify.tables import NotifyTable, Severity
from denxanh.controller.clock import VIETNAM

DAY = int(datetime(2026, 11, 26, 12, 0, tzinfo=VIETNAM).timestamp() * 1000)
NIGHT = DAY + 11 * 3_600_000
W, C = Severity.WARNING, Severity.CRITICAL


def channel(**values: Any) -> Any:
    row = {"name": "c", "kind": "webhook", "url": "http://127.0.0.1/", "key_file": "k", **values}
    return NotifyTable.model_validate({"channel": [row]}).channel[0]


def waiting(*severities: Severity, batch: dict[int, int] | None = None, at_ms: int = DAY) -> list[Waiting]:
    return [Waiting(n, one, at_ms, (batch or {}).get(n), 0) for n, one in enumerate(severities, start=1)]


def test_a_few_go_one_by_one_and_many_together() -> None:
    assert choose(waiting(W, W, C), [], channel(), DAY).ids == (1,)
    assert choose(waiting(*[W] * (ALONE + 1)), [], channel(), DAY).ids == (1, 2, 3, 4)
    thousands = choose(waiting(*[W] * 3000), [], channel(), DAY).ids
    assert thousands == tuple(range(1, 501))


def test_what_was_begun_goes_again_with_the_same_company() -> None:
    rows = waiting(*[W] * 9, batch={1: 1, 2: 1, 3: 1, 4: 1})
    assert choose(rows, [], channel(), DAY).ids == (1, 2, 3, 4)


def test_quiet_hours_hold_all_but_critical() -> None:
    quiet = channel(quiet=["22:00", "06:00"])
    rows = waiting(W, C, W, at_ms=NIGHT)
    assert choose(rows, [], quiet, NIGHT).ids == (2,)
    assert choose(rows, [], quiet, NIGHT + 7 * 3_600_000).ids == (1,)
    assert choose(waiting(W, W, at_ms=NIGHT), [], quiet, NIGHT).ids == ()
    # A message that was begun with a critical notice in it goes on at night, too.
    assert choose(waiting(W, C, batch={1: 1, 2: 1}), [], quiet, NIGHT).ids == (1, 2)
    assert choose(waiting(W, batch={1: 1}), [], quiet, NIGHT).ids == ()


def test_beyond_the_limit_only_critical_and_once_a_minute() -> None:
    two = channel(most_per_hour=2)
    sent = [DAY - 1000, DAY - 2000]
    assert choose(waiting(W), sent, two, DAY).ids == ()
    assert choose(waiting(C), sent, two, DAY).ids == ()
    assert choose(waiting(C), sent, two, DAY + 60_000).ids == (1,)
    # One place is left: so two that wait share it.
    assert choose(waiting(W, W), [DAY - 1000], two, DAY).ids == (1, 2)


def test_what_is_too_old_is_put_aside() -> None:
    rows = [*waiting(W, at_ms=DAY - 73 * 3_600_000), Waiting(9, W, DAY, None, 0)]
    found = choose(rows, [], channel(), DAY)
    assert (found.ids, found.old) == ((9,), (1,))
    assert choose([], [], channel(), DAY).ids == ()


@given(
    st.lists(
        st.tuples(st.sampled_from([W, C]), st.integers(0, 150), st.sampled_from([None, "same"])), max_size=12
    )
)
def test_what_was_begun_goes_or_grows_old_as_a_whole(rows: list[tuple[Severity, int, str | None]]) -> None:
    """It may have arrived under its first id; ages in hours, of which 72 are too old."""
    left: list[Waiting] = []
    for number, (severity, hours, with_the_last) in enumerate(sorted(rows, key=lambda row: -row[1]), start=1):
        batch = left[-1].batch if with_the_last and left else number
        left.append(Waiting(number, severity, DAY - hours * 3_600_000, batch, 0))
    found = choose(left, [], channel(), DAY)
    together = {one.batch: tuple(other.id for other in left if other.batch == one.batch) for one in left}
    for ids in together.values():
        assert set(ids) <= set(found.old) or not set(ids) & set(found.old)
    assert found.ids in ((), *together.values())
    assert not set(found.ids) & set(found.old)


@given(st.lists(st.sampled_from([W, C]), max_size=30), st.integers(1, 5), st.booleans())
def test_everything_goes_once_in_order_and_within_the_limit(
    kinds: list[Severity], most: int, night: bool
) -> None:
    """A day of a lane whose receiver takes everything."""
    one = channel(most_per_hour=most, quiet=["22:00", "06:00"])
    begin = NIGHT if night else DAY
    left = waiting(*kinds, at_ms=begin)
    sent: list[int] = []
    gone: list[int] = []
    for minute in range(24 * 60):
        now = begin + minute * 60_000
        ids = choose(left, [at for at in sorted(sent, reverse=True) if at > now - 3_600_000], one, now).ids
        if ids:
            assert list(ids) == sorted(ids)
            urgent = any(kinds[n - 1] is C for n in ids)
            assert urgent or len([at for at in sent if at > now - 3_600_000]) < most
            assert urgent or not night or now >= begin + 7 * 3_600_000
            gone += ids
            sent.append(now)
            left = [row for row in left if row.id not in ids]
        if not left:
            break
    assert sorted(gone) == list(range(1, len(kinds) + 1))


@pytest.mark.parametrize("severity", list(Severity))
def test_among_what_may_go_the_order_holds(severity: Severity) -> None:
    rows = waiting(severity, severity)
    assert choose(rows, [], channel(), DAY).ids == (1,)
