"""A scenario's vehicles and pedestrians as SUMO's route file. Everything random comes from the seed.

Two fidelities: `sublane` has each vehicle as itself; `proxy` has one car-sized unit in place of three
two-wheelers, without lateral movement: on the arterial the mean delay agrees within 2.3 % at 0.4 of the
processor time, control included (docs/measurements.md). A unit counts as its three vehicles.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.sax.saxutils import quoteattr

from denxanh.networks.build import BuiltCorridor, build
from denxanh.networks.corridor_files import CorridorFiles, ScenarioForm
from denxanh.networks.flows import Route, routes, scenario_of
from denxanh.networks.sumonet import read_net

UNIT_SIZE = 3
"""Two-wheelers in one proxy unit."""
TWO_WHEELERS = frozenset({"mc", "ebike"})
LATERAL_RESOLUTION_M = 1.1667
"""A third of a 3.5 m lane."""
JUNCTION_BLOCKER_S = 20
"""A vehicle that stands inside a junction this long is driven around. Without it a turning vehicle that
waited for pedestrians and was overtaken by the next stage can block that stage's traffic for ever, each
waiting for the other [measured at 30/4 - Quang Trung]; drivers on the street let it go."""
CURB_POSITION_M = 15.0
"""How far from the junction pedestrians start and end."""


class Fidelity(StrEnum):
    """How finely traffic is simulated."""

    SUBLANE = "sublane"
    PROXY = "proxy"


VEHICLE_TYPES: Mapping[Fidelity, Mapping[str, Mapping[str, str]]] = {
    Fidelity.SUBLANE: {
        "mc": {
            "vClass": "motorcycle",
            "length": "1.9",
            "width": "0.75",
            "minGap": "0.5",
            "minGapLat": "0.2",
            "accel": "2.5",
            "decel": "4.5",
            "emergencyDecel": "8",
            "tau": "1.0",
            "sigma": "0.5",
            "maxSpeed": "15.5",
            "speedFactor": "normc(0.95,0.15,0.6,1.3)",
            "latAlignment": "arbitrary",
            "lcSublane": "1",
            "lcPushy": "0.3",
            "lcStrategic": "0.5",
            "lcSpeedGain": "1.5",
            "lcAssertive": "1.5",
            "maxSpeedLat": "1.0",
            "jmIgnoreFoeProb": "0.1",
            "jmIgnoreFoeSpeed": "3",
            "jmTimegapMinor": "0.8",
            "impatience": "0.3",
        },
        "ebike": {
            "vClass": "bicycle",
            "length": "1.75",
            "width": "0.65",
            "maxSpeed": "6.5",
            "latAlignment": "right",
        },
        "car": {
            "vClass": "passenger",
            "length": "4.4",
            "width": "1.75",
            "minGap": "1.5",
            "minGapLat": "0.4",
            "accel": "2.0",
            "tau": "1.2",
            "lcLaneDiscipline": "1",
        },
        "bus": {
            "vClass": "bus",
            "length": "9.0",
            "width": "2.4",
            "accel": "1.0",
            "tau": "1.2",
            "latAlignment": "right",
        },
        "truck": {"vClass": "truck", "length": "7.1", "width": "2.3", "accel": "1.0", "tau": "1.2"},
    },
    Fidelity.PROXY: {
        "unit": {
            "vClass": "passenger",
            "length": "4.4",
            "width": "1.75",
            "minGap": "1.5",
            "accel": "2.5",
            "tau": "1.0",
            "maxSpeed": "15.5",
            "speedFactor": "normc(0.95,0.15,0.6,1.3)",
        },
        "car": {
            "vClass": "passenger",
            "length": "4.4",
            "width": "1.75",
            "minGap": "1.5",
            "accel": "2.0",
            "tau": "1.2",
        },
        "bus": {"vClass": "bus", "length": "9.0", "width": "2.4", "accel": "1.0", "tau": "1.2"},
        "truck": {"vClass": "truck", "length": "7.1", "width": "2.3", "accel": "1.0", "tau": "1.2"},
    },
}
"""SUMO vehicle types, fitted on SUMO 1.28: motorcycles discharge 7,100 vehicles/h and lane, cars about 1,800.

