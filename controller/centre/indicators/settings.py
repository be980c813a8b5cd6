"""`[indicators]` of city.toml: who answers for an indicator, its baseline and targets, and what counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LEAD_UNIT = "Sở Xây dựng"
"""Who leads, unless the city says otherwise (the city's plans)."""
COORDINATING_UNIT = "UBND xã, phường"
CONGESTED_SHARE = 0.3
"""A lane is congested in a minute whose mean queue fills this share of its detection zone. Assumed: no
Vietnamese threshold for signals was found. The mean includes green: at the end of red it is twice that."""
PRESENT_SHARE = 0.1
"""Share of the known time for which an intersection must be in a mode to be counted under it (assumed)."""
TOLERANCE = 0.1
"""Share of the planned progress that may be missing before a target is at risk (assumed)."""
FAULTS = ("link-", "frozen-", "fault-", "lamp-", "detector-", "vds-", "cabinet-", "config-", "plan-clock-")
"""How the causes of alarms begin that are faults of equipment or of its link; doors, starved greens, people's
orders and refusals are none."""

_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
_Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
_Year = Annotated[int, Field(ge=2000, le=2100)]


class Id(StrEnum):
    """The indicators that the city names (FEATURES: "Indicators the city will ask for")."""

    ITS = "its_intersections"
    CONGESTION = "congestion_time"
    COST = "travel_cost"
    CO2 = "co2"
    FAULTS = "fault_time"


class Standing(StrEnum):
    """How an intersection of the register takes part in ITS."""

    ADAPTIVE = "adaptive-online"
    PLAN = "plan-online"
    INSTALLED = "installed"


class Table(BaseModel):
    """A table of city.toml: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Goal(Table):
    """`[indicators.NAME]`: what the plan says about one; nothing is assumed where it says nothing."""

    lead_unit: _Text | None = None
    coordinating_unit: _Text | None = None
    baseline: _Number | None = None
    """The level before, in the unit of the indicator's level (docs/reports.md)."""
    baseline_from: date | None = None
    """Or: first and last day of stored data that are the baseline."""
    baseline_to: date | None = None
    targets: Mapping[_Year, _Number] = {}
    """By year: the progress that is to be reached at its end, in the indicator's unit."""
    period_target: _Number | None = None
    """The progress that is to be reached at the end of the plan's period."""

    @model_validator(mode="after")
    def _one_baseline(self) -> Self:
        if (self.baseline_from is None) is not (self.baseline_to is None):
            raise ValueError("baseline_from and baseline_to belong together")
        if self.baseline_from and self.baseline_to and self.baseline_to < self.baseline_from:
            raise ValueError("baseline_to is before baseline_from")
        if self.baseline is not None and self.baseline_from is not None:
            raise ValueError("give a baseline or the days it comes from, not both")
        return self


_NONE = Goal()


class Indicators(Table):
    """`[indicators]`."""

    owner: _Text = "Trung tâm Quản lý và Điều hành giao thông đô thị"
    """Who makes the reports: their title block names it."""
    lead_unit: _Text = LEAD_UNIT
    coordinating_unit: _Text = COORDINATING_UNIT
    period: tuple[_Year, _Year] = (2026, 2030)
    """First and last year of the plan's period."""
    congested_share: _Share = CONGESTED_SHARE
    present_share: _Share = PRESENT_SHARE
    tolerance: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = TOLERANCE
    counted: tuple[Standing, ...] = (Standing.ADAPTIVE, Standing.PLAN)
    """Which intersections count as "nút giao áp dụng ITS"."""
    faults: tuple[_Text, ...] = FAULTS
    """How the causes of the alarms begin that count as faults."""
    its_intersections: Goal = _NONE
    congestion_time: Goal = _NONE
    travel_cost: Goal = _NONE
    co2: Goal = _NONE
    fault_time: Goal = _NONE

    @model_validator(mode="after")
    def _period_in_order(self) -> Self:
        if self.period[1] < self.period[0]:
            raise ValueError("the plan's period ends before it begins")
        return self

    def goal(self, indicator: Id) -> Goal:
        """What the plan says about one."""
        found: Goal = getattr(self, indicator.value)
        return found

    def is_fault(self, cause: str) -> bool:
        """Whether an alarm of this cause counts as a fault."""
        return cause.startswith(self.faults)
