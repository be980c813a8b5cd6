"""The NTCIP side of the `Cabinet` contract.

Poll: one GET for everything (several only where the answer would not fit the message limit), at most one
repetition. Command: one SET of all control objects, which is also the heartbeat: each restarts the
controller's backup timer. A SET is never repeated: the next tick's says it anew.

What NTCIP does not carry is kept here and reported as the contract wants it: the sequence number and epoch of
our last accepted command, the committed end, green seconds. An epoch higher than ours is reported when
somebody else writes control objects; then control is released once, and nothing is written any more.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from denxanh.errors import FrameError, UnreachableError, WireError
from denxanh.networks.model import Intersection, Plan
from denxanh.plc.contract import CabinetMode, CabinetStatus, Command, Fault, ModeRequest, Refusal, Report
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import MAP_VERSION, WORD_MAX, layout
from denxanh.plc.modbus.registers import decode_report, encode_readings, encode_status
from denxanh.plc.ntcip import driving, oids, reading
from denxanh.plc.ntcip.ber import text
from denxanh.plc.ntcip.carrier import Carrier
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.download import download
from denxanh.plc.ntcip.driving import RELEASED, Promise, Wish
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.reading import MASKS, Numbers, Trail
from denxanh.plc.ntcip.stagemap import StageMap
from denxanh.plc.ntcip.tables import expected

log = logging.getLogger(__name__)

DS_PER_S = 10
RELEASE_LOOKS = 3
RELEASE_LOOK_S = 0.1
"""After a release the controller's state is looked at so often, so far apart."""
LATE_S = 5
"""A SET of ours, or a copy of it, may still reach the controller so long after it was sent, seconds."""
POLICE_BIT = 2


@dataclass(frozen=True, slots=True)
class _Ours:
    """What became of our commands."""

    seq: int = 0
    epoch: int = 0
    refusal: Refusal = Refusal.NONE
    written: Wish = RELEASED
    """The last SET that was answered."""
    sent: tuple[tuple[int, Wish], ...] = ()
    """With its second, each SET whose outcome is unknown or that may still come late: it, too, may stand."""
    promise: Promise | None = None
    lost: bool = False
    """Somebody else drives."""
    given_up: bool = False
    """After that: our zeros were answered."""

    @property
    def may_stand(self) -> tuple[Wish, ...]:
        """What the control objects may hold without anybody else's doing."""
        return (self.written, *(wish for _, wish in self.sent))


