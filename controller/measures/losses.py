"""When nothing was known of an intersection, and why; and the polls that failed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog

REASONS = {1: "no-answer", 2: "no-records", 3: "clock"}
"""Parameter of `LOST` (`controller.highres.encoder.Loss`)."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A time in which nothing was known; `end_ms` is None while it lasts.

    `reason`: `no-answer` (the cabinet was not heard: communication loss), `no-records` (the controller did
    not run, or its journal has a gap), `clock` (the site's clock went back).
    """

    begin_ms: int
    end_ms: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Communication:
    """How the link to a cabinet did. `failures` of `polls` in the minutes in which any failed."""

    losses: tuple[Loss, ...]
    failures: int
    polls: int


def communication(log: EventLog) -> Communication:
    """Losses (910 until 911) and failed polls (500, 501)."""
    marks = np.flatnonzero((log.code == Code.LOST) | (log.code == Code.REGAINED))
    losses: list[Loss] = []
    for mark in marks:
        at_ms = int(log.at_ms[mark])
        lasts = bool(losses) and losses[-1].end_ms is None
        if log.code[mark] == Code.LOST:
            if not lasts:
                losses.append(Loss(at_ms, None, REASONS.get(int(log.parameter[mark]), "unknown")))
        elif lasts:
            losses[-1] = Loss(losses[-1].begin_ms, at_ms, losses[-1].reason)
    failures, polls = (
        int(log.parameter[log.code == code].sum()) for code in (Code.COMM_FAILURES, Code.COMM_POLLS)
    )
    return Communication(tuple(losses), failures, polls)
