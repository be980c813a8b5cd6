"""May this be ordered: rights, places, ages, ids."""

from dataclasses import replace

import pytest

from denxanh.controller.operator.desk import MAX_PER_TICK
from denxanh.controller.operator.judge import AHEAD_S, KEPT_IDS, MAX_AGE_S, Judge, Refused
from denxanh.controller.operator.message import MAY_ORDER, Role, body
from denxanh.controller.operator.standing import Ending
from denxanh.controller.operator.telling import ENDINGS, KINDS, REFUSALS
from denxanh.networks.example import crossroads_corridor

SITE = crossroads_corridor().intersections[0]
NOW = 1000.0
UP = 500.0


@pytest.fixture
def judge() -> Judge:
    return Judge({SITE.id: SITE})


@pytest.mark.parametrize("kind", MAY_ORDER)
@pytest.mark.parametrize("role", Role)
def test_the_role_decides(judge, order, kind, role) -> None:
    verdict = judge.judge(body(order(kind, role=role)), NOW, UP)
    assert verdict.refused is (None if role in MAY_ORDER[kind] else Refused.NOT_ALLOWED)


@pytest.mark.parametrize(
    ("kind", "fields", "refused", "detail"),
    [
        ("hold", {"intersection": "nowhere"}, Refused.NOT_DRIVEN, "nowhere"),
        ("hold", {"stage": 2}, None, ""),
        ("hold", {"stage": 3}, Refused.UNKNOWN_STAGE, "there are 0 to 2"),
        ("preempt", {"stage": 3}, Refused.UNKNOWN_STAGE, "there are 0 to 2"),
        ("plan", {"plan": 77}, Refused.UNKNOWN_PLAN, "there are "),
        ("plan", {"plan": SITE.plans[-1].number}, None, ""),
        ("plan", {"plan": None}, None, ""),
    ],
)
def test_the_place_decides(judge, order, kind, fields, refused, detail) -> None:
    verdict = judge.judge(body(order(kind, **fields)), NOW, UP)
    assert verdict.refused is refused
    assert verdict.detail.startswith(detail)


def test_a_stage_to_which_no_way_leads(order) -> None:
    cut = tuple(tuple(allowed and b != 2 for b, allowed in enumerate(row)) for row in SITE.transitions)
    judge = Judge({SITE.id: replace(SITE, transitions=cut)})
    assert judge.judge(body(order("hold", stage=2)), NOW, UP).refused is Refused.UNREACHABLE_STAGE
    assert judge.judge(body(order("hold", stage=1)), NOW, UP).refused is None


def test_an_intersection_without_plans(order) -> None:
    verdict = Judge({SITE.id: replace(SITE, plans=())}).judge(body(order("plan")), NOW, UP)
    assert (verdict.refused, verdict.detail) == (Refused.UNKNOWN_PLAN, "there are none")


@pytest.mark.parametrize(
    ("age_s", "up_s", "refused"),
    [
        (MAX_AGE_S, UP, None),
        (MAX_AGE_S + 0.1, UP, Refused.TOO_OLD),
        (-AHEAD_S, UP, None),
        (-AHEAD_S - 0.1, UP, Refused.FROM_THE_FUTURE),
        (4.0, 4.0, None),
        (4.1, 4.0, Refused.BEFORE_START),
    ],
)
def test_the_age_decides(judge, order, age_s, up_s, refused) -> None:
    assert judge.judge(body(order("hold", issued_s=NOW - age_s)), NOW, up_s).refused is refused


def test_the_same_again_has_the_same_answer(judge, order) -> None:
    given = order("hold", id="a", issued_s=NOW)
    first = judge.judge(body(given), NOW, UP)
    assert not first.again
    assert not judge.judge(body(given), NOW, UP).again, "nothing was kept yet"
    judge.remember(replace(first, detail="ends x"), NOW)
    for later, issued in ((0, NOW), (600, NOW), (600, NOW + 600)):
        again = judge.judge(body(given.model_copy(update={"issued_s": issued})), NOW + later, UP)
        assert (again.again, again.refused, again.detail) == (True, None, "ends x")


def test_a_refusal_is_the_same_again_too(judge, order) -> None:
    early = order("hold", id="a", issued_s=NOW + 8)
    first = judge.judge(body(early), NOW, UP)
    assert first.refused is Refused.FROM_THE_FUTURE
    judge.remember(first, NOW)
    again = judge.judge(body(early), NOW + 8, UP)
    assert (again.again, again.refused) == (True, Refused.FROM_THE_FUTURE), "it would be young enough now"


def test_an_id_belongs_to_one_order(judge, order) -> None:
    first = judge.judge(body(order("hold", id="a", stage=1)), NOW, UP)
    judge.remember(first, NOW)
    other = judge.judge(body(order("hold", id="a", stage=2)), NOW, UP)
    assert (other.refused, other.again) == (Refused.ID_TAKEN, False)
    judge.remember(other, NOW)
    assert judge.judge(body(order("hold", id="a", stage=1)), NOW, UP).again, "the first one keeps it"


def test_no_id_is_forgotten_while_its_order_could_be_taken_again(judge, order) -> None:
    assert KEPT_IDS > MAX_PER_TICK * (MAX_AGE_S + AHEAD_S)
    given = order("hold", id="first", issued_s=NOW)
    judge.remember(judge.judge(body(given), NOW, UP), NOW)
    for n in range(KEPT_IDS + 50):
        judge.remember(judge.judge(body(order("release", id=f"n{n}", issued_s=NOW)), NOW, UP), NOW)
    assert judge.judge(body(given), NOW + MAX_AGE_S, UP).again
    late = NOW + MAX_AGE_S + 1
    judge.remember(judge.judge(body(order("release", id="late", issued_s=late)), late, UP), late)
    assert judge.judge(body(given), late, UP).refused is Refused.TOO_OLD, "forgotten, and refused by its age"


def test_every_code_has_words() -> None:
    assert set(REFUSALS) == set(Refused)
    assert set(ENDINGS) == set(Ending)
    assert set(KINDS) == set(MAY_ORDER)
    assert all(vi and en and vi != en for vi, en in (*REFUSALS.values(), *ENDINGS.values(), *KINDS.values()))
