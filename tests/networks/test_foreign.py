"""Corridors from nets that nobody described: everything that the guard and the policies rely on holds."""

import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from denxanh.errors import NetworkError
from denxanh.networks import compiled
from denxanh.networks.conflicts import disputes, foes, settle
from denxanh.networks.derive import crossing_links, derive, links_of, state_of
from denxanh.networks.feasibility import feasibility_defects
from denxanh.networks.foreign import from_net, from_scenario
from denxanh.networks.foreign_signal import SignalImport
from denxanh.networks.links import movements
from denxanh.networks.model import Aspect, Conflict, Corridor, GroupKind, Intersection, Turn
from denxanh.networks.sumonet import Net, Phase, Programme, read_net
from denxanh.networks.timing import bounded_green_s, interstage_s

NetBuilder = Callable[..., Path]

GRID = ("--grid", "--grid.number", "2", "--grid.length", "90", "--grid.attach-length", "90")
NETS = {
    "one lane": GRID,
    "two lanes, protected lefts": (*GRID, "-L", "2", "--tls.left-green.time", "6"),
    "three lanes, one approach at a time": (*GRID, "-L", "3", "--tls.layout", "incoming"),
    "crossings": (*GRID, "-L", "2", "--sidewalks.guess", "--crossings.guess"),
    "crossings, all-red": (*GRID, "--sidewalks.guess", "--crossings.guess", "--tls.allred.time", "2"),
    "left-hand": (*GRID, "-L", "2", "--lefthand"),
    "grouped indices": (*GRID, "-L", "2", "--tls.group-signals"),
    "joined": ("--grid", "--grid.number", "2", "--grid.length", "35", "--grid.attach-length", "80", "-L", "2",
               "--tls.join", "--tls.join-dist", "60"),
    "actuated spider": ("--spider", "--spider.omit-center", "--tls.default-type", "actuated"),
    "two-ring": (*GRID, "-L", "3", "--turn-lanes", "1", "--tls.default-type", "NEMA"),
    "no internal lanes": (*GRID, "-L", "2", "--no-internal-links"),
    "pockets, odd cycle": (*GRID, "-L", "2", "--turn-lanes", "1", "--tls.cycle.time", "61"),
    "random": ("--rand", "--rand.iterations", "25", "-L", "2", "--seed", "7"),
}  # fmt: skip
BENCHMARKS = {"cologne1": 1, "cologne3": 3, "ingolstadt1": 1, "ingolstadt7": 7}


def check(corridor: Corridor, net: Net) -> None:
    assert compiled.loads(compiled.dumps(corridor)) == corridor
    assert len({one.number for one in corridor.intersections}) == len(corridor.intersections)
    for intersection in corridor.intersections:
        check_groups(intersection, net)
        check_conflicts(intersection, net)
        check_lanes(intersection, net)
        check_plan(intersection)
        in_plan = {split.stage for split in intersection.plans[0].splits}
        programme = net.programme(intersection.tls)
        if programme is not None and programme.kind != "NEMA":
            assert in_plan == set(range(len(intersection.stages)))
        assert feasibility_defects(intersection) == []
        assert intersection.commitment_s == 0


def check_groups(intersection: Intersection, net: Net) -> None:
    links = [link for group in intersection.groups for link in group.links]
    assert len(links) == len(set(links)), "a link belongs to one group only"
    controlled = {movement.link for movement in movements(net, intersection.tls)}
    programme = net.programme(intersection.tls)
    assert programme is not None
    lit = {link for link in controlled if any(phase.state[link] in "gGsoO" for phase in programme.phases)}
    assert set(links) == lit, "every link that is ever green is in a group"
    for group in intersection.groups:
        crossing = {
            movement.crossing for movement in movements(net, intersection.tls) if movement.link in group.links
        }
        assert crossing == {group.kind is GroupKind.PEDESTRIAN}
        assert group.kind is GroupKind.PEDESTRIAN or group.yellow_s >= 3


def check_conflicts(intersection: Intersection, net: Net) -> None:
    found = movements(net, intersection.tls)
    derived = derive(net, found, intersection.groups, intersection.stages, link_count=intersection.link_count)
    assert derived.conflicts == intersection.conflicts
    states = [state_of(stage, intersection.groups, intersection.link_count) for stage in intersection.stages]
    assert disputes(states, derived.foes) == ()
    mirror = {Conflict.YIELDS: Conflict.HAS_PRIORITY, Conflict.HAS_PRIORITY: Conflict.YIELDS}
    for row, column in product(range(len(intersection.groups)), repeat=2):
        conflict = intersection.conflicts[row][column]
        assert intersection.conflicts[column][row] is mirror.get(conflict, conflict)
        assert (intersection.intergreens[row][column] > 0) == (conflict is not Conflict.NONE)
        one, other = intersection.groups[row], intersection.groups[column]
        if conflict is not Conflict.NONE:
            assert one.approach != other.approach
            least = one.yellow_s + 1 if one.kind is GroupKind.VEHICLE else 1
            assert intersection.intergreens[row][column] >= least


