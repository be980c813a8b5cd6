"""What will be congested, where traffic does not leave on green, and where it waited most."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import Field

from denxanh.controller.centre.api.models import Answer
from denxanh.controller.centre.api.needs import Parts, Since, Until, moment, ms
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.forecast import reading
from denxanh.controller.centre.parts import Centre
from denxanh.controller.forecast import hotspots as ranking
from denxanh.controller.forecast.congestion import CONGESTED_FILLING, DENSE_FILLING, Level
from denxanh.controller.forecast.fit import Score
from denxanh.controller.forecast.hotspots import Hotspot
from denxanh.controller.forecast.now import Outlook, Refusal
from denxanh.controller.forecast.warning import Kind

router = APIRouter(tags=["forecast"], dependencies=[view])

MAX_PERIOD = timedelta(days=7)
"""Longest period of hotspots in one answer; `denxanh forecast hotspots` takes any."""
_MS = timedelta(milliseconds=1)


class AheadView(Answer):
    """A forecast: the mean queue of the five minutes that end at `at` (passenger-car units)."""

    horizon_min: int = Field(examples=[15])
    at: datetime
    queue_pcu: float
    low_pcu: float = Field(description="The interval should hold in four cases of five.")
    high_pcu: float
    profile_pcu: float = Field(description="What is usual at this time of this type of day.")
    level: Level


class OutlookView(Answer):
    """One approach now and soon."""

    intersection: str
    approach: str
    storage_pcu: float = Field(description="What its detection zones hold.")
    queue_pcu: float | None = Field(description="Mean of the last five minutes; null: not known.")
    level: Level
    refusal: Refusal | None = Field(description="Why there is no forecast.")
    ahead: list[AheadView]


class ScoreView(Answer):
    """Mean absolute errors of one horizon on days left out of the fit (passenger-car units)."""

    horizon_min: int
    forecasts: int = Field(description="How many were compared with what came.")
    forecast_pcu: float
    persistence_pcu: float = Field(description="If the last five minutes simply went on.")
    profile_pcu: float = Field(description="If it always were as usual.")


class FitView(Answer):
    """What the forecast was fitted on."""

    begin: datetime
    end: datetime
    days: dict[str, int] = Field(description="Days with data by day type.")
    known: float = Field(description="Share of all minutes that has data, 0..1.")
    sha256: str
    errors: list[ScoreView]


class ForecastView(Answer):
    """All approaches, with what may be expected of the forecast."""

    end: datetime | None = Field(description="End of the newest minute with data.")
    dense_filling: float = Field(description="Share of the storage from which an approach is dense.")
    congested_filling: float = Field(description="… and congested.")
    fit: FitView | None
    trouble: str | None = Field(description="Why there is no fit.")
    approaches: list[OutlookView]


class WarningView(Answer):
    """A queue that does not leave on green."""

    kind: Kind = Field(
        description="spillback: no room beyond; incident: the way beyond is clear; blocked: not known."
    )
    intersection: str
    approach: str
    lanes: list[int]
    since: datetime = Field(description="When the sign began.")
    raised: datetime
    until: datetime | None = Field(description="null: it lasts.")


class WarningsView(Answer):
    """Warnings of the last hour."""

    known: bool = Field(description="false: what lanes usually let go was not learned; nothing can be said.")
    warnings: list[WarningView]


class HotspotView(Answer):
    """An approach, or an intersection, over the known minutes of the period."""

    rank: int | None = Field(description="null: too little is known of it.")
    intersection: str
    approach: str | None
    queue_pcu_h: float = Field(description="Queue summed over time, which is the waiting: pcu hours.")
    congested_min: int
    worst_pcu: float = Field(description="Queue of the fullest minute.")
    coverage: float = Field(ge=0, le=1, description="Share of the period that is known.")


class HotspotsView(Answer):
    """Where traffic waited most, per known hour."""

    begin: datetime
    end: datetime
    intersections: list[HotspotView]
    approaches: list[HotspotView]


@router.get("/forecast", summary="Congestion 5, 15 and 30 minutes ahead")
def forecast(parts: Parts) -> ForecastView:
    """Each approach's level and forecast; none where data are stale, missing or too few days were seen."""
    told = parts.forecasts.told(parts.now_ms())
    return ForecastView(
        end=moment(told.end_ms),
        dense_filling=DENSE_FILLING,
        congested_filling=CONGESTED_FILLING,
        fit=None
        if told.fit is None
        else FitView(
            begin=moment(told.fit.fitted.begin_ms),
            end=moment(told.fit.fitted.end_ms),
            days=dict(told.fit.fitted.days),
            known=told.fit.fitted.known,
            sha256=told.fit.fitted.sha256,
            errors=[_score(one) for one in told.fit.fitted.scores if one.rows],
        ),
        trouble=None if told.trouble is None else told.trouble.what,
        approaches=[_outlook(one) for one in told.outlooks],
    )


