"""The movements that a signal controls: where each comes from, where it goes, what it crosses.

A link index of a signal may control several movements (grouped indices), a signal may hold links of
several junctions (joined signals), and an index may control nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.errors import NetworkError
from denxanh.networks.model import Point, Turn
from denxanh.networks.sumonet import MAX_INTERNAL_CHAIN, Connection, Net, Request

TURNS = {
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "s": Turn.STRAIGHT,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.UTURN,
    "T": Turn.UTURN,
}
"""SUMO's direction letters; capitals are half turns, `T` a U-turn in left-hand traffic."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One way through a signal. `request` is its row in the junction's matrix, -1 where the net has none.

    For a crossing, `from_lane` is the walking area, `to_lane` and `path` the crossing itself.
    """

    link: int
    from_lane: str
    to_lane: str
    path: tuple[str, ...]
    turn: Turn
    crossing: bool
    from_edge: str
    to_edge: str
    junction: str
    request: int


def movements(net: Net, tls: str) -> tuple[Movement, ...]:
    """Every movement of a signal, by link index.

    Raises:
        NetworkError: a movement's link index does not fit the signal's programme.
    """
    programme = net.programme(tls)
    size = len(programme.phases[0].state) if programme else 0
    found = []
    for connection in net.controlled.get(tls, ()):
        for link in (connection.link, connection.link2):
            if link < 0:
                continue
            if link >= size:
                raise NetworkError(
                    f"signal {tls!r} controls link {link} but its programme has {size} letters",
                    where=str(net.path),
                    fix="correct the length of its states",
                )
            found.append(_movement(net, connection, link))
    return tuple(sorted(found, key=lambda movement: (movement.link, movement.from_lane, movement.to_lane)))


def request_of(net: Net, movement: Movement) -> Request | None:
    """The movement's row of the right-of-way matrix, if the net has it."""
    junction = net.junctions.get(movement.junction)
    return junction.requests[movement.request] if junction is not None and movement.request >= 0 else None


def shape_of(net: Net, movement: Movement) -> tuple[Point, ...]:
    """Centre line from the stop line to the receiving lane (or along the crossing), metres."""
    points: list[Point] = []
    for lane in movement.path:
        points.extend(point for point in net.lanes[lane].shape if not points or point != points[-1])
    if len(points) < 2:
        start, end = net.lanes[movement.from_lane].shape, net.lanes[movement.to_lane].shape
        points = [start[-1] if start else (0.0, 0.0), end[0] if end else (0.0, 0.0)]
    return tuple(points)


def _movement(net: Net, connection: Connection, link: int) -> Movement:
    source, target = net.lanes[connection.from_lane], net.lanes[connection.to_lane]
    crossing = "crossing" in (source.function, target.function)
    if crossing:
        lane = target if target.function == "crossing" else source
        path: tuple[str, ...] = (lane.id,)
        junction, request = net.rows.get(lane.id, ("", -1))
    else:
        path = internal_chain(net, connection)
        junction, request = next((net.rows[lane] for lane in path if lane in net.rows), ("", -1))
        if request < 0:
            junction = net.edge_ends.get(source.edge, ("", ""))[1]
            request = _row_by_order(net, junction, connection)
    known = net.junctions.get(junction)
    if known is None or request >= len(known.requests):
        request = -1
    return Movement(
        link=link,
        from_lane=connection.from_lane,
        to_lane=path[0] if crossing else connection.to_lane,
        path=path,
        turn=TURNS.get(connection.direction, Turn.STRAIGHT),
        crossing=crossing,
        from_edge=net.lanes[path[0]].edge if crossing else source.edge,
        to_edge=net.lanes[path[0]].edge if crossing else target.edge,
        junction=junction,
        request=request,
    )


def internal_chain(net: Net, connection: Connection) -> tuple[str, ...]:
    """The lanes inside the junction that a connection passes, in driving order."""
    chain: list[str] = []
    lane = connection.via
    while lane and lane not in chain and len(chain) < MAX_INTERNAL_CHAIN:
        chain.append(lane)
        lane = next(
            (
                onward.via
                for onward in net.out_of.get(lane, ())
                if onward.via and onward.to_lane == connection.to_lane
            ),
            "",
        )
    return tuple(chain)


def _row_by_order(net: Net, junction_id: str, connection: Connection) -> int:
    """Without internal lanes (`--no-internal-links`) rows follow incoming lanes, then connections."""
    junction = net.junctions.get(junction_id)
    if junction is None:
        return -1
    row = 0
    for lane in junction.incoming_lanes:
        for outgoing in net.out_of.get(lane, ()):
            if outgoing == connection:
                return row
            row += 1
    return -1
