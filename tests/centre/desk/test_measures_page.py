"""The page of measures, as somebody who has come in sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.store import schema
from denxanh.controller.operator.message import Role

BEGIN_MS = 1_764_000_000_000
RUNNING = "document.querySelectorAll('#coordination circle').length > 0"


@pytest.fixture
def measured(hosted: Any) -> Any:
    """Forty minutes of two phases; of the second nothing arrives."""
    rows = []
    for at in range(BEGIN_MS, BEGIN_MS + 2_400_000, 60_000):
        for phase, begin in ((1, 5000), (2, 36_000)):
            rows += [(at + begin, 1, phase), (at + begin + 20_000, 5, phase), (at + begin + 20_000, 8, phase)]
            rows.append((at + begin + 23_000, 10, phase))
        rows += [(at + 9000, 82, 6), (at + 9400, 81, 6), (at + 50_000, 82, 6), (at + 50_400, 81, 6)]
    with hosted.store.writing() as connection:
        connection.execute(
            insert(schema.signal_events),
            [
                {"intersection": "X1", "at_ms": at, "code": code, "parameter": parameter}
                for at, code, parameter in sorted(rows)
            ],
        )
    return hosted


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(("lang", "theme"), [("vi", "dark"), ("en", "light")])
def test_the_page_draws_one_phase_and_counts_all(enter: Callable[..., Any], lang: str, theme: str) -> None:
    opened = enter(Role.VIEWER, "/measures?intersection=X1", lang=lang, theme=theme)
    opened.wait(RUNNING)
    page = opened.page
    assert page.locator("#splits rect").count() == 40
    assert page.locator("#terminations circle.max").count() == 80
    assert page.locator("#phases tr").count() == 6
    assert page.locator("#detectors tr").count() == 26
    assert opened.grave() == []
    page.select_option("select[name=phase]", "2")
    opened.wait("document.querySelectorAll('#coordination circle').length === 0")
    assert page.locator("#splits rect").count() == 40
    for width in (1920, 800):
        opened.resize(width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.wrong == []


@pytest.mark.usefixtures("measured")
def test_an_intersection_without_events_says_so(enter: Callable[..., Any]) -> None:
    opened = enter(Role.VIEWER, "/measures?intersection=X2", lang="en")
    opened.wait("document.getElementById('known').textContent.startsWith('There are no')")
    assert opened.page.locator("svg.measure").count() == 0
