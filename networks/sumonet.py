"""Reading a built SUMO net: lanes, connections, junctions with their right-of-way matrices, programmes.

Only the XML is needed, not SUMO itself. Whatever is wrong with the file ends in a `NetworkError`
that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from denxanh.errors import NetworkError
from denxanh.networks.model import Point
from denxanh.networks.netxml import (
    MAX_LINKS,
    attribute,
    bits,
    elements,
    finite,
    link_index,
    parsed,
    positive,
    shape_points,
)

DEFAULT_LANE_WIDTH_M = 3.2
"""SUMO's own default where a lane names no width."""
DEFAULT_CROSSING_WIDTH_M = 4.0
"""SUMO's own default for pedestrian crossings."""
ROAD_CLASSES = frozenset({"passenger", "bus", "motorcycle", "bicycle"})
"""SUMO's vehicle classes that clearance times tell apart."""
MAX_INTERNAL_CHAIN = 8
"""Internal lanes that one link may pass; SUMO writes at most a handful."""


@dataclass(frozen=True, slots=True)
class NetLane:
    """A lane: normal, internal (inside a junction), crossing or walking area, by `function`."""

    id: str
    edge: str
    index: int
    length_m: float
    speed_ms: float
    width_m: float
    shape: tuple[Point, ...]
    function: str
    walkers_only: bool
    barred: frozenset[str]
    """Those of `ROAD_CLASSES` that may not use it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One way from a lane to the next; `tls` and `link` where a signal controls it."""

    from_lane: str
    to_lane: str
    via: str
    direction: str
    tls: str
    link: int
    link2: int


@dataclass(frozen=True, slots=True)
class Request:
    """One row of a junction's right-of-way matrix: bit j set means link j."""

    response: int
    """Links that this one must yield to."""
    foes: int


