"""What is known of flooded and closed streets; pure.

A report counts until its own time is over and no longer: a gauge that is silent closes nothing. The street is
then served again, because signals that starve people who are really there get ignored; the end of the report
is an alarm. A street opens again only once the water is `HYSTERESIS_CM` below the mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from denxanh.controller.priority.settings import Gauge

HYSTERESIS_CM = 5.0
"""Below the mark by this much before a street opens again (assumed): waves of passing traffic."""

StreetState = Literal["closed", "held"]


@dataclass(frozen=True, slots=True)
class Report:
    """Whose word it is: the source, the gauge or street that it is about, and the tick at which it ends."""

    source: str
    about: str
    until: int


@dataclass(frozen=True, slots=True)
class Street:
    """One street by one report."""

    link: str
    state: StreetState
    report: Report
    said: str


States = tuple[Street, ...]


def level(streets: States, report: Report, gauge: Gauge, level_cm: float) -> States:
    """A gauge's new reading takes the place of its last one, whoever sent that."""
    before = next((one.state for one in streets if one.report.about == report.about), None)
    state = _state(gauge, level_cm, before)
    others = tuple(one for one in streets if one.report.about != report.about)
    if state is None:
        return others
    said = f"{gauge.id} {level_cm:.0f} cm"
    return (*others, *(Street(link, state, report, said) for link in gauge.links))


def _state(gauge: Gauge, level_cm: float, before: StreetState | None) -> StreetState | None:
    close_cm = gauge.close_cm - (HYSTERESIS_CM if before == "closed" else 0.0)
    hold_cm = gauge.hold_cm - (HYSTERESIS_CM if before is not None else 0.0)
    if level_cm >= close_cm:
        return "closed"
    return "held" if level_cm >= hold_cm else None


def close(streets: States, report: Report, link: str, state: Literal["closed", "held", "open"]) -> States:
    """A source's word about a street takes the place of its own last one; gauges and others keep theirs."""
    others = tuple(
        one for one in streets if not (one.report.about == link and one.report.source == report.source)
    )
    if state == "open":
        return others
    return (*others, Street(link, state, report, f"{link} {state}"))


def standing(streets: States, tick: int) -> tuple[States, tuple[Report, ...]]:
    """What still counts, and the reports whose time is over."""
    over = {one.report: None for one in streets if tick >= one.report.until}
    return tuple(one for one in streets if tick < one.report.until), tuple(over)


def links(streets: Iterable[Street], state: StreetState) -> tuple[str, ...]:
    """The streets in this state, sorted."""
    return tuple(sorted({one.link for one in streets if one.state == state}))
