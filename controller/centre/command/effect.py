"""Does an order show in the cabinet? Judged by its read-back, never by what was sent; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from denxanh.controller.centre.command.picture import Picture
from denxanh.controller.guard import GuardRefusal
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.operator.message import Hold, Order, Preempt, Release, SetPlan
from denxanh.controller.wording import CAUSES, GUARD_REFUSALS, MODES, Text
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetMode


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
    """No controller answered; nothing was given, or nobody knows."""
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


def judge(
    order: Order, intersection: Intersection, now: Picture, *, goal: Mode | None = None, stood: bool = False
) -> Verdict:
    """What has become of an order by this second.

    Args:
        order: given to the controller, and accepted.
        intersection: whose.
        now: its last second.
        goal: for a release, the mode that must show as well; None: any.
        stood: whether the order has been seen standing in an earlier second.
    """
    if now.stale:
        return _waiting("Bộ điều khiển không ghi gì", "The controller writes nothing")
    if isinstance(order, Release):
        return _released(now, goal)
    if all(one.id != order.id for one in now.orders):
        if stood:
            return Verdict(State.ENDED, ("Lệnh đã hết hiệu lực", "The order stands no longer"))
        return _waiting("Bộ điều khiển đã nhận lệnh", "The controller has taken the order")
    if now.status is None:
        problem = f": {now.link_error}" if now.link_error else ""
        return _waiting(f"Tủ không trả lời{problem}", f"The cabinet does not answer{problem}")
    match order:
        case Hold():
            return _staged(order.stage, Mode.MANUAL, intersection, now)
        case Preempt():
            return _staged(order.stage, Mode.PREEMPT, intersection, now)
        case SetPlan():
            return _planned(now.plan if order.plan is None else order.plan, now)


def _released(now: Picture, goal: Mode | None) -> Verdict:
    if now.orders:
        return _waiting("Vẫn còn lệnh có hiệu lực", "An order still stands")
    vi, en = MODES[now.mode]
    if goal is not None and not _follows(now, goal):
        return _waiting(*_mode_words(now))
    return Verdict(
        State.DONE, (f"Không còn lệnh nào; chế độ: {vi.lower()}", f"No order stands; mode: {en}")
    )


def _follows(now: Picture, goal: Mode) -> bool:
    cabinet = {Mode.ADAPTIVE: CabinetMode.ADAPTIVE, Mode.PLAN: CabinetMode.CENTRAL_PLAN}.get(goal)
    return now.mode is goal and now.status is not None and now.status.mode is cabinet


def _staged(stage: int, mode: Mode, intersection: Intersection, now: Picture) -> Verdict:
    status = now.status
    assert status is not None  # `judge` has looked
    if now.mode is not mode or (mode is Mode.MANUAL and now.cause != Cause.OPERATOR_HOLD):
        return _waiting(*_mode_words(now))
    if status.mode is not CabinetMode.ADAPTIVE:
        return _waiting("Tủ chưa nhận quyền của trung tâm", "The cabinet has not taken the centre's lead yet")
    wanted, shown = intersection.stages[stage].id, intersection.stages[status.stage].id
    if status.stage == stage and status.stage_elapsed_ds > 0:
        if now.commitment is None or now.commitment.next_stage == stage:
            return Verdict(State.DONE, (f"Tủ đang giữ pha {wanted}", f"The cabinet holds stage {wanted}"))
        return _waiting(*_promise(intersection, now))
    if status.stage_elapsed_ds == 0:
        return _waiting(f"Đang chuyển sang pha {shown}", f"Changing to stage {shown}")
    if now.commitment is not None:
        return _waiting(*_promise(intersection, now))
    if now.guard_refusal is not None:
        vi, en = GUARD_REFUSALS[GuardRefusal(now.guard_refusal)]
        return _waiting(f"Pha {shown} đang chạy: {vi}", f"Stage {shown} runs: {en}")
    return _waiting(f"Pha {shown} đang chạy", f"Stage {shown} runs")


def _promise(intersection: Intersection, now: Picture) -> Text:
    assert now.commitment is not None
    left, name = now.commitment.end_in_s, intersection.stages[now.commitment.next_stage].id
    return (
        f"Đã hẹn trước: xanh còn {left} s rồi sang pha {name}",
        f"Committed: green for {left} s more, then stage {name}",
    )


def _planned(number: int | None, now: Picture) -> Verdict:
    status = now.status
    assert status is not None  # `judge` has looked
    if now.mode is not Mode.PLAN:
        return _waiting(*_mode_words(now))
    if number is not None and status.mode is CabinetMode.CENTRAL_PLAN and status.plan == number:
        return Verdict(
            State.DONE, (f"Tủ đang chạy chương trình {number}", f"The cabinet runs plan {number}")
        )
    if now.cause != Cause.OPERATOR_PLAN:
        return _waiting(*_mode_words(now))
    return _waiting(
        f"Tủ chưa nhận chương trình {number}: đang chạy chương trình {status.plan}",
        f"The cabinet has not taken up plan {number} yet: it runs plan {status.plan}",
    )


def _mode_words(now: Picture) -> Text:
    """Who is in charge instead, and why."""
    (mode_vi, mode_en), more = MODES[now.mode], f" ({now.detail})" if now.detail else ""
    why_vi, why_en = CAUSES[Cause(now.cause)] if now.cause in _CAUSES else (now.cause, now.cause)
    return f"{mode_vi}: {why_vi}{more}", f"{mode_en}: {why_en}{more}"


_CAUSES = frozenset(Cause)


def _waiting(vi: str, en: str) -> Verdict:
    return Verdict(State.WAITING, (vi, en))
