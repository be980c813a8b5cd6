"""What a plan switch would look like, before anybody switches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller.centre.command.picture import Picture
from denxanh.controller.centre.command.preview import COMMITTED, SEEK, preview
from denxanh.controller.mode import Mode
from denxanh.controller.record import LaneView, TickInput, TickOutput
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Plan, Split
from denxanh.networks.planclock import Method, cycle_second, entry_at
from denxanh.networks.timing import bounded_green_s, interstage_s

SITE = crossroads_corridor(1).intersections[0]
PLAN = SITE.plans[0]


def now(stage: int, elapsed_s: int, second: int, commitment: Commitment | None = None) -> Picture:
    """The intersection in a green, at a second of the day; the cabinet says nothing of minima."""
    output = TickOutput(
        mode=Mode.ADAPTIVE,
        cause="in-charge",
        aspects="".join(SITE.stages[stage].aspects),
        stage=stage,
        elapsed_s=float(elapsed_s),
        in_interstage=False,
        commitment=commitment,
        request=None,
        why="",
        guard_refusal=None,
        cabinet_refusal=None,
        command=None,
        plan=1,
        lanes=tuple(LaneView(0, 0, 1) for _ in SITE.lanes),
        events=(),
    )
    heard = TickInput(1, float(second), "2026-11-23", None, None)
    return Picture(heard, output, 0.0, False, None, None, None)


def test_in_step_changes_nothing() -> None:
    second = 36_000 + (PLAN.offset_s - 36_000) % PLAN.cycle_s + 20
    found = preview(SITE, PLAN, now(PLAN.splits[0].stage, 20, second))
    assert cycle_second(PLAN, second) == 20
    assert (found.method, found.in_step_in_s) == (Method.IN_STEP, 0)
    first = PLAN.splits[0]
    change = interstage_s(SITE, first.stage, PLAN.splits[1].stage)
    assert found.steps[0].end_in_s == first.split_s - change - 20


def test_a_promised_change_is_kept() -> None:
    target = next(b for b, may in enumerate(SITE.transitions[0]) if may and b != 0)
    found = preview(SITE, PLAN, now(0, 30, 36_000, Commitment(5, target)))
    assert found.committed
    assert (found.steps[0].stage, found.steps[0].end_in_s) == (0, 5)
    assert found.steps[1].stage == target
    assert COMMITTED[0] in found.how[0]


def test_a_stage_that_the_plan_does_not_know_ends_as_soon_as_it_may() -> None:
    plan = Plan(9, "short", 0, (Split(0, 60), Split(2, 60)))
    found = preview(SITE, plan, now(1, 0, 36_000))
    assert found.steps[0].stage == 1
    assert found.steps[0].end_in_s == found.earliest_end_s >= SITE.commitment_s
    assert found.steps[0].plan_split_s is None
    assert SEEK[1] in found.how[1]
    assert found.steps[1].stage in (0, 2)


@given(
    stage=st.integers(0, len(SITE.stages) - 1),
    elapsed=st.integers(0, 200),
    second=st.integers(0, 86_399),
    plan=st.sampled_from(SITE.plans),
    promise=st.none() | st.integers(0, 8),
)
def test_no_step_is_shorter_than_its_minima_and_the_end_is_in_step(
    stage: int, elapsed: int, second: int, plan: Plan, promise: int | None
) -> None:
    following = next(b for b, may in enumerate(SITE.transitions[stage]) if may and b != stage)
    commitment = None if promise is None else Commitment(promise, following)
    found = preview(SITE, plan, now(stage, elapsed, second, commitment))
    begun = 0
    for number, step in enumerate(found.steps):
        assert step.start_in_s >= begun
        shown = step.end_in_s - step.start_in_s + (elapsed if number == 0 else 0)
        if number or promise is None:
            assert shown >= bounded_green_s(SITE, step.stage)
        begun = step.end_in_s
    if found.method is not Method.IN_STEP:
        last = found.steps[-1].stage
        entry = entry_at(plan, cycle_second(plan, second + found.in_step_in_s))
        assert entry.elapsed_s == 0
        assert plan.splits[entry.index - 1].stage == last
