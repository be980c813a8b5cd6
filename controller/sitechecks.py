"""What is wrong with a site file whose tables are well-formed: each defect names its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from denxanh.controller.admission import Objection
from denxanh.controller.guard import guard_config
from denxanh.controller.sitetables import CabinetEntry, SiteFile
from denxanh.errors import DenXanhError, SecretError, SiteError
from denxanh.networks.model import Corridor, Intersection
from denxanh.plc.modbus import profile
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip import stagemap
from denxanh.plc.security.links import LinkKeys, client_context
from denxanh.plc.security.secrets import read_line


def link_keys(path: Path, file: SiteFile) -> tuple[LinkKeys | None, list[DenXanhError]]:
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


def objected(path: Path, objections: Iterable[Objection]) -> Iterator[DenXanhError]:
    """What speaks against the model, as defects of the site file."""
    for one in objections:
        place = f"{path}: site.{one.field}"
        yield SiteError(one.what, where=f"{place}: {one.where}" if one.where else place, fix=one.fix)


def only_simulated(path: Path, corridor: Corridor) -> Iterator[DenXanhError]:
    """What the importer had to settle by itself must not reach a street; a `[clock]` means there is none."""
    for reason in corridor.simulation_only:
        yield SiteError(
            f"{corridor.id} is for simulation only: {reason}",
            where=f"{path}: site.corridor",
            fix="correct the net's programme and import it again, or run it with the demo",
        )


def unfit(where: str, entry: CabinetEntry, intersection: Intersection) -> Iterator[DenXanhError]:
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
    """A phase map that does not fit, or a secret that cannot be read."""
    try:
        if entry.phases is None:
            stagemap.sound(intersection)
        else:
            stagemap.load(Path(entry.phases), intersection)
    except DenXanhError as error:
        yield SiteError(str(error), where=f"{where}.phases")
    for key, path in entry.secret_files:
        try:
            read_line(Path(path))
        except DenXanhError as error:
            yield SiteError(str(error), where=f"{where}.{key}")


def double(path: Path, entries: Sequence[CabinetEntry]) -> Iterator[DenXanhError]:
    """One cabinet per intersection, one intersection per cabinet."""
    for name, count in Counter(entry.intersection for entry in entries).items():
        if count > 1:
            yield SiteError(f"intersection {name!r} has {count} cabinets", where=f"{path}: cabinet")
    for place, count in Counter((entry.host, entry.port, entry.unit) for entry in entries).items():
        if count > 1:
            host, port, unit = place
            yield SiteError(f"{count} entries for {host}:{port} unit {unit}", where=f"{path}: cabinet")
