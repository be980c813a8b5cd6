"""What happens now: state of an intersection, its detectors, the whole corridor at once."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import Field

from denxanh.controller.centre.api.models import (
    Answer,
    ModeNow,
    Promise,
    ReadBack,
    StageName,
    Standing,
    Words,
)
from denxanh.controller.centre.api.needs import Parts, Place
from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.api.telling import mode_now, promise, read_back, stage_name, standing, words
from denxanh.controller.centre.detecting import DetectorNow, detectors_now
from denxanh.controller.centre.store import queries
from denxanh.controller.guard import GuardRefusal
from denxanh.controller.record import LaneView
from denxanh.controller.wording import GUARD_REFUSALS, SYMPTOMS
from denxanh.networks.model import DetectorKind, Intersection, Lane

router = APIRouter(tags=["live"], dependencies=[view])


class LaneNow(Answer):
    """What the controller believes of an incoming lane."""

    index: int = Field(ge=0)
    id: str
    approach: str
    queued: float = Field(ge=0, description="Standing, passenger-car units.")
    moving: float = Field(ge=0, description="Approaching, passenger-car units.")
    confidence: float = Field(ge=0, le=1, description="0: a guess, 1: well measured.")
    storage: float = Field(ge=0, description="What its detection zone holds, passenger-car units.")


class Status(Answer):
    """One intersection, in the last second that was heard of it."""

    tick: int = Field(ge=0, description="The controller's count of seconds.")
    date: str = Field(description="Local date by the controller's clock.", examples=["2026-11-26"])
    clock_s: float = Field(description="Local seconds since midnight by the same clock.")
    age_s: float = Field(ge=0, description="Seconds since it was heard.")
    stale: bool = Field(description="Nothing has been heard for more than 3 s.")
    mode: ModeNow
    stage: StageName = Field(description="Running stage; in an interstage the coming one.")
    elapsed_s: float = Field(ge=0, description="In this stage or interstage, seconds.")
    in_interstage: bool
    aspects: str = Field(description="One letter per signal group, as in the cabinet's read-back.")
    commitment: Promise | None = Field(description="End of green and next stage, once irrevocable.")
    plan: int | None = Field(description="The plan that the schedule or an order names.")
    request: int | None = Field(description="The stage that the policy asks for.")
    why: Words = Field(description="The policy's reason; empty where it does not decide.")
    guard_refusal: Words | None = Field(description="Why the guard does not follow the request.")
    orders: list[Standing] = Field(description="What people have ordered.")
    cabinet: ReadBack | None = Field(description="The cabinet's own words; null while it does not answer.")
    link_error: str | None = Field(description="Why the last poll failed.")
    lanes: list[LaneNow]


class DetectorView(Answer):
    """A detector and whether it is believed."""

    id: str
    kind: DetectorKind
    lane: int | None = Field(description="Index of its lane; null for a push button.")
    groups: list[str] = Field(description="Signal groups that it calls.")
    source: str = Field(description="cabinet, or vds for a zone that a VDS source feeds.")
    healthy: bool = Field(description="No alarm stands against it.")
    symptom: str = Field(description="Why it is not believed; none.", examples=["none"])
    name: Words = Field(description="The symptom for people.")
    confidence: float | None = Field(description="Of its lane's estimate, in [0, 1]; null for a button.")
    age_s: float | None = Field(description="Since it last changed, seconds; null while unknown.")
    count: int | None = Field(description="A loop's free-running count; a zone's vehicles.")
    occupancy: float | None = Field(description="A zone's, in [0, 1].")
    called: bool | None = Field(description="A push button's call.")


@router.get("/intersections/{id}/status", summary="An intersection now")
async def status(parts: Parts, place: Place) -> Status:
    """Mode, stage, lamps, commitment, orders and the cabinet's read-back of the last second.

    404 until the first second has been heard.
    """
    now = parts.picture(place.id)
    if now is None:
        raise missing(f"chưa nghe gì từ {place.id}", f"nothing was heard of {place.id} yet")
    heard, decided = now.heard, now.decided
    refusal = None if decided.guard_refusal is None else GUARD_REFUSALS[GuardRefusal(decided.guard_refusal)]
    return Status(
        tick=heard.tick,
        date=heard.date,
        clock_s=heard.clock_s,
        age_s=round(now.age_s, 1),
        stale=now.stale,
        mode=mode_now(now),
        stage=stage_name(place, decided.stage),
        elapsed_s=decided.elapsed_s,
        in_interstage=decided.in_interstage,
        aspects=decided.aspects,
        commitment=promise(now),
        plan=decided.plan,
        request=decided.request,
        why=Words(vi=decided.why_vi or decided.why, en=decided.why),
        guard_refusal=None if refusal is None else words(refusal),
        orders=[standing(one) for one in decided.orders],
        cabinet=read_back(now),
        link_error=now.problem,
        lanes=[
            _lane(lane, index, believed)
            for index, (lane, believed) in enumerate(zip(place.lanes, decided.lanes, strict=False))
        ],
    )


def _lane(lane: Lane, index: int, believed: LaneView) -> LaneNow:
    return LaneNow(
        index=index,
        id=lane.id,
        approach=lane.approach,
        queued=round(believed.queued, 2),
        moving=round(believed.moving, 2),
        confidence=round(believed.confidence, 3),
        storage=lane.storage_pcu,
    )


@router.get("/intersections/{id}/detectors", summary="Detectors and their health")
async def detectors(parts: Parts, place: Place) -> list[DetectorView]:
    """Every loop, zone and push button: what it says, and whether it is believed."""
    now = parts.picture(place.id)
    standing_there = await asyncio.to_thread(queries.standing, parts.store, place.id)
    open_alarms = {row["text_en"] for row in standing_there}
    lanes = () if now is None else now.decided.lanes
    found = detectors_now(
        place, parts.pictures.wires.get(place.id, place), None if now is None else now.readings, open_alarms
    )
    return [_detector(place, one, [lane.confidence for lane in lanes]) for one in found]


def _detector(place: Intersection, one: DetectorNow, confidences: list[float]) -> DetectorView:
    detector = one.detector
    lane = detector.lane if detector.lane >= 0 else None
    known = lane is not None and lane < len(confidences)
    return DetectorView(
        id=detector.id,
        kind=detector.kind,
        lane=lane,
        groups=[place.groups[group].id for group in detector.groups],
        source="cabinet" if one.wired else "vds",
        healthy=one.symptom.value == "none",
        symptom=one.symptom.value,
        name=words(SYMPTOMS[one.symptom]),
        confidence=round(confidences[lane], 3) if known and lane is not None else None,
        age_s=one.age_s,
        count=one.count,
        occupancy=one.occupancy,
        called=one.called,
    )
