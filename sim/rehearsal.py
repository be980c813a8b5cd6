"""One day of a simulated month: its windows one after another, each a run of the controller in the day's journal.

Before a window the cabinets are alone with their own plans for `WARMUP_S` seconds while traffic fills the
streets; then the controller starts, as at a site on any morning, and hands over to nobody at the end: the run
closes when its clock ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import quoteattr

from denxanh.controller.assembly import makers, opening
from denxanh.controller.clock import VIETNAM
from denxanh.controller.journal import Journal, Record
from denxanh.controller.loop import Loop
from denxanh.controller.operator import desk as orders
from denxanh.controller.operator import message as order
from denxanh.controller.post import Post
from denxanh.controller.priority import message as request
from denxanh.controller.priority import receiver
from denxanh.controller.priority.seal import read_key, seal
from denxanh.controller.site import Site
from denxanh.networks.demand import Fidelity
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.sim.almanac import WARMUP_S, Day, Incident, Play, profile
from denxanh.sim.faults import FIELD_LIKE, DetectorErrors
from denxanh.sim.grants import Grant
from denxanh.sim.inprocess import LocalCabinet, SharedClock, Tray
from denxanh.sim.pace import Pace
from denxanh.sim.plant import Plant
from denxanh.sim.scenario import Scenario, catalogue_scenario
from denxanh.sim.spec import FaultSpec
from denxanh.sim.street import Street, StreetSummary, plan_numbers

ENGINEER = "ky-su-mo-phong"
"""Who orders the fixed plans; an account that no person has."""
REASON = "Ngày đối chứng chạy kế hoạch cố định (mô phỏng)"
WATER_EVERY_S = 300
"""Between two readings of the water gauge."""
WATER_VALID_S = 900
EPOCHS = 65_535
"""Fencing epochs that there are."""
STANDS_AT_M = -30.0
"""Where a vehicle stands in the way: so far before the stop line."""
DETECTION = replace(FIELD_LIKE, dropout_per_hour=0.0)
"""Sound detectors err as in the field; which ones fail and when is the almanac's to say."""
SEEDS = 2**31
_STRIDE = 1_000_003
"""Apart from each other, so that the windows of one month's seed are not those of the next one's."""


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
        begin_s = play.window.begin_s - WARMUP_S
        scenario = catalogue_scenario(
            self.corridor,
            play.demand,
            self.fidelity,
            seed,
            seconds=play.window.end_s - begin_s,
            scale=day.factor,
            folder=folder,
            begin_s=begin_s,
            profile=profile(play.demand),
        )
        return replace(scenario, measure_from_s=play.window.begin_s)


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
    """
    summaries = []
    for place, play in enumerate(day.plays):
        number = (day.number - 1) * len(day.plays) + place
        own = (seed * _STRIDE + number) % SEEDS
        scenario = streets(day, play, own, folder)
        scenario = replace(scenario, date=day.date, routes=(*scenario.routes, *_standing(play, folder)))
        run = _Run(site, scenario, day, play, seed=own, epoch=1 + number % EPOCHS)
        summaries.append(asyncio.run(run.play(journal)))
    return tuple(summaries)


@dataclass(frozen=True, slots=True)
class _Run:
    """One window."""

    site: Site
    scenario: Scenario
    day: Day
    play_: Play
    seed: int
    epoch: int

    async def play(self, journal: Journal) -> StreetSummary:
        """From the first second of the warm-up to the last of the window."""
        site, epoch = self.site, self.epoch
        script = _Script(self)
        clock = SharedClock(WARMUP_S, script.tick)
        with Plant(self.scenario, self.seed, DetectorErrors(DETECTION, self.seed)) as plant:
            numbers = plan_numbers(plant)
            cabinets = [VirtualCabinet(one, numbers) for one in plant.intersections]
            links = {one.intersection.id: LocalCabinet(one) for one in cabinets}
            made = makers(site.corridor, site.intersections, site.policy, epoch, settings=site.requests)
            posts = [Post(name, link, made[name], epoch) for name, link in links.items()]
            journal.append(self.opening())
            loop = Loop(
                clock, posts, journal, self.opening, site.state_dir, script.requests, None, script.orders
            )
            street = Street(plant, cabinets, links, clock, Pace(0.0), self.faults())
            async with asyncio.TaskGroup() as both:
                both.create_task(loop.run(asyncio.Event()))
                summary = await street.run()
                clock.end()
        return summary

    def opening(self) -> Record:
        """The `open` record; even the computer's clock is the simulated one, for there is no other."""
        return {**opening(self.site, self.epoch), "t": self.at(self.play_.window.begin_s).isoformat()}

    def at(self, second: float) -> datetime:
        """A local second of this day."""
        midnight = datetime.fromisoformat(self.day.date).replace(tzinfo=VIETNAM)
        return datetime.fromtimestamp(midnight.timestamp() + second, VIETNAM)

    def faults(self) -> tuple[FaultSpec, ...]:
        """As the street counts: from the begin of the warm-up."""
        return tuple(one.model_copy(update={"at_s": one.at_s + WARMUP_S}) for one in self.play_.faults)


class _Script:
    """What people and gauges tell the controller in a window, each in its second."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._clock_s = self._began_s = float(run.play_.window.begin_s)
        self._said = 0
        self._order_tray, self._request_tray = Tray(), Tray()
        site = run.site
        sites = {one.id: one for one in site.intersections}
        self.orders = orders.Desk(sites, self._order_tray, wall=self._wall, monotonic=self._up)
        self._keys = {name: read_key(path) for name, path in site.key_files}
        self.requests = site.requests and receiver.Desk(
            site.requests, self._keys, self._request_tray, wall=self._wall, monotonic=self._up
        )

    def tick(self, grant: Grant) -> None:
        """Before the controller's tick."""
        self._clock_s = grant.clock_s
        since_s = round(self._clock_s - self._began_s)
        if since_s == 0 and not self._run.day.adaptive:
            self._order_plans()
        if self._run.day.water_cm is not None and since_s % WATER_EVERY_S == 0:
            self._report_water(self._run.day.water_cm)

    def _order_plans(self) -> None:
        window = self._run.play_.window
        for one in self._run.site.intersections:
            given = order.SetPlan(
                id=f"mo-phong.{self._run.day.date}.{window.begin_s}.{one.number}",
                intersection=one.id,
                actor=ENGINEER,
                role=order.Role.ENGINEER,
                reason=REASON,
                issued_s=self._wall(),
                plan=None,
                for_s=window.end_s - window.begin_s + 60,
            )
            self._order_tray.put(order.body(given))

    def _report_water(self, level_cm: float) -> None:
        settings = self._run.site.requests
        if settings is None:
            return
        for gauge, (source, key) in zip(settings.gauges, self._keys.items(), strict=False):
            self._said += 1
            reading = request.Water(
                source=source,
                seq=self._said,
                issued_s=self._wall(),
                gauge=gauge.id,
                level_cm=level_cm,
                valid_s=WATER_VALID_S,
            )
            self._request_tray.put(seal(key, request.body(reading)))

    def _wall(self) -> float:
        return self._run.at(self._clock_s).timestamp()

    def _up(self) -> float:
        return self._clock_s


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
