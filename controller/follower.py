"""The guard beside a running cabinet: every second its state is brought in line with what is shown."""

from __future__ import annotations

from denxanh.agents.observation import Commitment
from denxanh.controller import guard
from denxanh.controller.estimate import SignalView
from denxanh.controller.ladder import LINK_LOST_TICKS
from denxanh.controller.outlook import outlook
from denxanh.controller.pulse import HEARTBEATS
from denxanh.controller.readback import Lamps, at_boundary, lamps, read_back, same_lamps
from denxanh.networks.model import Aspect, Intersection
from denxanh.plc.contract import CabinetMode, CabinetStatus


class Follower:
    """One intersection's guard and what its cabinet has shown.

    Attributes:
        shown: the second that was last heard of; before the first, an invented start-up.
        heard: tick of the last answered poll, None before the first.
        unseen: whether more than a moment passed before it that nobody saw, by our ticks or its beats.

    Raises:
        GuardError: the intersection's timings cannot hold the guard's invariants together.
    """

    def __init__(self, intersection: Intersection) -> None:
        self.shown = guard.ReadBack(
            intersection.startup_stage, 0, True, None, (Aspect.RED,) * len(intersection.groups)
        )
        self.heard: int | None = None
        self.unseen = False
        self._beat: int | None = None
        self._intersection = intersection
        self._config = guard.guard_config(intersection)
        self._state = guard.initial(self._config)
        self._lamps: Lamps | None = None
        self._said: tuple[Aspect, ...] | None = None
        """Aspects of the last decision, in any mode."""
        self._expected: tuple[tuple[Aspect, ...], ...] = ()
        """Aspects of the last two decisions that the cabinet was to follow."""

    def hear(self, status: CabinetStatus, tick: int) -> None:
        """Take over what the cabinet has shown; where the guard said just that, its own state stays."""
        seconds = 1 if self.heard is None else max(1, tick - self.heard)
        beats = 0 if self._beat is None else (status.heartbeat - self._beat) % HEARTBEATS
        self.heard, self._beat = tick, status.heartbeat
        # Our ticks stand still where the whole machine is halted: the street goes on.
        self.unseen = max(seconds, beats) > LINK_LOST_TICKS
        if self.unseen:
            # Stages may have come and gone: what was imagined of lamps and clocks meanwhile is no knowledge.
            self._lamps = None
            self._state = guard.forgotten(self._state)
        self._lamps = lamps(self._intersection, status, self._lamps, seconds)
        self.shown = back = read_back(status, self._lamps)
        state = self._state
        as_shown = (back.aspects, back.stage, back.in_interstage, back.commitment)
        as_said = (self._said, state.stage, state.in_interstage, state.commitment)
        if self.unseen or seconds > 1 or as_shown != as_said:
            boundary = at_boundary(self._intersection, back, self._lamps)
            self._state = guard.resync(self._config, state, boundary)

    def view(self) -> SignalView:
        """What the estimate and the policy may know of the signals."""
        return SignalView(
            stage=self.shown.stage,
            elapsed_s=float(self.shown.elapsed_s),
            in_interstage=self.shown.in_interstage,
            commitment=self.shown.commitment,
            aspects=self.shown.aspects,
            stages=outlook(self._config, self._state),
        )

    def decide(self, given: guard.GuardInput, *, followed: bool) -> guard.GuardOutput:
        """Let the guard decide the coming second; `followed` says whether the cabinet is to do as it says."""
        self._state, decided = guard.tick(self._config, self._state, given)
        self._said = decided.aspects
        self._expected = (*self._expected[-1:], decided.aspects) if followed else ()
        return decided

    def agrees(self, mode: CabinetMode | None) -> bool | None:
        """Whether the lamps are what one of the last two decisions said; None where none was to be followed.

        Two, because cabinet and controller need not begin their second in the same instant.
        """
        if not self._expected or mode is not CabinetMode.ADAPTIVE:
            return None
        stage = None if self.shown.in_interstage else self.shown.stage
        return any(same_lamps(self._intersection, stage, self.shown.aspects, one) for one in self._expected)

    @property
    def overdue(self) -> bool:
        """Whether the running stage has been green for its maximum, counted from a conflicting call.

        Not while a promise runs down or somebody walks: these are waited out.
        """
        state = self._state
        if state.phase is not guard.Phase.GREEN or state.commitment is not None:
            return False
        if Aspect.WALK in state.aspects or Aspect.CLEARANCE in state.aspects:
            return False
        return state.conflict_for >= self._config.max_green_s[state.stage]

    def new_promise(self, decided: guard.GuardOutput) -> Commitment | None:
        """The guard's commitment, if the cabinet does not have it yet."""
        bound = self.shown.commitment is not None or self.shown.in_interstage
        return None if bound else decided.commitment
