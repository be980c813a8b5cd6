"""Who drives: cars with few trucks and buses, or a mixed fleet of mostly motorbikes (sublane or proxy)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from denxanh.networks.demand import TWO_WHEELERS, UNIT_SIZE, VEHICLE_TYPES, Fidelity
from denxanh.sim.generator.recipe import Recipe

PCU = {"mc": 1 / 3, "ebike": 1 / 3, "unit": 1.0, "car": 1.0, "bus": 2.0, "truck": 2.0}
"""Passenger-car units: motorbikes as measured for the catalogue (docs/measurements.md), the rest assumed."""
PLAIN_CAR = {"vClass": "passenger"}
"""SUMO's own passenger car, as foreign scenarios drive it."""
PLAIN = 0.5
"""Probability that a fleet of cars consists of them."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicle types with their shares of the vehicles that SUMO simulates (a proxy unit is one)."""

    fidelity: Fidelity
    mixed: bool
    types: Mapping[str, Mapping[str, str]]
    shares: Mapping[str, float]

    @property
    def pcu(self) -> float:
        """Mean passenger-car units of a simulated vehicle."""
        return sum(share * PCU[kind] for kind, share in self.shares.items())

    @property
    def pcu_per_vehicle(self) -> float:
        """The corridor's figure: what a counted vehicle is worth."""
        return round(self.pcu, 4) if self.fidelity is Fidelity.SUBLANE else 1.0

    @property
    def weights(self) -> tuple[tuple[str, float], ...]:
        """For how many vehicles one of a type counts."""
        return (("unit", float(UNIT_SIZE)),) if "unit" in self.shares else ()

    def xml(self) -> str:
        """The types and their distribution `mix`."""
        lines = []
        for kind in self.shares:
            text = " ".join(f"{key}={quoteattr(value)}" for key, value in self.types[kind].items())
            lines.append(f'    <vType id="{kind}" {text}/>\n')
        names = " ".join(self.shares)
        parts = " ".join(f"{share:.4f}" for share in self.shares.values())
        lines.append(f'    <vTypeDistribution id="mix" vTypes="{names}" probabilities="{parts}"/>\n')
        return "".join(lines)


def draw_fleet(recipe: Recipe, dice: random.Random) -> Fleet:
    """Draw a fleet."""
    mixed, sublane = dice.random() < recipe.mixed_traffic, dice.random() < recipe.sublane
    trucks, buses = dice.uniform(0.0, 0.08), dice.uniform(0.0, 0.03)
    if not mixed:
        types = dict(VEHICLE_TYPES[Fidelity.PROXY])
        if dice.random() < PLAIN:
            types["car"] = PLAIN_CAR
        shares = {"car": 1 - trucks - buses, "truck": trucks, "bus": buses}
        return Fleet(Fidelity.PROXY, False, types, shares)
    bikes, ebikes = dice.uniform(0.5, 0.87), dice.uniform(0.0, 0.05)
    trucks, buses = trucks / 3, buses / 3
    counted = {"mc": bikes, "ebike": ebikes, "car": 1 - bikes - ebikes - trucks - buses}
    counted |= {"truck": trucks, "bus": buses}
    if sublane:
        return Fleet(Fidelity.SUBLANE, True, VEHICLE_TYPES[Fidelity.SUBLANE], counted)
    units = {"unit": sum(counted[kind] for kind in sorted(TWO_WHEELERS)) / UNIT_SIZE}
    units |= {kind: share for kind, share in counted.items() if kind not in TWO_WHEELERS}
    total = sum(units.values())
    shares = {kind: share / total for kind, share in units.items()}
    return Fleet(Fidelity.PROXY, True, VEHICLE_TYPES[Fidelity.PROXY], shares)
