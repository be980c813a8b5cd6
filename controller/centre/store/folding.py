"""What the journal's records come to: runs, events, alarms, spans, minutes and signal events. Pure.

`fold` reads records in their order and changes a `State`, which holds all that is begun and not finished: the
run, the last second of each intersection, the minute that is being summed up. The state is stored with the
bookmark, so that whoever reads on from there comes to the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from denxanh.controller.centre.store.rows import plain
from denxanh.controller.centre.store.said import Lane, Second, at_ms, event, opened, second
from denxanh.controller.centre.store.signals import Signals
from denxanh.controller.highres.memory import Memory
from denxanh.controller.highres.moment import SignalEvent
from denxanh.controller.narrate import restarted
from denxanh.controller.record import Event
from denxanh.controller.vds.arrival import Source

SECOND_MS = 1000
MINUTE_MS = 60_000
GAP_MS = 5 * SECOND_MS
"""After a longer silence nobody knows what the lamps have shown meanwhile, ms (assumed: the lease)."""
ALARMS = frozenset(("alarm", "detector", "link", "refusal"))
"""Kinds of events that stand until an `alarm-cleared` takes them back."""
CLEARED = "Cleared: "
"""How an `alarm-cleared` begins in English; the rest are the alarm's own words (`controller.alarms`)."""
KILLED = "no close record"
"""How a run ended that could not say so."""

Row = dict[str, Any]


@dataclass(slots=True)
class Sums:
    """One lane's minute so far."""

    seconds: int = 0
    queued: float = 0.0
    queued_max: float = 0.0
    moving: float = 0.0
    confidence_min: float = 1.0


@dataclass(slots=True)
class Place:
    """One intersection: its last second, and what it has begun."""

    last_ms: int
    began_ms: int
    shown: list[Any]
    """Aspects, stage, whether in an interstage, mode, plan: what a span keeps the same."""
    lasting: bool
    """Whether the span is still open."""
    minute_ms: int
    lanes: list[Sums]


@dataclass(slots=True)
class State:
    """What is begun and not finished."""

    run: int = 0
    """The newest run's number; 0: none yet."""
    opened_ms: int = 0
    began: bool = False
    """Whether the run has had a tick."""
    closed: bool = True
    now_ms: int | None = None
    """The site's clock: the last second of all intersections."""
    places: dict[str, Place] = field(default_factory=dict)
    signals: dict[str, Memory] = field(default_factory=dict)
    """What the encoder of each intersection's signal events remembers."""
    vds: tuple[Source, ...] = ()
    """Who feeds zones in this run."""


STATE = TypeAdapter(State)
"""To JSON and back."""


@dataclass(slots=True)
class Rows:
    """What a batch of records adds and changes. Changes are of rows that stood before the batch."""

    runs: list[Row] = field(default_factory=list)
    run_changes: dict[int, Row] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    spans: list[Row] = field(default_factory=list)
    ended_spans: list[Row] = field(default_factory=list)
    """Intersection, began_ms, ended_ms."""
    minutes: list[Row] = field(default_factory=list)
    alarms: list[Row] = field(default_factory=list)
    cleared_alarms: list[Row] = field(default_factory=list)
    """Intersection, cause and words (None: whatever they are), cleared_ms."""
    signal_events: list[tuple[str, SignalEvent]] = field(default_factory=list)
    """By intersection."""
    skipped: int = 0
    """Records that this program cannot read."""


def fold(state: State, records: Iterable[Mapping[str, Any]], intersections: Mapping[str, Signals]) -> Rows:
    """Take records up into `state` and return what they add. Unknown kinds of records add nothing.

    Args:
        state: changed in place.
        records: in the journal's order.
        intersections: those of the corridor, by id; ticks of others are left out and counted.
    """
    rows = Rows()
    for record in records:
        try:
            _take(state, rows, record, intersections)
        except (ValidationError, ValueError, OverflowError):
            rows.skipped += 1
    return rows


