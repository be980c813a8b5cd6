"""Words of the calendar: day types, the month, the day's timetable."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

CALENDAR: Words = {
    "calendar.title": Word("Lịch chương trình", "Plan calendar"),
    "calendar.before": Word("Tháng trước", "Month before"),
    "calendar.after": Word("Tháng sau", "Month after"),
    "calendar.today": Word("Hôm nay", "Today"),
    "calendar.day": Word("Ngày", "Day"),
    "calendar.kind": Word("Loại ngày", "Day type"),
    "calendar.usual": Word("theo thứ: {kind}", "by weekday: {kind}"),
    "calendar.name.vi": Word("Tên ngày (tiếng Việt)", "Name (Vietnamese)"),
    "calendar.name.en": Word("Tên ngày (tiếng Anh)", "Name (English)"),
    "calendar.times": Word("Khung giờ của “{kind}”", "Times of “{kind}”"),
    "calendar.times.bar": Word("Chương trình trong ngày", "Plans through the day"),
    "calendar.start": Word("Từ", "From"),
    "calendar.start.of": Word("Giờ bắt đầu của khung {n}", "Start of entry {n}", "Start of entry {n}"),
    "calendar.plan": Word("Chương trình", "Plan"),
    "calendar.plan.of": Word("Chương trình của khung {n}", "Plan of entry {n}", "Plan of entry {n}"),
    "calendar.remove": Word("Bỏ khung {n}", "Remove entry {n}", "Remove entry {n}"),
    "calendar.add": Word("Thêm khung giờ", "Add a time"),
    "calendar.week": Word("Tuần mẫu", "Usual week"),
    "calendar.kind.new": Word("Loại ngày mới", "New day type"),
    "calendar.kind.new.hint": Word(
        "Chữ không dấu, số, gạch nối; ví dụ: le-hoi.",
        "Letters without marks, digits, hyphens; for example: festival.",
    ),
    "calendar.kind.add": Word("Thêm", "Add"),
    "calendar.kind.workday": Word("Ngày làm việc", "Working day"),
    "calendar.kind.saturday": Word("Thứ Bảy", "Saturday"),
    "calendar.kind.sunday": Word("Chủ nhật", "Sunday"),
    "calendar.kind.weekend": Word("Cuối tuần", "Weekend"),
    "calendar.kind.weekday": Word("Ngày thường", "Weekday"),
    "calendar.kind.holiday": Word("Ngày lễ", "Public holiday"),
    "calendar.kind.tet": Word("Tết", "Tết (Lunar New Year)"),
    "calendar.findings": Word("Kiểm tra", "Checks"),
    "calendar.sound": Word("Ngày nào cũng có chương trình.", "Every day has a plan."),
    "calendar.changed": Word("Có thay đổi chưa lưu", "Changes not saved"),
    "calendar.reason": Word("Lý do thay đổi", "Why it changes"),
    "calendar.save": Word("Lưu bản thảo lịch", "Save the draft"),
    "calendar.saved": Word(
        "Đã lưu bản thảo lịch {n}.", "Calendar draft {n} is saved.", "Calendar draft {n} is saved."
    ),
    "calendar.reset": Word("Lấy lại lịch đang dùng", "Start again from the calendar in use"),
    "calendar.readonly": Word(
        "Bạn xem được, không lưu được: cần quyền soạn lịch.",
        "You may look, not save: writing the calendar is an engineer's right.",
    ),
    "calendar.draft": Word("Lịch, bản thảo {n}", "Calendar draft {n}", "Calendar draft {n}"),
    "calendar.lost": Word("Không đọc được lịch.", "The calendar cannot be read."),
}
