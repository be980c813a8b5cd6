"""Delay, gridlock and weights, against SUMO's own trip output."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.errors import SimulationError
from denxanh.networks.demand import Fidelity
from denxanh.sim.metrics import GRIDLOCK_WINDOW_S, GridlockWatch, summarise
from denxanh.sim.plant import Plant
from denxanh.sim.session import sumo_binary

END_S = 300


def _plain_sumo(arguments: tuple[str, ...], tripinfo: Path) -> tuple[int, int, float]:
    """Vehicles, never departed, mean delay: SUMO run by itself, figures by the definition's own words."""
    subprocess.run(
        [
            sumo_binary("sumo"),
            *arguments,
            *("--end", str(END_S), "--tripinfo-output", str(tripinfo), "--no-step-log", "--no-warnings"),
            *("--tripinfo-output.write-unfinished", "--tripinfo-output.write-undeparted"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    trips = [element.attrib for element in ET.parse(tripinfo).getroot().iter("tripinfo")]
    departed = [trip for trip in trips if float(trip["depart"]) >= 0]
    waiting = [trip for trip in trips if float(trip["depart"]) < 0]
    delays = [float(trip["timeLoss"]) + float(trip["departDelay"]) for trip in departed]
    delays += [float(trip["departDelay"]) for trip in waiting]
    return len(trips), len(waiting), sum(delays) / len(delays)


@pytest.mark.parametrize(("rate", "fidelity"), [(0.1, Fidelity.SUBLANE), (0.9, Fidelity.PROXY)])
def test_delay_is_that_of_a_plain_sumo_run(town, tmp_path: Path, rate: float, fidelity: Fidelity) -> None:
    scenario = replace(town.scenario(rate=rate, end_s=END_S, fidelity=fidelity), controlled=())
    vehicles, never, mean = _plain_sumo(scenario.arguments(4), tmp_path / "plain.xml")
    with Plant(scenario, 4) as plant:
        while not plant.over:
            plant.step()
        summary = plant.finish()
    assert summary.trips.vehicles == vehicles
    assert summary.trips.never_departed == never
    assert summary.trips.mean_delay_s == pytest.approx(mean, abs=0.01)
    assert (never > 0) is (rate > 0.5)
    assert summary.trips.persons > 5


def test_own_programme_is_undisturbed_by_detectors(town) -> None:
    means = []
    for controlled in ((), None):
        with Plant(replace(town.scenario(end_s=END_S), controlled=controlled), 4) as plant:
            while not plant.over:
                plant.readings()
                plant.step()
            means.append(plant.finish().trips)
    assert means[0] == means[1]


def _trips(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "trips.xml"
    path.write_text(f"<tripinfos>{''.join(rows)}</tripinfos>")
    return path


def _row(depart: float, waited: float, loss: float, kind: str = "car") -> str:
    return (
        f'<tripinfo id="x" depart="{depart}" departDelay="{waited}" timeLoss="{loss}" waitingCount="2"'
        f' vType="{kind}"/>'
    )


def test_window_weights_and_those_who_never_left(tmp_path: Path) -> None:
    path = _trips(
        tmp_path,
        _row(90, 0, 500),  # due before the window
        _row(110, 15, 500),  # due before the window, left in it
        _row(100, 0, 10),
        _row(150, 20, 30, "unit"),
        _row(-1, 60, 0),  # due at 140, still waiting at 200
    )
    summary = summarise(path, 100, 200, {"unit": 3.0})
    assert summary.vehicles == 5
    assert summary.never_departed == 1
    assert summary.mean_delay_s == pytest.approx((10 + 3 * 50 + 60) / 5)
    assert summary.median_delay_s == 50
    assert summary.p95_delay_s == 60
    assert summary.stops == pytest.approx((2 + 3 * 2) / 5)


def test_empty_window_is_no_division_by_zero(tmp_path: Path) -> None:
    summary = summarise(_trips(tmp_path), 0, 10)
    assert summary.vehicles == summary.mean_delay_s == summary.p95_delay_s == 0


def test_broken_trip_output_is_named(tmp_path: Path) -> None:
    path = tmp_path / "half.xml"
    path.write_text("<tripinfos><tripinfo id=")
    with pytest.raises(SimulationError, match="half"):
        summarise(path, 0, 10)


class FakeSumo:
    """Only counts: so many vehicles inside, so many waiting to enter, so many standing for long."""

    def __init__(self, inside: int, waiting: int = 0, standing: int = 0) -> None:
        self.vehicle = self.simulation = self
        self.inside, self.waiting, self.standing = inside, waiting, standing

    def getIDCount(self) -> int:  # noqa: N802
        return self.inside

    def getPendingVehicles(self) -> list[str]:  # noqa: N802
        return ["w"] * self.waiting

    def getIDList(self) -> list[int]:  # noqa: N802
        return list(range(self.inside))

    def getWaitingTime(self, name: int) -> float:  # noqa: N802
        return float(GRIDLOCK_WINDOW_S) if name < self.standing else 0.0


@pytest.mark.parametrize(
    ("sumo", "locked"),
    [
        (FakeSumo(30), True),
        (FakeSumo(5, waiting=30), True),
        (FakeSumo(19), False),
    ],
)
def test_a_window_without_arrivals_is_gridlock_only_with_traffic(sumo: FakeSumo, locked: bool) -> None:
    watch = GridlockWatch(sumo)
    for _ in range(GRIDLOCK_WINDOW_S - 1):
        watch.second(0, 0)
    assert not watch.gridlock
    watch.second(0, 0)
    assert watch.gridlock is locked


def test_an_arrival_begins_a_new_window() -> None:
    watch = GridlockWatch(FakeSumo(100))
    for second in range(3 * GRIDLOCK_WINDOW_S):
        watch.second(int(second % (GRIDLOCK_WINDOW_S - 1) == 0), 0)
    assert not watch.gridlock


@pytest.mark.parametrize(("standing", "locked"), [(10, False), (11, True)])
def test_standing_at_the_end_is_gridlock(standing: int, locked: bool) -> None:
    assert GridlockWatch(FakeSumo(100, standing=standing)).final() is locked


def test_all_red_for_ever_is_a_gridlock(town) -> None:
    from denxanh.networks.model import Aspect

    scenario = town.scenario(rate=0.15, end_s=380)
    red = [Aspect.RED] * len(scenario.intersections[0].groups)
    with Plant(scenario, 1) as plant:
        while not plant.over:
            plant.show(0, red)
            plant.step()
        summary = plant.finish()
    assert summary.gridlock
    assert summary.conflicts == 0
