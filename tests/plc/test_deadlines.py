"""Waits with time limits that share one timer: each ends in its own time, whatever the others do."""

from __future__ import annotations

import asyncio

import pytest

from denxanh.plc.deadlines import Deadlines


async def limited(deadlines: Deadlines, limit_s: float, answer: asyncio.Future[str] | None = None) -> float:
    """Seconds until "late" came."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await deadlines.wait(answer or loop.create_future(), limit_s, "late") == "late"
    return loop.time() - begun


@pytest.mark.parametrize("limits", [(0.02, 0.06, 0.04), (0.06, 0.02, 0.04), (0.03, 0.03, 0.0)])
async def test_no_wait_ends_before_its_time(limits) -> None:
    deadlines = Deadlines()
    took = await asyncio.gather(*(limited(deadlines, limit) for limit in limits))
    for limit, took_s in zip(limits, took, strict=True):
        assert took_s >= limit - 0.001


@pytest.mark.parametrize("longer_first", [True, False])
async def test_a_short_wait_does_not_last_as_long_as_another(longer_first) -> None:
    deadlines = Deadlines()
    limits = (60.0, 0.02) if longer_first else (0.02, 60.0)
    waits = [asyncio.create_task(limited(deadlines, limit)) for limit in limits]
    done, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() >= 0.019 for task in done] == [True]
    for task in left:
        task.cancel()


async def test_an_answer_ends_its_wait_and_no_other() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    quick: asyncio.Future[str] = loop.create_future()
    slow = asyncio.create_task(limited(deadlines, 0.03))
    waiting = asyncio.create_task(deadlines.wait(quick, 60.0, "late"))
    await asyncio.sleep(0)
    quick.set_result("in time")
    assert await waiting == "in time"
    assert await slow >= 0.029
    assert await limited(deadlines, 0.01) >= 0.009  # and the next one, though the timer has been idle


async def test_who_is_cancelled_or_fails_is_forgotten() -> None:
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    broken: asyncio.Future[str] = loop.create_future()
    broken.set_exception(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        await deadlines.wait(broken, 1.0, "late")
    waiting = asyncio.create_task(deadlines.wait(loop.create_future(), 0.01, "late"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await limited(deadlines, 0.02) >= 0.019
