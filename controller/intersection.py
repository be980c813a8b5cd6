"""One intersection's second: what was heard goes in, what to command comes out.

`IntersectionController.step` depends on nothing but its own past inputs (G8), so a journal of inputs
replays every decision. It reads no clock, no file and no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from denxanh.agents.observation import Commitment
from denxanh.agents.policy import Policy
from denxanh.controller import guard
from denxanh.controller.alarms import (
    CLOCK_ERROR_S,
    SETTLED_S,
    Alarm,
    changes,
    clock_error_s,
    of_causes,
    of_clock,
    of_detectors,
    of_starved,
    of_status,
)
from denxanh.controller.chooser import Choice, Chooser, ChooserState
from denxanh.controller.estimate import Estimate, Estimator, SignalView
from denxanh.controller.ladder import HOLD_OFF_S, Cause, Evidence, LadderState
from denxanh.controller.ladder import step as climb
from denxanh.controller.mode import Mode
from denxanh.controller.narrate import followed, mode_change, promised
from denxanh.controller.outlook import outlook
from denxanh.controller.readback import DS_PER_S, police_panel, read_back
from denxanh.controller.record import Event, LaneView, TickInput, TickOutput
from denxanh.controller.watch import Facts, WatchState, observe
from denxanh.controller.wording import reason
from denxanh.errors import FrameError
from denxanh.networks.model import Aspect, Corridor, Intersection
from denxanh.networks.schedule import active_plan
from denxanh.plc.contract import CabinetMode, Command, ModeRequest, Refusal, Report

COMMAND_TTL_DS = 30
"""DESIGN.md, "Time limits": 3 s on the cabinet's heartbeat counter."""
SEQ_MAX = 65_535
"""Sequence numbers are 1..65535 and start again at 1."""

Decode = Callable[[tuple[tuple[int, ...], ...]], Report]
"""Turns a poll's registers into a report; raises `FrameError`."""


