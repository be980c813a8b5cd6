"""A small net made by netgenerate, described by hand: one signal in the middle of four two-lane streets."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from denxanh.networks import demand
from denxanh.networks.demand import Fidelity
from denxanh.networks.model import (
    Aspect,
    Conflict,
    Corridor,
    Detector,
    DetectorKind,
    GroupKind,
    Intersection,
    Lane,
    LaneGroup,
    Plan,
    Schedule,
    ScheduleEntry,
    SignalGroup,
    Split,
    Stage,
    Turn,
    ZoneSegment,
)
from denxanh.sim.scenario import Scenario

sumolib = pytest.importorskip("sumolib", reason="needs the extra sim")
pytest.importorskip("libsumo", reason="needs the extra sim")

ROUTES = """<routes>
  <vType id="car" length="4.4" maxSpeed="13.9"/>
  <vType id="bike" vClass="motorcycle" length="1.9" width="0.75" minGap="0.5" minGapLat="0.2"
         latAlignment="arbitrary" maxSpeed="13.9"/>
  <vTypeDistribution id="mix" vTypes="car bike" probabilities="0.3 0.7"/>
  {flows}
</routes>
"""
FLOW = (
    '<flow id="{name}" type="mix" from="{origin}" to="{target}" begin="0" end="3600"'
    ' probability="{rate}" departLane="best" departSpeed="max"/>'
)
PEOPLE = (
    '<personFlow id="walkers" begin="0" end="3600" perHour="240">'
    '<walk from="{origin}" to="{target}"/></personFlow>'
)


@dataclass(frozen=True)
class Town:
    """Paths and model of the net."""

    folder: Path
    net: Path
    corridor: Corridor

    def scenario(
        self, rate: float = 0.12, end_s: int = 300, fidelity: Fidelity = Fidelity.SUBLANE
    ) -> Scenario:
        flows = "\n".join(
            FLOW.format(name=f"f{number}", origin=f"{origin}B1", target=f"B1{target}", rate=rate)
            for number, (origin, target) in enumerate(
                [("A1", "C1"), ("C1", "A1"), ("B0", "B2"), ("B2", "B0")]
            )
        )
        routes = self.folder / f"demand-{rate}.rou.xml"
        routes.write_text(ROUTES.format(flows=flows + PEOPLE.format(origin="B0B1", target="B1A1")))
        return Scenario(
            id="town",
            corridor=self.corridor,
            net=self.net,
            routes=(routes,),
            begin_s=0,
            end_s=end_s,
            measure_from_s=0,
            options=demand.sumo_options(fidelity),
        )


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    from denxanh.sim.session import sumo_binary

    folder = tmp_path_factory.mktemp("town")
    whole = folder / "grid.net.xml"
    net = folder / "town.net.xml"
    subprocess.run(
        [
            sumo_binary("netgenerate"),
            *("--grid", "--grid.number", "3", "--grid.length", "150", "--default.lanenumber", "2"),
            *("--sidewalks.guess", "--crossings.guess", "--no-turnarounds", "true", "-o", str(whole)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    subprocess.run(
        [sumo_binary("netconvert"), "-s", str(whole), "--tls.set", "B1", "-o", str(net)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return Town(folder, net, _corridor(net))


def _corridor(path: Path) -> Corridor:
    net = sumolib.net.readNet(str(path), withInternal=True, withPrograms=True)
    links: dict[str, list[int]] = {}
    for origin, target, number in net.getTLS("B1").getConnections():
        edge = origin.getEdge().getID()
        key = edge if not edge.startswith(":") else target.getEdge().getID()
        links.setdefault(key, []).append(number)
    count = 1 + max(max(numbers) for numbers in links.values())
    groups = tuple(_group(approach, tuple(sorted(numbers))) for approach, numbers in sorted(links.items()))
    east_west = {"A1B1", "C1B1"}
    crossed = {group.approach: _crossed(net, group.approach) for group in groups if group.walk_s}
    side = [
        (group.approach in east_west)
        if not group.walk_s
        else not any(edge.replace("B1", "") in ("A1", "C1") for edge in crossed[group.approach])
        for group in groups
    ]
    conflicts = tuple(
        tuple(
            Conflict.PROHIBITED if side[one] != side[other] else Conflict.NONE for other in range(len(groups))
        )
        for one in range(len(groups))
    )
    intergreens = tuple(
        tuple(5 if relation is Conflict.PROHIBITED else 0 for relation in row) for row in conflicts
    )
    stages = tuple(
        Stage(
            name,
            tuple(
                (Aspect.PROTECTED if group.walk_s else Aspect.YIELDING) if side[number] is way else Aspect.RED
                for number, group in enumerate(groups)
            ),
        )
        for name, way in (("east-west", True), ("north-south", False))
    )
    lanes, detectors = _lanes(net, groups)
    middle = Intersection(
        id="B1",
        number=1,
        tls="B1",
        name_vi="Nút B1",
        name_en="B1",
        position=(0.0, 0.0),
        groups=groups,
        stages=stages,
        conflicts=conflicts,
        intergreens=intergreens,
        transitions=((False, True), (True, False)),
        lanes=lanes,
        detectors=detectors,
        plans=(Plan(1, "day", 0, (Split(0, 30), Split(1, 30))),),
        link_count=count,
    )
    return Corridor(
        id="town",
        name_vi="Thị trấn",
        name_en="Town",
        intersections=(middle,),
        schedule=Schedule(("d",) * 7, (), (ScheduleEntry("d", 0, 1),)),
        pcu_per_vehicle=0.5,
    )


def _crossed(net, crossing: str) -> tuple[str, ...]:
    return tuple(edge.getID() for edge in net.getEdge(crossing)._crossingEdges)


def _group(approach: str, links: tuple[int, ...]) -> SignalGroup:
    walks = approach.startswith(":")
    return SignalGroup(
        id=approach.strip(":"),
        kind=GroupKind.PEDESTRIAN if walks else GroupKind.VEHICLE,
        links=links,
        min_green_s=6,
        max_green_s=60,
        max_red_s=120,
        yellow_s=0 if walks else 3,
        walk_s=6 if walks else 0,
        clearance_s=8 if walks else 0,
        approach=approach,
    )


def _lanes(net, groups: tuple[SignalGroup, ...]) -> tuple[tuple[Lane, ...], tuple[Detector, ...]]:
    lanes: list[Lane] = []
    detectors: list[Detector] = []
    for number, group in enumerate(groups):
        if group.walk_s:
            detectors.append(Detector(f"button-{group.id}", DetectorKind.BUTTON, -1, (number,)))
            continue
        for lane in net.getEdge(group.approach).getLanes():
            if not lane.allows("passenger"):
                continue
            place, name, length = len(lanes), lane.getID(), lane.getLength()
            lanes.append(
                Lane(name, group.approach, length, (LaneGroup(number, 1.0, (Turn.STRAIGHT,)),), (), 20.0)
            )
            near = ZoneSegment(name, length - 3.0, length - 1.0)
            far = ZoneSegment(name, length - 61.0, length - 60.0)
            # Two segments that meet in mid-lane: what a zone across an edge boundary looks like.
            zone = (ZoneSegment(name, length - 40.0, length), ZoneSegment(name, 10.0, length - 40.0))
            detectors += [
                Detector(f"stop-{name}", DetectorKind.STOP_LINE, place, (number,), (near,)),
                Detector(f"advance-{name}", DetectorKind.ADVANCE, place, (number,), (far,)),
                Detector(f"zone-{name}", DetectorKind.ZONE, place, (number,), zone),
            ]
    return tuple(lanes), tuple(detectors)
