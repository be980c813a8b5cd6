"""The guard: turns stage requests into legal signal states, or refuses. Pure; one call is one second.

`tick` decides at the boundary between two seconds: the state says how things stand there, the output what
the lamps show for the second that begins, and the returned state how things will stand at the next boundary.
It never raises: a malformed input counts as no request, everything called, nothing discharging.

Order within a tick: start-up; end of the interstage; a new commitment (forced, or requested); end of the
green; late walks; clocks. So a stage may be committed in the second in which its green starts.

G1, G2 follow from `_may_start` (which knows the matrix and when each green ended), G3 from `_blocked`, G6
from the stage graph, G7 from a commitment being made `commitment_s` ahead and never changed. G4 and G5
(ADAPTIVE only) follow from `controller/urgency.py`. A request is level-triggered: it counts in the second in
which it stands, and is never remembered.

A call is believed as it comes: a call that goes away, even for one second, starts to wait anew. Holding a
call through gaps of detection belongs to the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from denxanh.agents.observation import Commitment
from denxanh.controller.mode import Mode
from denxanh.controller.urgency import Pending, Urgency
from denxanh.errors import GuardError
from denxanh.networks import timing
from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection

STARVED_AFTER_S = 15
"""Seconds of green, added up until the first discharge, after which a called group counts as starved
(spillback, or a permissive turn that finds no gap); a queue that can move has moved long before."""

WAIT_CAP_S = 3600
"""Where the clocks of wait stop; far above any max red."""


_LIT = frozenset({Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK, Aspect.CLEARANCE})
"""Aspects that occupy the conflict area by right; a yellow does so until its intergreen has passed."""


class GuardRefusal(StrEnum):
    """Why a request was not followed this second."""

    STARTING = "starting"
    INTERSTAGE = "interstage"
    COMMITTED = "committed"
    UNKNOWN_STAGE = "unknown-stage"
    NOT_IN_GRAPH = "not-in-graph"
    MIN_GREEN = "min-green"
    PEDESTRIAN = "pedestrian"
    STARVATION = "starvation"
    MAX_GREEN = "max-green"


class Phase(StrEnum):
    """What an intersection is doing."""

    STARTUP_FLASH = "startup-flash"
    STARTUP_ALL_RED = "startup-all-red"
    GREEN = "green"
    INTERSTAGE = "interstage"


@dataclass(frozen=True, slots=True)
class GuardInput:
    """What the guard hears each second.

    `request` is the stage wanted next (the running one: extend), or None. `called` and `discharging` align
    with the groups; a bad detector counts as a call.
    """

    mode: Mode
    request: int | None
    called: tuple[bool, ...]
    discharging: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class GuardOutput:
    """What the lamps show in the second that begins, the running promise, why a request was not followed.

    `commitment.end_in_s` counts from now; it is 0 in the second in which the green has ended, after which the
    commitment is gone.
    """

    aspects: tuple[Aspect, ...]
    commitment: Commitment | None
    refusal: GuardRefusal | None
    starved: tuple[int, ...]
    """Groups whose green does not discharge: an alarm."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the cabinet says it is doing at the start of this second."""

    stage: int
    """Running stage; during an interstage the one that comes next."""
    elapsed_s: int
    in_interstage: bool
    commitment: Commitment | None
    aspects: tuple[Aspect, ...]


@dataclass(frozen=True, slots=True)
class GuardState:
    """How an intersection stands at the boundary between two seconds. Times in seconds, one entry per group.

    Every clock stops at a cap, so the set of reachable states is finite.
    """

    phase: Phase
    stage: int
    """Running stage; during an interstage the one that comes next."""
    elapsed_s: int
    """In this phase. For people and policies, and in GREEN for `_lead_s` (0 or not)."""
    commitment: Commitment | None
    aspects: tuple[Aspect, ...]
    """What the lamps have shown for the second that ends."""
    green_for: tuple[int, ...]
    """In the present green aspect; for pedestrians since the walk began."""
    since_end: tuple[int, ...]
    """Since the green (pedestrians: the clearance) ended; 0 while it lasts."""
    since_protected: tuple[int, ...]
    """Since `G` ended, whether `g` followed or not; 0 while it lasts."""
    wait_s: tuple[int, ...]
    """Called and not served by the best aspect (networks/timing.py)."""
    stalled_s: tuple[int, ...]
    """Green, called, and nothing has discharged."""
    conflict_for: int
    """Since the first conflicting call of this stage's green."""

    @property
    def in_interstage(self) -> bool:
        """True unless a stage is green."""
        return self.phase is not Phase.GREEN


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """One intersection's timings, in the shape that `tick` needs. Build it with `guard_config`."""

    intersection: Intersection
    commitment_s: int
    walker: tuple[bool, ...]
    targets: tuple[tuple[Aspect, ...], ...]
    """Aspects per stage."""
    foes: tuple[tuple[tuple[int, Conflict, int], ...], ...]
    """Per group: (foe, how the group stands to it, intergreen from the foe's end to the group's start)."""
    need_s: tuple[int, ...]
    """The least green: max(min green, commitment), or walk + clearance."""
    walk_s: tuple[int, ...]
    yellow_s: tuple[int, ...]
    memory_s: tuple[int, ...]
    """How long the end of a group's green matters to anyone; at least a second, for `_rests`."""
    max_green_s: tuple[int, ...]
    """Per stage."""
    graph: tuple[tuple[bool, ...], ...]
    urgency: Urgency


