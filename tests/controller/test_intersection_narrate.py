"""What the log says of a switch and of a lost link: whole in Vietnamese, whole in English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller.alarms import of_causes
from denxanh.controller.chooser import MAX_WHY, Choice
from denxanh.controller.failure import raised
from denxanh.controller.guard import GuardOutput, GuardRefusal
from denxanh.controller.ladder import Cause
from denxanh.controller.mode import Mode
from denxanh.controller.narrate import followed, mode_change, promised
from denxanh.controller.wording import GUARD_REFUSALS, NOTHING, link_said, recorded
from denxanh.errors import ModelError
from denxanh.networks.model import Aspect, Stage

STAGE = Stage("B", (Aspect.PROTECTED,), "Đường nhánh", "Side street")
PROMISE = Commitment(8, 1)


def _decided(refusal: GuardRefusal | None = None) -> GuardOutput:
    return GuardOutput((), PROMISE, refusal, ())


def _choice(request: int, why_vi: str = "Pha B đông hơn") -> Choice:
    return Choice(request, "Stage B is busier", None, None, None, why_vi)


def test_a_switch_carries_the_reason_in_its_own_language() -> None:
    event = promised(STAGE, PROMISE, _decided(), _choice(1))
    assert event.text_vi == "Chuyển sang pha B (Đường nhánh) sau 8 s. Pha B đông hơn"
    assert event.text_en == "To stage B (Side street) in 8 s. Stage B is busier"
    assert event.cause == "policy"


def test_a_policy_without_vietnamese_still_gives_its_reason() -> None:
    assert promised(STAGE, PROMISE, _decided(), _choice(1, "")).text_vi.endswith("Stage B is busier")


@pytest.mark.parametrize("refusal", list(GuardRefusal))
def test_a_switch_of_the_guards_says_why_in_words(refusal: GuardRefusal) -> None:
    event = promised(STAGE, PROMISE, _decided(refusal), _choice(0))
    vi, en = GUARD_REFUSALS[refusal]
    assert event.cause == refusal.value
    assert event.text_vi.endswith(f" sau 8 s. Bộ bảo vệ chuyển pha: {vi}")
    assert event.text_en.endswith(f" in 8 s. The guard changes it: {en}")
    assert "busier" not in event.text_vi + event.text_en


def test_a_stage_without_a_name_and_a_switch_of_the_cabinets() -> None:
    event = followed(Stage("3", ()), Mode.PLAN, 2)
    assert (event.text_vi, event.text_en) == ("Chuyển sang pha 3, chương trình 2", "To stage 3, plan 2")


@pytest.mark.parametrize(
    ("said", "vi"),
    [
        (
            "10.0.0.9:502: no connection: [Errno 111] Connect call failed (check power)",
            "không mở được kết nối",
        ),
        ("10.0.0.9:502: no answer within 0.5 s (check power)", "không trả lời"),
        (
            "10.0.0.9:502: still away, waiting before the next attempt (check power)",
            "vẫn vắng, đang chờ lần thử tiếp",
        ),
        ("frame: 7 where the map says 3", ""),
    ],
)
def test_what_a_lost_link_said_is_english_only_in_english(said: str, vi: str) -> None:
    (alarm,) = of_causes(Cause.LINK_LOST, None, None, None, said, NOTHING)
    change = mode_change(Mode.ADAPTIVE, Mode.LOCAL, Cause.LINK_LOST, link_said(said))
    assert alarm.text_en == f"the link to the cabinet is lost: {said}"
    assert alarm.text_vi == "mất kết nối với tủ" + (f": {vi}" if vi else "")
    assert change.text_en.endswith(f"({said})")
    assert change.text_vi.endswith("mất kết nối với tủ" + (f" ({vi})" if vi else ""))


@pytest.mark.parametrize(
    ("error", "vi", "en"),
    [
        (
            ModelError("a score is not a number", where="MT_304"),
            "có mô hình cho kết quả không dùng được",
            "has a model whose answer cannot be used",
        ),
        (MemoryError("8 GiB"), "không đủ bộ nhớ", "ran out of memory"),
        (ZeroDivisionError("division by zero"), "tính ra kết quả không hợp lệ", "came to no valid number"),
        (FileNotFoundError("no model"), "không đọc được tệp của mình", "cannot read its files"),
        (RuntimeError("boom"), "gặp lỗi khi tính", "failed to decide"),
        (KeyError(), "gặp lỗi khi tính", "failed to decide"),
    ],
)
def test_the_alarm_of_a_failed_policy_is_a_sentence_in_either_language(
    error: Exception, vi: str, en: str
) -> None:
    (alarm,) = of_causes(Cause.IN_CHARGE, None, Cause.POLICY_ERROR, None, "", raised("universal", error))
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    assert alarm.text_vi == f"chính sách gặp lỗi, dùng luật thay thế: universal {vi} ({said})"
    assert alarm.text_en == f"the policy failed; the rule stands in: universal {en} ({said})"


@given(st.text(), st.text(max_size=2000))
def test_whatever_an_error_says_the_sentence_before_it_is_whole(name: str, said: str) -> None:
    vi, en = raised(name[:40], ValueError(said))
    assert vi.encode().startswith(f"{name[:40]} gặp lỗi khi tính (ValueError".encode("utf-8", "replace"))
    assert vi.endswith(")")
    assert en.endswith(")")
    assert max(len(vi), len(en)) <= MAX_WHY


@pytest.mark.parametrize(
    ("cause", "line", "vi", "en"),
    [
        ("operator-plan", "lan: tai nạn, ≤ 29:59", "lan: tai nạn, còn 29:59", "lan: tai nạn, 29:59 left"),
        ("pre-emption", "115 xe-7, bv, ≤ 90 s", "115 xe-7, bv, còn 90 s", "115 xe-7, bv, 90 s left"),
        ("hold-off", "42 s", "còn 42 s", "42 s left"),
        (
            "operator-hold",
            "A, lan: chờ 5 s, ≤ 0:07",
            "A, lan: chờ 5 s, còn 0:07",
            "A, lan: chờ 5 s, 0:07 left",
        ),
        ("low-confidence", "0.42", "0.42", "0.42"),
        ("link-lost", "a:502: no answer within 0.5 s", "không trả lời", "a:502: no answer within 0.5 s"),
        ("link-lost", "frame: 7 where the map says 3", "", "frame: 7 where the map says 3"),
        ("in-charge", "", "", ""),
    ],
)
def test_a_record_s_line_is_told_in_either_language(cause: str, line: str, vi: str, en: str) -> None:
    assert recorded(cause, line) == (vi, en)
