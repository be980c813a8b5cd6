"""SITE.toml: which cabinets the controller drives, where, and by which policy.

Every defect of a file is found in one run; each names the file and the field.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from denxanh.agents import registry
from denxanh.agents.model_card import ModelCard, refusals
from denxanh.controller import console_site
from denxanh.controller.admission import Objection, admit
from denxanh.controller.console_site import Console, ConsoleTable
from denxanh.controller.guard import guard_config
from denxanh.controller.priority import tables
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.tables import RequestTables
from denxanh.controller.vds import tables as vds_tables
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.tables import VdsTables
from denxanh.controller.vds.zones import without
from denxanh.errors import DenXanhError, SecretError, SiteError
from denxanh.networks import catalogue, compiled
from denxanh.networks.model import Corridor, Intersection
from denxanh.plc.modbus import profile
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.secure import SecureLink
from denxanh.plc.ntcip import stagemap
from denxanh.plc.security.certificates import ROLE_OID
from denxanh.plc.security.links import LinkKeys, client_context
from denxanh.plc.security.secrets import read_line

DEFAULT_WATCHDOG_S = 10
"""Silence after which the cabinet is on its own plan, s (assumed; docs/safety.md, "Time limits")."""

_Port = Annotated[int, Field(ge=1, le=65_535)]
_Name = Annotated[str, Field(min_length=1)]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, pattern=r"^[^\x00-\x1f]+$")]
"""One line that says something."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _SiteTable(_Table):
    corridor: _Name
    state_dir: _Name
    policy: _Name = "max-pressure"
    ungated: _Words | None = None
    """Why a model without a passed gate may control nevertheless; whoever writes it answers for it."""
    epoch_file: _Name | None = None


class Endpoint(_Table):
    """A host and a TCP port."""

    host: _Name = "127.0.0.1"
    port: _Port


SNMP_PORT = 161


class CabinetEntry(_Table):
    """One `[[cabinet]]`: where an intersection's cabinet answers."""

    intersection: _Name
    protocol: Literal["modbus", "ntcip"] = "modbus"
    host: _Name
    port: _Port = 502
    """161 where NTCIP is spoken and nothing else is said."""
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    profile: _Name = "default"
    watchdog_s: Annotated[int, Field(ge=4, le=120)] = DEFAULT_WATCHDOG_S
    """Longer than the command TTL (3 s); 120 s is the longest that the field asks for (RSMP)."""
    commitment_s: Annotated[int, Field(ge=0, le=30)] | None = None
    """Replaces the intersection's own."""
    tls: bool | None = None
    """Mutual TLS; by default wherever the site has a `[tls]` table."""
    server_name: _Name | None = None
    """What the cabinet's certificate must call it; by default the intersection."""
    community_file: _Name | None = None
    """NTCIP: holds the community for writing."""
    read_community: Annotated[str, Field(min_length=1, max_length=255)] = "public"
    phases: _Name | None = None
    """NTCIP: a TOML file with the phases of each stage; without it, one phase per stage."""
    snmp: Literal["1", "2c"] = "1"
    instance: Annotated[str, Field(pattern=r"^(\d{1,3}(\.\d{1,3}){0,3})?$")] = "0"
    """NTCIP: instance of scalars; some controllers answer "1", some none ("")."""
    set_backup_time: bool = True
    """NTCIP: keep unitBackupTime at `watchdog_s`; without, control is refused while it is 0."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, given: Any) -> Any:
        ntcip = isinstance(given, dict) and given.get("protocol") == "ntcip"
        return {"port": SNMP_PORT, **given} if ntcip else given

    @model_validator(mode="after")
    def _may_write(self) -> Self:
        if self.protocol == "ntcip" and self.community_file is None:
            raise ValueError("NTCIP needs a community_file: the community for writing, in a file of its own")
        return self


class TlsTable(_Table):
    """`[tls]`: the keys of device links (Modbus/TCP Security)."""

    ca: _Name
    certificate: _Name
    key: _Name
    crl: _Name | None = None
    role_oid: Annotated[str, StringConstraints(pattern=r"^[0-2](\.[0-9]{1,9}){2,20}$")] = ROLE_OID
    cabinet_keys: _Name | None = None
    """Folder with every cabinet's own NAME.crt and NAME.key: for virtual cabinets only."""