def guard_config(intersection: Intersection) -> GuardConfig:
    """Check an intersection and prepare it for `tick`.

    Raises:
        GuardError: the timings cannot hold the invariants together; the message lists every defect.
    """
    defects = timing.feasibility_defects(intersection)
    if defects:
        raise GuardError(
            "; ".join(defects),
            where=f"intersection {intersection.id}",
            fix="correct its timings or its stages",
        )
    groups = intersection.groups
    every = range(len(groups))
    gaps, conflicts = intersection.intergreens, intersection.conflicts
    commitment_s = intersection.commitment_s
    walker = tuple(g.kind is GroupKind.PEDESTRIAN for g in groups)
    return GuardConfig(
        intersection=intersection,
        commitment_s=commitment_s,
        walker=walker,
        targets=tuple(stage.aspects for stage in intersection.stages),
        foes=tuple(
            tuple((i, conflicts[j][i], gaps[i][j]) for i in every if conflicts[j][i] is not Conflict.NONE)
            for j in every
        ),
        need_s=tuple(
            g.walk_s + g.clearance_s if walker[i] else max(g.min_green_s, commitment_s)
            for i, g in enumerate(groups)
        ),
        walk_s=tuple(g.walk_s for g in groups),
        yellow_s=tuple(g.yellow_s for g in groups),
        memory_s=tuple(max(1, groups[i].yellow_s, *gaps[i]) for i in every),
        max_green_s=tuple(timing.max_green_s(intersection, s) for s in range(len(intersection.stages))),
        graph=intersection.transitions,
        urgency=Urgency.of(intersection),
    )


def initial(config: GuardConfig) -> GuardState:
    """Power has just come on: flash begins."""
    count = len(config.walker)
    zero = (0,) * count
    return GuardState(
        phase=Phase.STARTUP_FLASH,
        stage=config.intersection.startup_stage,
        elapsed_s=0,
        commitment=None,
        aspects=(Aspect.FLASH,) * count,
        green_for=zero,
        since_end=config.memory_s,
        since_protected=config.memory_s,
        wait_s=zero,
        stalled_s=zero,
        conflict_for=0,
    )


def tick(config: GuardConfig, state: GuardState, given: GuardInput) -> tuple[GuardState, GuardOutput]:
    """Let one second begin: what the lamps show in it, and the state in which it will end."""
    count = len(config.walker)
    called = _flags(given.called, count, default=True)
    discharging = _flags(given.discharging, count, default=False)
    now = _Second(config, state, called, adaptive=given.mode is Mode.ADAPTIVE)
    if given.mode is Mode.FLASH:
        now.flash()
        refusal = None if given.request is None else GuardRefusal.STARTING
    else:
        now.start_up()
        now.end_interstage()
        refusal = now.decide(given.request)
        now.end_green()
        now.start_late_walks()
    return now.finish(discharging, refusal)


def _flags(given: object, count: int, *, default: bool) -> tuple[bool, ...]:
    if isinstance(given, tuple) and len(given) == count:
        return given
    return (default,) * count


class _Second:
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
            if wish is not None and wish != forced:
                return due
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


