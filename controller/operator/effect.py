"""What the cabinet really makes of an order, read from the journal's records; pure.

Taken is not done: a hold waits for minimum greens and countdowns, and a police panel is above it. Who gave an
order follows the records until it is done, or until it is over without having been.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from denxanh.controller.codec import decode_input, decode_output
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.operator.message import Hold, Order, Preempt, Release, SetPlan
from denxanh.controller.operator.standing import NONE, Ending
from denxanh.controller.operator.telling import ENDINGS
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.wording import CABINET_MODES, CAUSES, MODES, Text
from denxanh.errors import FrameError
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetMode, CabinetStatus
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_status

_OF_ORDERS = (Cause.OPERATOR_HOLD, Cause.OPERATOR_PLAN)
_CAUSE_OF: Mapping[str, Cause] = {
    "hold": Cause.OPERATOR_HOLD,
    "plan": Cause.OPERATOR_PLAN,
    "preempt": Cause.PREEMPTION,
}
_FREE: Mapping[Mode, tuple[CabinetMode, ...]] = {
    Mode.ADAPTIVE: (CabinetMode.ADAPTIVE,),
    Mode.PLAN: (CabinetMode.CENTRAL_PLAN, CabinetMode.LOCAL_PLAN, CabinetMode.LOCAL_ACTUATED),
}
"""What a cabinet says that is back under this mode; under any other, whatever it says."""


class Progress(StrEnum):
    """How far an order has come."""

    UNHEARD = "unheard"
    """It does not stand in the journal yet."""
    WAITING = "waiting"
    """It stands; the cabinet does not do it now, or not yet."""
    DONE = "done"
    """The cabinet does it."""
    OVER = "over"
    """It stands no more."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the cabinet does about an order, and why, in both languages."""

    progress: Progress
    text_vi: str
    text_en: str


class Watch:
    """Follows one order through a journal.

    Args:
        order: as it was given.
        site: where.

    Attributes:
        effect: as of the last record.
    """

    def __init__(self, order: Order, site: Intersection) -> None:
        self.effect = Effect(Progress.UNHEARD, "chưa có trong nhật ký", "not in the journal yet")
        self._order = order
        self._site = site

    def take(self, record: Mapping[str, Any]) -> Effect:
        """One more record, whatever it is.

        Raises:
            JournalError: a tick of this intersection cannot be read.
        """
        kind = record.get("k")
        heard = self.effect.progress is not Progress.UNHEARD
        if kind == "order" and "refused" not in record and _id(record) == self._order.id:
            self.effect = Effect(Progress.WAITING, "bộ điều khiển đã nhận", "the controller has taken it")
        elif kind == "open" and heard:
            self.effect = Effect(Progress.OVER, *ENDINGS[Ending.FORGOTTEN])
        elif kind == "tick" and heard and record.get("i") == self._site.id:
            value = decode_input(record.get("in"), "in")
            output = decode_output(record.get("out"), "out")
            self.effect = effect(self._order, self._site, value, output)
        return self.effect


def effect(order: Order, site: Intersection, value: TickInput, output: TickOutput) -> Effect:
    """What one second says of an order that has been taken."""
    status = _status(site, value)
    shown_vi, shown_en = _shown(site, status, output)
    if isinstance(order, Release):
        free = not output.orders and _cause(output) not in _OF_ORDERS
        done = free and status is not None and status.mode in _FREE.get(output.mode, CabinetMode)
        return Effect(Progress.DONE if done else Progress.WAITING, shown_vi, shown_en)
    if all(one.id != order.id for one in output.orders):
        ended = next((one for one in (value.orders or NONE).ended if one.id == order.id), None)
        vi, en = ENDINGS[Ending.EXPIRED if ended is None else ended.ending]
        return Effect(Progress.OVER, f"{vi}; {shown_vi}", f"{en}; {shown_en}")
    acting = _cause(output) is _CAUSE_OF[order.kind]
    done = acting and status is not None and _does(order, status, output)
    return Effect(Progress.DONE if done else Progress.WAITING, shown_vi, shown_en)


def _does(order: Hold | SetPlan | Preempt, status: CabinetStatus, output: TickOutput) -> bool:
    if isinstance(order, SetPlan):
        return status.mode is CabinetMode.CENTRAL_PLAN and status.plan == output.plan
    arrived = output.stage == order.stage and not output.in_interstage
    return status.mode is CabinetMode.ADAPTIVE and arrived and output.commitment is None


def _shown(site: Intersection, status: CabinetStatus | None, output: TickOutput) -> Text:
    """What the cabinet does, and why the controller is in the mode that it is in."""
    cause = _cause(output)
    why_vi, why_en = ("", "") if cause is None else CAUSES[cause]
    mode_vi, mode_en = MODES[output.mode]
    because_vi, because_en = f"{mode_vi}: {why_vi}", f"{mode_en}: {why_en}"
    if status is None:
        return f"tủ không trả lời ({because_vi})", f"the cabinet does not answer ({because_en})"
    (cabinet_vi, cabinet_en), stage = CABINET_MODES[status.mode], site.stages[output.stage].id
    if status.mode in (CabinetMode.CENTRAL_PLAN, CabinetMode.LOCAL_PLAN):
        cabinet_vi, cabinet_en = f"{cabinet_vi}: {status.plan}", f"{cabinet_en}: {status.plan}"
    now_vi, now_en = f"pha {stage}", f"stage {stage}"
    if output.in_interstage:
        now_vi, now_en = f"đang chuyển sang pha {stage}", f"changing to stage {stage}"
    if output.commitment is not None:
        following = site.stages[output.commitment.next_stage].id
        now_vi += f", sau {output.commitment.end_in_s} s chuyển sang {following}"
        now_en += f", in {output.commitment.end_in_s} s to {following}"
    return f"tủ {cabinet_vi}, {now_vi} ({because_vi})", f"the cabinet {cabinet_en}, {now_en} ({because_en})"


def _status(site: Intersection, value: TickInput) -> CabinetStatus | None:
    """What the cabinet said in this second."""
    if not value.words:
        return None
    try:
        return decode_status(value.words[0], layout(site))
    except FrameError:
        return None


def _cause(output: TickOutput) -> Cause | None:
    try:
        return Cause(output.cause.partition(":")[0])
    except ValueError:
        return None


def _id(record: Mapping[str, Any]) -> str | None:
    order = record.get("order")
    return order.get("id") if isinstance(order, dict) else None
