"""Quiet hours over midnight, digests at their minute, and clocks that jump."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.notify.tables import Digest
from denxanh.controller.centre.notify.times import is_quiet, last_due_ms, period_ms
from denxanh.controller.clock import VIETNAM


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp() * 1000)


NIGHT = (time(22, 0), time(6, 0))


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2026-11-26T21:59:59.999", False),
        ("2026-11-26T22:00:00", True),
        ("2026-11-26T23:59:59.999", True),
        ("2026-11-27T00:00:00", True),
        ("2026-11-27T05:59:59.999", True),
        ("2026-11-27T06:00:00", False),
    ],
)
def test_a_night(at: str, quiet: bool) -> None:
    assert is_quiet(NIGHT, ms(at)) is quiet


def test_a_noon_and_always_and_never() -> None:
    noon = (time(12, 0), time(13, 30))
    assert is_quiet(noon, ms("2026-11-26T12:00"))
    assert not is_quiet(noon, ms("2026-11-26T13:30"))
    assert is_quiet((time(0), time(0)), ms("2026-11-26T13:30"))
    assert not is_quiet(None, ms("2026-11-26T23:30"))


def test_when_a_digest_is_due() -> None:
    day = Digest(channel="c", at=time(7, 0))
    assert last_due_ms(day, ms("2026-11-26T06:59:59")) == ms("2026-11-25T07:00")
    assert last_due_ms(day, ms("2026-11-26T07:00:00")) == ms("2026-11-26T07:00")
    week = Digest(channel="c", every="week", weekday=1, at=time(7, 0))
    # 2026-11-23 is a Monday.
    assert last_due_ms(week, ms("2026-11-23T06:59")) == ms("2026-11-16T07:00")
    assert last_due_ms(week, ms("2026-11-29T23:00")) == ms("2026-11-23T07:00")
    sunday = Digest(channel="c", every="week", weekday=7, at=time(7, 0))
    assert last_due_ms(sunday, ms("2026-11-28T23:00")) == ms("2026-11-22T07:00")


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["day", "week"]), st.integers(1, 7))
def test_a_digest_is_never_due_in_the_future_nor_older_than_its_period(at: int, every: str, day: int) -> None:
    digest = Digest.model_validate({"channel": "c", "every": every, "weekday": day})
    due = last_due_ms(digest, at)
    assert at - period_ms(digest) < due <= at
