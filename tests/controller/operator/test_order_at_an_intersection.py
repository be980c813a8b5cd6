"""One intersection's controller with orders, against a virtual cabinet in memory."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denxanh.controller.codec import decode_input, decode_output, encode_input, encode_output
from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.mode import Mode
from denxanh.controller.operator import standing
from denxanh.controller.priority.wishes import PreemptWish, Wishes
from denxanh.plc.contract import CabinetMode, ModeRequest

MAIN, MAIN_TURN, SIDE = 0, 1, 2


def clock(rig, tick: int) -> str:
    """The local time of a tick, HH:MM:SS."""
    second = int(rig.inputs[0].clock_s) + tick
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def emergency(stage: int = MAIN_TURN, left_s: int = 90) -> Wishes:
    return Wishes(preempt=PreemptWish(stage, "115", "xe-7", "bv", left_s))


def test_a_hold_brings_its_stage_keeps_it_and_ends_by_itself(rig, order) -> None:
    one = rig().adaptive()
    begun = one.tick
    one.order(order("hold", id="h", stage=SIDE, for_s=100, actor="lan")).run(100)
    held = one.outputs[begun:]
    assert {output.mode for output in held} == {Mode.MANUAL}
    assert {output.cause.partition(":")[0] for output in held} == {"operator-hold"}
    assert {output.command.mode for output in held} == {ModeRequest.ADAPTIVE}
    assert {output.stage for output in held[60:]} == {SIDE}
    assert held[0].cause == "operator-hold: side, lan: tai nạn, ≤ 1:40"
    assert held[0].why_vi == "Pha side theo lệnh của lan: tai nạn"
    assert [output.orders[0].left_s for output in held] == list(range(100, 0, -1))
    one.run(60)
    assert one.modes[begun + 100 :] == [Mode.ADAPTIVE] * 60, "fit before it, fit after it"
    assert one.last.orders == ()
    assert MAIN in {output.stage for output in one.outputs[-20:]}
    end = clock(one, begun + 100)
    assert one.events("order") == [
        f"lan (operator) orders: hold a stage, side, 100 s at most, until {end}. Reason: tai nạn",
        "Order of lan ends, hold a stage: its time is over",
    ]
    first = next(event for output in one.outputs for event in output.events if event.kind == "order")
    assert first.text_vi == (
        f"lan (người vận hành) ra lệnh giữ pha side, tối đa 100 s, đến {end}. Lý do: tai nạn"
    )
    assert not one.refused()


def test_an_order_of_whole_minutes_is_told_in_minutes(rig, order) -> None:
    one = rig().adaptive()
    end = clock(one, one.tick + 300)[:5]
    one.order(order("hold", stage=SIDE, for_s=300, actor="lan")).run(2)
    assert one.last.cause.endswith("≤ 4:59")
    assert one.events("order") == [
        f"lan (operator) orders: hold a stage, side, 5 min at most, until {end}. Reason: tai nạn"
    ]


@pytest.mark.parametrize(
    ("kind", "fields", "vi", "en"),
    [
        ("plan", {"plan": 1, "for_s": 1800}, "lan, 30 phút, đến {}: thử", "lan, 30 min, until {}: thử"),
        (
            "hold",
            {"stage": SIDE, "for_s": 1800},
            "lan, pha side, 30 phút, đến {}: thử",
            "lan, stage side, 30 min, until {}: thử",
        ),
    ],
)
@pytest.mark.parametrize("later", [0, 1])
def test_the_change_of_mode_says_how_long_and_until_when(rig, order, kind, fields, vi, en, later) -> None:
    one = rig().adaptive()
    end = clock(one, one.tick + 1800)[:5]
    ordered = standing.take(one.state, order(kind, actor="lan", reason="thử", **fields), one.tick)
    one.run(later)  # the mode changes some seconds after the order counts
    one.state = ordered
    one.run(3)
    change = [event for output in one.outputs for event in output.events if event.kind == "mode"][-1]
    assert change.text_vi.endswith(f"({vi.format(end)})")
    assert change.text_en.endswith(f"({en.format(end)})")
    assert "≤" not in change.text_vi + change.text_en


def test_a_held_stage_stays_past_its_max_green_and_others_wait(rig, order, wants) -> None:
    one = rig(wants(every=15)).adaptive()
    begun = one.tick
    one.order(order("hold", stage=SIDE, for_s=600)).run(600)
    longest = max(group.max_green_s for group in one.site.groups)
    arrived = next(n for n, output in enumerate(one.outputs[begun:]) if output.stage == SIDE)
    kept = one.outputs[begun + arrived + 20 :]
    assert len(kept) > 2 * longest
    assert {output.stage for output in kept} == {SIDE}
    one.run(200)
    assert {output.stage for output in one.outputs[-200:]} == {MAIN, MAIN_TURN, SIDE}
    assert not one.refused()


@pytest.mark.parametrize("delay", [0, 5, 13, 24, 30])
def test_a_running_promise_is_kept_into_a_hold_and_out_of_it(rig, order, wants, delay) -> None:
    one = rig(wants(every=20)).adaptive().run(delay)
    promise = one.last.commitment
    one.order(order("hold", stage=MAIN_TURN, for_s=40)).run(30)
    if promise is not None and promise.end_in_s > 2:
        assert one.outputs[-29].commitment.next_stage == promise.next_stage
    one.run(10)
    left = one.last.commitment
    one.run(1)
    if left is not None and left.end_in_s > 2:
        assert one.last.commitment == replace(left, end_in_s=left.end_in_s - 1)
    one.run(60)
    assert not one.refused()


def test_release_hands_back_at_once(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("hold", for_s=600)).order(order("plan", for_s=600)).run(50)
    assert one.last.mode is Mode.MANUAL
    one.order(order("release", actor="minh", reason="đã thông đường")).run(1)
    assert (one.last.mode, one.last.orders) == (Mode.ADAPTIVE, ())
    assert one.events("order")[-2:] == [
        "Order of lan ends, hold a stage: taken back, by minh: đã thông đường",
        "Order of lan ends, run a plan: taken back, by minh: đã thông đường",
    ]


def test_a_plan_is_run_by_the_cabinet_and_is_no_fall(rig, order) -> None:
    one = rig().adaptive()
    scheduled = one.last.plan
    other = next(plan.number for plan in one.site.plans if plan.number != scheduled)
    begun = one.tick
    one.order(order("plan", id="p", plan=other, for_s=120)).run(120)
    assert {output.mode for output in one.outputs[begun:]} == {Mode.PLAN}
    assert {output.plan for output in one.outputs[begun:]} == {other}
    assert {output.command.plan for output in one.outputs[begun:]} == {other}
    assert one.cabinet.mode is CabinetMode.CENTRAL_PLAN
    assert one.cabinet.status.plan == other
    one.run(15)
    assert one.modes[begun + 120 :] == [Mode.ADAPTIVE] * 15
    assert one.last.plan == scheduled
    assert one.controller._ladder.falls == ()
    assert one.cabinet.mode is CabinetMode.ADAPTIVE
    assert not one.refused()


def test_the_scheduled_plan_by_order(rig, order) -> None:
    one = rig().adaptive()
    scheduled = one.last.plan
    one.order(order("plan", plan=None)).run(20)
    assert (one.last.mode, one.last.plan, one.cabinet.mode) == (
        Mode.PLAN, scheduled, CabinetMode.CENTRAL_PLAN,
    )  # fmt: skip
    assert "run a plan, the scheduled one" in one.events("order")[0]


def test_an_ordered_pre_emption_is_one(rig, order) -> None:
    one = rig().adaptive()
    begun = one.tick
    one.order(order("preempt", stage=SIDE, for_s=60, actor="csgt-1")).run(61)
    assert one.modes[begun:] == [Mode.PREEMPT] * 60 + [Mode.ADAPTIVE]
    assert {output.stage for output in one.outputs[begun + 40 : begun + 60]} == {SIDE}
    assert one.outputs[begun].cause == "pre-emption: side, csgt-1: tai nạn, ≤ 1:00"
    assert len(one.events("order")) == 2
    assert not one.events("request"), "told once, as an order"


def test_authority_among_orders(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("plan", for_s=300)).run(2)
    one.order(order("hold", stage=MAIN_TURN, for_s=200)).run(2)
    one.order(order("preempt", stage=SIDE, for_s=100)).run(2)
    assert one.modes[-6:] == [Mode.PLAN] * 2 + [Mode.MANUAL] * 2 + [Mode.PREEMPT] * 2
    one.run(100)
    assert one.last.mode is Mode.MANUAL
    one.run(100)
    assert (one.last.mode, one.last.cause[:13]) == (Mode.PLAN, "operator-plan")


def test_an_emergency_route_and_an_ordered_pre_emption_the_first_keeps_it(rig, order) -> None:
    one = rig().adaptive()
    one.run(5, emergency(MAIN_TURN)).order(order("preempt", stage=SIDE, for_s=120)).run(
        40, emergency(MAIN_TURN)
    )
    assert one.last.cause.startswith("pre-emption: 115 xe-7")
    assert one.last.stage == MAIN_TURN
    assert "has no effect now, pre-emption: an emergency route is open" in one.events("order")[1]
    one.run(40)
    assert one.last.stage == SIDE
    assert "Pre-emption for 115 xe-7 (bv) ends" in one.events("request")[-1]
    one.run(10, emergency(MAIN_TURN))
    assert one.last.stage == SIDE, "now the order was there first"
    assert "tai nạn" in one.last.cause
    both = rig().adaptive().order(order("preempt", stage=SIDE, for_s=60))
    both.run(3, emergency(MAIN_TURN))
    assert both.last.cause.startswith("pre-emption: 115 xe-7"), "of two new ones, the vehicle's"


def test_pre_emptions_by_order_keep_to_the_limit_of_all(rig, order) -> None:
    """`suspend_s` of the rig's site is 200: however they follow each other, the others are served then."""
    one = rig().adaptive()
    begun = one.tick
    for _ in range(4):
        one.order(order("preempt", stage=SIDE, for_s=70)).run(70)
    assert one.modes[begun:].count(Mode.PREEMPT) == 200
    assert any("No further pre-emption" in text for text in one.events("alarm"))