def _not_empty(entries: tuple[CabinetEntry, ...]) -> tuple[CabinetEntry, ...]:
    if not entries:
        raise ValueError("a site needs at least one cabinet")
    return entries


class _File(RequestTables, VdsTables):
    site: _SiteTable
    console: ConsoleTable | None = None
    clock: Endpoint | None = None
    cabinet: Annotated[tuple[CabinetEntry, ...], Field(strict=False), AfterValidator(_not_empty)]
    tls: TlsTable | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A site file, read and checked. `intersections` aligns with `cabinets`, overrides applied.

    A model in `policy` is named by its absolute path.
    """

    path: Path
    corridor_name: str
    corridor: Corridor
    intersections: tuple[Intersection, ...]
    cabinets: tuple[CabinetEntry, ...]
    vds: VdsTables
    """Paths in it are absolute."""
    vds_sources: tuple[Source, ...]
    state_dir: Path
    epoch_file: Path
    policy: str
    store: str
    """URL of what the centre keeps."""
    console: Console | None
    clock: Endpoint | None
    model: ModelCard | None = None
    """Of a learned policy."""
    ungated: str | None = None
    keys: LinkKeys | None = None
    """The controller's, for device links."""
    cabinet_keys: Path | None = None
    """Folder of the virtual cabinets' keys."""
    requests: Settings | None = None
    """What requests (emergency, bus, flood) may do; None: the file names no source, so nobody can ask."""
    key_files: tuple[tuple[str, Path], ...] = ()
    """Of the sources of requests."""

    def secure_link(self, entry: CabinetEntry) -> SecureLink | None:
        """How to reach a cabinet over mutual TLS; None for a plain link."""
        if self.keys is None or entry.tls is False or entry.protocol != "modbus":
            return None
        return SecureLink(self.keys, entry.server_name or entry.intersection)

    def own_keys(self, entry: CabinetEntry) -> LinkKeys | None:
        """A virtual cabinet's own keys; None for a plain door.

        Raises:
            SiteError: it is to speak TLS, but the site file names no folder for its keys.
        """
        link = self.secure_link(entry)
        if link is None:
            return None
        if self.cabinet_keys is None:
            raise SiteError(
                f"{entry.intersection} has no keys of its own",
                where=f"{self.path}: tls.cabinet_keys",
                fix="name the folder with its .crt and .key, or set tls = false for it",
            )
        mine = self.cabinet_keys / link.name
        return replace(
            link.keys,
            certificate=mine.with_name(f"{link.name}.crt"),
            key=mine.with_name(f"{link.name}.key"),
        )

    @property
    def unfit(self) -> tuple[str, ...]:
        """Why the model may not control a street of its own right; empty for rules, too."""
        return () if self.model is None else tuple(refusals(self.model))


def load(path: Path) -> Site:
    """Read a site file. Relative paths in it start at its own folder.

    Raises:
        SiteError: with every defect that was found.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(f"not TOML: {error}", where=str(path)) from error
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise _refuse(path, [_defect(path, item) for item in error.errors()]) from error
    return _site(path, file)


def write_site(
    path: Path,
    *,
    corridor: str,
    state_dir: str,
    policy: str,
    cabinets: Sequence[CabinetEntry],
    console: ConsoleTable | None = None,
    clock: Endpoint | None = None,
    epoch_file: str | None = None,
    ungated: str | None = None,
    tls: TlsTable | None = None,
    vds: VdsTables | None = None,
) -> None:
    """Write a site file that `load` reads back (the demo's)."""
    site = _SiteTable(
        corridor=corridor, state_dir=state_dir, policy=policy, ungated=ungated, epoch_file=epoch_file
    )
    blocks: list[tuple[str, BaseModel | None]] = [
        ("[site]", site),
        ("[console]", console),
        ("[clock]", clock),
        ("[tls]", tls),
    ]
    blocks += [("[[cabinet]]", entry) for entry in cabinets]
    if vds is not None:
        blocks += [("[vds_http]", vds.vds_http), ("[vds_mqtt]", vds.vds_mqtt)]
        blocks += [("[[vds]]", entry) for entry in vds.vds]
    text = "\n".join(_toml(head, table) for head, table in blocks if table is not None)
    path.write_text(text, encoding="utf-8")


def _toml(head: str, table: BaseModel) -> str:
    # A JSON string without escaped slashes is a TOML basic string; the numbers are whole.
    values = table.model_dump(exclude_none=True).items()
    return "\n".join(
        [head, *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values), ""]
    )


