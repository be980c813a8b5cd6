"""What people read about refused samples: Vietnamese first, English second."""

from __future__ import annotations

from denxanh.controller.vds.arrival import Reason

REASONS: dict[Reason, tuple[str, str]] = {
    Reason.TOO_LONG: ("gói tin quá dài", "it is too long"),
    Reason.MALFORMED: ("sai định dạng", "it does not have the form of the schema"),
    Reason.UNKNOWN_FIELD: (
        "có trường không được phép (cấm biển số, hình ảnh, thông tin nhận dạng)",
        "it has a field that is not allowed (no plates, pictures or identifiers)",
    ),
    Reason.UNKNOWN_ZONE: (
        "vùng dò không có trong cấu hình",
        "it names a zone that the site file does not give it",
    ),
    Reason.WRONG_SOURCE: ("tên nguồn không khớp", "it names another source"),
    Reason.UNAUTHORISED: ("sai mã truy cập", "its token is wrong"),
    Reason.TOO_OFTEN: ("gửi quá nhiều", "it comes too often"),
    Reason.OVERFLOW: ("quá nhiều số liệu cùng lúc", "there is too much of it at once"),
    Reason.DUPLICATE: ("trùng lặp", "it is a duplicate"),
    Reason.REORDERED: ("đến sai thứ tự", "it was overtaken"),
    Reason.FROZEN_SEQUENCE: ("số thứ tự đứng yên", "its sequence number stands still"),
    Reason.FROZEN_TIME: ("thời gian đứng yên", "its time stands still"),
    Reason.LATE: (
        "đến quá trễ hoặc đồng hồ của nguồn chạy chậm",
        "it is late, or the source's clock is behind",
    ),
    Reason.AHEAD: ("đồng hồ của nguồn chạy nhanh", "the source's clock is ahead"),
}
