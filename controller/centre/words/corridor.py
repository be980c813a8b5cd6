"""Words of the time–space diagram."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

CORRIDOR: Words = {
    "corridor.title": Word("Tuyến: thời gian – quãng đường", "Corridor: time and distance"),
    "corridor.route": Word("Tuyến đường", "Route"),
    "corridor.route.n": Word("{from} → {to} ({n} nút)", "{from} → {to} ({n})"),
    "corridor.speed": Word("Tốc độ sóng xanh", "Progression speed"),
    "corridor.speed.n": Word("{n} km/h", "{n} km/h", "{n} km/h"),
    "corridor.chart": Word("Biểu đồ thời gian – quãng đường", "Time–space diagram"),
    "corridor.text": Word(
        "Ngang là thời gian, dọc là quãng đường; thanh xanh là lúc đèn đo được xanh dọc tuyến",
        "Time runs to the right, distance upwards; bars are measured green along the route",
    ),
    "corridor.key.out": Word("xanh chiều đi", "green outbound"),
    "corridor.key.back": Word("xanh chiều về", "green inbound"),
    "corridor.key.plan": Word("xanh theo chương trình", "green by the plan"),
    "corridor.key.band": Word("dải sóng xanh", "plan's band"),
    "corridor.key.platoon": Word("xe đang tới", "arrivals"),
    "corridor.band": Word("Dải sóng xanh của chương trình", "The plan's band"),
    "corridor.band.out": Word("Chiều đi", "Outbound"),
    "corridor.band.back": Word("Chiều về", "Inbound"),
    "corridor.band.wide": Word("{s} s trong chu kỳ {cycle} s", "{s} s of a {cycle} s cycle"),
    "corridor.band.none": Word("không có", "none"),
    "corridor.band.mixed": Word(
        "các nút chạy chương trình khác chu kỳ", "the intersections' plans differ in cycle"
    ),
    "corridor.none": Word(
        "Tuyến này không có hai nút nối tiếp trên một đường.",
        "No two intersections follow each other on a street.",
    ),
    "corridor.distance": Word("{n} m", "{n} m", "{n} m"),
    "corridor.table": Word("Nút trên tuyến", "Intersections along the route"),
    "corridor.hours": Word("Khoảng thời gian", "Time span"),
    "corridor.minutes": Word("{n} phút", "{n} min", "{n} min"),
    "corridor.table.plan": Word("Chương trình, lệch pha", "Plan, offset"),
    "corridor.table.plan.n": Word("{plan} · {offset} s", "{plan} · {offset} s"),
    "corridor.table.green": Word("Xanh đo được đi / về", "Measured green out / in"),
    "corridor.table.hint": Word("phần thời gian, trong khoảng đang xem", "share of time, in the span shown"),
}