def check_lanes(intersection: Intersection, net: Net) -> None:
    served = {movement.from_lane for movement in movements(net, intersection.tls) if not movement.crossing}
    assert {lane.id for lane in intersection.lanes} == served
    for index, lane in enumerate(intersection.lanes):
        assert sum(part.share for part in lane.groups) == pytest.approx(1)
        assert all(part.share > 0 for part in lane.groups)
        assert lane.storage_pcu >= 1
        calls = [detector for detector in intersection.detectors if detector.lane == index]
        assert sum(detector.downstream for detector in calls) == 1
        assert any({part.group for part in lane.groups} == set(detector.groups) for detector in calls)
    walkers = [group for group in intersection.groups if group.kind is GroupKind.PEDESTRIAN]
    assert sum(detector.lane == -1 for detector in intersection.detectors) == len(walkers)


def check_plan(intersection: Intersection) -> None:
    (plan,) = intersection.plans
    assert plan.number == 1
    assert 0 <= plan.offset_s < plan.cycle_s
    turn = [*plan.splits, plan.splits[0]]
    for split, following in pairwise(turn):
        least = bounded_green_s(intersection, split.stage) + interstage_s(
            intersection, split.stage, following.stage
        )
        assert split.split_s >= least
        assert intersection.transitions[split.stage][following.stage]


@pytest.mark.parametrize("name", NETS)
def test_any_generated_net_becomes_a_sound_corridor(netgenerate: NetBuilder, name: str) -> None:
    path = netgenerate(*NETS[name])
    corridor = from_net(path)
    assert corridor.intersections
    check(corridor, read_net(path))
    left = set(read_net(path).programmes) - {one.tls for one in corridor.intersections}
    for tls in left:
        assert any(f"signal {tls}:" in warning for warning in corridor.warnings), "who is left out is named"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_public_benchmarks_need_nothing_by_hand(resco: Path, name: str) -> None:
    scenario = from_scenario(resco / name / f"{name}.sumocfg")
    assert len(scenario.corridor.intersections) == BENCHMARKS[name]
    check(scenario.corridor, read_net(scenario.net))
    assert scenario.end_s is not None
    assert scenario.end_s - scenario.begin_s == 3600
    assert [path.name for path in scenario.routes] == [f"{name}.rou.xml"]


def test_the_stages_of_a_public_benchmark_by_eye(resco: Path) -> None:
    """Cologne 1: two through stages with permissive lefts, each with a protected left after; yellow 5 s."""
    (one,) = from_net(resco / "cologne1" / "cologne1.net.xml").intersections
    shown = ["".join(aspect.value for aspect in stage.aspects) for stage in one.stages]
    assert shown == ["rrGgrrGg", "rrrGrrrG", "GgrrGgrr", "rGrrrGrr"]
    assert {group.yellow_s for group in one.groups} == {5}
    assert one.plans[0].cycle_s == 90
    through, left, opposing = 0, 1, 4
    assert one.conflicts[left][opposing] is Conflict.YIELDS
    assert one.conflicts[through][2] is Conflict.PROHIBITED
    assert one.conflicts[through][left] is Conflict.NONE


def test_pedestrian_clearance_is_the_crossing_walked(netgenerate: NetBuilder) -> None:
    path = netgenerate(*NETS["crossings"])
    net = read_net(path)
    seen = 0
    for intersection in from_net(path).intersections:
        for group in intersection.groups:
            if group.kind is GroupKind.PEDESTRIAN:
                length = max(net.lanes[f"{group.approach}_0"].length_m, 0)
                assert group.clearance_s - 1 < length / 1.2 <= group.clearance_s
                seen += 1
    assert seen


def test_shared_lanes_are_divided_by_direction_not_evenly(netgenerate: NetBuilder) -> None:
    """A lane for straight on and left: the left turn must not stand for half of its queue."""
    corridor = from_net(netgenerate(*NETS["two lanes, protected lefts"]))
    shared = [
        lane
        for intersection in corridor.intersections
        for lane in intersection.lanes
        if len(lane.groups) == 2 and any(Turn.STRAIGHT in part.turns for part in lane.groups)
    ]
    assert shared
    for lane in shared:
        through = max(part.share for part in lane.groups if Turn.STRAIGHT in part.turns)
        assert through > 0.6


