"""Simulated detectors against SUMO's own figures, and what faults do to them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.model import DetectorKind
from denxanh.sim.detector_files import LOOP_KINDS, detector_xml
from denxanh.sim.detectors import COUNTER, DetectorBank
from denxanh.sim.faults import DetectorErrors, ErrorModel, FaultKind
from denxanh.sim.plant import Plant
from denxanh.sim.session import Session, TraciBackend

SECONDS = 240
CAR_M = 4.4


def _twins(town, path: Path) -> Path:
    """SUMO's own loops at the same places, reported by SUMO itself."""
    lines = ["<additional>"]
    for detector in town.corridor.intersections[0].detectors:
        if detector.kind in LOOP_KINDS:
            spot = detector.segments[0]
            lines.append(
                f'<inductionLoop id="{detector.id}" lane="{spot.lane}"'
                f' pos="{(spot.begin_m + spot.end_m) / 2:.2f}"'
                f' period="{SECONDS}" file="{path.with_suffix(".out.xml")}"/>'
            )
    path.write_text("\n".join([*lines, "</additional>"]))
    return path


@pytest.fixture
def bank(town, tmp_path: Path) -> Iterator[tuple[Session, DetectorBank]]:
    scenario = town.scenario(rate=0.3, end_s=SECONDS)
    mine = tmp_path / "mine.add.xml"
    mine.write_text(detector_xml(scenario.intersections))
    twins = _twins(town, tmp_path / "twins.add.xml")
    with Session.start(scenario.arguments(3, (mine, twins))) as session:
        yield session, DetectorBank(session, scenario.intersections)


def test_counts_are_the_vehicles_that_passed(town, bank, tmp_path: Path) -> None:
    session, detectors = bank
    last = None
    while session.time_s < SECONDS:
        session.run_second(detectors.collect)
        (last,) = detectors.readings()
    session.close()
    told = {
        interval.attrib["id"]: interval.attrib
        for interval in ET.parse(tmp_path / "twins.add.out.xml").getroot().iter("interval")
    }
    names = [one.id for one in town.corridor.intersections[0].detectors if one.id in told]
    counted = [loop.count for loop in last.loops]
    true = [int(told[name]["nVehContrib"]) for name in names]
    assert sum(true) > 200
    assert counted == true
    for name, loop in zip(names, last.loops, strict=True):
        assert loop.occupied_ds / 10 <= SECONDS * float(told[name]["occupancy"]) / 100 + 1.0


def test_zone_sees_each_vehicle_once_across_its_segments(town, bank) -> None:
    session, detectors = bank
    checked = 0
    zones = [one for one in town.corridor.intersections[0].detectors if one.kind is DetectorKind.ZONE]
    while session.time_s < 120:
        session.run_second(detectors.collect)
        (reading,) = detectors.readings()
        for zone, told in zip(zones, reading.zones, strict=True):
            lane = zone.segments[0].lane
            api = session.sumo
            reaching = [
                name
                for name in api.lane.getLastStepVehicleIDs(lane)
                if api.vehicle.getLanePosition(name) >= zone.segments[1].begin_m
            ]
            tails = sum(
                api.vehicle.getLaneID(name).startswith(":B1") and api.vehicle.getLanePosition(name) < CAR_M
                for name in api.vehicle.getIDList()
            )
            assert len(reaching) <= told.vehicles <= len(reaching) + tails
            assert told.queued <= told.vehicles
            checked += len(reaching)
    assert checked > 500


def test_button_stays_called_until_its_walk(town) -> None:
    from denxanh.networks.model import Aspect

    intersection = town.corridor.intersections[0]
    buttons = [one for one in intersection.detectors if one.kind is DetectorKind.BUTTON]
    called_at: dict[int, int] = {}
    red = [Aspect.RED] * len(intersection.groups)
    with Plant(town.scenario(), 1) as plant:
        while len(called_at) < 1 and plant.seconds < 200:
            (reading,) = plant.readings()
            called_at |= {place: plant.seconds for place, on in enumerate(reading.buttons) if on}
            plant.show(0, red)
            plant.step()
        place = next(iter(called_at))
        for _ in range(20):
            assert plant.readings()[0].buttons[place]
            plant.step()
        walk = list(red)
        walk[buttons[place].groups[0]] = Aspect.WALK
        plant.show(0, walk)
        for _ in range(5):
            plant.step()
        assert not plant.readings()[0].buttons[place]


