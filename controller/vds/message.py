"""One VDS sample on the wire, version 1: strict JSON, counts only (docs/vds.md).

There is no field for a plate, a picture, a face or any other identifier, and a field that is not listed here
refuses the whole sample. What is refused is never repeated anywhere, not even the name of a wrong field: it
could be the plate itself.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from denxanh.controller.vds.arrival import Arrival, Reason, ZoneValue
from denxanh.errors import SampleError

VERSION = 1
MAX_BYTES = 16_384
"""Longest sample; 64 zones with classes take about 12,000."""
MAX_ZONES = 64
MAX_VEHICLES = 1_000
"""In one zone [J]: 100 m of a 3.5 m lane hold fewer than 300 motorbikes."""
MAX_SPEED_KMH = 300.0
"""More is no speed; what lies below and is still implausible is for detector health to say."""
MAX_SEQ = 2**53 - 1
"""Whole numbers up to here survive every JSON library."""

_UNKNOWN = "extra_forbidden"
"""pydantic's word for a field that is not listed; it weighs more than what else is wrong."""

SourceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$")]
"""Of a `[[vds]]` entry: fits into a path and into a topic as it is."""
ZoneName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20]{1,96}$")]
"""A detector's id in the corridor."""
_Vehicles = Annotated[int, Field(ge=0, le=MAX_VEHICLES)]


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Classes(_Object):
    """Vehicles in the zone by class; they need not add up, an unclassified vehicle is in `vehicles` only."""

    bicycle: _Vehicles = 0
    motorbike: _Vehicles = 0
    car: _Vehicles = 0
    bus: _Vehicles = 0
    truck: _Vehicles = 0


class ZoneSample(_Object):
    """What one zone sees at `time_s`."""

    id: ZoneName = Field(description="The detector's id in the corridor: denxanh network show")
    vehicles: _Vehicles = Field(description="Vehicles in the zone, each counted once, motorbikes too")
    queued: _Vehicles = Field(description="Of these, standing or slower than 5 km/h; at most `vehicles`")
    occupancy: float = Field(ge=0.0, le=1.0, description="Part of the zone's length that is covered, 0..1")
    speed_kmh: float = Field(
        ge=0.0,
        le=MAX_SPEED_KMH,
        description="Mean speed of the vehicles in the zone, km/h; 0 in an empty one",
    )
    fault: bool = Field(default=False, description="The device does not trust this zone now")
    classes: Classes | None = Field(default=None, description="Vehicles by class, where it can tell them")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.queued > self.vehicles:
            raise ValueError("queued is more than vehicles")
        if self.classes is not None and sum(self.classes.model_dump().values()) > self.vehicles:
            raise ValueError("classes add up to more than vehicles")
        return self


class Sample(_Object):
    """All zones of one source at one instant."""

    v: int = Field(ge=1, le=1, description="Version of this schema")
    source: SourceName = Field(description="The id of the [[vds]] entry; also in the path or topic")
    seq: int = Field(ge=0, le=MAX_SEQ, description="Rises with every sample; may start again after a restart")
    time_s: float = Field(
        ge=0.0,
        le=2.0**33,
        description="When the zones looked so: seconds since 1970-01-01 UTC, with fractions",
    )
    zones: tuple[ZoneSample, ...] = Field(
        min_length=1, max_length=MAX_ZONES, strict=False, description="Each zone at most once"
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len({zone.id for zone in self.zones}) != len(self.zones):
            raise ValueError("a zone stands twice")
        return self


def parse(body: bytes) -> Sample:
    """The sample in these bytes.

    Raises:
        SampleError: there is none; `where` is the first wrong field. Nothing of the content is repeated.
    """
    if len(body) > MAX_BYTES:
        raise SampleError(f"longer than {MAX_BYTES} bytes", reason=Reason.TOO_LONG)
    try:
        return Sample.model_validate_json(body)
    except ValidationError as error:
        defects = error.errors(include_input=False, include_url=False, include_context=False)
        first = next((one for one in defects if one["type"] == _UNKNOWN), defects[0])
        kind, loc = first["type"], first["loc"]
        if kind == _UNKNOWN:
            raise SampleError(
                "a field that the schema does not know",
                where=_place(loc[:-1]),
                fix="send counts only: never plates, pictures, faces or identifiers",
                reason=Reason.UNKNOWN_FIELD,
            ) from None
        what = "not JSON" if kind == "json_invalid" else first["msg"]
        raise SampleError(what, where=_place(loc), reason=Reason.MALFORMED) from None


def _place(loc: tuple[int | str, ...]) -> str:
    """Where in a sample; known field names and positions only."""
    return ".".join(str(part) for part in loc) or "sample"


def body(sample: Sample) -> bytes:
    """The sample as bytes; `parse` reads them back."""
    return sample.model_dump_json(exclude_none=True).encode()


def arrival(sample: Sample) -> Arrival:
    """The sample as the controller takes it."""
    return Arrival(
        sample.source,
        sample.seq,
        sample.time_s,
        tuple(
            ZoneValue(
                zone.id, zone.vehicles, zone.queued, zone.occupancy, zone.speed_kmh, zone.fault,
                () if zone.classes is None else tuple(zone.classes.model_dump().values()),
            )
            for zone in sample.zones
        ),
    )  # fmt: skip


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a sample, made from the models that read it.

    It says less than `parse` where JSON Schema cannot: queued and classes are at most `vehicles`, and a zone
    stands once.
    """
    made = Sample.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Đèn Xanh VDS sample"}


def schema_text() -> str:
    """The same as the text of docs/vds-sample-v1.schema.json."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
