"""Detection zones and loops laid out on a net.

Imported nets cut streets into short edges, so a zone follows the traffic across edge boundaries,
upstream through every lane that feeds it and that no signal controls, and each piece carries the share
of its traffic that belongs to the zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from denxanh.networks.links import TURNS, internal_chain
from denxanh.networks.model import Detector, DetectorKind, Lane, Turn, ZoneSegment
from denxanh.networks.sumonet import Connection, Net

ZONE_REACH_M = 150.0
"""How far a VDS zone looks upstream from the stop line (assumed)."""
DOWNSTREAM_REACH_M = 50.0
"""How much of the receiving lanes a downstream zone watches."""
STOP_LOOP_M = (3.0, 1.0)
"""The stop-line loop's ends, metres before the line: 2 m long, centred 2 m before it."""
ADVANCE_LOOP_M = (42.0, 40.0)
"""The advance loop's ends, metres before the line; nearer where the street allows no more."""
MIN_ADVANCE_M = 12.0
"""Nearer than this an advance loop would only repeat the stop-line loop: there is none."""
VEHICLE_SPACING_M = 7.5
"""Length of street that one passenger-car unit takes in a standing queue."""
MIN_SHARE = 0.02
"""Pieces that give a zone less of their traffic than this are left out."""
MAX_PIECES = 64
"""Lanes one zone may span; a bound against nets with loops of very short edges."""
TURN_PRIOR = {Turn.STRAIGHT: 0.70, Turn.LEFT: 0.14, Turn.RIGHT: 0.14, Turn.UTURN: 0.02}
"""Shares of an approach's traffic by direction where nothing is counted; assumed, about 15/70/15."""


def connection_shares(connections: Sequence[Connection], fan: Callable[[Connection], int]) -> list[float]:
    """How a lane's traffic divides over its connections: by direction, then evenly over equal ways.

    Args:
        connections: all connections of one lane.
        fan: over how many lanes of the approach the same movement is spread.
    """
    weights = []
    for connection in connections:
        turn = TURNS.get(connection.direction, Turn.STRAIGHT)
        edge = connection.to_lane.rpartition("_")[0]
        exits = {
            other.to_lane.rpartition("_")[0]
            for other in connections
            if TURNS.get(other.direction, Turn.STRAIGHT) is turn
        }
        parallel = sum(1 for other in connections if other.to_lane.rpartition("_")[0] == edge)
        weights.append(TURN_PRIOR[turn] / len(exits) / parallel / max(fan(connection), 1))
    total = sum(weights)
    return [weight / total for weight in weights] if total > 0 else []


def approach_zone(net: Net, lane: str, reach_m: float = ZONE_REACH_M) -> tuple[ZoneSegment, ...]:
    """The detection zone of an incoming lane, nearest piece first."""
    return _reach(net, lane, reach_m, _feeders, from_start=False)


def receiving_zone(
    net: Net, lanes: Iterable[str], reach_m: float = DOWNSTREAM_REACH_M
) -> tuple[ZoneSegment, ...]:
    """The first metres behind a junction on these lanes, on past edge boundaries."""
    pieces: dict[str, ZoneSegment] = {}
    for lane in lanes:
        for piece in _reach(net, lane, reach_m, _followers, from_start=True):
            pieces.setdefault(piece.lane, piece)
    return tuple(pieces.values())


def storage_pcu(zone: Iterable[ZoneSegment]) -> float:
    """Passenger-car units that stand in a zone, at least 1."""
    return max(
        1.0, round(sum((piece.end_m - piece.begin_m) * piece.share for piece in zone) / VEHICLE_SPACING_M, 2)
    )


def lay_out(net: Net, lanes: Sequence[Lane], buttons: Sequence[tuple[str, int]]) -> tuple[Detector, ...]:
    """All detectors of an intersection in register order: loops, zones, downstream zones, buttons.

    Args:
        net: the net they lie on.
        lanes: the incoming lanes; a detector's `lane` is a position in this sequence.
        buttons: (pedestrian group id, group index).
    """
    loops, zones, receiving = [], [], []
    for index, lane in enumerate(lanes):
        calls = tuple(part.group for part in lane.groups)
        loops.append(
            Detector(f"{lane.id}.stop", DetectorKind.STOP_LINE, index, calls, (_stop_loop(net, lane.id),))
        )
        if (advance := _advance_loop(net, lane.id)) is not None:
            loops.append(Detector(f"{lane.id}.advance", DetectorKind.ADVANCE, index, calls, (advance,)))
        zones.append(
            Detector(f"{lane.id}.zone", DetectorKind.ZONE, index, calls, approach_zone(net, lane.id))
        )
        if lane.downstream:
            watched = receiving_zone(net, lane.downstream)
            receiving.append(
                Detector(f"{lane.id}.downstream", DetectorKind.ZONE, index, (), watched, downstream=True)
            )
    pushed = [Detector(f"{name}.button", DetectorKind.BUTTON, -1, (group,)) for name, group in buttons]
    return (*loops, *zones, *receiving, *pushed)


_Step = Callable[[Net, str], list[tuple[Connection, str, float]]]


