"""Words of the page of hotspots: what is coming, what is blocked, where traffic waited most."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

HOTSPOTS: Words = {
    "hot.title": Word("Điểm nóng", "Hotspots"),
    "hot.soon": Word("Dự báo 5, 15 và 30 phút tới", "The next 5, 15 and 30 minutes"),
    "hot.blocked": Word("Xanh mà xe không thoát", "Green, but traffic does not leave"),
    "hot.ranking": Word("Nơi chờ nhiều nhất", "Where traffic waited most"),
    "hot.place": Word("Nút giao, hướng vào", "Intersection, approach"),
    "hot.from": Word("từ {where}", "from the {where}"),
    "hot.now": Word("Bây giờ", "Now"),
    "hot.in": Word("{n} phút nữa", "In {n} min", "In {n} min"),
    "hot.usual": Word("thường {q} xcqđ", "usually {q} pcu"),
    "hot.range": Word("khoảng {low}–{high}", "range {low}–{high}"),
    "hot.queue": Word("{q} xcqđ", "{q} pcu"),
    "hot.level.free": Word("Thông thoáng", "Free"),
    "hot.level.dense": Word("Đông", "Dense"),
    "hot.level.congested": Word("Ùn tắc", "Congested"),
    "hot.level.unknown": Word("Chưa rõ", "Not known"),
    "hot.refusal.no-fit": Word("chưa có mô hình dự báo", "no forecast model yet"),
    "hot.refusal.stale": Word("dữ liệu đã cũ", "data are stale"),
    "hot.refusal.gaps": Word("thiếu dữ liệu 15 phút qua", "data of the last 15 minutes are missing"),
    "hot.refusal.no-profile": Word(
        "chưa đủ ngày cùng loại vào giờ này", "too few days of this type were seen at this hour"
    ),
    "hot.definition": Word(
        "Mức đầy: hàng chờ trung bình 5 phút so với sức chứa của vùng dò. "
        "Đông từ {dense}, ùn tắc từ {congested} (trị số tạm định).",
        "Filling: the mean queue of five minutes against what the detection zones hold. "
        "Dense from {dense}, congested from {congested} (assumed values).",
    ),
    "hot.fit": Word(
        "Mô hình học từ {begin} đến {end}, {days} ngày có dữ liệu. "
        "Sai số trung bình trên ngày không dùng để học (xcqđ):",
        "Fitted on {begin} to {end}, {days} days with data. Mean error on days that were left out (pcu):",
    ),
    "hot.error": Word(
        "{n} phút: dự báo {f}, giữ nguyên như hiện tại {p}, theo ngày thường {u}",
        "{n} min: forecast {f}, if the present went on {p}, if it were as usual {u}",
        "{n} min: forecast {f}, if the present went on {p}, if it were as usual {u}",
    ),
    "hot.unfitted": Word(
        "Chưa có dự báo. Kỹ sư chạy lệnh “denxanh forecast fit” khi đã có từ 4 ngày dữ liệu cùng loại.",
        "No forecast yet. An engineer runs “denxanh forecast fit” once there are 4 days of one type.",
    ),
    "hot.kind.spillback": Word("Ùn ngược: phía sau nút không còn chỗ", "Spillback: no room beyond"),
    "hot.kind.incident": Word(
        "Nghi có sự cố: phía sau nút thông thoáng", "Possible incident: the way beyond is clear"
    ),
    "hot.kind.blocked": Word(
        "Xe không thoát, chưa rõ phía sau nút", "Traffic does not leave; cause not known"
    ),
    "hot.since": Word("từ {from}", "since {from}"),
    "hot.over": Word("{from}–{to}", "{from}–{to}"),
    "hot.quiet": Word("Trong giờ qua không có cảnh báo nào.", "No warning in the last hour."),
    "hot.unknown": Word(
        "Chưa cảnh báo được: chưa biết mỗi làn thường thoát bao nhiêu xe.",
        "No warnings yet: how many vehicles each lane usually lets through is not known.",
    ),
    "hot.period": Word("Khoảng thời gian", "Period"),
    "hot.hours": Word("{n} giờ qua", "Last {n} hours", "Last hour"),
    "hot.days": Word("{n} ngày qua", "Last {n} days", "Last day"),
    "hot.rank": Word("Hạng", "Rank"),
    "hot.waiting": Word("Chờ (xcqđ·giờ)", "Waiting (pcu·h)"),
    "hot.congested": Word("Ùn tắc (phút)", "Congested (min)"),
    "hot.coverage": Word("Có dữ liệu", "Known"),
    "hot.none": Word("Chưa có dữ liệu.", "There is no data yet."),
    "hot.lost": Word("Không đọc được dữ liệu lưu.", "The stored data cannot be read."),
    "hot.all": Word("cả nút", "whole intersection"),
    "hot.by": Word("Xếp theo", "Rank by"),
    "hot.by.intersections": Word("Nút giao", "Intersections"),
    "hot.by.approaches": Word("Hướng vào", "Approaches"),
}
