"""The NTCIP side of the `Cabinet` contract.

Poll: one GET for everything (several only where the answer would not fit the message limit), at most one
repetition. Command: one SET of all control objects, which is also the heartbeat: each restarts the
controller's backup timer. A SET is never repeated: the next tick's says it anew. Where the controller has
snmpSetSerialNo, it carries that as the last poll read it, so that no copy of it is obeyed later.

What NTCIP does not carry is kept here and reported as the contract wants it: the sequence number and epoch of
our last accepted command, the committed end, green seconds. When somebody else writes control objects, ours
are given back once, nothing is written any more and `Fault.FOREIGN` is reported, until for a minute nothing
has stood and no centre was in charge (`ownership`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from denxanh.errors import FrameError, UnreachableError, WireError
from denxanh.networks.model import Intersection, Plan
from denxanh.plc.contract import CabinetStatus, Command, ModeRequest, Refusal, Report
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip import backup, driving, oids, ownership, reading
from denxanh.plc.ntcip.batch import Batch
from denxanh.plc.ntcip.carrier import Carrier
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.detecting import Detectors
from denxanh.plc.ntcip.discovery import discover, matches
from denxanh.plc.ntcip.download import download
from denxanh.plc.ntcip.driving import RELEASED, Promise, Wish
from denxanh.plc.ntcip.link import Link, Orders, Settings, batches
from denxanh.plc.ntcip.numbers import Numbers, Places, poll_names
from denxanh.plc.ntcip.ownership import Intrusion, Ledger
from denxanh.plc.ntcip.reading import Trail
from denxanh.plc.ntcip.reporting import POLICE_BIT, Remembered, Reporter, standing
from denxanh.plc.ntcip.stagemap import StageMap
from denxanh.plc.ntcip.tables import expected

log = logging.getLogger(__name__)

_BY_ITSELF = (reading.BACKUP_MODE, reading.OTHER_CONTROL)
"""Of unitControlStatus: in these, and when somebody there has taken it, the controller zeroes the control
objects by itself."""


@dataclass(slots=True)
class _Ours:
    """What became of our commands."""

    seq: int = 0
    epoch: int = 0
    refusal: Refusal = Refusal.NONE
    promise: Promise | None = None
    ledger: Ledger = field(default_factory=Ledger)
    intrusion: Intrusion | None = None


class _Poll(NamedTuple):
    """What is asked each second, and how it is read."""

    batches: tuple[Batch, ...]
    places: Places
    detectors: Detectors


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
        self._reporter = Reporter(intersection, self._layout, alarms=settings.short_alarm)
        self._names = poll_names(self._layout, stages, settings.suffix)
        self._poll: _Poll | None = None
        """None until it is known what the controller has."""
        self._orders = Orders(driving.control_names(stages, settings.suffix), settings.suffix)
        self._tables = expected(intersection, stages)
        self._matches = False
        self._set_id: int | None = None
        self._trail = Trail()
        self._ours = _Ours()
        self._found = RELEASED
        self._status: CabinetStatus | None = None
        self._busy = asyncio.Lock()

    @property
    def where(self) -> str:
        """Intersection, host and port, for errors."""
        return self._link.where

    @property
    def keeps_promises(self) -> bool:
        """See `Cabinet`: NTCIP cannot carry a committed end."""
        return False

    async def poll(self) -> Report:
        """Read status, detectors and calls.

        Raises:
            UnreachableError: no answer in time.
            FrameError: an answer that the MIB or the phase map does not allow, or an object that is missing.
        """
        async with self._busy:
            asked = self._poll or await self._discover()
            numbers = Numbers(asked.places, await self._link.read(asked.batches))
            self._link.serial = numbers.scalar_if_any(oids.SET_SERIAL)
            set_id = numbers.scalar(oids.SET_ID_PARAMETER)
            if set_id != self._set_id:
                self._matches, self._set_id = await matches(self._link, self._tables), set_id
            report = self._report(numbers, asked.detectors)
            self._status = report.status
            intrusion = self._ours.intrusion
            if intrusion is not None and not intrusion.given_back and not report.status.panel & POLICE_BIT:
                await self._let_go(intrusion)
            return report

    async def command(self, command: Command) -> None:
        """Set the control objects for the coming second; see `poll` for errors.

        Raises:
            FrameError: also where control is refused because of the controller's backup timer.
        """
        async with self._busy:
            status, ours = self._status, self._ours
            if status is None:
                raise UnreachableError("not polled yet", where=self.where, fix="poll first")
            if ours.intrusion is not None:
                ours.refusal = Refusal.LOCAL_CONTROL
                if command.mode is ModeRequest.RELEASE:
                    ours.seq, ours.refusal = command.seq, Refusal.NONE
                return
            if ours.epoch == 0 and not self._found.nothing:
                # An earlier run's or another centre's: not taken over before it is given back or expires.
                ours.refusal = Refusal.LOCAL_CONTROL
                return
            green = status.stage_elapsed_ds > 0
            refusal, promise = driving.judge(
                command, self._intersection, status.stage, green, ours.promise, self._trail.now
            )
            if refusal is not Refusal.NONE:
                ours.refusal = refusal
                return
            if command.mode is not ModeRequest.RELEASE:
                await self._arm()
            wish = driving.wish(
                command, self._intersection, self._stages, status.stage, promise, self._trail.now
            )
            # From here on what stands may be ours, answered or not.
            ours.epoch = command.epoch
            await self._write(wish)
            ours.seq, ours.refusal, ours.promise = command.seq, Refusal.NONE, promise
            if wish.nothing:
                await backup.verify_release(self._link, self._settings)

    async def download(self, plans: Sequence[Plan]) -> None:
        """Write plans into the controller; see `download.download`."""
        async with self._busy:
            await download(self._link, plans, self._stages, self._settings.suffix)

    async def close(self) -> None:
        """Let go of the socket, if it is our own."""
        self._link.close()

    async def _discover(self) -> _Poll:
        needs = {
            oids.MAX_PHASES: self._stages.phases,
            oids.MAX_CHANNELS: self._stages.channel_count,
            oids.MAX_VEHICLE_DETECTORS: self._layout.loops,
        }
        settings = self._settings
        self._names = await discover(self._link, self._names, needs, settings.suffix)
        places = Places(self._names, settings.suffix)
        self._poll = _Poll(
            batches(self._names, settings.max_message),
            places,
            Detectors(self._intersection, self._stages, places),
        )
        return self._poll

    # Decoding

    def _report(self, numbers: Numbers, detectors: Detectors) -> Report:
        found = self._found = standing(numbers, self._stages)
        trail = reading.passed(self._trail, numbers)
        # A restart of the SNMP program alone leaves the control objects, and what they promise.
        anew = found.nothing and reading.restarted(self._trail, trail)
        if anew:
            log.warning("%s: the controller has restarted", self.where)
            trail = reading.forgotten(trail)
            self._set_id = None
            self._ours.promise = None
        unseen = reading.silent(self._trail, numbers)
        if unseen:
            trail = trail._replace(green_since=None)
        trail, shown = reading.signals(trail, numbers, self._intersection, self._stages)
        seen = detectors.read(trail.counters, numbers)
        self._trail = trail = trail._replace(counters=seen.counters)
        control = numbers.scalar(oids.UNIT_CONTROL_STATUS)
        by_itself = control in _BY_ITSELF or reading.overridden(numbers, alarms=self._settings.short_alarm)
        self._look_for_others(found, control, cleared=anew or by_itself)
        ours = self._ours
        promise = ours.promise
        # Where nothing holds the green any more, the controller has gone on by itself.
        alone = by_itself or (unseen and found.nothing)
        if promise is not None and (alone or trail.green_since is None or trail.stage != promise.stage):
            ours.promise = None
        remembered = Remembered(
            ours.seq, ours.epoch, ours.refusal, ours.promise, ours.intrusion is not None, self._matches
        )
        return self._reporter.report(numbers, trail, shown, seen, remembered)

    def _look_for_others(self, found: Wish, control: int, *, cleared: bool) -> None:
        ours, now = self._ours, self._trail.now
        if ours.epoch == 0:
            return
        if ours.intrusion is not None:
            quiet = found.nothing and control != reading.SYSTEM_CONTROL
            ours.intrusion = ours.intrusion.heard(now, quiet=quiet)
            if ours.intrusion.over(now):
                log.warning("%s: nobody else has driven it for %d s", self.where, ownership.QUIET_S)
                ours.intrusion, ours.ledger, ours.refusal = None, Ledger(), Refusal.NONE
            return
        ours.ledger, sound = ownership.read_back(ours.ledger, now, found, cleared=cleared)
        if not sound:
            log.error("%s: somebody else writes its control objects: %s", self.where, found)
            ours.intrusion, ours.promise = Intrusion(), None

    # Writing

    async def _arm(self) -> None:
        try:
            await backup.arm(self._link, self._settings, self._trail.backup_s or 0)
        except FrameError:
            self._ours.refusal = Refusal.LOCAL_CONTROL
            raise

    async def _write(self, wish: Wish) -> None:
        ours = self._ours
        ours.ledger = ownership.sending(ours.ledger, self._trail.now, wish)
        await self._link.set_once(self._orders, driving.control_numbers(wish, self._stages.phases))
        ours.ledger = ownership.answered(ours.ledger)

    async def _let_go(self, intrusion: Intrusion) -> None:
        """Zeros until they are answered once, so that nothing of ours stands beside what the other writes.

        Not under the police panel: they wait until it is off.
        """
        try:
            await self._write(RELEASED)
        except WireError as error:
            log.warning("%s: not released, tried again with the next poll: %s", self.where, error)
            return
        self._ours.intrusion = replace(intrusion, given_back=True)
