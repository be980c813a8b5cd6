"""The published definitions: what each indicator is, in which unit, by which formula.

docs/reports.md says the same with sources; a report prints these words beside its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from denxanh.controller.centre.indicators.costs import Factors
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.matching import Amount
from denxanh.controller.centre.indicators.settings import Id
from denxanh.controller.centre.words.word import Word

OUTPUT = Word("kết quả", "output")
EFFICIENCY = Word("hiệu quả", "efficiency")
IMPACT = Word("tác động", "impact")
PERCENT = Word("%", "%")


class Pace(StrEnum):
    """How an indicator's progress is kept."""

    REAL_TIME = "real-time"
    PERIODIC = "periodic"


@dataclass(frozen=True, slots=True)
class Definition:
    """One indicator as it is published."""

    id: Id
    name: Word
    tier: Word
    unit: Word
    """Of progress and targets."""
    level_name: Word
    """What the level is: the name without "reduced"."""
    level_unit: Word
    """Of the baseline and of what was observed."""
    level_decimals: int
    pace: Pace
    formula: Word

    @property
    def reduces(self) -> bool:
        """Whether progress is a reduction against the baseline, %; else it is the level itself."""
        return self.unit is PERCENT

    @property
    def decimals(self) -> int:
        """Of progress and targets: counts are whole."""
        return 1 if self.reduces else 0


DEFINITIONS: Mapping[Id, Definition] = {
    one.id: one
    for one in (
        Definition(
            Id.ITS,
            Word("Số nút giao áp dụng ITS", "Intersections under ITS"),
            OUTPUT,
            Word("nút", "intersections"),
            Word("Số nút giao áp dụng ITS", "Intersections under ITS"),
            Word("nút", "intersections"),
            0,
            Pace.REAL_TIME,
            Word(
                "Đếm nút trong sổ đăng ký: “thích nghi trực tuyến” nếu chế độ thích nghi chiếm ít nhất "
                "{present} thời gian biết được trong kỳ; nếu không, “chương trình trực tuyến” nếu chế độ "
                "chương trình chiếm ít nhất chừng ấy; "
                "còn lại là “đã lắp đặt”. Chỉ tiêu cộng các loại: {counted}.",
                "Intersections of the register: “adaptive online” where adaptive control held for at least "
                "{present} of "
                "the known time; else “plan online” where a plan did; the rest is “installed”. "
                "The indicator adds: {counted}.",
            ),
        ),
        Definition(
            Id.CONGESTION,
            Word("Thời gian ùn tắc trung bình giảm", "Average congestion time reduced"),
            EFFICIENCY,
            PERCENT,
            Word("Thời gian ùn tắc trung bình", "Average congestion time"),
            Word("phút/làn·giờ", "min per lane-hour"),
            2,
            Pace.PERIODIC,
            Word(
                "Một làn ùn tắc trong phút mà hàng chờ trung bình chiếm từ {share} vùng dò trở lên. Mức = "
                "số phút ùn tắc "
                "trên mỗi làn·giờ quan sát tin cậy. Tiến độ = mức giảm so với hiện trạng, so cùng nút, cùng "
                "loại ngày, cùng giờ.",
                "A lane is congested in a minute in which its mean queue fills {share} or more of its "
                "detection zone. Level "
                "= congested minutes per trusted lane-hour. Progress = reduction against the baseline in "
                "the same "
                "intersections, day types and hours.",
            ),
        ),
        Definition(
            Id.COST,
            Word("Giảm chi phí đi lại xã hội", "Social travel cost reduced"),
            IMPACT,
            PERCENT,
            Word("Chi phí chờ tại đèn", "Cost of waiting at signals"),
            Word("đồng/làn·giờ", "VND per lane-hour"),
            0,
            Pace.PERIODIC,
            Word(
                "Chi phí chờ tại đèn = xcqđ·giờ xếp hàng × (thời gian của người trên xe {time} đ + nhiên "
                "liệu không tải {fuel} đ). "
                "Mức = chi phí trên mỗi làn·giờ; tiến độ = mức giảm so với hiện trạng, so cùng giờ. Chỉ "
                "tính việc chờ, không tính cả chuyến đi.",
                "Cost of waiting at signals = queued pcu-hours × (people's time {time} VND + idling fuel "
                "{fuel} VND). Level = cost "
                "per lane-hour; progress = reduction against the baseline, like hours. Waiting only, not "
                "the whole trip.",
            ),
        ),
        Definition(
            Id.CO2,
            Word("Giảm phát thải CO₂ từ giao thông", "CO₂ from traffic reduced"),
            IMPACT,
            PERCENT,
            Word("CO₂ khi nổ máy chờ", "CO₂ of idling"),
            Word("kg/làn·giờ", "kg per lane-hour"),
            2,
            Pace.PERIODIC,
            Word(
                "CO₂ không tải = xcqđ·giờ xếp hàng × {co2} kg. Mức = kg trên mỗi làn·giờ; tiến độ = mức "
                "giảm so với hiện trạng, so cùng giờ. "
                "CO₂ do dừng và khởi hành ({stop} g/lần) được nêu riêng, chỉ nơi có đếm xe.",
                "Idling CO₂ = queued pcu-hours × {co2} kg. Level = kg per lane-hour; progress = reduction "
                "against the baseline, "
                "like hours. CO₂ of stopping and starting ({stop} g each) is stated apart, only where "
                "vehicles are counted.",
            ),
        ),
        Definition(
            Id.FAULTS,
            Word("Thời gian xử lý sự cố giảm", "Fault handling time reduced"),
            EFFICIENCY,
            PERCENT,
            Word("Thời gian xử lý sự cố", "Fault handling time"),
            Word("phút/sự cố", "min per fault"),
            1,
            Pace.PERIODIC,
            Word(
                "Sự cố = cảnh báo về thiết bị hoặc đường truyền (mã bắt đầu bằng: {faults}). Mức = thời "
                "gian trung bình từ lúc phát hiện "
                "đến lúc hết, của các sự cố kết thúc trong kỳ. Sự cố chưa kết thúc được nêu riêng.",
                "Fault = an alarm about equipment or its link (causes that begin with: {faults}). Level = "
                "mean time from "
                "detection to restored, of faults that ended in the period. Those that still stand are "
                "stated apart.",
            ),
        ),
    )
}  # fmt: skip


def amounts(factors: Factors) -> Mapping[Id, Amount]:
    """What of an hour is compared, of those indicators that are levels per lane-hour."""

    def congested_min(hour: Hour) -> float:
        return hour.congested_s / 60

    def cost_vnd(hour: Hour) -> float:
        return hour.queued_pcu_s / 3600 * factors.vnd_pcu_h

    def co2_kg(hour: Hour) -> float:
        return hour.queued_pcu_s / 3600 * factors.co2_kg_pcu_h

    return {Id.CONGESTION: congested_min, Id.COST: cost_vnd, Id.CO2: co2_kg}
