"""What waiting at signals costs and emits: time, fuel, CO₂, from queues and counted stops. Pure.

An estimate of `[costs]` parameters, every one of which the city can set; docs/reports.md has them with their
sources. Only standing in the queue and starting again are counted, not driving.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from denxanh.controller.centre.indicators.settings import Table

SHARES_SUM_TOLERANCE = 0.005
SECONDS = 3600.0

_Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, le=1e3, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Fuel(StrEnum):
    """What an engine burns where it stands."""

    PETROL = "petrol"
    DIESEL = "diesel"
    NONE = "none"


class VehicleClass(Table):
    """`[[costs.classes]]`: one kind of vehicle. Values are per vehicle unless they say otherwise."""

    name_vi: Annotated[str, Field(min_length=1, max_length=60)]
    name_en: Annotated[str, Field(min_length=1, max_length=60)]
    share: _Share
    """Of the counted vehicles; all classes together are 1."""
    pcu: _Positive
    occupancy: Annotated[float, Field(ge=1, le=200, allow_inf_nan=False)]
    """People, driver included."""
    value_of_time: _Amount
    """Of the driver (of a bus: of a passenger), VND/h."""
    passenger_share: _Share = 0.5
    """A passenger's value of time as a share of that."""
    idle_l_h: Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)]
    """Fuel while the engine idles, L/h."""
    stop_l: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)]
    """Fuel to come to a stop and to speed again, beside idling, L per stop."""
    fuel: Fuel

    @property
    def time_vnd_h(self) -> float:
        """What an hour costs all people in the vehicle, VND."""
        return self.value_of_time * (1 + (self.occupancy - 1) * self.passenger_share)


MIX = (
    VehicleClass(
        name_vi="Xe máy", name_en="Motorcycles", share=0.83, pcu=0.3333, occupancy=1.39, value_of_time=25_100,
        idle_l_h=0.243, stop_l=0.0013, fuel=Fuel.PETROL,
    ),
    VehicleClass(
        name_vi="Xe điện hai bánh", name_en="Electric two-wheelers", share=0.03, pcu=0.3333, occupancy=1.12,
        value_of_time=18_800, idle_l_h=0, stop_l=0, fuel=Fuel.NONE,
    ),
    VehicleClass(
        name_vi="Ô tô con", name_en="Cars", share=0.115, pcu=1.0, occupancy=2.27, value_of_time=37_500,
        idle_l_h=0.61, stop_l=0.010, fuel=Fuel.PETROL,
    ),
    VehicleClass(
        name_vi="Xe buýt", name_en="Buses", share=0.005, pcu=3.0, occupancy=20.64, value_of_time=22_560,
        passenger_share=1.0, idle_l_h=3.67, stop_l=0.069, fuel=Fuel.DIESEL,
    ),
    VehicleClass(
        name_vi="Xe tải", name_en="Trucks", share=0.02, pcu=2.5, occupancy=1.2, value_of_time=37_500,
        idle_l_h=1.67, stop_l=0.039, fuel=Fuel.DIESEL,
    ),
)  # fmt: skip
"""Shares and pcu: the catalogue's synthetic mix. Occupancy and value of time: vehicle owners interviewed in
2015 (prices of 2015). Idling: motorcycles in Hanoi, 180 g/h (doi 10.1080/12265934.2020.1871059, 0.74 kg/L);
others US DOE, Fact #861 (compact petrol 0.16, transit bus 0.97, medium diesel truck 0.44 US gal/h). Stops:
computed, kinetic energy at 40 km/h by engine efficiency 0.25 (petrol) and 0.35 (diesel); masses assumed."""


class Costs(Table):
    """`[costs]`."""

    petrol_vnd_l: _Amount = 20_200
    """RON 95-III on 2 October 2025 (VnExpress 4946442)."""
    diesel_vnd_l: _Amount = 19_030
    """The same notice."""
    petrol_co2_kg_l: _Positive = 2.27
    """IPCC 2006, vol. 2: 69.3 t/TJ × 44.3 TJ/kt × 0.74 kg/L."""
    diesel_co2_kg_l: _Positive = 2.68
    """IPCC 2006, vol. 2: 74.1 t/TJ × 43.0 TJ/kt × 0.84 kg/L."""
    classes: Annotated[tuple[VehicleClass, ...], Field(min_length=1, max_length=20)] = MIX

    @model_validator(mode="after")
    def _shares_are_whole(self) -> Self:
        total = sum(one.share for one in self.classes)
        if abs(total - 1) > SHARES_SUM_TOLERANCE:
            raise ValueError(f"the shares of the classes add up to {total:.3f}, not to 1")
        return self

    def price(self, fuel: Fuel) -> float:
        """VND/L."""
        return {Fuel.PETROL: self.petrol_vnd_l, Fuel.DIESEL: self.diesel_vnd_l, Fuel.NONE: 0.0}[fuel]

    def co2(self, fuel: Fuel) -> float:
        """CO₂ of burning a litre, kg."""
        return {Fuel.PETROL: self.petrol_co2_kg_l, Fuel.DIESEL: self.diesel_co2_kg_l, Fuel.NONE: 0.0}[fuel]

    @property
    def mean_pcu(self) -> float:
        """Passenger-car units of a vehicle of the mix."""
        return sum(one.share * one.pcu for one in self.classes)


@dataclass(frozen=True, slots=True)
class Factors:
    """What the parameters come to, per unit of what is observed."""

    time_vnd_pcu_h: float
    """People's time in an hour of one queued pcu, VND."""
    fuel_vnd_pcu_h: float
    """Fuel of idling in it, VND."""
    co2_kg_pcu_h: float
    """CO₂ of idling in it, kg."""
    fuel_vnd_stop: float
    """Fuel of one vehicle's stop, VND."""
    co2_kg_stop: float
    """CO₂ of it, kg."""

    @property
    def vnd_pcu_h(self) -> float:
        """All cost of an hour of one queued pcu, VND."""
        return self.time_vnd_pcu_h + self.fuel_vnd_pcu_h


def factors(costs: Costs) -> Factors:
    """Reduce the parameters: one queued pcu is 1 / mean pcu vehicles of the mix.

    Per queued pcu-hour: time = Σ share × value of time × people / mean pcu; fuel and CO₂ = Σ share × idling ×
    price (or kg CO₂ per litre) / mean pcu. Per stop: Σ share × fuel of a stop × the same.
    """

    def mean(amounts: list[float]) -> float:
        return sum(one.share * amount for one, amount in zip(costs.classes, amounts, strict=True))

    classes, vehicles = costs.classes, 1 / costs.mean_pcu
    return Factors(
        time_vnd_pcu_h=vehicles * mean([one.time_vnd_h for one in classes]),
        fuel_vnd_pcu_h=vehicles * mean([one.idle_l_h * costs.price(one.fuel) for one in classes]),
        co2_kg_pcu_h=vehicles * mean([one.idle_l_h * costs.co2(one.fuel) for one in classes]),
        fuel_vnd_stop=mean([one.stop_l * costs.price(one.fuel) for one in classes]),
        co2_kg_stop=mean([one.stop_l * costs.co2(one.fuel) for one in classes]),
    )
