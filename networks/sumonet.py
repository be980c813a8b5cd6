"""Reading a built SUMO net: lanes, connections, junctions with their right-of-way matrices, programmes.

Only the XML is needed, not SUMO itself. Whatever is wrong with the file ends in a `NetworkError`
that names it.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar
from xml.etree import ElementTree

from denxanh.errors import NetworkError
from denxanh.networks.model import Point

DEFAULT_LANE_WIDTH_M = 3.2
"""SUMO's own default where a lane names no width."""
DEFAULT_CROSSING_WIDTH_M = 4.0
"""SUMO's own default for pedestrian crossings."""
MAX_INTERNAL_CHAIN = 8
"""Internal lanes that one link may pass; SUMO writes at most a handful."""
MAX_LINKS = 1024
"""Link indices of one signal; the largest joined signals in use have about a hundred."""
MAX_COORDINATE = 1e9
"""Metres; anything farther is a broken file."""

_Value = TypeVar("_Value")


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
    min_s: float | None
    successors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Programme:
    """A signal's programme as the net writes it."""

    tls: str
    id: str
    kind: str
    offset_s: float
    phases: tuple[Phase, ...]


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


def elements(path: Path, wanted: set[str]) -> Iterator[ElementTree.Element]:
    """Stream the wanted elements of an XML file, gzipped or not, freeing each after use.

    Raises:
        NetworkError: the file cannot be read or is not XML.
    """
    try:
        with _open(path) as stream:
            depth = 0
            for event, element in ElementTree.iterparse(stream, events=("start", "end")):
                if event == "start":
                    depth += 1
                    if depth == 1 and element.tag in wanted and element.tag == "net":
                        yield element
                    continue
                depth -= 1
                if element.tag in wanted and element.tag != "net":
                    yield element
                if depth == 1:
                    element.clear()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NetworkError(
            f"cannot read the file: {reason}", where=str(path), fix="check the path"
        ) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise NetworkError(
            f"not readable XML: {error}", where=str(path), fix="write the file again"
        ) from error


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _attribute(element: ElementTree.Element, name: str, where: str, default: str | None = None) -> str:
    value = element.get(name, default)
    if value is None:
        raise NetworkError(
            f"<{element.tag}> {element.get('id', '')!r} has no {name!r}",
            where=where,
            fix="rebuild it with netconvert",
        )
    return value


def _parsed(
    element: ElementTree.Element,
    name: str,
    where: str,
    parse: Callable[[str], _Value],
    default: str | None = None,
) -> _Value:
    text = _attribute(element, name, where, default)
    try:
        return parse(text)
    except (ValueError, OverflowError) as error:
        raise NetworkError(
            f"<{element.tag}> {element.get('id', '')!r}: {name}={text[:80]!r} is not valid",
            where=where,
            fix="rebuild it with netconvert",
        ) from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > MAX_COORDINATE:
        raise ValueError(text)
    return value


def _positive(text: str) -> float:
    value = _finite(text)
    if value < 0:
        raise ValueError(text)
    return value


def _shape(text: str) -> tuple[Point, ...]:
    points = []
    for pair in text.split():
        east, north, *_ = pair.split(",")  # a third value is height
        points.append((_finite(east), _finite(north)))
    return tuple(points)


def _link_index(text: str) -> int:
    value = int(text)
    if not -1 <= value < MAX_LINKS:
        raise ValueError(text)
    return value


def _bits(text: str) -> int:
    return int(text, 2) if text else 0


def _programme(element: ElementTree.Element, where: str) -> Programme | None:
    phases = tuple(
        Phase(
            duration_s=_parsed(phase, "duration", where, _positive, "1"),
            state=_attribute(phase, "state", where),
            min_s=None if phase.get("minDur") is None else _parsed(phase, "minDur", where, _positive),
            successors=_parsed(
                phase, "next", where, lambda text: tuple(int(part) for part in text.split()), ""
            ),
        )
        for phase in element.findall("phase")
    )
    if not phases:  # SUMO lets additional files change only the offset or parameters of a programme
        return None
    lengths = {len(phase.state) for phase in phases}
    tls = _attribute(element, "id", where)
    if len(lengths) != 1 or max(lengths) > MAX_LINKS:
        raise NetworkError(
            f"the phases of signal {tls!r} differ in length", where=where, fix="correct its tlLogic"
        )
    return Programme(
        tls=tls,
        id=_attribute(element, "programID", where, "0"),
        kind=_attribute(element, "type", where, "static"),
        offset_s=_parsed(
            element, "offset", where, lambda text: 0.0 if text == "begin" else _finite(text), "0"
        ),
        phases=phases,
    )


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
        edge = _attribute(element, "id", where)
        function = element.get("function", "")
        width = DEFAULT_CROSSING_WIDTH_M if function == "crossing" else DEFAULT_LANE_WIDTH_M
        ids = []
        for lane in element.findall("lane"):
            lane_id = _attribute(lane, "id", where)
            self.lanes[lane_id] = NetLane(
                id=lane_id,
                edge=edge,
                index=_parsed(lane, "index", where, int),
                length_m=_parsed(lane, "length", where, _positive),
                speed_ms=_parsed(lane, "speed", where, _positive),
                width_m=_parsed(lane, "width", where, _positive, str(width)),
                shape=_parsed(lane, "shape", where, _shape),
                function=function,
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
            _parsed(row, "index", where, int): Request(
                _parsed(row, "response", where, _bits), _parsed(row, "foes", where, _bits)
            )
            for row in element.findall("request")
        }
        junction = _attribute(element, "id", where)
        if sorted(rows) != list(range(len(rows))):
            raise NetworkError(f"junction {junction!r} lacks rows of its request matrix", where=where)
        self.junctions[junction] = Junction(
            id=junction,
            kind=element.get("type", ""),
            position=(_parsed(element, "x", where, _finite), _parsed(element, "y", where, _finite)),
            incoming_lanes=tuple(element.get("incLanes", "").split()),
            internal_lanes=tuple(element.get("intLanes", "").split()),
            requests=tuple(rows[index] for index in range(len(rows))),
        )

    def _connection(self, element: ElementTree.Element, where: str) -> None:
        ends = (
            _attribute(element, "from", where),
            _parsed(element, "fromLane", where, int),
            _attribute(element, "to", where),
            _parsed(element, "toLane", where, int),
        )
        tls = element.get("tl", "")
        connection = Connection(
            from_lane="",
            to_lane="",
            via=element.get("via", ""),
            direction=element.get("dir", "s"),
            tls=tls,
            link=_parsed(element, "linkIndex", where, _link_index, "-1") if tls else -1,
            link2=_parsed(element, "linkIndex2", where, _link_index, "-1") if tls else -1,
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
            programmes={tls: tuple(found) for tls, found in self.programmes.items()},
        )

    def _lane(self, edge: str, index: int, where: str) -> str:
        for lane in self.edge_lanes.get(edge, ()):
            if self.lanes[lane].index == index:
                return lane
        raise NetworkError(
            f"a connection names lane {index} of edge {edge!r}, which does not exist", where=where
        )