class IntersectionController:
    """The decisions for one intersection.

    Args:
        corridor: for its schedule and its vehicle mix.
        intersection: as the site has it (overrides applied).
        decode: registers to report.
        config_crc: what status register 29 must read for both sides to hold the same tables.
        policy: decides in ADAPTIVE.
        rule: stands in when the policy fails.
        epoch: this run's fencing epoch, 1..65535.

    Raises:
        GuardError: the intersection's timings cannot hold the guard's invariants together.
    """

    def __init__(
        self,
        corridor: Corridor,
        intersection: Intersection,
        *,
        decode: Decode,
        config_crc: int,
        policy: Policy,
        rule: Policy,
        epoch: int,
    ) -> None:
        self._corridor = corridor
        self._intersection = intersection
        self._decode = decode
        self._config_crc = config_crc
        self._epoch = epoch
        self._chooser = Chooser(policy, rule)
        self._estimator = Estimator(intersection, corridor.pcu_per_vehicle)
        self._config = guard.guard_config(intersection)
        self._guard = guard.initial(self._config)
        self._estimate = self._estimator.initial()
        self._ladder = LadderState()
        self._watch = WatchState()
        self._choice = ChooserState()
        self._shown = guard.ReadBack(
            intersection.startup_stage, 0, True, None, (Aspect.RED,) * len(intersection.groups)
        )
        self._known = False
        """Whether `_shown` comes from the cabinet."""
        self._expected: tuple[tuple[Aspect, ...], ...] = ()
        """Aspects of the last two decisions that the cabinet was to follow."""
        self._decided: guard.GuardOutput | None = None
        """The last second's decision in ADAPTIVE."""
        self._announced: Mode | None = None
        self._seq: int | None = None
        self._alarms: Mapping[str, Alarm] = {}
        self._status_alarms: tuple[Alarm, ...] = ()
        self._clock_wrong_s = 0
        self._heard_s = 0
        """Polls answered in a row."""

    def step(self, value: TickInput) -> TickOutput:
        """One second. Total: whatever the words say, there is an output; a policy's failure is handled."""
        report, problem = self._hear(value)
        plan = self._plan(value)
        before = self._shown
        if report is not None:
            self._shown = read_back(self._intersection, report.status)
            self._guard = guard.resync(self._config, self._guard, self._shown)
        estimate = self._see(report, value, plan)
        mode, cause, choice = self._judge(value, report, estimate)
        decided = self._decide(mode, choice, estimate)
        command = self._command(mode, cause, report, decided, plan)
        detail = self._detail(cause, problem, estimate)
        complaints = self._complaints(value, report, cause, problem, choice)
        self._alarms, alarm_events = changes(self._alarms, complaints)
        events = (
            *mode_change(self._announced, mode, cause, detail),
            *self._switches(mode, before, decided, choice, plan),
            *alarm_events,
        )
        self._announced = mode
        self._remember(mode, report, decided)
        in_charge = mode is Mode.ADAPTIVE
        return TickOutput(
            mode=mode,
            cause=f"{cause.value}: {detail}" if detail else cause.value,
            aspects="".join(self._shown.aspects),
            stage=self._shown.stage,
            elapsed_s=float(self._shown.elapsed_s),
            in_interstage=self._shown.in_interstage,
            commitment=decided.commitment if in_charge else self._shown.commitment,
            request=choice.request if in_charge else None,
            why=choice.why if in_charge else "",
            guard_refusal=decided.refusal.value if in_charge and decided.refusal else None,
            cabinet_refusal=_refusal(report),
            command=command,
            plan=plan,
            lanes=_lane_views(estimate),
            events=events,
        )

    def _hear(self, value: TickInput) -> tuple[Report | None, str | None]:
        if value.words is None:
            return None, value.link_error or "no answer"
        try:
            return self._decode(value.words), None
        except FrameError as error:
            return None, str(error)

    def _plan(self, value: TickInput) -> int | None:
        """The scheduled plan's number; None where the schedule or the cabinet has none for now."""
        try:
            number = active_plan(self._corridor.schedule, value.date, int(value.clock_s))
        except ValueError:
            return None
        return number if any(plan.number == number for plan in self._intersection.plans) else None

    def _see(self, report: Report | None, value: TickInput, plan: int | None) -> Estimate:
        view = SignalView(
            stage=self._shown.stage,
            elapsed_s=float(self._shown.elapsed_s),
            in_interstage=self._shown.in_interstage,
            commitment=self._shown.commitment,
            aspects=self._shown.aspects,
            stages=outlook(self._config, self._guard),
        )
        self._estimate, estimate = self._estimator.update(self._estimate, report, value.clock_s, view, plan)
        return estimate

    def _judge(
        self, value: TickInput, report: Report | None, estimate: Estimate
    ) -> tuple[Mode, Cause, Choice]:
        """The mode, and what the policy wants if it is ADAPTIVE."""
        choice = Choice(None, "", self._choice.failure, None, None)
        if self._ladder.mode is Mode.ADAPTIVE:
            choice = self._ask(value, estimate)
        status = None if report is None else report.status
        facts = Facts(
            tick=value.tick,
            mode=self._ladder.mode,
            cabinet=None if status is None else status.mode,
            refusal=Refusal.NONE if status is None else status.refusal,
            blind=estimate.blind,
            confidence=estimate.traffic.confidence,
            guard=None if self._decided is None else self._decided.refusal,
            agrees=self._agrees(report),
            config_matches=status is None or status.config_crc == self._config_crc,
            rule_failed=choice.against is not None,
        )
        self._watch, against = observe(self._watch, facts)
        evidence = Evidence(
            tick=value.tick,
            cabinet=facts.cabinet,
            police=status is not None and police_panel(status),
            barred=Cause.LEASE_LOST if status is not None and status.epoch > self._epoch else None,
            against=against,
            policy=choice.policy,
        )
        was = self._ladder.mode
        self._ladder, mode, cause = climb(self._ladder, evidence)
        if mode is Mode.ADAPTIVE and was is not Mode.ADAPTIVE:
            choice = self._ask(value, estimate)
        return mode, cause, choice

    def _ask(self, value: TickInput, estimate: Estimate) -> Choice:
        self._choice, choice = self._chooser.choose(
            self._choice, estimate.traffic, value.tick, late=value.late
        )
        return choice

    def _agrees(self, report: Report | None) -> bool | None:
        """Whether the lamps are what one of the last two decisions said; None where none was to be followed.

        Two, because cabinet and controller need not begin their second in the same instant.
        """
        if report is None or not self._expected or report.status.mode is not CabinetMode.ADAPTIVE:
            return None
        return self._shown.aspects in self._expected

    def _decide(self, mode: Mode, choice: Choice, estimate: Estimate) -> guard.GuardOutput:
        request = choice.request if mode is Mode.ADAPTIVE else None
        heard = guard.GuardInput(mode, request, estimate.called, estimate.discharging)
        self._guard, decided = guard.tick(self._config, self._guard, heard)
        return decided

    def _command(
        self, mode: Mode, cause: Cause, report: Report | None, decided: guard.GuardOutput, plan: int | None
    ) -> Command | None:
        """What to send; None where the centre has no say or has not heard the cabinet this second."""
        asks = mode in (Mode.ADAPTIVE, Mode.PLAN) or (mode is Mode.LOCAL and cause is Cause.CABINET_LOCAL)
        if report is None or not asks:
            return None
        status = report.status
        if self._seq is None:
            self._seq = status.accepted_seq if status.epoch == self._epoch else 0
        self._seq = self._seq % SEQ_MAX + 1
        command = Command(
            seq=self._seq,
            epoch=self._epoch,
            heartbeat_echo=status.heartbeat,
            ttl_ds=COMMAND_TTL_DS,
            mode=ModeRequest.ADAPTIVE if mode is Mode.ADAPTIVE else ModeRequest.PLAN,
            stage=status.stage,
        )
        if mode is not Mode.ADAPTIVE:
            # Without a plan of this hour's number the cabinet's own choice is the best that there is.
            return replace(command, mode=ModeRequest.RELEASE) if plan is None else replace(command, plan=plan)
        promise = self._new_promise(decided)
        if promise is None:
            return command
        if promise.end_in_s == 0:
            return replace(command, stage=promise.next_stage)
        return replace(
            command, committed_end_ds=promise.end_in_s * DS_PER_S, committed_next=promise.next_stage
        )

    def _remember(self, mode: Mode, report: Report | None, decided: guard.GuardOutput) -> None:
        """Keep what the next second compares with."""
        followed = mode is Mode.ADAPTIVE and report is not None and report.status.mode is CabinetMode.ADAPTIVE
        self._expected = (*self._expected[-1:], decided.aspects) if followed else ()
        self._decided = decided if mode is Mode.ADAPTIVE else None
        self._known = self._known or report is not None

    def _detail(self, cause: Cause, problem: str | None, estimate: Estimate) -> str:
        """What belongs to the cause in this second, for people."""
        if cause is Cause.LINK_LOST:
            return problem or ""
        if cause is Cause.NO_FRESH_DATA:
            return ", ".join(estimate.blind)
        if cause is Cause.LOW_CONFIDENCE:
            return f"{estimate.traffic.confidence:.2f}"
        if cause is Cause.HOLD_OFF:
            return f"{HOLD_OFF_S - self._ladder.clean_s} s"
        return ""

    def _switches(
        self, mode: Mode, before: guard.ReadBack, decided: guard.GuardOutput, choice: Choice, plan: int | None
    ) -> tuple[Event, ...]:
        """A new promise in ADAPTIVE; elsewhere, that the cabinet has gone on to another stage."""
        stages = self._intersection.stages
        if mode is Mode.ADAPTIVE:
            promise = self._new_promise(decided)
            return (
                () if promise is None else (promised(stages[promise.next_stage], promise, decided, choice),)
            )
        if not self._known or before.stage == self._shown.stage:
            return ()
        return (followed(stages[self._shown.stage], mode, plan),)

    def _new_promise(self, decided: guard.GuardOutput) -> Commitment | None:
        """The guard's commitment, if the cabinet does not have it yet."""
        bound = self._shown.commitment is not None or self._shown.in_interstage
        return None if bound else decided.commitment

    def _complaints(
        self, value: TickInput, report: Report | None, cause: Cause, problem: str | None, choice: Choice
    ) -> tuple[Alarm, ...]:
        """Everything that is wrong now; what only the cabinet can tell stays while it is silent."""
        self._heard_s = 0 if report is None else self._heard_s + 1
        if report is not None:
            error_s = clock_error_s(report.status, value.clock_s)
            self._clock_wrong_s = self._clock_wrong_s + 1 if abs(error_s) > CLOCK_ERROR_S else 0
            matches = report.status.config_crc == self._config_crc
            self._status_alarms = (
                *of_status(report.status, matches),
                *of_clock(error_s, self._clock_wrong_s),
                *of_detectors(self._intersection, self._estimate.health, settled=self._heard_s >= SETTLED_S),
            )
        starved = () if self._decided is None else self._decided.starved
        return (
            *self._status_alarms,
            *of_starved(self._intersection, starved),
            *of_causes(cause, choice.policy, problem or "", choice.error or ""),
        )


def _refusal(report: Report | None) -> str | None:
    if report is None or report.status.refusal is Refusal.NONE:
        return None
    return reason(report.status.refusal)


def _lane_views(estimate: Estimate) -> tuple[LaneView, ...]:
    return tuple(LaneView(lane.queued, lane.moving, lane.confidence) for lane in estimate.traffic.lanes)
