"""The journal's tick record by its short way is the long way's record."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.observation import Commitment
from denxanh.controller.codec import encode_input, encode_output, tick_line
from denxanh.controller.mode import Mode
from denxanh.controller.operator.standing import Ended, Standing, StandingView
from denxanh.controller.operator.standing import Ending as OrderEnding
from denxanh.controller.priority.wishes import BusWish, Ending, PreemptWish, Wishes
from denxanh.controller.record import Event, LaneView, TickInput, TickOutput
from denxanh.controller.run import YOUNG_OBJECTS, rare_collections
from denxanh.controller.vds.arrival import Arrival, Heard, Reason, SourceView, Turned, ZoneValue
from denxanh.plc.contract import Command, ModeRequest

number = st.floats(allow_nan=False, allow_infinity=False)
text = st.sampled_from(("", "NaN", "Infinity", "\ud800", "Giữ pha", "\0\n\x7f\u2028", '"\\', "\U0001f6a6"))
word = st.integers(0, 0xFFFF)

WISHES = Wishes(PreemptWish(1, "115", "r1", "route", 9), Ending.PASSED, BusWish(2, "b", "7", 12), ("e1",), ())
HEARD = Heard(
    (Arrival("cam-1", 5, 1.5e9, (ZoneValue("z1", 3, 2, 0.5, 12.0, False, (1, 2, 0, 0, 0)),)),),
    (Turned("cam-1", Reason.LATE, 2),),
)
ORDERS = Standing(
    (StandingView("o1", "hold", "lan", "operator", "tai nạn", 1, None, 60),),
    (Ended("o0", "plan", "minh", OrderEnding.EXPIRED),),
)


@st.composite
def seconds(draw: st.DrawFn) -> tuple[TickInput, TickOutput]:
    value = TickInput(
        draw(st.integers(0, 10**9)), draw(number), "2026-11-26",
        draw(st.none() | st.just(((1, 2), (3,), (), (65_535,)))),
        draw(st.none() | text), draw(st.booleans()), False,
        *draw(st.sampled_from(((None, None, None), (WISHES, HEARD, ORDERS)))),
    )  # fmt: skip
    lanes = tuple(LaneView(*row) for row in draw(st.lists(st.tuples(number, number, number), max_size=3)))
    output = TickOutput(
        Mode.ADAPTIVE, draw(text), "Grr", 1, draw(number), False, draw(st.none() | st.just(Commitment(8, 2))),
        None, draw(text), None, None, Command(1, 2, draw(word), 30, ModeRequest.ADAPTIVE, 1), 3, lanes,
        (Event("mode", draw(text), draw(text), mode_to=Mode.PLAN),), why_vi="Giữ pha",
        vds=(SourceView("cam-1", 2, (("late", 1),), 0.5, None),),
    )  # fmt: skip
    return value, output


def _long_way(intersection: str, value: TickInput, output: TickOutput) -> Any:
    return {"k": "tick", "i": intersection, "in": encode_input(value), "out": encode_output(output)}


@settings(deadline=None)
@given(text, seconds())
def test_both_ways_say_the_same(intersection: str, second: tuple[TickInput, TickOutput]) -> None:
    line = tick_line(intersection, *second)
    assert b"\n" not in line
    assert json.loads(line) == json.loads(json.dumps(_long_way(intersection, *second)))
    assert list(json.loads(line)) == ["k", "i", "in", "out"]


@settings(deadline=None)
@given(seconds(), st.sampled_from((float("nan"), float("inf"), -float("inf"))))
def test_what_is_no_number_is_refused(second: tuple[TickInput, TickOutput], bad: float) -> None:
    value, output = second
    with pytest.raises(ValueError, match="JSON"):
        tick_line("X1", replace(value, clock_s=bad), output)
    with pytest.raises(ValueError, match="JSON"):
        tick_line("X1", value, replace(output, lanes=(LaneView(0.0, bad, 1.0),)))


def test_the_collector_is_as_before_after_a_run() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == (YOUNG_OBJECTS, *before[1:])
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
