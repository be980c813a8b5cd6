"""One day of a simulated month: its windows in turn, each a run of the controller in the day's journal.

Before a window the cabinets are alone with their own plans for `WARMUP_S` seconds while traffic fills the
streets; then the controller starts, as at a site on any morning, and hands over to nobody at the end: the run
closes when its clock ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Protocol
from xml.sax.saxutils import quoteattr

from denxanh.controller.assembly import makers, opening
from denxanh.controller.journal import Journal, Record
from denxanh.controller.loop import Loop
from denxanh.controller.post import Post
from denxanh.controller.site import Site
from denxanh.errors import JournalError
from denxanh.networks.build import build
from denxanh.networks.demand import Fidelity, Piece
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.sim.almanac import profile
from denxanh.sim.day import WARMUP_S, Day, Incident, Play
from denxanh.sim.faults import FIELD_LIKE, DetectorErrors
from denxanh.sim.inprocess import LocalCabinet, SharedClock
from denxanh.sim.pace import Pace
from denxanh.sim.plant import Plant
from denxanh.sim.prompter import Prompter, local
from denxanh.sim.scenario import Scenario, pieced_scenario
from denxanh.sim.street import Street, StreetSummary, plan_numbers

EPOCHS = 65_535
"""Fencing epochs that there are."""
SEED_BITS = 31
"""Of a window's own seed; SUMO takes no larger one."""
STANDS_AT_M = -30.0
"""Where a vehicle stands in the way: so far before the stop line."""
DETECTION = replace(FIELD_LIKE, dropout_per_hour=0.0)
"""Sound detectors err as in the field; which ones fail and when is the almanac's to say."""


class Streets(Protocol):
    """Where a window's streets and traffic come from."""

    def __call__(self, day: Day, play: Play, seed: int, folder: Path) -> Scenario:
        """The scenario from `WARMUP_S` before the window to its end; its files go into the folder."""
        ...


@dataclass(frozen=True, slots=True)
class CatalogueStreets:
    """A corridor of the catalogue, or of a folder, under its own demands."""

    corridor: str
    fidelity: Fidelity

    def __call__(self, day: Day, play: Play, seed: int, folder: Path) -> Scenario:
        """See `Streets`.

        Raises:
            CorridorError: the corridor or its demand does not exist or is wrong.
            MissingExtraError: SUMO is not installed.
        """
        ends = (*(one.begin_s for one in play.traffic[1:]), play.window.end_s)
        pieces = [
            Piece(one.demand, one.begin_s, end_s, profile(one.demand))
            for one, end_s in zip(play.traffic, ends, strict=True)
        ]
        return pieced_scenario(
            build(self.corridor),
            pieces,
            self.fidelity,
            seed,
            warmup_s=WARMUP_S,
            scale=day.factor,
            folder=folder,
        )


def play_day(
    site: Site, streets: Streets, day: Day, seed: int, journal: Journal, folder: Path
) -> tuple[StreetSummary, ...]:
    """Play a day into its journal. Reproducible for a seed in a fresh process.

    Args:
        site: what the controller runs; its corridor is the streets' own.
        streets: make each window's scenario.
        day: from the almanac.
        seed: of the month.
        journal: empty.
        folder: for files that are needed meanwhile.

    Returns:
        What SUMO saw of each window: true delays, not what detectors tell.

    Raises:
        SimulationError: SUMO refuses a scenario or fails.
        SiteError: a fault names what is not there.
        JournalError: the journal could not be written whole.
    """
    summaries = []
    for place, play in enumerate(day.plays):
        number = (day.number - 1) * len(day.plays) + place
        own = Random(f"window/{seed}/{day.date}/{play.window.begin_s}").getrandbits(SEED_BITS)
        scenario = streets(day, play, own, folder)
        scenario = replace(scenario, date=day.date, routes=(*scenario.routes, *_standing(play, folder)))
        run = _Run(site, scenario, day, play, seed=own, epoch=1 + number % EPOCHS)
        summaries.append(asyncio.run(run.play(journal, folder)))
    return tuple(summaries)


@dataclass(frozen=True, slots=True)
class _Run:
    """One window."""

    site: Site
    scenario: Scenario
    day: Day
    window: Play
    seed: int
    epoch: int

    async def play(self, journal: Journal, folder: Path) -> StreetSummary:
        """From the first second of the warm-up to the last of the window; `folder` is thrown away."""
        site, day = self.site, self.day
        prompter = Prompter(site, day, self.window.window)
        clock = SharedClock(WARMUP_S, prompter.tick)
        faults = [
            one.model_copy(update={"at_s": one.at_s + WARMUP_S})  # the street counts from its own begin
            for one in self.window.faults
        ]
        with Plant(self.scenario, self.seed, DetectorErrors(DETECTION, self.seed)) as plant:
            numbers = plan_numbers(plant)
            cabinets = [VirtualCabinet(one, numbers) for one in plant.intersections]
            links = {one.intersection.id: LocalCabinet(one) for one in cabinets}
            street = Street(plant, cabinets, links, clock, Pace(0.0), faults)
            journal.append(self._opening())
            loop = Loop(
                clock,
                self._posts(links),
                journal,
                self._opening,
                folder,
                prompter.requests,
                people=prompter.orders,
            )
            try:
                async with asyncio.TaskGroup() as both:
                    control = both.create_task(loop.run(asyncio.Event()))
                    summary = await street.run()
                    clock.end()
            except ExceptionGroup as group:
                raise group.exceptions[0] from group
        if control.result().journal_gaps:
            raise JournalError(
                "seconds are missing: it could not be written",
                where=str(journal.path),
                fix="free space on the disk and start again",
            )
        return summary

    def _posts(self, links: Mapping[str, LocalCabinet]) -> list[Post]:
        site = self.site
        made = makers(
            site.corridor,
            site.intersections,
            site.policy,
            self.epoch,
            model=None if site.model is None else site.model.sha256,
            settings=site.requests,
        )
        return [Post(name, link, made[name], self.epoch) for name, link in links.items()]

    def _opening(self) -> Record:
        """The `open` record; even the computer's clock is the simulated one, for there is no other."""
        begun = local(self.day.date, self.window.window.begin_s)
        return {**opening(self.site, self.epoch), "t": begun.isoformat()}


def _standing(play: Play, folder: Path) -> Iterator[Path]:
    """Route files of vehicles that stand in the way."""
    if not play.incidents:
        return
    path = folder / f"incidents-{play.window.begin_s}.rou.xml"
    path.write_text(incidents_xml(play.incidents, play.window.begin_s), encoding="utf-8")
    yield path


def incidents_xml(incidents: Sequence[Incident], begin_s: int) -> str:
    """SUMO's route file of incidents: each a car that stops on its lane and then drives on.

    Args:
        incidents: in order of time, `at_s` after `begin_s`.
        begin_s: local second.
    """
    lines = []
    for number, one in enumerate(incidents):
        edge, _, lane = one.lane.rpartition("_")
        lines.append(
            f'  <vehicle id="incident{number}" type="car" depart="{begin_s + one.at_s}"'
            f" departLane={quoteattr(lane)}>"
            f"<route edges={quoteattr(edge)}/>"
            f'<stop lane={quoteattr(one.lane)} endPos="{STANDS_AT_M}" friendlyPos="true"'
            f' duration="{one.for_s}"/></vehicle>'
        )
    return "\n".join(["<routes>", *lines, "</routes>"]) + "\n"
