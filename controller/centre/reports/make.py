"""Which sections each report has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from denxanh.controller.centre.indicators.period import Kind
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import Report, Section
from denxanh.controller.centre.reports.sections import control, cost, faults, indicators, sources, traffic
from denxanh.controller.centre.words.word import Word


class Name(StrEnum):
    """The reports, as the command line calls them."""

    KPI = "kpi"
    DAILY = "daily"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ADHOC = "adhoc"
    ANNUAL = "annual"
    FIVE_YEAR = "five-year"
    PUBLIC = "public"


Part = Callable[[Basis], Section]


@dataclass(frozen=True, slots=True)
class Design:
    """A report's title, the period that it is about, its sections."""

    title: Word
    kind: Kind
    parts: tuple[Part, ...]
    public: bool = False


def _public_traffic(basis: Basis) -> Section:
    return traffic.congestion(basis, by_place=False)


def _public_cost(basis: Basis) -> Section:
    return cost.cost(basis, parameters=False)


_FULL: tuple[Part, ...] = (
    indicators.overview,
    indicators.causes,
    indicators.year_before,
    traffic.congestion,
    control.before_after,
    cost.cost,
    faults.faults,
    indicators.definitions,
)
_RESULTS = Word("Báo cáo kết quả vận hành tín hiệu giao thông", "Report on traffic signal operation")

DESIGNS: Mapping[Name, Design] = {
    Name.KPI: Design(
        Word("Phiếu chỉ tiêu tín hiệu giao thông", "Traffic signal indicators"),
        Kind.MONTH,
        (indicators.overview, indicators.definitions),
    ),
    Name.DAILY: Design(
        Word("Báo cáo ngày về tín hiệu giao thông", "Daily report on traffic signals"),
        Kind.DAY,
        (indicators.overview, traffic.congestion, faults.faults),
    ),
    Name.MONTHLY: Design(_RESULTS, Kind.MONTH, _FULL),
    Name.QUARTERLY: Design(_RESULTS, Kind.QUARTER, _FULL),
    Name.ADHOC: Design(
        Word("Báo cáo đột xuất về tín hiệu giao thông", "Ad hoc report on traffic signals"), Kind.SPAN, _FULL
    ),
    Name.ANNUAL: Design(_RESULTS, Kind.YEAR, _FULL),
    Name.FIVE_YEAR: Design(
        Word("Báo cáo giai đoạn năm năm về tín hiệu giao thông", "Five-year report on traffic signals"),
        Kind.FIVE_YEARS,
        _FULL,
    ),
    Name.PUBLIC: Design(
        Word("Số liệu giao thông công khai", "Public traffic figures"),
        Kind.YEAR,
        (indicators.overview, indicators.year_before, _public_traffic, _public_cost, indicators.definitions),
        public=True,
    ),
}
"""A public report holds the network's sums alone: no intersection, no person, no alarm."""


def make(name: Name, basis: Basis) -> Report:
    """Put a report together."""
    design, rules = DESIGNS[name], basis.city.indicators
    ward = f", {basis.ward}" if basis.ward else ""
    ward_slug = f"-{basis.ward.replace(' ', '-')}" if basis.ward else ""
    return Report(
        slug=f"{name.value}-{basis.period.slug}{ward_slug}",
        title=design.title,
        period=basis.period.name,
        place=Word(f"{basis.corridor.name_vi}{ward}", f"{basis.corridor.name_en}{ward}"),
        above=rules.lead_unit,
        owner=rules.owner,
        made=basis.made,
        sections=tuple(part(basis) for part in design.parts),
        lineage=sources.lineage(basis, public=design.public),
        warnings=sources.warnings(basis),
        signed=not design.public and name is not Name.DAILY,
    )
