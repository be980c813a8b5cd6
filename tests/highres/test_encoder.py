"""What the encoder promises, whatever the street does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.encoder import BRIDGED_MS, Encoder, Loss
from denxanh.controller.highres.memory import Memory
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.mode import Mode
from denxanh.controller.record import Event
from denxanh.networks.example import MAIN, PED_SIDE, SIDE, crossroads
from denxanh.networks.model import GroupKind
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading

MEMORY = TypeAdapter(Memory)
BEGIN_MS = 1_795_390_200_000
SECONDS = 180
Walks = Callable[..., Any]
FOLLOW: dict[int | None, set[int]] = {
    None: {Code.BEGIN_GREEN, Code.FOUND_GREEN, Code.BEGIN_YELLOW, Code.END_YELLOW, Code.BEGIN_RED_CLEARANCE},
    Code.FOUND_GREEN: {Code.GREEN_TERMINATION},
    Code.BEGIN_GREEN: {Code.GREEN_TERMINATION},
    Code.GREEN_TERMINATION: {Code.BEGIN_YELLOW},
    Code.BEGIN_YELLOW: {Code.END_YELLOW},
    Code.END_YELLOW: {Code.BEGIN_RED_CLEARANCE},
    Code.BEGIN_RED_CLEARANCE: {Code.END_RED_CLEARANCE},
    Code.END_RED_CLEARANCE: {Code.PHASE_INACTIVE},
    Code.PHASE_INACTIVE: {Code.BEGIN_GREEN},
}
"""What may come next of a phase, calls and reasons left out; None: nothing is known yet."""


def _encoded(encoder: Encoder, moments: Sequence[Moment]) -> list[SignalEvent]:
    return [event for moment in moments for event in encoder.take(moment)]


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**32))
@example(262)  # seconds that were not recorded hide a yellow
def test_the_order_of_a_phase_and_of_a_detector(walk: Walks, seed: int) -> None:
    """A guarded street: each green ends in yellow and all-red before the next, each on has an off."""
    street = walk(seed)
    vehicle = {at for at, one in enumerate(street.intersection.groups, 1) if one.kind is GroupKind.VEHICLE}
    phases: dict[int, int | None] = dict.fromkeys(vehicle)
    detectors: dict[int, int] = {}
    known = False
    last_ms = 0
    for event in _encoded(Encoder(street.intersection), street.seconds(SECONDS)):
        assert event.at_ms % 100 == 0
        assert event.at_ms >= last_ms
        last_ms = event.at_ms
        code, parameter = event.code, event.parameter
        if code in (Code.LOST, Code.REGAINED):
            assert known == (code == Code.LOST)
            known = code == Code.REGAINED
            phases, detectors = dict.fromkeys(vehicle), {}
        elif code in FOLLOW:
            assert known
            assert code in FOLLOW[phases[parameter]]
            phases[parameter] = code
        elif code in (Code.DETECTOR_ON, Code.DETECTOR_OFF):
            assert known
            assert detectors.get(parameter, Code.DETECTOR_OFF) != code
            detectors[parameter] = code
        elif code in (Code.PED_DETECTOR_ON, Code.PED_DETECTOR_OFF):
            assert detectors.get(-parameter) != code
            detectors[-parameter] = code


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32), st.integers(0, SECONDS))
def test_a_stored_memory_goes_on_as_if_nothing_had_happened(walk: Walks, seed: int, cut: int) -> None:
    street = walk(seed)
    moments = street.seconds(SECONDS)
    whole = _encoded(Encoder(street.intersection), moments)
    first = Encoder(street.intersection)
    half = _encoded(first, moments[:cut])
    again = MEMORY.validate_json(MEMORY.dump_json(first.memory))
    assert again == first.memory
    second = Encoder(street.intersection, again)
    assert second.fits(again)
    assert half + _encoded(second, moments[cut:]) == whole


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32))
def test_a_second_that_comes_again_tells_nothing_new(walk: Walks, seed: int) -> None:
    street = walk(seed, silences=False)
    moments = street.seconds(60)
    encoder = Encoder(street.intersection)
    _encoded(encoder, moments)
    again = _encoded(encoder, moments[20:])
    assert [(event.code, event.parameter) for event in again] in ([], [(Code.LOST, Loss.CLOCK)])


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32))
def test_each_vehicle_that_was_counted_is_told_once(walk: Walks, seed: int) -> None:
    """Every vehicle has its off; an off without a count is a presence that ended uncounted."""
    street = walk(seed, silences=False)
    encoder = Encoder(street.intersection)
    first, *rest = street.seconds(120)
    _encoded(encoder, [first])
    assert first.readings is not None
    last = rest[-1].readings
    assert last is not None
    told = _encoded(encoder, rest)
    loops = [
        at
        for at, one in enumerate(street.intersection.detectors, 1)
        if one.kind.value in ("stop-line", "advance")
    ]
    for at, channel in enumerate(loops):
        counted = (last.loops[at].count - first.readings.loops[at].count) % 65_536
        offs = sum(event.code == Code.DETECTOR_OFF and event.parameter == channel for event in told)
        assert counted <= offs


@settings(deadline=None, max_examples=8)
@given(st.data(), st.integers(0, 2**32))
def test_nothing_that_is_said_can_stop_it(walk: Walks, data: st.DataObject, seed: int) -> None:
    street = walk(seed)
    encoder = Encoder(street.intersection)
    whole = st.integers(0, 65_535)
    loops = tuple(
        LoopReading(data.draw(whole), data.draw(whole), data.draw(st.booleans()), data.draw(whole))
        for one in street.intersection.detectors
        if one.kind.value in ("stop-line", "advance")
    )
    last_ms = 0
    for moment in street.seconds(30):
        odd = replace(
            moment,
            at_ms=data.draw(st.sampled_from((moment.at_ms, moment.at_ms, 0, 2**52))),
            aspects=data.draw(st.sampled_from((moment.aspects, "o" * 6, "", "GGGGGG", "rrrrrrr", "WCxy!~"))),
            stage=data.draw(st.integers(0, 2**31 - 1)),
            queued=data.draw(st.lists(st.floats(-1e6, 1e6), max_size=3).map(tuple)),
            readings=moment.readings
            and data.draw(
                st.sampled_from(
                    (moment.readings, replace(moment.readings, loops=loops), Readings((), (), ()))
                )
            ),
        )
        for event in encoder.take(odd):
            assert event.at_ms >= last_ms
            assert 0 <= event.parameter < 2**31
            last_ms = event.at_ms
        MEMORY.validate_json(MEMORY.dump_json(encoder.memory))


def _moment(
    second: int, stage: int, *, interstage: bool = False, aspects: str | None = None, **more: Any
) -> Moment:
    one = crossroads()
    if aspects is None:
        aspects = "".join(one.stages[stage].aspects).replace("G", "G")
        aspects = "".join(
            ("W" if letter != "r" else "r") if group.kind is GroupKind.PEDESTRIAN else letter
            for letter, group in zip(aspects, one.groups, strict=True)
        )
    usual: dict[str, Any] = {
        "mode": Mode.ADAPTIVE,
        "queued": (0.0,) * len(one.lanes),
        "readings": _readings(),
    }
    return Moment(BEGIN_MS + 1000 * second, aspects, stage, interstage, **{**usual, **more})


def _readings(**loops: tuple[int, int]) -> Readings:
    """Loops by the name of their detector: count and occupied tenths; nobody elsewhere."""
    one = crossroads()
    kinds = [detector.kind.value for detector in one.detectors]
    names = [detector.id for detector in one.detectors if detector.kind.value in ("stop-line", "advance")]
    return Readings(
        tuple(LoopReading(*loops.get(name, (0, 0)), fault=False, age_ds=0) for name in names),
        tuple(ZoneReading(0, 0, 0.0, 0.0, False, 0) for _ in range(kinds.count("zone"))),
        (False,) * kinds.count("button"),
    )


def _told(moments: Sequence[Moment]) -> list[tuple[float, int, int]]:
    encoder = Encoder(crossroads())
    return [
        ((event.at_ms - BEGIN_MS) / 1000, event.code, event.parameter) for event in _encoded(encoder, moments)
    ]


def _cycle(**more: Any) -> list[Moment]:
    """10 s of the side road, 3 s yellow, 2 s all-red, 12 s of the main road, its yellow."""
    yellow = "".join("y" if letter in "Gg" else "r" for letter in _moment(0, 2).aspects)
    seconds = [_moment(at, 2, **more) for at in range(10)]
    seconds += [_moment(at, 0, interstage=True, aspects=yellow, **more) for at in range(10, 13)]
    seconds += [_moment(at, 0, interstage=True, aspects="r" * 6, **more) for at in range(13, 15)]
    seconds += [_moment(at, 0, **more) for at in range(15, 27)]
    end = "".join("y" if letter in "Gg" else "r" for letter in _moment(0, 0).aspects)
    return [*seconds, _moment(27, 2, interstage=True, aspects=end, **more)]


def test_a_cycle_word_for_word() -> None:
    main, side = MAIN + 1, SIDE + 1
    told = _told(_cycle())
    of_main = [(at, code) for at, code, parameter in told if parameter == main and code < 40]
    assert of_main == [
        (15.0, 0),
        (15.0, 1),
        (15.0 + crossroads().groups[MAIN].min_green_s, 3),
        (27.0, 4),
        (27.0, 7),
        (27.0, 8),
    ]
    of_side = [(at, code) for at, code, parameter in told if parameter == side and code < 40]
    assert of_side == [(10.0, 4), (10.0, 7), (10.0, 8), (13.0, 9), (13.0, 10), (15.0, 11), (15.0, 12)]
    assert (0.0, Code.FOUND_GREEN, side) in told
    assert (15.0, Code.STAGE_BEGAN, 1) in told
    assert not [
        code for _, code, _ in told if 300 <= code < 316
    ]  # since when the side road was green is not known


def test_an_actual_split_is_green_yellow_and_all_red() -> None:
    seconds = _cycle()
    seconds += [_moment(at, 2, interstage=True, aspects="r" * 6) for at in range(30, 33)]
    seconds += [_moment(33, 2)]
    told = _told(seconds)
    assert (33.0, Code.ACTUAL_SPLIT + MAIN, 18) in told


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, Code.GAP_OUT),
        ({"queued": (3.0,) * 6}, Code.FORCE_OFF),
        ({"mode": Mode.PLAN}, Code.FORCE_OFF),
        ({"mode": Mode.MANUAL}, Code.FORCE_OFF),
        ({"mode": Mode.PREEMPT}, Code.FORCE_OFF),
        ({"guard_refusal": "max-green"}, Code.MAX_OUT),
        ({"queued": ()}, Code.FORCE_OFF),
        ({"mode": Mode.FLASH}, None),
    ],
)
def test_why_a_green_ended(more: dict[str, Any], why: Code | None) -> None:
    told = _told(_cycle(**more))
    reasons = [code for _, code, parameter in told if code in (4, 5, 6) and parameter == MAIN + 1]
    assert reasons == ([] if why is None else [why])


def test_a_green_that_lets_vehicles_through_has_not_gapped_out() -> None:
    loop = next(one for one in crossroads().detectors if MAIN in one.groups and one.kind.value == "stop-line")
    seconds = _cycle()
    for at in range(16, 28):
        seconds[at] = replace(seconds[at], readings=_readings(**{loop.id: (at - 15, (at - 15) * 3)}))
    reasons = [code for _, code, parameter in _told(seconds) if code in (4, 5, 6) and parameter == MAIN + 1]
    assert reasons == [Code.FORCE_OFF]


def test_max_green_that_has_passed_with_a_queue_is_a_max_out() -> None:
    lanes = (3.0,) * len(crossroads().lanes)
    cycle = _cycle(queued=lanes)
    long = crossroads().groups[MAIN].max_green_s
    seconds = [*cycle[:16], *(replace(cycle[16], at_ms=BEGIN_MS + 1000 * at) for at in range(16, 15 + long))]
    seconds.append(replace(cycle[-1], at_ms=BEGIN_MS + 1000 * (15 + long)))
    assert (15.0 + long, Code.MAX_OUT, MAIN + 1) in _told(seconds)


@pytest.mark.parametrize(("silent", "lost"), [(1, False), (4, False), (6, True), (60, True)])
def test_a_short_silence_is_bridged_a_long_one_is_not(silent: int, lost: bool) -> None:
    seconds = [_moment(at, 0) for at in range(5)]
    seconds += [_moment(at, 0, readings=None, mode=Mode.LOCAL) for at in range(5, 5 + silent)]
    seconds += [_moment(at, 0) for at in range(5 + silent, 10 + silent)]
    told = _told(seconds)
    assert ((5.0, Code.LOST, Loss.NO_ANSWER) in told) is lost
    assert ((5.0 + silent, Code.REGAINED, 0) in told) is lost
    assert (5.0, Code.ADAPTIVE_OFF, 6) in told  # what the centre itself knows is told all the same
    assert [at for at, *_ in told] == sorted(at for at, *_ in told)


def test_a_lamp_that_must_have_changed_unseen_is_not_made_up() -> None:
    """Two polls fail, green before, red after: when yellow began and ended nobody has seen."""
    red = "".join("r" if letter in "Gg" else letter for letter in _moment(0, 0).aspects)
    seconds = [_moment(0, 0), _moment(1, 0)]
    seconds += [_moment(at, 0, readings=None) for at in range(2, 6)]
    seconds += [_moment(6, 2, interstage=True, aspects=red)]
    told = _told(seconds)
    assert (2.0, Code.LOST, Loss.NO_ANSWER) in told
    assert (6.0, Code.REGAINED, 0) in told
    assert not [code for _, code, _ in told if code in (7, 8, 9, 10)]


def test_missing_seconds_are_not_bridged() -> None:
    told = _told([_moment(0, 0), _moment(1, 0), _moment(2 + BRIDGED_MS // 1000, 0)])
    assert (2.0, Code.LOST, Loss.NO_RECORDS) in told


def test_a_run_that_begins_may_have_another_clock() -> None:
    encoder = Encoder(crossroads())
    _encoded(encoder, [_moment(at, 0) for at in range(100, 110)])
    assert encoder.take(_moment(50, 0))[0] == SignalEvent(BEGIN_MS + 109_000, Code.LOST, Loss.CLOCK)
    assert encoder.take(_moment(51, 0)) == []
    encoder.begin()
    assert next(event.code for event in encoder.take(_moment(52, 0))) == Code.REGAINED


def test_the_end_of_a_run_is_the_end_of_what_is_known() -> None:
    encoder = Encoder(crossroads())
    assert encoder.end() == []
    _encoded(encoder, [_moment(at, 0) for at in range(3)])
    assert encoder.end() == [SignalEvent(BEGIN_MS + 3000, Code.LOST, Loss.NO_RECORDS)]
    assert encoder.end() == []


def test_detector_faults_are_told_by_channel() -> None:
    name = crossroads().detectors[0].id
    stuck = Event("detector", "Bộ dò: kẹt", f"Detector {name}: stuck", "detector-stuck-on")
    stale = Event("detector", "Bộ dò: im", f"Detector {name}: silent", "detector-stale")
    over = Event("alarm-cleared", "Hết", f"Cleared: Detector {name}: stuck", "detector-stuck-on")
    gone = Event("alarm-cleared", "Hết", f"Cleared: Detector {name}: silent", "detector-stale")
    strange = Event("detector", "?", "Detector elsewhere: stuck", "detector-stuck-on")
    told = _told(
        [
            _moment(0, 0),
            _moment(1, 0, events=(stuck, strange)),
            _moment(2, 0, events=(stale, over)),
            _moment(3, 0, events=(gone, gone)),
        ]
    )
    assert [one for one in told if 83 <= one[1] <= 88] == [
        (1.0, Code.DETECTOR_FAULT_OTHER, 1),
        (2.0, Code.DETECTOR_FAULT_WATCHDOG, 1),
        (3.0, Code.DETECTOR_RESTORED, 1),
    ]


def test_a_push_button_calls_its_crossings() -> None:
    one = crossroads()
    buttons = [detector for detector in one.detectors if detector.kind.value == "button"]
    at = next(n for n, detector in enumerate(buttons) if PED_SIDE in detector.groups)
    channel = one.detectors.index(buttons[at]) + 1
    pressed = replace(_readings(), buttons=tuple(n == at for n in range(len(buttons))))
    told = _told([_moment(0, 2), _moment(1, 2, readings=pressed), _moment(2, 2)])
    assert [one for one in told if one[1] in (45, 89, 90)] == [
        (1.0, Code.PED_DETECTOR_ON, channel),
        *((1.0, Code.PED_CALL_REGISTERED, group + 1) for group in buttons[at].groups),
        (2.0, Code.PED_DETECTOR_OFF, channel),
    ]


def test_modes_and_fallback() -> None:
    told = _told(
        [
            _moment(0, 0),
            _moment(1, 0, mode=Mode.PLAN, fallback=True),
            _moment(2, 0),
            _moment(3, 0, mode=Mode.PREEMPT),
            _moment(4, 0, mode=Mode.MANUAL),
            _moment(5, 0, mode=Mode.PLAN),
        ]
    )
    assert [one for one in told if one[1] in (102, 104, 105, 178) or 900 <= one[1] <= 904] == [
        (0.0, 900, 0),
        (1.0, 901, 5),
        (1.0, 903, 5),
        (2.0, 904, 0),
        (2.0, 900, 0),
        (3.0, 901, 3),
        (3.0, 102, 1),
        (3.0, 105, 1),
        (4.0, 104, 1),
        (4.0, 178, 1),
        (5.0, 178, 0),
    ]


def test_polls_that_failed_are_counted_by_the_minute() -> None:
    seconds = [_moment(at, 0, readings=None if at == 30 else _readings()) for at in range(125)]
    told = [one for one in _told(seconds) if one[1] in (500, 501)]
    assert told == [(60.0, Code.COMM_FAILURES, 1), (60.0, Code.COMM_POLLS, 60)]


def test_every_code_says_what_it_means() -> None:
    assert len({code.meaning for code in Code}) == len(Code)
    assert all(code.meaning.isprintable() and len(code.meaning) < 100 for code in Code)
    assert all(a < b for a, b in itertools.pairwise(Code))


def test_a_loop_of_another_intersection_is_no_memory_of_this_one() -> None:
    encoder = Encoder(crossroads())
    _encoded(encoder, [_moment(0, 0)])
    memory = MEMORY.validate_json(MEMORY.dump_json(encoder.memory))
    assert encoder.fits(memory)
    memory.detectors.counts.append(0)
    assert not encoder.fits(memory)
    assert encoder.fits(Memory())


def test_an_actuated_cabinet_does_not_say_why(walk: Walks) -> None:
    from denxanh.sim.mind import _NO_STATUS  # a status with every field

    status = replace(_NO_STATUS, mode=CabinetMode.LOCAL_ACTUATED)
    seconds = [
        replace(moment, status=replace(status, heartbeat=at))
        for at, moment in enumerate(_cycle(mode=Mode.LOCAL))
    ]
    assert not [code for _, code, _ in _told(seconds) if code in (4, 5, 6)]
