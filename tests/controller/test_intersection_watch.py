"""What speaks against ADAPTIVE: thresholds at their edges, and alarms that come and go once."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from denxanh.controller.alarms import clock_error_s, of_detectors
from denxanh.controller.guard import GuardRefusal
from denxanh.controller.health import DetectorHealth, Symptom
from denxanh.controller.ladder import Cause
from denxanh.controller.watch import (
    CABINET_REFUSAL_LIMIT,
    CONFIDENCE_MIN,
    CONFIDENCE_TICKS,
    GUARD_REFUSAL_LIMIT,
    NOT_ADOPTED_TICKS,
    READ_BACK_TICKS,
    WINDOW_S,
    Facts,
    WatchState,
    observe,
)
from denxanh.networks.example import crossroads
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetMode, Refusal

GOOD = Facts(
    tick=0, commanded=True, cabinet=CabinetMode.ADAPTIVE, refusal=Refusal.NONE, blind=(), confidence=0.9,
    guard=None, agrees=True, config_matches=True, rule_failed=False,
)  # fmt: skip


def _causes(facts: Iterable[Facts]) -> list[Cause | None]:
    state, seen = WatchState(), []
    for tick, one in enumerate(facts):
        state, cause = observe(state, one._replace(tick=tick))
        seen.append(cause)
    return seen


@pytest.mark.parametrize(
    ("bad", "tolerated", "cause"),
    [
        (GOOD._replace(agrees=False), READ_BACK_TICKS, Cause.READ_BACK),
        (GOOD._replace(confidence=CONFIDENCE_MIN - 0.01), CONFIDENCE_TICKS, Cause.LOW_CONFIDENCE),
        (GOOD._replace(cabinet=CabinetMode.CENTRAL_PLAN), NOT_ADOPTED_TICKS, Cause.NOT_ADOPTED),
        (GOOD._replace(refusal=Refusal.MIN_GREEN), CABINET_REFUSAL_LIMIT, Cause.CABINET_REFUSALS),
        (GOOD._replace(guard=GuardRefusal.NOT_IN_GRAPH), GUARD_REFUSAL_LIMIT, Cause.GUARD_REFUSALS),
        (GOOD._replace(blind=("north",)), 0, Cause.NO_FRESH_DATA),
        (GOOD._replace(config_matches=False), 0, Cause.CONFIG_MISMATCH),
        (GOOD._replace(rule_failed=True), 0, Cause.RULE_ERROR),
    ],
)
def test_so_much_is_tolerated_and_no_more(bad: Facts, tolerated: int, cause: Cause) -> None:
    assert _causes([bad] * tolerated) == [None] * tolerated
    assert _causes([bad] * (tolerated + 1))[-1] is cause


@pytest.mark.parametrize(
    "facts",
    [
        GOOD._replace(agrees=None),
        GOOD._replace(refusal=Refusal.LOCAL_CONTROL),
        GOOD._replace(cabinet=None),
        GOOD._replace(commanded=False, cabinet=CabinetMode.CENTRAL_PLAN),
        *(GOOD._replace(guard=refusal) for refusal in (GuardRefusal.MIN_GREEN, GuardRefusal.COMMITTED)),
    ],
)
def test_everyday_things_are_no_cause(facts: Facts) -> None:
    assert set(_causes([facts] * 200)) == {None}


def test_refusals_are_forgotten_after_the_window() -> None:
    bad = GOOD._replace(refusal=Refusal.EXPIRED)
    rare = ([bad] + [GOOD] * (WINDOW_S // CABINET_REFUSAL_LIMIT)) * 20
    assert set(_causes(rare)) == {None}


def test_a_single_agreement_ends_the_count() -> None:
    assert set(_causes([GOOD._replace(agrees=False), GOOD] * 20)) == {None}


def test_stale_detectors_are_no_alarm_until_the_link_has_settled() -> None:
    site = crossroads()
    health = [DetectorHealth(symptom=Symptom.STALE)] * len(site.detectors)
    assert list(of_detectors(site, health, settled=False)) == []
    assert len(list(of_detectors(site, health, settled=True))) == len(site.detectors)


@pytest.mark.parametrize(
    ("ours", "error_s"), [(0.0, 0), (0.9, 0), (86_399.0, -86_399), (-1.0, 1), (3 * 86_400.0, -3 * 86_400)]
)
def test_a_wrong_date_is_a_wrong_clock(ours: float, error_s: int) -> None:
    cabinet = VirtualCabinet(crossroads(), lambda *_: active_plan is not None)
    then = replace(cabinet.status, utc_s=1_800_000_000)
    assert clock_error_s(then, 1_800_000_000 + ours) == error_s
