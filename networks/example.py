"""The smallest intersection that has everything; documentation and tests use it.

A crossroads of a main road (east to west, a left-turn lane on each side) and a side road (one shared
lane on each side): yielding and protected turns, pedestrians on every arm, two plans, all detector
kinds. All figures are invented for the example; nothing here is a real place.

Stages: 0 main road (turns yield to oncoming traffic and to pedestrians), 1 main road's protected
turns, 2 side road (turns yield). Graph: 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 0.
"""

from __future__ import annotations

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
    MapLane,
    Plan,
    Point,
    Schedule,
    ScheduleEntry,
    SignalGroup,
    Split,
    Stage,
    Turn,
    ZoneSegment,
)

MAIN, SIDE, MAIN_TURN, SIDE_TURN, PED_MAIN, PED_SIDE = range(6)
"""Groups: straight on along the main and the side road, their turns (left and right), and the crossings
over the main road's arms and over the side road's arms."""

_ARM_M = 150.0
_SPACING_M = 400.0
_ADVANCE_M = 40.0
_LOOP_M = 2.0
_PCU_PER_M = 1 / 7.5
"""A standing car takes 7.5 m."""
_LANE_WIDTH_M = 3.5

_N = Conflict.NONE
_P = Conflict.PROHIBITED
_Y = Conflict.YIELDS
_H = Conflict.HAS_PRIORITY

_CONFLICTS: tuple[tuple[Conflict, ...], ...] = (
    (_N, _P, _H, _P, _P, _N),
    (_P, _N, _P, _H, _N, _P),
    (_Y, _P, _N, _P, _P, _Y),
    (_P, _Y, _P, _N, _Y, _P),
    (_P, _N, _P, _H, _N, _N),
    (_N, _P, _H, _P, _N, _N),
)

_INTERGREENS: tuple[tuple[int, ...], ...] = (
    (0, 5, 5, 5, 4, 0),
    (5, 0, 5, 5, 0, 4),
    (4, 5, 0, 5, 4, 4),
    (5, 4, 5, 0, 4, 4),
    (2, 0, 2, 2, 0, 0),
    (0, 2, 2, 2, 0, 0),
)

_TRANSITIONS: tuple[tuple[bool, ...], ...] = (
    (False, True, True),
    (False, False, True),
    (True, False, False),
)

# Link positions of the state string: north (right, straight, left), east, south, west, then the
# crossings on the north, east, south and west arms.
_LINK_COUNT = 16


def _groups() -> tuple[SignalGroup, ...]:
    vehicle, walker = GroupKind.VEHICLE, GroupKind.PEDESTRIAN
    return (
        SignalGroup("main", vehicle, (4, 10), 8, 60, 120, 3, approach="east_in"),
        SignalGroup("side", vehicle, (1, 7), 7, 45, 120, 3, approach="north_in"),
        SignalGroup("main-turn", vehicle, (3, 5, 9, 11), 6, 60, 120, 3, approach="east_in"),
        SignalGroup("side-turn", vehicle, (0, 2, 6, 8), 6, 45, 120, 3, approach="north_in"),
        SignalGroup("ped-main", walker, (13, 15), 7, 60, 90, 0, 7, 12, approach="crossing_east"),
        SignalGroup("ped-side", walker, (12, 14), 7, 60, 90, 0, 7, 9, approach="crossing_north"),
    )


def _stages() -> tuple[Stage, ...]:
    rows = (
        ("main", "GrgrrG", "Trục chính", "Main road"),
        ("main-turn", "rrGrrr", "Rẽ trái trục chính", "Main road's turns"),
        ("side", "rGrgGr", "Đường nhánh", "Side road"),
    )
    return tuple(Stage(name, tuple(map(Aspect, letters)), vi, en) for name, letters, vi, en in rows)


def _lanes(prefix: str) -> tuple[Lane, ...]:
    left, straight, right = Turn.LEFT, Turn.STRAIGHT, Turn.RIGHT
    # arm: (left arm, arm opposite, right arm), in the driver's view
    beyond = {
        "north": ("east", "south", "west"),
        "east": ("south", "west", "north"),
        "south": ("west", "north", "east"),
        "west": ("north", "east", "south"),
    }

    def lane(arm: str, index: int, groups: tuple[LaneGroup, ...]) -> Lane:
        to = dict(zip((left, straight, right), beyond[arm], strict=True))
        out = tuple(f"{prefix}{to[turn]}_out_0" for part in groups for turn in part.turns)
        return Lane(
            id=f"{prefix}{arm}_in_{index}",
            approach=f"{prefix}{arm}_in",
            length_m=_ARM_M,
            groups=groups,
            downstream=tuple(dict.fromkeys(out)),
            storage_pcu=_ARM_M * _PCU_PER_M,
        )

    side = (LaneGroup(SIDE, 0.7, (straight,)), LaneGroup(SIDE_TURN, 0.3, (right, left)))
    main = (LaneGroup(MAIN, 0.8, (straight,)), LaneGroup(MAIN_TURN, 0.2, (right,)))
    turn = (LaneGroup(MAIN_TURN, 1.0, (left,)),)
    return (
        lane("north", 0, side),
        lane("east", 0, main),
        lane("east", 1, turn),
        lane("south", 0, side),
        lane("west", 0, main),
        lane("west", 1, turn),
    )