def test_while_the_police_panel_is_on_nothing_is_written_whatever_is_ordered(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("hold", id="h", stage=SIDE, for_s=300)).run(30)
    one.cabinet.set_panel(police=True)
    begun = one.tick
    one.run(2).order(order("preempt", for_s=60)).order(order("plan", for_s=600)).run(28)
    panel = one.outputs[begun:]
    assert {(output.mode, output.cause, output.command) for output in panel} == {
        (Mode.MANUAL, "police-panel", None)
    }
    assert [one.id for one in panel[-1].orders].count("h") == 1
    waits = [text for text in one.events("order") if "has no effect now" in text]
    assert waits[0] == "Order of lan has no effect now, hold a stage: the police panel is in charge"
    assert len(waits) == 2, "once for each order that is the highest, not every second"
    one.cabinet.set_panel(police=False)
    one.run(20)
    assert one.last.mode is Mode.PREEMPT, "30 s of the pre-emption are left"
    one.run(20)
    assert one.last.cause.startswith("operator-hold")
    assert "cabinet-local-control" not in one.refused()


def test_blind_detectors_do_not_stop_a_hold(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("hold", stage=SIDE, for_s=300)).run(20)
    one.deaf = True
    one.run(120)
    assert one.modes[-120:] == [Mode.MANUAL] * 120
    assert one.last.stage == SIDE
    one.order(order("release")).run(1)
    assert one.last.mode is Mode.PLAN, "but nothing is adaptive without them"


