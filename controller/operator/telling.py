"""What people read about orders: events for what begins, waits and ends, reasons, refusals; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from denxanh.controller.chooser import Choice
from denxanh.controller.ladder import Cause
from denxanh.controller.lasting import lasts, until
from denxanh.controller.operator.judge import Refused
from denxanh.controller.operator.message import Order, Role
from denxanh.controller.operator.standing import Ended, Ending, Standing, StandingView
from denxanh.controller.record import Event
from denxanh.controller.wording import CAUSES, Text
from denxanh.networks.model import Intersection

KIND = "order"
"""Of the events here."""
REFUSED = "order-refused"
WAITS = "order-waits"

KINDS: Mapping[str, Text] = {
    "hold": ("giữ pha", "hold a stage"),
    "plan": ("chạy chương trình", "run a plan"),
    "preempt": ("ưu tiên khẩn cấp", "pre-emption"),
    "release": ("trả lại điều khiển", "hand back"),
}
ROLES: Mapping[str, Text] = {
    Role.VIEWER: ("người xem", "viewer"),
    Role.OPERATOR: ("người vận hành", "operator"),
    Role.ENGINEER: ("kỹ sư giao thông", "engineer"),
    Role.POLICE_LIAISON: ("cảnh sát giao thông", "police-liaison"),
    Role.ADMINISTRATOR: ("quản trị", "administrator"),
}
ENDINGS: Mapping[Ending, Text] = {
    Ending.EXPIRED: ("đã hết thời hạn", "its time is over"),
    Ending.REPLACED: ("được thay bằng lệnh mới", "replaced by a later order"),
    Ending.RELEASED: ("đã được trả lại", "taken back"),
    Ending.FORGOTTEN: (
        "bộ điều khiển vừa khởi động lại, không giữ lại lệnh cũ",
        "the controller has started anew and keeps no orders",
    ),
}
REFUSALS: Mapping[Refused, Text] = {
    Refused.MALFORMED: ("lệnh sai định dạng", "malformed order"),
    Refused.NOT_ALLOWED: ("vai trò này không được ra lệnh này", "this role may not give this order"),
    Refused.NOT_DRIVEN: (
        "bộ điều khiển này không điều khiển nút đó",
        "this controller does not drive that intersection",
    ),
    Refused.UNKNOWN_STAGE: ("pha không tồn tại", "unknown stage"),
    Refused.UNREACHABLE_STAGE: ("không thể chuyển đến pha này", "no way leads to this stage"),
    Refused.UNKNOWN_PLAN: ("chương trình không tồn tại", "unknown plan"),
    Refused.TOO_OLD: ("lệnh đã quá cũ", "the order is too old"),
    Refused.FROM_THE_FUTURE: ("giờ của lệnh ở tương lai", "the order comes from the future"),
    Refused.BEFORE_START: (
        "lệnh được ra trước khi bộ điều khiển khởi động lại",
        "the order was given before the controller started anew",
    ),
    Refused.ID_TAKEN: ("mã lệnh đã dùng cho lệnh khác", "another order has this id"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told and still stands. `waits`: the highest order and why it has no effect."""

    orders: tuple[StandingView, ...] = ()
    ended: frozenset[str] = frozenset()
    waits: tuple[str, Cause] | None = None


_NOTHING = Told()


def detail(site: Intersection, order: StandingView, left_s: int) -> str:
    """The order in one line, for the cause of the mode: what, who, why, how long (min:s).

    Pages word the time themselves; see `announced`.
    """
    what = "" if order.kind == "plan" else f"{site.stages[order.stage or 0].id}, "
    return f"{what}{order.actor}: {order.reason}, ≤ {left_s // 60}:{left_s % 60:02d}"


def announced(site: Intersection, order: StandingView, left_s: int, clock_s: float) -> Text:
    """The order in words that stay: who, which stage, how long, until when, why."""
    (lasts_vi, lasts_en), (until_vi, until_en) = lasts(left_s), until(left_s, clock_s)
    stage_vi, stage_en = "", ""
    if order.kind != "plan":
        stage = site.stages[order.stage or 0].id
        stage_vi, stage_en = f"pha {stage}, ", f"stage {stage}, "
    return (
        f"{order.actor}, {stage_vi}{lasts_vi}, {until_vi}: {order.reason}",
        f"{order.actor}, {stage_en}{lasts_en}, {until_en}: {order.reason}",
    )


