"""The daily package for the city's operations centre (IOC): one JSON document per local day."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from denxanh.controller.centre.exports.hours import (
    ApproachHour,
    Quality,
    approach_hours,
    group_hours,
    mode_seconds,
    quality,
)
from denxanh.controller.centre.exports.settings import Exports
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.schema import alarms
from denxanh.controller.forecast.congestion import Level
from denxanh.controller.mode import Mode
from denxanh.networks.model import Corridor
from denxanh.networks.register import Junction

SCHEMA = "ioc-daily-v1"
DAY_MS = 86_400_000
DAY_S = 86_400


def daily(
    connection: Connection,
    corridor: Corridor,
    register: Mapping[str, Junction],
    settings: Exports,
    begin_ms: int,
    *,
    simulated: bool,
) -> dict[str, Any]:
    """The package of the local day from `begin_ms` on; valid against `schemas/ioc-daily-v1.schema.json`.

    Raises:
        StoreError: the database does not answer.
    """
    end_ms = begin_ms + DAY_MS
    hours: dict[str, list[ApproachHour]] = defaultdict(list)
    for hour in approach_hours(connection, corridor, begin_ms, end_ms):
        hours[hour.intersection].append(hour)
    volumes: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for counted in group_hours(connection, corridor, begin_ms, end_ms):
        if counted.volume is not None:
            volumes[counted.intersection].append((counted.volume, counted.known))
    raised = _alarms(connection, begin_ms, end_ms)
    places = [
        {
            **_who(register[place.id]),
            "mode_s": {mode.value: round(spent.get(mode.value, 0.0)) for mode in Mode},
            "recorded_s": round(math.fsum(spent.values())),
            **_congestion(hours[place.id]),
            **_volume(volumes[place.id]),
            "alarms": raised.get(place.id, []),
        }
        for place in corridor.intersections
        if place.id in register
        for spent in [mode_seconds(connection, place, begin_ms, end_ms)]
    ]
    return {
        "schema": SCHEMA,
        "day": stamp(begin_ms)[:10],
        "site": corridor.id,
        "simulated": simulated,
        "publisher_vi": settings.publisher_vi,
        "publisher_en": settings.publisher_en,
        "junctions_registered": len(places),
        "junctions_recorded": sum(one["recorded_s"] > 0 for one in places),
        "junctions_adaptive": sum(one["mode_s"][Mode.ADAPTIVE.value] > 0 for one in places),
        "junctions": places,
        "alarms_of_the_site": raised.get("", []),
    }


def _who(one: Junction) -> dict[str, Any]:
    province = one.former_province
    return {
        "intersection": one.id,
        "name_vi": one.name_vi,
        "ward": one.ward or None,
        "former_province_code": province and province.code,
    }


def _congestion(hours: list[ApproachHour]) -> dict[str, Any]:
    """How long its approaches were congested, by the hour, and the fullest of them."""
    known = [one for one in hours if quality(one.known) is Quality.FULL]
    worst = max(known, key=lambda one: one.share, default=None)
    return {
        "approach_hours_known": len(known),
        "approach_hours_congested": sum(one.level is Level.CONGESTED for one in known),
        "worst": None
        if worst is None
        else {
            "approach": worst.approach,
            "hour": stamp(worst.begin_ms),
            "filling": round(worst.share, 3),
            "level": worst.level.value,
        },
    }


def _volume(counted: list[tuple[int, float]]) -> dict[str, Any]:
    """Vehicles, and how much of the counted groups' day they stand on."""
    if not counted:
        return {"volume": None, "volume_quality": Quality.NONE.value}
    known = math.fsum(share for _, share in counted) / len(counted)
    return {"volume": sum(volume for volume, _ in counted), "volume_quality": quality(known).value}


def _alarms(connection: Connection, begin_ms: int, end_ms: int) -> Mapping[str, list[dict[str, Any]]]:
    """Alarms that stood at some time of the day, by intersection."""
    table = alarms.c
    query = select(alarms).where(
        table.raised_ms < end_ms, or_(table.cleared_ms.is_(None), table.cleared_ms >= begin_ms)
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.raised_ms, table.id)):
        found[row.intersection].append(
            {
                "cause": row.cause,
                "text_vi": row.text_vi,
                "text_en": row.text_en,
                "raised": stamp(row.raised_ms),
                "cleared": None if row.cleared_ms is None else stamp(row.cleared_ms),
            }
        )
    return found
