"""The register of junctions: what the city's offices need to know of each intersection beyond its signals.

The facts stand in `register.toml` beside a corridor's other files; names, position, detectors and plans come
from the compiled corridor, so that nothing is written twice. A corridor without the file (a foreign net) has
a register all the same, with names from the net and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from denxanh.errors import CorridorError
from denxanh.networks import catalogue
from denxanh.networks.corridor_files import Form, Identifier, Text, read_form
from denxanh.networks.model import Corridor, DetectorKind, Intersection

REGISTER = "register.toml"
Confirmable = Literal["ward", "former_province", "its_phase", "cabinet_type"]
Name = Annotated[str, Field(max_length=100)]


class FormerProvince(StrEnum):
    """The three that became Cần Thơ on 1 July 2025 (resolution 202/2025/QH15)."""

    CAN_THO = "Cần Thơ"
    SOC_TRANG = "Sóc Trăng"
    HAU_GIANG = "Hậu Giang"

    @property
    def code(self) -> str:
        """The province's code before the merger (decision 124/2004/QĐ-TTg)."""
        return {"Cần Thơ": "92", "Hậu Giang": "93", "Sóc Trăng": "94"}[self.value]


@dataclass(frozen=True, slots=True)
class Junction:
    """One junction of the register; what nobody has told is empty or None.

    Attributes:
        id: of the intersection.
        name_vi: its name.
        name_en: its name in English.
        ward: ward or commune after the merger of 2025, with its kind (`Phường Ninh Kiều`).
        former_province: in which of the three it lay before.
        lat: degrees north, WGS 84.
        lon: degrees east, WGS 84.
        its_phase: phase of the city's ITS project that equips it, from 1.
        cabinet_type: make and model of the cabinet that stands there; empty: none is known to stand there.
        detectors: how many of each kind are foreseen.
        plans: numbers of its fixed-time plans.
        assumed: which of the facts wait for the city's confirmation.
    """

    id: str
    name_vi: str
    name_en: str
    ward: str
    former_province: FormerProvince | None
    lat: float | None
    lon: float | None
    its_phase: int | None
    cabinet_type: str
    detectors: Mapping[DetectorKind, int]
    plans: tuple[int, ...]
    assumed: tuple[str, ...]


class JunctionForm(Form):
    """`[[junction]]` of `register.toml`."""

    id: Identifier
    ward: Name = ""
    former_province: FormerProvince | None = None
    its_phase: Annotated[int, Field(ge=1, le=9)] | None = None
    cabinet_type: Name = ""
    assumed: tuple[Confirmable, ...] = ()


class RegisterFile(Form):
    """`register.toml`."""

    sources: tuple[Text, ...]
    junction: tuple[JunctionForm, ...]


def junctions(corridor: Corridor, folder: Path | None = None) -> Mapping[str, Junction]:
    """The register of a corridor, in the order of its intersections.

    Args:
        corridor: as compiled.
        folder: of the corridor's files; default: the catalogue's corridor of this id, if there is one.

    Raises:
        CorridorError: `register.toml` is wrong; all defects at once.
    """
    if folder is None and corridor.id in catalogue.names():
        folder = catalogue.path(corridor.id)
    facts = {} if folder is None else _facts(folder, [one.id for one in corridor.intersections])
    return MappingProxyType(
        {one.id: _junction(one, facts.get(one.id, JunctionForm(id=one.id))) for one in corridor.intersections}
    )


def defects(folder: Path, known: Sequence[str]) -> tuple[CorridorError, ...]:
    """What is wrong with a folder's `register.toml`; none without the file.

    Args:
        folder: of the corridor's files.
        known: ids of its intersections.
    """
    return _read(folder, known)[1]


def within(
    register: Mapping[str, Junction], wards: Collection[str], provinces: Collection[str]
) -> Mapping[str, Junction]:
    """The junctions of these wards and former provinces (names or codes); without any of them, all.

    Raises:
        CorridorError: a name that no junction of the register has.
    """
    for label, asked, there in (
        ("ward", wards, {one.ward for one in register.values()}),
        ("former province", provinces, {name for one in register.values() for name in _names(one)}),
    ):
        unknown = sorted(set(asked) - there)
        if unknown:
            known = ", ".join(sorted(there - {""})) or "the register names none"
            raise CorridorError(f"no junction has the {label} {unknown[0]!r}", where="register", fix=known)
    return {
        name: one
        for name, one in register.items()
        if (not wards or one.ward in wards) and (not provinces or set(_names(one)) & set(provinces))
    }


def _names(one: Junction) -> tuple[str, ...]:
    province = one.former_province
    return () if province is None else (province.value, province.code)


def as_json(one: Junction) -> dict[str, Any]:
    """A junction as JSON, its province with its code."""
    province = one.former_province
    return {
        "id": one.id,
        "name_vi": one.name_vi,
        "name_en": one.name_en,
        "ward": one.ward or None,
        "former_province": province and province.value,
        "former_province_code": province and province.code,
        "lat": one.lat,
        "lon": one.lon,
        "its_phase": one.its_phase,
        "cabinet_type": one.cabinet_type or None,
        "detectors": {kind.value: number for kind, number in sorted(one.detectors.items())},
        "plans": list(one.plans),
        "assumed": list(one.assumed),
    }


def count_by_phase(register: Iterable[Junction]) -> Mapping[int | None, int]:
    """How many junctions each phase of the ITS project equips; None: no phase is known."""
    return Counter(one.its_phase for one in register)


def _facts(folder: Path, known: Sequence[str]) -> dict[str, JunctionForm]:
    forms, wrong = _read(folder, known)
    if wrong:
        raise CorridorError(
            f"{len(wrong)} defect(s) in {REGISTER}", where=str(folder), fix="correct the file", defects=wrong
        )
    return {form.id: form for form in forms}


def _read(folder: Path, known: Sequence[str]) -> tuple[tuple[JunctionForm, ...], tuple[CorridorError, ...]]:
    path = folder / REGISTER
    if not path.exists():
        return (), ()
    found: list[CorridorError] = []
    file = read_form(path, RegisterFile, found)
    if file is None:
        return (), tuple(found)
    times = Counter(form.id for form in file.junction)
    for name, often in times.items():
        place = f"{REGISTER}: junction {name}"
        if often > 1:
            found.append(CorridorError(f"stands there {often} times", where=place))
        if name not in known:
            found.append(
                CorridorError(
                    "the corridor has no such intersection", where=place, fix=f"one of {', '.join(known)}"
                )
            )
    for form in file.junction:
        found += [
            CorridorError("is assumed to be nothing", where=f"{REGISTER}: junction {form.id}: {field}")
            for field in form.assumed
            if not getattr(form, field)
        ]
    return file.junction, tuple(found)


def _junction(one: Intersection, form: JunctionForm) -> Junction:
    lon, lat = one.lonlat or (None, None)
    return Junction(
        id=one.id,
        name_vi=one.name_vi,
        name_en=one.name_en,
        ward=form.ward,
        former_province=form.former_province,
        lat=lat,
        lon=lon,
        its_phase=form.its_phase,
        cabinet_type=form.cabinet_type,
        detectors=MappingProxyType(dict(Counter(detector.kind for detector in one.detectors))),
        plans=tuple(plan.number for plan in one.plans),
        assumed=form.assumed,
    )
