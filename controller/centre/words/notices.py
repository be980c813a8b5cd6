"""Words of the page of notices; its dialog takes those of the alarms' page."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

NOTICES: Words = {
    "notices.title": Word("Thông báo", "Notices"),
    "notices.which": Word("Những thông báo nào", "Which notices"),
    "notices.open": Word("Đang mở", "Open"),
    "notices.all": Word("Tất cả", "All"),
    "notices.caption": Word("Thông báo, mới nhất ở trên", "Notices, newest first"),
    "notices.state": Word("Tình trạng", "State"),
    "notices.what": Word("Thông báo", "Notice"),
    "notices.since": Word("Từ", "Since"),
    "notices.told": Word("Đã báo cho", "Told"),
    "notices.taken": Word("Ghi nhận", "Acknowledged"),
    "notices.stands": Word("đang còn", "standing"),
    "notices.away": Word("tạm hết", "away for now"),
    "notices.over": Word("đã hết", "over"),
    "notices.site": Word("Toàn hệ thống", "Whole site"),
    "notices.rule": Word("quy tắc {rule}", "rule {rule}"),
    "notices.times": Word("{n} lần", "{n} times", "{n} time"),
    "notices.level": Word("đã chuyển {n} cấp", "escalated {n} times", "escalated {n} time"),
    "notices.severity.info": Word("thông tin", "info"),
    "notices.severity.warning": Word("cảnh báo", "warning"),
    "notices.severity.critical": Word("khẩn", "critical"),
    "notices.kind.escalated": Word("chuyển cấp, ", "escalated, "),
    "notices.kind.cleared": Word("báo hết, ", "told that it is over, "),
    "notices.some": Word("{sent}/{all} nơi nhận", "{sent} of {all} recipients"),
    "notices.digest": Word("chỉ hiện ở đây và trong bản tổng hợp", "here and in digests only"),
    "notices.why.trouble": Word("chưa gửi được, đang thử lại", "not taken yet, tried again"),
    "notices.why.quiet": Word("chờ hết giờ yên lặng", "waits for the end of quiet hours"),
    "notices.why.turn": Word("đang chờ đến lượt", "waits for its turn"),
    "notices.why.gone": Word(
        "kênh không còn trong tệp của thành phố", "channel no longer in the city's file"
    ),
    "notices.why.refused": Word("nơi nhận từ chối, không gửi nữa", "refused, given up"),
    "notices.why.old": Word("quá lâu, không gửi nữa", "too old, given up"),
    "notices.take.title": Word("Ghi nhận thông báo", "Acknowledge the notice"),
    "notices.take.hint": Word(
        "Ghi nhận nghĩa là bạn lo việc này: thông báo không chuyển lên cấp trên nữa, "
        "và chỉ hết khi nguyên nhân hết.",
        "Acknowledging says that you take care: the notice is not escalated any more, "
        "and ends only when its cause does.",
    ),
    "notices.done": Word("Đã ghi nhận.", "Acknowledged."),
    "notices.new": Word("Thông báo mới tại {place}: {text}", "New notice at {place}: {text}"),
    "notices.none.open": Word("Không có thông báo nào đang mở.", "No notice is open."),
    "notices.none": Word("Chưa có thông báo nào.", "There are no notices yet."),
    "notices.lost": Word("Không đọc được danh sách thông báo.", "The notices cannot be read."),
    "notices.no-rules": Word(
        "Tệp của thành phố (city.toml) chưa có quy tắc ngưỡng nào, nên không ai được báo tin.",
        "The city's file (city.toml) has no threshold rules yet, so nobody is told anything.",
    ),
    "notices.silent": Word(
        "Không có tiến trình nào báo tin: hãy chạy denxanh notify run.",
        "Nobody tells anybody anything: run denxanh notify run.",
    ),
    "notices.silent.since": Word(
        "Không có tiến trình nào báo tin từ {when}: hãy chạy denxanh notify run.",
        "Nobody has told anybody anything since {when}: run denxanh notify run.",
    ),
    "channels.title": Word("Kênh báo tin", "Channels"),
    "channels.name": Word("Kênh", "Channel"),
    "channels.kind": Word("Loại", "Kind"),
    "channels.kind.mail": Word("thư điện tử", "e-mail"),
    "channels.kind.sms": Word("tin nhắn SMS", "SMS"),
    "channels.kind.webhook": Word("webhook", "webhook"),
    "channels.kind.none": Word("không còn trong tệp", "no longer in the file"),
    "channels.waiting": Word("Đang chờ", "Waiting"),
    "channels.sent": Word("Đã gửi", "Sent"),
    "channels.aside": Word("Không gửi nữa", "Given up"),
    "channels.last": Word("Gửi lần cuối", "Last sent"),
    "channels.state": Word("Tình trạng", "State"),
    "channels.good": Word("bình thường", "in order"),
    "channels.quiet": Word("giờ yên lặng", "quiet hours"),
    "channels.troubled": Word("không gửi được từ {when}", "not taken since {when}"),
    "channels.none": Word("Chưa có kênh nào.", "There are no channels."),
}
