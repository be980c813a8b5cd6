"""From entry flows and turning shares to routes and movement volumes.

A scenario's flow enters at the net's edge and divides at every signal by the approach's turning shares.
No route passes a signal twice; a branch that carries less than `MIN_BRANCH_H` follows its most likely way
on, so that no flow is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from denxanh.errors import CorridorError
from denxanh.networks.corridor_files import CorridorFiles, ScenarioForm
from denxanh.networks.links import TURNS
from denxanh.networks.sumonet import Net

MIN_BRANCH_H = 2.0
"""Vehicles per hour below which a route branches no further."""


@dataclass(frozen=True, slots=True)
class Route:
    """A way through the net and the vehicles per hour that take it."""

    edges: tuple[str, ...]
    flow_h: float


Volumes = Mapping[tuple[str, str], float]
"""Vehicles per hour by (edge, next edge)."""


def scenario_of(files: CorridorFiles, name: str) -> ScenarioForm:
    """A scenario of a corridor.

    Raises:
        CorridorError: the corridor has no such scenario.
    """
    try:
        return files.demand.scenario[name]
    except KeyError:
        known = ", ".join(files.demand.scenario)
        raise CorridorError(
            f"there is no scenario {name!r}", where="demand.toml", fix=f"choose one of {known}"
        ) from None


def routes(net: Net, scenario: ScenarioForm) -> tuple[Route, ...]:
    """All routes of a scenario, sorted; their flows add up to the entry flows.

    Raises:
        CorridorError: an entry edge does not exist, or an approach that traffic reaches has no shares.
    """
    found: dict[tuple[str, ...], float] = {}
    streets = _Streets(net, scenario)
    for entry, flow in scenario.entry.items():
        if entry not in net.edge_lanes:
            raise CorridorError(f"the streets have no edge {entry!r}", where="demand.toml: entry")
        if flow > 0:
            for edges, part in streets.walk((entry,), flow, frozenset()):
                found[edges] = found.get(edges, 0.0) + part
    return tuple(Route(edges, flow) for edges, flow in sorted(found.items()))


def volumes(found: tuple[Route, ...]) -> dict[tuple[str, str], float]:
    """Vehicles per hour of every movement that the routes make."""
    total: dict[tuple[str, str], float] = {}
    for route in found:
        for pair in zip(route.edges, route.edges[1:], strict=False):
            total[pair] = total.get(pair, 0.0) + route.flow_h
    return total


@dataclass(frozen=True, slots=True)
class _Streets:
    """Where traffic can go on from an edge, and in what shares."""

    net: Net
    scenario: ScenarioForm

    def walk(
        self, path: tuple[str, ...], flow: float, passed: frozenset[str]
    ) -> Iterator[tuple[tuple[str, ...], float]]:
        ways = self.onward(path[-1])
        while len(ways) == 1 and path[-1] not in self.scenario.turns:
            path = (*path, next(iter(ways)))
            if path[-1] in path[:-1]:
                raise _ring(path[-1])
            ways = self.onward(path[-1])
        if not ways:
            yield path, flow
            return
        edge = path[-1]
        passed = passed | {self.net.edge_ends[edge][1]}
        shares = self.shares(edge, ways, passed)
        if flow < MIN_BRANCH_H:
            shares = {max(shares, key=lambda way: (shares[way], way)): 1.0}
        for way, share in shares.items():
            if share > 0:
                yield from self.walk((*path, way), flow * share, passed)

    def onward(self, edge: str) -> dict[str, str]:
        """Next edges with SUMO's letter of the turn."""
        found: dict[str, str] = {}
        for lane in self.net.edge_lanes[edge]:
            for connection in self.net.out_of.get(lane, ()):
                target = self.net.lanes[connection.to_lane]
                if not target.function and not self.net.lanes[lane].walkers_only:
                    found.setdefault(target.edge, TURNS[connection.direction].value)
        return found

    def shares(self, edge: str, ways: Mapping[str, str], passed: frozenset[str]) -> dict[str, float]:
        turns = self.scenario.turns.get(edge)
        if turns is None:
            raise CorridorError(
                f"approach {edge!r} has no turning shares", where="demand.toml: turns", fix="add its shares"
            )
        by_letter = turns.shares()
        wanted = {way: by_letter.get(letter, 0.0) for way, letter in ways.items()}
        free = {way: share for way, share in wanted.items() if self.escapes(way, passed)}
        total = sum(free.values())
        if total <= 0:  # nowhere but where no share points: any way out, then any way at all
            return {max(free or ways): 1.0}
        return {way: share / total for way, share in free.items()}

    def escapes(self, edge: str, passed: frozenset[str]) -> bool:
        """Whether traffic on an edge can leave the net without coming to a place it has passed."""
        end, ways = self.destination(edge)
        if end in passed:
            return False
        return not ways or any(self.escapes(way, passed | {end}) for way in ways)

    def destination(self, edge: str) -> tuple[str, tuple[str, ...]]:
        """The next place where traffic divides or ends, and the ways on from there."""
        ways = self.onward(edge)
        seen = {edge}
        while len(ways) == 1 and edge not in self.scenario.turns:
            edge = next(iter(ways))
            if edge in seen:
                raise _ring(edge)
            seen.add(edge)
            ways = self.onward(edge)
        return self.net.edge_ends[edge][1], tuple(ways)


def _ring(edge: str) -> CorridorError:
    return CorridorError(
        f"traffic on edge {edge!r} goes round and round",
        where="streets.con.xml",
        fix="connect it to a street that leaves the net",
    )
