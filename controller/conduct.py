"""Do the cabinet's signals move as it was told, and as signals must? Judged by what it shows; pure.

The guard follows the read-back, so guard and lamps agree where nothing moves at all. These clocks do not
depend on the guard: each finds a signal that stands, whatever the cabinet says of its commands.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from denxanh.agents.observation import Commitment
from denxanh.controller.guard import ReadBack
from denxanh.controller.ladder import Cause
from denxanh.networks.model import Aspect, GroupKind, Intersection
from denxanh.plc.contract import CabinetMode

UNACCEPTED_S = 10
"""Seconds that a cabinet may go without accepting a command of ours; its watchdog's length."""
PROMISE_S = 3
"""Seconds by which a promised change may come late, or its countdown be missing (assumed)."""
LEAD_S = 15
"""Furthest that a promise may lie beyond the intersection's commitment time, s (assumed); or as far as a
plan's longest stage or a walk, which were promised before."""
UNLIT_S = 2
"""Seconds for which a lamp may seem unlit: cabinet and poll need not begin their second together."""
BETWEEN_S = 10
"""Seconds between two stages beyond the longest intergreen (assumed): a plan may wait for its own second."""
OVERDUE_S = 10
"""Seconds of green beyond its maximum, counted from a conflicting call (assumed)."""
STANDS_S = 300
"""Longest time in one stage under a plan of ours, or in another plan than the one asked for (assumed; the
longest plan's cycle if that is more)."""
STAYS_ADAPTIVE_S = 20
"""Seconds that a cabinet may stay in ADAPTIVE although nobody commands it (assumed): its watchdog, and a
promise that is kept first."""
STAYS_LOCAL_S = 300
"""Seconds that a cabinet may run alone although it is asked for a plan (assumed): some wait for a cycle's end
and come into step slowly."""
STARTS_S = 60
"""Seconds of starting up beyond the intersection's own flash and all-red (assumed): self tests come first."""

_DRIVEN = CabinetMode.ADAPTIVE
_OURS = (CabinetMode.CENTRAL_PLAN, _DRIVEN)
"""Modes in which the lamps must be those of our stages; what a cabinet does alone may look otherwise."""
_RUNNING = (*_OURS, CabinetMode.LOCAL_PLAN, CabinetMode.LOCAL_ACTUATED)
"""Modes in which some vehicle must get green in time; not the police's."""


class Seen(NamedTuple):
    """One second in which the cabinet was heard."""

    tick: int
    cabinet: CabinetMode
    back: ReadBack
    commanded: bool
    """Whether the centre said in the last second what the cabinet does."""
    accepted: bool
    """Whether the cabinet has accepted one of our last commands, or says why not."""
    told: Commitment | None
    """The promise in the last second's command, if the cabinet has accepted just that command."""
    overdue: bool
    """Whether the running stage has been green for its maximum, counted from a conflicting call."""
    local: bool
    """Whether it runs alone although it is asked for a plan."""
    foreign: bool
    """Whether it is another controller's."""
    strays: bool
    """Whether it runs another plan than the one that it is asked for, and says so."""
    unseen: bool
    """Whether more than a moment passed before it that nobody saw (`Follower.unseen`)."""


class Conduct(NamedTuple):
    """Memory between seconds; all counts are of seconds in a row."""

    unaccepted_s: int = 0
    untaken_s: int = 0
    unlit_s: int = 0
    between_s: int = 0
    overdue_s: int = 0
    adaptive_s: int = 0
    local_s: int = 0
    starting_s: int = 0
    stray_s: int = 0
    stage: int = -1
    stage_since: int = 0
    """Tick at which this stage was first seen, under a plan."""
    end: int | None = None
    """Tick at which the running green was first promised to end."""