def _site(path: Path, file: _File) -> Site:
    folder = path.resolve().parent
    state_dir = folder / file.site.state_dir
    try:
        corridor = find_corridor(file.site.corridor, folder)
    except DenXanhError as error:
        raise _refuse(path, [SiteError(str(error), where=f"{path}: site.corridor")]) from error
    intersections: list[Intersection] = []
    found: list[tuple[str, CabinetEntry]] = []
    policy = registry.anchored(file.site.policy, folder)
    model, objections = admit(policy, simulated=file.clock is not None, ungated=file.site.ungated)
    defects = [*_double(path, file.cabinet), *_objected(path, objections)]
    if file.clock is None:
        defects += _only_simulated(path, corridor)
    cabinets = tuple(_with_paths(entry, folder) for entry in file.cabinet)
    for index, entry in enumerate(cabinets):
        where = f"{path}: cabinet[{index}]"
        try:
            intersection = corridor.intersection(entry.intersection)
        except KeyError:
            known = ", ".join(one.id for one in corridor.intersections)
            defects.append(
                SiteError(
                    f"no intersection {entry.intersection!r} in {corridor.id}",
                    where=f"{where}.intersection",
                    fix=f"one of {known}",
                )
            )
            continue
        if entry.commitment_s is not None:
            intersection = replace(intersection, commitment_s=entry.commitment_s)
        intersections.append(intersection)
        found.append((where, entry))
    vds_sources, wrong_vds = vds_tables.sources(file, intersections, str(path))
    defects += wrong_vds
    for (where, entry), intersection in zip(found, intersections, strict=True):
        defects += _unfit(where, entry, without(intersection, vds_sources))
    keys, key_defects = _keys(path, file)
    defects += key_defects
    requests, wrong = tables.settings(file, corridor, intersections, str(path))
    defects += wrong
    if file.console is not None:
        defects += console_site.defects(file.console, f"{path}: console")
    if defects:
        raise _refuse(path, defects)
    return Site(
        path=path,
        corridor_name=file.site.corridor,
        corridor=corridor,
        intersections=tuple(intersections),
        cabinets=cabinets,
        vds=vds_tables.files_at(file, folder),
        vds_sources=vds_sources,
        state_dir=state_dir,
        epoch_file=folder / file.site.epoch_file if file.site.epoch_file else state_dir / "epoch",
        policy=policy,
        store=console_site.store_url(file.console, folder, state_dir),
        console=None if file.console is None else console_site.console(file.console, folder),
        clock=file.clock,
        model=model,
        ungated=file.site.ungated,
        keys=keys,
        cabinet_keys=folder / file.tls.cabinet_keys if file.tls and file.tls.cabinet_keys else None,
        requests=requests if file.source else None,
        key_files=tuple(tables.key_files(file, folder).items()),
    )


def _keys(path: Path, file: _File) -> tuple[LinkKeys | None, list[DenXanhError]]:
    """The keys of `[tls]`, tried once; and what is wrong with them."""
    table, folder = file.tls, path.resolve().parent
    if table is None:
        wanting = [n for n, entry in enumerate(file.cabinet) if entry.tls]
        return None, [
            SiteError("there are no keys for it", where=f"{path}: cabinet[{n}].tls", fix="add a [tls] table")
            for n in wanting
        ]
    keys = LinkKeys(
        ca=folder / table.ca,
        certificate=folder / table.certificate,
        key=folder / table.key,
        crl=folder / table.crl if table.crl else None,
        role_oid=table.role_oid,
    )
    try:
        client_context(keys)
    except SecretError as error:
        return keys, [SiteError(str(error), where=f"{path}: tls")]
    return keys, []


