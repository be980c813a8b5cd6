"""What the trip output says about classes, people, queues and emissions."""

from __future__ import annotations

from pathlib import Path

import pytest

from denxanh.sim.fleet import OCCUPANCY, Fleet, RoadUser
from denxanh.sim.metrics import ClassSummary, summarise, walks

VCLASSES = {"moto": "motorcycle", "sedan": "passenger", "city": "bus", "odd": "drone"}


def _vehicle(
    kind: str, loss: float, *, depart: float = 10, waited: float = 0, stood: float = 0, arrival: float = -1
) -> str:
    return (
        f'<tripinfo id="x" depart="{depart}" departDelay="{waited}" timeLoss="{loss}" waitingCount="1"'
        f' waitingTime="{stood}" arrival="{arrival}" vType="{kind}"/>'
    )


def _person(depart: float, loss: float, stood: float) -> str:
    walk = f'<walk depart="{depart}" timeLoss="{loss}" waitingTime="{stood}"/>'
    return f'<personinfo id="p" depart="{depart}">{walk}</personinfo>'


def _file(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "trips.xml"
    path.write_text(f"<tripinfos>{''.join(rows)}</tripinfos>")
    return path


def test_delay_per_person_counts_everyone_in_a_bus_and_on_foot(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        _vehicle("moto", 10),
        _vehicle("moto", 20),
        _vehicle("sedan", 30),
        _vehicle("city", 60),
        _person(5, 40, 30),
    )
    found = summarise(path, 0, 100, vclasses=VCLASSES)
    people = (2 * 1.2, 1.6, 20.0, 1.0)
    assert found.everybody == pytest.approx(sum(people))
    told = 1.2 * (10 + 20) + 1.6 * 30 + 20 * 60 + 40
    assert found.everybody_delay_s == pytest.approx(told / sum(people))
    assert found.mean_delay_s == 30
    assert found.pcu_delay_s == pytest.approx((30 / 3 + 30 + 3 * 60) / (2 / 3 + 1 + 3))
    assert dict(found.classes) == {
        RoadUser.MOTORBIKE: ClassSummary(2, 15),
        RoadUser.CAR: ClassSummary(1, 30),
        RoadUser.BUS: ClassSummary(1, 60),
        RoadUser.PEDESTRIAN: ClassSummary(1, 40),
    }


def test_a_proxy_unit_is_three_motorbikes_with_their_riders(tmp_path: Path) -> None:
    path = _file(tmp_path, _vehicle("unit", 30), _vehicle("sedan", 10))
    fleet = Fleet(classes=(("unit", RoadUser.MOTORBIKE),))
    found = summarise(path, 0, 100, {"unit": 3.0}, fleet=fleet, vclasses={"unit": "passenger"})
    assert dict(found.classes)[RoadUser.MOTORBIKE] == ClassSummary(3, 30)
    assert found.everybody == pytest.approx(3 * 1.2 + 1.6)
    assert found.pcu_delay_s == pytest.approx(20)  # a unit is one passenger-car unit


def test_a_scenario_may_bring_its_own_occupancies(tmp_path: Path) -> None:
    path = _file(tmp_path, _vehicle("moto", 10), _vehicle("sedan", 20))
    fleet = Fleet(occupancy=((RoadUser.CAR, 4.0), (RoadUser.MOTORBIKE, 1.0)))
    assert summarise(path, 0, 100, fleet=fleet, vclasses=VCLASSES).everybody_delay_s == 18
    assert OCCUPANCY[RoadUser.CAR] == 1.6


def test_a_pedestrian_who_never_crosses_is_not_without_delay(tmp_path: Path) -> None:
    """SUMO 1.28 writes a time loss of 0 for a walk that has not ended."""
    path = _file(tmp_path, _person(10, 0, 85), _person(20, 12, 8), '<personinfo id="q" depart="30"/>')
    assert list(walks(path)) == [(10, 85), (20, 12), (30, 0)]


def test_queue_and_throughput(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        _vehicle("sedan", 10, depart=10, stood=60, arrival=150),  # due before the window, arrives in it
        _vehicle("sedan", 10, depart=120, stood=30, arrival=180),
        _vehicle("unit", 10, depart=130, stood=20),
        _vehicle("sedan", 0, depart=-1, waited=50, stood=9),
    )
    found = summarise(path, 100, 200, {"unit": 3.0})
    assert found.queue == pytest.approx((30 + 3 * 20) / 100)
    assert found.throughput_h == pytest.approx(2 * 3600 / 100)
    assert found.never_departed == 1


def test_emissions_only_where_sumo_was_asked(tmp_path: Path) -> None:
    row = _vehicle("sedan", 10)
    assert summarise(_file(tmp_path, row), 0, 100).co2_kg is None
    emitted = row.replace("/>", '><emissions CO2_abs="2000000" fuel_abs="650000"/></tripinfo>')
    found = summarise(_file(tmp_path, emitted, emitted), 0, 100)
    assert (found.co2_kg, found.fuel_kg) == (pytest.approx(4.0), pytest.approx(1.3))


@pytest.mark.parametrize(
    ("vclass", "user"),
    [
        ("motorcycle", RoadUser.MOTORBIKE),
        ("bicycle", RoadUser.BICYCLE),
        ("taxi", RoadUser.CAR),
        ("coach", RoadUser.BUS),
        ("delivery", RoadUser.TRUCK),
        ("tram", RoadUser.OTHER),
    ],
)
def test_sumos_classes_become_ours(vclass: str, user: RoadUser) -> None:
    assert Fleet().user("t", {"t": vclass}) is user