The target for motorcycles is what Cao and Sano (2012, J. Transp. Eng. 138(6)) count in Hanoi: 6,100 to 7,200
per lane, at mid-block, not at a stop line. The types themselves are assumed.
"""


def sumo_options(fidelity: str) -> tuple[str, ...]:
    """SUMO's command-line options that belong to a fidelity.

    Raises:
        ValueError: there is no such fidelity.
    """
    common = (
        *("--step-length", "1"),
        *("--collision.action", "warn"),
        *("--max-depart-delay", "-1"),
        *("--ignore-junction-blocker", str(JUNCTION_BLOCKER_S)),
    )
    if Fidelity(fidelity) is Fidelity.SUBLANE:
        return (*common, "--lateral-resolution", str(LATERAL_RESOLUTION_M))
    return common


@dataclass(frozen=True, slots=True)
class Piece:
    """Traffic of one scenario of `demand.toml` from `begin` to before `end`, SUMO seconds.

    `profile`: a further factor in [0, 1] on all vehicle flows by the second of departure; None: always 1.
    """

    scenario: str
    begin: int
    end: int
    profile: Callable[[float], float] | None = None


def write_routes(
    corridor_name: str | Path | BuiltCorridor,
    scenario: str,
    fidelity: str,
    seed: int,
    out_path: Path,
    begin: int,
    end: int,
    *,
    scale: float = 1.0,
) -> int:
    """Write a scenario's vehicles and pedestrians as a SUMO route file, sorted by departure.

    Args:
        corridor_name: a catalogue name, a folder, or an already built corridor.
        scenario: a scenario of its `demand.toml`.
        fidelity: `sublane` or `proxy`.
        seed: the same seed gives the same file.
        out_path: the file to write.
        begin: first second of departures.
        end: departures are before this second.
        scale: factor on all vehicle flows.

    Returns:
        The number of vehicles in the file, a proxy unit counting as one.

    Raises:
        CorridorError: the corridor or scenario does not exist or is wrong.
        MissingExtraError: SUMO's netconvert is needed and not installed.
    """
    built = corridor_name if isinstance(corridor_name, BuiltCorridor) else build(corridor_name)
    return write_pieces(built, (Piece(scenario, begin, end),), fidelity, seed, out_path, scale=scale)


def write_pieces(
    built: BuiltCorridor,
    pieces: Sequence[Piece],
    fidelity: str,
    seed: int,
    out_path: Path,
    *,
    scale: float = 1.0,
) -> int:
    """Write the traffic of several scenarios, one after another, as one SUMO file; see `write_routes`."""
    kind = Fidelity(fidelity)
    net = read_net(built.net)
    found: list[Route] = []
    trips: list[_Trip] = []
    people: list[tuple[float, str]] = []
    for number, piece in enumerate(pieces):
        form = scenario_of(built.files, piece.scenario)
        name = f"{built.files.corridor.id}/{piece.scenario}/{seed}"
        dice = random.Random(f"{name}/{number}" if number else name)
        ways = routes(net, form)
        trips += _trips(ways, len(found), class_mix(built.files, form), dice, piece, scale)
        people += _walkers(built.files, form.pedestrians_h, dice, piece, len(people))
        found += ways
    if kind is Fidelity.PROXY:
        trips = _units(trips)
    entries = [(trip.depart_s, _vehicle_xml(number, trip, kind)) for number, trip in enumerate(trips)]
    entries += people
    entries.sort(key=lambda entry: entry[0])
    with out_path.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<routes>\n')
        for name, attributes in VEHICLE_TYPES[kind].items():
            text = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
            out.write(f'    <vType id="{name}" {text}/>\n')
        for index, route in enumerate(found):
            out.write(f'    <route id="r{index}" edges={quoteattr(" ".join(route.edges))}/>\n')
        out.writelines(text for _, text in entries)
        out.write("</routes>\n")
    return len(trips)


def class_mix(files: CorridorFiles, scenario: ScenarioForm) -> dict[str, float]:
    """Share of each vehicle class; under a truck ban cars take the trucks' share."""
    mix: dict[str, float] = {str(kind): share for kind, share in files.corridor.mix.items()}
    if scenario.truck_ban:
        mix["car"] = mix.get("car", 0.0) + mix.pop("truck", 0.0)
    return mix


