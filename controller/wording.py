"""What people read about modes and causes: Vietnamese first, English second."""

from __future__ import annotations

import re

from denxanh.controller.guard import GuardRefusal
from denxanh.controller.health import Symptom
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.plc.contract import CabinetMode, Fault, Refusal

Text = tuple[str, str]
"""(Vietnamese, English)."""
NOTHING: Text = ("", "")

MODES: dict[Mode, Text] = {
    Mode.FLASH: ("Nháy vàng", "flash"),
    Mode.MANUAL: ("Thủ công", "manual"),
    Mode.PREEMPT: ("Ưu tiên khẩn cấp", "pre-emption"),
    Mode.ADAPTIVE: ("Thích nghi", "adaptive"),
    Mode.PLAN: ("Chương trình", "plan"),
    Mode.LOCAL: ("Tủ tự chạy", "local"),
}
CABINET_MODES: dict[CabinetMode, Text] = {
    CabinetMode.START: ("đang khởi động", "is starting"),
    CabinetMode.LOCAL_PLAN: ("tự chạy chương trình riêng", "runs its own plan"),
    CabinetMode.LOCAL_ACTUATED: ("tự chạy theo xe đến", "runs by its own detectors"),
    CabinetMode.ADAPTIVE: ("theo lệnh trung tâm", "follows the centre"),
    CabinetMode.MANUAL: ("do cảnh sát điều khiển tại chỗ", "is under its police panel"),
    CabinetMode.FLASH: ("đang nháy vàng", "flashes"),
    CabinetMode.DARK: ("đã tắt đèn", "is dark"),
    CabinetMode.FAULT: ("báo lỗi", "reports a fault"),
    CabinetMode.CENTRAL_PLAN: ("chạy chương trình do trung tâm chọn", "runs the plan that the centre chose"),
}
"""What a cabinet says that it does, after its name."""
CAUSES: dict[Cause, Text] = {
    Cause.IN_CHARGE: ("mọi điều kiện đều tốt", "all conditions are good"),
    Cause.START: ("bộ điều khiển vừa khởi động", "the controller has just started"),
    Cause.CABINET_FLASH: ("tủ đang nháy vàng", "the cabinet flashes"),
    Cause.CABINET_DARK: ("tủ đã tắt đèn", "the cabinet is dark"),
    Cause.CABINET_FAULT: ("tủ báo lỗi", "the cabinet reports a fault"),
    Cause.CABINET_START_UP: ("tủ đang khởi động", "the cabinet is starting"),
    Cause.POLICE_PANEL: ("cảnh sát giao thông đang điều khiển tại tủ", "the police panel is in charge"),
    Cause.PREEMPTION: ("mở đường cho xe ưu tiên", "an emergency route is open"),
    Cause.OPERATOR_HOLD: ("người vận hành giữ pha", "an operator holds a stage"),
    Cause.OPERATOR_PLAN: ("người vận hành chọn chương trình", "an operator chose the plan"),
    Cause.LINK_LOST: ("mất kết nối với tủ", "the link to the cabinet is lost"),
    Cause.LEASE_LOST: ("tủ đã nghe một bộ điều khiển mới hơn", "the cabinet has heard a younger controller"),
    Cause.FROZEN: (
        "dữ liệu từ tủ không đổi (nhịp tim đứng yên)",
        "the cabinet's registers are frozen (its heartbeat stands still)",
    ),
    Cause.EPOCH_TAKEN: (
        "một bộ điều khiển khác có kỳ điều khiển bằng hoặc cao hơn đã điều khiển tủ này; "
        "hãy tăng số trong tệp kỳ điều khiển rồi khởi động lại",
        "another controller with an equal or higher epoch has driven this cabinet; "
        "raise the number in the epoch file and restart",
    ),
    Cause.FOREIGN_WRITER: (
        "có người khác ghi lệnh vào tủ; đã trả tủ về chương trình riêng",
        "somebody else writes the cabinet's orders; it was given back to its own plan",
    ),
    Cause.CABINET_LOCAL: (
        "tủ đang tự chạy, trung tâm đang xin lại quyền",
        "the cabinet runs alone; asking for it back",
    ),
    Cause.NO_FRESH_DATA: (
        "một hướng có xe nhưng không còn số liệu dò xe",
        "a called approach has no fresh detector data",
    ),
    Cause.LOW_CONFIDENCE: ("ước lượng giao thông kém tin cậy", "the traffic estimate is not trusted"),
    Cause.READ_BACK: ("đèn thực tế khác với tính toán", "the lamps differ from what was decided"),
    Cause.LAMPS_UNLIT: ("có đèn không sáng màu nào", "a signal shows no colour at all"),
    Cause.SIGNALS_STAND: ("đèn đứng yên quá lâu", "the signals have stood still for too long"),
    Cause.PROMISE_BROKEN: (
        "tủ đã nhận lệnh kết thúc đèn xanh nhưng không thực hiện",
        "the cabinet has accepted the end of a green and does not keep to it",
    ),
    Cause.COMMANDS_LOST: (
        "tủ vẫn trả lời nhưng lệnh ghi vào tủ không có tác dụng",
        "the cabinet answers, but what is written to it has no effect",
    ),
    Cause.STAYS_LOCAL: (
        "tủ vẫn tự chạy dù trung tâm đã xin lại quyền",
        "the cabinet goes on running alone although it is asked back",
    ),
    Cause.GUARD_REFUSALS: ("bộ bảo vệ từ chối quá nhiều yêu cầu", "the guard refused too many requests"),
    Cause.CABINET_REFUSALS: ("tủ từ chối quá nhiều lệnh", "the cabinet refused too many commands"),
    Cause.NOT_ADOPTED: ("tủ không nhận chế độ thích nghi", "the cabinet does not take up adaptive control"),
    Cause.PLAN_UNKNOWN: (
        "tủ không có chương trình của giờ này, đã trả tủ về chương trình riêng",
        "the cabinet does not hold the plan of this hour; it was given back to its own",
    ),
    Cause.PLAN_NOT_FOLLOWED: (
        "tủ không rời chế độ thích nghi khi được yêu cầu, đã trả tủ về chương trình riêng",
        "the cabinet does not leave adaptive control when asked to; it was given back to its own plan",
    ),
    Cause.CONFIG_MISMATCH: (
        "cấu hình trong tủ khác cấu hình ở trung tâm",
        "the cabinet's tables differ from the centre's",
    ),
    Cause.POLICY_ERROR: ("chính sách gặp lỗi, dùng luật thay thế", "the policy failed; the rule stands in"),
    Cause.POLICY_OVER_BUDGET: (
        "chính sách tính quá lâu, dùng luật thay thế",
        "the policy was too slow; the rule stands in",
    ),
    Cause.RULE_ERROR: ("cả luật thay thế cũng gặp lỗi", "the stand-in rule failed as well"),
    Cause.HOLD_OFF: ("chờ ổn định trước khi trở lại thích nghi", "waiting to be steady before adaptive"),
    Cause.FLAPPING: (
        "đổi chế độ quá nhiều lần, chờ người vận hành",
        "too many mode changes; waiting for an operator",
    ),
}
SYMPTOMS: dict[Symptom, Text] = {
    Symptom.NONE: ("tốt", "good"),
    Symptom.STALE: ("không có số liệu mới", "no fresh data"),
    Symptom.FAULT: ("tự báo lỗi", "reports a fault"),
    Symptom.GARBAGE: ("số liệu vô lý", "impossible values"),
    Symptom.STUCK_ON: ("luôn báo có xe", "stuck on"),
    Symptom.STUCK_OFF: ("luôn báo không có xe", "stuck off"),
    Symptom.FROZEN: ("số liệu đứng yên", "values stand still"),
    Symptom.CHATTER: ("đóng ngắt liên tục", "chatter"),
    Symptom.ERRATIC: ("đếm quá nhiều xe", "erratic counts"),
    Symptom.IMPLAUSIBLE: ("đếm xe nhưng không bị chiếm dụng", "counts vehicles that take no time to pass"),
}
GUARD_REFUSALS: dict[GuardRefusal, Text] = {
    GuardRefusal.STARTING: ("đèn đang khởi động", "the signals are starting"),
    GuardRefusal.INTERSTAGE: ("đang chuyển pha", "a change is running"),
    GuardRefusal.COMMITTED: ("đã hẹn trước một lần chuyển pha", "another change is promised"),
    GuardRefusal.UNKNOWN_STAGE: ("pha không tồn tại", "unknown stage"),
    GuardRefusal.NOT_IN_GRAPH: ("không được chuyển giữa hai pha này", "no such transition"),
    GuardRefusal.MIN_GREEN: ("chưa hết xanh tối thiểu", "a minimum green is not over"),
    GuardRefusal.PEDESTRIAN: ("người đi bộ đang qua đường", "pedestrians are crossing"),
    GuardRefusal.STARVATION: ("có hướng sắp chờ quá lâu", "someone would wait too long"),
    GuardRefusal.MAX_GREEN: ("đã hết xanh tối đa", "the maximum green is over"),
}
"""Why the guard does not follow a request, or changes stages without one."""
FAULTS: dict[Fault, Text] = {
    Fault.CONFLICT: ("bộ giám sát xung đột đã khóa", "its conflict monitor has latched"),
    Fault.WATCHDOG: ("không nghe trung tâm, đã tự chạy", "it heard no centre and went alone"),
    Fault.LAMP: ("đèn hiện khác với lệnh", "lamps show other than they were told"),
    Fault.CONFIG: ("không có chương trình cần chạy", "it does not hold the plan that is to run"),
    Fault.CLOCK: ("đồng hồ của tủ đã nhảy", "its clock has jumped"),
    Fault.FOREIGN: (
        "có người khác ghi lệnh vào tủ; hãy tìm trung tâm kia và chặn địa chỉ của nó",
        "somebody else writes its orders; find that centre and shut its address out",
    ),
}
"""What a cabinet complains of."""
REFUSALS: dict[Refusal, Text] = {
    Refusal.NONE: ("không", "none"),
    Refusal.MALFORMED: ("lệnh sai định dạng", "malformed command"),
    Refusal.EXPIRED: ("lệnh quá hạn", "expired command"),
    Refusal.STALE_EPOCH: ("kỳ điều khiển đã cũ", "stale epoch"),
    Refusal.UNKNOWN_STAGE: ("pha không tồn tại", "unknown stage"),
    Refusal.UNKNOWN_PLAN: ("chương trình không tồn tại", "unknown plan"),
    Refusal.MIN_GREEN: ("cắt ngắn xanh tối thiểu", "would cut a minimum green"),
    Refusal.COMMITMENT: ("trái với cam kết đếm ngược", "against the commitment"),
    Refusal.TRANSITION: ("không được chuyển giữa hai pha này", "no such transition"),
    Refusal.LOCAL_CONTROL: ("trung tâm không có quyền lúc này", "the centre is not in charge"),
    Refusal.OUT_OF_ORDER: ("lệnh đến sai thứ tự", "out of order"),
}