def _take(state: State, rows: Rows, record: Mapping[str, Any], intersections: Mapping[str, Signals]) -> None:
    match record.get("k"):
        case "tick":
            intersection = str(record.get("i"))
            if intersection not in intersections:
                raise ValueError("no intersection of this corridor")
            now = second(record)
            _tick(state, rows, intersection, now)
            _signals(state, rows, intersection, now, intersections[intersection])
        case "open":
            _open(state, rows, record)
            for name, memory in state.signals.items():
                if name in intersections:
                    intersections[name].begin(memory)
        case "close":
            _end_run(state, rows, plain(str(record.get("cause", "")), 200))
            for name, memory in state.signals.items():
                if name in intersections:
                    rows.signal_events += [(name, told) for told in intersections[name].end(memory)]
        case "event":
            _event(state, rows, _intersection(record), None, _now(state), event(record))
        case "restart":
            # The intersection's controller has forgotten its alarms and raises again what still stands.
            intersection = _intersection(record)
            _clear(rows, _now(state), intersection, None)
            _event(state, rows, intersection, None, _now(state), restarted(str(record.get("cause", ""))))
        case str():
            pass
        case _:
            raise ValueError("a record needs a kind")


def _tick(state: State, rows: Rows, intersection: str, now: Second) -> None:
    at = at_ms(now.heard.date, now.heard.clock_s)
    state.now_ms = at
    if not state.began and state.run:
        state.began = True
        _change_run(rows, state.run, {"began_ms": at})
    _show(state, rows, intersection, at, now)
    _sum_up(state, rows, intersection, at, now.decided.lanes)
    state.places[intersection].last_ms = at
    for told in now.decided.events:
        _event(state, rows, intersection, now.heard.tick, at, told)


def _signals(state: State, rows: Rows, intersection: str, now: Second, signals: Signals) -> None:
    memory = state.signals.get(intersection)
    if memory is None or not signals.fits(memory):
        memory = state.signals[intersection] = Memory()
    sources = tuple([one for one in state.vds if one.intersection == intersection]) if state.vds else ()
    at = state.places[intersection].last_ms
    rows.signal_events += [(intersection, told) for told in signals.second(memory, at, now, sources)]


def _show(state: State, rows: Rows, intersection: str, at: int, now: Second) -> None:
    """Go on with the intersection's span, or end it and begin one."""
    decided = now.decided
    shown = [decided.aspects, decided.stage, decided.in_interstage, decided.mode.value, decided.plan]
    place = state.places.get(intersection)
    if place is None:
        place = Place(at, at, shown, lasting=False, minute_ms=at - at % MINUTE_MS, lanes=[])
        state.places[intersection] = place
    elif place.lasting:
        follows = 0 < at - place.last_ms <= GAP_MS
        if follows and shown == place.shown:
            return
        _end_span(rows, intersection, place, at if follows else place.last_ms + SECOND_MS)
    place.began_ms, place.shown, place.lasting = at, shown, True
    rows.spans.append(
        {
            "run": state.run or None,
            "intersection": intersection,
            "began_ms": at,
            "ended_ms": None,
            "aspects": decided.aspects,
            "stage": decided.stage,
            "in_interstage": decided.in_interstage,
            "mode": decided.mode.value,
            "plan": decided.plan,
        }
    )


def _end_span(rows: Rows, intersection: str, place: Place, ended_ms: int) -> None:
    place.lasting = False
    for span in reversed(rows.spans):
        if span["intersection"] == intersection:
            span["ended_ms"] = ended_ms
            return
    rows.ended_spans.append({"of": intersection, "began": place.began_ms, "ended_ms": ended_ms})


def _sum_up(state: State, rows: Rows, intersection: str, at: int, lanes: tuple[Lane, ...]) -> None:
    """Add a second to the intersection's minute; the first second of another minute closes the one before."""
    place = state.places[intersection]
    minute = at - at % MINUTE_MS
    if minute != place.minute_ms or len(lanes) != len(place.lanes):
        _flush(rows, intersection, place)
        place.minute_ms = minute
        place.lanes = [Sums() for _ in lanes]
    for sums, lane in zip(place.lanes, lanes, strict=True):
        sums.seconds += 1
        sums.queued += lane.queued
        sums.queued_max = max(sums.queued_max, lane.queued)
        sums.moving += lane.moving
        sums.confidence_min = min(sums.confidence_min, lane.confidence)