def test_other_tables_stop_a_hold_and_a_pre_emption(rig, order) -> None:
    one = rig(crc=1).run(30)
    one.order(order("hold", for_s=600)).order(order("preempt", for_s=600)).run(30)
    assert {Mode.MANUAL, Mode.PREEMPT}.isdisjoint(one.modes)
    assert any("has no effect now" in text for text in one.events("order"))


def test_lamps_that_are_not_what_was_decided_stop_a_hold_for_a_while(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("hold", stage=SIDE, for_s=600)).run(60)
    honest = one.controller._follower.agrees
    one.controller._follower.agrees = lambda mode: False
    one.run(5)
    assert (one.last.mode, one.last.cause) == (Mode.PLAN, "read-back-disagrees")
    one.controller._follower.agrees = honest
    one.run(HOLD_OFF_S - 1)
    assert one.last.mode is Mode.PLAN
    one.run(5)
    assert one.last.cause.startswith("operator-hold"), "it stands, and counts again"


def test_an_order_underneath_does_not_hide_lamps_that_are_not_what_was_decided(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("plan", for_s=900)).order(order("hold", stage=SIDE, for_s=600)).run(60)
    one.controller._follower.agrees = lambda mode: False
    one.run(5)
    assert one.last.cause.startswith("operator-plan")
    assert [event.cause for o in one.outputs for event in o.events if event.kind == "alarm"] == [
        "read-back-disagrees"
    ]