def _reach(net: Net, lane: str, reach_m: float, step: _Step, *, from_start: bool) -> tuple[ZoneSegment, ...]:
    """Collect pieces outward from a lane until the reach is used up or a signal stands in the way."""
    pieces: dict[str, ZoneSegment] = {}
    ahead = [(lane, reach_m, 1.0)]
    while ahead and len(pieces) < MAX_PIECES:
        here, left, share = ahead.pop(0)
        length = net.lanes[here].length_m
        used = min(left, length)
        begin, end = (0.0, used) if from_start else (length - used, length)
        known = pieces.get(here)
        if known is not None:  # reached a second way: the traffic adds up, the longer reach counts
            begin, end, share = (
                min(begin, known.begin_m),
                max(end, known.end_m),
                min(1.0, share + known.share),
            )
        pieces[here] = ZoneSegment(here, round(begin, 2), round(end, 2), round(share, 3))
        if known is not None or left <= length:
            continue
        for connection, further, part in step(net, here):
            room = left - length
            chain = internal_chain(net, connection)
            for inner in chain if from_start else reversed(chain):
                whole = net.lanes[inner].length_m
                inside = min(room, whole)
                if inside > 0 and inner not in pieces:
                    edges = (0.0, inside) if from_start else (whole - inside, whole)
                    # All that is on a connection's own path goes where the connection goes.
                    onward = share * part if from_start else share
                    pieces[inner] = ZoneSegment(
                        inner, round(edges[0], 2), round(edges[1], 2), round(onward, 3)
                    )
                room -= inside
            if room > 0 and share * part >= MIN_SHARE:
                ahead.append((further, room, share * part))
    return tuple(piece for piece in pieces.values() if piece.end_m > piece.begin_m)


def _feeders(net: Net, lane: str) -> list[tuple[Connection, str, float]]:
    """Lanes that feed a lane without a signal between, with the share of their traffic that comes here."""
    sources = [connection for connection in net.into.get(lane, ()) if not connection.tls]
    if not net.into.get(lane):
        sources = _feeders_of_pocket(net, lane)
    found = []
    for connection in sources:
        if net.lanes[connection.from_lane].function:
            continue
        out = net.out_of.get(connection.from_lane, ())
        shares = connection_shares(out, lambda _: 1)
        part = sum(
            share for share, other in zip(shares, out, strict=True) if other.to_lane == connection.to_lane
        )
        siblings = 1 + sum(1 for pocket in _pockets(net, connection.to_lane))
        found.append((connection, connection.from_lane, part / siblings))
    return found


def _feeders_of_pocket(net: Net, lane: str) -> list[Connection]:
    """A pocket that no connection leads into is filled by lane changes from its nearest fed neighbour."""
    neighbour = _fed_neighbour(net, lane)
    return (
        [connection for connection in net.into.get(neighbour, ()) if not connection.tls] if neighbour else []
    )


def _fed_neighbour(net: Net, lane: str) -> str:
    index = net.lanes[lane].index
    fed = [
        other
        for other in net.edge_lanes.get(net.lanes[lane].edge, ())
        if net.into.get(other) and not net.lanes[other].walkers_only
    ]
    return min(
        fed, key=lambda other: (abs(net.lanes[other].index - index), net.lanes[other].index), default=""
    )


def _pockets(net: Net, lane: str) -> list[str]:
    """The pockets that are filled from this lane."""
    return [
        other
        for other in net.edge_lanes.get(net.lanes[lane].edge, ())
        if other != lane
        and not net.into.get(other)
        and net.out_of.get(other)
        and not net.lanes[other].walkers_only
        and _fed_neighbour(net, other) == lane
    ]


def _followers(net: Net, lane: str) -> list[tuple[Connection, str, float]]:
    out = net.out_of.get(lane, ())
    if any(connection.tls for connection in out):
        return []
    shares = connection_shares(out, lambda _: 1)
    return [
        (connection, connection.to_lane, share)
        for connection, share in zip(out, shares, strict=True)
        if not net.lanes[connection.to_lane].function
    ]


def _exclusive(net: Net, lane: str) -> Iterator[str]:
    """The lane and what lies upstream, nearest first, as long as all traffic there comes to this lane."""
    seen = {lane}
    while True:
        yield lane
        feeders = _feeders(net, lane)
        ways_in = [one for one in net.into.get(lane, ()) if not net.lanes[one.from_lane].function]
        if len(feeders) != 1 or len(ways_in) != 1:
            return
        connection, further, part = feeders[0]
        yield from reversed(internal_chain(net, connection))
        if part < 0.999 or further in seen:
            return
        seen.add(further)
        lane = further


def _loop(net: Net, lane: str, ends: tuple[float, float], least_m: float) -> ZoneSegment | None:
    """A loop with its ends this far before the stop line; nearer, but not under `least_m`, if need be."""
    far, near = ends
    passed, place = 0.0, None
    for piece in _exclusive(net, lane):
        length = net.lanes[piece].length_m
        if passed + length >= far:
            begin = passed + length - far
            return ZoneSegment(piece, round(begin, 2), round(min(begin + far - near, length), 2))
        if passed + length >= least_m and length > 0:
            place = ZoneSegment(piece, 0.0, round(min(far - near, length), 2))
        passed += length
        if passed >= far:
            break
    return place


def _stop_loop(net: Net, lane: str) -> ZoneSegment:
    """At `STOP_LOOP_M`, upstream of a lane too short for it: waiting vehicles stand 1 m before the line."""
    found = _loop(net, lane, STOP_LOOP_M, STOP_LOOP_M[1])
    return found or ZoneSegment(lane, 0.0, net.lanes[lane].length_m)


def _advance_loop(net: Net, lane: str) -> ZoneSegment | None:
    """At `ADVANCE_LOOP_M`, or as far upstream as every vehicle still belongs to this lane alone."""
    return _loop(net, lane, ADVANCE_LOOP_M, MIN_ADVANCE_M)
