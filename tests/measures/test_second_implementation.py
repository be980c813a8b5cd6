"""The same measures, event by event in plain Python, against the arrays."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.arrivals import arrivals
from denxanh.controller.measures.coverage import coverage
from denxanh.controller.measures.cycles import cycles
from denxanh.controller.measures.duties import Duties
from denxanh.controller.measures.entries import actuations, entries
from denxanh.controller.measures.failures import split_failures
from denxanh.controller.measures.pedestrians import walks
from denxanh.controller.measures.waits import waits

Event = tuple[int, int, int]
SEEDS = range(3)


@dataclass
class Walker:
    """Goes through a log once, one event after the other."""

    state: dict[int, str] = field(default_factory=dict)
    cycle: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    called: set[int] = field(default_factory=set)
    since: dict[int, int] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    walking: dict[int, bool] = field(default_factory=dict)
    cycles: dict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    waits: dict[int, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    walks: dict[int, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def forget(self) -> None:
        for one in (self.state, self.cycle, self.called, self.since, self.asked, self.walking):
            one.clear()

    def take(self, at: int, code: int, parameter: int) -> None:
        match code:
            case 910 | 911:
                self.forget()
            case 1:
                self.state[parameter], self.cycle[parameter] = "G", [at]
                if parameter in self.since:
                    self.waits[parameter].append((at, (at - self.since.pop(parameter)) / 1000))
            case 8:
                before = self.cycle[parameter]
                self.cycle[parameter] = [*before, at] if len(before) == 1 else []
                self.state[parameter] = "Y"
                if parameter in self.called:
                    self.since[parameter] = at
            case 10:
                before = self.cycle[parameter]
                if len(before) == 2:
                    self.cycles[parameter].append((before[0], before[1], at))
                self.cycle[parameter], self.state[parameter] = [], "R"
            case 12:
                if self.state.get(parameter) in ("G", "Y"):
                    self.state[parameter], self.cycle[parameter] = "", []
            case 43:
                self.called.add(parameter)
                self.since[parameter] = at
            case 44:
                self.called.discard(parameter)
                self.since.pop(parameter, None)
            case 21:
                self.walking[parameter] = True
                if parameter in self.asked:
                    self.walks[parameter].append((at, (at - self.asked.pop(parameter)) / 1000))
            case 22:
                self.walking[parameter] = False
            case 45:
                if not self.walking.get(parameter, False):
                    self.asked.setdefault(parameter, at)


def in_order(log: EventLog) -> list[Event]:
    """By stamp, then by code, as the definitions have it; gaps keep their place."""
    events = list(zip(log.at_ms.tolist(), log.code.tolist(), log.parameter.tolist(), strict=True))
    return sorted(events, key=lambda event: (event[0], {910: -2, 911: -1}.get(event[1], event[1])))


@pytest.fixture(params=SEEDS, scope="module")
def log(
    request: pytest.FixtureRequest,
    make_log: Callable[[list[Event]], EventLog],
    make_events: Callable[..., list[Event]],
) -> EventLog:
    return make_log(make_events(request.param, 60))


@pytest.fixture(scope="module")
def walked(log: EventLog) -> Walker:
    walker = Walker()
    for event in in_order(log):
        walker.take(*event)
    return walker


def spans(log: EventLog) -> list[tuple[int, int]]:
    """What is known, by the marks alone."""
    found, begin, last = [], None, 0
    for at, code, _ in zip(log.at_ms.tolist(), log.code.tolist(), log.parameter.tolist(), strict=True):
        if code == 911:
            begin = at
        elif code == 910 and begin is not None:
            found.append((begin, at))
            begin = None
        last = at
    return [*found, (begin, last)] if begin is not None and begin < last else found


def test_what_is_known(log: EventLog) -> None:
    known = coverage(log)
    assert list(zip(known.begin_ms.tolist(), known.end_ms.tolist(), strict=True)) == spans(log)


def test_cycles(log: EventLog, watched: Duties, walked: Walker) -> None:
    known = coverage(log)
    for phase in watched.vehicles:
        found = cycles(log, phase, known)
        whole = list(
            zip(found.green_ms.tolist(), found.yellow_ms.tolist(), found.red_ms.tolist(), strict=True)
        )
        assert whole == walked.cycles[phase]
        assert len(whole) > 5


def test_waits(log: EventLog, watched: Duties, walked: Walker) -> None:
    for found in waits(log, watched, coverage(log)):
        assert (
            list(zip(found.at_ms.tolist(), found.wait_s.tolist(), strict=True)) == walked.waits[found.phase]
        )
        assert walked.waits[found.phase]


def test_walks(log: EventLog, watched: Duties, walked: Walker) -> None:
    for found in walks(log, watched, coverage(log)):
        assert (
            list(zip(found.at_ms.tolist(), found.delay_s.tolist(), strict=True)) == walked.walks[found.phase]
        )
        assert walked.walks[found.phase]


def occupied(log: EventLog, channels: tuple[int, ...]) -> set[int]:
    """Every tenth of a second in which any of the loops is occupied."""
    on: dict[int, int] = {}
    tenths: set[int] = set()

    def close(channel: int, at: int) -> None:
        if channel in on:
            tenths.update(range(on.pop(channel) // 100, at // 100))

    last = int(log.at_ms[-1])
    for at, code, parameter in zip(
        log.at_ms.tolist(), log.code.tolist(), log.parameter.tolist(), strict=True
    ):
        if code == 910:
            for channel in channels:
                close(channel, at)
        if parameter in channels and code == 82:
            on.setdefault(parameter, at)
        if parameter in channels and code == 81:
            close(parameter, at)
    for channel in channels:
        close(channel, last)
    return tenths


def test_split_failures(log: EventLog, watched: Duties, walked: Walker) -> None:
    inside = spans(log)
    some = 0
    for found in split_failures(log, watched, coverage(log)):
        busy = occupied(log, watched.stop_line_of(found.phase))
        greens = sorted(event[0] for event in in_order(log) if event[1:] == (1, found.phase))
        expected = []
        for green, yellow, red in walked.cycles[found.phase]:
            following = next((at for at in greens if at > red), math.inf)
            if following < red + 5000 or not any(low <= green and red + 5000 <= high for low, high in inside):
                continue
            gor = sum(at in busy for at in range(green // 100, yellow // 100)) / ((yellow - green) / 100)
            ror = sum(at in busy for at in range(red // 100, red // 100 + 50)) / 50
            expected.append((red + 5000, pytest.approx(gor), pytest.approx(ror)))
            some += gor >= 0.8 and ror >= 0.8
        assert (
            list(
                zip(
                    found.at_ms.tolist(),
                    found.green_occupancy.tolist(),
                    found.red_occupancy.tolist(),
                    strict=True,
                )
            )
            == expected
        )
    assert sum(int(found.failed.sum()) for found in split_failures(log, watched, coverage(log))) == some


def shown(log: EventLog, phase: int, moments: list[int]) -> list[str]:
    """What a phase shows at each moment, in one walk through the log."""
    walker, found, left = Walker(), [], list(moments)
    for event in in_order(log):
        while left and left[0] < event[0]:
            left.pop(0)
            found.append(walker.state.get(phase, ""))
        if event[2] == phase or event[1] in (910, 911):
            walker.take(*event)
    return found + [walker.state.get(phase, "")] * len(left)


def test_arrivals(log: EventLog, watched: Duties) -> None:
    known, inside, events = coverage(log), spans(log), in_order(log)
    letters = {1: "G", 8: "Y", 10: "R"}
    for found in arrivals(log, watched, known):
        delays = {loop.channel: loop.delay_ms for loop in watched.advance_of(found.phase)}
        passed = sorted(at + delays[one] for at, code, one in events if code == 82 and one in delays)
        came = [at for at in passed if any(low <= at <= high for low, high in inside)]
        states = shown(log, found.phase, came)
        got = zip(found.at_ms.tolist(), found.state.tolist(), strict=True)
        assert [(at, letters[state]) for at, state in got] == [
            (at, state) for at, state in zip(came, states, strict=True) if state
        ]
        assert found.on_green.size == states.count("G") > 10
        assert found.share_on_green == found.on_green.size / found.at_ms.size


def test_entries(log: EventLog, watched: Duties, walked: Walker) -> None:
    known, inside, events = coverage(log), spans(log), in_order(log)
    for entered_on, code_of in ((entries, 81), (actuations, 82)):
        for entered in entered_on(log, watched, known):
            phase, channels = entered.phase, watched.stop_line_of(entered.phase)
            changes = [at for at, code, parameter in events if code in (1, 8, 10) and parameter == phase]
            moments = [at for at, code, channel in events if code == code_of and channel in channels]
            expected = []
            for _, yellow, red in walked.cycles[phase]:
                high = next(high for low, high in inside if low <= red <= high)
                end = min([high + 1, *(at for at in changes if at > red)])
                expected += [(at, 10 if at >= red else 8, red) for at in moments if yellow <= at < end]
            got = zip(entered.at_ms.tolist(), entered.state.tolist(), entered.red_ms.tolist(), strict=True)
            assert list(got) == expected
            assert expected