_LINK_SAID: tuple[Text, ...] = (
    ("không lập được kết nối bảo mật", "no secure link"),
    ("không mở được kết nối", "no connection"),
    ("vẫn vắng, đang chờ lần thử tiếp", "still away"),
    ("không trả lời", "no answer"),
    ("không tìm thấy máy", "no such host"),
)
"""(Vietnamese, what the English error contains)."""
_LEFT = re.compile(r"(?:≤ |^)(\d+:\d\d|\d+ s)$")
"""How the line of a mode's cause ends that says for how long (`detail.line`)."""
UNGATED: Text = ("Mô hình chưa qua cổng kiểm định", "The model has not passed the gate")


def link_said(problem: str) -> Text:
    """What a cabinet's link said. Errors are in English, for who mends the link; Vietnamese names the kind.

    The Vietnamese is empty where the error is of no known kind.
    """
    return next((vi for vi, en in _LINK_SAID if en in problem), ""), problem


def recorded(cause: str, said: str) -> Text:
    """A record's line in words, for who reads it while it is true; pages do the same in `causeOf`."""
    if cause == Cause.LINK_LOST.value:
        return link_said(said)
    found = _LEFT.search(said)
    if found is None:
        return said, said
    before = said[: found.start()]
    return f"{before}còn {found[1]}", f"{before}{found[1]} left"


def reason(refusal: Refusal) -> str:
    """A cabinet's refusal as it stands in records: lower case with hyphens."""
    return refusal.name.lower().replace("_", "-")
