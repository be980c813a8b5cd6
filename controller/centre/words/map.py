"""Words of the map: where to look, what is drawn, what has happened."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

TROUBLE: Words = {
    "trouble.conflict": Word("Đèn xung đột đang sáng cùng lúc", "Conflicting lamps are on together"),
    "trouble.unheard": Word("Chưa nghe gì từ nút này", "Nothing was ever heard of it"),
    "trouble.silent": Word("Không nghe gì từ nút này đã {s} s", "Nothing heard of it for {s} s"),
    "trouble.link": Word(
        "Tủ không trả lời; tủ tự giữ đèn", "The cabinet does not answer; it keeps its lamps"
    ),
    "trouble.flash": Word("Đang nháy vàng: {cause}", "Flashing: {cause}"),
    "trouble.local": Word("Tủ tự chạy: {cause}", "The cabinet runs alone: {cause}"),
    "trouble.preempt": Word("Đang mở đường cho xe ưu tiên", "Open for an emergency vehicle"),
    "trouble.manual": Word("Có người điều khiển: {cause}", "A person is in charge: {cause}"),
    "trouble.flooded": Word(
        "Đường ngập hoặc cấm: không nhận xe từ hướng {where}, từ {since} ({why})",
        "Flooded or closed: no vehicles from the {where}, since {since} ({why})",
    ),
    "trouble.full": Word(
        "{n} làn chờ kín đoạn dò, lâu nhất {s} s",
        "{n} lanes queued beyond their zones, up to {s} s",
        "{n} lane queued beyond its zone for {s} s",
    ),
    "trouble.fallback": Word("Về chương trình cố định: {cause}", "Fallen back to its plan: {cause}"),
    "trouble.blind": Word(
        "{n} làn không có số liệu dò xe tin được",
        "{n} lanes without trusted detection",
        "{n} lane without trusted detection",
    ),
    "trouble.alarm": Word("{text}", "{text}"),
    "trouble.ordered": Word("Chạy chương trình theo lệnh người vận hành", "On a plan by an operator's order"),
    "trouble.returning": Word("Sắp trở lại thích nghi: {cause}", "Returning to adaptive: {cause}"),
    "severity.bad": Word("Khẩn", "Urgent"),
    "severity.warn": Word("Cần xem", "Attention"),
    "severity.calm": Word("Để biết", "For information"),
}

MAP: Words = {
    "map.title": Word("Bản đồ", "Map"),
    "map.drawing": Word("Bản đồ các nút giao", "Map of the intersections"),
    "map.help": Word(
        "Phím mũi tên dời bản đồ, + và − để phóng, 0 để xem toàn tuyến; "
        "trên một nút, mũi tên sang nút bên cạnh",
        "Arrow keys move the map, + and − zoom, 0 shows all; on an intersection, arrows go to the next one",
    ),
    "map.in": Word("Phóng to", "Zoom in"),
    "map.out": Word("Thu nhỏ", "Zoom out"),
    "map.fit": Word("Xem toàn tuyến", "Show all"),
    "map.wall": Word("Màn hình lớn", "Wall display"),
    "map.leave-wall": Word("Rời màn hình lớn", "Leave the wall display"),
    "map.where": Word("Nơi cần xem", "Where to look"),
    "map.modes": Word("Số nút theo chế độ", "Intersections by mode"),
    "map.quiet": Word("Không có gì bất thường.", "Nothing unusual."),
    "map.unknown": Word("Chưa biết: không có số liệu mới.", "Not known: there is no fresh data."),
    "map.more": Word("và {n} nữa", "and {n} more", "and {n} more"),
    "map.busiest": Word("Hàng chờ dài nhất", "Longest queues"),
    "map.key": Word("Chú giải", "Legend"),
    "map.key.go": Word("xanh", "green"),
    "map.key.yield": Word("xanh nhường", "permissive"),
    "map.key.amber": Word("vàng", "yellow"),
    "map.key.stop": Word("đỏ", "red"),
    "map.key.queue": Word("hàng chờ", "queue"),
    "map.key.long": Word("dài", "long"),
    "map.key.full": Word("kín", "full"),
    "map.key.flooded": Word("ngập, cấm", "flooded, closed"),
    "map.marker": Word("Nút {n}, {name}: {mode}", "Intersection {n}, {name}: {mode}"),
    "map.unheard": Word("chưa nghe gì", "not heard yet"),
    "map.policy": Word("Chính sách", "Policy"),
    "map.commands": Word("Lệnh gửi", "Commands"),
    "map.refused": Word("Hoãn / từ chối", "Held / refused"),
    "map.refused.long": Word(
        "Số lần bộ bảo vệ chưa cho đổi pha (bình thường) / tủ từ chối lệnh (phải xem)",
        "Seconds in which the guard let no stage change yet (normal) / commands that cabinets refused (look)",
    ),
    "map.conflicts": Word("Xung đột", "Conflicts"),
    "map.voice": Word("Nút {n} {name}: {text}", "Intersection {n} {name}: {text}"),
}

LOG: Words = {
    "log.title": Word("Vừa xảy ra", "Just now"),
    "log.filter": Word("Lọc sự kiện", "Filter the events"),
    "log.all": Word("Tất cả", "All"),
    "log.switch": Word("Chuyển pha", "Stages"),
    "log.mode": Word("Chế độ", "Modes"),
    "log.alarm": Word("Cảnh báo", "Alarms"),
    "log.none": Word("Chưa có sự kiện nào.", "No events yet."),
    "log.list": Word("Sự kiện, mới nhất ở trên", "Events, newest first"),
}