@router.get("/warnings", summary="Spillback and incidents")
def warnings(parts: Parts) -> WarningsView:
    """Approaches whose queue does not leave on green, in the last hour."""
    found = parts.forecasts.warned(parts.now_ms())
    return WarningsView(
        known=found is not None,
        warnings=[
            WarningView(
                kind=one.kind,
                intersection=one.intersection,
                approach=one.approach,
                lanes=list(one.lanes),
                since=moment(one.since_ms),
                raised=moment(one.raised_ms),
                until=moment(one.until_ms),
            )
            for one in found or ()
        ],
    )


@router.get("/hotspots", summary="Where traffic waited most")
def hotspots(parts: Parts, since: Since = None, until: Until = None) -> HotspotsView:
    """Intersections and approaches in their order, by default over the last day; at most seven days."""
    begin_ms, end_ms = _period(parts, since, until)
    queues = reading.queues(parts.store, parts.corridor, begin_ms, end_ms)
    return HotspotsView(
        begin=moment(queues.begin_ms),
        end=moment(queues.end_ms),
        intersections=[_hotspot(one) for one in ranking.by_intersection(queues)],
        approaches=[_hotspot(one) for one in ranking.by_approach(queues)],
    )


def _period(parts: Centre, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Both ends, at most `MAX_PERIOD` apart; the end defaults to the site's clock, the length to a day."""
    # In milliseconds: a day before the calendar's first one is no date.
    end_ms = parts.now_ms() if until is None else ms(until)
    begin_ms = end_ms - timedelta(days=1) // _MS if since is None else ms(since)
    return min(end_ms, max(begin_ms, end_ms - MAX_PERIOD // _MS)), end_ms


def _outlook(one: Outlook) -> OutlookView:
    return OutlookView(
        intersection=one.approach.intersection,
        approach=one.approach.approach,
        storage_pcu=round(one.approach.storage_pcu, 2),
        queue_pcu=None if one.queue_pcu is None else round(one.queue_pcu, 2),
        level=one.level,
        refusal=one.refusal,
        ahead=[
            AheadView(
                horizon_min=each.horizon_min,
                at=moment(each.at_ms),
                queue_pcu=round(each.queue_pcu, 2),
                low_pcu=round(each.low_pcu, 2),
                high_pcu=round(each.high_pcu, 2),
                profile_pcu=round(each.profile_pcu, 2),
                level=each.level,
            )
            for each in one.ahead
        ],
    )


def _score(one: Score) -> ScoreView:
    return ScoreView(
        horizon_min=one.horizon_min,
        forecasts=one.rows,
        forecast_pcu=round(one.mae, 3),
        persistence_pcu=round(one.persistence_mae, 3),
        profile_pcu=round(one.profile_mae, 3),
    )


def _hotspot(one: Hotspot) -> HotspotView:
    return HotspotView(
        rank=one.rank,
        intersection=one.intersection,
        approach=one.approach or None,
        queue_pcu_h=round(one.queue_pcu_h, 3),
        congested_min=one.congested_min,
        worst_pcu=round(one.worst_pcu, 2),
        coverage=round(one.coverage, 4),
    )
