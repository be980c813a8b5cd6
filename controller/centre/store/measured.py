"""Measures of an intersection over any time, from its stored events, and how JSON tells them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy import Connection

from denxanh.controller.centre.store import signal_events
from denxanh.controller.centre.store.quarters import window
from denxanh.controller.localtime import local
from denxanh.controller.measures.detectors import detector_health
from denxanh.controller.measures.duties import duties
from denxanh.controller.measures.losses import communication
from denxanh.controller.measures.quarters import LEAD_MS, TRAIL_MS
from denxanh.controller.measures.summary import Measured, PhaseSummary, measure, summary
from denxanh.controller.measures.turning import turn_counts
from denxanh.networks.model import Intersection


def newest_ms(connection: Connection, intersection: str) -> int | None:
    """The newest stored event; None: there is none."""
    found = signal_events.extent(connection, intersection)
    return None if found is None else found[1]


def over(connection: Connection, intersection: Intersection, since_ms: int, until_ms: int) -> Measured:
    """Every measure of `[since_ms, until_ms)`.

    Raises:
        StoreError: the database does not answer.
    """
    log = window(connection, intersection.id, since_ms - LEAD_MS, until_ms + TRAIL_MS)
    return measure(log, duties(intersection), since_ms, until_ms)


def turns(found: Measured) -> list[dict[str, Any]]:
    """Turning counts over the whole time."""
    edges = np.array([found.since_ms, found.until_ms - 1], np.int64)
    return [
        {
            "phase": one.phase,
            "group": found.duties.name(one.phase),
            "turns": "".join(turn.value for turn in one.turns),
            "counted": one.counted,
            "vehicles": round(float(one.vehicles[0]), 1),
        }
        for one in turn_counts(found.log, found.duties, edges)
    ]


def detectors(found: Measured) -> list[dict[str, Any]]:
    """Health of every detector; over the lead before the time as well."""
    return [asdict(one) for one in detector_health(found.log, found.duties, found.known)]


def told(found: Measured, lines: Sequence[PhaseSummary] | None = None) -> dict[str, Any]:
    """All of it as JSON; times are local, with their offset."""
    link = communication(found.log)
    return {
        "intersection": found.duties.numbering.intersection,
        "since": _time(found.since_ms),
        "until": _time(found.until_ms),
        "known_s": found.known_s,
        "phases": [_rounded(asdict(line)) for line in lines or summary(found)],
        "turns": turns(found),
        "detectors": [_rounded(one) for one in detectors(found)],
        "losses": [
            {
                "since": _time(loss.begin_ms),
                "until": None if loss.end_ms is None else _time(loss.end_ms),
                "reason": loss.reason,
            }
            for loss in link.losses
            if loss.begin_ms < found.until_ms and (loss.end_ms is None or loss.end_ms > found.since_ms)
        ],
        "failed_polls": link.failures,
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (round(value, 4) if math.isfinite(value) else None) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _time(at_ms: int) -> str:
    return local(at_ms).isoformat(timespec="milliseconds")
