"""What a reader has to know before trusting a figure of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FEW_SEEDS = 5
"""Below this many seeds a bootstrap interval says little."""


@dataclass(frozen=True, slots=True)
class Note:
    """One remark in Vietnamese and English; `grave` where figures must not be used as they are."""

    vi: str
    en: str
    grave: bool = False


def notes(document: Mapping[str, Any]) -> tuple[Note, ...]:
    """All remarks on a matrix, the grave ones first."""
    return (*_defects(document), *_conditions(document), *_limits(document))


def _defects(document: Mapping[str, Any]) -> Iterator[Note]:
    failures, changed = len(document["failures"]), ", ".join(document["code_changed"])
    if failures:
        yield Note(
            f"{failures} lượt chạy không có kết quả (xem bên dưới); so sánh chỉ dùng những seed còn lại.",
            f"Runs without figures: {failures} (see below); comparisons use the seeds that are left.",
            grave=True,
        )
    if changed:
        yield Note(
            f"Mã nguồn đã thay đổi trong khi chạy ({changed}): hãy chạy lại cùng lệnh.",
            f"The source code changed meanwhile ({changed}): run the same command again.",
            grave=True,
        )
    unsafe = sum(
        row["conflicts"] + row["short_intergreens"] + row["cut_clearances"]
        for row in document["summary"]
        if row["guarded"]
    )
    if unsafe:
        yield Note(
            f"{unsafe} vi phạm an toàn phía sau bộ bảo vệ: không dùng kết quả này, hãy báo lỗi.",
            f"{unsafe} safety violations behind the guard: use nothing of this and report it.",
            grave=True,
        )


def _conditions(document: Mapping[str, Any]) -> Iterator[Note]:
    given = document["conditions"]
    if given["yellow_s"] is not None:
        yellow, red = given["yellow_s"], given["all_red_s"]
        yield Note(
            f"Vàng {yellow} s và đỏ toàn phần {red} s được ấn định để so với số liệu công bố; kết quả không "
            "nói gì về đường thật và không qua được cổng kiểm định.",
            f"Yellow {yellow} s and all-red {red} s are fixed, to compare with published figures; this says "
            "nothing about a street and can pass no gate.",
        )
    if given["failed_share"]:
        share = f"{100 * given['failed_share']:g}"
        yield Note(
            f"{share.replace('.', ',')} % vòng từ và vùng dò hỏng từ đầu, do seed chọn ngẫu nhiên.",
            f"{share} % of loops and zones are broken from the start, drawn by the seed.",
        )
    if given["field_like"]:
        yield Note(
            "Bộ dò có sai số giả định như ngoài đường (đếm sót, gộp xe, mất tín hiệu, nhiễu).",
            "Detectors have the errors assumed for the street (undercount, merging, dropouts, noise).",
        )
    if given["proxy"]:
        yield Note(
            "Mô phỏng thô: một xe thay cho ba xe hai bánh; không dùng cho số liệu chính.",
            "Coarse simulation: one unit for three two-wheelers; not for headline figures.",
        )


def _limits(document: Mapping[str, Any]) -> Iterator[Note]:
    if any(place["corridor"] for place in document["places"]):
        yield Note(
            "Nhu cầu giao thông của các trục Cần Thơ và số người trên xe là giả định (tổng hợp).",
            "Demand of the Cần Thơ corridors and people per vehicle are assumed (synthetic).",
        )
    if len(document["seeds"]) < FEW_SEEDS:
        yield Note(
            f"Chỉ có {len(document['seeds'])} seed: khoảng tin cậy rất thô.",
            f"Only {len(document['seeds'])} seeds: the intervals are rough.",
        )
    if any(not row["guarded"] for row in document["summary"]):
        yield Note(
            "sumo-program và sumo-actuated chạy không có bộ bảo vệ, với thời gian chuyển pha riêng.",
            "sumo-program and sumo-actuated run without the guard, with their own clearances.",
        )
