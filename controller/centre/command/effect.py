"""What has become of a command by this second; pure.

Whether the cabinet does what an order says is `operator/effect.py`'s to judge, for the command line as well.
Here stands what a command is to the centre: its state, and the mode that some commands are after.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from denxanh.controller.centre.command.picture import Picture
from denxanh.controller.centre.command.wish import Wish
from denxanh.controller.mode import Mode
from denxanh.controller.operator.effect import Progress, effect
from denxanh.controller.operator.message import Release
from denxanh.controller.wording import Text
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetMode

_CABINET = {Mode.ADAPTIVE: CabinetMode.ADAPTIVE, Mode.PLAN: CabinetMode.CENTRAL_PLAN}
"""The cabinet's own mode in which a goal shows."""


class State(StrEnum):
    """What has become of a command. Stable: the store and the API name these."""

    ASKED = "asked"
    """Written down, not yet given to the controller."""
    WAITING = "waiting"
    """The controller has it; the cabinet does not show it yet."""
    DONE = "done"
    """The cabinet shows it."""
    REFUSED = "refused"
    """The controller refused it; nothing has changed."""
    UNREACHABLE = "unreachable"
    """No controller took it."""
    ENDED = "ended"
    """It expired, was replaced or taken back before the cabinet showed it."""

    @property
    def final(self) -> bool:
        """Whether nothing more will become of it."""
        return self not in (State.ASKED, State.WAITING)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the cabinet shows of an order, and why not more."""

    state: State
    why: Text


def stands(wish: Wish, now: Picture) -> bool:
    """Whether the order stands in this second."""
    return any(one.id == wish.key for one in now.decided.orders)


def judge(wish: Wish, site: Intersection, now: Picture, *, stood: bool) -> Verdict:
    """What has become of a wish that the controller has taken.

    Args:
        wish: whose order it is.
        site: where.
        now: the intersection's last second.
        stood: whether the order stands, or has stood in an earlier second.
    """
    if now.stale:
        return Verdict(State.WAITING, ("bộ điều khiển không ghi gì", "the controller writes nothing"))
    if not stood and not isinstance(wish.order, Release):
        return Verdict(State.WAITING, ("bộ điều khiển đã nhận", "the controller has taken it"))
    found = effect(wish.order, site, now.heard, now.decided)
    why = found.text_vi, found.text_en
    if found.progress is Progress.OVER:
        return Verdict(State.ENDED, why)
    done = found.progress is Progress.DONE and (wish.goal is None or _follows(now, wish.goal))
    return Verdict(State.DONE if done else State.WAITING, why)


def _follows(now: Picture, goal: Mode) -> bool:
    return now.decided.mode is goal and now.status is not None and now.status.mode is _CABINET.get(goal)
