"""One second of the guard under way: the steps that `tick` takes, in the order in which it takes them."""

from __future__ import annotations

from denxanh.agents.observation import Commitment
from denxanh.controller.guardtypes import (
    WAIT_CAP_S,
    GuardConfig,
    GuardOutput,
    GuardRefusal,
    GuardState,
    Phase,
    initial,
)
from denxanh.controller.urgency import Pending
from denxanh.networks.model import Aspect, Conflict

STARVED_AFTER_S = 15
"""Seconds of green, added up until the first discharge, after which a called group counts as starved
(spillback, or a permissive turn that finds no gap); a queue that can move has moved long before."""

_LIT = frozenset({Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK, Aspect.CLEARANCE})
"""Aspects that occupy the conflict area by right; a yellow does so until its intergreen has passed."""


class Second:
    """One second under way: a state that the steps of `tick` change in place."""

    __slots__ = (
        "adaptive", "aspects", "called", "commitment", "config", "conflict_for", "elapsed_s", "green_for",
        "phase",
        "since_end", "since_protected", "stage", "state",
    )  # fmt: skip

    def __init__(
        self, config: GuardConfig, state: GuardState, called: tuple[bool, ...], *, adaptive: bool
    ) -> None:
        self.config = config
        self.state = state
        self.called = called
        self.adaptive = adaptive
        self.phase = state.phase
        self.stage = state.stage
        self.elapsed_s = state.elapsed_s
        self.commitment = state.commitment
        self.aspects = list(state.aspects)
        self.green_for = list(state.green_for)
        self.since_end = list(state.since_end)
        self.since_protected = list(state.since_protected)
        self.conflict_for = state.conflict_for

    # -- start-up -----------------------------------------------------------------------------------

    def flash(self) -> None:
        """Everything flashes; what ran before is forgotten."""
        fresh = initial(self.config)
        self._enter(Phase.STARTUP_FLASH, fresh.stage)
        self.commitment = None
        self.aspects = list(fresh.aspects)
        self.green_for = list(fresh.green_for)
        self.since_end = list(fresh.since_end)
        self.since_protected = list(fresh.since_protected)

    def start_up(self) -> None:
        """Flash, then all red, then on to the start-up stage, each for its time."""
        intersection = self.config.intersection
        if self.phase is Phase.STARTUP_FLASH and self.elapsed_s >= intersection.startup_flash_s:
            self._enter(Phase.STARTUP_ALL_RED, intersection.startup_stage)
            self.aspects = [Aspect.RED] * len(self.aspects)
        if self.phase is Phase.STARTUP_ALL_RED and self.elapsed_s >= intersection.startup_all_red_s:
            self._enter(Phase.INTERSTAGE, intersection.startup_stage)

    def _enter(self, phase: Phase, stage: int) -> None:
        self.phase = phase
        self.stage = stage
        self.elapsed_s = 0

    # -- interstage ---------------------------------------------------------------------------------

    def end_interstage(self) -> None:
        """Turn the next stage green, all its groups together, as soon as that is legal for each of them."""
        if self.phase is not Phase.INTERSTAGE:
            return
        self._end_greens()
        target = self.config.targets[self.stage]
        if not all(self._ready(group, want) for group, want in enumerate(target)):
            return
        self._enter(Phase.GREEN, self.stage)
        self.commitment = None
        for group, walker in enumerate(self.config.walker):
            if walker:
                if target[group] is not Aspect.RED and self.called[group]:
                    self._start(group, Aspect.WALK)
            elif self.aspects[group] is not target[group]:
                self._start(group, target[group])

    def _ready(self, group: int, want: Aspect) -> bool:
        """Whether a group shows what the coming stage wants, or may do so now."""
        aspect = self.aspects[group]
        if aspect is Aspect.RED:
            return want is Aspect.RED or self._may_start(group, want)
        if aspect is Aspect.YIELDING and want is Aspect.PROTECTED:
            return self._may_start(group, want)
        return aspect is want

    def _end_greens(self) -> None:
        """End what the coming stage does not show; a green that has not lasted long enough goes on."""
        target = self.config.targets[self.stage]
        for group, aspect in enumerate(self.aspects):
            if self.config.walker[group] or self.green_for[group] < self.config.need_s[group]:
                continue
            if aspect.is_green and target[group] is Aspect.RED:
                self.aspects[group] = Aspect.YELLOW
            elif aspect is Aspect.PROTECTED and target[group] is Aspect.YIELDING:
                self.aspects[group] = Aspect.YIELDING

    def _start(self, group: int, aspect: Aspect) -> None:
        self.aspects[group] = aspect
        self.green_for[group] = 0

    def _may_start(self, group: int, want: Aspect) -> bool:
        """G1 and G2: no foe shows a conflicting aspect, and the intergreen since its end has passed."""
        for foe, conflict, gap_s in self.config.foes[group]:
            shown = self.aspects[foe]
            if not shown.is_green:
                # during a clearance `since_end` stands at 0
                if self.since_end[foe] < gap_s:
                    return False
            elif conflict is Conflict.HAS_PRIORITY and shown is Aspect.YIELDING:
                if self.since_protected[foe] < gap_s:
                    return False
            elif conflict is not Conflict.YIELDS or want is not Aspect.YIELDING:
                return False
        return True

    # -- green --------------------------------------------------------------------------------------

    def decide(self, request: int | None) -> GuardRefusal | None:
        """Make a commitment if one is due or asked for and allowed; say why the request was not followed."""
        known = request is None or (type(request) is int and 0 <= request < len(self.config.targets))
        if not known:
            refusal: GuardRefusal | None = GuardRefusal.UNKNOWN_STAGE
            request = None
        else:
            refusal = None
        if self.phase is Phase.INTERSTAGE:
            late = request is not None and request != self.stage
            return GuardRefusal.INTERSTAGE if late else refusal
        if self.phase is not Phase.GREEN:
            return refusal if request is None else GuardRefusal.STARTING
        if self.commitment is not None:
            late = request is not None and request != self.commitment.next_stage
            return GuardRefusal.COMMITTED if late else refusal
        wish = None if request == self.stage else request
        pending = self._pending() if self.adaptive else []
        due = self._due(pending)
        if due is not None:
            forced = self.config.urgency.first_hop(self.stage, pending)
            if wish is not None and self._refusal(wish, pending) is None:
                forced = wish
            if self._blocked(forced) is None:
                self._commit(forced)
                return refusal if request is None or request == forced else due
        if wish is None:
            return refusal
        refusal = self._refusal(wish, pending)
        if refusal is None:
            self._commit(wish)
        return refusal

    def _refusal(self, wish: int, pending: list[Pending]) -> GuardRefusal | None:
        if not self.config.graph[self.stage][wish]:
            return GuardRefusal.NOT_IN_GRAPH
        blocked = self._blocked(wish)
        if blocked is not None:
            return blocked
        if not self.config.urgency.leaves_time(self.stage, wish, self._lead_s(), pending):
            return GuardRefusal.STARVATION
        return None

    def _due(self, pending: list[Pending]) -> GuardRefusal | None:
        """G4 and G5: why this green must be committed to end now, if it must."""
        if not pending:
            return None
        commitment_s = self.config.commitment_s
        later_s = max(self._earliest_end_s(), commitment_s + 1)
        if not self.config.urgency.in_time(self.stage, later_s, pending):
            return GuardRefusal.STARVATION
        if self.conflict_for + commitment_s >= self.config.max_green_s[self.stage]:
            return GuardRefusal.MAX_GREEN
        return None

    def _pending(self) -> list[Pending]:
        return self.config.urgency.pending(self.called, self.aspects, self.state.wait_s)

    def _commit(self, next_stage: int) -> None:
        self.commitment = Commitment(self._lead_s(), next_stage)

    def _lead_s(self) -> int:
        """How far ahead a promise is made; even without a countdown each stage lasts a second at least."""
        return max(self.config.commitment_s, 1 - self.elapsed_s)

    def _blocked(self, next_stage: int) -> GuardRefusal | None:
        """G3 for a green that would be promised now."""
        return self._cut(next_stage, self._lead_s())

    def _cut(self, next_stage: int, end_in_s: int) -> GuardRefusal | None:
        """What an end of this stage in `end_in_s` seconds would cut short, if anything."""
        target = self.config.targets[next_stage]
        for group, aspect in enumerate(self.aspects):
            if self.green_for[group] + end_in_s >= self.config.need_s[group]:
                continue
            if aspect is Aspect.WALK or aspect is Aspect.CLEARANCE:
                return GuardRefusal.PEDESTRIAN
            ends = aspect.is_green and target[group] is Aspect.RED
            downgraded = aspect is Aspect.PROTECTED and target[group] is Aspect.YIELDING
            if ends or downgraded:
                return GuardRefusal.MIN_GREEN
        return None

    def _earliest_end_s(self) -> int:
        """Seconds until this stage can end, whatever follows."""
        left = (
            self.config.need_s[group] - self.green_for[group]
            for group, aspect in enumerate(self.aspects)
            if aspect is not Aspect.RED
        )
        return max(self._lead_s(), *left, 0)

    def end_green(self) -> None:
        """Keep the promise: the committed end has come."""
        promise = self.commitment
        if self.phase is not Phase.GREEN or promise is None or promise.end_in_s > 0:
            return
        if self._cut(promise.next_stage, 0) is None:
            self._enter(Phase.INTERSTAGE, promise.next_stage)
            self._end_greens()

    def start_late_walks(self) -> None:
        """Let pedestrians walk who called during the green, if there is time for walk and clearance."""
        if self.phase is not Phase.GREEN:
            return
        target = self.config.targets[self.stage]
        for group, walker in enumerate(self.config.walker):
            if walker and target[group] is not Aspect.RED and self.called[group] and self._rests(group):
                fits = self._time_to_walk(group) and self._may_start(group, Aspect.WALK)
                if fits:
                    self._start(group, Aspect.WALK)

    def _rests(self, group: int) -> bool:
        """Red for a second at least: a walk never follows a clearance without a red that people can see."""
        return self.aspects[group] is Aspect.RED and self.since_end[group] > 0

    def _time_to_walk(self, group: int) -> bool:
        need_s = self.config.need_s[group]
        if self.commitment is not None:
            return need_s <= self.commitment.end_in_s
        if not self.adaptive:
            return True
        if self.conflict_for + need_s > self.config.max_green_s[self.stage]:
            return False
        others = [entry for entry in self._pending() if entry.group != group]
        return self.config.urgency.in_time(self.stage, max(self._earliest_end_s(), need_s), others)

    # -- clocks -------------------------------------------------------------------------------------

    def finish(
        self, discharging: tuple[bool, ...], refusal: GuardRefusal | None
    ) -> tuple[GuardState, GuardOutput]:
        """Say what is shown, and let the second pass."""
        config = self.config
        shown = tuple(self.aspects)
        wait_s, stalled_s = self._waits(shown, discharging)
        output = GuardOutput(
            aspects=shown,
            commitment=self.commitment,
            refusal=refusal,
            starved=tuple(g for g, stalled in enumerate(stalled_s) if stalled >= STARVED_AFTER_S),
        )
        conflict_for = 0
        if self.phase is Phase.GREEN and self._someone_waits():
            conflict_for = min(self.conflict_for + 1, config.max_green_s[self.stage])
        promise = self.commitment
        if promise is not None:
            kept = self.stage == promise.next_stage
            left_s = max(promise.end_in_s - 1, 0)
            promise = None if kept else Commitment(left_s, promise.next_stage)
        self._pass()
        state = GuardState(
            phase=self.phase,
            stage=self.stage,
            elapsed_s=min(self.elapsed_s + 1, WAIT_CAP_S),
            commitment=promise,
            aspects=tuple(self.aspects),
            green_for=tuple(self.green_for),
            since_end=tuple(self.since_end),
            since_protected=tuple(self.since_protected),
            wait_s=wait_s,
            stalled_s=stalled_s,
            conflict_for=conflict_for,
        )
        return state, output

    def _someone_waits(self) -> bool:
        urgency = self.config.urgency
        return any(
            called and urgency.is_pending(group, self.aspects[group])
            for group, called in enumerate(self.called)
        )

    def _waits(
        self, shown: tuple[Aspect, ...], discharging: tuple[bool, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The clocks of wait and of stalled greens after this second."""
        waits, stalls = [], []
        for group, aspect in enumerate(shown):
            wait_s, stalled_s = 0, 0
            if self.called[group]:
                moving = aspect.is_green and (discharging[group] or self.config.walker[group])
                if not moving:
                    stalled_s = min(self.state.stalled_s[group] + aspect.is_green, STARVED_AFTER_S)
                wait_s = self._wait(group, aspect, moving, stalled_s)
            waits.append(wait_s)
            stalls.append(stalled_s)
        return tuple(waits), tuple(stalls)

    def _wait(self, group: int, aspect: Aspect, moving: bool, stalled_s: int) -> int:
        """A called group's wait after this second."""
        best = self.config.urgency.best[group]
        if aspect is Aspect.PROTECTED or (moving and aspect in (best, Aspect.WALK)):
            return 0
        wait_s = self.state.wait_s[group]
        if self.state.aspects[group] is best and aspect is not best:
            # Served: the wait begins anew, but earlier if the green was of no use.
            starved = stalled_s >= STARVED_AFTER_S
            wait_s = self.config.urgency.starved_wait_s[group] if starved else 0
        return min(wait_s + 1, WAIT_CAP_S)

    def _pass(self) -> None:
        """One second of every group's aspect goes by, and with it what ends by itself."""
        config, aspects = self.config, self.aspects
        green_for, since_end, since_protected = self.green_for, self.since_end, self.since_protected
        for group, aspect in enumerate(aspects):
            memory_s = config.memory_s[group]
            if aspect is Aspect.PROTECTED:
                since_protected[group] = 0
            elif since_protected[group] < memory_s:
                since_protected[group] += 1
            if aspect in _LIT:
                since_end[group] = 0
                if green_for[group] < config.need_s[group]:
                    green_for[group] += 1
                if config.walker[group] and green_for[group] >= config.walk_s[group]:
                    over = green_for[group] >= config.need_s[group]
                    aspects[group] = Aspect.RED if over else Aspect.CLEARANCE
                    green_for[group] = 0 if over else green_for[group]
                continue
            green_for[group] = 0
            if since_end[group] < memory_s:
                since_end[group] += 1
            if aspect is Aspect.YELLOW and since_end[group] >= config.yellow_s[group]:
                aspects[group] = Aspect.RED
