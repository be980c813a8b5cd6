"""One lane's memory between seconds: what its believed detectors make of the traffic on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from denxanh.agents.observation import NO_GAP_S
from denxanh.controller.readings import LoopDelta, Zone

WINDOW_S = 30
"""Longest window of counts in `LaneState`, s."""
DISCHARGE_MEMORY_S = 5.0
"""A green group discharges if its stop line counted within this time, s: 2.5 saturation headways."""
_HISTORY_S = 600.0
"""Time constant of the history that replaces a blind lane's counts, s."""


class LaneMemory(NamedTuple):
    """Memory of one lane; pcu except where it says vehicles."""

    arrivals: tuple[float, ...] = (0.0,) * WINDOW_S
    """Per second, newest last."""
    discharge: tuple[float, ...] = (0.0,) * WINDOW_S
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


class Seen(NamedTuple):
    """What a lane's believed detectors say now; `downstream` are occupancies below the junction."""

    stops: list[LoopDelta]
    advances: list[LoopDelta]
    zones: list[Zone]
    downstream: list[float]


def follow(
    before: LaneMemory, seen: Seen, *, served: bool, span: float, pcu: float, room: float
) -> tuple[LaneMemory, bool]:
    """The lane's memory after one report, and whether its own detectors can see its queue.

    Args:
        before: memory.
        seen: believed detectors only.
        served: whether one of the lane's groups is green.
        span: seconds since the last report.
        pcu: passenger-car units of a vehicle.
        room: passenger-car units that the lane's zone holds.
    """
    stops, advances, watching = seen.stops, seen.advances, seen.zones
    vehicles = sum([zone.vehicles for zone in watching])
    stepped = vehicles - before.zone_vehicles if watching else 0.0
    out = sum([loop.passed for loop in stops]) if stops else (max(0.0, -stepped) if served else 0.0)
    come = sum([loop.passed for loop in advances]) if advances else max(0.0, stepped + out)
    occupied = True in [loop.occupied for loop in (*stops, *advances)]
    if not stops and not advances:
        occupied = vehicles > 0.0
    balance = min(max(0.0, before.balance + come - out), room / pcu)
    past_queued, past_moving = before.past_queued, before.past_moving
    sees = True
    if watching:
        queued = min(sum([zone.queued for zone in watching]), vehicles) * pcu
        moving = max(0.0, vehicles * pcu - queued)
        balance = vehicles
        weight = min(1.0, span / _HISTORY_S)
        past_queued += weight * (queued - past_queued)
        past_moving += weight * (moving - past_moving)
    elif stops and advances:
        if not occupied and served and before.gap_s > 2.0 * DISCHARGE_MEMORY_S:
            balance = 0.0  # nothing moves over either loop on green: the difference has drifted
        queued, moving = (0.0, balance * pcu) if served else (balance * pcu, 0.0)
    else:
        queued, moving, sees = 0.0, 0.0, False
    lane = LaneMemory(
        arrivals=_shift(before.arrivals, come * pcu, span),
        discharge=_shift(before.discharge, out * pcu, span),
        gap_s=0.0 if occupied else min(NO_GAP_S, before.gap_s + span),
        discharge_s=0.0 if out > 0 else min(NO_GAP_S, before.discharge_s + span),
        balance=balance,
        zone_vehicles=vehicles if watching else before.zone_vehicles,
        queued=queued,
        moving=moving,
        past_queued=past_queued,
        past_moving=past_moving,
        occupancy=_occupancy([loop.on_s for loop in stops], span)
        if stops
        else max([zone.occupancy for zone in watching], default=0.0),
        downstream=max(seen.downstream)
        if seen.downstream
        else before.downstream * math.exp(-span / _HISTORY_S),
        latched=occupied or (not served and (before.latched or come > 0 or out > 0)),
    )
    return lane, sees


def _shift(window: tuple[float, ...], amount: float, span: float) -> tuple[float, ...]:
    """The window after `span` seconds in which `amount` came, spread evenly over them."""
    steps = round(span)
    if steps <= 0:
        return window if amount <= 0.0 else (*window[:-1], window[-1] + amount)
    if steps == 1:
        return (*window[1:], amount)
    return (*window, *((amount / steps,) * min(steps, WINDOW_S)))[-WINDOW_S:]


def _occupancy(on_s: Sequence[float], span: float) -> float:
    """Largest share of the interval that one of the loops was occupied."""
    return min(1.0, max(on_s) / span) if span > 0.0 and on_s else 0.0