class Witness:
    """Judges one cabinet, second by second.

    Args:
        intersection: as the site has it.
    """

    def __init__(self, intersection: Intersection) -> None:
        plans = intersection.plans
        rests = any(len({split.stage for split in plan.splits}) == 1 for plan in plans)
        self._change_s = max((STANDS_S, *(plan.cycle_s for plan in plans)))
        self._stands_s = math.inf if rests else self._change_s
        gaps = (gap for row in intersection.intergreens for gap in row)
        self._between_s = max(*gaps, *(group.yellow_s for group in intersection.groups), 0) + BETWEEN_S
        splits = (split.split_s for plan in plans for split in plan.splits)
        walks = (group.walk_s + group.clearance_s for group in intersection.groups)
        self._lead_s = max(intersection.commitment_s + LEAD_S, *walks, *splits)
        self._starts_s = intersection.startup_flash_s + intersection.startup_all_red_s + STARTS_S
        self._targets = tuple(stage.aspects for stage in intersection.stages)
        self._vehicles = tuple(
            g for g, group in enumerate(intersection.groups) if group.kind is not GroupKind.PEDESTRIAN
        )

    def observe(self, before: Conduct, seen: Seen) -> tuple[Conduct, Cause | None]:
        """One second: the next memory, and what is wrong, if anything; the gravest first."""
        if seen.unseen:
            before = Conduct()  # what went on in a silence, nobody knows
        back, ours, running = seen.back, seen.cabinet in _OURS, seen.cabinet in _RUNNING
        driven = seen.commanded and seen.cabinet is _DRIVEN
        green = not back.in_interstage
        alone = not (seen.commanded or seen.foreign)
        moved = back.stage != before.stage or seen.cabinet is not CabinetMode.CENTRAL_PLAN
        end = self._end(before, seen) if driven and green else None
        now = Conduct(
            unaccepted_s=before.unaccepted_s + 1 if seen.commanded and not seen.accepted else 0,
            untaken_s=before.untaken_s + 1 if driven and self._untaken(before, seen) else 0,
            unlit_s=before.unlit_s + 1 if ours and Aspect.FLASH in back.aspects else 0,
            between_s=before.between_s + 1 if running and self._between(back, exactly=driven) else 0,
            overdue_s=before.overdue_s + 1 if driven and seen.overdue else 0,
            adaptive_s=before.adaptive_s + 1 if seen.cabinet is _DRIVEN and alone else 0,
            local_s=before.local_s + 1 if seen.local else 0,
            stray_s=before.stray_s + 1 if seen.strays and not seen.foreign else 0,
            starting_s=before.starting_s + 1 if seen.cabinet is CabinetMode.START else 0,
            stage=back.stage,
            stage_since=seen.tick if moved else before.stage_since,
            end=end,
        )
        late = end is not None and (seen.tick > end + PROMISE_S or end > seen.tick + self._lead_s)
        grounds = (
            (now.unlit_s > UNLIT_S, Cause.LAMPS_UNLIT),
            (now.between_s > self._between_s, Cause.SIGNALS_STAND),
            (late or now.untaken_s > PROMISE_S, Cause.PROMISE_BROKEN),
            (now.overdue_s > OVERDUE_S, Cause.SIGNALS_STAND),
            (seen.tick - now.stage_since > self._stands_s, Cause.SIGNALS_STAND),
            (now.starting_s > self._starts_s, Cause.SIGNALS_STAND),
            (now.unaccepted_s > UNACCEPTED_S, Cause.COMMANDS_LOST),
            (now.stray_s > self._change_s, Cause.PLAN_NOT_FOLLOWED),
            (now.adaptive_s > STAYS_ADAPTIVE_S, Cause.PLAN_NOT_FOLLOWED),
            (now.local_s > STAYS_LOCAL_S, Cause.STAYS_LOCAL),
        )
        for holds, cause in grounds:
            if holds:
                return now, cause
        return now, None

    def _end(self, before: Conduct, seen: Seen) -> int | None:
        """When the running green is to end: a promise once shown neither goes away nor moves back."""
        kept = before.end if before.stage == seen.back.stage else None
        promise = seen.back.commitment
        if promise is None:
            return kept
        end = seen.tick + promise.end_in_s
        return end if kept is None else min(kept, end)

    def _untaken(self, before: Conduct, seen: Seen) -> bool:
        """Whether the cabinet has accepted a change and goes on as if it had not."""
        back = seen.back
        stays = seen.told is not None and not back.in_interstage and back.stage == before.stage
        return stays and back.commitment is None

    def _between(self, back: ReadBack, *, exactly: bool) -> bool:
        """Whether no stage is shown; `exactly`: one counts only if all vehicles' lamps are those of it.

        Under its own plan a cabinet may let a group lead or lag; some vehicles have green nevertheless.
        """
        if exactly and back.in_interstage:
            return True
        shown, wanted = back.aspects, self._targets[back.stage]
        if exactly:
            return any(shown[g] is not wanted[g] for g in self._vehicles)
        if any(shown[g].is_green for g in self._vehicles):
            return False
        return back.in_interstage or any(wanted[g].is_green for g in self._vehicles)
