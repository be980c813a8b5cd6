"""How an intersection's signals did, from its high-resolution events: figures, pictures, stored quarters."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from denxanh.controller.centre.api.models import Answer
from denxanh.controller.centre.api.needs import Parts, Place, Since, Until, ms
from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.store import quarters
from denxanh.controller.centre.store.measured import newest_ms, over, told
from denxanh.controller.centre.words.word import Lang
from denxanh.controller.clock import VIETNAM
from denxanh.controller.measures import drawing
from denxanh.controller.measures.detectors import DetectorRecord
from denxanh.controller.measures.quarters import PhaseQuarter
from denxanh.controller.measures.summary import Measured, PhaseSummary
from denxanh.networks.model import Intersection

router = APIRouter(tags=["records"], dependencies=[view])

MAX_HOURS = 24
MAX_QUARTERS = timedelta(days=7)
"""Longest stretch of stored quarters in one answer."""
_HOUR_MS = 3_600_000
_MS = timedelta(milliseconds=1)
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A picture that is opened by itself brings its colours along."""

Hours = Annotated[int, Query(ge=1, le=MAX_HOURS, description="How much of the time before `to`.")]


class Picture(StrEnum):
    """What can be drawn."""

    COORDINATION = "coordination"
    SPLITS = "splits"
    TERMINATIONS = "terminations"


class TurnView(Answer):
    """Vehicles of one phase's turns."""

    phase: int
    group: str
    turns: str = Field(description="l left, s straight, r right, t U-turn.", examples=["s"])
    counted: bool = Field(description="false: shares of lanes with several movements are assumed.")
    vehicles: float


class LossView(Answer):
    """A time in which nothing was known."""

    since: datetime
    until: datetime | None = Field(description="null: it lasts.")
    reason: str = Field(description="no-answer, no-records or clock.")


class MeasuresView(Answer):
    """Measures of some hours; docs/measures.md defines each."""

    intersection: str
    since: datetime
    until: datetime
    known_s: float = Field(description="Seconds of the time of which every event is known.")
    phases: list[PhaseSummary]
    turns: list[TurnView]
    detectors: list[DetectorRecord]
    losses: list[LossView]
    failed_polls: int


@router.get("/intersections/{id}/measures", summary="Measures of an intersection")
def measures(parts: Parts, place: Place, hours: Hours = 1, until: Until = None) -> MeasuresView:
    """Terminations, splits, split failures, arrivals, waits, entries, turns, detectors, losses.

    Over the hours before `to`; without it, before the newest event.
    """
    return MeasuresView.model_validate(told(_over(parts, place, hours, until)))


@router.get(
    "/intersections/{id}/measures/{picture}.svg",
    summary="A measure as a picture",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}},
)
def picture(
    parts: Parts,
    place: Place,
    picture: Picture,
    phase: Annotated[int, Query(ge=1, le=999, description="Its number; of terminations: all.")] = 1,
    hours: Hours = 1,
    until: Until = None,
    lang: Lang = Lang.VI,
    bare: Annotated[bool, Query(description="Without colours of its own: classes only.")] = False,
) -> Response:
    """The coordination diagram or split monitor of a phase, or all phases' terminations, as SVG."""
    found = _over(parts, place, hours, until)
    words = drawing.VIETNAMESE if lang is Lang.VI else drawing.ENGLISH
    if picture is Picture.TERMINATIONS:
        drawn = drawing.terminations(found, VIETNAM, words)
    elif picture is Picture.SPLITS and phase in found.splits:
        drawn = drawing.split_monitor(found, phase, VIETNAM, words)
    elif picture is Picture.COORDINATION and phase in found.arrivals:
        drawn = drawing.coordination(found, phase, VIETNAM, words)
    else:
        raise missing(f"hình {picture} của pha {phase}", f"picture {picture} of phase {phase}")
    return Response(
        drawn if bare else drawing.standalone(drawn),
        media_type="image/svg+xml",
        headers={"Content-Security-Policy": PICTURE_POLICY},
    )


@router.get("/intersections/{id}/measures/quarters", summary="Measures by quarter of an hour")
def stored(parts: Parts, place: Place, since: Since = None, until: Until = None) -> list[PhaseQuarter]:
    """What the store keeps of each phase and quarter: the seven days before `to` at most, by default one.

    Quarters of which nothing is known are absent.
    """
    end_ms = ms(until) or _newest(parts, place) + 1
    begin_ms = max(ms(since) or end_ms - 24 * _HOUR_MS, end_ms - MAX_QUARTERS // _MS)
    with parts.store.reading() as connection:
        return quarters.read(connection, begin_ms, end_ms, place.id).get(place.id, [])


def _over(parts: Centre, place: Intersection, hours: int, until: datetime | None) -> Measured:
    until_ms = ms(until) or _newest(parts, place) + 1
    with parts.store.reading() as connection:
        return over(connection, place, until_ms - hours * _HOUR_MS, until_ms)


def _newest(parts: Centre, place: Intersection) -> int:
    with parts.store.reading() as connection:
        found = newest_ms(connection, place.id)
    if found is None:
        raise missing(f"sự kiện đèn của nút {place.id}", f"signal events of {place.id}")
    return found
