"""Names for people: Vietnamese and English, of policies, classes and refusals."""

from __future__ import annotations

from denxanh.agents.setting import JOIN, MARK

Text = tuple[str, str]
"""Vietnamese, English."""

POLICIES: dict[str, Text] = {
    "fixed": ("chương trình cố định", "fixed plan"),
    "webster": ("chương trình Webster", "Webster's plan"),
    "actuated": ("điều khiển theo xe", "vehicle-actuated"),
    "max-pressure": ("áp lực lớn nhất", "max pressure"),
    "longest-queue": ("hàng chờ dài nhất", "longest queue"),
    "most-vehicles": ("nhiều xe nhất", "most vehicles"),
    "universal": ("mô hình học chung", "learned policy"),
    "sumo-program": ("chương trình của lưới, không có bộ bảo vệ", "the net's programme, unguarded"),
    "sumo-actuated": ("SUMO theo xe, không có bộ bảo vệ", "SUMO actuated, unguarded"),
}

CLASSES: dict[str, Text] = {
    "motorbike": ("Xe máy", "Motorbikes"),
    "bicycle": ("Xe đạp, xe đạp điện", "Bicycles, e-bikes"),
    "car": ("Ô tô con", "Cars"),
    "bus": ("Xe buýt", "Buses"),
    "truck": ("Xe tải", "Trucks"),
    "other": ("Khác", "Other"),
    "pedestrian": ("Người đi bộ", "Pedestrians"),
}


def policy(name: str) -> Text:
    """What a policy is, in words; empty for a name that speaks for itself."""
    if name.startswith("model:"):
        return ("mô hình học", "learned model")
    rule, colon, _ = name.partition(":")
    vi, en = POLICIES.get(rule.partition(MARK)[0], ("", ""))
    return (f"{vi}, đã tối ưu", f"{en}, searched") if colon and vi else (vi, en)


def setting(name: str) -> Text:
    """What stands behind the mark of a rule's name; empty where nothing does."""
    plain, mark, given = name.partition(MARK)
    if not mark or ":" in plain:
        return ("", "")
    first, _, second = given.partition(JOIN)
    if plain == "actuated":
        vi, en = f"khoảng hở {_comma(first)} s", f"passage {first} s"
        if second:
            longest_vi = "theo bộ bảo vệ" if second == "0" else f"{_comma(second)} s"
            vi += f", xanh tối đa {longest_vi}"
            en += f", longest green {'the guard’s' if second == '0' else second + ' s'}"
        return vi, en
    vi, en = f"quyết định mỗi {first} s", f"decides every {first} s"
    if second:
        vi += f", trễ {_comma(second)} xcqđ"
        en += f", hysteresis {second} pcu"
    return vi, en


def _comma(number: str) -> str:
    return number.replace(".", ",")
