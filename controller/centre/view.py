"""What the page knows: the last second of each intersection, the log, the counters. Time is passed in."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter, ValidationError

from denxanh.agents.observation import Commitment
from denxanh.controller.alarms import CLEARED
from denxanh.controller.centre.trouble import FULL_SHARE, Look, ranked
from denxanh.controller.narrate import restarted, ungated
from denxanh.controller.record import Event, LaneView, TickOutput
from denxanh.networks.model import Aspect, Conflict, Corridor, Intersection

STALE_S = 3.0
"""An intersection without a new tick for so long is drawn grey, seconds of wall time."""
RIBBON_TICKS = 300
"""Length of the stage history that the page shows, ticks."""
TAPE_TICKS = 450
"""Length of the lamps' history that an intersection's page shows: three cycles of up to 150 s, ticks."""
LOG_EVENTS = 400
"""Events kept for pages that open later."""


@dataclass(frozen=True, slots=True)
class TickHead:
    """The part of `TickInput` that the page shows."""

    tick: int
    clock_s: float
    date: str
    link_error: str | None = None


_HEAD = TypeAdapter(TickHead)
_OUTPUT = TypeAdapter(TickOutput)
_EVENT = TypeAdapter(Event)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RUN = ("site", "corridor", "policy", "epoch", "model")
_ALARMS = frozenset(("alarm", "link", "detector", "refusal"))
_HARMLESS = frozenset((Aspect.RED, Aspect.FLASH))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the lamps showed in one second."""

    aspects: str
    stage: int
    in_interstage: bool
    committed: bool
    """The end of this green was promised."""


@dataclass(slots=True)
class _Place:
    """One intersection, as last heard."""

    head: TickHead
    output: TickOutput
    heard_s: float
    settled: str = ""
    """Aspects of the last second that was not in an interstage."""
    ribbon: deque[str] = field(default_factory=lambda: deque(maxlen=RIBBON_TICKS))
    heard: Any = None
    """The tick's input as the journal has it; not checked."""
    tape: deque[Shown] = field(default_factory=lambda: deque(maxlen=TAPE_TICKS))
    full_s: tuple[int, ...] = ()
    """For how many ticks each lane has been full."""
    alarms: dict[str, Event] = field(default_factory=dict)
    """Those that stand, by their English text."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One intersection as last heard, `age_s` seconds of wall time ago."""

    head: TickHead
    output: TickOutput
    age_s: float
    heard: Any
    """The tick's input as the journal has it (`TickInput`), unchecked."""

    @property
    def stale(self) -> bool:
        """Whether nobody has written about it for too long."""
        return self.age_s > STALE_S