def test_injected_faults_are_what_their_names_say(town) -> None:
    intersection = town.corridor.intersections[0]
    loops = [one for one in intersection.detectors if one.kind in LOOP_KINDS]
    errors = DetectorErrors()
    with Plant(town.scenario(rate=0.3), 2, errors) as plant:
        for _ in range(60):
            plant.readings()
            plant.step()
        (before,) = plant.readings()
        kinds = list(FaultKind)
        for loop, kind in zip(loops, kinds, strict=False):
            errors.inject(f"B1/{loop.id}", kind)
        for _ in range(30):
            plant.step()
            (after,) = plant.readings()
        change = {
            kind: (new.count - old.count, new.occupied_ds - old.occupied_ds, new.fault, new.age_ds)
            for kind, old, new in zip(kinds, before.loops, after.loops, strict=False)
        }
        assert change[FaultKind.DROPOUT] == (0, 0, True, 300)
        assert change[FaultKind.FROZEN] == (0, 0, False, 300)
        assert change[FaultKind.STUCK_ON] == (0, 300, False, 0)
        assert change[FaultKind.STUCK_OFF] == (0, 0, False, 0)
        assert change[FaultKind.CHATTER][0] >= 30 * 12
        errors.clear(f"B1/{loops[0].id}")
        plant.step()
        (mended,) = plant.readings()
        assert not mended.loops[0].fault
        assert mended.loops[0].age_ds == 0


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_error_model_never_invents_vehicles(moments, undercount, merge, seed) -> None:
    errors = DetectorErrors(ErrorModel(undercount=undercount, merge=merge), seed)
    assert 0 <= errors.passages(list(moments)) <= len(moments)
    assert DetectorErrors(ErrorModel(), seed).passages(list(moments)) == len(moments)


def test_counters_wrap_like_sixteen_bits(town) -> None:
    with Plant(town.scenario(), 1) as plant:
        loop = plant.detectors._places[0].loops[0]
        loop.count = loop.occupied_ds = COUNTER - 1
        plant.detectors.errors.inject(loop.name, FaultKind.CHATTER)
        plant.step()
        (reading,) = plant.readings()
    assert 0 <= reading.loops[0].count < 100


def test_both_backends_tell_the_same(town) -> None:
    told = []
    for backend in (None, TraciBackend()):
        with Plant(town.scenario(), 4, backend=backend) as plant:
            seen = []
            while plant.seconds < 90:
                seen.append(plant.readings())
                plant.step()
            told.append((seen, plant.finish()))
    assert told[0] == told[1]
    assert sum(loop.count for loop in told[0][0][-1][0].loops) > 20


def test_field_like_errors_undercount_the_same_for_a_seed(town) -> None:
    def counted(errors: DetectorErrors | None) -> list[int]:
        with Plant(town.scenario(rate=0.4), 4, errors) as plant:
            while plant.seconds < 150:
                (reading,) = plant.readings()
                plant.step()
        return [loop.count for loop in reading.loops]

    model = ErrorModel(undercount=0.1, merge=0.6)
    perfect, first, again = (
        counted(None),
        counted(DetectorErrors(model, 1)),
        counted(DetectorErrors(model, 1)),
    )
    assert first == again
    assert 0.8 * sum(perfect) < sum(first) < 0.95 * sum(perfect)
    assert all(wrong <= right for wrong, right in zip(first, perfect, strict=True))


def test_random_dropouts_come_and_go() -> None:
    errors = DetectorErrors(ErrorModel(dropout_per_hour=60.0, dropout_s=20.0), 3)
    down = [errors.fault("B1/loop", second) is FaultKind.DROPOUT for second in range(3600)]
    starts = sum(now and not before for before, now in zip([False, *down], down, strict=False))
    assert 25 < starts < 75
    assert 0.1 < sum(down) / 3600 < 0.5
