"""The debrief's page says every grade, every wish and every deed in words, and quotes nobody as markup."""

from __future__ import annotations

from denxanh.eval.debrief_page import DEEDS, GRADES, HAPPENINGS, WANTED, render
from denxanh.sim.exercise import Grade, Wanted
from denxanh.sim.spec import Happening
from denxanh.sim.streetreport import Reported


def told(**changes: object) -> dict[str, object]:
    lesson = {
        "what": {"vi": "Mất kết nối", "en": "The link is lost"},
        "intersection": "A",
        "fault": "link",
        "began": 1.0,
        "wanted": "acknowledge",
        "within_s": 120,
        "grade": "right",
        "after_s": 33.4,
        "actor": "lan.tran",
        "did": "alarm.acknowledge",
    }
    return {"exercise": {"vi": "Bài tập", "en": "Exercise"}, "right": 1, "lessons": [lesson | changes]}


def test_every_word_is_there() -> None:
    assert set(GRADES) == set(Grade)
    assert set(WANTED) == set(Wanted)
    for grade in Grade:
        assert GRADES[grade][0] in render(told(grade=grade.value))
    for wanted in Wanted:
        assert WANTED[wanted][1] in render(told(wanted=wanted.value))
    assert set(HAPPENINGS) == {*Happening, *Reported}
    for happening, names in HAPPENINGS.items():
        assert names[0] in render(told(fault=happening))
    for deed, words in DEEDS.items():
        assert words[0] in render(told(did=deed))


def test_times_people_and_what_was_not_done_are_shown() -> None:
    page = render(told())
    assert "33 s / 120 s" in page
    assert "lan.tran" in page
    assert "lan.tran" not in render(told(did=None, actor=None, after_s=None, grade="missed"))


def test_a_script_s_text_is_text() -> None:
    assert "<script>" not in render(told(what={"vi": "<script>", "en": "x"}))