def resync(config: GuardConfig, state: GuardState, back: ReadBack) -> GuardState:
    """Take over what the cabinet says; its word on stage, time, commitment and lamps wins.

    Each group's clock goes on where the read-back fits the state, with the change of this very boundary
    allowed for; otherwise it starts in the safe direction (a red's end is just now, a green is as old as its
    stage). Never raises: a read-back that does not fit the intersection changes nothing.
    """
    lamps = _lamps(config, back)
    if lamps is None:
        return state
    if Aspect.FLASH in lamps:
        elapsed_s = state.elapsed_s if state.phase is Phase.STARTUP_FLASH else 0
        return replace(initial(config), elapsed_s=elapsed_s, wait_s=state.wait_s, stalled_s=state.stalled_s)
    phase = Phase.INTERSTAGE
    target = config.targets[back.stage]
    fits = all(walker or a is b for walker, a, b in zip(config.walker, lamps, target, strict=True))
    if fits and not back.in_interstage:
        phase = Phase.GREEN
    if state.phase is Phase.STARTUP_ALL_RED and back.in_interstage and all(a is Aspect.RED for a in lamps):
        phase = Phase.STARTUP_ALL_RED
    same = phase is state.phase and back.stage == state.stage
    green_s = back.elapsed_s if phase is Phase.GREEN else 0
    clocks = [_resync_group(config, state, group, lamp, green_s) for group, lamp in enumerate(lamps)]
    return GuardState(
        phase=phase,
        stage=back.stage,
        elapsed_s=min(back.elapsed_s, WAIT_CAP_S),
        commitment=_promise(config, back.stage, back.commitment) if phase is Phase.GREEN else None,
        aspects=lamps,
        green_for=tuple(clock[0] for clock in clocks),
        since_end=tuple(clock[1] for clock in clocks),
        since_protected=tuple(clock[2] for clock in clocks),
        wait_s=state.wait_s,
        stalled_s=state.stalled_s,
        conflict_for=state.conflict_for if same else 0,
    )


def _lamps(config: GuardConfig, back: ReadBack) -> tuple[Aspect, ...] | None:
    """The read-back's aspects in the guard's words; None if the read-back makes no sense."""
    numbers = (back.stage, back.elapsed_s)
    if not all(type(number) is int and number >= 0 for number in numbers):
        return None
    if back.stage >= len(config.targets) or not isinstance(back.aspects, tuple):
        return None
    if len(back.aspects) != len(config.walker) or not all(isinstance(a, Aspect) for a in back.aspects):
        return None
    vehicle = {Aspect.WALK: Aspect.PROTECTED, Aspect.CLEARANCE: Aspect.YELLOW}
    walker = {
        Aspect.PROTECTED: Aspect.WALK,
        Aspect.YIELDING: Aspect.WALK,
        Aspect.YELLOW: Aspect.CLEARANCE,
    }
    return tuple(
        (walker if walks else vehicle).get(aspect, aspect)
        for walks, aspect in zip(config.walker, back.aspects, strict=True)
    )


def _promise(config: GuardConfig, stage: int, promise: Commitment | None) -> Commitment | None:
    """A commitment that the cabinet reports, if it can be one."""
    if not isinstance(promise, Commitment):
        return None
    numbers = (promise.end_in_s, promise.next_stage)
    fits = all(type(number) is int and number >= 0 for number in numbers)
    return (
        promise if fits and promise.next_stage < len(config.targets) and promise.next_stage != stage else None
    )


def _resync_group(
    config: GuardConfig, state: GuardState, group: int, lamp: Aspect, stage_green_s: int
) -> tuple[int, int, int]:
    """One group's (green_for, since_end, since_protected) under the lamp that the cabinet shows."""
    before = state.aspects[group]
    known = before is not Aspect.FLASH
    since_protected = state.since_protected[group] if known and before is not Aspect.PROTECTED else 0
    if lamp is Aspect.WALK or lamp is Aspect.CLEARANCE:
        walk_s, need_s = config.walk_s[group], config.need_s[group]
        walked_s = state.green_for[group]
        if lamp is Aspect.WALK:
            return min(walked_s, walk_s - 1) if before is lamp else 0, 0, since_protected
        return min(max(walked_s, walk_s), need_s - 1), 0, since_protected
    if lamp.is_green:
        if lamp is Aspect.PROTECTED:
            since_protected = 0
        fresh_s = min(stage_green_s, config.need_s[group])
        return state.green_for[group] if lamp is before else fresh_s, 0, since_protected
    since_end = state.since_end[group] if before in (Aspect.RED, Aspect.YELLOW) else 0
    if lamp is Aspect.YELLOW:
        since_end = min(since_end, config.yellow_s[group] - 1) if before is Aspect.YELLOW else 0
    return 0, since_end, since_protected
