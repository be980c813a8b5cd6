"""Mornings that a test makes up: known profile, known deviations."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from denxanh.controller.clock import VIETNAM
from denxanh.controller.forecast.panel import DAY_MIN, Approach, Panel
from denxanh.networks.model import Schedule

MONDAY = int(datetime(2026, 11, 2, tzinfo=VIETNAM).timestamp() * 1000)


@pytest.fixture(scope="session")
def schedule() -> Schedule:
    week = ("workday",) * 5 + ("saturday", "sunday")
    return Schedule(week=week, holidays=(("2026-11-20", "holiday"),), entries=())


def columns(count: int = 3) -> tuple[Approach, ...]:
    return tuple(Approach("A", f"a{n}", (n,), 50.0) for n in range(count))


def days(count: int, seed: int = 1, *, spread: float = 0.2, noise: float = 0.5, width: int = 3) -> Panel:
    """A peak at 8:00; each day's height differs and what is left of it fades slowly."""
    dice = np.random.default_rng(seed)
    minute = np.arange(DAY_MIN)
    shape = 4.0 + 20.0 * np.exp(-(((minute - 480) / 60.0) ** 2))
    fading = 0.96 ** np.arange(150)
    made = []
    for _ in range(count):
        shocks = dice.normal(0.0, noise, (DAY_MIN, width))
        wander = np.stack([np.convolve(one, fading)[:DAY_MIN] for one in shocks.T], axis=1)
        made.append(np.clip(np.exp(dice.normal(0.0, spread)) * shape[:, None] + wander, 0.0, 50.0))
    return Panel(columns(width), MONDAY, np.concatenate(made))
