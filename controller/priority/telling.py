"""What people read about requests at one intersection: events for what begins and ends, reasons; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from denxanh.controller.alarms import CLEARED
from denxanh.controller.chooser import Choice
from denxanh.controller.mode import Mode
from denxanh.controller.priority.attendant import Asked, Attendant
from denxanh.controller.priority.bushelp import Help
from denxanh.controller.priority.wishes import BusWish, Ending, PreemptWish
from denxanh.controller.record import Event
from denxanh.controller.whereabouts import traffic_of
from denxanh.controller.wording import NOTHING, Text
from denxanh.networks.model import Intersection

KIND = "request"
"""Of the events here."""
LIMIT = "pre-emption-limit"
CLOSED_BUT_USED = "closed-but-used"
STREET_CLOSED = "street-closed"

_ENDINGS: dict[Ending, tuple[str, str]] = {
    Ending.PASSED: ("xe đã qua", "the vehicle has passed"),
    Ending.EXPECTED_GONE: (
        "lẽ ra xe đã qua, không có tin mới",
        "the vehicle should have passed; nothing was heard",
    ),
    Ending.CANCELLED: ("yêu cầu đã được hủy", "the request was cancelled"),
    Ending.EXPIRED: ("yêu cầu đã hết hạn", "the request has expired"),
    Ending.OTHER_ROUTE: ("xe đi tuyến khác", "the vehicle takes another route"),
}
_HELPS: dict[Help, tuple[str, str]] = {
    Help.EXTENSION: ("kéo dài đèn xanh", "its green goes on"),
    Help.EARLY_GREEN: ("cho xanh sớm", "its green comes early"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told and still stands."""

    preempt: PreemptWish | None = None
    """The pre-emption of the last second."""
    help: Help | None = None
    bus: BusWish | None = None
    streets: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    limited: bool = False
    used: tuple[int, ...] = ()


_NOTHING = Told()


def detail(attendant: Attendant, tick: int) -> str:
    """The pre-emption in one line, for the cause of the mode: source, request, route, expiry."""
    wish = attendant.wishes.preempt
    if wish is None:
        return ""
    return f"{wish.source} {wish.request}, {wish.route}, ≤ {attendant.left_s(tick)} s"


def announced(attendant: Attendant, tick: int) -> Text:
    """The same in words that stay."""
    wish = attendant.wishes.preempt
    if wish is None:
        return NOTHING
    who, left_s = f"{wish.source} {wish.request}", attendant.left_s(tick)
    return (
        f"{who}, tuyến {wish.route}, tối đa {left_s} s",
        f"{who}, route {wish.route}, {left_s} s at most",
    )


def happened(
    told: Told, site: Intersection, attendant: Attendant, mode: Mode, help_: Help | None, tick: int
) -> tuple[Told, tuple[Event, ...]]:
    """What began or ended in this second."""
    wishes = attendant.wishes
    preempt = wishes.preempt if mode is Mode.PREEMPT else None
    if preempt is not None and preempt.ordered:
        preempt = None  # told as an order
    used = attendant.served_although_closed
    quiet = preempt is None and help_ is None and attendant.closures is None
    if quiet and not attendant.limited and not used and told == _NOTHING:
        return told, ()
    events = [*_preempt(told, site, attendant, preempt, tick)]
    if help_ is not None and (help_, wishes.bus and wishes.bus.request) != (
        told.help,
        told.bus and told.bus.request,
    ):
        events.append(_bus(site, wishes.bus, help_))
    streets = ((), ()) if attendant.closures is None else (attendant.closures.approaches, wishes.held)
    if streets != told.streets:
        events.append(_streets(attendant, wishes.why))
        events += _shut(told.streets[0], streets[0])
    if attendant.limited and not told.limited:
        events.append(
            Event(
                "alarm",
                "Không ưu tiên khẩn cấp thêm: các hướng khác đã chờ quá lâu, phải phục vụ họ trước",
                "No further pre-emption: the other approaches have waited too long and are served first",
                LIMIT,
            )
        )
    for g in used:
        if g not in told.used:
            vi, en = traffic_of(site, g)
            events.append(
                Event(
                    "alarm",
                    f"{vi}: đường đã báo cấm nhưng vẫn có xe, nay được phục vụ",
                    f"{en}: the street was reported closed, yet vehicles wait there; they are served",
                    CLOSED_BUT_USED,
                )
            )
    bus = wishes.bus if help_ is not None else None
    return Told(preempt, help_, bus, streets, attendant.limited, used), tuple(events)


