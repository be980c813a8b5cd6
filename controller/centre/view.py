"""What the page knows: the last second of each intersection, the log, the counters. Time is passed in."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from denxanh.controller.centre.foes import in_conflict
from denxanh.controller.centre.place import STALE_S, Place, Seen, Shown, TickHead
from denxanh.controller.centre.trouble import Trouble, ranked
from denxanh.controller.narrate import restarted, ungated
from denxanh.controller.record import Event, TickOutput
from denxanh.networks.model import Corridor, Intersection

LOG_EVENTS = 400
"""Events kept for pages that open later."""


_HEAD = TypeAdapter(TickHead)
_OUTPUT = TypeAdapter(TickOutput)
_EVENT = TypeAdapter(Event)
_RUN = ("site", "corridor", "policy", "epoch", "model")


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
        self._places: dict[str, Place] = {}
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
        self.plans: Mapping[str, str] | None = None
        """Versions of the plans and the calendar that run, by target; None: the controller did not say."""
        self.skipped = 0
        self.torn = 0

    def take(self, record: dict[str, Any], heard_s: float) -> None:
        """Fold one record in. `heard_s` is the page's own monotonic time when the record was written."""
        match record.get("k"):
            case "open":
                self._run = {key: record[key] for key in _RUN if isinstance(record.get(key), str | int)}
                self._run["warning"] = _warning(record)
                self.plans = _versions(record.get("plans"))
                self._ended = False
                self._begun_anew(*self._places)
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
            "intersections": {key: place.drawn(now_s) for key, place in self._places.items()},
            "trouble": [one.told() for one in self._trouble(now_s)],
            "last_event": self._sequence,
            "events": [event for event in self._events if event["seq"] > after],
        }

    def seen(self, intersection: str, now_s: float) -> Seen | None:
        """One intersection as last heard; None before its first second."""
        place = self._places.get(intersection)
        return None if place is None else place.seen(now_s)

    def tape(self, intersection: str) -> tuple[int, list[tuple[int, Shown]]] | None:
        """Its newest second's tick, and what its lamps have lately shown; None before its first second."""
        place = self._places.get(intersection)
        return None if place is None else (place.head.tick, place.tape())

    def arrivals(self, intersection: str, lanes: Collection[int]) -> tuple[int, list[float]] | None:
        """Its newest second's tick, and what has lately been approaching; None before its first second."""
        place = self._places.get(intersection)
        return None if place is None else (place.head.tick, place.arrivals(lanes))

    def pulse(self, now_s: float) -> tuple[str, float | None]:
        """Whether the controller is heard (`waiting`, `live`, `stale`, `ended`), and its newest's age."""
        newest = self._newest()
        age = None if newest is None else max(0.0, now_s - newest.heard_s)
        return self._feed(age), None if age is None else round(age, 1)

    def _trouble(self, now_s: float) -> list[Trouble]:
        since_s = min((place.first_heard_s for place in self._places.values()), default=now_s)
        unheard = self._intersections.keys() - self._places.keys() if now_s - since_s > STALE_S else ()
        return ranked((place.look(now_s) for place in self._places.values()), sorted(unheard))

    def _newest(self) -> Place | None:
        return max(self._places.values(), key=lambda place: (place.heard_s, place.head.tick), default=None)

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
            place = self._places[intersection.id] = Place(intersection, head, output, record["in"], heard_s)
        else:
            place.take(head, output, record["in"], heard_s)
        self._count(intersection, head, place.output)
        for event in output.events:
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

    def _begun_anew(self, *places: str) -> None:
        """Controllers that start anew raise again what still stands."""
        for key in places:
            if key in self._places:
                self._places[key].alarms.clear()

    def _restarted(self, record: dict[str, Any]) -> None:
        self._begun_anew(str(record.get("i", "")))
        self._log(None, str(record.get("i", "")), restarted(str(record.get("cause", ""))))

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


def _versions(told: Any) -> Mapping[str, str] | None:
    """Versions by target, as an `open` record tells them; releases before installations did not."""
    if not isinstance(told, dict):
        return None
    return {key: value for key, value in told.items() if isinstance(value, str)}


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
