"""SITE.toml's tables about VDS, and what they come to on a corridor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.message import SourceName
from denxanh.errors import DenXanhError, SiteError
from denxanh.networks.model import DetectorKind, Intersection

_Text = Annotated[str, Field(min_length=1)]
_Port = Annotated[int, Field(ge=1, le=65_535)]
DEFAULT_TOPIC = "denxanh/vds/v1"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class VdsEntry(_Table):
    """One `[[vds]]`: a camera or radar with its own way to the controller, and the zones that it feeds."""

    id: SourceName
    intersection: _Text
    by: Literal["http", "mqtt"] = "http"
    token_file: _Text | None = None
    """Of HTTP; over MQTT the broker says who may publish where."""
    zones: Annotated[tuple[_Text, ...], Field(strict=False)] = ()
    """Detector ids; empty: every zone of the intersection."""
    max_skew_s: Annotated[float, Field(strict=False, ge=0.0, le=86_400.0)] = 2.0
    """How far the source's clock may be off, s."""


class VdsHttp(_Table):
    """`[vds_http]`: where sources push to."""

    host: _Text = "127.0.0.1"
    port: _Port
    cert_file: _Text | None = None
    key_file: _Text | None = None
    """Both together: TLS."""


class VdsMqtt(_Table):
    """`[vds_mqtt]`: the broker that sources publish to."""

    host: _Text
    port: _Port = 1883
    topic: Annotated[str, Field(pattern=r"^[^+#\x00]{1,128}[^+#/\x00]$")] = DEFAULT_TOPIC
    """Samples come on `TOPIC/SOURCE`."""
    username: _Text | None = None
    password_file: _Text | None = None
    ca_file: _Text | None = None
    """With it the connection is TLS and the broker's certificate must come from here."""


class VdsTables(_Table):
    """All of them; `controller/site.py` reads them with the rest of the file."""

    vds: Annotated[tuple[VdsEntry, ...], Field(strict=False)] = ()
    vds_http: VdsHttp | None = None
    vds_mqtt: VdsMqtt | None = None


def files_at(tables: VdsTables, folder: Path) -> VdsTables:
    """The same with every path absolute; relative ones start at the site file's folder."""

    def at(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    http, mqtt = tables.vds_http, tables.vds_mqtt
    return VdsTables(
        vds=tuple(one.model_copy(update={"token_file": at(one.token_file)}) for one in tables.vds),
        vds_http=None
        if http is None
        else http.model_copy(update={"cert_file": at(http.cert_file), "key_file": at(http.key_file)}),
        vds_mqtt=None
        if mqtt is None
        else mqtt.model_copy(update={"password_file": at(mqtt.password_file), "ca_file": at(mqtt.ca_file)}),
    )


def sources(
    tables: VdsTables, driven: Sequence[Intersection], where: str
) -> tuple[tuple[Source, ...], list[DenXanhError]]:
    """The checked sources, and every defect that was found.

    Args:
        tables: as they were read.
        driven: the intersections that the site drives.
        where: the site file, for the defects.
    """
    found: list[Source] = []
    defects: list[DenXanhError] = list(_ways(tables, where))
    sites = {one.id: one for one in driven}
    for number, entry in enumerate(tables.vds):
        place = f"{where}: vds[{number}]"
        site = sites.get(entry.intersection)
        if site is None:
            defects.append(
                SiteError(
                    f"this site drives no intersection {entry.intersection!r}", where=f"{place}.intersection"
                )
            )
            continue
        known = [one.id for one in site.detectors if one.kind is DetectorKind.ZONE]
        defects += [
            SiteError(
                f"{site.id} has no zone {zone!r}", where=f"{place}.zones", fix=f"one of {', '.join(known)}"
            )
            for zone in entry.zones
            if zone not in known
        ]
        found.append(Source(entry.id, site.id, entry.zones or tuple(known), entry.max_skew_s))
    defects += [
        SiteError(f"{name!r} stands {count} times", where=f"{where}: vds")
        for name, count in Counter(one.id for one in tables.vds).items()
        if count > 1
    ]
    fed = Counter((one.intersection, zone) for one in found for zone in one.zones)
    defects += [
        SiteError(f"{count} sources feed zone {zone!r} of {name}", where=f"{where}: vds")
        for (name, zone), count in fed.items()
        if count > 1
    ]
    return tuple(found), defects


def _ways(tables: VdsTables, where: str) -> Iterator[SiteError]:
    ways = {one.by for one in tables.vds}
    if "http" in ways and tables.vds_http is None:
        yield SiteError(
            "a source pushes by HTTP and nobody listens", where=f"{where}: vds_http", fix="add [vds_http]"
        )
    if "mqtt" in ways and tables.vds_mqtt is None:
        yield SiteError(
            "a source publishes by MQTT and no broker is named",
            where=f"{where}: vds_mqtt",
            fix="add [vds_mqtt]",
        )
    http = tables.vds_http
    if http is not None and (http.cert_file is None) is not (http.key_file is None):
        yield SiteError("cert_file and key_file belong together", where=f"{where}: vds_http")
    for number, entry in enumerate(tables.vds):
        if entry.by == "http" and entry.token_file is None:
            yield SiteError(
                "a source that pushes by HTTP needs a token",
                where=f"{where}: vds[{number}].token_file",
                fix="denxanh vds token FILE makes one",
            )
