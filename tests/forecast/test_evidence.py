from __future__ import annotations

import numpy as np
import pytest

from denxanh.controller.forecast.evidence import lane_minutes, together
from denxanh.controller.forecast.panel import MINUTE_MS
from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind

SITE = crossroads_corridor().intersections[0]
PHASE = SITE.lanes[0].groups[0].group + 1
BEGIN = 60 * MINUTE_MS


def channel(kind: DetectorKind, *, downstream: bool = False) -> int:
    return next(
        n
        for n, one in enumerate(SITE.detectors, start=1)
        if one.lane == 0 and one.kind is kind and one.downstream is downstream
    )


STOP = channel(DetectorKind.STOP_LINE)


def log(*events: tuple[float, int, int]) -> EventLog:
    """Seconds after the beginning, code, parameter."""
    rows = sorted(events, key=lambda one: one[0])
    return EventLog(
        np.array([BEGIN + round(at * 1000) for at, _, _ in rows], dtype=np.int64),
        np.array([code for _, code, _ in rows], dtype=np.int16),
        np.array([parameter for _, _, parameter in rows], dtype=np.int32),
    )


def minutes(events: EventLog, count: int = 2, rows: tuple = ()):
    return lane_minutes(SITE, events, rows, BEGIN, BEGIN + count * MINUTE_MS, 0.5)


def test_green_seconds_and_departures_by_minute():
    found = minutes(
        log(
            (10, Code.BEGIN_GREEN, PHASE),
            (70, Code.GREEN_TERMINATION, PHASE),
            *((at, Code.DETECTOR_ON, STOP) for at in (-1, 20, 30, 65)),
        )
    )
    assert found.green_s[:, 0].tolist() == [50.0, 10.0]
    assert found.departed[:, 0].tolist() == [1.0, 0.5]  # half a pcu per vehicle; the one before is not in


def test_what_was_on_before_the_first_event_is_concluded_from_it():
    assert minutes(log((30, Code.GREEN_TERMINATION, PHASE))).green_s[:, 0].tolist() == [30.0, 0.0]


def test_nothing_is_known_between_lost_and_regained():
    found = minutes(
        log(
            (5, Code.BEGIN_GREEN, PHASE),
            (62, Code.LOST, 1),
            (150, Code.REGAINED, 0),
            (150, Code.FOUND_GREEN, PHASE),
        ),
        4,
    )
    assert found.green_s[[0, 3], 0].tolist() == [55.0, 60.0]
    assert np.isnan(found.green_s[1:3, 0]).all()
    assert np.isnan(found.departed[1:3, 0]).all()


def test_an_empty_log_knows_nothing():
    assert np.isnan(minutes(log()).green_s).all()


def test_queues_that_nobody_trusts_are_unknown():
    rows = ((BEGIN, 0, 3.0, 0.9), (BEGIN + MINUTE_MS, 0, 3.0, 0.2), (BEGIN, 999, 1.0, 1.0), (0, 0, 9.0, 1.0))
    found = minutes(log(), rows=rows)
    assert found.queued[0, 0] == 3.0
    assert np.isnan(found.queued[1, 0])


def test_lane_without_a_zone_beyond_has_none_to_tell_of():
    if not any(one.downstream for one in SITE.detectors):
        assert np.isnan(minutes(log((0, Code.BEGIN_GREEN, PHASE))).present).all()


def test_side_by_side_only_what_is_of_the_same_minutes():
    one = minutes(log())
    assert len(together([one, one]).lanes) == 2 * len(one.lanes)
    with pytest.raises(ValueError, match="same minutes"):
        together([one, minutes(log(), 3)])
