"""What the accepted requests ask of every intersection, second by second; pure.

Depends on nothing but the messages and the ticks at which they came: no clock, no position but what the
source said. So a journal of messages gives the same wishes again.

An emergency route opens step by step: each intersection is asked for its stage from `lead_s` before the
expected arrival until the vehicle has passed (its source says so, or it should have by now), so the green
lies before the vehicle and is released behind it. Of several requests for different stages the one that was
there first counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from denxanh.controller.priority.gatekeeper import Refused
from denxanh.controller.priority.message import (
    Bus,
    Cancel,
    Closure,
    Emergency,
    Message,
    Reading,
    Readings,
    Water,
)
from denxanh.controller.priority.settings import Limits, Route, Settings, Step
from denxanh.controller.priority.streets import Report, States, close, level, links, standing
from denxanh.controller.priority.wishes import NOTHING, BusWish, Ending, PreemptWish, Wishes

MAX_JOURNEYS = 32
"""Requests that are kept at once (assumed); one more is refused."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A vehicle under way. `due`: tick at which it reaches step `at`; `until`: the request's end."""

    kind: Literal["emergency", "bus"]
    source: str
    id: str
    route: str
    at: int
    due: int
    until: int

    def same(self, source: str, name: str) -> bool:
        """Whether it is this request."""
        return self.source == source and self.id == name


@dataclass(frozen=True, slots=True)
class Open:
    """An intersection that is kept open for a journey."""

    intersection: str
    source: str
    request: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A gauge's newest reading, high or low: the tick at which it was measured, and its end."""

    gauge: str
    measured: int
    until: int


@dataclass(frozen=True, slots=True)
class State:
    """Memory between seconds, all of it."""

    journeys: tuple[Journey, ...] = ()
    streets: States = ()
    heard: tuple[Heard, ...] = ()
    open: tuple[Open, ...] = ()
    """Who had which intersection in the last second."""


def take(settings: Settings, state: State, message: Message, tick: int) -> tuple[State, Refused | None]:
    """One message from a source that may send it; it counts from this tick on."""
    match message:
        case Emergency() | Bus():
            return _vehicle(settings, state, message, tick)
        case Cancel():
            return _cancel(state, message)
        case Water():
            reading = Reading(gauge=message.gauge, level_cm=message.level_cm)
            return _water(settings, state, message, (reading,), tick)
        case Readings():
            return _water(settings, state, message, message.readings, tick)
        case Closure():
            if not settings.concerned(message.link):
                return state, Refused.UNKNOWN_LINK
            report = Report(message.source, message.link, tick + message.valid_s)
            return replace(state, streets=close(state.streets, report, message.link, message.state)), None


def subjects(message: Message) -> tuple[tuple[str, str], ...]:
    """Source and subject of each report that a message about streets brings or takes back.

    A gauge is renewed by whoever reads it: its source is empty.
    """
    match message:
        case Water():
            return (("", f"gauge {message.gauge}"),)
        case Readings():
            valid = [one.gauge for one in message.readings if one.age_s < message.valid_s]
            return tuple(("", f"gauge {gauge}") for gauge in valid)
        case Closure():
            return ((message.source, message.link),)
        case _:
            return ()


def _water(
    settings: Settings, state: State, message: Water | Readings, readings: tuple[Reading, ...], tick: int
) -> tuple[State, Refused | None]:
    """Readings count from when they were measured, and the newest one counts.

    One whose time is over already, or that was measured before one that still counts, changes nothing:
    messages of two sources overtake each other.
    """
    known = [(reading, settings.gauge(reading.gauge)) for reading in readings]
    if not any(gauge for _, gauge in known):
        return state, Refused.UNKNOWN_GAUGE
    streets, heard = state.streets, {one.gauge: one for one in state.heard if tick < one.until}
    for reading, gauge in known:
        now = Heard(reading.gauge, tick - reading.age_s, tick - reading.age_s + message.valid_s)
        before = heard.get(reading.gauge)
        if gauge is None or tick >= now.until or (before is not None and before.measured > now.measured):
            continue
        heard[reading.gauge] = now
        report = Report(message.source, f"gauge {reading.gauge}", now.until)
        streets = level(streets, report, gauge, reading.level_cm)
    return replace(state, streets=streets, heard=tuple(heard.values())), None


def _vehicle(
    settings: Settings, state: State, message: Emergency | Bus, tick: int
) -> tuple[State, Refused | None]:
    route = settings.route(message.route)
    if route is None:
        return state, Refused.UNKNOWN_ROUTE
    if message.at > len(route.steps):
        return state, Refused.NO_SUCH_STEP
    late_s = message.late_s if isinstance(message, Bus) else None
    others = tuple(one for one in state.journeys if not one.same(message.source, message.id))
    if late_s is not None and late_s < settings.limits.bus_late_s:
        # A bus that has caught up needs no help any more.
        return replace(state, journeys=others), Refused.NOT_LATE
    if len(others) >= MAX_JOURNEYS:
        return state, Refused.TOO_MANY
    fresh = Journey(
        message.kind,
        message.source,
        message.id,
        route.id,
        message.at,
        tick + message.eta_s,
        tick + message.valid_s,
    )
    # In place: an update does not lose its turn.
    known = [one.same(message.source, message.id) for one in state.journeys]
    if any(known):
        renewed = tuple(fresh if hit else one for one, hit in zip(state.journeys, known, strict=True))
        return replace(state, journeys=renewed), None
    return replace(state, journeys=(*others, fresh)), None


