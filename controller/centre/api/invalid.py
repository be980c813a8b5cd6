"""What is wrong with a field that was sent, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Told(NamedTuple):
    """One wrong field: where (`body.for_s`), and what is wrong with it."""

    field: str
    vi: str
    en: str


FIELDS: Mapping[str, tuple[str, str]] = {
    "reason": ("lý do", "reason"),
    "note": ("ghi chú", "note"),
    "for_s": ("thời hạn (giây)", "duration (seconds)"),
    "plan": ("chương trình", "plan"),
    "stage": ("pha", "stage"),
    "mode": ("chế độ", "mode"),
    "name": ("tên", "name"),
    "role": ("vai trò", "role"),
    "days": ("số ngày", "days"),
    "limit": ("số dòng", "limit"),
    "Idempotency-Key": ("mã lệnh Idempotency-Key", "Idempotency-Key"),
}
"""What people call the fields that they fill in; another goes by its own name."""
_MOMENT = (
    "phải là thời điểm có múi giờ, như 2026-10-01T07:00:00+07:00",
    "must be a moment with its offset, like 2026-10-01T07:00:00+07:00",
)
_KINDS: Mapping[str, tuple[str, str]] = {
    "missing": ("còn thiếu", "is missing"),
    "extra_forbidden": ("không có trường này", "is not known here"),
    "string_too_short": ("cần ít nhất {min_length} ký tự", "needs {min_length} characters or more"),
    "string_too_long": ("có nhiều nhất {max_length} ký tự", "has {max_length} characters at most"),
    "string_pattern_mismatch": ("sai dạng", "has the wrong form"),
    "greater_than_equal": ("phải từ {ge} trở lên", "must be {ge} or more"),
    "less_than_equal": ("phải từ {le} trở xuống", "must be {le} or less"),
    "greater_than": ("phải lớn hơn {gt}", "must be more than {gt}"),
    "less_than": ("phải nhỏ hơn {lt}", "must be less than {lt}"),
    "int_type": ("phải là số nguyên", "must be a whole number"),
    "int_parsing": ("phải là số nguyên", "must be a whole number"),
    "float_type": ("phải là số", "must be a number"),
    "string_type": ("phải là chữ", "must be text"),
    "bool_type": ("phải là true hoặc false", "must be true or false"),
    "enum": ("phải là {expected}", "must be {expected}"),
    "literal_error": ("phải là {expected}", "must be {expected}"),
    "moment": _MOMENT,
    "timezone_aware": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "json_invalid": ("không phải JSON", "is not JSON"),
    "model_attributes_type": ("không phải JSON", "is not JSON"),
}
_REASON = (
    "cần từ 3 đến 200 ký tự trên một dòng, không có dấu cách ở hai đầu",
    "needs 3 to 200 characters on one line, no blank at either end",
)


def told(item: Mapping[str, Any]) -> Told:
    """One of pydantic's errors (`RequestValidationError.errors()`)."""
    place = [str(part) for part in item["loc"]]
    context = item.get("ctx") or {}
    if place[-1:] == ["reason"] and item["type"].startswith("string_"):
        vi, en = _REASON
    else:
        kind = _KINDS.get(item["type"])
        # What is not ours may hold braces of whoever sent it: it is no template.
        vi, en = ("không hợp lệ", item["msg"]) if kind is None else (_filled(text, context) for text in kind)
    return Told(".".join(place), vi, en)


def summed(found: list[Told]) -> tuple[str, str]:
    """All of them as one text for people."""
    names = [FIELDS.get(one.field.rpartition(".")[2], (one.field, one.field)) for one in found]
    pairs = list(zip(names, found, strict=True))
    return "; ".join(f"{name[0]} {one.vi}" for name, one in pairs), "; ".join(
        f"{name[1]} {one.en}" for name, one in pairs
    )


def _filled(text: str, context: Mapping[str, Any]) -> str:
    try:
        return text.format_map(context)
    except (KeyError, ValueError, IndexError):
        return text.partition("{")[0].strip()