def test_known_turn_shares_replace_the_assumed_ones(netgenerate: NetBuilder) -> None:
    path = netgenerate(*NETS["two lanes, protected lefts"])
    net = read_net(path)
    one = from_net(path).intersections[0]
    lane = next(lane for lane in one.lanes if len(lane.groups) == 2)
    counted = dict.fromkeys(((lane.approach, turn) for turn in Turn), 0.0) | {(lane.approach, Turn.LEFT): 1.0}
    derived = derive(
        net, movements(net, one.tls), one.groups, one.stages, link_count=one.link_count, turn_shares=counted
    )
    shares = {
        part.turns: part.share for known in derived.lanes if known.id == lane.id for part in known.groups
    }
    assert max(shares.values()) == 1
    assert Turn.LEFT in max(shares, key=lambda turns: shares[turns])


def test_links_are_found_by_approach_turn_and_crossing(netgenerate: NetBuilder) -> None:
    net = read_net(netgenerate(*NETS["crossings"]))
    found = movements(net, "A0")
    edges = {movement.from_edge for movement in found if not movement.crossing}
    together = sorted(link for edge in edges for link in links_of(found, edge))
    assert together == sorted({movement.link for movement in found if not movement.crossing})
    for crossing in {movement.from_edge for movement in found if movement.crossing}:
        over = net.crossed[crossing]
        assert len(crossing_links(net, found, tuple(reversed(over)))) == 1


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_programme_shows_what_comes_out_is_sound(
    netgenerate: NetBuilder, data: st.DataObject
) -> None:
    """Random letters on a crossroads with pedestrians: an intersection that the guard accepts, or none."""
    net = read_net(netgenerate(*NETS["crossings"]))
    size = len(net.programmes["A0"][0].phases[0].state)
    letters = st.sampled_from(["rrrgGs", "rG", "rrgG", "rrGy"]).flatmap(
        lambda some: st.text(some, min_size=size, max_size=size)
    )
    phases = data.draw(
        st.lists(st.builds(Phase, st.sampled_from([2.0, 5.5, 31.0]), letters), min_size=1, max_size=7)
    )
    odd = Programme("A0", "odd", "static", data.draw(st.floats(-1e4, 1e4)), tuple(phases))
    net = replace(net, programmes={"A0": (odd,)})
    done = SignalImport(net, "A0", 1).run()
    event("driven" if done.intersection else done.warnings[-1][:60])
    if done.intersection is None:
        assert any("left to its own programme" in warning for warning in done.warnings)
        return
    check_conflicts(done.intersection, net)
    check_plan(done.intersection)
    assert feasibility_defects(done.intersection) == []


def test_a_two_ring_programme_offers_every_pair_of_its_phases(netgenerate: NetBuilder) -> None:
    corridor = from_net(netgenerate(*NETS["two-ring"]))
    crossing = corridor.intersection("A0")
    shown = {"".join(aspect.value for aspect in stage.aspects) for stage in crossing.stages}
    # For each street: both throughs, both lefts, and each through with its own left.
    assert len(shown) == 8
    assert len(crossing.plans[0].splits) == 4
    for group in range(len(crossing.groups)):
        assert any(stage.aspects[group] is Aspect.PROTECTED for stage in crossing.stages)


MERGE = """<net version="1.20">
 <edge id=":J_0" function="internal">
  <lane id=":J_0_0" index="0" speed="9" length="10" shape="0,0 10,0"/></edge>
 <edge id=":J_1" function="internal">
  <lane id=":J_1_0" index="0" speed="9" length="11" shape="5,-9 10,0"/></edge>
 <edge id="w" from="W" to="J"><lane id="w_0" index="0" speed="9" length="80" shape="-80,0 0,0"/></edge>
 <edge id="s" from="S" to="J"><lane id="s_0" index="0" speed="9" length="80" shape="5,-89 5,-9"/></edge>
 <edge id="e" from="J" to="E"><lane id="e_0" index="0" speed="9" length="80" shape="10,0 90,0"/></edge>
 <tlLogic id="J" type="static" programID="0" offset="0"><phase duration="30" state="GG"/>
  <phase duration="3" state="Gy"/><phase duration="20" state="Gr"/></tlLogic>
 <junction id="J" type="traffic_light" x="0" y="0" incLanes="w_0 s_0" intLanes=":J_0_0 :J_1_0" shape="">
  <request index="0" response="00" foes="10" cont="0"/>
  <request index="1" response="01" foes="01" cont="0"/></junction>
 <connection from="w" to="e" fromLane="0" toLane="0" via=":J_0_0" tl="J" linkIndex="0" dir="s" state="O"/>
 <connection from="s" to="e" fromLane="0" toLane="0" via=":J_1_0" tl="J" linkIndex="1" dir="r" state="o"/>
</net>"""


