"""What is wrong with what was sent is said in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from denxanh.controller.centre.api.invalid import told
from denxanh.controller.operator.message import Role


@pytest.mark.parametrize("reason", ["", "ab", " abc", "a\nb c", "x" * 201])
def test_too_short_a_reason_is_told_in_vietnamese(town: Any, reason: str) -> None:
    answer = town.ask(
        "POST",
        "intersections/X1/plan",
        Role.OPERATOR,
        json={"reason": reason, "plan": 1, "for_s": 1800},
        headers={"Idempotency-Key": "k1"},
    )
    said = answer.json()
    assert answer.status_code == 422
    assert said["vi"].startswith("Nội dung gửi lên chưa đúng: lý do cần từ 3 đến 200 ký tự")
    assert said["en"].startswith("What was sent is not right: reason needs 3 to 200 characters")
    (wrong,) = said["errors"]
    assert wrong["field"] == "body.reason"
    assert "3 đến 200" in wrong["vi"]
    assert "pattern" not in wrong["message"]


def test_every_wrong_field_is_named(town: Any) -> None:
    answer = town.ask(
        "POST",
        "intersections/X1/plan",
        Role.OPERATOR,
        json={"plan": 0, "for_s": 1, "lanes": 3},
        headers={"Idempotency-Key": "k2"},
    )
    said = answer.json()
    wrong = {one["field"]: one["vi"] for one in said["errors"]}
    assert wrong == {
        "body.reason": "còn thiếu",
        "body.plan": "phải từ 1 trở lên",
        "body.for_s": "phải từ 60 trở lên",
        "body.lanes": "không có trường này",
    }
    assert "thời hạn (giây) phải từ 60 trở lên" in said["vi"]


def test_an_unforeseen_kind_is_told_all_the_same() -> None:
    assert told({"loc": ("body", "x"), "type": "odd", "msg": "is odd"}) == (
        "body.x",
        "không hợp lệ",
        "is odd",
    )
    braces = {"loc": ("body", "x"), "type": "odd", "msg": "{a.__class__} {a}", "ctx": {"a": 1}}
    assert told(braces).en == "{a.__class__} {a}"
    short = {"loc": ("body", "x"), "type": "string_too_short", "msg": "", "ctx": {}}
    assert told(short).en == "needs"
