"""Who conflicts with whom: from the net's right-of-way matrix to the groups' conflict table.

The street decides which links are foes and which of two yields; the stages decide which of those
pairs are permitted together. No table written by hand can disagree with either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from denxanh.networks.links import Movement, request_of
from denxanh.networks.model import Conflict, Turn
from denxanh.networks.sumonet import Net

GREEN = frozenset("Gg")
"""Letters of a stage's state that let traffic go."""
PRECEDENCE = {Turn.STRAIGHT: 3, Turn.RIGHT: 2, Turn.LEFT: 1, Turn.UTURN: 0}
"""Who keeps priority where the net names no yielder: through traffic first, U-turns last."""


@dataclass(frozen=True, slots=True)
class Foes:
    """Link pairs of one signal that conflict: `pairs` has both directions; (i, j) in `yields`: i yields."""

    pairs: frozenset[tuple[int, int]]
    yields: frozenset[tuple[int, int]]
    pedestrians: frozenset[int]
    precedence: Mapping[int, int]
    divided: frozenset[int] = frozenset()
    """Links that control movements which are foes of each other (grouped indices): never safe at `G`."""

    def settled(self, first: int, first_letter: str, second: int, second_letter: str) -> bool:
        """Whether two foes may show these green letters together: one of them shows `g` and yields."""
        if first in self.pedestrians or second in self.pedestrians:
            vehicle_letter = second_letter if first in self.pedestrians else first_letter
            return vehicle_letter == "g"
        return (first_letter == "g" and (first, second) in self.yields) or (
            second_letter == "g" and (second, first) in self.yields
        )

    def yielder(self, first: int, second: int) -> int:
        """The one of two foes that gives way: never the pedestrian, else whom the net names."""
        if first in self.pedestrians:
            return second
        if second in self.pedestrians:
            return first
        one, other = (first, second) in self.yields, (second, first) in self.yields
        if one != other:
            return first if one else second
        return min(first, second, key=lambda link: (self.precedence.get(link, 0), -link))


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two foes shown together although neither shows `g` and yields; `yielder` is the one that should.

    `first` and `second` are the same where one link at `G` controls movements that are foes.
    """

    stage: int
    first: int
    second: int
    yielder: int


def foes(net: Net, movements: Sequence[Movement]) -> Foes:
    """Foes among a signal's links, from the request matrices of its junctions.

    Links from the same incoming edge are never foes, nor are links of different junctions. A movement
    without a row (a net without right-of-way logic) is taken as a foe of every movement that comes from
    elsewhere: the cautious side.
    """
    pairs: set[tuple[int, int]] = set()
    yields: set[tuple[int, int]] = set()
    divided: set[int] = set()
    for one in movements:
        row = request_of(net, one)
        for other in movements:
            if one.from_edge == other.from_edge or one.junction != other.junction:
                continue
            if one.crossing and other.crossing:
                continue
            unknown = row is None or other.request < 0
            gives_way = row is not None and not unknown and bool(row.response >> other.request & 1)
            if not (unknown or gives_way or (row is not None and row.foes >> other.request & 1)):
                continue
            if one.link == other.link:
                divided.add(one.link)
                continue
            pairs |= {(one.link, other.link), (other.link, one.link)}
            if gives_way:
                yields.add((one.link, other.link))
    return Foes(
        frozenset(pairs),
        frozenset(yields),
        frozenset(movement.link for movement in movements if movement.crossing),
        {movement.link: PRECEDENCE[movement.turn] for movement in movements},
        frozenset(divided),
    )


def disputes(states: Sequence[str], known: Foes) -> tuple[Dispute, ...]:
    """Every pair of foes that a stage's state shows green together without one yielding."""
    alone = tuple(
        Dispute(stage, link, link, link)
        for stage, state in enumerate(states)
        for link in sorted(known.divided)
        if state[link] == "G"
    )
    return alone + tuple(
        Dispute(stage, first, second, known.yielder(first, second))
        for stage, state in enumerate(states)
        for first, second in sorted(known.pairs)
        if first < second
        and state[first] in GREEN
        and state[second] in GREEN
        and not known.settled(first, state[first], second, state[second])
    )


def settle(states: Sequence[str], known: Foes) -> tuple[tuple[str, ...], tuple[Dispute, ...]]:
    """The states with every disputed yielder turned to `g`, and the disputes that this settled.

    Afterwards one of two foes that are shown together shows `g` in every such stage.
    """
    found = list(disputes(states, known))
    letters = [list(state) for state in states]
    for dispute in found:
        letters[dispute.stage][dispute.yielder] = "g"
    for first, second in sorted(known.pairs):
        together = [
            stage for stage, state in enumerate(letters) if state[first] in GREEN and state[second] in GREEN
        ]
        if first > second or any(
            all(letters[stage][link] == "g" for stage in together) for link in (first, second)
        ):
            continue
        yielder = known.yielder(first, second)
        for stage in together:
            if letters[stage][yielder] != "g":
                letters[stage][yielder] = "g"
                found.append(Dispute(stage, first, second, yielder))
    return tuple("".join(state) for state in letters), tuple(found)


def group_conflicts(
    groups: Sequence[Sequence[int]], states: Sequence[str], known: Foes
) -> tuple[tuple[Conflict, ...], ...]:
    """The groups' conflict table: mirrored, with NONE on the diagonal.

    A pair is permitted where some stage shows it together and one of the two shows `g` in every such
    stage; every other pair of foes is prohibited.
    """
    table = [[Conflict.NONE] * len(groups) for _ in groups]
    for first, one in enumerate(groups):
        for second in range(first + 1, len(groups)):
            verdict = _verdict(one, groups[second], states, known)
            table[first][second] = verdict
            table[second][first] = _MIRROR[verdict]
    return tuple(tuple(row) for row in table)


_MIRROR = {
    Conflict.NONE: Conflict.NONE,
    Conflict.PROHIBITED: Conflict.PROHIBITED,
    Conflict.YIELDS: Conflict.HAS_PRIORITY,
    Conflict.HAS_PRIORITY: Conflict.YIELDS,
}


def _verdict(one: Sequence[int], other: Sequence[int], states: Sequence[str], known: Foes) -> Conflict:
    clashes = [(first, second) for first in one for second in other if (first, second) in known.pairs]
    if not clashes:
        return Conflict.NONE
    together = [
        (state[one[0]], state[other[0]])
        for state in states
        if state[one[0]] in GREEN and state[other[0]] in GREEN
    ]
    one_gives_way = all(letters[0] == "g" for letters in together)
    other_gives_way = all(letters[1] == "g" for letters in together)
    if not together or not (one_gives_way or other_gives_way):
        return Conflict.PROHIBITED
    if one_gives_way != other_gives_way:
        return Conflict.YIELDS if one_gives_way else Conflict.HAS_PRIORITY
    # Both show g: the one that yields on more of the street's crossing points is the yielder.
    balance = sum(1 if known.yielder(first, second) == first else -1 for first, second in clashes)
    return Conflict.YIELDS if balance >= 0 else Conflict.HAS_PRIORITY
