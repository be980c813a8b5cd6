"""The `Cabinet` contract: what the controller may say to a cabinet and what it hears back.

Every protocol adapter (Modbus, NTCIP) speaks these types. Times are whole deciseconds
where the wire has them (suffix `_ds`), so that a value survives the wire unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple, Protocol


class CabinetMode(IntEnum):
    """Status register 2. `CENTRAL_PLAN` extends the published list: a plan that the centre asked for."""

    START = 0
    LOCAL_PLAN = 1
    LOCAL_ACTUATED = 2
    ADAPTIVE = 3
    MANUAL = 4
    FLASH = 5
    DARK = 6
    FAULT = 7
    CENTRAL_PLAN = 8


class ModeRequest(IntEnum):
    """Command register 5. A request never bypasses the cabinet's own checks."""

    RELEASE = 0
    """Give the cabinet back to its own plan now."""
    PLAN = 1
    ADAPTIVE = 2


class Refusal(IntEnum):
    """Why the cabinet did not do what the last command said (status register 6)."""

    NONE = 0
    MALFORMED = 1
    """Wrong magic, CRC, length, or a value outside its range."""
    EXPIRED = 2
    """The echoed heartbeat counter is further back than the TTL, or lies in the future."""
    STALE_EPOCH = 3
    """A younger controller has been heard."""
    UNKNOWN_STAGE = 4
    UNKNOWN_PLAN = 5
    MIN_GREEN = 6
    """The committed end would cut a min green, a walk or a pedestrian clearance."""
    COMMITMENT = 7
    """It would break, or come later than, the commitment time."""
    TRANSITION = 8
    """The stage graph has no such edge."""
    LOCAL_CONTROL = 9
    """Police panel, flash, start-up or fault: the centre is not in charge."""
    OUT_OF_ORDER = 10
    """Sequence number older than the last accepted one of the same epoch."""


class Fault(IntFlag):
    """Status register 3."""

    NONE = 0
    CONFLICT = 1
    WATCHDOG = 2
    LAMP = 4
    CONFIG = 8
    CLOCK = 16
    FOREIGN = 32
    """Somebody else writes the orders that stand in it; only where the wire has no epoch (NTCIP)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One atomic command block; it is also the heartbeat. `stage` is the running stage to extend it.

    A commitment (`committed_end_ds` > 0) says when the running green ends and what follows; the
    cabinet executes and displays it whatever happens to the link. "From now" is the cabinet's next
    whole second. Where the intersection's `commitment_s` is 0, a `stage` other than the running one with
    `committed_end_ds` 0 means: end now. Elsewhere that is refused (`COMMITMENT`).
    On the wire `stage` and `plan` share a register: `plan` travels in mode `PLAN`, else `stage`.
    """

    seq: int
    epoch: int
    heartbeat_echo: int
    ttl_ds: int
    mode: ModeRequest
    stage: int
    plan: int = 0
    committed_end_ds: int = 0
    committed_next: int = 0


@dataclass(frozen=True, slots=True)
class CabinetStatus:
    """The status block, decoded. Masks have bit g set for signal group g."""

    map_version: int
    junction: int
    mode: CabinetMode
    faults: Fault
    heartbeat: int
    accepted_seq: int
    refusal: Refusal
    epoch: int
    lease_ds: int
    heard_ds: int
    stage: int
    """Running stage; during an interstage the one that comes next."""
    stage_elapsed_ds: int
    """Green time of `stage`, the second that is being shown included (so at least 10 in green);
    0 while the interstage towards it runs."""
    stage_next: int
    """Committed next stage; equal to `stage` without a commitment and during an interstage."""
    plan: int
    cycle_second: int
    cycle_s: int
    utc_s: int
    green: int
    yellow: int
    red: int
    flashing: int
    """Bits of `flashing`: flashing yellow for vehicles; clearance for pedestrians."""
    lamp_fault: int
    panel: int
    """Bit 0 door, bit 1 police panel, bit 2 on UPS."""
    config_crc: int
    countdown_s: int
    """Committed seconds of green left as the heads show it, the second that is being shown included
    (a commitment of 8 s shows 8, 7, ... 1); 0 without a commitment."""
    monitor: int
    """0 good, 1 conflict latched."""
    min_left_s: tuple[int, ...]


class LoopReading(NamedTuple):
    """A loop's free-running counters (both wrap at 65,536).

    A named tuple, like `ZoneReading`: a poll makes dozens of them each second.
    """

    count: int  # type: ignore[assignment]  # hides tuple's method, which nobody needs here
    occupied_ds: int
    fault: bool
    age_ds: int


class ZoneReading(NamedTuple):
    """A VDS zone now. `vehicles` and `queued` count vehicles, not pcu; occupancy in [0, 1]."""

    vehicles: int
    queued: int
    occupancy: float
    speed_kmh: float
    fault: bool
    age_ds: int


@dataclass(frozen=True, slots=True)
class Readings:
    """All of a cabinet's detectors, in the order of `Intersection.detectors` within each kind."""

    loops: tuple[LoopReading, ...]
    zones: tuple[ZoneReading, ...]
    buttons: tuple[bool, ...]
    """A push button stays called until its walk starts."""


@dataclass(frozen=True, slots=True)
class Report:
    """One poll."""

    status: CabinetStatus
    readings: Readings
    words: tuple[tuple[int, ...], ...] = ()
    """The wire's own registers, for the journal: what was decoded can be decoded again."""


class Cabinet(Protocol):
    """One cabinet behind one protocol.

    Raises (every method): `UnreachableError` when the peer does not answer in time,
    `FrameError` when it answers nonsense. Neither leaves the adapter unusable.
    """

    @property
    def keeps_promises(self) -> bool:
        """Whether the cabinet carries a commitment to its end by itself.

        Where not, it must be commanded until then: a release is then carried out only at that end.
        """
        ...

    async def poll(self) -> Report:
        """Read status, detectors and calls."""
        ...

    async def command(self, command: Command) -> None:
        """Write one command block. Acceptance or refusal shows in a later poll's status."""
        ...

    async def close(self) -> None:
        """Let go of the link; never raises."""
        ...
