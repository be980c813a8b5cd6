"""Exhaustive proof of one intersection's configuration, on the real `tick` at the real timings.

`explore` follows every state that a hostile requester can bring about and lets `LampCheck`, which sees only
lamps and promises, judge every transition: G1, G2, G3, G6, G7. That G6 also means "a late request changes
nothing" is checked by comparing what different requests lead to.

What is left out, and why that is sound:

* The clocks of wait, stalled green and conflicting call are set to zero, and `elapsed_s` to what is read of
  it (`project`). Outside ADAPTIVE no decision reads more.
* ADAPTIVE adds two things to the other modes. It makes commitments of its own: under the same conditions of
  G3 and the stage graph, so to the lamps they are one more request. And it sometimes withholds a late walk:
  to the lamps that is a call that did not come. So each of its transitions is, projected, one that the
  exploration takes with another input (a test replays random ADAPTIVE runs and looks for a counter-example).
* Calls of vehicle groups are left out: outside ADAPTIVE they change nothing but the clocks above. Of the
  pedestrians, only those are varied that the stage could let walk.
* Mode FLASH leads from everywhere to the first state. States that only a cabinet's read-back can bring about
  are not in here; tests cover `resync`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, product

from denxanh.agents.observation import Commitment
from denxanh.controller.guard import (
    GuardConfig,
    GuardInput,
    GuardOutput,
    GuardRefusal,
    GuardState,
    Phase,
    guard_config,
    initial,
    tick,
)
from denxanh.controller.lampcheck import LampCheck, LampHistory
from denxanh.controller.mode import Mode
from denxanh.networks import red_bounds, timing
from denxanh.networks.model import Aspect, Intersection

STATE_LIMIT = 2_000_000
"""States after which `explore` gives up (a few GB of memory)."""

PROGRESS_EVERY = 2_000
"""States between two calls of the progress callback."""

_VIOLATIONS_SHOWN = 20

Progress = Callable[[int, int], None]
"""Told (states explored, states found so far)."""

_Node = tuple[GuardState, LampHistory]
_Outcome = tuple[GuardState, tuple[Aspect, ...], Commitment | None]
_Input = tuple[int | None, tuple[bool, ...]]


@dataclass(frozen=True, slots=True)
class Verification:
    """What an exploration found. It is a proof only if `complete` and without violations."""

    intersection: str
    states: int
    transitions: int
    seconds: float
    violations: tuple[str, ...]
    complete: bool = True

    @property
    def proven(self) -> bool:
        """Every reachable transition was judged, and none was wrong."""
        return self.complete and not self.violations


@dataclass(frozen=True, slots=True)
class Bounds:
    """G4 and G5 of one intersection, by calculation. Seconds."""

    intersection: str
    needed_max_red_s: int
    """The least max red that can hold; every group's is at least this."""
    red_s: tuple[int, ...]
    """Per group: called without a break, it shows its best aspect within this time."""
    green_s: tuple[int, ...]
    """Per stage: after a conflicting call it ends within this time."""


def project(config: GuardConfig, state: GuardState) -> GuardState:
    """The state without the clocks that matter to G4, G5 and people only."""
    elapsed_s = state.elapsed_s
    if state.phase is Phase.GREEN and config.commitment_s == 0:
        elapsed_s = min(elapsed_s, 1)
    elif state.phase in (Phase.GREEN, Phase.INTERSTAGE):
        elapsed_s = 0
    zero = (0,) * len(config.walker)
    return GuardState(
        phase=state.phase,
        stage=state.stage,
        elapsed_s=elapsed_s,
        commitment=state.commitment,
        aspects=state.aspects,
        green_for=state.green_for,
        since_end=state.since_end,
        since_protected=state.since_protected,
        wait_s=zero,
        stalled_s=zero,
        conflict_for=0,
    )


