"""Words of the list of intersections."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

INTERSECTIONS: Words = {
    "list.title": Word("Nút giao", "Intersections"),
    "list.caption": Word("Mọi nút của tuyến, cập nhật mỗi giây", "Every intersection, updated each second"),
    "list.number": Word("Số", "No."),
    "list.left": Word("Còn lại", "Left"),
    "list.history": Word("Năm phút qua", "Last five minutes"),
    "list.search": Word("Tìm nút giao", "Find an intersection"),
    "list.none": Word("Không có nút nào khớp.", "No intersection matches."),
    "list.full": Word("lấp {percent}", "{percent} full"),
}