class CorridorView:
    """Folds journal records into what the page shows; unknown and broken records are counted and left out.

    Args:
        corridor: what the journal's intersections are.
        policy: the site's, until the journal names the one that runs.
        warning: (Vietnamese, English) to be shown as long as that one runs.
    """

    def __init__(
        self, corridor: Corridor, policy: str | None = None, warning: tuple[str, str] | None = None
    ) -> None:
        self._intersections = {intersection.id: intersection for intersection in corridor.intersections}
        self._places: dict[str, _Place] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=LOG_EVENTS)
        self._guard_refusals: Counter[str] = Counter()
        self._cabinet_refusals: Counter[str] = Counter()
        self._run: dict[str, Any] = {"policy": policy, "warning": warning}
        self._sequence = 0
        self._commands = 0
        self._conflicts = 0
        self._mode_changes = 0
        self._link_errors = 0
        self._ended = False
        self.skipped = 0
        self.torn = 0

    def take(self, record: dict[str, Any], heard_s: float) -> None:
        """Fold one record in. `heard_s` is the page's own monotonic time when the record was written."""
        match record.get("k"):
            case "open":
                self._run = {key: record[key] for key in _RUN if isinstance(record.get(key), str | int)}
                self._run["warning"] = _warning(record)
                self._forget_alarms(*self._places)
                self._ended = False
            case "tick":
                self._tick(record, heard_s)
            case "close":
                self._ended = True
            case "event":
                self._outside(record)
            case "restart":
                self._restarted(record)
            case str():  # a kind that only replay needs
                pass
            case _:
                self.skipped += 1

    def snapshot(self, now_s: float, after: int = 0) -> dict[str, Any]:
        """Everything the page draws, with the events whose sequence number is above `after`."""
        # A page that was open before this process started knows sequence numbers of the one before.
        after = after if after <= self._sequence else 0
        newest, (feed, age) = self._newest(), self.pulse(now_s)
        return {
            "feed": feed,
            "age_s": age,
            "tick": None if newest is None else newest.head.tick,
            "clock_s": None if newest is None else newest.head.clock_s,
            "date": None if newest is None else newest.head.date,
            "run": self._run,
            "counters": {
                "commands": self._commands,
                "conflicts": self._conflicts,
                "guard_refusals": dict(self._guard_refusals),
                "cabinet_refusals": dict(self._cabinet_refusals),
                "mode_changes": self._mode_changes,
                "link_errors": self._link_errors,
                "skipped": self.skipped + self.torn,
            },
            "intersections": {key: _drawn(place, now_s) for key, place in self._places.items()},
            "trouble": [one.told() for one in ranked(self._looks(now_s))],
            "last_event": self._sequence,
            "events": [event for event in self._events if event["seq"] > after],
        }

    def seen(self, intersection: str, now_s: float) -> Seen | None:
        """One intersection as last heard; None before its first second."""
        place = self._places.get(intersection)
        if place is None:
            return None
        return Seen(place.head, place.output, max(0.0, now_s - place.heard_s), place.heard)

    def pulse(self, now_s: float) -> tuple[str, float | None]:
        """Whether the controller is heard (`waiting`, `live`, `stale`, `ended`), and its newest's age."""
        newest = self._newest()
        age = None if newest is None else max(0.0, now_s - newest.heard_s)
        return self._feed(age), None if age is None else round(age, 1)

    def _newest(self) -> _Place | None:
        return max(self._places.values(), key=lambda place: (place.heard_s, place.head.tick), default=None)

    def tape(self, intersection: str) -> tuple[int, list[tuple[int, Shown]]] | None:
        """The newest second's tick, and the last `TAPE_TICKS` seconds as runs (how long, what), oldest first.

        None before the intersection's first second. One entry per second that was heard: where seconds are
        missing, what was heard before and after stands side by side.
        """
        place = self._places.get(intersection)
        if place is None:
            return None
        return place.head.tick, [(len(list(same)), shown) for shown, same in groupby(place.tape)]

    def _looks(self, now_s: float) -> Iterator[Look]:
        for key, place in self._places.items():
            age_s = max(0.0, now_s - place.heard_s)
            intersection = self._intersections[key]
            yield Look(
                intersection=intersection,
                output=place.output,
                link_error=place.head.link_error,
                age_s=age_s,
                stale=age_s > STALE_S,
                conflict=in_conflict(intersection, place.output.aspects),
                full_s=place.full_s,
                alarms=tuple(place.alarms.values()),
            )

    def _feed(self, age: float | None) -> str:
        if age is None:
            return "waiting"
        if self._ended:
            return "ended"
        return "stale" if age > STALE_S else "live"

    def _tick(self, record: dict[str, Any], heard_s: float) -> None:
        intersection = self._intersections.get(str(record.get("i")))
        try:
            head = _HEAD.validate_python(record.get("in"))
            output = _OUTPUT.validate_python(record.get("out"))
        except ValidationError:
            self.skipped += 1
            return
        if intersection is None or not _fits(intersection, head, output):
            self.skipped += 1
            return
        self._ended = False
        place = self._places.get(intersection.id)
        if place is None:
            place = self._places[intersection.id] = _Place(head, output, heard_s)
        place.head, place.output, place.heard_s = head, _lamps_kept_on(output, place.settled), heard_s
        place.heard = record["in"]
        if not output.in_interstage:
            place.settled = output.aspects
        place.ribbon.append("-" if output.in_interstage else _DIGITS[output.stage % len(_DIGITS)])
        place.tape.append(_shown(place.output))
        place.full_s = _full(intersection, output, place.full_s)
        self._count(intersection, head, place.output)
        for event in output.events:
            _stand(place.alarms, event)
            self._log(head.clock_s, intersection.id, event)

    def _count(self, intersection: Intersection, head: TickHead, output: TickOutput) -> None:
        self._commands += output.command is not None
        self._link_errors += head.link_error is not None
        self._conflicts += in_conflict(intersection, output.aspects)
        if output.guard_refusal:
            self._guard_refusals[output.guard_refusal] += 1
        if output.cabinet_refusal:
            self._cabinet_refusals[output.cabinet_refusal] += 1

    def _outside(self, record: dict[str, Any]) -> None:
        try:
            event = _EVENT.validate_python(record.get("event", record))
        except ValidationError:
            self.skipped += 1
            return
        clock = record.get("clock_s")
        known = isinstance(clock, int | float) and math.isfinite(clock)
        self._log(clock if known else None, str(record.get("i", "")), event)

    def _forget_alarms(self, *places: str) -> None:
        """Controllers that start anew raise again what still stands."""
        for key in places:
            if key in self._places:
                self._places[key].alarms.clear()

    def _restarted(self, record: dict[str, Any]) -> None:
        self._log(None, str(record.get("i", "")), restarted(str(record.get("cause", ""))))
        self._forget_alarms(str(record.get("i", "")))
        vi, en = "Bộ điều khiển của nút bắt đầu lại", "The intersection's controller starts anew"
        self._log(None, str(record.get("i", "")), Event("alarm", vi, en, str(record.get("cause", ""))))

    def _log(self, clock_s: float | None, intersection: str, event: Event) -> None:
        self._sequence += 1
        self._mode_changes += event.kind == "mode"
        self._events.append(
            {
                "seq": self._sequence,
                "clock_s": clock_s,
                "i": intersection,
                "kind": event.kind,
                "vi": event.text_vi,
                "en": event.text_en,
                "cause": event.cause,
                "from": event.mode_from,
                "to": event.mode_to,
            }
        )


