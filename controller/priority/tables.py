"""SITE.toml's tables about requests, and what they come to on a corridor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from denxanh.agents import registry
from denxanh.controller.priority.closures import edge_of, feeders
from denxanh.controller.priority.message import Edge, Name
from denxanh.controller.priority.settings import QUEUE_S, Gauge, Limits, Route, Settings, Step
from denxanh.errors import ConfigError, DenXanhError, SiteError
from denxanh.networks import red_bounds
from denxanh.networks.model import Corridor, Intersection

_Text = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PriorityTable(_Table):
    """`[priority]`: which requests this site takes, and how far they may go; everything is off by default."""

    emergency: bool = False
    bus: bool = False
    suspend_s: Annotated[int, Field(ge=60, le=900)] = 300
    late_s: Annotated[int, Field(ge=5, le=60)] = 15
    bus_late_s: Annotated[int, Field(ge=0, le=1800)] = 60
    bus_extension_s: Annotated[int, Field(ge=1, le=20)] = 10
    bus_every_s: Annotated[int, Field(ge=60, le=600)] = 90
    bus_margin_s: Annotated[int, Field(ge=20, le=300)] = 45


class GaugeEntry(_Table):
    """One `[[flood.gauge]]`."""

    id: Name
    links: Annotated[tuple[Edge, ...], Field(strict=False, min_length=1)]
    hold_cm: Annotated[float, Field(ge=1, le=200)] = 15.0
    close_cm: Annotated[float, Field(ge=1, le=200)] = 30.0


class FloodTable(_Table):
    """`[flood]`."""

    on: bool = False
    policy: _Text = "fixed"
    """Who decides where a street is closed or held: a rule; `fixed` runs the flood plans."""
    hold_back: Annotated[float, Field(ge=0.0, le=0.5)] = 0.3
    gauge: Annotated[tuple[GaugeEntry, ...], Field(strict=False)] = ()


class SourceEntry(_Table):
    """One `[[source]]`: who may send requests, and how it proves that it is itself."""

    id: Name
    key_file: _Text
    may: Annotated[tuple[Literal["emergency", "bus", "flood"], ...], Field(strict=False, min_length=1)]


class StepEntry(_Table):
    """One step of a `[[route]]`. The stage may be left out where only one serves the approach."""

    intersection: _Text
    approach: Edge
    stage: _Text | None = None
    travel_s: Annotated[int, Field(ge=0, le=600)]


class RouteEntry(_Table):
    """One `[[route]]`."""

    id: Name
    step: Annotated[tuple[StepEntry, ...], Field(strict=False, min_length=1, max_length=63)]


class RequestTables(_Table):
    """All of them; `controller/site.py` reads them with the rest of the file."""

    priority: PriorityTable = PriorityTable()
    flood: FloodTable = FloodTable()
    source: Annotated[tuple[SourceEntry, ...], Field(strict=False)] = ()
    route: Annotated[tuple[RouteEntry, ...], Field(strict=False)] = ()


def key_files(tables: RequestTables, folder: Path) -> Mapping[str, Path]:
    """Where each source's key lies; relative paths start at the site file's folder."""
    return {source.id: folder / source.key_file for source in tables.source}


def settings(
    tables: RequestTables, corridor: Corridor, driven: Sequence[Intersection], where: str
) -> tuple[Settings, list[DenXanhError]]:
    """The checked form, and every defect that was found.

    Args:
        tables: as they were read.
        corridor: whose streets they name.
        driven: the intersections that the site drives, overrides applied.
        where: the site file, for the defects.
    """
    defects: list[DenXanhError] = []
    links = streets(corridor)
    defects += _double(tables, where)
    routes = []
    for number, entry in enumerate(tables.route):
        steps = []
        for place, step in enumerate(entry.step):
            try:
                steps.append(_step(step, driven))
            except SiteError as error:
                defects.append(
                    SiteError(error.what, where=f"{where}: route[{number}].step[{place}]", fix=error.fix)
                )
        routes.append(Route(entry.id, tuple(steps)))
    for number, gauge in enumerate(tables.flood.gauge):
        place_of = f"{where}: flood.gauge[{number}]"
        for link in gauge.links:
            if link not in links:
                defects.append(SiteError(f"{corridor.id} has no street {link!r}", where=f"{place_of}.links"))
        if gauge.close_cm < gauge.hold_cm:
            defects.append(SiteError("close_cm must not be below hold_cm", where=place_of))
    try:
        if registry.is_learned(tables.flood.policy):
            raise ConfigError("no learned policy has seen a flood", fix="name a rule")
        registry.check(tables.flood.policy)
    except DenXanhError as error:
        defects.append(
            SiteError(
                error.what if isinstance(error, ConfigError) else str(error),
                where=f"{where}: flood.policy",
                fix=error.fix,
            )
        )
    own = tables.priority
    return (
        Settings(
            emergency=own.emergency,
            bus=own.bus,
            flood=tables.flood.on,
            flood_policy=tables.flood.policy,
            sources=tuple((source.id, source.may) for source in tables.source),
            routes=tuple(routes),
            gauges=tuple(Gauge(one.id, one.links, one.hold_cm, one.close_cm) for one in tables.flood.gauge),
            links=tuple(sorted(links.items())),
            limits=Limits(
                suspend_s=own.suspend_s,
                late_s=own.late_s,
                bus_late_s=own.bus_late_s,
                bus_extension_s=own.bus_extension_s,
                bus_every_s=own.bus_every_s,
                bus_margin_s=own.bus_margin_s,
                hold_back=tables.flood.hold_back,
            ),
        ),
        defects,
    )


def _double(tables: RequestTables, where: str) -> Iterator[DenXanhError]:
    named = {
        "source": [one.id for one in tables.source],
        "route": [one.id for one in tables.route],
        "flood.gauge": [one.id for one in tables.flood.gauge],
    }
    for table, names in named.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield SiteError(f"{name!r} stands {count} times", where=f"{where}: {table}")


def streets(corridor: Corridor) -> dict[str, tuple[str, ...]]:
    """The edges that lead to or away from intersections of the corridor, each with those at its ends."""
    found: dict[str, dict[str, None]] = {}
    for one in corridor.intersections:
        for lane in one.lanes:
            for edge in (lane.approach, *(edge_of(below) for below in lane.downstream)):
                found.setdefault(edge, {})[one.id] = None
    return {edge: tuple(ids) for edge, ids in found.items()}


def _step(entry: StepEntry, driven: Sequence[Intersection]) -> Step:
    site = next((one for one in driven if one.id == entry.intersection), None)
    if site is None:
        raise SiteError(f"this site drives no intersection {entry.intersection!r}")
    serving = serving_stages(site, entry.approach)
    if not serving:
        approaches = sorted({lane.approach for lane in site.lanes})
        raise SiteError(
            f"no stage of {site.id} serves an approach {entry.approach!r}",
            fix=f"one of {', '.join(approaches)}",
        )
    names = [site.stages[stage].id for stage in serving]
    if entry.stage is None:
        if len(serving) > 1:
            raise SiteError(
                f"several stages serve {entry.approach}", fix=f"say which: stage = one of {', '.join(names)}"
            )
        stage = serving[0]
    elif entry.stage in names:
        stage = serving[names.index(entry.stage)]
    else:
        raise SiteError(
            f"stage {entry.stage!r} does not serve {entry.approach}", fix=f"one of {', '.join(names)}"
        )
    return Step(site.id, entry.approach, stage, entry.travel_s, lead_s(site, stage))


def serving_stages(site: Intersection, approach: str) -> list[int]:
    """The stages in which some vehicle group of the approach is green."""
    groups = [g for g, feeds in enumerate(feeders(site)) if approach in feeds]
    return [s for s, stage in enumerate(site.stages) if any(stage.serves(g) for g in groups)]


def lead_s(site: Intersection, stage: int) -> int:
    """Seconds from asking for a stage to its green with the queue gone, when another stage has just begun.

    The longest least green (min green, walk and clearance, commitment) of another stage, the way to `stage`
    through the stage graph, and `QUEUE_S`. A change that is already promised to a third stage may add to it.
    """
    bounds = red_bounds.RedBounds(site)
    others = [s for s in range(len(site.stages)) if s != stage]
    longest = max((bounds.green_s(s) + bounds.worst_s(s, 0, stage) for s in others), default=0)
    return longest + QUEUE_S
