"""From high-resolution events and queues to the minutes of lanes that warnings are made of. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.forecast.panel import LEAST_CONFIDENCE, MINUTE_MS, Floats
from denxanh.controller.forecast.warning import History, LanePlace
from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog
from denxanh.networks.model import DetectorKind, Intersection

States = NDArray[np.int8]
"""1 on, 0 off, -1 not known."""

_SECOND_MS = 1000
_GREEN = (Code.BEGIN_GREEN, Code.FOUND_GREEN)
_OCCUPIED = (Code.DETECTOR_ON,)
CODES = (*_GREEN, Code.GREEN_TERMINATION, *_OCCUPIED, Code.DETECTOR_OFF, Code.LOST, Code.REGAINED)
"""All that is read of a log."""


def lane_minutes(
    intersection: Intersection,
    log: EventLog,
    queues: Sequence[tuple[int, int, float, float]],
    begin_ms: int,
    end_ms: int,
    pcu_per_vehicle: float,
) -> History:
    """One intersection's lanes, minute by minute.

    A detector or a phase without any event in the log counts as off; nothing is known from `LOST` to
    `REGAINED`. Vehicles are counted by the stop-line loops; a lane without one has no departures (NaN).

    Args:
        intersection: whose log it is.
        log: best from some minutes before `begin_ms` on, so that what is on at the beginning is known.
        queues: (minute_ms, lane, mean queue in pcu, least confidence).
        begin_ms: a whole minute.
        end_ms: exclusive, a whole minute.
        pcu_per_vehicle: passenger-car units of a counted vehicle.
    """
    minutes = max(0, (end_ms - begin_ms) // MINUTE_MS)
    count = len(intersection.lanes)
    queued = np.full((minutes, count), np.nan)
    for minute_ms, at, queue, confidence in queues:
        place = (minute_ms - begin_ms) // MINUTE_MS
        if 0 <= place < minutes and 0 <= at < count and confidence >= LEAST_CONFIDENCE:
            queued[place, at] = queue
    grid = begin_ms + np.arange(minutes * 60, dtype=np.int64) * _SECOND_MS
    departed, green_s, present = (np.full((minutes, count), np.nan) for _ in range(3))
    for number, lane in enumerate(intersection.lanes):
        stops, beyond = _channels(intersection, number)
        greens = _any(
            [_states(log, _GREEN, Code.GREEN_TERMINATION, part.group + 1, grid)
             for part in lane.groups], grid,
        )  # fmt: skip
        known = (greens >= 0).reshape(minutes, 60).all(axis=1)
        green = (greens == 1).reshape(minutes, 60)
        green_s[:, number] = np.where(known, green.sum(axis=1), np.nan)
        if stops:
            passed = (log.code == Code.DETECTOR_ON) & np.isin(log.parameter, stops)
            places = (log.at_ms[passed] - begin_ms) // MINUTE_MS
            inside = places[(places >= 0) & (places < minutes)]
            vehicles = np.bincount(inside, minlength=minutes)[:minutes]
            departed[:, number] = np.where(known, vehicles * pcu_per_vehicle, np.nan)
        if beyond:
            there = _any(
                [_states(log, _OCCUPIED, Code.DETECTOR_OFF, channel, grid) for channel in beyond],
                grid,
            ).reshape(minutes, 60)
            seconds = np.maximum(1, green.sum(axis=1))
            share = ((there == 1) & green).sum(axis=1) / seconds
            present[:, number] = np.where(known & (there >= 0).all(axis=1), share, np.nan)
    lanes = tuple(
        LanePlace(intersection.id, lane.approach, number, lane.storage_pcu)
        for number, lane in enumerate(intersection.lanes)
    )
    return History(lanes, begin_ms, queued, departed, green_s, present)


def together(histories: Sequence[History]) -> History:
    """Several intersections' lanes over the same minutes, side by side.

    Raises:
        ValueError: they are of different minutes, or there are none.
    """
    if not histories or len({(one.begin_ms, len(one.queued)) for one in histories}) != 1:
        raise ValueError("histories of the same minutes are needed")
    arrays: list[Floats] = [
        np.concatenate([getattr(one, name) for one in histories], axis=1)
        for name in ("queued", "departed", "green_s", "present")
    ]
    lanes = tuple(lane for one in histories for lane in one.lanes)
    return History(lanes, histories[0].begin_ms, *arrays)


def _channels(intersection: Intersection, lane: int) -> tuple[list[int], list[int]]:
    """Channels of the lane's stop-line loops, and of the zones on its receiving lanes."""
    stops, beyond = [], []
    for channel, detector in enumerate(intersection.detectors, start=1):
        if detector.lane == lane and detector.kind is DetectorKind.STOP_LINE:
            stops.append(channel)
        if detector.lane == lane and detector.downstream:
            beyond.append(channel)
    return stops, beyond


def _any(parts: Sequence[States], grid: NDArray[np.int64]) -> States:
    """On where any is on; else unknown where any is unknown."""
    if not parts:
        return np.zeros(grid.shape, dtype=np.int8)
    stacked = np.stack(parts)
    return np.where((stacked == 1).any(axis=0), 1, stacked.min(axis=0)).astype(np.int8)


def _states(
    log: EventLog, on: Collection[Code], off: Code, parameter: int, grid: NDArray[np.int64]
) -> States:
    """What a phase or a detector was at each time of the grid."""
    begins = np.isin(log.code, list(on)) & (log.parameter == parameter)
    ends = (log.code == off) & (log.parameter == parameter)
    lost, again = log.code == Code.LOST, log.code == Code.REGAINED
    told = begins | ends | lost | again
    values = np.select([begins[told], ends[told] | again[told]], [1, 0], -1).astype(np.int8)
    times = log.at_ms[told]
    if not times.size:
        return np.full(grid.shape, 0 if len(log) else -1, dtype=np.int8)
    first = np.flatnonzero(told)[0]
    before = -1 if again[first] else int(bool(ends[first]))
    place = np.searchsorted(times, grid, side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], before).astype(np.int8)