def explore(
    config: GuardConfig, *, progress: Progress | None = None, state_limit: int = STATE_LIMIT
) -> Verification:
    """Visit every reachable state and judge every transition.

    Args:
        config: the intersection, from `guard_config`.
        progress: called every `PROGRESS_EVERY` states.
        state_limit: give up beyond so many states; the result then says so, and is no proof.
    """
    begun = time.perf_counter()
    judge = LampCheck(config.intersection)
    first: _Node = (project(config, initial(config)), judge.start())
    parents: dict[_Node, tuple[_Node, _Input] | None] = {first: None}
    queue = deque([first])
    violations: dict[str, None] = {}
    transitions = explored = 0
    while queue and len(parents) <= state_limit and len(violations) < _VIOLATIONS_SHOWN:
        node = queue.popleft()
        explored += 1
        for given, state, output in _successors(config, node[0], violations):
            transitions += 1
            if state is None:
                continue
            history, wrong = judge.judge(node[1], output.aspects, output.commitment)
            for violation in wrong:
                violations.setdefault(f"{violation} (after {_path(parents, node, given)})")
            after = (state, history)
            if after not in parents:
                parents[after] = (node, given)
                queue.append(after)
        if progress is not None and explored % PROGRESS_EVERY == 0:
            progress(explored, len(parents))
    return Verification(
        intersection=config.intersection.id,
        states=len(parents),
        transitions=transitions,
        seconds=time.perf_counter() - begun,
        violations=tuple(violations),
        complete=not queue,
    )


def _successors(
    config: GuardConfig, state: GuardState, violations: dict[str, None]
) -> Iterator[tuple[_Input, GuardState | None, GuardOutput]]:
    """Every input's outcome; the state is None where the outcome is one that this call has given already."""
    stages = len(config.targets)
    seen: set[_Outcome] = set()
    quiet = (False,) * len(config.walker)
    not_green = state.phase is not Phase.GREEN
    for called in _calls(config, state):
        late: set[_Outcome] = set()
        for request in (None, *range(stages), stages):
            after, output = tick(config, state, GuardInput(Mode.MANUAL, request, called, quiet))
            if request == stages and output.refusal not in (
                GuardRefusal.UNKNOWN_STAGE,
                GuardRefusal.STARTING,
            ):
                violations.setdefault("G6 an unknown stage was not refused as such")
            outcome = (project(config, after), output.aspects, output.commitment)
            if state.commitment is not None or (not_green and after.phase is not Phase.GREEN):
                late.add(outcome)
            fresh = outcome not in seen
            seen.add(outcome)
            yield (request, called), outcome[0] if fresh else None, output
        if len(late) > 1:
            violations.setdefault(f"G6 a late request changed something in {state}")


def _calls(config: GuardConfig, state: GuardState) -> Iterator[tuple[bool, ...]]:
    """Every combination of calls from pedestrians who could be let walk this second."""
    if state.phase is Phase.STARTUP_FLASH or (
        state.commitment is not None and state.commitment.end_in_s == 0
    ):
        stages: tuple[int, ...] = ()
    else:
        stages = (state.stage,)
    free = [
        walker
        and state.aspects[group] is Aspect.RED
        and any(config.targets[stage][group] is not Aspect.RED for stage in stages)
        for group, walker in enumerate(config.walker)
    ]
    return product(*((False, True) if varies else (False,) for varies in free))


def _path(parents: dict[_Node, tuple[_Node, _Input] | None], node: _Node, given: _Input) -> str:
    """The shortest way to a violation: one request per second, with the pedestrians that called."""
    steps = [given]
    origin = parents[node]
    while origin is not None:
        node, step = origin
        steps.append(step)
        origin = parents[node]
    told: list[str] = []
    for same, run in groupby(reversed(steps)):
        request, called = same
        word = "-" if request is None else str(request)
        word += "".join(f"+{g}" for g, on in enumerate(called) if on)
        times = len(list(run))
        told.append(word if times == 1 else f"{word}*{times}")
    return " ".join(told)


def bound_proof(config: GuardConfig) -> Bounds:
    """The bounds of G4 and G5. They hold because `guard_config` refuses timings with which they would not."""
    intersection = config.intersection
    return Bounds(
        intersection=intersection.id,
        needed_max_red_s=red_bounds.minimal_max_red_s(intersection),
        red_s=tuple(red_bounds.max_red_bound_s(intersection, g) for g in range(len(intersection.groups))),
        green_s=tuple(timing.max_green_s(intersection, s) for s in range(len(intersection.stages))),
    )


def verify(intersection: Intersection, *, progress: Progress | None = None) -> Verification:
    """`explore` an intersection.

    Raises:
        GuardError: the timings cannot hold the invariants together.
    """
    return explore(guard_config(intersection), progress=progress)