def test_a_silent_cabinet_gets_nothing_and_the_hold_goes_on_afterwards(rig, order) -> None:
    one = rig().adaptive()
    one.order(order("hold", stage=SIDE, for_s=600)).run(60)
    one.silent = True
    one.run(8)
    assert (one.last.mode, one.last.command) == (Mode.LOCAL, None)
    one.silent = False
    one.run(30)
    assert one.last.cause.startswith("operator-hold")
    assert one.last.stage == SIDE


def test_a_first_command_may_be_a_hold_and_the_plan_follows_it(rig, order) -> None:
    one = rig().order(order("hold", stage=SIDE, for_s=50)).run(50)
    assert (one.last.mode, one.last.stage, one.cabinet.mode) == (Mode.MANUAL, SIDE, CabinetMode.ADAPTIVE)
    one.run(15)
    assert one.modes[50:] == [Mode.PLAN] * 15, "60 clean seconds are not over"
    assert one.cabinet.mode is CabinetMode.CENTRAL_PLAN
    assert not one.refused()


def test_a_controller_that_begins_anew_says_what_was_forgotten(rig, order) -> None:
    one = rig().adaptive().order(order("hold", stage=SIDE, for_s=600)).run(20)
    one.controller = one.make()
    one.state = standing.forget(one.state, one.tick)
    one.outputs.clear()
    one.run(30)
    assert one.events("order") == [
        "Order of lan ends, hold a stage: the controller has started anew and keeps no orders"
    ]


_ORDERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["hold", "plan", "preempt", "release", "police-on", "police-off", "deaf", "silent", "emergency"]
        ),
        st.integers(0, 2), st.integers(10, 150), st.integers(1, 60),
    ),
    min_size=2, max_size=9,
)  # fmt: skip


@given(steps=_ORDERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_ordered_the_rules_hold_and_it_replays(rig, order, wants, steps) -> None:
    """Every second is judged in `Rig.judge`, and by the cabinet with its own conflict monitor."""
    one = rig(wants(every=15)).adaptive()
    for kind, stage, for_s, seconds in steps:
        wishes = None
        match kind:
            case "hold" | "preempt":
                one.order(order(kind, stage=stage, for_s=for_s))
            case "plan":
                one.order(order("plan", plan=None if stage == 2 else stage + 1, for_s=max(60, for_s)))
            case "release":
                one.order(order("release"))
            case "police-on" | "police-off":
                one.cabinet.set_panel(police=kind == "police-on")
            case "deaf":
                one.deaf = not one.deaf
            case "silent":
                one.silent = not one.silent
            case "emergency":
                wishes = emergency(stage, for_s)
        one.run(seconds, wishes)
    # Walks that began while nothing was heard are the cabinet's to protect, and it does.
    unheard = {"min-green"} if any(kind == "silent" for kind, *_ in steps) else set()
    assert not set(one.refused()) - {"local-control"} - unheard
    for before, after in pairwise(one.outputs):
        changes = [event for event in after.events if event.kind == "mode"]
        assert len(changes) == (before.mode is not after.mode)
    again = one.make()
    for value, output in zip(one.inputs, one.outputs, strict=True):
        heard = decode_input(encode_input(value), "here")
        assert heard == value
        assert decode_output(encode_output(output), "here") == output
        assert encode_output(again.step(heard)) == encode_output(output)
