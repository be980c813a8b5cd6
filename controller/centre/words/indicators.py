"""Words of the page of indicators."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

INDICATORS: Words = {
    "kpi.title": Word("Chỉ số của thành phố", "The city's indicators"),
    "kpi.month": Word("Tháng", "Month"),
    "kpi.indicator": Word("Chỉ tiêu", "Indicator"),
    "kpi.baseline": Word("Hiện trạng", "Baseline"),
    "kpi.level": Word("Mức trong kỳ", "Level"),
    "kpi.target-year": Word("Mục tiêu năm", "Target of the year"),
    "kpi.target-period": Word("Mục tiêu giai đoạn", "Target of the period"),
    "kpi.progress": Word("Tiến độ", "Progress"),
    "kpi.status": Word("Trạng thái", "Status"),
    "kpi.units": Word("Chủ trì: {lead} · Phối hợp: {with_}", "Lead: {lead} · Coordinating: {with_}"),
    "kpi.coverage": Word("Độ phủ dữ liệu {p} %", "Data coverage {p} %"),
    "kpi.real-time": Word("thời gian thực", "real-time"),
    "kpi.periodic": Word("định kỳ", "periodic"),
    "kpi.no-baseline": Word("chưa có hiện trạng", "no baseline"),
    "kpi.no-target": Word("chưa có mục tiêu", "no target"),
    "kpi.not-judged": Word("chưa xếp loại", "not judged"),
    "kpi.running": Word("Kỳ chưa kết thúc, số liệu đến {day}.", "The month is not over, data until {day}."),
    "kpi.simulated": Word(
        "Dữ liệu mô phỏng: không có số liệu nào được đo ngoài đường.",
        "Simulated data: nothing was measured on a street.",
    ),
    "kpi.none": Word("Chưa có dữ liệu của đường phố.", "Nothing of the street is stored yet."),
    "kpi.read": Word("Đọc kết quả này thế nào", "How to read this"),
    "kpi.show": Word("Xem", "Show"),
    "kpi.full": Word("Báo cáo đầy đủ", "Full reports"),
    "kpi.reports": Word(
        "HTML, PDF, XLSX: denxanh report monthly SITE.toml",
        "HTML, PDF, XLSX: denxanh report monthly SITE.toml",
    ),
    "kpi.entered": Word("nhập tay", "entered by hand"),
}