def _detectors(prefix: str, lanes: tuple[Lane, ...]) -> tuple[Detector, ...]:
    found: list[Detector] = []
    for index, lane in enumerate(lanes):
        groups = tuple(part.group for part in lane.groups)
        stop = (ZoneSegment(lane.id, lane.length_m - _LOOP_M, lane.length_m),)
        begin_m = lane.length_m - _ADVANCE_M
        advance = (ZoneSegment(lane.id, begin_m, begin_m + _LOOP_M),)
        queue = (ZoneSegment(lane.id, 0.0, lane.length_m),)
        beyond = tuple(ZoneSegment(out, 0.0, 50.0) for out in lane.downstream)
        found += [
            Detector(f"{lane.id}:stop", DetectorKind.STOP_LINE, index, groups, stop),
            Detector(f"{lane.id}:advance", DetectorKind.ADVANCE, index, groups, advance),
            Detector(f"{lane.id}:zone", DetectorKind.ZONE, index, groups, queue),
            Detector(f"{lane.id}:beyond", DetectorKind.ZONE, index, (), beyond, downstream=True),
        ]
    found += [
        Detector(f"{prefix}button-main", DetectorKind.BUTTON, -1, (PED_MAIN,)),
        Detector(f"{prefix}button-side", DetectorKind.BUTTON, -1, (PED_SIDE,)),
    ]
    return tuple(found)


def crossroads(number: int = 1, *, commitment_s: int = 8) -> Intersection:
    """One crossroads.

    Args:
        number: cabinet number, 1..65535; the id is `X<number>`. From number 2 on, lane and edge ids
            begin with `X<number>_`, so that several can stand in one corridor.
        commitment_s: countdown commitment, seconds, 0..8.
    """
    prefix = "" if number == 1 else f"X{number}_"
    lanes = _lanes(prefix)
    return Intersection(
        id=f"X{number}",
        number=number,
        tls=f"X{number}",
        name_vi=f"Ngã tư mẫu {number}",
        name_en=f"Example crossroads {number}",
        position=((number - 1) * _SPACING_M, 0.0),
        groups=_groups(),
        stages=_stages(),
        conflicts=_CONFLICTS,
        intergreens=_INTERGREENS,
        transitions=_TRANSITIONS,
        lanes=lanes,
        detectors=_detectors(prefix, lanes),
        plans=(
            Plan(1, "day", 0, (Split(0, 40), Split(1, 15), Split(2, 35))),
            Plan(2, "night", 10, (Split(0, 30), Split(2, 30))),
        ),
        link_count=_LINK_COUNT,
        commitment_s=commitment_s,
    )


def _drawing(intersection: Intersection) -> tuple[MapLane, ...]:
    """Straight lane centre lines, 10 m short of the centre."""
    east_m, north_m = intersection.position
    prefix = "" if intersection.number == 1 else f"X{intersection.number}_"
    # arm: unit vector from the centre outwards, and the one to the right of an arriving driver
    arms: dict[str, tuple[Point, Point]] = {
        "north": ((0.0, 1.0), (-1.0, 0.0)),
        "east": ((1.0, 0.0), (0.0, 1.0)),
        "south": ((0.0, -1.0), (1.0, 0.0)),
        "west": ((-1.0, 0.0), (0.0, -1.0)),
    }

    def at(arm: str, out_m: float, right_m: float) -> Point:
        (ox, oy), (rx, ry) = arms[arm]
        return (east_m + ox * out_m + rx * right_m, north_m + oy * out_m + ry * right_m)

    drawn: list[MapLane] = []
    for arm in arms:
        arriving = [lane.id for lane in intersection.lanes if lane.approach == f"{prefix}{arm}_in"]
        for index, lane_id in enumerate(arriving):
            # lane 0 is the kerb lane
            right_m = (len(arriving) - index - 0.5) * _LANE_WIDTH_M
            shape = (at(arm, 10.0 + _ARM_M, right_m), at(arm, 10.0, right_m))
            drawn.append(MapLane(lane_id, shape, _LANE_WIDTH_M))
        leaving = (at(arm, 10.0, -0.5 * _LANE_WIDTH_M), at(arm, 10.0 + _ARM_M, -0.5 * _LANE_WIDTH_M))
        drawn.append(MapLane(f"{prefix}{arm}_out_0", leaving, _LANE_WIDTH_M))
    return tuple(drawn)


def crossroads_corridor(count: int = 1, *, commitment_s: int = 8) -> Corridor:
    """A corridor of `count` crossroads, 400 m apart along the main road, with a schedule for all week."""
    intersections = tuple(crossroads(n, commitment_s=commitment_s) for n in range(1, count + 1))
    hour = 3600
    return Corridor(
        id="example",
        name_vi="Tuyến mẫu",
        name_en="Example corridor",
        intersections=intersections,
        schedule=Schedule(
            week=("workday",) * 5 + ("weekend",) * 2,
            holidays=(("2027-01-01", "weekend"),),
            entries=(
                ScheduleEntry("workday", 0, 2),
                ScheduleEntry("workday", 6 * hour, 1),
                ScheduleEntry("workday", 22 * hour, 2),
                ScheduleEntry("weekend", 0, 2),
                ScheduleEntry("weekend", 7 * hour, 1),
                ScheduleEntry("weekend", 21 * hour, 2),
            ),
        ),
        pcu_per_vehicle=0.45,
        lanes=tuple(lane for intersection in intersections for lane in _drawing(intersection)),
        labels=(("Trục chính", (-120.0, 12.0)), ("Đường nhánh", (12.0, 120.0))),
        sources=("Invented for documentation and tests.",),
    )
