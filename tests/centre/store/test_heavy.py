"""Long work holds up nobody, and is waited for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from denxanh.controller.centre.store.heavy import THREADS, heavy


def test_threads_of_orders_stay_free() -> None:
    async def tried() -> bool:
        end = threading.Event()
        works = [asyncio.create_task(heavy(end.wait, 10)) for _ in range(40)]
        await asyncio.sleep(0)
        try:
            return await asyncio.wait_for(asyncio.to_thread(lambda: True), 5)
        finally:
            end.set()
            await asyncio.gather(*works)

    assert THREADS < 40
    assert asyncio.run(tried())


def test_a_cancelled_work_is_waited_for() -> None:
    async def tried() -> None:
        begun, end, done = threading.Event(), threading.Event(), []

        def work() -> None:
            begun.set()
            end.wait(10)
            done.append(1)

        task = asyncio.create_task(heavy(work))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.sleep(0.01)
        assert not task.done()
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == [1]

    asyncio.run(tried())
