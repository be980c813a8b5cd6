"""Words of the page that holds adaptive against fixed control."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

COMPARISON: Words = {
    "compare.title": Word("Thích nghi so với cố định", "Adaptive against fixed"),
    "compare.place": Word("Nút giao", "Intersection"),
    "compare.h": Word("{n} giờ", "{n} h"),
    "compare.days": Word("{n} ngày qua", "Last {n} days", "Last day"),
    "compare.period": Word("Khoảng thời gian", "Period"),
    "compare.verdict": Word("Kết luận", "Conclusion"),
    "compare.verdict.nothing-to-compare": Word(
        "Chưa so sánh được: chưa có giờ nào mà cả hai cách điều khiển đều chạy đủ lâu.",
        "Nothing can be compared yet: in no hour of the day have both kinds of control run long enough.",
    ),
    "compare.verdict.too-little": Word(
        "Chưa kết luận được: dữ liệu còn quá ít.", "Nothing can be concluded yet: there is too little data."
    ),
    "compare.verdict.undecided": Word(
        "Không thấy khác biệt rõ: có giờ ngắn hơn, có giờ dài hơn.",
        "No clear difference: queues are shorter in some hours and longer in others.",
    ),
    "compare.verdict.less-waiting": Word(
        "Hàng chờ ngắn hơn khi điều khiển thích nghi.", "Queues are shorter under adaptive control."
    ),
    "compare.verdict.more-waiting": Word(
        "Hàng chờ dài hơn khi điều khiển thích nghi.", "Queues are longer under adaptive control."
    ),
    "compare.difference": Word("Chênh lệch trung bình", "Mean difference"),
    "compare.difference.value": Word("{d} xcqđ ({p})", "{d} pcu ({p})"),
    "compare.hours": Word("Giờ so sánh được", "Comparable hours"),
    "compare.p": Word("Phép thử dấu, p", "Sign test, p"),
    "compare.left-out": Word("Phút bị bỏ qua", "Minutes left out"),
    "compare.left-out.value": Word(
        "{a} kém tin cậy, {b} lẫn chế độ", "{a} not trusted, {b} of mixed control"
    ),
    "compare.caveats": Word("Đọc kết quả này thế nào", "How to read this"),
    "compare.caveat.like": Word(
        "Chỉ so cùng giờ trong ngày và cùng loại ngày; mỗi bên ít nhất {n} phút.",
        "Only equal hours of equal day types are compared; at least {n} minutes of each.",
        "Only equal hours of equal day types are compared; at least {n} minutes of each.",
    ),
    "compare.caveat.observed": Word(
        "Đây là quan sát, không phải thí nghiệm: chương trình cố định thường chạy vì có sự cố, "
        "nên hai bên có thể khác nhau vì lý do khác.",
        "This is an observation, not an experiment: a fixed plan often runs because something was wrong, "
        "so the two may differ for other reasons.",
    ),
    "compare.caveat.estimated": Word(
        "Hàng chờ là ước lượng từ bộ dò (xe con quy đổi); chưa đo thời gian đi của từng xe.",
        "Queues are estimated from detectors (passenger-car units); no single vehicle's time is measured.",
    ),
    "compare.caveat.enough": Word(
        "Chỉ kết luận khi có từ {n} giờ so sánh được và từ {days} ngày mỗi bên; "
        "các giờ trong một ngày không độc lập với nhau.",
        "Nothing is concluded below {n} comparable hours and {days} days of each; "
        "hours of one day depend on each other.",
    ),
    "compare.by-hour": Word("Hàng chờ trung bình theo giờ (xcqđ)", "Mean queue by hour (pcu)"),
    "compare.by-approach": Word("Theo hướng vào", "By approach"),
    "compare.by-day": Word("Từng ngày", "Day by day"),
    "compare.adaptive": Word("Thích nghi", "Adaptive"),
    "compare.fixed": Word("Cố định", "Fixed"),
    "compare.other": Word("Khác", "Other"),
    "compare.hour": Word("Giờ", "Hour"),
    "compare.approach": Word("Hướng", "Approach"),
    "compare.from": Word("từ {where}", "from the {where}"),
    "compare.day": Word("Ngày", "Day"),
    "compare.hours-of": Word("Số giờ điều khiển", "Hours of control"),
    "compare.queue": Word("Hàng chờ (xcqđ)", "Queue (pcu)"),
    "compare.change": Word("Chênh lệch", "Difference"),
    "compare.none": Word("Chưa có dữ liệu.", "There is no data yet."),
    "compare.lost": Word("Không đọc được dữ liệu lưu.", "The stored data cannot be read."),
    "compare.hour.text": Word(
        "{day} {hour} giờ: thích nghi {a}, cố định {b}", "{day} {hour}:00: adaptive {a}, fixed {b}"
    ),
}
