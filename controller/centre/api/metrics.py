"""`GET /metrics` for Prometheus; its access is a token of a viewer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from denxanh.controller.centre.api.needs import Parts
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.measured import Figures, families
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.store.heavy import heavy
from denxanh.controller.centre.store.schema import alarms
from denxanh.errors import StoreError

router = APIRouter(tags=["site"], dependencies=[view])


class Exposition(Response):
    """Prometheus' text format."""

    media_type = CONTENT_TYPE_PLAIN_0_0_4


class _Once(Collector):
    """Gives what was looked at before."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


@router.get("/metrics", summary="Counters and states for Prometheus", response_class=Exposition)
async def metrics(parts: Parts) -> Exposition:
    """Of controller, intersections, alarms, store and feeds; docs/metrics.md names each.

    While the store does not answer, what it knows is left out.
    """
    stored, feeds = await heavy(_stored, parts)
    summary = await asyncio.to_thread(_summary, parts.summary)
    now = Figures(
        version=version("denxanh"),
        pulse=parts.feed.pulse(),
        snapshot=parts.feed.snapshot(),
        register=parts.register,
        keeping=parts.keeping.status,
        alarms=stored,
        feeds=feeds,
        summary=summary,
    )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(list(families(now))))
    return Exposition(generate_latest(registry))


def _stored(parts: Centre) -> tuple[Counter[tuple[str, str]], list[tuple[str, int, int, bool]]]:
    """Alarms that stand, and the feeds' rows."""
    table = alarms.c
    query = select(table.intersection, table.cause, func.count()).where(table.cleared_ms.is_(None))
    try:
        with parts.store.reading() as connection:
            rows = connection.execute(query.group_by(table.intersection, table.cause)).all()
            feeds = positions.every(connection)
    except StoreError:
        return Counter(), []
    standing = Counter({(row[0], row[1]): row[2] for row in rows})
    return standing, [(one.feed, one.sent, one.updated_ms, one.trouble is not None) for one in feeds]


def _summary(path: Path) -> dict[str, Any]:
    """The controller's own counters; empty where it has left none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