@dataclass(frozen=True, slots=True)
class _Trip:
    depart_s: float
    route: int
    kind: str


def _trips(
    found: Sequence[Route],
    first: int,
    mix: Mapping[str, float],
    dice: random.Random,
    piece: Piece,
    scale: float,
) -> list[_Trip]:
    """Poisson arrivals on each route, `first` being the first one's number in the file.

    The classes are dealt so that the mix holds exactly. Under a profile each arrival stays with that
    probability (thinning, Lewis and Shedler 1979).
    """
    due: list[tuple[float, int]] = []
    end, profile = piece.end, piece.profile
    for index, route in enumerate(found, start=first):
        rate = route.flow_h * scale / 3600
        clock = piece.begin + dice.expovariate(rate) if rate > 0 else float(end)
        while clock < end:
            if profile is None or dice.random() < profile(clock):
                due.append((clock, index))
            clock += dice.expovariate(rate)
    due.sort()
    counts = {kind: int(share * len(due)) for kind, share in mix.items()}
    rest = sorted(mix, key=lambda kind: (counts[kind] - mix[kind] * len(due), kind))
    for kind in rest[: len(due) - sum(counts.values())]:
        counts[kind] += 1
    deck = [kind for kind in sorted(counts) for _ in range(counts[kind])]
    dice.shuffle(deck)
    return [_Trip(clock, route, kind) for (clock, route), kind in zip(due, deck, strict=True)]


def _units(trips: list[_Trip]) -> list[_Trip]:
    """Every third two-wheeler stands for three; the other two are left out."""
    kept: list[_Trip] = []
    waiting = 0
    for trip in trips:
        if trip.kind not in TWO_WHEELERS:
            kept.append(trip)
            continue
        waiting += 1
        if waiting == UNIT_SIZE:
            waiting = 0
            kept.append(_Trip(trip.depart_s, trip.route, "unit"))
    return kept


def _vehicle_xml(number: int, trip: _Trip, kind: Fidelity) -> str:
    lateral = ' departPosLat="random_free"' if kind is Fidelity.SUBLANE else ""
    return (
        f'    <vehicle id="v{number}" type="{trip.kind}" route="r{trip.route}" depart="{trip.depart_s:.2f}"'
        f' departLane="best" departSpeed="max"{lateral}/>\n'
    )


def _walkers(
    files: CorridorFiles, flow_h: float, dice: random.Random, piece: Piece, before: int
) -> list[tuple[float, str]]:
    """Pedestrians over every crossing of every signal, in either direction alike, after so many others."""
    found: list[tuple[float, str]] = []
    if flow_h <= 0:
        return found
    for intersection in files.signals.intersection:
        for group in intersection.group:
            if group.crossing is None or len(group.crossing) != 2:
                continue
            incoming, outgoing = group.crossing
            clock = piece.begin + dice.expovariate(flow_h / 3600)
            while clock < piece.end:
                there = dice.random() < 0.5
                start, goal = (incoming, outgoing) if there else (outgoing, incoming)
                first, last = (
                    (-CURB_POSITION_M, CURB_POSITION_M) if there else (CURB_POSITION_M, -CURB_POSITION_M)
                )
                found.append(
                    (
                        clock,
                        f'    <person id="p{before + len(found)}" depart="{clock:.2f}" departPos="{first:g}">'
                        f"<walk from={quoteattr(start)} to={quoteattr(goal)}"
                        f' arrivalPos="{last:g}"/></person>\n',
                    )
                )
                clock += dice.expovariate(flow_h / 3600)
    return found
