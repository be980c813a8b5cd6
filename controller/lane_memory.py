"""One lane's memory between seconds: what its believed detectors make of the traffic on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from denxanh.agents.observation import NO_GAP_S
from denxanh.controller.readings import LoopDelta, Zone
from denxanh.controller.sight import Eyes

WINDOW_S = 30
"""Longest window of counts in `LaneState`, s."""
SHORT_S = 10
"""Shorter one, s."""
NOTHING = (0.0,) * WINDOW_S
"""The window in which nothing came; one object, so that it is known when it is met again."""
DISCHARGE_MEMORY_S = 5.0
"""A green group discharges if its stop line counted within this time, s: 2.5 saturation headways."""
_HISTORY_S = 600.0
"""Time constant of the history that replaces a blind lane's counts, s."""
_new = tuple.__new__
"""Makes a named tuple from a tuple, which takes half as long as calling it."""


class LaneMemory(NamedTuple):
    """Memory of one lane; pcu except where it says vehicles."""

    arrivals: tuple[float, ...] = NOTHING
    """Per second, newest last."""
    discharge: tuple[float, ...] = NOTHING
    arrivals_10s: float = 0.0
    """Sum over the newest seconds, like the next two."""
    arrivals_30s: float = 0.0
    discharge_10s: float = 0.0
    gap_s: float = NO_GAP_S
    discharge_s: float = NO_GAP_S
    """Since the last discharge."""
    balance: float = 0.0
    """Vehicles between the loops by their difference."""
    zone_vehicles: float = 0.0
    queued: float = 0.0
    moving: float = 0.0
    past_queued: float = 0.0
    past_moving: float = 0.0
    occupancy: float = 0.0
    downstream: float = 0.0
    latched: bool = False
    """A vehicle came on red and has not been let go; used where no zone can see it."""


def follow(
    before: LaneMemory,
    eyes: Eyes,
    loops: Sequence[LoopDelta],
    zones: Sequence[Zone],
    *,
    served: bool,
    span: float,
    pcu: float,
    room: float,
) -> LaneMemory:
    """The lane's memory after one report.

    Where its own detectors cannot see its queue, `queued` and `moving` are 0, to be replaced by a guess.

    Args:
        before: memory.
        eyes: the lane's believed detectors.
        loops: what loops have seen since the last report, by detector.
        zones: what zones see now, by detector.
        served: whether one of the lane's groups is green.
        span: seconds since the last report.
        pcu: passenger-car units of a vehicle.
        room: passenger-car units that the lane's zone holds.
    """
    stops, advances, watching, below = eyes
    (
        arrivals, discharge, arrivals_10s, arrivals_30s, discharge_10s, gap_s, discharge_s, balance, held,
        _, _, past_queued, past_moving, _, downstream, latched,
    ) = before  # fmt: skip
    vehicles = standing = covered = on_s = 0.0
    out: float = 0
    come: float = 0
    occupied = False
    for d in watching:
        inside, queueing, share, _, _ = zones[d]
        vehicles += inside
        standing += queueing
        if share > covered:
            covered = share
    for d in stops:
        passed, for_s, _, there = loops[d]
        out += passed
        if for_s > on_s:
            on_s = for_s
        if there:
            occupied = True
    for d in advances:
        passed, _, _, there = loops[d]
        come += passed
        if there:
            occupied = True
    stepped = vehicles - held if watching else 0.0
    if not stops:
        out = -stepped if served and stepped < 0.0 else 0.0
    if not advances:
        come = max(0.0, stepped + out)
        if not stops:
            occupied = vehicles > 0.0
    if watching:
        balance = held = vehicles
        queued = (standing if standing < vehicles else vehicles) * pcu
        moving = vehicles * pcu - queued
        if moving <= 0.0:
            moving = 0.0
        weight = span / _HISTORY_S if span < _HISTORY_S else 1.0
        past_queued += weight * (queued - past_queued)
        past_moving += weight * (moving - past_moving)
    else:
        balance = min(max(0.0, balance + come - out), room / pcu)
        queued = moving = 0.0
        if stops and advances:
            if not occupied and served and gap_s > 2.0 * DISCHARGE_MEMORY_S:
                balance = 0.0  # nothing moves over either loop on green: the difference has drifted
            queued, moving = (0.0, balance * pcu) if served else (balance * pcu, 0.0)
    if stops:
        covered = min(1.0, on_s / span) if span > 0.0 else 0.0
    if below:
        downstream = 0.0
        for d in below:
            share = zones[d].occupancy
            if share > downstream:
                downstream = share
    else:
        downstream *= math.exp(-span / _HISTORY_S)
    if come or arrivals is not NOTHING:
        arrivals = _shift(arrivals, come * pcu, span)
        arrivals_10s, arrivals_30s = sum(arrivals[-SHORT_S:]), sum(arrivals)
    if out or discharge is not NOTHING:
        discharge = _shift(discharge, out * pcu, span)
        discharge_10s = sum(discharge[-SHORT_S:])
    gap_s, discharge_s = gap_s + span, discharge_s + span
    after = (
        arrivals,
        discharge,
        arrivals_10s,
        arrivals_30s,
        discharge_10s,
        0.0 if occupied else gap_s if gap_s < NO_GAP_S else NO_GAP_S,
        0.0 if out > 0 else discharge_s if discharge_s < NO_GAP_S else NO_GAP_S,
        balance,
        held,
        queued,
        moving,
        past_queued,
        past_moving,
        covered,
        downstream,
        occupied or (not served and (latched or come > 0 or out > 0)),
    )
    return _new(LaneMemory, after)


def _shift(window: tuple[float, ...], amount: float, span: float) -> tuple[float, ...]:
    """The window after `span` seconds in which `amount` came, spread evenly over them."""
    steps = round(span)
    if steps <= 0:
        return window if amount <= 0.0 else (*window[:-1], window[-1] + amount)
    if steps > 1:
        window = (*window, *((amount / steps,) * min(steps, WINDOW_S)))[-WINDOW_S:]
    else:
        window = (*window[1:], amount)
    return window if amount or any(window) else NOTHING