def _preempt(
    told: Told, site: Intersection, attendant: Attendant, now: PreemptWish | None, tick: int
) -> list[Event]:
    before = told.preempt
    same = (
        before is not None
        and now is not None
        and (before.source, before.request) == (now.source, now.request)
    )
    events = []
    if before is not None and not same:
        vi, en = _end(attendant)
        events.append(
            Event(
                KIND,
                f"Hết ưu tiên cho {before.source} {before.request} ({before.route}): {vi}",
                f"Pre-emption for {before.source} {before.request} ({before.route}) ends: {en}",
                "limit" if attendant.limited else (attendant.wishes.ended or "overruled"),
            )
        )
    if now is not None and not same:
        stage = site.stages[now.stage].id
        left_s = attendant.left_s(tick)
        events.append(
            Event(
                KIND,
                f"Mở đường cho {now.source} {now.request}, tuyến {now.route}: pha {stage}, tối đa {left_s} s",
                f"Way for {now.source} {now.request}, route {now.route}: stage {stage}, {left_s} s at most",
                "pre-emption",
            )
        )
    return events


def _end(attendant: Attendant) -> tuple[str, str]:
    ended = attendant.wishes.ended
    if ended is not None:
        return _ENDINGS[ended]
    if attendant.limited:
        return "đã đến giới hạn thời gian", "the time limit is reached"
    return "quyền cao hơn hoặc yêu cầu khác thay thế", "a higher authority or another request takes over"


def _bus(site: Intersection, bus: BusWish | None, help_: Help) -> Event:
    vi, en = _HELPS[help_]
    name = "" if bus is None else f"{bus.source} {bus.request}"
    stage = "" if bus is None else site.stages[bus.stage].id
    return Event(KIND, f"Xe buýt {name}, pha {stage}: {vi}", f"Bus {name}, stage {stage}: {en}", help_.value)


def _streets(attendant: Attendant, why: str) -> Event:
    here = attendant.closures
    if here is None:
        return Event(KIND, "Các đường lại thông", "All streets are open again", "streets-open")
    shut = ", ".join(here.approaches) or "–"
    held = ", ".join(attendant.wishes.held) or "–"
    return Event(
        KIND,
        f"Hướng bị cấm: {shut}; hạn chế xe vào: {held} ({why})",
        f"Closed approaches: {shut}; held back towards: {held} ({why})",
        "streets-closed",
    )


def _shut(before: tuple[str, ...], now: tuple[str, ...]) -> list[Event]:
    """One alarm per closed approach; it stands until the approach is open again."""
    raised = [Event("alarm", *_of_approach(edge), STREET_CLOSED) for edge in now if edge not in before]
    cleared = []
    for edge in before:
        if edge not in now:
            vi, en = _of_approach(edge)
            cleared.append(Event("alarm-cleared", CLEARED[0] + vi, CLEARED[1] + en, STREET_CLOSED))
    return raised + cleared


def _of_approach(edge: str) -> tuple[str, str]:
    return (
        f"Hướng {edge} ngập hoặc bị cấm, đèn không phục vụ xe từ hướng này",
        f"Approach {edge} is flooded or closed; vehicles from there are not served",
    )


def worded(choice: Choice, site: Intersection, attendant: Attendant, mode: Mode, asked: Asked) -> Choice:
    """The choice as it stands in the record: what the guard is asked for, and why."""
    wishes = attendant.wishes
    if mode is Mode.PREEMPT and wishes.preempt is not None and not wishes.preempt.ordered:
        stage = site.stages[wishes.preempt.stage].id
        return replace(
            choice,
            request=asked.request,
            why=f"Stage {stage} for {wishes.preempt.source} {wishes.preempt.request}",
            why_vi=f"Pha {stage} cho {wishes.preempt.source} {wishes.preempt.request}",
        )
    if asked.help is not None and wishes.bus is not None:
        event = _bus(site, wishes.bus, asked.help)
        return replace(choice, request=asked.request, why=event.text_en, why_vi=event.text_vi)
    if asked.request is not None and asked.request != choice.request:
        stage = site.stages[asked.request].id
        return replace(
            choice,
            request=asked.request,
            why=f"Stage {stage}: nobody can come where the other would serve",
            why_vi=f"Pha {stage}: hướng của pha kia đang bị cấm",
        )
    return choice
