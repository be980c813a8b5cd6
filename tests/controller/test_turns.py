"""Turns: who waits between two moments is let go at the second one, all together."""

import asyncio
from collections.abc import Callable

import pytest

from denxanh.controller.clock import TURN_S, MonotonicClock
from denxanh.controller.turns import Turns

Bells = list[tuple[float, Callable[[], None]]]
EVERY_S = 3600.0
"""So far away that it comes only when a test rings."""


@pytest.fixture
async def bells(monkeypatch: pytest.MonkeyPatch) -> Bells:
    """What is to be rung, and when."""
    found: Bells = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_at", lambda when, ring: found.append((when, ring)))
    return found


async def let_run() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_all_that_wait_are_let_go_at_the_same_moment(bells: Bells) -> None:
    turns, now = Turns(EVERY_S), asyncio.get_running_loop().time()
    waiting = [asyncio.create_task(turns.next()) for _ in range(3)]
    await let_run()
    (when, ring) = bells[0]
    assert len(bells) == 1
    assert now < when <= asyncio.get_running_loop().time() + EVERY_S
    assert when % EVERY_S == pytest.approx(0.0)
    assert not any(one.done() for one in waiting)
    ring()
    await let_run()
    assert all(one.done() for one in waiting)


async def test_who_comes_afterwards_waits_for_the_next(bells: Bells) -> None:
    turns = Turns(EVERY_S)
    first = asyncio.create_task(turns.next())
    await let_run()
    bells[0][1]()
    second = asyncio.create_task(turns.next())
    await let_run()
    assert first.done()
    assert not second.done()
    bells[1][1]()
    await second


async def test_who_is_cancelled_takes_nobody_along(bells: Bells) -> None:
    turns = Turns(EVERY_S)
    gone, stays = (asyncio.create_task(turns.next()) for _ in range(2))
    await let_run()
    gone.cancel()
    await let_run()
    bells[0][1]()
    await stays
    assert gone.cancelled()


async def test_the_next_turn_comes_by_itself() -> None:
    turns = Turns(0.01)
    await asyncio.wait_for(turns.next(), 5.0)
    await asyncio.wait_for(turns.next(), 5.0)


async def test_on_the_street_they_come_with_the_clock(bells: Bells) -> None:
    clock, now = MonotonicClock(), asyncio.get_running_loop().time()
    waiting = [asyncio.create_task(clock.turn()) for _ in range(2)]
    await let_run()
    ((when, ring),) = bells
    assert now < when <= asyncio.get_running_loop().time() + TURN_S
    ring()
    await asyncio.gather(*waiting)
