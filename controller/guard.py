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

from denxanh.controller.guardresync import forgotten, resync
from denxanh.controller.guardsecond import STARVED_AFTER_S, Second
from denxanh.controller.guardtypes import (
    WAIT_CAP_S,
    GuardConfig,
    GuardInput,
    GuardOutput,
    GuardRefusal,
    GuardState,
    Phase,
    ReadBack,
    guard_config,
    initial,
)
from denxanh.controller.mode import Mode

__all__ = [
    "STARVED_AFTER_S",
    "WAIT_CAP_S",
    "GuardConfig",
    "GuardInput",
    "GuardOutput",
    "GuardRefusal",
    "GuardState",
    "Phase",
    "ReadBack",
    "forgotten",
    "guard_config",
    "initial",
    "resync",
    "tick",
]


def tick(config: GuardConfig, state: GuardState, given: GuardInput) -> tuple[GuardState, GuardOutput]:
    """Let one second begin: what the lamps show in it, and the state in which it will end."""
    count = len(config.walker)
    called = _flags(given.called, count, default=True)
    discharging = _flags(given.discharging, count, default=False)
    now = Second(config, state, called, adaptive=given.mode is Mode.ADAPTIVE)
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
