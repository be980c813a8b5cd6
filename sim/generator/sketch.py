"""A street plan under the pencil: nodes, roads in pieces, pockets, crossings; netconvert makes the net."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from denxanh.networks.model import Point
from denxanh.sim.generator.arms import Approach, Exit, connect
from denxanh.sim.generator.tools import run_tool

SIDEWALK_M = 2.0
CROSSING_M = 4.0
MIN_PIECE_M = 12.0
"""Shortest piece that a road is cut into."""
LANE_WIDTHS_M = (3.0, 3.2, 3.5)


@dataclass(frozen=True, slots=True)
class Road:
    """One direction of a street, from its first to its last edge; `lanes` at its end, pockets included."""

    first: str
    last: str
    lanes: int
    pocket: int


@dataclass(slots=True)
class _Edge:
    id: str
    start: str
    end: str
    lanes: int
    speed_ms: float
    walk: bool


@dataclass(slots=True)
class Sketch:
    """Collects a street plan and writes it as SUMO's plain XML."""

    lane_width_m: float = 3.2
    _nodes: dict[str, tuple[Point, bool]] = field(default_factory=dict)
    _edges: dict[str, _Edge] = field(default_factory=dict)
    _ways: list[str] = field(default_factory=list)
    _crossings: list[str] = field(default_factory=list)

    def node(self, name: str, point: Point, *, signal: bool = False) -> str:
        """Add a node."""
        self._nodes[name] = (point, signal)
        return name

    def road(
        self,
        name: str,
        start: str,
        end: str,
        lanes: int,
        speed_ms: float,
        *,
        pocket: tuple[int, float] = (0, 0.0),
        cuts_m: Sequence[float] = (),
        walk: bool = False,
    ) -> Road:
        """Add one direction of a street.

        Args:
            name: of its edges, which are numbered.
            start: node.
            end: node.
            lanes: all along.
            speed_ms: speed limit.
            pocket: how many more lanes at the left near the end, and how long, metres.
            cuts_m: distances from the end at which it is cut without need.
            walk: a sidewalk along it.
        """
        (x0, y0), (x1, y1) = self._nodes[start][0], self._nodes[end][0]
        length = math.hypot(x1 - x0, y1 - y0)
        extra, reach = pocket[0], round(pocket[1], 1)
        places = {round(cut, 1): lanes for cut in cuts_m if not extra or abs(cut - reach) >= MIN_PIECE_M}
        if extra:
            places[reach] = lanes
        before, place = start, length
        pieces: list[_Edge] = []
        for cut in [*sorted(places, reverse=True), 0.0]:
            if cut and (place - cut < MIN_PIECE_M or cut < MIN_PIECE_M):
                continue
            part = 1 - cut / length
            after = end
            if cut:
                after = self.node(f"{name}n{len(pieces)}", (x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
            wide = lanes + (extra if extra and cut < reach else 0)
            pieces.append(_Edge(f"{name}e{len(pieces)}", before, after, wide, speed_ms, walk))
            before, place = after, cut
        for one, following in pairwise(pieces):
            self._onward(one, following)
        self._edges.update((piece.id, piece) for piece in pieces)
        return Road(pieces[0].id, pieces[-1].id, pieces[-1].lanes, pieces[-1].lanes - lanes)

    def junction(
        self, approaches: Sequence[Approach], exits: Sequence[Exit], dice: random.Random, *, walk: bool
    ) -> None:
        """Connect everything that meets at a node, and draw a crossing over every arm.

        Raises:
            ValueError: the lanes do not go together; draw again.
        """
        for way in connect(approaches, exits, dice):
            self._connection(way.edge, way.lane, way.target, way.target_lane)
        for one in exits:
            self._edges[one.edge].lanes = one.lanes
        if not walk:
            return
        node = self._edges[approaches[0].edge].end
        ends: list[Approach | Exit] = [*approaches, *exits]
        for arm in sorted({one.arm for one in ends}):
            edges = [one.edge for one in ends if one.arm == arm]
            self._crossings.append(
                f'<crossing node="{node}" edges="{" ".join(edges)}" width="{CROSSING_M}"/>'
            )

    def convert(self, scratch: Path, net: Path, options: Sequence[str]) -> None:
        """Write the plain files into `scratch` and have netconvert make the net.

        Raises:
            NetworkError: netconvert refuses.
        """
        nodes = [
            f'<node id="{name}" x="{x:.2f}" y="{y:.2f}" type="{"traffic_light" if signal else "priority"}"/>'
            for name, ((x, y), signal) in self._nodes.items()
        ]
        edges = [
            f'<edge id="{one.id}" from="{one.start}" to="{one.end}" numLanes="{one.lanes}"'
            f' speed="{one.speed_ms:.2f}" width="{self.lane_width_m}"'
            + (f' sidewalkWidth="{SIDEWALK_M}"/>' if one.walk else "/>")
            for one in self._edges.values()
        ]
        written = {"nod": ("nodes", nodes), "edg": ("edges", edges)}
        written["con"] = ("connections", [*self._ways, *self._crossings])
        for kind, (root, lines) in written.items():
            text = "\n".join([f"<{root}>", *(f"    {line}" for line in lines), f"</{root}>", ""])
            (scratch / f"plain.{kind}.xml").write_text(text, encoding="utf-8")
        run_tool(
            "netconvert",
            [
                *("-n", str(scratch / "plain.nod.xml")),
                *("-e", str(scratch / "plain.edg.xml")),
                *("-x", str(scratch / "plain.con.xml")),
                *("--no-turnarounds", "true", *options, "-o", str(net)),
            ],
        )

    def _onward(self, one: _Edge, following: _Edge) -> None:
        for lane in range(following.lanes):
            self._connection(one.id, min(lane, one.lanes - 1), following.id, lane, one.walk)

    def _connection(
        self, edge: str, lane: int, target: str, target_lane: int, walk: bool | None = None
    ) -> None:
        aside = int(self._edges[edge].walk if walk is None else walk)
        there = int(self._edges[target].walk if walk is None else walk)
        self._ways.append(
            f'<connection from="{edge}" to="{target}"'
            f' fromLane="{lane + aside}" toLane="{target_lane + there}"/>'
        )
