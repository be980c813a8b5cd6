"""A poll as the contract wants it: what NTCIP says, and what it does not carry and we remember. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, Refusal, Report
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import MAP_VERSION, WORD_MAX, Layout
from denxanh.plc.modbus.registers import status_words
from denxanh.plc.ntcip import oids, reading
from denxanh.plc.ntcip.detecting import Detected
from denxanh.plc.ntcip.driving import DS_PER_S, Promise, Wish
from denxanh.plc.ntcip.numbers import MASKS, Numbers
from denxanh.plc.ntcip.reading import Signals, Trail
from denxanh.plc.ntcip.stagemap import StageMap

POLICE_BIT = 2


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the wire does not carry."""

    seq: int
    epoch: int
    refusal: Refusal
    promise: Promise | None
    foreign: bool
    """Whether somebody else drives."""
    matches: bool
    """Whether the controller's tables are ours."""


def standing(found: Numbers, stages: StageMap) -> Wish:
    """The control objects as they are read."""
    return Wish(
        dict(zip(MASKS, found.masks(oids.PHASE_CONTROL_GROUP, MASKS, stages.phases), strict=True)),
        found.scalar(oids.SYSTEM_PATTERN_CONTROL),
        found.scalar(oids.SYSTEM_SYNC_CONTROL),
    )


class Reporter:
    """Puts one intersection's reports together; `alarms`: whether shortAlarmStatus says who is in charge."""

    def __init__(self, intersection: Intersection, layout: Layout, *, alarms: bool = True) -> None:
        self._alarms = alarms
        self._intersection = intersection
        self._layout = layout
        self._crc = config_crc(intersection)
        self._none_left = (0,) * layout.stages

    def report(
        self, found: Numbers, trail: Trail, shown: Signals, seen: Detected, ours: Remembered
    ) -> Report:
        """One poll's: what its registers say (`decode_report`), without decoding them."""
        fields = self._fields(found, trail, shown, ours)
        words = (status_words(fields, ()), *seen.words)
        fields["mode"] = CabinetMode(fields["mode"])
        fields["refusal"] = ours.refusal
        fields["faults"] = Fault(fields["faults"])
        status = CabinetStatus(**fields, min_left_s=self._none_left)  # type: ignore[arg-type]  # see above
        return Report(status, seen.readings, words)

    def _fields(self, found: Numbers, trail: Trail, shown: Signals, ours: Remembered) -> dict[str, int]:
        promise = ours.promise
        mode = reading.mode(found, shown, None if promise is None else promise.following, alarms=self._alarms)
        if not shown.known and mode is CabinetMode.ADAPTIVE:
            mode = CabinetMode.CENTRAL_PLAN
        pattern = found.scalar(oids.COORD_PATTERN_STATUS)
        plan = pattern if oids.STANDBY_PATTERN < pattern < oids.FREE_PATTERN else 0
        monitor = bool(found.scalar(oids.UNIT_ALARM_STATUS_1) & reading.MMU_FLASH_BIT)
        control = found.scalar(oids.UNIT_CONTROL_STATUS)
        expired = control == reading.BACKUP_MODE
        time = found.scalar(oids.GLOBAL_TIME)
        faults = Fault.CONFLICT * monitor | Fault.WATCHDOG * expired | Fault.FOREIGN * ours.foreign
        return {
            "map_version": MAP_VERSION,
            "junction": self._layout.junction,
            "mode": int(mode),
            "faults": int(faults),
            "heartbeat": time & WORD_MAX,
            "accepted_seq": ours.seq,
            "refusal": int(ours.refusal),
            "epoch": ours.epoch,
            "lease_ds": 0,
            "heard_ds": 0,
            "stage": trail.stage,
            "stage_elapsed_ds": _elapsed_s(trail) * DS_PER_S,
            "stage_next": trail.stage if promise is None else promise.following,
            "plan": plan,
            "cycle_second": min(max(found.scalar(oids.COORD_SYNC_STATUS), 0), WORD_MAX),
            "cycle_s": next((one.cycle_s for one in self._intersection.plans if one.number == plan), 0),
            "utc_s": time & 0xFFFFFFFF,
            "green": shown.green,
            "yellow": shown.yellow,
            "red": shown.red,
            "flashing": shown.flashing,
            "lamp_fault": 0,
            # It may flash by that panel.
            "panel": POLICE_BIT * reading.overridden(found, alarms=self._alarms),
            "config_crc": self._crc if ours.matches else self._crc ^ WORD_MAX,
            "countdown_s": 0 if promise is None else max(1, promise.end - trail.now),
            "monitor": int(monitor),
        }


def _elapsed_s(trail: Trail) -> int:
    """Green seconds, the one that is being shown included; 0 between two greens."""
    if trail.green_since is None:
        return 0
    return min(trail.now - trail.green_since + 1, WORD_MAX // DS_PER_S)
