"""What waiting cost and emitted, with every parameter."""

from __future__ import annotations

from collections.abc import Sequence

from denxanh.controller.centre.indicators.costs import Fuel, factors
from denxanh.controller.centre.reports.basis import Basis
from denxanh.controller.centre.reports.document import Cell, Column, Section, Table, number
from denxanh.controller.centre.reports.sections.traffic import waited_pcu_h
from denxanh.controller.centre.words.word import Word

MILLION = 1e6
_MILLIONS, _KG = Word("triệu đồng", "million VND"), Word("kg", "kg")
FUELS = {
    Fuel.PETROL: Word("xăng", "petrol"),
    Fuel.DIESEL: Word("dầu", "diesel"),
    Fuel.NONE: Word("không", "none"),
}


def cost(basis: Basis, *, parameters: bool = True) -> Section:
    """Social cost and CO₂ of what was observed, this period and a year before."""
    title = Word("Chi phí xã hội và phát thải CO₂ do chờ đèn", "Social cost and CO₂ of waiting at signals")
    amounts = _amounts(basis)
    return Section(title, (amounts, _parameters(basis)) if parameters else (amounts,))


def _amounts(basis: Basis) -> Table:
    found = factors(basis.city.costs)
    sides = (basis.observed.hours, basis.before)
    waited = [waited_pcu_h(side) if side else None for side in sides]
    stops = [
        sum(one.stops for one in side if one.stops is not None)
        if any(one.stops is not None for one in side)
        else None
        for side in sides
    ]

    vehicle_hours = 1 / basis.city.costs.mean_pcu
    quantities: tuple[tuple[Word, Word, float, Sequence[float | None]], ...] = (
        (Word("Thời gian chờ", "Waiting"), Word("xcqđ·giờ", "pcu-hours"), 1, waited),
        (
            Word("Số xe·giờ chờ (theo cơ cấu xe)", "Vehicle-hours of it (by the mix)"),
            Word("xe·giờ", "vehicle-hours"),
            vehicle_hours,
            waited,
        ),
        (
            Word("Giá trị thời gian của người đi đường", "People's time"),
            _MILLIONS,
            found.time_vnd_pcu_h / MILLION,
            waited,
        ),
        (
            Word("Nhiên liệu khi nổ máy chờ", "Fuel of idling"),
            _MILLIONS,
            found.fuel_vnd_pcu_h / MILLION,
            waited,
        ),
        (Word("CO₂ khi nổ máy chờ", "CO₂ of idling"), _KG, found.co2_kg_pcu_h, waited),
        (
            Word("Số lần dừng (nơi có đếm xe)", "Stops (where vehicles are counted)"),
            Word("lần", "stops"),
            1,
            stops,
        ),
        (Word("CO₂ do dừng và khởi hành", "CO₂ of stopping and starting"), _KG, found.co2_kg_stop, stops),
    )
    rows: list[tuple[Cell, ...]] = [
        (name, unit, *(None if value is None else value * factor for value in of))
        for name, unit, factor, of in quantities
    ]
    return Table(
        Word("Phần quan sát được", "What was observed"),
        (
            Column(Word("Đại lượng", "Quantity")),
            Column(Word("Đơn vị", "Unit")),
            Column(Word("Kỳ này", "This period"), 1),
            Column(Word("Cùng kỳ", "A year before"), 1),
        ),
        tuple(rows),
        note=Word(
            "Ước tính của phần quan sát được, không ngoại suy cho giờ và nút không có dữ liệu; hai cột có "
            "thể phủ những giờ khác nhau: "
            "so sánh có điều kiện ở mục cùng kỳ.",
            "An estimate of what was observed, nothing is extrapolated; the columns may cover different "
            "hours: the comparison of "
            "like hours stands under “a year before”.",
        ),
    )


def _parameters(basis: Basis) -> Table:
    costs = basis.city.costs
    rows = tuple(
        (
            Word(one.name_vi, one.name_en),
            100 * one.share,
            one.pcu,
            one.occupancy,
            one.time_vnd_h,
            FUELS[one.fuel],
            one.idle_l_h,
            1000 * one.stop_l,
        )
        for one in costs.classes
    )
    prices = (
        number(costs.petrol_vnd_l, 0),
        number(costs.diesel_vnd_l, 0),
        number(costs.petrol_co2_kg_l, 2),
        number(costs.diesel_co2_kg_l, 2),
    )
    return Table(
        Word("Tham số", "Parameters"),
        (
            Column(Word("Loại xe", "Vehicles")),
            Column(Word("Tỷ lệ, %", "Share, %"), 1),
            Column(Word("Hệ số xcqđ", "pcu"), 2),
            Column(Word("Số người/xe", "People"), 2),
            Column(Word("Thời gian, đ/xe·giờ", "Time, VND/vehicle-h"), 0),
            Column(Word("Nhiên liệu", "Fuel")),
            Column(Word("Không tải, l/giờ", "Idling, L/h"), 2),
            Column(Word("Mỗi lần dừng, ml", "A stop, ml"), 1),
        ),
        rows,
        note=Word(
            f"Xăng {prices[0]} đ/l, dầu {prices[1]} đ/l; CO₂ {prices[2]} và {prices[3]} kg/l. Giá trị mặc "
            f"định và "
            "nguồn: docs/reports.md; thành phố ấn định bằng [costs].",
            f"Petrol {costs.petrol_vnd_l:,.0f} VND/L, diesel {costs.diesel_vnd_l:,.0f} VND/L; CO₂ "
            f"{costs.petrol_co2_kg_l:.2f} and {costs.diesel_co2_kg_l:.2f} kg/L. Defaults and "
            "sources: docs/reports.md; the city sets them in [costs].",
        ),
    )
