"""The guard beside a running cabinet: its state brought in line with what the cabinet says."""

from __future__ import annotations

from dataclasses import replace

from denxanh.agents.observation import Commitment
from denxanh.controller.guardtypes import WAIT_CAP_S, GuardConfig, GuardState, Phase, ReadBack, initial
from denxanh.networks.model import Aspect


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
    clocks = [_resync_group(config, state, group, lamp, green_s, phase) for group, lamp in enumerate(lamps)]
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


def forgotten(state: GuardState) -> GuardState:
    """What is left to know after a silence: how long calls have waited. Every lamp's clock starts anew."""
    flash = (Aspect.FLASH,) * len(state.aspects)
    zero = (0,) * len(flash)
    return replace(
        state,
        commitment=None,
        aspects=flash,
        green_for=zero,
        since_end=zero,
        since_protected=zero,
        conflict_for=0,
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
    config: GuardConfig, state: GuardState, group: int, lamp: Aspect, stage_green_s: int, phase: Phase
) -> tuple[int, int, int]:
    """One group's (green_for, since_end, since_protected) under the lamp that the cabinet shows."""
    before = state.aspects[group]
    known = before is not Aspect.FLASH
    since_protected = state.since_protected[group] if known and before is not Aspect.PROTECTED else 0
    if lamp is Aspect.WALK or lamp is Aspect.CLEARANCE:
        walk_s, need_s = config.walk_s[group], config.need_s[group]
        walked_s = state.green_for[group]
        if phase is Phase.GREEN:
            # What was imagined in a silence may have begun earlier; no walk is older than its stage.
            walked_s = min(walked_s, stage_green_s)
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
