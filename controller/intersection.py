"""One intersection's second: what was heard goes in, what to command comes out.

`IntersectionController.step` depends on nothing but its own past inputs (G8), so a journal of inputs
replays every decision. It reads no clock, no file and no socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from denxanh.agents.policy import Policy
from denxanh.controller import detail, guard
from denxanh.controller.board import AlarmBoard
from denxanh.controller.chooser import Choice, Chooser, ChooserState
from denxanh.controller.claim import BARRED, Claim, heard
from denxanh.controller.commander import Commander
from denxanh.controller.conduct import Conduct, Seen, Witness
from denxanh.controller.ear import Decode, Ear
from denxanh.controller.estimate import Estimate, Estimator
from denxanh.controller.follower import Follower
from denxanh.controller.ladder import Cause, Evidence, LadderState, commands
from denxanh.controller.ladder import step as climb
from denxanh.controller.mode import Mode
from denxanh.controller.narrate import followed, mode_change, promised
from denxanh.controller.operator import telling as ordering
from denxanh.controller.operator.attendant import OrderAttendant
from denxanh.controller.priority.attendant import Attendant
from denxanh.controller.priority.made_plans import made_plan
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.telling import Told, happened, worded
from denxanh.controller.readback import police_panel
from denxanh.controller.record import Event, LaneView, TickInput, TickOutput
from denxanh.controller.trust import Trust
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.zones import utc_s
from denxanh.controller.watch import Facts, WatchState, observe
from denxanh.controller.wording import NOTHING, reason
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.schedule import Timetable
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, LoopReading, Refusal, Report


class IntersectionController:
    """The decisions for one intersection.

    Args:
        corridor: for its schedule and its vehicle mix.
        intersection: as the site has it (overrides applied).
        decode: registers to report.
        config_crc: what status register 29 must read for both sides to hold the same tables.
        policy: decides in ADAPTIVE.
        rule: stands in when the policy fails.
        settings: what requests may do.
        flood: decides in the policy's place where streets are closed or held.
        epoch: this run's fencing epoch, 1..65535.
        nonce: this run's own number (`orders.first_steps`).
        claim: this run's standing with the cabinet, from the controller before this one.
        last: the number of this run's last command, from the same; 0: none.
        vds: who feeds zones that do not come from the cabinet.

    Attributes:
        claim: the same, kept up to date.

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
        nonce: int = 0,
        settings: Settings | None = None,
        flood: Policy | None = None,
        claim: Claim = Claim.NEW,
        last: int = 0,
        vds: Sequence[Source] = (),
    ) -> None:
        self.claim = claim
        self._timetable = Timetable(corridor.schedule)
        self._intersection = intersection
        self._ear = Ear(intersection, decode, vds)
        self._config_crc = config_crc
        self._epoch = epoch
        self._chooser = Chooser(policy, rule)
        self._choice = ChooserState()
        self._flood_chooser = Chooser(flood or rule, rule)
        self._flood_choice = ChooserState()
        self._attendant = Attendant(intersection, settings or Settings())
        self._told = Told()
        self._people = OrderAttendant(intersection)
        self._trust = Trust()
        self._estimator = Estimator(intersection, corridor.pcu_per_vehicle, corridor.health)
        self._estimate = self._estimator.initial()
        self._follower = Follower(intersection)
        self._ladder = LadderState()
        self._watch = WatchState()
        self._witness = Witness(intersection)
        self._conduct = Conduct()
        self._against: Cause | None = None
        """What speaks against ADAPTIVE in this second."""
        self._commander = Commander(epoch, nonce, last)
        self._board = AlarmBoard(intersection)
        self._decided: guard.GuardOutput | None = None
        """The last second's decision where it counted (`ladder.commands`)."""
        self._first = False
        """Whether the last second's command was this run's first."""
        self._announced: Mode | None = None

    def rehearse(self) -> None:
        """Let the policies decide once, with a vehicle on every lane, so that the first second is not late.

        Raises:
            Exception: whatever a policy raises.
        """
        _, estimate = self._estimator.update(self._estimate, None, 0.0, self._follower.view())
        lanes = tuple(lane._replace(queued=1.0) for lane in estimate.traffic.lanes)
        traffic = replace(estimate.traffic, stage=0, in_interstage=False, commitment=None, lanes=lanes)
        self._chooser.rehearse(traffic)
        self._flood_chooser.rehearse(traffic)

    def step(self, value: TickInput, decoded: Report | None = None) -> TickOutput:
        """One second. Total: whatever the words say, there is an output; a policy's failure is handled.

        Args:
            value: what is heard in it.
            decoded: what `value.words` say, where the adapter has decoded them already; nothing else.
        """
        now_s = utc_s(value.date, value.clock_s)
        report, problem, silent, halted_s = self._ear.second(value, now_s, decoded)
        status = None if report is None else report.status
        loops = () if report is None else report.readings.loops
        if self._first and (value.late or value.unsent):
            self.claim = Claim.NEW  # it was dropped: whoever holds our epoch now is not us
        if status is not None:
            ours = self._commander.ours(status)
            self.claim = heard(self.claim, self._epoch, status.epoch, ours=ours)
        attendant, people = self._attendant, self._people
        people.hear(value.orders)
        attendant.hear(value.wishes, value.tick, people.preempt)
        scheduled = self._plan(value)
        follower = self._follower
        before = None if follower.heard is None else follower.shown
        if status is not None:
            follower.hear(status, value.tick)
        view = follower.view()
        self._estimate, estimate = self._estimator.update(
            self._estimate, report, value.clock_s, view, scheduled, halted_s
        )
        estimate = attendant.see(estimate)
        mode, cause, choice = self._judge(value, status, silent, estimate)
        in_charge = commands(mode, cause)
        plan = people.plan(scheduled)
        asked = people.ask(estimate) or attendant.ask(mode, estimate, choice.request, value.tick)
        given = guard.GuardInput(mode, asked.request, asked.called, estimate.discharging)
        obeyed = in_charge and status is not None and status.mode is CabinetMode.ADAPTIVE
        decided = follower.decide(given, followed=obeyed)
        promise = follower.new_promise(decided)
        command = self._commander.command(value, mode, cause, status, promise, plan)
        drives = command is not None and cause is not Cause.FOREIGN_WRITER
        self._first = drives and self.claim is Claim.NEW
        if drives:
            self.claim = Claim.DRIVING
        self._told, requests = happened(
            self._told, self._intersection, attendant, mode, asked.help, value.tick
        )
        choice = worded(choice, self._intersection, attendant, mode, asked)
        if in_charge and people.acting is not None:
            choice = ordering.worded(choice, self._intersection, people.acting, asked.request)
        said = detail.line(
            cause, self._intersection, problem, estimate, self._ladder.clean_s, people, attendant, value.tick
        )
        given_out = decided if in_charge else None
        events = (
            *self._mode_events(mode, cause, said, estimate, value),
            *requests,
            *people.events(cause, value.clock_s),
            *self._switches(mode, cause, before, decided, choice, plan),
            *self._alarms(value, now_s, status, loops, cause, problem, choice, given_out),
        )
        self._decided = given_out
        shown = follower.shown
        return TickOutput(
            mode=mode,
            cause=f"{cause.value}: {said}" if said else cause.value,
            aspects="".join(shown.aspects),
            stage=shown.stage,
            elapsed_s=float(shown.elapsed_s),
            in_interstage=shown.in_interstage,
            commitment=decided.commitment if in_charge else shown.commitment,
            request=choice.request if in_charge else None,
            why=choice.why if in_charge else "",
            why_vi=choice.why_vi if in_charge else "",
            guard_refusal=decided.refusal.value if in_charge and decided.refusal else None,
            cabinet_refusal=_refusal(status),
            command=command,
            plan=plan,
            lanes=tuple(
                [LaneView(lane.queued, lane.moving, lane.confidence) for lane in estimate.traffic.lanes]
            ),
            events=events,
            vds=self._ear.zones.views(value.tick),
            orders=people.standing.orders,
        )

    def _plan(self, value: TickInput) -> int | None:
        """The scheduled plan's number; None where the schedule or the cabinet has none for now."""
        try:
            number = self._timetable.plan(value.date, int(value.clock_s))
        except ValueError:
            return None
        plans = self._intersection.plans
        if self._attendant.closures is not None:
            # A plan that the site has made for floods runs by itself in the cabinet.
            number = made_plan(self._intersection, self._attendant.closures, number)
        return number if any(plan.number == number for plan in plans) else None

    def _judge(
        self, value: TickInput, status: CabinetStatus | None, silent: Cause, estimate: Estimate
    ) -> tuple[Mode, Cause, Choice]:
        """The mode, and what the policy wants if it is ADAPTIVE."""
        was = self._ladder.mode
        choice = Choice(None, "", self._choice.failure, None, None)
        if was is Mode.ADAPTIVE:
            choice = self._ask(value, estimate)
        cabinet = None if status is None else status.mode
        facts = Facts(
            tick=value.tick,
            commanded=commands(was, self._ladder.cause),
            cabinet=cabinet,
            refusal=self._commander.refusal(value, status),
            blind=estimate.blind,
            confidence=estimate.traffic.confidence,
            guard=None if self._decided is None else self._decided.refusal,
            agrees=self._follower.agrees(cabinet),
            config_matches=self._config_matches(status),
            rule_failed=choice.against is not None,
            conduct=None if status is None else self._watch_conduct(value.tick, status, was),
        )
        self._watch, against = observe(self._watch, facts)
        self._against = against
        self._trust = self._trust.second(value.tick, against)
        trusted = self._trust.holds(value.tick)
        standing = self._people.standing
        evidence = Evidence(
            tick=value.tick,
            cabinet=cabinet,
            silent=silent,
            police=status is not None and police_panel(status),
            preempt=trusted and self._attendant.preempt(value.tick) is not None,
            operator_hold=trusted and standing.on("hold") is not None,
            operator_plan=standing.on("plan") is not None,
            barred=BARRED.get(self.claim),
            foreign=status is not None and Fault.FOREIGN in status.faults,
            against=against,
            policy=choice.policy,
        )
        self._ladder, mode, cause = climb(self._ladder, evidence)
        self._people.judged(cause, self._attendant.wishes.preempt)
        if mode is Mode.ADAPTIVE and was is not Mode.ADAPTIVE:
            choice = self._ask(value, estimate)
        return mode, cause, choice

    def _watch_conduct(self, tick: int, status: CabinetStatus, was: Mode) -> Cause | None:
        """What is wrong with how its signals move; `was`: the mode of the last second."""
        commander = self._commander
        seen = Seen(
            tick=tick,
            cabinet=status.mode,
            back=self._follower.shown,
            commanded=commands(was, self._ladder.cause),
            accepted=commander.heeded(status),
            told=commander.told(status),
            overdue=was is Mode.ADAPTIVE and self._follower.overdue,
            local=self._ladder.cause is Cause.CABINET_LOCAL and commander.asked is not None,
            foreign=self.claim in BARRED or Fault.FOREIGN in status.faults,
            strays=status.mode is CabinetMode.CENTRAL_PLAN and status.plan not in (0, commander.asked),
            unseen=self._follower.unseen,
        )
        self._conduct, found = self._witness.observe(self._conduct, seen)
        return found

    def _ask(self, value: TickInput, estimate: Estimate) -> Choice:
        traffic = estimate.traffic
        if self._attendant.closures is not None:
            self._flood_choice, choice = self._flood_chooser.choose(
                self._flood_choice, traffic, value.tick, late=value.late
            )
            return choice
        self._choice, choice = self._chooser.choose(self._choice, traffic, value.tick, late=value.late)
        return choice

    def _config_matches(self, status: CabinetStatus | None) -> bool:
        return status is None or status.config_crc == self._config_crc

    def _mode_events(
        self, mode: Mode, cause: Cause, said: str, estimate: Estimate, value: TickInput
    ) -> tuple[Event, ...]:
        before, self._announced = self._announced, mode
        if mode is before:
            return ()
        more = detail.announced(
            cause, said, self._intersection, estimate, self._people, self._attendant, value
        )
        return (mode_change(before, mode, cause, more),)

    def _switches(
        self,
        mode: Mode,
        cause: Cause,
        before: guard.ReadBack | None,
        decided: guard.GuardOutput,
        choice: Choice,
        plan: int | None,
    ) -> tuple[Event, ...]:
        """A new promise where the centre commands; elsewhere, that the cabinet has gone on by itself."""
        stages, stage = self._intersection.stages, self._follower.shown.stage
        if commands(mode, cause):
            promise = self._follower.new_promise(decided)
            if promise is None:
                return ()
            return (promised(stages[promise.next_stage], promise, decided, choice),)
        if before is None or before.stage == stage:
            return ()
        return (followed(stages[stage], mode, plan),)

    def _alarms(
        self,
        value: TickInput,
        now_s: float,
        status: CabinetStatus | None,
        loops: Sequence[LoopReading],
        cause: Cause,
        problem: str | None,
        choice: Choice,
        decided: guard.GuardOutput | None,
    ) -> tuple[Event, ...]:
        health = self._estimate.health
        zones = self._ear.zones
        self._board.hear(
            status,
            now_s,
            health,
            config_matches=self._config_matches(status),
            unfed=zones.stale(value.tick),
            loops=loops,
            tick=value.tick,
        )
        starved = () if decided is None else decided.starved
        return self._board.update(
            starved, cause, self._against, choice.policy, self._commander.no_plan, problem or "",
            choice.error or NOTHING, zones.alarms(value.tick),
        )  # fmt: skip


def _refusal(status: CabinetStatus | None) -> str | None:
    return None if status is None or status.refusal is Refusal.NONE else reason(status.refusal)
