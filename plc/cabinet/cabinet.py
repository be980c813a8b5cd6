"""The virtual cabinet: owns the lamps, obeys the centre only within its own rules, and needs nobody.

`tick` once per second, in step with the plant: what the street shows and detects goes in, what the lamps
show for the second comes out. `write` and `read` are the wire's side. A command is judged when it is written
(the answer stands in register 6 at once) and takes effect at the next tick. The controller's guard is not
used here: one checks the other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from denxanh.networks.model import Aspect, Intersection, Plan
from denxanh.plc.cabinet import registers
from denxanh.plc.cabinet.calls import Calls
from denxanh.plc.cabinet.charge import Charge
from denxanh.plc.cabinet.clock import CabinetClock
from denxanh.plc.cabinet.direction import Direction, Steering
from denxanh.plc.cabinet.engine import Engine, Phase
from denxanh.plc.cabinet.gate import COUNTER, Gate
from denxanh.plc.cabinet.inbox import Inbox
from denxanh.plc.cabinet.monitor import ConflictMonitor
from denxanh.plc.cabinet.programme import PlanNumber, Programme
from denxanh.plc.cabinet.waiting import Waiting
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, ModeRequest, Readings, Refusal
from denxanh.plc.modbus.config import config_words
from denxanh.plc.modbus.layout import layout

log = logging.getLogger(__name__)

WATCHDOG_S = 10
"""Without an accepted command for so long the cabinet is on its own plan, seconds (assumed;
docs/safety.md, "Time limits")."""
DOOR, POLICE, UPS = 1, 2, 4
"""Bits of the panel register."""


class VirtualCabinet:
    """One intersection's cabinet.

    Args:
        intersection: the cabinet's own tables.
        plan_number: its own schedule.
        watchdog_s: time without an accepted command after which it is on its own, seconds.
        epoch: highest epoch heard before power-up.
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
        self._watchdog_s = watchdog_s
        self._engine = Engine(intersection)
        self._monitor = ConflictMonitor(intersection)
        self._programme = Programme(self._engine, plan_number)
        self._charge = Charge(intersection.id, self._engine, self._programme)
        self._waiting = Waiting(intersection)
        self._gate = Gate(epoch=epoch)
        self._heartbeat = 0
        self._inbox = Inbox(self._engine, self._gate)
        self._left_stage = self._engine.stage
        self._panel = 0
        self._advance = False
        self._clock = CabinetClock()
        self._parts = registers.Parts(self._engine, self._gate, self._programme, self._clock)
        self._calls = Calls(intersection)
        self._lamp_fault = 0
        self._config_words = config_words(intersection)
        self._image = registers.Image(self.layout, self._calls.pressed, f"cabinet {intersection.id}")
        self._steering: Steering | None = None
        self._direction: Direction | None = None
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
        self._calls.press(readings.buttons, engine.aspects)
        self._waiting.look(engine, readings, self._calls.groups())
        self._watch_silence()
        self._apply_pending()
        self._follow_direction()
        before = engine.stage
        latest_end = self._decide(date)
        omitted = frozenset[int]() if self._direction is None else self._direction.omitted
        aspects = engine.step(self._calls.groups(), latest_end=latest_end, omitted=omitted)
        if engine.stage != before:
            self._left_stage = before
        self._calls.answer(engine.walked)
        self._image.show(Readings(readings.loops, readings.zones, self._calls.pressed))
        if self._steering is not None:
            self._steering.shown(self._image.shown)
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
            self._inbox.drop()
            self._charge.police = police
            self._charge.alone()
            self._advance = False
        self._publish()

    def advance(self) -> None:
        """The police panel's button: on to the next stage as soon as it is legal."""
        self._advance = bool(self._panel & POLICE)

    def reset_monitor(self) -> None:
        """The manual reset at the cabinet, the only way out of a latched FLASH: starts up anew."""
        self._monitor.reset()
        self._charge.conflict = None
        self.power_cycle()

    def power_cycle(self) -> None:
        """Return of power: start-up, then the own plan. A latched conflict stays latched."""
        self._charge.alone()
        self._inbox.drop()
        if self.conflict is None:
            self._engine.restart()
        if self._steering is not None:
            self._steering.restarted()
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
        return self._image.shown

    def write(self, words: Sequence[int]) -> Refusal:
        """One command block as it was written; the verdict is in the status at once."""
        barred = self._charge.local or self._direction is not None
        verdict = self._inbox.write(words, self._heartbeat, barred=barred, left_stage=self._left_stage)
        if verdict is Refusal.NONE:
            self._charge.silent = False
        if verdict is not None:
            self._publish()
        return self._inbox.refusal

    def read(self, address: int, count: int) -> tuple[int, ...]:
        """Registers of one block.

        Raises:
            FrameError: the range is not inside one block of the map.
        """
        return self._image.read(address, count)

    def blocks(self) -> dict[int, tuple[int, ...]]:
        """Every readable block by its address; the same object until a tick or a write changes something."""
        return self._image.blocks()

    @property
    def status(self) -> CabinetStatus:
        """The status block as of the last tick or write."""
        return self._image.status

    @property
    def commands(self) -> int:
        """Commands that were accepted since power-up: command blocks, and writes of control objects."""
        return self._inbox.accepted + (0 if self._steering is None else self._steering.orders)

    @property
    def heartbeat(self) -> int:
        """Seconds that this cabinet has counted, modulo 65,536."""
        return self._heartbeat

    @property
    def mode(self) -> CabinetMode:
        """Who is in charge."""
        return self._charge.mode

    @property
    def conflict(self) -> str | None:
        """Why the conflict monitor latched, or None."""
        return self._charge.conflict

    # One second

    def _apply_pending(self) -> None:
        command, end = self._inbox.take()
        if command is None or self._charge.local:
            return
        self._charge.go_over(command.mode, command.plan)
        if end is not None:
            self._engine.commit(*end)

    def _follow_direction(self) -> None:
        steering = self._steering
        if steering is None:
            return
        before, self._direction = self._direction, steering.second()
        if self._direction is not None:
            self._charge.silent = False
            if not self._charge.local:
                self._charge.go_over(self._direction.mode, self._direction.plan)
                if self._direction.force_to is not None:
                    self._engine.force_off(self._direction.force_to)
        elif before is not None:
            self._charge.silent = steering.expired
            self._charge.go_over(ModeRequest.RELEASE, 0)

    def _decide(self, date: str) -> int | None:
        """Let the own plan or the police panel act; returns by when the running green is to end, if known."""
        mode, direction, programme = self.mode, self._direction, self._programme
        programme.pause()
        if mode is CabinetMode.MANUAL:
            if self._advance and self._engine.phase is Phase.GREEN:
                self._advance = False
                if self._engine.end_at is None:
                    programme.advance()
            return None
        if mode is CabinetMode.ADAPTIVE:
            latest = self._waiting.latest_end(self._engine)
            unheld = direction is not None and not direction.hold
            if unheld and latest is not None and self._engine.now + 1 >= latest:
                self._engine.force_off(programme.next_in_order())
            return latest
        if mode not in (CabinetMode.LOCAL_PLAN, CabinetMode.CENTRAL_PLAN):
            return None
        plan = self._charge.plan
        position = None if plan is None or direction is None else direction.cycle_second
        return programme.drive(plan, date, self._clock.second_of_day, position)

    def _watch_silence(self) -> None:
        silence = self._gate.silence_s(self._heartbeat)
        if self._direction is not None:
            return
        if not self._charge.central or silence is None or silence < self._watchdog_s:
            return
        log.warning("%s: no command accepted for %d s, local plan", self.intersection.id, silence)
        self._charge.alone()
        self._charge.silent = True

    def _watch_lamps(self, lamps: Sequence[Aspect]) -> None:
        shown = self._engine.aspects
        self._lamp_fault = sum(
            1 << group for group, aspect in enumerate(lamps[: len(shown)]) if aspect is not shown[group]
        )
        cause = self._monitor.watch(lamps)
        if cause is not None and self.conflict is None:
            log.error("%s: conflict monitor latched: %s", self.intersection.id, cause)
            self._charge.conflict = cause
            self._charge.alone()
            self._engine.flash()

    def _faults(self) -> Fault:
        faults = Fault.NONE
        for present, fault in (
            (self.conflict is not None, Fault.CONFLICT),
            (self._charge.silent, Fault.WATCHDOG),
            (bool(self._lamp_fault), Fault.LAMP),
            (self._programme.unknown, Fault.CONFIG),
            (self._clock.faulty, Fault.CLOCK),
        ):
            if present:
                faults |= fault
        return faults

    def _publish(self) -> None:
        now = registers.Now(
            mode=self.mode,
            faults=self._faults(),
            heartbeat=self._heartbeat,
            refusal=self._inbox.refusal,
            lamp_fault=self._lamp_fault,
            panel=self._panel,
            config_crc=self._config_words[-1],
        )
        shown = registers.status(self._parts, now)
        self._image.publish(shown, self._inbox.words, self._config_words)