def _shown(output: TickOutput) -> Shown:
    committed = output.commitment is not None and not output.in_interstage
    return Shown(output.aspects, output.stage, output.in_interstage, committed)


def _stand(alarms: dict[str, Event], event: Event) -> None:
    if event.kind == "alarm-cleared":
        alarms.pop(event.text_en.removeprefix(CLEARED[1]), None)
    elif event.kind in _ALARMS:
        alarms[event.text_en] = event


def _full(intersection: Intersection, output: TickOutput, before: tuple[int, ...]) -> tuple[int, ...]:
    """Ticks for which each lane has been full, this one included."""
    seconds = before if len(before) == len(output.lanes) else (0,) * len(output.lanes)
    return tuple(
        so_far + 1 if lane.queued >= FULL_SHARE * place.storage_pcu else 0
        for so_far, lane, place in zip(seconds, output.lanes, intersection.lanes, strict=False)
    )


def _warning(opened: dict[str, Any]) -> tuple[str, str] | None:
    """What must stand on the page as long as this run lasts."""
    if not opened.get("unfit"):
        return None
    why = opened.get("ungated")
    event = ungated(why if isinstance(why, str) else None)
    return event.text_vi, event.text_en


def _fits(intersection: Intersection, head: TickHead, output: TickOutput) -> bool:
    numbers = [head.clock_s, output.elapsed_s]
    numbers += [value for lane in output.lanes for value in (lane.queued, lane.moving, lane.confidence)]
    stages = len(intersection.stages)
    return (
        all(map(math.isfinite, numbers))
        and len(output.aspects) == len(intersection.groups)
        and 0 <= output.stage < stages
        and (output.commitment is None or 0 <= output.commitment.next_stage < stages)
    )


def _lamps_kept_on(output: TickOutput, settled: str) -> TickOutput:
    """A cabinet reports green, not which; that is read from the stage, in an interstage from the coming one.

    A group that was yielding and stays green is raised to protected only when the coming stage starts.
    """
    if not output.in_interstage or len(settled) != len(output.aspects):
        return output
    pairs = zip(output.aspects, settled, strict=True)
    raised = (Aspect.PROTECTED, Aspect.YIELDING)
    return replace(
        output, aspects="".join(before if (now, before) == raised else now for now, before in pairs)
    )


def in_conflict(intersection: Intersection, aspects: str) -> bool:
    """Whether the lamps break G1: foes non-red together, or a permitted pair of which neither yields.

    The page judges by itself what it draws; it does not take the guard's or the monitor's word for it.
    """
    shown = [index for index, letter in enumerate(aspects) if letter not in _HARMLESS]
    return any(_foes(intersection, aspects, one, two) for one in shown for two in shown if one != two)


def _foes(intersection: Intersection, aspects: str, one: int, two: int) -> bool:
    relation = intersection.conflicts[one][two]
    if relation is Conflict.PROHIBITED:
        return True
    return relation is Conflict.YIELDS and aspects[one] == Aspect.PROTECTED


def _drawn(place: _Place, now_s: float) -> dict[str, Any]:
    output = place.output
    age = max(0.0, now_s - place.heard_s)
    return {
        "age_s": round(age, 1),
        "stale": age > STALE_S,
        "link_error": place.head.link_error,
        "mode": output.mode,
        "cause": output.cause,
        "aspects": output.aspects,
        "stage": output.stage,
        "elapsed_s": output.elapsed_s,
        "in_interstage": output.in_interstage,
        "commitment": _promise(output.commitment),
        "request": output.request,
        "why_vi": output.why_vi,
        "why": output.why,
        "guard_refusal": output.guard_refusal,
        "cabinet_refusal": output.cabinet_refusal,
        "plan": output.plan,
        "lanes": [_lane(lane) for lane in output.lanes],
        "ribbon": "".join(place.ribbon),
    }


def _promise(commitment: Commitment | None) -> dict[str, int] | None:
    if commitment is None:
        return None
    return {"end_in_s": commitment.end_in_s, "next_stage": commitment.next_stage}


def _lane(lane: LaneView) -> tuple[float, float, float]:
    return (round(lane.queued, 1), round(lane.moving, 1), round(lane.confidence, 2))