def _with_paths(entry: CabinetEntry, folder: Path) -> CabinetEntry:
    """Files start at the site file's folder; a profile that is none is a name."""
    given = {"community_file": entry.community_file, "phases": entry.phases}
    if entry.profile.endswith(".toml"):
        given["profile"] = entry.profile
    paths = {key: str(folder / value) for key, value in given.items() if value is not None}
    return entry.model_copy(update=paths)


def _objected(path: Path, objections: Iterable[Objection]) -> Iterator[DenXanhError]:
    for one in objections:
        place = f"{path}: site.{one.field}"
        yield SiteError(one.what, where=f"{place}: {one.where}" if one.where else place, fix=one.fix)


def _only_simulated(path: Path, corridor: Corridor) -> Iterator[DenXanhError]:
    """What the importer had to settle by itself must not reach a street; a `[clock]` means there is none."""
    for reason in corridor.simulation_only:
        yield SiteError(
            f"{corridor.id} is for simulation only: {reason}",
            where=f"{path}: site.corridor",
            fix="correct the net's programme and import it again, or run it with the demo",
        )


def _unfit(where: str, entry: CabinetEntry, intersection: Intersection) -> Iterator[DenXanhError]:
    """A profile that cannot be used, or timings that the guard cannot hold."""
    if entry.protocol == "ntcip":
        yield from _unfit_ntcip(where, entry, intersection)
    else:
        try:
            profile.spans(profile.load(entry.profile), layout(intersection))
        except DenXanhError as error:
            yield SiteError(str(error), where=f"{where}.profile")
    try:
        guard_config(intersection)
    except DenXanhError as error:
        yield SiteError(str(error), where=f"{where}.intersection")


def _unfit_ntcip(where: str, entry: CabinetEntry, intersection: Intersection) -> Iterator[DenXanhError]:
    """A phase map that does not fit, or a community that cannot be read."""
    try:
        if entry.phases is None:
            stagemap.sound(intersection)
        else:
            stagemap.load(Path(entry.phases), intersection)
    except DenXanhError as error:
        yield SiteError(str(error), where=f"{where}.phases")
    try:
        read_line(Path(entry.community_file or ""))
    except DenXanhError as error:
        yield SiteError(str(error), where=f"{where}.community_file")


def find_corridor(name: str, folder: Path) -> Corridor:
    """The corridor of a catalogue name, or of a compiled.json whose path starts at `folder`.

    Raises:
        CorridorError: there is none, or it cannot be read.
    """
    return compiled.load(folder / name) if name.endswith(".json") else catalogue.corridor(name)


def _double(path: Path, entries: Sequence[CabinetEntry]) -> Iterator[DenXanhError]:
    """One cabinet per intersection, one intersection per cabinet."""
    for name, count in Counter(entry.intersection for entry in entries).items():
        if count > 1:
            yield SiteError(f"intersection {name!r} has {count} cabinets", where=f"{path}: cabinet")
    for place, count in Counter((entry.host, entry.port, entry.unit) for entry in entries).items():
        if count > 1:
            host, port, unit = place
            yield SiteError(f"{count} entries for {host}:{port} unit {unit}", where=f"{path}: cabinet")


def _defect(path: Path, item: Any) -> DenXanhError:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    unknown = item["type"] == "extra_forbidden"
    what = "unknown key" if unknown else f"{item['msg'][:1].lower()}{item['msg'][1:]}"
    return SiteError(what, where=f"{path}: {field}", fix="remove it or correct its name" if unknown else "")


def _refuse(path: Path, defects: Sequence[DenXanhError]) -> SiteError:
    count = "one defect" if len(defects) == 1 else f"{len(defects)} defects"
    return SiteError(f"{count} in this site file", where=str(path), defects=defects)