def worded(choice: Choice, site: Intersection, order: StandingView, request: int | None) -> Choice:
    """The choice as it stands in the record while an order asks for a stage."""
    stage = site.stages[order.stage or 0].id
    return replace(
        choice,
        request=request,
        why=f"Stage {stage} for {order.actor}: {order.reason}",
        why_vi=f"Pha {stage} theo lệnh của {order.actor}: {order.reason}",
    )


def happened(
    told: Told,
    site: Intersection,
    standing: Standing,
    acting: StandingView | None,
    cause: Cause,
    clock_s: float,
) -> tuple[Told, tuple[Event, ...]]:
    """What began, ended, or waits in this second.

    Args:
        told: before.
        site: whose.
        standing: of this second.
        acting: the order that is in effect, if any.
        cause: of the mode.
        clock_s: local seconds since midnight.
    """
    if not standing.orders and not standing.ended and told == _NOTHING:
        return told, ()
    known = {one.id for one in told.orders}
    ended = {one.id: one for one in standing.ended}
    events = [
        _ended(one)
        for one in standing.ended
        if one.id not in told.ended and (one.id in known or one.ending is Ending.FORGOTTEN)
    ]
    here = ended.keys() | {one.id for one in standing.orders}
    events += [  # a bug of ours has cost the desk its memory
        _ended(Ended(one.id, one.kind, one.actor, Ending.FORGOTTEN))
        for one in told.orders
        if one.id not in here
    ]
    events += [_begun(site, one, clock_s) for one in standing.orders if one.id not in known]
    highest = standing.orders[0] if standing.orders else None
    waits = None if highest is None or highest == acting else (highest.id, cause)
    if highest is not None and waits is not None and waits != told.waits:
        events.append(_waits(highest, cause))
    return Told(standing.orders, frozenset(ended), waits), tuple(events)


def refused(order: Order, why: Refused, detail_: str) -> Event:
    """An order was not taken."""
    (what_vi, what_en), (why_vi, why_en) = KINDS[order.kind], REFUSALS[why]
    (role_vi, role_en), more = _role(order.role), f" ({detail_})" if detail_ else ""
    return Event(
        KIND,
        f"Từ chối lệnh {what_vi} của {order.actor} ({role_vi}): {why_vi}{more}",
        f"Order of {order.actor} ({role_en}) refused, {what_en}: {why_en}{more}",
        REFUSED,
    )


def _begun(site: Intersection, order: StandingView, clock_s: float) -> Event:
    what_vi, what_en = _what(site, order)
    role_vi, role_en = _role(order.role)
    who_vi, who_en = f"{order.actor} ({role_vi})", f"{order.actor} ({role_en})"
    (lasts_vi, lasts_en), (until_vi, until_en) = lasts(order.left_s), until(order.left_s, clock_s)
    return Event(
        KIND,
        f"{who_vi} ra lệnh {what_vi}, tối đa {lasts_vi}, {until_vi}. Lý do: {order.reason}",
        f"{who_en} orders: {what_en}, {lasts_en} at most, {until_en}. Reason: {order.reason}",
        order.kind,
    )


def _role(role: str) -> Text:
    return ROLES.get(role, (role, role))


def _what(site: Intersection, order: StandingView) -> Text:
    vi, en = KINDS[order.kind]
    if order.kind != "plan":
        stage = site.stages[order.stage or 0].id
        return f"{vi} {stage}", f"{en}, {stage}"
    if order.plan is None:
        return f"{vi} theo lịch", f"{en}, the scheduled one"
    return f"{vi} {order.plan}", f"{en}, {order.plan}"


def _ended(ended: Ended) -> Event:
    (what_vi, what_en), (why_vi, why_en) = KINDS[ended.kind], ENDINGS[ended.ending]
    by_vi, by_en = "", ""
    if ended.by:
        by_vi, by_en = f", bởi {ended.by}: {ended.why}", f", by {ended.by}: {ended.why}"
    return Event(
        KIND,
        f"Hết lệnh {what_vi} của {ended.actor}: {why_vi}{by_vi}",
        f"Order of {ended.actor} ends, {what_en}: {why_en}{by_en}",
        ended.ending.value,
    )


def _waits(order: StandingView, cause: Cause) -> Event:
    (what_vi, what_en), (why_vi, why_en) = KINDS[order.kind], CAUSES[cause]
    return Event(
        KIND,
        f"Lệnh {what_vi} của {order.actor} chưa có hiệu lực: {why_vi}",
        f"Order of {order.actor} has no effect now, {what_en}: {why_en}",
        WAITS,
    )
