"""One intersection as the centre knows it: its last second, and what its lamps have lately shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from denxanh.agents.observation import Commitment
from denxanh.controller.alarms import CLEARED
from denxanh.controller.centre.foes import in_conflict
from denxanh.controller.centre.trouble import FULL_SHARE, Look
from denxanh.controller.record import Event, LaneView, TickOutput
from denxanh.networks.model import Aspect, Intersection

STALE_S = 3.0
"""An intersection without a new tick for so long is drawn grey, seconds of wall time."""
RIBBON_TICKS = 300
"""Length of the stage history that lists show, ticks."""
TAPE_TICKS = 450
"""Length of the lamps' history that an intersection's page shows: three cycles of up to 150 s, ticks."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ALARMS = frozenset(("alarm", "link", "detector", "refusal"))


@dataclass(frozen=True, slots=True)
class Streets:
    """What is said of flooded and closed streets here (`Wishes`)."""

    closed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class TickHead:
    """The part of `TickInput` that the page shows."""

    tick: int
    clock_s: float
    date: str
    link_error: str | None = None
    wishes: Streets | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the lamps showed in one second."""

    aspects: str
    stage: int
    in_interstage: bool
    committed: bool
    """The end of this green was promised."""


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


class Place:
    """What has been heard of one intersection. Exists from its first second.

    Args:
        intersection: which.
        head: of that second.
        output: of that second.
        heard: its input, unchecked.
        heard_s: the page's own monotonic time when it was written.
    """

    def __init__(
        self, intersection: Intersection, head: TickHead, output: TickOutput, heard: Any, heard_s: float
    ) -> None:
        self.intersection = intersection
        self.first_heard_s = heard_s
        self.alarms: dict[str, Event] = {}
        """Those that stand, by their English text."""
        self._settled = ""
        self._ribbon: deque[str] = deque(maxlen=RIBBON_TICKS)
        self._tape: deque[Shown] = deque(maxlen=TAPE_TICKS)
        self._moving: deque[tuple[float, ...]] = deque(maxlen=TAPE_TICKS)
        self._full_s: tuple[int, ...] = ()
        self._shut: tuple[tuple[str, ...], float] = ((), 0.0)
        self.take(head, output, heard, heard_s)

    def take(self, head: TickHead, output: TickOutput, heard: Any, heard_s: float) -> None:
        """Its newest second."""
        self.head, self.heard, self.heard_s = head, heard, heard_s
        self.output = _lamps_kept_on(output, self._settled)
        if not output.in_interstage:
            self._settled = output.aspects
        self._ribbon.append("-" if output.in_interstage else _DIGITS[output.stage % len(_DIGITS)])
        self._tape.append(_shown(self.output))
        self._moving.append(tuple(round(lane.moving, 1) for lane in output.lanes))
        self._full_s = _full(self.intersection, output, self._full_s)
        shut = () if head.wishes is None else self._closed(head.wishes)
        if shut != self._shut[0]:
            self._shut = (shut, head.clock_s)
        for event in output.events:
            self._stand(event)

    def seen(self, now_s: float) -> Seen:
        """As last heard."""
        return Seen(self.head, self.output, max(0.0, now_s - self.heard_s), self.heard)

    def tape(self) -> list[tuple[int, Shown]]:
        """The last `TAPE_TICKS` seconds as runs (how long, what), oldest first.

        One entry per second that was heard: where some are missing, those around them stand side by side.
        """
        return [(len(list(same)), shown) for shown, same in groupby(self._tape)]

    def arrivals(self, lanes: Collection[int]) -> list[float]:
        """What was approaching on these lanes together in each of the same seconds, pcu."""
        return [
            round(sum(pcu for lane, pcu in enumerate(second) if lane in lanes), 1) for second in self._moving
        ]

    def look(self, now_s: float) -> Look:
        """For the list of what to look at."""
        seen = self.seen(now_s)
        return Look(
            intersection=self.intersection,
            output=self.output,
            link_error=self.head.link_error,
            age_s=seen.age_s,
            stale=seen.stale,
            conflict=in_conflict(self.intersection, self.output.aspects),
            full_s=self._full_s,
            alarms=tuple(self.alarms.values()),
            closed=self._shut[0],
        )

    def drawn(self, now_s: float) -> dict[str, Any]:
        """As the pages draw it."""
        output, seen = self.output, self.seen(now_s)
        return {
            "tick": self.head.tick,
            "age_s": round(seen.age_s, 1),
            "stale": seen.stale,
            "link_error": self.head.link_error,
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
            "orders": [asdict(order) for order in output.orders],
            "lanes": [_lane(lane) for lane in output.lanes],
            "ribbon": "".join(self._ribbon),
            "streets": self._streets(),
        }

    def _closed(self, streets: Streets) -> tuple[str, ...]:
        """The closed streets that lead here."""
        here = {lane.approach for lane in self.intersection.lanes}
        return tuple(edge for edge in streets.closed if edge in here)

    def _streets(self) -> dict[str, Any] | None:
        """Closed approaches since when, and who says so of them and of streets that are held back towards."""
        said = self.head.wishes
        if said is None or not (said.closed or said.held):
            return None
        return {"closed": self._shut[0], "since_s": self._shut[1], "held": said.held, "why": said.why}

    def _stand(self, event: Event) -> None:
        if event.kind == "alarm-cleared":
            self.alarms.pop(event.text_en.removeprefix(CLEARED[1]), None)
        elif event.kind in _ALARMS:
            self.alarms[event.text_en] = event


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


def _shown(output: TickOutput) -> Shown:
    committed = output.commitment is not None and not output.in_interstage
    return Shown(output.aspects, output.stage, output.in_interstage, committed)


def _full(intersection: Intersection, output: TickOutput, before: tuple[int, ...]) -> tuple[int, ...]:
    """Ticks for which each lane has been full, this one included."""
    seconds = before if len(before) == len(output.lanes) else (0,) * len(output.lanes)
    return tuple(
        so_far + 1 if lane.queued >= FULL_SHARE * place.storage_pcu else 0
        for so_far, lane, place in zip(seconds, output.lanes, intersection.lanes, strict=False)
    )


def _promise(commitment: Commitment | None) -> dict[str, int] | None:
    if commitment is None:
        return None
    return {"end_in_s": commitment.end_in_s, "next_stage": commitment.next_stage}


def _lane(lane: LaneView) -> tuple[float, float, float]:
    return (round(lane.queued, 1), round(lane.moving, 1), round(lane.confidence, 2))
