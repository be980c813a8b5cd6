"""A cabinet's insides as its status block, and the blocks of the register map."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.errors import FrameError
from denxanh.networks.model import Aspect
from denxanh.plc.cabinet.clock import CabinetClock
from denxanh.plc.cabinet.engine import Engine
from denxanh.plc.cabinet.gate import DS_PER_S, Gate
from denxanh.plc.cabinet.programme import Programme
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Fault,
    LoopReading,
    Readings,
    Refusal,
    ZoneReading,
)
from denxanh.plc.modbus.layout import (
    CALLS_ADDRESS,
    COMMAND_ADDRESS,
    CONFIG_ADDRESS,
    DETECTOR_ADDRESS,
    MAP_VERSION,
    STATUS_ADDRESS,
    WORD_MAX,
    ZONE_ADDRESS,
    Layout,
)
from denxanh.plc.modbus.registers import encode_readings, encode_status

LEASE_DS = 50
"""What register 8 counts down from at each accepted command, deciseconds (assumed; for people only)."""

Words = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """What holds the cabinet's state, and keeps doing so."""

    engine: Engine
    gate: Gate
    programme: Programme
    clock: CabinetClock


@dataclass(frozen=True, slots=True)
class Now:
    """The rest of one second's state."""

    mode: CabinetMode
    faults: Fault
    heartbeat: int
    refusal: Refusal
    lamp_fault: int
    panel: int
    config_crc: int


def status(parts: Parts, now: Now) -> CabinetStatus:
    """The status block."""
    engine, gate, plan = parts.engine, parts.gate, parts.programme.plan
    aspects = engine.aspects

    def mask(*shown: Aspect) -> int:
        return sum(1 << group for group, aspect in enumerate(aspects) if aspect in shown)

    silence = gate.silence_s(now.heartbeat)
    heard_ds = WORD_MAX if silence is None else silence * DS_PER_S
    left = [0] * len(engine.intersection.stages)
    left[engine.stage] = engine.min_left_s()
    number, second = parts.programme.cycle
    return CabinetStatus(
        map_version=MAP_VERSION,
        junction=engine.intersection.number,
        mode=now.mode,
        faults=now.faults,
        heartbeat=now.heartbeat,
        accepted_seq=gate.accepted_seq,
        refusal=now.refusal,
        epoch=gate.epoch,
        lease_ds=max(0, LEASE_DS - heard_ds),
        heard_ds=heard_ds,
        stage=engine.stage,
        stage_elapsed_ds=engine.elapsed_s * DS_PER_S,
        stage_next=engine.next_stage,
        plan=number,
        cycle_second=second,
        cycle_s=plan.cycle_s if plan else 0,
        utc_s=parts.clock.utc_s,
        green=mask(Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK),
        yellow=mask(Aspect.YELLOW),
        red=mask(Aspect.RED),
        flashing=mask(Aspect.FLASH, Aspect.CLEARANCE),
        lamp_fault=now.lamp_fault,
        panel=now.panel,
        config_crc=now.config_crc,
        countdown_s=engine.countdown_s,
        monitor=int(Fault.CONFLICT in now.faults),
        min_left_s=tuple(left),
    )


class Image:
    """What the wires read of one cabinet.

    Attributes:
        status: the status block as of the last tick or write.
        shown: the detectors as of the last tick, calls latched.
    """

    status: CabinetStatus

    def __init__(self, layout: Layout, buttons: tuple[bool, ...], where: str) -> None:
        self._where = where
        self._blocks: dict[int, Words] | None = None
        self._command: Words = ()
        self._config: Words = ()
        self.show(
            Readings(
                loops=(LoopReading(0, 0, fault=True, age_ds=WORD_MAX),) * layout.loops,
                zones=(ZoneReading(0, 0, 0.0, 0.0, fault=True, age_ds=WORD_MAX),) * layout.zones,
                buttons=buttons,
            )
        )

    def show(self, readings: Readings) -> None:
        """The detectors of the second that begins; to be published with its status."""
        self.shown = readings
        self._readings = encode_readings(readings)

    def publish(self, shown: CabinetStatus, command: Words, config: Words) -> None:
        """From now on this is read."""
        self.status, self._command, self._config = shown, command, config
        self._blocks = None

    def blocks(self) -> dict[int, Words]:
        """Every readable block by its address; the same object until something else is published."""
        if self._blocks is None:
            loops, calls, zones = self._readings
            found = {
                STATUS_ADDRESS: (*encode_status(self.status), *loops),
                CALLS_ADDRESS: calls,
                COMMAND_ADDRESS: self._command,
                ZONE_ADDRESS: zones,
                CONFIG_ADDRESS: self._config,
            }
            assert len(found[STATUS_ADDRESS]) == DETECTOR_ADDRESS + len(loops)
            self._blocks = {address: words for address, words in found.items() if words}
        return self._blocks

    def read(self, address: int, count: int) -> Words:
        """Registers of one block.

        Raises:
            FrameError: the range is not inside one block of the map.
        """
        for start, words in self.blocks().items():
            if start <= address and address + count <= start + len(words) and count > 0:
                return words[address - start : address - start + count]
        raise FrameError(
            f"registers {address}..{address + count - 1} are not in the map",
            where=self._where,
            fix="read inside one block of the published map",
        )
