"""May this person order this here and now? Form, right, place, age and repetition of an order.

Age: `issued_s` within `MAX_AGE_S`, and not before this run began, so that an order recorded before a restart
is refused after it although its id is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from denxanh.agents.movements import next_hop
from denxanh.controller.operator.message import MAY_ORDER, Hold, Order, Preempt, SetPlan, parse
from denxanh.errors import RequestError
from denxanh.networks.model import Intersection

MAX_AGE_S = 10.0
"""Oldest order that is taken (assumed): who gives it waits 3 s for the answer."""
AHEAD_S = 5.0
"""How far the clock of who gives it may be ahead (assumed)."""
KEPT_IDS = 1024
"""Orders whose ids are known at least; those that are still young enough to be taken always are."""


class Refused(StrEnum):
    """Why an order is not taken. Stable: answers and the journal show these."""

    MALFORMED = "malformed"
    NOT_ALLOWED = "not-allowed"
    """This role may not give orders of this kind."""
    NOT_DRIVEN = "not-driven"
    """This controller does not drive this intersection."""
    UNKNOWN_STAGE = "unknown-stage"
    UNREACHABLE_STAGE = "unreachable-stage"
    """The stage graph has no way to it."""
    UNKNOWN_PLAN = "unknown-plan"
    TOO_OLD = "too-old"
    FROM_THE_FUTURE = "from-the-future"
    BEFORE_START = "before-start"
    """It was given before this run of the controller began; orders do not outlive a restart."""
    ID_TAKEN = "id-taken"
    """Another order has this id."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an order. `again`: it has been judged before, and this is what was said then."""

    order: Order | None
    refused: Refused | None
    detail: str = ""
    again: bool = False


class Judge:
    """Judges the orders of one run; remembers what it has said of each id.

    Args:
        sites: the intersections that are driven, by id.
    """

    def __init__(self, sites: Mapping[str, Intersection]) -> None:
        self._sites = dict(sites)
        self._said: dict[str, Verdict] = {}

    def drop(self, intersection: str) -> None:
        """It is driven no more."""
        self._sites.pop(intersection, None)

    def judge(self, datagram: bytes, now_s: float, up_s: float) -> Verdict:
        """One datagram. Total: whatever the bytes are, there is a verdict.

        Args:
            datagram: as it came.
            now_s: seconds since 1970, UTC.
            up_s: seconds that this run has been up, by a clock that does not jump.
        """
        try:
            order = parse(datagram)
        except RequestError as error:
            return Verdict(None, Refused.MALFORMED, str(error))
        before = self._said.get(order.id)
        if before is not None:
            if _same(order, before.order):
                return Verdict(before.order, before.refused, before.detail, again=True)
            return Verdict(order, Refused.ID_TAKEN, "give each order an id of its own")
        age_s = now_s - order.issued_s
        refused, detail = self._objection(order) or _untimely(age_s, up_s) or (None, "")
        return Verdict(order, refused, detail)

    def remember(self, verdict: Verdict, now_s: float) -> None:
        """Keep what has been said of an order, once it stands in the journal."""
        if verdict.order is None or verdict.refused is Refused.ID_TAKEN:
            return
        self._said[verdict.order.id] = verdict
        while len(self._said) > KEPT_IDS:
            oldest = next(iter(self._said.values())).order
            if oldest is not None and now_s - oldest.issued_s <= MAX_AGE_S:
                return
            del self._said[next(iter(self._said))]

    def _objection(self, order: Order) -> tuple[Refused, str] | None:
        """What speaks against this order at any time."""
        if order.role not in MAY_ORDER[order.kind]:
            return Refused.NOT_ALLOWED, f"{order.role.value}: {order.kind}"
        site = self._sites.get(order.intersection)
        if site is None:
            return Refused.NOT_DRIVEN, order.intersection
        match order:
            case Hold() | Preempt() if order.stage >= len(site.stages):
                return Refused.UNKNOWN_STAGE, f"there are 0 to {len(site.stages) - 1}"
            case Hold() | Preempt() if not _reachable(site, order.stage):
                return Refused.UNREACHABLE_STAGE, site.stages[order.stage].id
            case SetPlan(plan=int(number)) if all(plan.number != number for plan in site.plans):
                known = ", ".join(str(plan.number) for plan in site.plans)
                return Refused.UNKNOWN_PLAN, f"there are {known}" if known else "there are none"
        return None


def _same(order: Order, before: Order | None) -> bool:
    """Whether it is the same order, said again perhaps at another time."""
    return before is not None and order.model_copy(update={"issued_s": before.issued_s}) == before


def _reachable(site: Intersection, stage: int) -> bool:
    """Whether the stage graph leads from every other stage to this one."""
    others = (one for one in range(len(site.stages)) if one != stage)
    return all(next_hop(site, one, stage) != one for one in others)


def _untimely(age_s: float, up_s: float) -> tuple[Refused, str] | None:
    if age_s > MAX_AGE_S:
        return Refused.TOO_OLD, f"{age_s:.0f} s old, {MAX_AGE_S:.0f} s are allowed"
    if age_s > up_s:
        return Refused.BEFORE_START, "the controller has started anew; orders do not outlive that"
    if age_s < -AHEAD_S:
        return Refused.FROM_THE_FUTURE, f"{-age_s:.0f} s ahead"
    return None
