"""The street for maps: congestion and closures as GeoJSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from denxanh.controller.centre.api.needs import Parts, ms
from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.exports.congestion import filled
from denxanh.controller.centre.exports.geojson import Closed, collection
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.store.heavy import heavy
from denxanh.controller.clock import VIETNAM
from denxanh.errors import CorridorError
from denxanh.networks import register as registers

router = APIRouter(tags=["street"], dependencies=[view])


class GeoJson(JSONResponse):
    """RFC 7946."""

    media_type = "application/geo+json"


@router.get("/congestion.geojson", summary="Congestion and closures for maps", response_class=GeoJson)
async def congestion(
    parts: Parts,
    ward: Annotated[
        list[Annotated[str, Query(max_length=100)]] | None,
        Query(description="Only junctions of these wards."),
    ] = None,
    former_province: Annotated[
        list[Annotated[str, Query(max_length=100)]] | None,
        Query(description="Only junctions of these former provinces, by name or code."),
    ] = None,
) -> GeoJson:
    """Each approach with its level over the last five whole minutes, each closed one with its way around.

    By the schema congestion-v1, in WGS 84. 404 for a ward or province that the register does not have.
    """
    try:
        asked = registers.within(parts.register, ward or (), former_province or ())
    except CorridorError as error:
        raise missing(f"phường hoặc tỉnh cũ trong sổ: {error.what}", error.what) from error
    at = _now(parts)
    return GeoJson(await heavy(_made, parts, asked, at))


def _made(parts: Centre, register: Any, at: datetime) -> dict[str, Any]:
    with parts.store.reading() as connection:
        found = filled(connection, parts.corridor, ms(at))
    return collection(parts.corridor, register, found, _closed(parts), parts.city.exports, at)


def _closed(parts: Centre) -> Iterator[Closed]:
    """What reports have closed in the last second that was heard; nothing of silent intersections."""
    for place in parts.corridor.intersections:
        now = parts.picture(place.id)
        if now is None or now.stale or now.heard.wishes is None:
            continue
        wishes = now.heard.wishes
        here = {lane.approach for lane in place.lanes}
        for edge in wishes.closed:
            if edge in here:
                yield Closed(place.id, edge, wishes.why)


def _now(parts: Centre) -> datetime:
    """The newest second of the site's clock; the computer's before any."""
    heard = [parts.clock(one.id) for one in parts.corridor.intersections if parts.feed.seen(one.id)]
    return max(heard, default=datetime.now(VIETNAM))
