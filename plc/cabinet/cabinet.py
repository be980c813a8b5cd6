"""The virtual cabinet: owns the lamps, obeys the centre only within its own rules, and needs nobody.

`tick` once per second, in step with the plant: what the street shows and detects goes in, what the lamps
show for the second comes out. `write` and `read` are the wire's side. A command is judged when it is written
(the answer stands in register 6 at once) and takes effect at the next tick. The controller's guard is not
used here: one checks the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from denxanh.errors import FrameError
from denxanh.networks.model import Aspect, DetectorKind, Intersection, Plan
from denxanh.networks.planclock import cycle_second
from denxanh.plc.cabinet.clock import CabinetClock
from denxanh.plc.cabinet.direction import Direction, Steering
from denxanh.plc.cabinet.engine import Engine, Phase
from denxanh.plc.cabinet.gate import COUNTER, DS_PER_S, Gate
from denxanh.plc.cabinet.localplan import PlanRunner
from denxanh.plc.cabinet.monitor import ConflictMonitor
from denxanh.plc.cabinet.rules import Promise, judge
from denxanh.plc.cabinet.waiting import Waiting
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Command,
    Fault,
    LoopReading,
    ModeRequest,
    Readings,
    Refusal,
    ZoneReading,
)
from denxanh.plc.modbus.config import config_words
from denxanh.plc.modbus.layout import (
    CALLS_ADDRESS,
    COMMAND_ADDRESS,
    COMMAND_LENGTH,
    CONFIG_ADDRESS,
    DETECTOR_ADDRESS,
    MAP_VERSION,
    STATUS_ADDRESS,
    WORD_MAX,
    ZONE_ADDRESS,
    layout,
)
from denxanh.plc.modbus.registers import encode_readings, encode_status

log = logging.getLogger(__name__)

WATCHDOG_S = 10
"""Without an accepted command for so long the cabinet is on its own plan, seconds (assumed;
docs/safety.md, "Time limits")."""
LEASE_DS = 50
"""What register 8 counts down from at each accepted command, deciseconds (assumed; for people only)."""
DOOR, POLICE, UPS = 1, 2, 4
"""Bits of the panel register."""

PlanNumber = Callable[[str, int], int]
"""(local date YYYY-MM-DD, local second of day) to the number of the scheduled plan."""


class VirtualCabinet:
    """One intersection's cabinet.

    Args:
        intersection: the cabinet's own tables.
        plan_number: its own schedule.
        watchdog_s: time without an accepted command after which it is on its own, seconds.
        epoch: highest epoch heard before power-up.

    Attributes:
        status: the status block as of the last tick or write.
        conflict: why the conflict monitor latched, or None.
    """

    def __init__(
        self,
        intersection: Intersection,
        plan_number: PlanNumber,
        *,
        watchdog_s: int = WATCHDOG_S,
        epoch: int = 0,
    ) -> None:
        self.intersection = intersection
        self.layout = layout(intersection)
        self.conflict: str | None = None
        self._plan_number = plan_number
        self._watchdog_s = watchdog_s
        self._engine = Engine(intersection)
        self._monitor = ConflictMonitor(intersection)
        self._runner = PlanRunner(intersection, self._engine)
        self._waiting = Waiting(intersection)
        self._gate = Gate(epoch=epoch)
        self._heartbeat = 0
        self._refusal = Refusal.NONE
        self._request = CabinetMode.LOCAL_PLAN
        self._central_plan = 0
        self._pending: Command | None = None
        self._promise: Promise | None = None
        self._left_stage = self._engine.stage
        self._panel = 0
        self._advance = False
        self._watchdog = self._bad_plan = False
        self._clock = CabinetClock()
        self._buttons = tuple(d for d in intersection.detectors if d.kind is DetectorKind.BUTTON)
        self._calls = [False] * len(self._buttons)
        self._lamp_fault = 0
        self._command_words = (0,) * COMMAND_LENGTH
        self._config_words = config_words(intersection)
        self._shown_readings = Readings(
            loops=(LoopReading(0, 0, fault=True, age_ds=WORD_MAX),) * self.layout.loops,
            zones=(ZoneReading(0, 0, 0.0, 0.0, fault=True, age_ds=WORD_MAX),) * self.layout.zones,
            buttons=tuple(self._calls),
        )
        self._readings = encode_readings(self._shown_readings)
        self._steering: Steering | None = None
        self._direction: Direction | None = None
        self._plan: Plan | None = None
        self._blocks: dict[int, tuple[int, ...]] | None = None
        self._publish()

    # The plant's side

    def tick(
        self, clock_s: float, date: str, readings: Readings, lamps: Sequence[Aspect] | None
    ) -> tuple[Aspect, ...]:
        """Live one second.

        Args:
            clock_s: the cabinet's clock at the start of this second, local seconds since midnight.
            date: local date, YYYY-MM-DD.
            readings: the detectors now; `buttons` are pressed now or latched by the sender.
            lamps: what the lamps really showed in the second that ends now, per group; None: no feedback.

        Returns:
            What the lamps are told to show from now on, one aspect per group.
        """
        engine = self._engine
        self._heartbeat = (self._heartbeat + 1) % COUNTER
        self._clock.set(date, clock_s)
        if lamps is not None:
            self._watch_lamps(lamps)
        for index, pressed in enumerate(readings.buttons):
            walking = any(engine.signals[g].aspect is Aspect.WALK for g in self._buttons[index].groups)
            self._calls[index] = self._calls[index] or (pressed and not walking)
        self._waiting.look(self._engine, readings, self._called_groups())
        self._watch_silence()
        self._apply_pending()
        self._follow_direction()
        before = engine.stage
        latest_end = self._decide(date)
        omit_walks = self._direction is not None and self._direction.omit_walks
        called = [False] * self.layout.groups if omit_walks else self._called_groups()
        aspects = engine.step(called, latest_end=latest_end)
        if engine.stage != before:
            self._left_stage = before
        for index, button in enumerate(self._buttons):
            if any(group in engine.walked for group in button.groups):
                self._calls[index] = False
        self._shown_readings = Readings(readings.loops, readings.zones, tuple(self._calls))
        self._readings = encode_readings(self._shown_readings)
        if self._steering is not None:
            self._steering.shown(self._shown_readings)
        self._publish()
        return aspects

    def set_panel(
        self, *, police: bool | None = None, door: bool | None = None, ups: bool | None = None
    ) -> None:
        """The switches inside the cabinet; None leaves one as it is.

        While `police` is on, the centre is refused and the stage is held; a commitment is still kept.
        """
        for bit, value in ((POLICE, police), (DOOR, door), (UPS, ups)):
            if value is not None:
                self._panel = self._panel | bit if value else self._panel & ~bit
        if police is not None:
            self._pending = self._promise = None
            self._request = CabinetMode.LOCAL_PLAN
            self._advance = False
            self._runner.leave()
        self._publish()

    def advance(self) -> None:
        """The police panel's button: on to the next stage as soon as it is legal."""
        self._advance = bool(self._panel & POLICE)

    def reset_monitor(self) -> None:
        """The manual reset at the cabinet, the only way out of a latched FLASH: starts up anew."""
        self._monitor.reset()
        self.conflict = None
        self.power_cycle()

    def power_cycle(self) -> None:
        """Return of power: start-up, then the own plan. A latched conflict stays latched."""
        self._request = CabinetMode.LOCAL_PLAN
        self._pending = self._promise = None
        self._runner.leave()
        if self.conflict is None:
            self._engine.restart()
        self._publish()

    # The wire's side

    def steer_by(self, steering: Steering) -> None:
        """Take standing orders, too; while there are any, command blocks are refused (`LOCAL_CONTROL`)."""
        self._steering = steering

    def load_plans(self, plans: Sequence[Plan]) -> None:
        """Other plans in the place of those that it holds; a running one goes over without a bump."""
        self.intersection = self._engine.intersection = replace(self.intersection, plans=tuple(plans))
        self._config_words = config_words(self.intersection)
        self._publish()

    @property
    def signals(self) -> Engine:
        """What is shown, for other wires than Modbus; not to be changed from there."""
        return self._engine

    @property
    def left_stage(self) -> int:
        """The stage before the running one."""
        return self._left_stage

    @property
    def shown_readings(self) -> Readings:
        """The detectors as of the last tick, calls latched."""
        return self._shown_readings

    def write(self, words: Sequence[int]) -> Refusal:
        """One command block as it was written; the verdict is in the status at once."""
        command, refusal = self._gate.judge(words, self._heartbeat)
        if command is not None:
            refusal = Refusal.LOCAL_CONTROL
            if not self._local_control and self._direction is None:
                refusal, self._promise = judge(command, self._engine, self._promise, self._left_stage)
            if refusal is Refusal.NONE:
                self._gate.accept(command, self._heartbeat)
                self._pending = command
                self._watchdog = False
        if refusal is not None:
            self._refusal = refusal
            self._command_words = tuple(words) if len(words) == COMMAND_LENGTH else self._command_words
            self._publish()
        return self._refusal

    def read(self, address: int, count: int) -> tuple[int, ...]:
        """Registers of one block.

        Raises:
            FrameError: the range is not inside one block of the map.
        """
        for start, words in self.blocks().items():
            if start <= address and address + count <= start + len(words) and count > 0:
                return words[address - start : address - start + count]
        raise FrameError(
            f"registers {address}..{address + count - 1} are not in the map",
            where=f"cabinet {self.intersection.id}",
            fix="read inside one block of the published map",
        )

    def blocks(self) -> dict[int, tuple[int, ...]]:
        """Every readable block by its address; the same object until a tick or a write changes something."""
        if self._blocks is not None:
            return self._blocks
        loops, calls, zones = self._readings
        blocks = {
            STATUS_ADDRESS: (*encode_status(self.status), *loops),
            CALLS_ADDRESS: calls,
            COMMAND_ADDRESS: self._command_words,
            ZONE_ADDRESS: zones,
            CONFIG_ADDRESS: self._config_words,
        }
        assert len(blocks[STATUS_ADDRESS]) == DETECTOR_ADDRESS + len(loops)
        self._blocks = {address: words for address, words in blocks.items() if words}
        return self._blocks

    @property
    def heartbeat(self) -> int:
        """Seconds that this cabinet has counted, modulo 65,536."""
        return self._heartbeat

    @property
    def mode(self) -> CabinetMode:
        """Who is in charge."""
        if self.conflict is not None:
            return CabinetMode.FLASH
        if self._engine.phase in (Phase.FLASH, Phase.ALL_RED):
            return CabinetMode.START
        if self._panel & POLICE:
            return CabinetMode.MANUAL
        return self._request

    @property
    def _local_control(self) -> bool:
        return self.mode in (CabinetMode.START, CabinetMode.FLASH, CabinetMode.MANUAL)

    # One second

    def _apply_pending(self) -> None:
        command, end = self._pending, self._promise
        self._pending = self._promise = None
        if command is None or self._local_control:
            return
        self._go_over(command.mode, command.plan)
        if end is not None:
            self._engine.commit(*end)

    def _follow_direction(self) -> None:
        steering = self._steering
        if steering is None:
            return
        before, self._direction = self._direction, steering.second()
        if self._direction is not None:
            self._watchdog = False
            if not self._local_control:
                self._go_over(self._direction.mode, self._direction.plan)
                if self._direction.force_to is not None:
                    self._engine.force_off(self._direction.force_to)
        elif before is not None:
            self._watchdog = steering.expired
            self._go_over(ModeRequest.RELEASE, 0)

    def _go_over(self, mode: ModeRequest, plan: int) -> None:
        request = {
            ModeRequest.RELEASE: CabinetMode.LOCAL_PLAN,
            ModeRequest.PLAN: CabinetMode.CENTRAL_PLAN,
            ModeRequest.ADAPTIVE: CabinetMode.ADAPTIVE,
        }[mode]
        if request is not self._request:
            log.info("%s: %s to %s", self.intersection.id, self._request.name, request.name)
            self._runner.leave()
        self._request = request
        self._central_plan = plan

    def _decide(self, date: str) -> int | None:
        """Let the own plan or the police panel act; returns by when the running green is to end, if known."""
        mode, second = self.mode, self._clock.second_of_day
        self._plan = None
        if mode is CabinetMode.MANUAL:
            if self._advance and self._engine.phase is Phase.GREEN:
                self._advance = False
                if self._engine.end_at is None:
                    self._runner.advance(self._next_in_order())
            return None
        if mode is CabinetMode.ADAPTIVE:
            latest = self._waiting.latest_end(self._engine)
            unheld = self._direction is not None and not self._direction.hold
            if unheld and latest is not None and self._engine.now + 1 >= latest:
                self._engine.force_off(self._next_in_order())
            return latest
        if mode not in (CabinetMode.LOCAL_PLAN, CabinetMode.CENTRAL_PLAN):
            return None
        number = self._central_plan if mode is CabinetMode.CENTRAL_PLAN else self._plan_number(date, second)
        plans = {plan.number: plan for plan in self.intersection.plans}
        self._bad_plan = number not in plans
        self._plan = plans.get(number, next(iter(plans.values()), None))
        if self._plan is not None:
            return self._runner.drive(self._plan, second)
        if self._engine.phase is Phase.GREEN and self._engine.end_at is None:
            self._runner.advance(self._next_in_order())
        return None

    def _next_in_order(self) -> int:
        count, stage = self.layout.stages, self._engine.stage
        order = [(stage + step) % count for step in range(1, count)]
        return next((s for s in order if self.intersection.transitions[stage][s]), stage)

    def _called_groups(self) -> list[bool]:
        called = [False] * self.layout.groups
        for button, pressed in zip(self._buttons, self._calls, strict=True):
            for group in button.groups:
                called[group] = called[group] or pressed
        return called

    def _watch_silence(self) -> None:
        silence = self._gate.silence_s(self._heartbeat)
        if self._direction is not None:
            return
        if self._request is CabinetMode.LOCAL_PLAN or silence is None or silence < self._watchdog_s:
            return
        log.warning("%s: no command accepted for %d s, local plan", self.intersection.id, silence)
        self._request = CabinetMode.LOCAL_PLAN
        self._watchdog = True
        self._runner.leave()

    def _watch_lamps(self, lamps: Sequence[Aspect]) -> None:
        shown = self._engine.aspects
        self._lamp_fault = sum(
            1 << group for group, aspect in enumerate(lamps[: len(shown)]) if aspect is not shown[group]
        )
        cause = self._monitor.watch(lamps)
        if cause is not None and self.conflict is None:
            log.error("%s: conflict monitor latched: %s", self.intersection.id, cause)
            self.conflict = cause
            self._request = CabinetMode.LOCAL_PLAN
            self._runner.leave()
            self._engine.flash()

    def _faults(self) -> Fault:
        faults = Fault.NONE
        for present, fault in (
            (self.conflict is not None, Fault.CONFLICT),
            (self._watchdog, Fault.WATCHDOG),
            (bool(self._lamp_fault), Fault.LAMP),
            (self._bad_plan, Fault.CONFIG),
            (self._clock.faulty, Fault.CLOCK),
        ):
            if present:
                faults |= fault
        return faults

    def _publish(self) -> None:
        self.status = self._make_status()
        self._blocks = None

    def _make_status(self) -> CabinetStatus:
        engine, plan = self._engine, self._plan
        aspects = engine.aspects

        def mask(*shown: Aspect) -> int:
            return sum(1 << group for group, aspect in enumerate(aspects) if aspect in shown)

        silence = self._gate.silence_s(self._heartbeat)
        heard_ds = WORD_MAX if silence is None else silence * DS_PER_S
        second = self._clock.second_of_day
        left = [0] * self.layout.stages
        left[engine.stage] = engine.min_left_s()
        return CabinetStatus(
            map_version=MAP_VERSION,
            junction=self.intersection.number,
            mode=self.mode,
            faults=self._faults(),
            heartbeat=self._heartbeat,
            accepted_seq=self._gate.accepted_seq,
            refusal=self._refusal,
            epoch=self._gate.epoch,
            lease_ds=max(0, LEASE_DS - heard_ds),
            heard_ds=heard_ds,
            stage=engine.stage,
            stage_elapsed_ds=engine.elapsed_s * DS_PER_S,
            stage_next=engine.next_stage,
            plan=plan.number if plan else 0,
            cycle_second=cycle_second(plan, second) if plan else 0,
            cycle_s=plan.cycle_s if plan else 0,
            utc_s=self._clock.utc_s,
            green=mask(Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK),
            yellow=mask(Aspect.YELLOW),
            red=mask(Aspect.RED),
            flashing=mask(Aspect.FLASH, Aspect.CLEARANCE),
            lamp_fault=self._lamp_fault,
            panel=self._panel,
            config_crc=self._config_words[-1],
            countdown_s=engine.countdown_s,
            monitor=int(self.conflict is not None),
            min_left_s=tuple(left),
        )
