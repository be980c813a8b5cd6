"""The mode ladder: authority, immediate demotion, hold-off, flapping."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller.ladder import (
    HOLD_OFF_S,
    LINK_LOST_TICKS,
    MAX_FLAPS_PER_HOUR,
    Cause,
    Evidence,
    LadderState,
    commands,
    step,
)
from denxanh.controller.mode import Mode
from denxanh.controller.wording import CAUSES, MODES
from denxanh.plc.contract import CabinetMode

AGAINST = (
    Cause.NO_FRESH_DATA,
    Cause.LOW_CONFIDENCE,
    Cause.READ_BACK,
    Cause.RULE_ERROR,
    Cause.CONFIG_MISMATCH,
)


def _run(
    state: LadderState, tick: int, *evidence: dict[str, object]
) -> tuple[LadderState, list[tuple[Mode, Cause]]]:
    seen = []
    for number, one in enumerate(evidence):
        state, mode, cause = step(
            state, Evidence(**{"tick": tick + number, "cabinet": CabinetMode.CENTRAL_PLAN, **one})
        )  # type: ignore[arg-type]
        seen.append((mode, cause))
    return state, seen


def _adaptive() -> LadderState:
    state, seen = _run(LadderState(), 0, *[{}] * HOLD_OFF_S)
    assert seen[-1] == (Mode.ADAPTIVE, Cause.IN_CHARGE)
    return state


def test_a_start_goes_through_local_and_plan_to_adaptive() -> None:
    _, seen = _run(
        LadderState(),
        0,
        {"cabinet": CabinetMode.START},
        {"cabinet": CabinetMode.LOCAL_PLAN},
        *[{}] * (HOLD_OFF_S - 1),
        {},
    )
    assert seen[0] == (Mode.FLASH, Cause.CABINET_START_UP)
    assert seen[1] == (Mode.LOCAL, Cause.CABINET_LOCAL)
    assert set(seen[2:-1]) == {(Mode.PLAN, Cause.HOLD_OFF)}
    assert seen[-1] == (Mode.ADAPTIVE, Cause.IN_CHARGE)


def test_a_cabinet_found_in_adaptive_is_taken_over_by_the_plan_first() -> None:
    _, seen = _run(LadderState(), 0, {"cabinet": CabinetMode.ADAPTIVE})
    assert seen == [(Mode.PLAN, Cause.HOLD_OFF)]


@pytest.mark.parametrize("cause", AGAINST)
def test_demotion_is_immediate_and_promotion_waits(cause: Cause) -> None:
    state, seen = _run(_adaptive(), 100, {"against": cause}, *[{}] * HOLD_OFF_S)
    assert seen[0] == (Mode.PLAN, cause)
    assert [mode for mode, _ in seen].count(Mode.PLAN) == HOLD_OFF_S
    assert seen[-1] == (Mode.ADAPTIVE, Cause.IN_CHARGE)
    assert state.falls == (100,)


@pytest.mark.parametrize(
    ("evidence", "mode", "cause"),
    [
        ({"cabinet": CabinetMode.FLASH, "police": True}, Mode.FLASH, Cause.CABINET_FLASH),
        ({"cabinet": CabinetMode.FAULT}, Mode.FLASH, Cause.CABINET_FAULT),
        ({"cabinet": CabinetMode.DARK}, Mode.FLASH, Cause.CABINET_DARK),
        ({"cabinet": CabinetMode.MANUAL, "preempt": True}, Mode.MANUAL, Cause.POLICE_PANEL),
        ({"police": True, "barred": Cause.LEASE_LOST}, Mode.MANUAL, Cause.POLICE_PANEL),
        ({"barred": Cause.LEASE_LOST, "operator_plan": True}, Mode.LOCAL, Cause.LEASE_LOST),
        ({"preempt": True, "operator_hold": True}, Mode.PREEMPT, Cause.PREEMPTION),
        ({"operator_hold": True, "operator_plan": True}, Mode.MANUAL, Cause.OPERATOR_HOLD),
        ({"operator_plan": True, "against": Cause.READ_BACK}, Mode.PLAN, Cause.OPERATOR_PLAN),
        ({"cabinet": CabinetMode.LOCAL_ACTUATED}, Mode.LOCAL, Cause.CABINET_LOCAL),
        ({"policy": Cause.POLICY_ERROR}, Mode.ADAPTIVE, Cause.POLICY_ERROR),
    ],
)
def test_authority(evidence: dict[str, object], mode: Mode, cause: Cause) -> None:
    state, seen = _run(_adaptive(), 100, evidence)
    assert seen == [(mode, cause)]
    if mode is not Mode.ADAPTIVE:
        _, seen = _run(state, 101, {})
        # Nothing spoke against ADAPTIVE before a pre-emption or an order, so nothing does after it.
        asked_for = cause in (Cause.PREEMPTION, Cause.OPERATOR_HOLD)
        asked_for |= cause is Cause.OPERATOR_PLAN and "against" not in evidence
        assert (seen[0][0] is Mode.ADAPTIVE) is asked_for


def test_one_lost_poll_is_no_lost_link() -> None:
    lost = {"cabinet": None}
    _, seen = _run(_adaptive(), 100, *[lost] * (LINK_LOST_TICKS - 1), {})
    assert {mode for mode, _ in seen} == {Mode.ADAPTIVE}
    _, seen = _run(_adaptive(), 100, *[lost] * LINK_LOST_TICKS)
    assert seen[-1] == (Mode.LOCAL, Cause.LINK_LOST)


def test_too_many_falls_latch_until_the_next_start() -> None:
    state, tick = _adaptive(), 100
    for _ in range(MAX_FLAPS_PER_HOUR):
        state, seen = _run(state, tick, {"against": Cause.READ_BACK}, *[{}] * HOLD_OFF_S)
        assert seen[-1][0] is Mode.ADAPTIVE
        tick += HOLD_OFF_S + 1
    state, seen = _run(state, tick, {"against": Cause.READ_BACK}, *[{}] * (2 * HOLD_OFF_S))
    assert seen[-1] == (Mode.PLAN, Cause.FLAPPING)
    _, seen = _run(state, tick + 4 * 3600, *[{}] * (2 * HOLD_OFF_S))
    assert seen[-1] == (Mode.PLAN, Cause.FLAPPING)


def test_falls_an_hour_apart_do_not_latch() -> None:
    state, tick = _adaptive(), 100
    for _ in range(2 * MAX_FLAPS_PER_HOUR):  # every 1300 s: three within any hour
        state, seen = _run(state, tick, {"against": Cause.READ_BACK}, *[{}] * HOLD_OFF_S)
        assert seen[-1][0] is Mode.ADAPTIVE
        tick += 1300


def test_an_operators_plan_is_no_fall() -> None:
    state, _ = _run(_adaptive(), 100, {"operator_plan": True})
    assert state.falls == ()


_EVIDENCE = st.fixed_dictionaries(
    {
        "cabinet": st.sampled_from([None, *CabinetMode]),
        "police": st.booleans(),
        "foreign": st.booleans(),
        "preempt": st.booleans(),
        "operator_hold": st.booleans(),
        "operator_plan": st.booleans(),
        "barred": st.sampled_from([None, Cause.LEASE_LOST]),
        "against": st.sampled_from([None, *AGAINST]),
        "policy": st.sampled_from([None, Cause.POLICY_ERROR]),
    }
)


@given(st.lists(st.tuples(_EVIDENCE, st.integers(1, 70)), max_size=12))
def test_adaptive_only_after_a_clean_hold_off(history: list[tuple[dict[str, object], int]]) -> None:
    """Whatever happens in whatever order, ADAPTIVE stands only on HOLD_OFF_S clean answered seconds."""
    state, clean, tick = LadderState(), 0, 0
    for evidence, seconds in history:
        for _ in range(seconds):
            one = Evidence(tick=tick, **evidence)  # type: ignore[arg-type]
            state, mode, _ = step(state, one)
            tick += 1
            good = one.cabinet in (CabinetMode.ADAPTIVE, CabinetMode.CENTRAL_PLAN) and not (
                one.police or one.barred or one.foreign or one.against
            )
            if one.cabinet is not None:
                clean = clean + 1 if good else 0
            if mode is Mode.ADAPTIVE:
                assert clean >= HOLD_OFF_S
            if one.cabinet is not None and one.police:
                assert mode in (Mode.MANUAL, Mode.FLASH)


@given(st.lists(_EVIDENCE, min_size=1, max_size=150))
@settings(deadline=None)
def test_the_centre_commands_under_no_police_panel_flash_or_bar(history: list[dict[str, object]]) -> None:
    """MANUAL means two things; which of them is never in doubt, whatever came before."""
    state = LadderState()
    for tick, evidence in enumerate(history):
        one = Evidence(tick=tick, **evidence)  # type: ignore[arg-type]
        state, mode, cause = step(state, one)
        if one.cabinet is None:
            continue  # nothing is sent to a cabinet that was not heard
        at_the_panel = one.police or one.cabinet is CabinetMode.MANUAL
        alone = one.cabinet in (CabinetMode.START, CabinetMode.FLASH, CabinetMode.DARK, CabinetMode.FAULT)
        if at_the_panel or alone or one.barred or one.foreign:
            assert not commands(mode, cause)
        if mode is Mode.MANUAL:
            assert commands(mode, cause) is (not at_the_panel)
            assert cause is (Cause.POLICE_PANEL if at_the_panel else Cause.OPERATOR_HOLD)
            assert at_the_panel or one.operator_hold


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("cause", Cause)
def test_in_which_modes_the_centre_commands(mode: Mode, cause: Cause) -> None:
    always, sometimes = mode in (Mode.ADAPTIVE, Mode.PREEMPT), mode is Mode.MANUAL
    assert commands(mode, cause) is (always or (sometimes and cause is Cause.OPERATOR_HOLD))


def test_orders_are_no_falls_whatever_they_do_in_an_hour() -> None:
    state, tick = _adaptive(), 100
    for _ in range(3 * MAX_FLAPS_PER_HOUR):
        for rung in ("operator_plan", "operator_hold", "preempt"):
            state, seen = _run(state, tick, {rung: True}, {})
            assert seen[-1] == (Mode.ADAPTIVE, Cause.IN_CHARGE)
            tick += 2
    assert (state.falls, state.latched) == ((), False)


def test_what_speaks_against_adaptive_during_an_order_counts_after_it() -> None:
    for rung in ("operator_plan", "operator_hold", "preempt"):
        _, seen = _run(_adaptive(), 100, {rung: True, "against": Cause.NO_FRESH_DATA}, *[{}] * HOLD_OFF_S)
        assert [mode for mode, _ in seen[1:]] == [Mode.PLAN] * (HOLD_OFF_S - 1) + [Mode.ADAPTIVE]


def test_every_mode_and_cause_has_words() -> None:
    assert set(MODES) == set(Mode)
    assert set(CAUSES) == set(Cause)
    assert all(vi and en and vi != en for vi, en in (*CAUSES.values(), *MODES.values()))
