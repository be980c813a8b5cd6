"""What belongs to the cause of a mode: one line in every second's record, and words where it is announced.

The line is for programs and for pages that word it themselves: it ends with the seconds left, which change in
every second. An announcement stays in the log, so it says how long and until when, in either language.
"""

from __future__ import annotations

from denxanh.controller.estimate import Estimate
from denxanh.controller.ladder import HOLD_OFF_S, Cause
from denxanh.controller.operator import telling as ordering
from denxanh.controller.operator.attendant import OrderAttendant
from denxanh.controller.priority import telling as requesting
from denxanh.controller.priority.attendant import Attendant
from denxanh.controller.record import TickInput
from denxanh.controller.whereabouts import approach_of
from denxanh.controller.wording import Text, link_said
from denxanh.networks.model import Intersection


def line(
    cause: Cause,
    site: Intersection,
    problem: str | None,
    estimate: Estimate,
    clean_s: int,
    people: OrderAttendant,
    attendant: Attendant,
    tick: int,
) -> str:
    """One line for the record; empty where the cause says it all.

    Args:
        cause: of the mode.
        site: whose.
        problem: what the link said.
        estimate: of this second.
        clean_s: seconds for which nothing has spoken against ADAPTIVE.
        people: attends to orders.
        attendant: attends to requests.
        tick: number of the second.
    """
    if cause is Cause.LINK_LOST:
        return problem or ""
    if cause is Cause.NO_FRESH_DATA:
        return ", ".join(estimate.blind)
    if people.acting is not None:
        return ordering.detail(site, people.acting, _left_s(cause, people, attendant, tick))
    if cause is Cause.PREEMPTION:
        return requesting.detail(attendant, tick)
    if cause is Cause.LOW_CONFIDENCE:
        return f"{estimate.traffic.confidence:.2f}"
    if cause is Cause.HOLD_OFF:
        return f"{HOLD_OFF_S - clean_s} s"
    return ""


def announced(
    cause: Cause,
    said: str,
    site: Intersection,
    estimate: Estimate,
    people: OrderAttendant,
    attendant: Attendant,
    value: TickInput,
) -> Text:
    """The same in words.

    Args:
        cause: of the mode.
        said: the line.
        site: whose.
        estimate: of this second.
        people: attends to orders.
        attendant: attends to requests.
        value: of this second.
    """
    if cause is Cause.LINK_LOST:
        return link_said(said)
    if cause is Cause.NO_FRESH_DATA:
        sides = [approach_of(site, approach) for approach in estimate.blind]
        return ", ".join(vi for vi, _ in sides), ", ".join(en for _, en in sides)
    if people.acting is not None:
        left_s = _left_s(cause, people, attendant, value.tick)
        return ordering.announced(site, people.acting, left_s, value.clock_s)
    if cause is Cause.PREEMPTION:
        return requesting.announced(attendant, value.tick)
    if cause is Cause.LOW_CONFIDENCE:
        return said.replace(".", ","), said
    return said, said


def _left_s(cause: Cause, people: OrderAttendant, attendant: Attendant, tick: int) -> int:
    """Seconds for which the acting order may go on."""
    if cause is Cause.PREEMPTION or people.acting is None:
        return attendant.left_s(tick)
    return people.acting.left_s
