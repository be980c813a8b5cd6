"""Which orders of people stand at which intersection; pure.

Depends on nothing but the orders and the ticks at which they came: no clock, no cabinet. So a journal of
orders gives the same standing orders again.

At one intersection at most one order stands on each rung: pre-emption, hold, plan. A later order replaces
the earlier one of its rung; the rungs below wait underneath. Each ends by itself after its own time, and
`Release` ends all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from denxanh.controller.operator.message import Hold, Order, Preempt, Release, SetPlan

RUNGS = ("preempt", "hold", "plan")
"""Kinds of orders that stand, highest authority first."""
RECENT_TICKS = 10
"""For so long an order that has ended is still told with its ending, so that no missed tick hides it."""


class Ending(StrEnum):
    """Why an order stands no more. Stable: the journal shows these."""

    EXPIRED = "expired"
    REPLACED = "replaced"
    """By a later order of the same rung."""
    RELEASED = "released"
    FORGOTTEN = "forgotten"
    """The controller has started anew; orders do not outlive that."""


@dataclass(frozen=True, slots=True)
class StandingView:
    """An order that stands. `stage` is a position in the intersection's stages; seconds otherwise."""

    id: str
    kind: str
    """One of `RUNGS`."""
    actor: str
    role: str
    reason: str
    stage: int | None
    plan: int | None
    """Of a plan order; None there: the plan that the schedule names."""
    left_s: int
    """Until it ends by itself; at least 1."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An order that stands no more. `by`, `why`: who ended it and that person's reason; else empty."""

    id: str
    kind: str
    actor: str
    ending: Ending
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What people's orders say of one intersection in one second: part of `TickInput`.

    Attributes:
        orders: those that stand, highest rung first.
        ended: those that have ended within the last `RECENT_TICKS`.
    """

    orders: tuple[StandingView, ...] = ()
    ended: tuple[Ended, ...] = ()

    def on(self, rung: str) -> StandingView | None:
        """The order that stands on this rung."""
        return next((one for one in self.orders if one.kind == rung), None)


NONE = Standing()


@dataclass(frozen=True, slots=True)
class _Kept:
    """An order, the tick at which it ends or has ended, and how."""

    order: Hold | SetPlan | Preempt
    until: int
    ending: Ending = Ending.EXPIRED
    by: str = ""
    why: str = ""

    def ends(self, tick: int, ending: Ending, by: str = "", why: str = "") -> _Kept:
        """The same, ended now; unchanged if it has ended before."""
        return self if self.until <= tick else _Kept(self.order, tick, ending, by, why)


@dataclass(frozen=True, slots=True)
class State:
    """Memory between seconds, all of it."""

    kept: tuple[_Kept, ...] = ()


def take(state: State, order: Order, tick: int) -> State:
    """An order that may be given; it counts from this tick on."""
    kept = tuple(one for one in state.kept if tick < one.until + RECENT_TICKS)
    if isinstance(order, Release):
        return State(
            tuple(
                one.ends(tick, Ending.RELEASED, order.actor, order.reason)
                if one.order.intersection == order.intersection
                else one
                for one in kept
            )
        )
    replaced = tuple(
        one.ends(tick, Ending.REPLACED, order.actor, order.reason)
        if (one.order.intersection, one.order.kind) == (order.intersection, order.kind)
        else one
        for one in kept
    )
    return State((*replaced, _Kept(order, tick + order.for_s)))


def forget(state: State, tick: int, intersection: str | None = None) -> State:
    """The controller of this intersection (None: of all) starts anew at this tick."""
    return State(
        tuple(
            one.ends(tick, Ending.FORGOTTEN) if intersection in (None, one.order.intersection) else one
            for one in state.kept
        )
    )


def at(state: State, tick: int) -> Mapping[str, Standing]:
    """What stands in this tick, by intersection; absent: nothing, and nothing has ended lately."""
    told: dict[str, Standing] = {}
    for one in state.kept:
        here = told.get(one.order.intersection, NONE)
        if tick < one.until:
            orders = sorted((*here.orders, _view(one, tick)), key=lambda view: RUNGS.index(view.kind))
            told[one.order.intersection] = replace(here, orders=tuple(orders))
        elif tick < one.until + RECENT_TICKS:
            told[one.order.intersection] = replace(here, ended=(*here.ended, _ended(one)))
    return told


def _view(kept: _Kept, tick: int) -> StandingView:
    order = kept.order
    return StandingView(
        id=order.id,
        kind=order.kind,
        actor=order.actor,
        role=order.role.value,
        reason=order.reason,
        stage=None if isinstance(order, SetPlan) else order.stage,
        plan=order.plan if isinstance(order, SetPlan) else None,
        left_s=kept.until - tick,
    )


def _ended(kept: _Kept) -> Ended:
    order = kept.order
    return Ended(order.id, order.kind, order.actor, kept.ending, kept.by, kept.why)
