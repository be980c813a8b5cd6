"""However the loop ends, it gives the cabinets back and says why in the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from denxanh.controller.clock import Tick
from denxanh.controller.journal import JOURNAL_NAME, Journal, read_all
from denxanh.controller.loop import Loop
from denxanh.errors import ClockError


class Clock:
    """Ticks twice; then the second one's end fails."""

    spread_s = answer_s = 0.0
    missed, max_lateness_s = 0, 0.0

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure
        self._number = 0

    async def next(self) -> Tick | None:
        self._number += 1
        return None if self._number > 2 else Tick(self._number, float(self._number), "2026-11-23")

    async def done(self, tick: Tick) -> None:
        if tick.number == 2 and self._failure is not None:
            raise self._failure


class Post:
    """Counts what is asked of it; the second step gives the cabinet back."""

    intersection, commands, given_up = "X1", 0, False

    def __init__(self) -> None:
        self.ticks = self.steps = 0

    async def tick(self, *_: object) -> None:
        self.ticks += 1

    async def release(self) -> bool:
        self.steps += 1
        return self.steps >= 2


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (ClockError("the channel broke", where="clock"), "clock: the channel broke"),
        (RuntimeError("a bug"), "RuntimeError: a bug"),
        (OSError(5, "a disk"), "OSError: [Errno 5] a disk"),
    ],
)
async def test_whatever_ends_it_every_cabinet_is_given_back(
    failure: Exception, cause: str, tmp_path: Path
) -> None:
    journal, posts = Journal(tmp_path / JOURNAL_NAME), [Post(), Post()]
    loop = Loop(cast(Any, Clock(failure)), cast(Any, posts), journal, dict, tmp_path)
    with pytest.raises(type(failure)):
        await loop.run(asyncio.Event())
    journal.close()
    assert [(post.ticks, post.steps) for post in posts] == [(2, 2)] * 2
    (closed,) = [record for _, record in read_all(tmp_path / JOURNAL_NAME) if record["k"] == "close"]
    assert (closed["cause"], closed["ticks"]) == (cause, 2)


async def test_the_end_of_the_clock_leaves_the_cabinets_as_they_are(tmp_path: Path) -> None:
    """The street has ended: there is nobody to give anything back to."""
    journal, post = Journal(tmp_path / JOURNAL_NAME), Post()
    loop = Loop(cast(Any, Clock(None)), cast(Any, [post]), journal, dict, tmp_path)
    await loop.run(asyncio.Event())
    journal.close()
    assert (post.ticks, post.steps) == (2, 0)


class People:
    """A desk for orders that hears what is given up."""

    def __init__(self) -> None:
        self.dropped: set[str] = set()

    def second(self, *_: object) -> dict[str, object]:
        return {}

    def drop(self, intersection: str) -> None:
        self.dropped.add(intersection)


async def test_no_orders_are_taken_for_what_is_given_up(tmp_path: Path) -> None:
    journal, people, posts = Journal(tmp_path / JOURNAL_NAME), People(), [Post(), Post()]
    posts[0].given_up, posts[1].intersection = True, "X2"
    loop = Loop(cast(Any, Clock(None)), cast(Any, posts), journal, dict, tmp_path, people=cast(Any, people))
    await loop.run(asyncio.Event())
    journal.close()
    assert people.dropped == {"X1"}