def _flush(rows: Rows, intersection: str, place: Place) -> None:
    for lane, sums in enumerate(place.lanes):
        if sums.seconds:
            rows.minutes.append(
                {
                    "intersection": intersection,
                    "minute_ms": place.minute_ms,
                    "lane": lane,
                    "seconds": sums.seconds,
                    "queued_mean": round(sums.queued / sums.seconds, 3),
                    "queued_max": round(sums.queued_max, 3),
                    "moving_mean": round(sums.moving / sums.seconds, 3),
                    "confidence_min": round(sums.confidence_min, 3),
                }
            )
    place.lanes = []


def _open(state: State, rows: Rows, record: Mapping[str, Any]) -> None:
    run = opened(record)
    if state.run:
        why = record.get("after")
        _end_run(state, rows, why if isinstance(why, str) else KILLED)
        _clear(rows, _now(state), None, None)
    state.run += 1
    state.opened_ms, state.began, state.closed = run.opened_ms, False, False
    state.vds = run.vds
    rows.runs.append(
        {
            "id": state.run,
            "opened_ms": run.opened_ms,
            "began_ms": None,
            "closed_ms": None,
            "site": plain(run.site, 1000),
            "corridor": plain(run.corridor, 128),
            "policy": plain(run.policy, 1000),
            "epoch": run.epoch,
            "ended": None,
        }
    )


def _end_run(state: State, rows: Rows, why: str) -> None:
    for intersection, place in state.places.items():
        if place.lasting:
            _end_span(rows, intersection, place, place.last_ms + SECOND_MS)
        _flush(rows, intersection, place)
    if state.closed:
        return
    state.closed = True
    ended = state.now_ms + SECOND_MS if state.began and state.now_ms is not None else None
    _change_run(rows, state.run, {"closed_ms": ended, "ended": plain(why, 200)})


def _change_run(rows: Rows, run: int, change: Row) -> None:
    for row in rows.runs:
        if row["id"] == run:
            row.update(change)
            return
    rows.run_changes.setdefault(run, {}).update(change)


def _event(state: State, rows: Rows, intersection: str, tick: int | None, at: int, told: Event) -> None:
    text_vi, text_en = plain(told.text_vi, 2000), plain(told.text_en, 2000)
    cause = plain(told.cause, 200)
    rows.events.append(
        {
            "run": state.run or None,
            "tick": tick,
            "at_ms": at,
            "intersection": intersection,
            "kind": plain(told.kind, 32),
            "cause": cause,
            "text_vi": text_vi,
            "text_en": text_en,
            "mode_from": None if told.mode_from is None else told.mode_from.value,
            "mode_to": None if told.mode_to is None else told.mode_to.value,
        }
    )
    if told.kind == "alarm-cleared":
        _clear(rows, at, intersection, (cause, text_en.removeprefix(CLEARED)))
    elif told.kind in ALARMS:
        rows.alarms.append(
            {
                "run": state.run or None,
                "intersection": intersection,
                "cause": cause,
                "text_vi": text_vi,
                "text_en": text_en,
                "raised_ms": at,
                "cleared_ms": None,
            }
        )


def _clear(rows: Rows, at: int, intersection: str | None, words: tuple[str, str] | None) -> None:
    """Alarms stand no longer: those of the batch, and by a change those from before it."""
    for alarm in rows.alarms:
        if (
            alarm["cleared_ms"] is None
            and intersection in (None, alarm["intersection"])
            and words in (None, (alarm["cause"], alarm["text_en"]))
        ):
            alarm["cleared_ms"] = at
    rows.cleared_alarms.append({"intersection": intersection, "words": words, "cleared_ms": at})


def _now(state: State) -> int:
    return state.opened_ms if state.now_ms is None else state.now_ms


def _intersection(record: Mapping[str, Any]) -> str:
    """Of a record that may be about the whole corridor: then empty."""
    return plain(str(record.get("i", "")), 64)
