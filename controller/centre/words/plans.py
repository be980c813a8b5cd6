"""Words of the pages of plans: the list, the editor, drafts."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

PLANS: Words = {
    "plans.title": Word("Chương trình cố định", "Fixed plans"),
    "plans.caption": Word("Chương trình của từng nút giao", "Each intersection's plans"),
    "plans.cycle": Word("chu kỳ\u00a0{n}\u00a0s", "cycle\u00a0{n}\u00a0s", "cycle\u00a0{n}\u00a0s"),
    "plans.offset": Word("lệch\u00a0{n}\u00a0s", "offset\u00a0{n}\u00a0s", "offset\u00a0{n}\u00a0s"),
    "plans.describe": Word("Chu kỳ {n} s: {splits}", "Cycle {n} s: {splits}", "Cycle {n} s: {splits}"),
    "plans.scheduled": Word("theo lịch lúc này", "scheduled now"),
    "plans.running": Word("đang chạy", "running"),
    "plans.edit.of": Word(
        "Soạn chương trình {n} của {place}", "Edit plan {n} of {place}", "Edit plan {n} of {place}"
    ),
    "plans.new": Word("Thêm chương trình", "Add a plan"),
    "plans.new.of": Word("Thêm chương trình cho {place}", "Add a plan to {place}"),
    "plans.missing": Word("không có", "none"),
    "plans.other": Word(
        "Bộ điều khiển đang chạy bản khác trang này ({n}): {what}. Khởi động lại để dùng bản đã cài.",
        "The controller runs other versions than this page shows ({n}): {what}. Start it again to take them.",
        "The controller runs another version than this page shows: {what}. Start it again to take it.",
    ),
    "plans.drafts": Word("Bản thảo", "Drafts"),
    "plans.drafts.none": Word("Chưa có bản thảo nào.", "There are no drafts yet."),
    "plans.drafts.lost": Word("Không đọc được các bản thảo.", "The drafts cannot be read."),
    "plans.drafts.hint": Word(
        "Bản thảo không tự đổi đèn ngoài đường: quản trị máy cài đặt bằng “denxanh plan install”.",
        "A draft changes no light by itself: whoever runs the site installs it, “denxanh plan install”.",
    ),
    "plans.draft": Word("Bản thảo {n}", "Draft {n}", "Draft {n}"),
    "plans.draft.by": Word("{who}, {when}", "{who}, {when}"),
    "plans.draft.open": Word("Mở", "Open"),
    "plans.draft.export": Word("Xuất TOML", "Export TOML"),
    "plans.draft.withdraw": Word("Rút lại", "Withdraw"),
    "plans.draft.state.draft": Word("bản thảo", "draft"),
    "plans.draft.state.accepted": Word("đã cài đặt", "installed"),
    "plans.draft.state.replaced": Word("đã được thay", "replaced"),
    "plans.draft.state.withdrawn": Word("đã rút", "withdrawn"),
    "plans.draft.installed": Word("Cài đặt: {who}, {when}", "Installed by {who}, {when}"),
    "plans.draft.waits": Word("chạy từ lần khởi động tới", "runs from the next start"),
    "plans.draft.unheard": Word("chưa rõ đang chạy bản nào", "not known what runs"),
    "plans.draft.unsound": Word("không còn hợp lệ", "no longer valid"),
    "edit.title": Word("Soạn chương trình {n}", "Edit plan {n}", "Edit plan {n}"),
    "edit.back": Word("Mọi chương trình", "All plans"),
    "edit.bar": Word(
        "Chu kỳ: kéo ranh giới để chuyển giây giữa hai pha",
        "The cycle: drag a boundary to move seconds between two stages",
    ),
    "edit.boundary": Word("Ranh giới giữa pha {a} và pha {b}", "Boundary between stage {a} and stage {b}"),
    "edit.boundary.value": Word("{a} {n} s, {b} {m} s", "{a} {n} s, {b} {m} s"),
    "edit.entries": Word("Các pha theo thứ tự", "Stages in their order"),
    "edit.stage": Word("Pha", "Stage"),
    "edit.split": Word("Giây", "Seconds"),
    "edit.split.of": Word("Số giây của mục {n}", "Seconds of entry {n}", "Seconds of entry {n}"),
    "edit.stage.of": Word("Pha của mục {n}", "Stage of entry {n}", "Stage of entry {n}"),
    "edit.room": Word("Giới hạn", "Limits"),
    "edit.least": Word("{n} đến {m} s", "{n} to {m} s"),
    "edit.parts.walk": Word(
        "đi bộ {walk} + giải tỏa {clear} + chuyển pha {change}",
        "walk {walk} + clearance {clear} + interstage {change}",
    ),
    "edit.parts.green": Word(
        "xanh tối thiểu {green} + chuyển pha {change}", "minimum green {green} + interstage {change}"
    ),
    "edit.parts.promise": Word(
        "đếm ngược {promise} + 1 + chuyển pha {change}", "countdown {promise} + 1 + interstage {change}"
    ),
    "edit.up": Word("Đưa mục {n} lên", "Move entry {n} up", "Move entry {n} up"),
    "edit.down": Word("Đưa mục {n} xuống", "Move entry {n} down", "Move entry {n} down"),
    "edit.remove": Word("Bỏ mục {n}", "Remove entry {n}", "Remove entry {n}"),
    "edit.add": Word("Thêm pha", "Add a stage"),
    "edit.name": Word("Tên", "Name"),
    "edit.name.en": Word("Tên tiếng Anh (không bắt buộc)", "English name (optional)"),
    "edit.offset": Word("Độ lệch (giây)", "Offset (seconds)"),
    "edit.offset.hint": Word(
        "Giây trong chu kỳ lúc nửa đêm mà pha đầu bắt đầu xanh.",
        "When the first stage turns green, in seconds after midnight.",
    ),
    "edit.cycle": Word("Chu kỳ", "Cycle"),
    "edit.findings": Word("Kiểm tra", "Checks"),
    "edit.checking": Word("Đang kiểm tra…", "Checking…"),
    "edit.sound": Word("Mọi quy tắc đều được giữ.", "Every rule is kept."),
    "edit.unchecked": Word(
        "Chưa kiểm tra được; chưa thể lưu.", "It could not be checked; it cannot be saved."
    ),
    "edit.blocks": Word("chặn lưu", "blocks saving"),
    "edit.warns": Word("lưu ý", "note"),
    "edit.diff": Word("So với chương trình đang dùng", "Against the plan in use"),
    "edit.diff.none": Word("Không khác gì.", "No difference."),
    "edit.diff.new": Word("Chương trình mới, chưa có bản đang dùng.", "A new plan; none is in use yet."),
    "edit.diff.order": Word("Thứ tự: {a} → {b}", "Order: {a} → {b}"),
    "edit.diff.line": Word("{what}: {a} → {b} s ({d})", "{what}: {a} → {b} s ({d})"),
    "edit.diff.name": Word("Tên: {a} → {b}", "Name: {a} → {b}"),
    "edit.reason": Word("Lý do thay đổi", "Why it changes"),
    "edit.save": Word("Lưu bản thảo", "Save the draft"),
    "edit.saved": Word("Đã lưu bản thảo {n}.", "Draft {n} is saved.", "Draft {n} is saved."),
    "edit.reset": Word("Lấy lại bản đang dùng", "Start again from the plan in use"),
    "edit.readonly": Word(
        "Bạn xem được, không lưu được: cần quyền soạn chương trình.",
        "You may look, not save: writing plans is an engineer's right.",
    ),
}
