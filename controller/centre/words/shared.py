"""Words that every page has: the shell's, the vocabulary's, the units'."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words
from denxanh.controller.operator.message import Role
from denxanh.controller.wording import CAUSES, GUARD_REFUSALS, MODES, REFUSALS, reason

SHELL: Words = {
    "product": Word("Đèn Xanh", "Đèn Xanh"),
    "product.centre": Word("Trung tâm tín hiệu", "Signal centre"),
    "shell.skip": Word("Đến nội dung chính", "Skip to the content"),
    "shell.nav": Word("Các trang", "Pages"),
    "shell.language": Word("Ngôn ngữ", "Language"),
    "shell.theme": Word("Giao diện", "Theme"),
    "shell.theme.auto": Word("Theo máy", "System"),
    "shell.theme.light": Word("Sáng", "Light"),
    "shell.theme.dark": Word("Tối", "Dark"),
    "shell.sign-out": Word("Đăng xuất", "Sign out"),
    "shell.sign-in": Word("Đăng nhập", "Sign in"),
    "shell.script": Word("Trang này cần JavaScript.", "This page needs JavaScript."),
    "shell.clock": Word("Giờ của bộ điều khiển", "The controller's time"),
    "shell.simulated": Word("giờ mô phỏng", "simulated time"),
    "shell.needs": Word("{n} nút cần xem", "{n} need attention", "{n} needs attention"),
    "shell.needs.none": Word("Mọi nút ổn", "All in order"),
    "shell.needs.calm": Word("Không có sự cố", "No trouble"),
    "nav.watch": Word("Quan sát", "Watch"),
    "nav.operate": Word("Điều hành", "Operate"),
    "nav.answer": Word("Trách nhiệm", "Account"),
    "nav.map": Word("Bản đồ", "Map"),
    "nav.intersections": Word("Nút giao", "Intersections"),
    "nav.corridor": Word("Tuyến", "Corridor"),
    "nav.measures": Word("Đo lường", "Measures"),
    "nav.hotspots": Word("Điểm nóng", "Hotspots"),
    "nav.alarms": Word("Cảnh báo", "Alarms"),
    "nav.notices": Word("Thông báo", "Notices"),
    "nav.plans": Word("Chương trình", "Plans"),
    "nav.calendar": Word("Lịch", "Calendar"),
    "nav.audit": Word("Sổ ghi", "Log"),
    "nav.comparison": Word("So sánh", "Comparison"),
    "nav.indicators": Word("Chỉ số", "Indicators"),
    "nav.people": Word("Tài khoản", "Accounts"),
    "feed.live": Word("trực tiếp", "live"),
    "feed.stale": Word("dữ liệu cũ", "stale"),
    "feed.waiting": Word("đang chờ", "waiting"),
    "feed.ended": Word("đã dừng", "ended"),
    "feed.lost": Word("mất kết nối", "disconnected"),
    "banner.waiting": Word(
        "Đang chờ nhịp đầu tiên của bộ điều khiển…", "Waiting for the controller's first tick…"
    ),
    "banner.stale": Word(
        "Không có nhịp mới từ bộ điều khiển đã {s} s. "
        "Tủ tín hiệu vẫn giữ đèn và tự chạy chương trình tại chỗ.",
        "No new tick from the controller for {s} s. "
        "The cabinets keep the lamps and fall back to their own plans.",
    ),
    "banner.ended": Word(
        "Bộ điều khiển đã dừng; hình dưới đây là nhịp cuối.",
        "The controller has stopped; this is its last tick.",
    ),
    "banner.lost": Word(
        "Mất kết nối với trung tâm, đang thử lại…", "The connection to the centre is lost; retrying…"
    ),
    "wait.loading": Word("Đang tải…", "Loading…"),
    "error.title": Word("Không hiển thị được", "Cannot be shown"),
    "error.missing": Word("Không có trang này.", "There is no such page."),
    "error.intersection": Word(
        "Tuyến này không có nút giao “{id}”.", "This site has no intersection “{id}”."
    ),
    "error.back": Word("Về bản đồ", "Back to the map"),
}

VOCABULARY: Words = {
    "intersection": Word("Nút giao", "Intersection"),
    "stage": Word("Pha", "Stage"),
    "stage.n": Word("Pha {id}", "Stage {id}"),
    "group": Word("Nhóm đèn", "Signal group"),
    "plan": Word("Chương trình", "Plan"),
    "plan.n": Word("Chương trình {n}", "Plan {n}", "Plan {n}"),
    "cabinet": Word("Tủ tín hiệu", "Cabinet"),
    "mode": Word("Chế độ", "Mode"),
    "policy": Word("Chính sách", "Policy"),
    "queue": Word("Hàng chờ", "Queue"),
    "why": Word("Lý do", "Reason"),
    "unit.pcu": Word("xcqđ", "pcu"),
    "unit.pcu.long": Word("xe con quy đổi", "passenger-car units"),
    "no-data": Word("chưa có dữ liệu", "no data yet"),
    "stale.s": Word("dữ liệu cũ {s} s", "data {s} s old"),
    "count.changing": Word("đang chuyển pha", "changing"),
    "count.promised": Word("s nữa → pha {stage}", "s, then stage {stage}"),
    "count.open": Word("s đã xanh, chưa định lúc tắt", "s green, end not committed"),
    "now": Word("bây giờ", "now"),
    "cause.left": Word("còn {left}", "{left} left"),
    "compass.north": Word("B", "N"),
}
"""DESIGN's vocabulary as people read it."""

_MODES: Words = {f"mode.{mode}": Word(vi, en.capitalize()) for mode, (vi, en) in MODES.items()}
_CAUSES: Words = {f"cause.{cause}": Word(*text) for cause, text in CAUSES.items()}
_REFUSALS: Words = {f"refusal.{refusal}": Word(*text) for refusal, text in GUARD_REFUSALS.items()} | {
    f"cabinet-refusal.{reason(refusal)}": Word(*text) for refusal, text in REFUSALS.items()
}
ROLES: Words = {
    f"role.{Role.VIEWER}": Word("Người xem", "Viewer"),
    f"role.{Role.OPERATOR}": Word("Người vận hành", "Operator"),
    f"role.{Role.ENGINEER}": Word("Kỹ sư giao thông", "Traffic engineer"),
    f"role.{Role.POLICE_LIAISON}": Word("Cảnh sát giao thông", "Police liaison"),
    f"role.{Role.ADMINISTRATOR}": Word("Quản trị", "Administrator"),
}

SHARED: tuple[Words, ...] = (SHELL, VOCABULARY, _MODES, _CAUSES, _REFUSALS, ROLES)
"""What `render` gives every page."""
