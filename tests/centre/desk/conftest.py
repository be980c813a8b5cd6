"""People who have come in, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from denxanh.controller.centre.people.firststart import demo_link
from denxanh.controller.operator.message import Role


@pytest.fixture
def enter(visit: Callable[..., Any], hosted: Any) -> Callable[..., Any]:
    """Opens a page as somebody: `enter(role, path, lang=…, theme=…, width=…)`."""

    def opened(role: Role, path: str, **options: Any) -> Any:
        with ThreadPoolExecutor(1) as thread:  # the browser's own loop runs in this one
            link = thread.submit(asyncio.run, demo_link(hosted.people, role)).result()
        return visit(path, link=link, **options)

    return opened
