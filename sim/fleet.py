"""Who travels: the class of a vehicle type, how many people it carries and how much room it takes.

Delay is counted three ways: per vehicle, per passenger-car unit and per person. The last two need these
figures; a scenario carries them, so that two policies are never weighed differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RoadUser(StrEnum):
    """A class of road user, by which results are split."""

    MOTORBIKE = "motorbike"
    BICYCLE = "bicycle"
    """Electric ones too: the catalogue's `ebike`."""
    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    OTHER = "other"
    """Rails, ships: anything that no road class fits."""
    PEDESTRIAN = "pedestrian"


BY_VCLASS: Mapping[str, RoadUser] = {
    **dict.fromkeys(("motorcycle", "moped"), RoadUser.MOTORBIKE),
    **dict.fromkeys(("bicycle", "scooter"), RoadUser.BICYCLE),
    **dict.fromkeys(("bus", "coach"), RoadUser.BUS),
    **dict.fromkeys(("truck", "trailer", "delivery"), RoadUser.TRUCK),
    **dict.fromkeys(
        ("tram", "rail", "rail_urban", "rail_electric", "rail_fast", "subway", "cable_car"), RoadUser.OTHER
    ),
    **dict.fromkeys(("ship", "container", "aircraft", "drone", "wheelchair"), RoadUser.OTHER),
    "pedestrian": RoadUser.PEDESTRIAN,
}
"""SUMO's vehicle classes; those not named here (passenger, taxi, emergency, ...) are cars."""

BY_KIND: Mapping[str, RoadUser] = {
    "mc": RoadUser.MOTORBIKE,
    "ebike": RoadUser.BICYCLE,
    "car": RoadUser.CAR,
    "bus": RoadUser.BUS,
    "truck": RoadUser.TRUCK,
}
"""The catalogue's own classes, by which a corridor's traffic mix is written."""

OCCUPANCY: Mapping[RoadUser, float] = {
    RoadUser.MOTORBIKE: 1.2,
    RoadUser.BICYCLE: 1.1,
    RoadUser.CAR: 1.6,
    RoadUser.BUS: 20.0,
    RoadUser.TRUCK: 1.2,
    RoadUser.OTHER: 1.0,
    RoadUser.PEDESTRIAN: 1.0,
}
"""People per vehicle, driver included. Assumed: no occupancy count of Cần Thơ was found. Results and the
reward of the learned policy both count people by this table."""

PCU: Mapping[RoadUser, float] = {
    RoadUser.MOTORBIKE: 1 / 3,
    RoadUser.BICYCLE: 1 / 3,
    RoadUser.CAR: 1.0,
    RoadUser.BUS: 3.0,
    RoadUser.TRUCK: 2.5,
    RoadUser.OTHER: 1.0,
    RoadUser.PEDESTRIAN: 0.0,
}
"""Passenger-car units of one vehicle, where a scenario's corridor gives none: the catalogue's own figures."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What one vehicle counts as.

    Attributes:
        classes: class of a vehicle type by its id; where a type is absent, SUMO's vehicle class decides.
        occupancy: people per vehicle, over `OCCUPANCY`.
        pcu: passenger-car units per vehicle, over `PCU`.
    """

    classes: tuple[tuple[str, RoadUser], ...] = ()
    occupancy: tuple[tuple[RoadUser, float], ...] = ()
    pcu: tuple[tuple[RoadUser, float], ...] = ()

    def user(self, type_id: str, vclasses: Mapping[str, str]) -> RoadUser:
        """The class of a vehicle type.

        Args:
            type_id: as in SUMO's trip output.
            vclasses: SUMO's vehicle class by type id.
        """
        for known, user in self.classes:
            if known == type_id:
                return user
        return BY_VCLASS.get(vclasses.get(type_id, ""), RoadUser.CAR)

    def people(self) -> Mapping[RoadUser, float]:
        """People per vehicle, by class."""
        return {**OCCUPANCY, **dict(self.occupancy)}

    def units(self) -> Mapping[RoadUser, float]:
        """Passenger-car units per vehicle, by class."""
        return {**PCU, **dict(self.pcu)}

    def people_per_pcu(self, mix: Mapping[str, float]) -> float:
        """Mean people in one passenger-car unit of a traffic; 1 where nothing drives.

        Args:
            mix: share of the vehicles by the catalogue's class (`BY_KIND`).
        """
        people, units = self.people(), self.units()
        carried = sum(share * people[BY_KIND[kind]] for kind, share in mix.items())
        room = sum(share * units[BY_KIND[kind]] for kind, share in mix.items())
        return carried / room if room > 0 else 1.0
