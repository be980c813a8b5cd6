"""The debrief of an exercise as a page: what happened, what was right, what was done, when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from denxanh.eval.pages import page
from denxanh.sim.exercise import Grade, Wanted
from denxanh.sim.spec import Happening
from denxanh.sim.streetreport import Reported

GRADES: Mapping[Grade, tuple[str, str]] = {
    Grade.RIGHT: ("đúng", "right"),
    Grade.LATE: ("đúng nhưng trễ", "right, but late"),
    Grade.MISSED: ("bỏ sót", "missed"),
    Grade.WRONG: ("sai", "wrong"),
    Grade.NOT_REACHED: ("chưa tới", "not reached"),
}
"""(Vietnamese, English)."""
WANTED: Mapping[Wanted, tuple[str, str]] = {
    Wanted.ACKNOWLEDGE: ("ghi nhận cảnh báo", "acknowledge the alarm"),
    Wanted.PLAN: ("chuyển sang chương trình cố định", "switch to a fixed plan"),
    Wanted.LEAVE: ("không ra lệnh tại nút này", "give no order there"),
}
HAPPENINGS: Mapping[str, tuple[str, str]] = {
    Happening.DETECTOR: ("bộ dò hỏng", "a detector fails"),
    Happening.LINK: ("mất kết nối với tủ", "the link to the cabinet is lost"),
    Happening.PANEL: ("cảnh sát mở bảng điều khiển", "the police panel is opened"),
    Happening.RESTART: ("tủ mất điện", "the cabinet loses power"),
    Happening.CONFLICT: ("đèn xung đột", "conflicting lamps"),
    Reported.FLOOD: ("báo đường ngập", "a street is reported under water"),
    Reported.CLOSURE: ("báo cấm đường", "a street is reported closed"),
}
DEEDS: Mapping[str, tuple[str, str]] = {
    "alarm.acknowledge": ("ghi nhận cảnh báo", "acknowledged the alarm"),
    "order.plan": ("chuyển chương trình", "switched the plan"),
    "order.hold": ("giữ pha", "held a stage"),
    "order.release": ("trả lại tự động", "handed back"),
    "order.preempt": ("mở đường ưu tiên", "pre-empted"),
    "order.mode": ("đổi chế độ", "changed the mode"),
}


def render(told: Mapping[str, Any]) -> str:
    """The page; `told` is what `debrief.json` holds."""
    return page(
        "debrief.html", {}, told=told, grades=GRADES, wanted=WANTED, deeds=DEEDS, happenings=HAPPENINGS
    )
