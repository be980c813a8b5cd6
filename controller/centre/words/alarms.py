"""Words of the alarms' page."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

ALARMS: Words = {
    "alarms.title": Word("Cảnh báo", "Alarms"),
    "alarms.open": Word("Cần xử lý", "Open"),
    "alarms.all": Word("Tất cả", "All"),
    "alarms.which": Word("Những cảnh báo nào", "Which alarms"),
    "alarms.caption": Word("Cảnh báo, mới nhất ở trên", "Alarms, newest first"),
    "alarms.state": Word("Tình trạng", "State"),
    "alarms.what": Word("Cảnh báo", "Alarm"),
    "alarms.raised": Word("Bắt đầu", "Raised"),
    "alarms.lasts": Word("Kéo dài", "Lasts"),
    "alarms.taken": Word("Ghi nhận", "Acknowledged"),
    "alarms.untaken": Word("chưa ai ghi nhận", "nobody yet"),
    "alarms.stands": Word("đang còn", "standing"),
    "alarms.over": Word("đã hết", "over"),
    "alarms.take": Word("Ghi nhận", "Acknowledge"),
    "alarms.take.title": Word("Ghi nhận cảnh báo", "Acknowledge the alarm"),
    "alarms.take.hint": Word(
        "Ghi nhận nghĩa là bạn đã thấy và lo việc này; cảnh báo chỉ hết khi nguyên nhân hết.",
        "Acknowledging says that you have seen it and take care; it ends only when its cause does.",
    ),
    "alarms.ended": Word("Ghi nhận các cảnh báo đã hết", "Acknowledge those that are over"),
    "alarms.ended.hint": Word(
        "Ghi nhận một lần mọi cảnh báo đã hết trong danh sách này; cảnh báo đang còn không bị đụng tới.",
        "Acknowledges at once every alarm of this list that is over; those that stand are left alone.",
    ),
    "alarms.ended.done": Word(
        "Đã ghi nhận {n} cảnh báo.", "Acknowledged {n} alarms.", "Acknowledged {n} alarm."
    ),
    "alarms.note": Word("Ghi chú", "Note"),
    "alarms.note.hint": Word(
        "Bạn làm gì, báo cho ai? (không bắt buộc)", "What you do, whom you told (optional)"
    ),
    "alarms.done": Word("Đã ghi nhận.", "Acknowledged."),
    "alarms.none.open": Word("Không có cảnh báo nào cần xử lý.", "Nothing needs attention."),
    "alarms.none": Word("Chưa có cảnh báo nào.", "There are no alarms yet."),
    "alarms.lost": Word("Không đọc được danh sách cảnh báo.", "The alarms cannot be read."),
    "alarms.everywhere": Word("Mọi nút giao", "Every intersection"),
    "alarms.more": Word("Xem cũ hơn", "Show older ones"),
    "alarms.sound": Word("Âm báo", "Sound"),
    "alarms.sound.hint": Word(
        "Kêu một tiếng khi có cảnh báo mới (mặc định tắt)",
        "One tone for each new alarm (off unless you switch it on)",
    ),
    "alarms.new": Word("Cảnh báo mới tại {place}: {text}", "New alarm at {place}: {text}"),
    "alarms.by": Word("{who}, {when}", "{who}, {when}"),
    "time.seconds": Word("{n} s", "{n} s", "{n} s"),
    "time.minutes": Word("{n} phút", "{n} min", "{n} min"),
    "time.hours": Word("{n} giờ {m} phút", "{n} h {m} min", "{n} h {m} min"),
    "time.days": Word("{n} ngày", "{n} days", "{n} day"),
}