def test_merging_links_both_protected_are_warned_of_and_one_yields(tmp_path: Path) -> None:
    path = tmp_path / "merge.net.xml"
    path.write_text(MERGE)
    corridor = from_net(path)
    (one,) = corridor.intersections
    assert ["".join(aspect.value for aspect in stage.aspects) for stage in one.stages] == ["Gg", "Gr"]
    assert one.conflicts[1][0] is Conflict.YIELDS
    assert any("foes 0 and 1" in warning for warning in corridor.warnings)
    (reason,) = corridor.simulation_only
    assert "signal J" in reason
    assert "foes 0 and 1" in reason


def test_a_link_that_controls_foes_never_shows_protected_green(tmp_path: Path) -> None:
    path = tmp_path / "grouped.net.xml"
    path.write_text(MERGE.replace('linkIndex="1"', 'linkIndex="0"'))
    net = read_net(path)
    known = foes(net, movements(net, "J"))
    assert known.divided == {0}
    settled, found = settle(["Gr", "rG"], known)
    assert settled == ("gr", "rG")
    assert [(dispute.stage, dispute.yielder) for dispute in found] == [(0, 0)]


def test_a_programme_without_disputes_may_drive_a_street(tmp_path: Path) -> None:
    path = tmp_path / "yielding.net.xml"
    path.write_text(MERGE.replace('state="GG"', 'state="Gg"'))
    corridor = from_net(path)
    assert corridor.intersections
    assert corridor.simulation_only == ()


def test_a_dispute_binds_nobody_where_the_signal_keeps_its_own_programme(tmp_path: Path) -> None:
    path = tmp_path / "alone.net.xml"
    path.write_text(MERGE.replace('<phase duration="20" state="Gr"/>', ""))
    corridor = from_net(path)
    assert corridor.intersections == ()
    assert corridor.simulation_only == ()


def test_links_that_no_stage_serves_stay_red_and_are_named(tmp_path: Path) -> None:
    path = tmp_path / "dark.net.xml"
    path.write_text(MERGE.replace('"GG"', '"rGr"').replace('"Gy"', '"ryr"').replace('"Gr"', '"rgr"'))
    corridor = from_net(path)
    (one,) = corridor.intersections
    assert [group.links for group in one.groups] == [(1,)]
    assert [lane.id for lane in one.lanes] == ["s_0"]
    assert one.link_count == 3
    assert any("links 0" in warning for warning in corridor.warnings)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "streets.net.xml").write_text(MERGE)
    (tmp_path / "cars.rou.xml").write_text("<routes/>")
    (tmp_path / "signals.add.xml").write_text(
        '<additional><tlLogic id="J" type="static" programID="night" offset="5">'
        '<phase duration="40" state="Gr"/><phase duration="4" state="yr"/>'
        '<phase duration="16" state="rG"/><phase duration="4" state="ry"/></tlLogic></additional>'
    )
    path = tmp_path / "night.sumocfg"
    path.write_text(
        '<configuration><input><net-file value="streets.net.xml"/><route-files value="cars.rou.xml"/>'
        '<additional-files value="signals.add.xml"/></input>'
        '<time><begin value="6:30:00"/><end value="25200"/></time></configuration>'
    )
    return path


def test_programmes_in_additional_files_replace_the_nets(scenario: Path) -> None:
    found = from_scenario(scenario)
    (one,) = found.corridor.intersections
    assert (found.begin_s, found.end_s) == (23_400, 25_200)
    assert (one.plans[0].name, one.plans[0].offset_s) == ("programme night", 5)
    assert [split.split_s for split in one.plans[0].splits] == [44, 20]
    assert one.conflicts[0][1] is Conflict.PROHIBITED
    assert {group.yellow_s for group in one.groups} == {4}


def test_a_packed_net_makes_the_same_corridor(tmp_path: Path, scenario: Path) -> None:
    plain = tmp_path / "streets.net.xml"
    packed = tmp_path / "packed" / "streets.net.xml.gz"
    packed.parent.mkdir()
    with plain.open("rb") as source, gzip.open(packed, "wb") as target:
        shutil.copyfileobj(source, target)
    assert from_net(packed).intersections == from_net(plain).intersections


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("streets.net.xml", "gone.net.xml", r"gone\.net\.xml"),
        ("cars.rou.xml", "gone.rou.xml", r"gone\.rou\.xml"),
        ("<net-file", "<other", "net-file"),
        ("6:30:00", "half past six", "half past six"),
        ("6:30:00", "nan", "nan"),
        ("</configuration>", "", "XML"),
    ],
)
def test_a_broken_configuration_is_one_clear_error(scenario: Path, old: str, new: str, says: str) -> None:
    scenario.write_text(scenario.read_text().replace(old, new))
    with pytest.raises(NetworkError, match=says) as caught:
        from_scenario(scenario)
    assert "night.sumocfg" in str(caught.value)


def test_a_missing_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"none\.sumocfg"):
        from_scenario(tmp_path / "none.sumocfg")
