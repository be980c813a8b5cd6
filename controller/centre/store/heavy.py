"""Threads of their own for long work on the store: orders, sessions and the feed never queue behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

THREADS: Final = 4
"""Two for the steady works (measures, hourly sums), two for those who look (assumed)."""

P = ParamSpec("P")
T = TypeVar("T")
_THREADS: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="heavy")


async def heavy(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `asyncio.to_thread`, in those threads; when cancelled, it waits for the end of what it has begun.

    So nobody closes the store under the hands of the work.
    """
    begun = asyncio.get_running_loop().run_in_executor(_THREADS, partial(work, *args, **kwargs))
    try:
        return await asyncio.shield(begun)
    except asyncio.CancelledError:
        await asyncio.wait({begun})
        raise