@dataclass(frozen=True, slots=True)
class Junction:
    """A junction; `requests[k]` belongs to the link that ends on internal lane `internal_lanes[k]`."""

    id: str
    kind: str
    position: Point
    incoming_lanes: tuple[str, ...]
    internal_lanes: tuple[str, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """One line of a programme."""

    duration_s: float
    state: str
    min_s: float | None = None
    successors: tuple[int, ...] = ()
    name: str = ""
    max_s: float | None = None
    yellow_s: float | None = None
    red_s: float | None = None
    """`name` and the last three matter in two-ring programmes only."""


@dataclass(frozen=True, slots=True)
class Programme:
    """A signal's programme as the net writes it."""

    tls: str
    id: str
    kind: str
    offset_s: float
    phases: tuple[Phase, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    offered: tuple[str, ...] = ()
    """States that are stages too although the cycle does not run them."""


@dataclass(frozen=True, slots=True)
class Net:
    """A parsed net. `into` and `out_of` list the connections of a lane."""

    path: Path
    left_hand: bool
    lanes: Mapping[str, NetLane]
    street_names: Mapping[str, str]
    """Edge to the name of its street, where one is given."""
    edge_lanes: Mapping[str, tuple[str, ...]]
    edge_ends: Mapping[str, tuple[str, str]]
    """Edge to the junctions where it begins and ends."""
    crossed: Mapping[str, tuple[str, ...]]
    """Crossing to the edges that it leads over."""
    junctions: Mapping[str, Junction]
    connections: tuple[Connection, ...]
    into: Mapping[str, tuple[Connection, ...]]
    out_of: Mapping[str, tuple[Connection, ...]]
    controlled: Mapping[str, tuple[Connection, ...]]
    """Signal to its connections."""
    rows: Mapping[str, tuple[str, int]]
    """Internal lane to its junction and row: a link's row is named by the last lane that it may wait on."""
    programmes: Mapping[str, tuple[Programme, ...]]

    def programme(self, tls: str) -> Programme | None:
        """The programme that SUMO would run: the one loaded last."""
        return self.programmes.get(tls, (None,))[-1]


def read_net(path: Path) -> Net:
    """Parse a `.net.xml` or `.net.xml.gz`.

    Raises:
        NetworkError: the file cannot be read, is not a SUMO net, or contradicts itself.
    """
    draft = _Draft()
    for element in elements(path, {"net", "edge", "junction", "connection", "tlLogic"}):
        draft.take(element, str(path))
    return draft.net(path)


def read_programmes(path: Path) -> tuple[Programme, ...]:
    """The programmes in an additional file, in file order.

    Raises:
        NetworkError: the file cannot be read or holds a malformed programme.
    """
    return tuple(
        programme
        for element in elements(path, {"tlLogic"})
        if (programme := _programme(element, str(path))) is not None
    )


def _programme(element: ElementTree.Element, where: str) -> Programme | None:
    phases = tuple(
        Phase(
            duration_s=parsed(phase, "duration", where, positive, "1"),
            state=attribute(phase, "state", where),
            min_s=_optional(phase, "minDur", where),
            name=phase.get("name", ""),
            max_s=_optional(phase, "maxDur", where),
            yellow_s=_optional(phase, "yellow", where),
            red_s=_optional(phase, "red", where),
            successors=parsed(
                phase, "next", where, lambda text: tuple(int(part) for part in text.split()), ""
            ),
        )
        for phase in element.findall("phase")
    )
    if not phases:  # SUMO lets additional files change only the offset or parameters of a programme
        return None
    lengths = {len(phase.state) for phase in phases}
    tls = attribute(element, "id", where)
    if len(lengths) != 1 or max(lengths) > MAX_LINKS:
        raise NetworkError(
            f"the phases of signal {tls!r} differ in length", where=where, fix="correct its tlLogic"
        )
    return Programme(
        tls=tls,
        id=attribute(element, "programID", where, "0"),
        kind=attribute(element, "type", where, "static"),
        offset_s=parsed(element, "offset", where, lambda text: 0.0 if text == "begin" else finite(text), "0"),
        phases=phases,
        parameters={param.get("key", ""): param.get("value", "") for param in element.findall("param")},
    )


def _optional(element: ElementTree.Element, name: str, where: str) -> float | None:
    return None if element.get(name) is None else parsed(element, name, where, positive)


def _barred(allow: str | None, disallow: str) -> frozenset[str]:
    if allow is not None and allow != "all":
        return ROAD_CLASSES - frozenset(allow.split())
    return ROAD_CLASSES if disallow == "all" else ROAD_CLASSES & frozenset(disallow.split())


@dataclass(slots=True)
class _Draft:
    """What has been read so far."""

    seen_root: bool = False
    left_hand: bool = False
    lanes: dict[str, NetLane] = field(default_factory=dict)
    street_names: dict[str, str] = field(default_factory=dict)
    edge_lanes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    edge_ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    crossed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    junctions: dict[str, Junction] = field(default_factory=dict)
    raw_connections: list[tuple[str, int, str, int, Connection]] = field(default_factory=list)
    programmes: dict[str, list[Programme]] = field(default_factory=dict)

    def take(self, element: ElementTree.Element, where: str) -> None:
        if element.tag == "net":
            self.seen_root = True
            self.left_hand = element.get("lefthand", "false") in ("true", "1")
        elif element.tag == "edge":
            self._edge(element, where)
        elif element.tag == "junction":
            self._junction(element, where)
        elif element.tag == "connection":
            self._connection(element, where)
        elif (programme := _programme(element, where)) is not None:
            self.programmes.setdefault(programme.tls, []).append(programme)

    def _edge(self, element: ElementTree.Element, where: str) -> None:
        edge = attribute(element, "id", where)
        function = element.get("function", "")
        width = DEFAULT_CROSSING_WIDTH_M if function == "crossing" else DEFAULT_LANE_WIDTH_M
        ids = []
        for lane in element.findall("lane"):
            lane_id = attribute(lane, "id", where)
            self.lanes[lane_id] = NetLane(
                id=lane_id,
                edge=edge,
                index=parsed(lane, "index", where, int),
                length_m=parsed(lane, "length", where, positive),
                speed_ms=parsed(lane, "speed", where, positive),
                width_m=parsed(lane, "width", where, positive, str(width)),
                shape=parsed(lane, "shape", where, shape_points),
                function=function,
                barred=_barred(lane.get("allow"), lane.get("disallow", "")),
                walkers_only=set(lane.get("allow", "all").split()) <= {"pedestrian", "wheelchair"},
            )
            ids.append(lane_id)
        self.edge_lanes[edge] = tuple(sorted(ids, key=lambda lane_id: self.lanes[lane_id].index))
        if not function:
            self.edge_ends[edge] = (element.get("from", ""), element.get("to", ""))
        if function == "crossing":
            self.crossed[edge] = tuple(element.get("crossingEdges", "").split())
        if name := element.get("name", "").strip():
            self.street_names[edge] = name

    def _junction(self, element: ElementTree.Element, where: str) -> None:
        if element.get("type") == "internal":
            return
        rows = {
            parsed(row, "index", where, int): Request(
                parsed(row, "response", where, bits), parsed(row, "foes", where, bits)
            )
            for row in element.findall("request")
        }
        junction = attribute(element, "id", where)
        if sorted(rows) != list(range(len(rows))):
            raise NetworkError(f"junction {junction!r} lacks rows of its request matrix", where=where)
        self.junctions[junction] = Junction(
            id=junction,
            kind=element.get("type", ""),
            position=(parsed(element, "x", where, finite), parsed(element, "y", where, finite)),
            incoming_lanes=tuple(element.get("incLanes", "").split()),
            internal_lanes=tuple(element.get("intLanes", "").split()),
            requests=tuple(rows[index] for index in range(len(rows))),
        )

    def _connection(self, element: ElementTree.Element, where: str) -> None:
        ends = (
            attribute(element, "from", where),
            parsed(element, "fromLane", where, int),
            attribute(element, "to", where),
            parsed(element, "toLane", where, int),
        )
        tls = element.get("tl", "")
        connection = Connection(
            from_lane="",
            to_lane="",
            via=element.get("via", ""),
            direction=element.get("dir", "s"),
            tls=tls,
            link=parsed(element, "linkIndex", where, link_index, "-1") if tls else -1,
            link2=parsed(element, "linkIndex2", where, link_index, "-1") if tls else -1,
        )
        self.raw_connections.append((*ends, connection))

    def net(self, path: Path) -> Net:
        where = str(path)
        if not self.seen_root:
            raise NetworkError(
                "not a SUMO net: the root element is not <net>", where=where, fix="name a .net.xml file"
            )
        into: dict[str, list[Connection]] = {}
        out_of: dict[str, list[Connection]] = {}
        controlled: dict[str, list[Connection]] = {}
        connections = []
        for from_edge, from_index, to_edge, to_index, raw in self.raw_connections:
            connection = Connection(
                self._lane(from_edge, from_index, where),
                self._lane(to_edge, to_index, where),
                raw.via,
                raw.direction,
                raw.tls,
                raw.link,
                raw.link2,
            )
            if raw.via and raw.via not in self.lanes:
                raise NetworkError(
                    f"connection from {from_edge!r} passes unknown lane {raw.via!r}", where=where
                )
            connections.append(connection)
            into.setdefault(connection.to_lane, []).append(connection)
            out_of.setdefault(connection.from_lane, []).append(connection)
            if raw.tls:
                controlled.setdefault(raw.tls, []).append(connection)
        return Net(
            path=path,
            left_hand=self.left_hand,
            lanes=self.lanes,
            street_names=self.street_names,
            edge_lanes=self.edge_lanes,
            edge_ends=self.edge_ends,
            crossed=self.crossed,
            junctions=self.junctions,
            connections=tuple(connections),
            into={lane: tuple(found) for lane, found in into.items()},
            out_of={lane: tuple(found) for lane, found in out_of.items()},
            controlled={tls: tuple(found) for tls, found in controlled.items()},
            rows={
                lane: (junction.id, index)
                for junction in self.junctions.values()
                for index, lane in enumerate(junction.internal_lanes)
            },
            programmes={tls: tuple(found) for tls, found in self.programmes.items()},
        )

    def _lane(self, edge: str, index: int, where: str) -> str:
        for lane in self.edge_lanes.get(edge, ()):
            if self.lanes[lane].index == index:
                return lane
        raise NetworkError(
            f"a connection names lane {index} of edge {edge!r}, which does not exist", where=where
        )