class NtcipCabinet:
    """One controller.

    Args:
        host: name or address.
        port: UDP port.
        intersection: what stands there, as the site has it.
        stages: its phases.
        settings: communities, version and habits.
        courier: the socket, shared with other cabinets, or (v3) a carrier; None opens a socket of its own.
    """

    def __init__(
        self,
        host: str,
        port: int,
        intersection: Intersection,
        stages: StageMap,
        settings: Settings,
        courier: Courier | Carrier | None = None,
    ) -> None:
        self._link = Link(host, port, intersection.id, settings, courier)
        self._settings = settings
        self._intersection = intersection
        self._stages = stages
        self._layout = layout(intersection)
        self._names = reading.poll_names(self._layout, stages, settings.suffix)
        self._callers = reading.callers(intersection, stages)
        self._tables = expected(intersection, stages)
        self._crc = config_crc(intersection)
        self._matches: bool | None = None
        self._set_id: int | None = None
        self._ready = False
        self._trail = Trail()
        self._ours = _Ours()
        self._status: CabinetStatus | None = None
        self._backup_s = 0
        self._busy = asyncio.Lock()

    @property
    def where(self) -> str:
        """Intersection, host and port, for errors."""
        return self._link.where

    async def poll(self) -> Report:
        """Read status, detectors and calls.

        Raises:
            UnreachableError: no answer in time.
            FrameError: an answer that the MIB or the phase map does not allow, or an object that is missing.
        """
        async with self._busy:
            if not self._ready:
                await self._discover()
            found = Numbers(await self._link.get(self._names), self._settings.suffix)
            await self._check_tables(found.scalar(oids.SET_ID_PARAMETER))
            report = self._report(found)
            self._status = report.status
            if self._ours.lost and not self._ours.given_up:
                await self._let_go()
            return report

    async def command(self, command: Command) -> None:
        """Set the control objects for the coming second; see `poll` for errors.

        Raises:
            FrameError: also where control is refused because the controller's backup timer is off.
        """
        async with self._busy:
            status, ours = self._status, self._ours
            if status is None or not self._ready:
                raise UnreachableError("not polled yet", where=self.where, fix="poll first")
            if ours.lost:
                self._ours = replace(ours, refusal=Refusal.STALE_EPOCH)
                return
            if ours.epoch == 0 and not self._standing(self._found).nothing:
                # An earlier run's or another centre's: not taken over before it is given back or expires.
                self._ours = replace(ours, refusal=Refusal.LOCAL_CONTROL)
                return
            green = status.stage_elapsed_ds > 0
            refusal, promise = driving.judge(
                command, self._intersection, status.stage, green, ours.promise, self._trail.now
            )
            if refusal is not Refusal.NONE:
                self._ours = replace(ours, refusal=refusal)
                return
            if command.mode is not ModeRequest.RELEASE:
                await self._arm_backup()
            wish = driving.wish(
                command, self._intersection, self._stages, status.stage, promise, self._trail.now
            )
            await self._write(wish)
            self._ours = replace(
                self._ours, seq=command.seq, epoch=command.epoch, refusal=Refusal.NONE, promise=promise
            )
            if wish.nothing:
                await self._verify_release()

    async def download(self, plan: Plan) -> None:
        """Write a plan into the controller; see `download.download`."""
        async with self._busy:
            await download(self._link, plan, self._stages, self._settings.suffix)

    async def close(self) -> None:
        """Let go of the socket, if it is our own."""
        self._link.close()

    # Connecting

    async def _discover(self) -> None:
        """Ask for what decides whether this can work, and find out what this controller does not have."""
        suffix = self._settings.suffix
        automatic, needs = (
            scalar(oids.COORD_OPERATIONAL_MODE, suffix),
            (
                (oids.MAX_PHASES, self._stages.phases),
                (oids.MAX_CHANNELS, self._stages.channel_count),
                (oids.MAX_VEHICLE_DETECTORS, self._layout.loops),
            ),
        )
        found = await self._link.get((automatic, *(scalar(oid, suffix) for oid, _ in needs)))
        for oid, least in needs:
            most = found[scalar(oid, suffix)]
            if most < least:
                raise FrameError(
                    f"the controller has {most} where {least} are needed",
                    where=f"{self.where}, {text(oid)}",
                    fix="correct the phase map, or wire fewer detectors",
                )
        if found[automatic] != 0:
            raise FrameError(
                "coordOperationalMode is not 0 (automatic), so systemPatternControl has no effect",
                where=f"{self.where}, {text(oids.COORD_OPERATIONAL_MODE)}",
                fix="set it to 0 at the controller",
            )
        missing = await self._link.missing(self._names)
        needed = [name for name in missing if not reading.optional(name)]
        if needed:
            raise FrameError(
                f"the controller lacks {len(needed)} of the objects that control needs",
                where=f"{self.where}, {', '.join(text(name) for name in needed[:8])}",
                fix="check the phase map and the instance suffix, or use another cabinet",
            )
        if missing:
            log.warning("%s: without %s", self.where, ", ".join(text(name) for name in missing[:8]))
            self._names = tuple(name for name in self._names if name not in missing)
        self._ready = True

    async def _check_tables(self, set_id: int) -> None:
        """Compare timings and plans at the start and whenever the controller says that they changed."""
        if set_id == self._set_id:
            return
        try:
            found = await self._link.get(tuple(self._tables))
        except FrameError as error:
            log.warning("%s: its tables cannot be read: %s", self.where, error)
            found = {}
        wrong = [
            f"{text(oid)} is {found.get(oid)} instead of {number}"
            for oid, number in self._tables.items()
            if found.get(oid) != number
        ]
        if wrong:
            some = "; ".join(wrong[:8])
            log.warning("%s: %d objects differ from our tables: %s", self.where, len(wrong), some)
        self._matches, self._set_id = not wrong, set_id

    # Decoding

    def _standing(self, found: Numbers) -> Wish:
        return Wish(
            {column: found.mask(oids.PHASE_CONTROL_GROUP, column, self._stages.phases) for column in MASKS},
            found.scalar(oids.SYSTEM_PATTERN_CONTROL),
        )

    def _report(self, found: Numbers) -> Report:
        self._found = found
        trail = reading.passed(self._trail, found)
        trail, shown = reading.signals(trail, found, self._intersection, self._stages)
        trail, detectors = reading.readings(trail, found, self._layout, self._callers, self._stages.phases)
        self._trail = trail
        self._backup_s = found.scalar(oids.UNIT_BACKUP_TIME)
        self._look_for_others(found)
        green = trail.green_since is not None
        promise = self._ours.promise
        if promise is not None and (not green or trail.stage != promise.stage):
            promise = None
            self._ours = replace(self._ours, promise=None)
        mode = reading.mode(found, shown, None if promise is None else promise.following)
        if not shown.known and mode is CabinetMode.ADAPTIVE:
            mode = CabinetMode.LOCAL_ACTUATED
        ours = self._ours
        plan = found.scalar(oids.COORD_PATTERN_STATUS)
        plan = plan if oids.STANDBY_PATTERN < plan < oids.FREE_PATTERN else 0
        cycle_s = next((one.cycle_s for one in self._intersection.plans if one.number == plan), 0)
        monitor = bool(found.scalar(oids.UNIT_ALARM_STATUS_1) & reading.MMU_FLASH_BIT)
        expired = found.scalar(oids.UNIT_CONTROL_STATUS) == reading.BACKUP_MODE
        time = found.scalar(oids.GLOBAL_TIME)
        status = CabinetStatus(
            map_version=MAP_VERSION,
            junction=self._layout.junction,
            mode=mode,
            faults=Fault(Fault.CONFLICT * monitor | Fault.WATCHDOG * expired),
            heartbeat=time & WORD_MAX,
            accepted_seq=ours.seq,
            refusal=ours.refusal,
            epoch=min(ours.epoch + 1, WORD_MAX) if ours.lost else ours.epoch,
            lease_ds=0,
            heard_ds=0,
            stage=trail.stage,
            stage_elapsed_ds=(
                min(trail.now - trail.green_since + 1, WORD_MAX // DS_PER_S) * DS_PER_S
                if trail.green_since is not None
                else 0
            ),
            stage_next=trail.stage if promise is None else promise.following,
            plan=plan,
            cycle_second=min(max(found.scalar(oids.COORD_SYNC_STATUS), 0), WORD_MAX),
            cycle_s=cycle_s,
            utc_s=time & 0xFFFFFFFF,
            green=shown.green,
            yellow=shown.yellow,
            red=shown.red,
            flashing=shown.flashing,
            lamp_fault=0,
            panel=POLICE_BIT if mode is CabinetMode.MANUAL else 0,
            config_crc=self._crc if self._matches else self._crc ^ WORD_MAX,
            countdown_s=0 if promise is None else max(1, promise.end - trail.now),
            monitor=int(monitor),
            min_left_s=(0,) * self._layout.stages,
        )
        words = (encode_status(status), *encode_readings(detectors))
        return decode_report(words, self._layout)

    def _look_for_others(self, found: Numbers) -> None:
        ours = self._ours
        if ours.epoch == 0 or ours.lost:
            return
        control = found.scalar(oids.UNIT_CONTROL_STATUS)
        cleared = control in (reading.BACKUP_MODE, reading.OTHER_CONTROL, reading.MANUAL)
        standing = self._standing(found)
        if not driving.foreign(standing, ours.may_stand, cleared=cleared):
            return
        log.error("%s: somebody else writes its control objects: %s", self.where, standing)
        self._ours = replace(ours, lost=True, refusal=Refusal.STALE_EPOCH)

    # Writing

    async def _arm_backup(self) -> None:
        """No control without the backup timer: a controller that is left alone must come back by itself."""
        if self._backup_s > 0 and not self._settings.set_backup_time:
            return
        if self._backup_s == self._settings.backup_s:
            return
        name = scalar(oids.UNIT_BACKUP_TIME, self._settings.suffix)
        if not self._settings.set_backup_time:
            self._ours = replace(self._ours, refusal=Refusal.LOCAL_CONTROL)
            raise FrameError(
                "control is refused: unitBackupTime is 0, so the controller would never leave it by itself",
                where=f"{self.where}, {text(name)}",
                fix="set it to 10..30 s at the controller, or set_backup_time = true in the site file",
            )
        await self._link.set({name: self._settings.backup_s})
        self._backup_s = await self._link.get_one(name)
        if self._backup_s != self._settings.backup_s:
            raise FrameError(
                f"unitBackupTime stays {self._backup_s} although {self._settings.backup_s} was set",
                where=f"{self.where}, {text(name)}",
                fix="set it at the controller",
            )

    async def _write(self, wish: Wish) -> None:
        now = self._trail.now
        # Without an answer, none of those since the last answered one is forgotten, however old.
        self._ours = replace(self._ours, sent=_distinct((*self._ours.sent, (now, wish))))
        await self._link.set(driving.varbind_numbers(wish, self._stages, self._settings.suffix))
        recent = tuple((second, one) for second, one in self._ours.sent if now - second <= LATE_S)
        self._ours = replace(self._ours, written=wish, sent=recent)

    async def _let_go(self) -> None:
        """Zeros until they are answered once, so that nothing of ours stands beside what the other writes."""
        try:
            await self._write(RELEASED)
        except WireError as error:
            log.warning("%s: not released, tried again with the next poll: %s", self.where, error)
            return
        self._ours = replace(self._ours, given_up=True)

    async def _verify_release(self) -> None:
        name = scalar(oids.UNIT_CONTROL_STATUS, self._settings.suffix)
        for _ in range(RELEASE_LOOKS):
            if await self._link.get_one(name) != reading.SYSTEM_CONTROL:
                return
            await asyncio.sleep(RELEASE_LOOK_S)
        raise FrameError(
            "control was given back, but unitControlStatus still says systemControl",
            where=f"{self.where}, {text(name)}",
            fix="look for another centre; its backup timer ends it otherwise",
        )


def _distinct(sent: tuple[tuple[int, Wish], ...]) -> tuple[tuple[int, Wish], ...]:
    """Each wish once, with its latest second; a hold that is repeated for hours is one entry."""
    kept: list[tuple[int, Wish]] = []
    for second, wish in reversed(sent):
        if all(wish != other for _, other in kept):
            kept.append((second, wish))
    return tuple(reversed(kept))


__all__ = ["NtcipCabinet"]
