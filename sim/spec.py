"""SPEC.json: what one street is to simulate, which cabinets stand in it, and what goes wrong when.

Every key is checked; an unknown one is an error. Paths are taken as they are (relative to the work folder).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.errors import ConfigError, SiteError
from denxanh.networks.demand import Fidelity
from denxanh.sim.faults import FaultKind


class Strict(BaseModel):
    """Every key is known, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CatalogueSource(Strict):
    """A corridor of the catalogue under one of its demand scenarios."""

    kind: Literal["catalogue"] = "catalogue"
    corridor: str
    scenario: str = "am"
    fidelity: Fidelity = Fidelity.SUBLANE
    scale: float = Field(default=1.0, gt=0.0, le=5.0)
    """Factor on all vehicle flows."""


class ForeignSource(Strict):
    """A SUMO scenario that anyone wrote; `intersections` limits what is controlled (empty: everything)."""

    kind: Literal["foreign"] = "foreign"
    sumocfg: Path
    begin_s: int | None = None
    end_s: int | None = None
    options: tuple[str, ...] = ()
    intersections: tuple[str, ...] = ()


class FilesSource(Strict):
    """A built net, its routes and its compiled corridor, file by file."""

    kind: Literal["files"] = "files"
    compiled: Path
    net: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...] = ()
    begin_s: int = 0
    end_s: int = 3600
    measure_from_s: int = 0
    fidelity: Fidelity = Fidelity.SUBLANE
    options: tuple[str, ...] = ()


Source = Annotated[CatalogueSource | ForeignSource | FilesSource, Field(discriminator="kind")]


class CabinetSpec(Strict):
    """One cabinet: its server and its local limits; `commitment_s` None leaves the corridor's.

    `profile` is the name or the path of a cabinet profile: the vendor whose map a Modbus server speaks.
    """

    intersection: str
    protocol: Literal["modbus", "ntcip"] = "modbus"
    community_file: Path | None = None
    """NTCIP: holds the community for writing; None: the one that NTCIP 1201 names."""
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    profile: str = Field(default="default", min_length=1)
    watchdog_s: int = Field(default=10, ge=2, le=600)
    commitment_s: int | None = Field(default=None, ge=0, le=60)


class Happening(StrEnum):
    """What can be made to go wrong."""

    DETECTOR = "detector"
    """`target` is INTERSECTION/DETECTOR, `fault` how it fails."""
    LINK = "link"
    """The server of cabinet `target` is gone, its connections cut."""
    PANEL = "panel"
    """A policeman opens the panel of cabinet `target`."""
    RESTART = "restart"
    """Cabinet `target` loses power for a moment and starts again."""
    CONFLICT = "conflict"
    """The lamps of `target` show two conflicting greens, whatever the cabinet wants."""


class FaultSpec(Strict):
    """One fault: from second `at_s` of the run, for `for_s` seconds (0: until the end)."""

    happening: Happening
    target: str
    at_s: int = Field(ge=0)
    for_s: int = Field(default=0, ge=0)
    fault: FaultKind = FaultKind.FROZEN


class GrantsSpec(Strict):
    """Where the clock channel listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class VdsSourceSpec(Strict):
    """One simulated camera: all zones of an intersection. `token` for HTTP."""

    id: str
    intersection: str
    token: str | None = None


class VdsSpec(Strict):
    """Zones that are also sent as VDS samples: to the controller's receiver, or to a broker."""

    by: Literal["http", "mqtt"]
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    topic: str = "denxanh/vds/v1"
    sources: tuple[VdsSourceSpec, ...]


class StreetSpec(Strict):
    """One street."""

    source: Source
    seed: int = Field(default=1, ge=0, lt=2**31)
    speed: float = Field(default=1.0, ge=0.0)
    """At most so many simulated seconds per wall second; 0: as fast as it goes."""
    seconds: int | None = Field(default=None, ge=1)
    """How long; None: to the foreign scenario's end, or as long as a catalogue corridor has demand (4 h)."""
    cabinets: tuple[CabinetSpec, ...] = ()
    """Empty: one on a free port for every intersection."""
    keys: Path | None = None
    """Folder with the cabinets' keys (`denxanh keys make`): they then speak mutual TLS only."""
    grants: GrantsSpec | None = None
    """None: no lock-step; the street runs freely."""
    wait_for_controller_s: float = Field(default=0.0, ge=0.0)
    backend: Literal["libsumo", "sumo", "sumo-gui"] = "libsumo"
    """SUMO in the street's process, in one of its own, or with its window (slower; to look at)."""
    field_like_errors: bool = False
    """Detectors with the assumed errors of the field instead of perfect ones."""
    faults: tuple[FaultSpec, ...] = ()
    vds: VdsSpec | None = None
    summary: Path | None = None
    ports: Path | None = None
    """Where the ports really used are written once every server listens."""


def load(path: Path) -> StreetSpec:
    """Read a SPEC.json.

    Raises:
        SiteError: it cannot be read, or a key is wrong; `defects` names each.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise SiteError(f"the street's specification cannot be read: {cause}", where=str(path)) from cause
    try:
        return StreetSpec.model_validate_json(text)
    except ValidationError as cause:
        defects = [
            ConfigError(one["msg"], where=".".join(str(part) for part in one["loc"]) or "file")
            for one in cause.errors()
        ]
        raise SiteError(
            "the street's specification is wrong", where=str(path), fix="correct each", defects=defects
        ) from cause