def _cancel(state: State, message: Cancel) -> tuple[State, Refused | None]:
    left = tuple(one for one in state.journeys if not one.same(message.source, message.id))
    if len(left) == len(state.journeys):
        return state, Refused.UNKNOWN_REQUEST
    return replace(state, journeys=left), None


@dataclass(frozen=True, slots=True)
class Second:
    """What is asked in one second: per intersection (absent: nothing), and what became of requests."""

    wishes: Mapping[str, Wishes]
    expired: tuple[Journey, ...] = ()
    stale: tuple[Report, ...] = ()
    """Reports about streets that were not renewed in time; they count no more."""


def second(settings: Settings, state: State, tick: int) -> tuple[State, Second]:
    """The wishes of this tick; call it once per tick, after the tick's messages."""
    expired = tuple(one for one in state.journeys if tick >= one.until)
    journeys = tuple(one for one in state.journeys if tick < one.until and not _through(settings, one, tick))
    streets, stale = standing(state.streets, tick)
    preempts: dict[str, PreemptWish] = {}
    buses: dict[str, BusWish] = {}
    for one in journeys:
        route = settings.route(one.route)
        if route is None:
            continue
        for step, due in _ahead(route, one):
            wish = _preempt(step, one, due, tick, settings.limits)
            if wish is not None:
                preempts.setdefault(step.intersection, wish)
            help_ = _bus(step, one, due, tick, settings.limits)
            if help_ is not None:
                buses.setdefault(step.intersection, help_)
    now_open = tuple(Open(name, wish.source, wish.request) for name, wish in preempts.items())
    endings = {
        was.intersection: _ending(settings, state, was, tick)
        for was in state.open
        if was.intersection not in preempts
    }
    told = _told(settings, streets)
    wishes = {
        name: replace(
            told.get(name, NOTHING), preempt=preempts.get(name), ended=endings.get(name), bus=buses.get(name)
        )
        for name in sorted({*preempts, *buses, *endings, *told})
    }
    heard = tuple(one for one in state.heard if tick < one.until)
    return State(journeys, streets, heard, now_open), Second(wishes, expired, stale)


def _told(settings: Settings, streets: States) -> dict[str, Wishes]:
    """What each intersection must know of closed and held streets; a closed one is held towards, too."""
    concerned = {name for street in streets for name in settings.concerned(street.link)}
    told = {}
    for name in concerned:
        here = [street for street in streets if name in settings.concerned(street.link)]
        told[name] = Wishes(
            closed=links(here, "closed"),
            held=tuple(sorted({street.link for street in here})),
            why="; ".join(sorted({f"{street.report.source}: {street.said}" for street in here})),
        )
    return told


def _ahead(route: Route, journey: Journey) -> list[tuple[Step, int]]:
    """The steps that the vehicle has not passed, each with the tick at which it is expected there."""
    due = journey.due
    steps = []
    for place, step in enumerate(route.steps[journey.at :]):
        due += step.travel_s if place else 0
        steps.append((step, due))
    return steps


def _preempt(step: Step, journey: Journey, due: int, tick: int, limits: Limits) -> PreemptWish | None:
    gone = due + limits.late_s
    if journey.kind != "emergency" or not due - step.lead_s <= tick < gone:
        return None
    left_s = min(gone, journey.until) - tick
    return PreemptWish(step.stage, journey.source, journey.id, journey.route, left_s)


def _bus(step: Step, journey: Journey, due: int, tick: int, limits: Limits) -> BusWish | None:
    if journey.kind != "bus" or not due - step.lead_s <= tick < due + limits.late_s:
        return None
    return BusWish(step.stage, journey.source, journey.id, max(0, due - tick))


def _through(settings: Settings, journey: Journey, tick: int) -> bool:
    """Whether the vehicle has left its route behind, or should have."""
    route = settings.route(journey.route)
    if route is None or journey.at >= len(route.steps):
        return True
    _, last = _ahead(route, journey)[-1]
    return tick >= last + settings.limits.late_s


def _ending(settings: Settings, state: State, was: Open, tick: int) -> Ending:
    """Why an intersection is not kept open any more."""
    journey = next((one for one in state.journeys if one.same(was.source, was.request)), None)
    if journey is None:
        return Ending.CANCELLED
    if tick >= journey.until:
        return Ending.EXPIRED
    route = settings.route(journey.route)
    places = (
        []
        if route is None
        else [n for n, step in enumerate(route.steps) if step.intersection == was.intersection]
    )
    if not places:
        return Ending.OTHER_ROUTE
    return Ending.PASSED if max(places) < journey.at else Ending.EXPECTED_GONE
