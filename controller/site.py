"""SITE.toml: which cabinets the controller drives, where, and by which policy.

Every defect of a file is found in one run; each names the file and the field.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from denxanh.agents import registry
from denxanh.agents.model_card import ModelCard, refusals
from denxanh.controller import console_site, sitechecks
from denxanh.controller.admission import admit
from denxanh.controller.console_site import Console
from denxanh.controller.priority import tables
from denxanh.controller.priority.settings import Settings
from denxanh.controller.sitetables import DEFAULT_WATCHDOG_S, CabinetEntry, Endpoint, SiteFile, TlsTable
from denxanh.controller.sitewrite import write_site
from denxanh.controller.vds import tables as vds_tables
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.tables import VdsTables
from denxanh.controller.vds.zones import without
from denxanh.errors import DenXanhError, SiteError
from denxanh.networks import catalogue, compiled
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.register import Junction, junctions
from denxanh.plc.modbus.secure import SecureLink
from denxanh.plc.security.links import LinkKeys

__all__ = [
    "DEFAULT_WATCHDOG_S",
    "CabinetEntry",
    "Endpoint",
    "Site",
    "TlsTable",
    "find_corridor",
    "load",
    "write_site",
]


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
    def texts(self) -> Path | None:
        """The folder of the corridor's text files; None: it has none (it was imported)."""
        return catalogue.texts(self.corridor_name, self.path.resolve().parent)

    def register(self) -> Mapping[str, Junction]:
        """The register of junctions, from the corridor's own folder.

        Raises:
            CorridorError: `register.toml` is wrong; all defects at once.
        """
        return junctions(self.corridor, self.texts)

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
        file = SiteFile.model_validate(raw)
    except ValidationError as error:
        raise _refuse(path, [_defect(path, item) for item in error.errors()]) from error
    return _site(path, file)


def _site(path: Path, file: SiteFile) -> Site:
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
    defects = [*sitechecks.double(path, file.cabinet), *sitechecks.objected(path, objections)]
    if file.clock is None:
        defects += sitechecks.only_simulated(path, corridor)
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
        defects += sitechecks.unfit(where, entry, without(intersection, vds_sources))
    keys, key_defects = sitechecks.link_keys(path, file)
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


def _with_paths(entry: CabinetEntry, folder: Path) -> CabinetEntry:
    """Files start at the site file's folder; a profile that is none is a name."""
    given = {**dict(entry.secret_files), "phases": entry.phases}
    if entry.profile.endswith(".toml"):
        given["profile"] = entry.profile
    paths = {key: str(folder / value) for key, value in given.items() if value is not None}
    return entry.model_copy(update=paths)


def find_corridor(name: str, folder: Path) -> Corridor:
    """The corridor of a catalogue name, or of a compiled.json whose path starts at `folder`.

    Raises:
        CorridorError: there is none, or it cannot be read.
    """
    return compiled.load(folder / name) if name.endswith(".json") else catalogue.corridor(name)


def _defect(path: Path, item: Any) -> DenXanhError:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    unknown = item["type"] == "extra_forbidden"
    what = "unknown key" if unknown else f"{item['msg'][:1].lower()}{item['msg'][1:]}"
    return SiteError(what, where=f"{path}: {field}", fix="remove it or correct its name" if unknown else "")


def _refuse(path: Path, defects: Sequence[DenXanhError]) -> SiteError:
    count = "one defect" if len(defects) == 1 else f"{len(defects)} defects"
    return SiteError(f"{count} in this site file", where=str(path), defects=defects)
