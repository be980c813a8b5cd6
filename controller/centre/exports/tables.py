"""The tables of data sets: what each column means, where it comes from, its rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from denxanh.controller.centre.exports.dataset import Field, Table
from denxanh.controller.centre.exports.hours import (
    Quality,
    approach_hours,
    group_hours,
    mode_seconds,
    quality,
)
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.schema import alarms
from denxanh.controller.localtime import local
from denxanh.controller.mode import Mode
from denxanh.networks.model import Corridor
from denxanh.networks.register import Junction

DAY_MS = 86_400_000
_PLACE = Field("intersection", "string", "", "mã nút giao", "identifier of the intersection")
_APPROACH = Field("approach", "string", "", "đoạn đường vào nút", "edge towards the intersection")
_HOUR = Field("hour", "datetime", "", "giờ bắt đầu (giờ Việt Nam)", "begin of the hour, Vietnam's time")
_KNOWN = Field(
    "known", "number", "0..1", "phần của giờ có dữ liệu tin cậy", "share of the hour that is known"
)
_QUALITY = Field(
    "quality",
    "string",
    "full|partial|none",
    "cờ chất lượng: đủ (từ 80 %), thiếu, không có",
    "quality flag: at least 80 % known, less, nothing",
)
Register = Mapping[str, Junction]


def junctions(register: Register) -> Table:
    """The register."""
    return Table(
        "junctions",
        "Sổ nút giao",
        "Register of junctions",
        "Sổ nút giao của hành lang (register.toml); trường trong `assumed` chờ thành phố xác nhận",
        "The corridor's register.toml; what `assumed` names waits for the city's confirmation",
        (
            _PLACE,
            Field("name_vi", "string", "", "tên nút", "name in Vietnamese"),
            Field("name_en", "string", "", "tên tiếng Anh", "name in English"),
            Field("ward", "string", "", "phường, xã từ 1/7/2025", "ward or commune since 1 July 2025"),
            Field(
                "former_province_code", "string", "", "mã tỉnh trước sáp nhập", "code of the former province"
            ),
            Field("lat", "number", "độ", "vĩ độ WGS 84", "latitude, WGS 84"),
            Field("lon", "number", "độ", "kinh độ WGS 84", "longitude, WGS 84"),
            Field("its_phase", "integer", "", "giai đoạn dự án ITS", "phase of the ITS project"),
            Field("cabinet_type", "string", "", "loại tủ điều khiển", "type of the cabinet"),
            Field("detectors", "integer", "", "số cảm biến", "number of detectors"),
            Field("assumed", "string", "", "trường chờ xác nhận", "fields that wait for confirmation"),
        ),
        [
            (
                *(one.id, one.name_vi, one.name_en, one.ward or None),
                one.former_province and one.former_province.code,
                *(one.lat, one.lon, one.its_phase, one.cabinet_type or None),
                sum(one.detectors.values()),
                " ".join(one.assumed) or None,
            )
            for one in register.values()
        ],
    )


def queues(connection: Connection, corridor: Corridor, begin_ms: int, end_ms: int, only: Register) -> Table:
    """Queue of each approach and hour."""
    return Table(
        "queues_hourly",
        "Hàng chờ theo hướng vào và giờ",
        "Queues by approach and hour",
        "Ước lượng từng giây từ cảm biến, trung bình theo phút rồi theo giờ; bỏ phút có độ tin cậy dưới 0,5",
        "Estimated each second from detectors, averaged by hour; without minutes of confidence under 0.5",
        (
            *(_PLACE, _APPROACH, _HOUR),
            Field("queue_pcu", "number", "pcu", "hàng chờ trung bình", "mean queue"),
            Field(
                "filling", "number", "0..", "phần sức chứa bị chiếm", "share of the storage that is filled"
            ),
            Field("level", "string", "free|dense|congested|unknown", "mức ùn tắc", "level of congestion"),
            *(_KNOWN, _QUALITY),
        ),
        (
            (
                *(one.intersection, one.approach, stamp(one.begin_ms)),
                *(_round(one.queue_pcu, 2), _round(one.share, 3), one.level.value),
                *(round(one.known, 3), quality(one.known).value),
            )
            for one in approach_hours(connection, corridor, begin_ms, end_ms)
            if one.intersection in only
        ),
    )


def counts(connection: Connection, corridor: Corridor, begin_ms: int, end_ms: int, only: Register) -> Table:
    """Vehicles of each signal group and hour."""
    return Table(
        "counts_hourly",
        "Lưu lượng theo nhóm đèn và giờ",
        "Vehicles by signal group and hour",
        "Đếm bằng cảm biến ở vạch dừng (sự kiện 0,1 giây), cộng theo 15 phút; trống nếu không đếm",
        "Counted by stop-line detectors (events of 0.1 s), summed by 15 minutes; empty where nothing counts",
        (
            _PLACE,
            Field("signal_group", "string", "", "nhóm đèn", "signal group"),
            *(_APPROACH, _HOUR),
            Field("volume", "integer", "xe (vehicles)", "số xe đếm được", "vehicles that were counted"),
            *(_KNOWN, _QUALITY),
        ),
        (
            (
                *(one.intersection, one.group, one.approach, stamp(one.begin_ms), one.volume),
                *(round(one.known, 3), (Quality.NONE if one.volume is None else quality(one.known)).value),
            )
            for one in group_hours(connection, corridor, begin_ms, end_ms)
            if one.intersection in only
        ),
    )


def control(connection: Connection, corridor: Corridor, begin_ms: int, end_ms: int, only: Register) -> Table:
    """Seconds of each mode by intersection and day."""

    def rows() -> Iterator[Sequence[object]]:
        for day in range(begin_ms, end_ms, DAY_MS):
            for place in corridor.intersections:
                if place.id in only:
                    spent = mode_seconds(connection, place, day, day + DAY_MS)
                    seconds = [round(spent.get(mode.value, 0)) for mode in Mode]
                    yield (place.id, stamp(day)[:10], *seconds, 86_400 - sum(seconds))

    return Table(
        "control_daily",
        "Chế độ điều khiển theo nút và ngày",
        "Modes of control by intersection and day",
        "Chế độ từng giây trong nhật ký của bộ điều khiển",
        "The mode of each second in the controller's journal",
        (
            _PLACE,
            Field("day", "string", "", "ngày (giờ Việt Nam)", "local day"),
            *(Field(m.value.lower() + "_s", "integer", "s", f"giây ở {m}", f"seconds in {m}") for m in Mode),
            Field(
                "unrecorded_s",
                "integer",
                "s",
                "giây không có dữ liệu",
                "seconds of which nothing is recorded",
            ),
        ),
        rows(),
    )


def alarm_list(connection: Connection, begin_ms: int, end_ms: int, only: Register) -> Table:
    """Alarms that were raised."""
    table = alarms.c
    query = select(alarms).where(table.raised_ms >= begin_ms, table.raised_ms < end_ms)
    return Table(
        "alarms",
        "Cảnh báo",
        "Alarms",
        "Cảnh báo của bộ điều khiển, theo nhật ký",
        "The controller's alarms, from its journal",
        (
            _PLACE,
            Field("cause", "string", "", "mã nguyên nhân", "code of the cause"),
            Field("text_vi", "string", "", "nội dung", "words"),
            Field("text_en", "string", "", "nội dung tiếng Anh", "words in English"),
            Field("raised", "datetime", "", "lúc phát sinh", "when it was raised"),
            Field("cleared", "datetime", "", "lúc hết; trống: còn", "when it ended; empty: it stands"),
        ),
        (
            (
                *(row.intersection or None, row.cause, row.text_vi, row.text_en, stamp(row.raised_ms)),
                None if row.cleared_ms is None else stamp(row.cleared_ms),
            )
            for row in connection.execute(query.order_by(table.raised_ms, table.id))
            if not row.intersection or row.intersection in only
        ),
    )


def typical_day(
    connection: Connection, corridor: Corridor, begin_ms: int, end_ms: int, only: Register
) -> Table:
    """Open data: the mean day of each intersection in a period, by hour of the day."""
    volumes: dict[tuple[str, int], list[int]] = defaultdict(list)
    day_sums: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
    for one in group_hours(connection, corridor, begin_ms, end_ms):
        if one.volume is not None:
            day_sums[one.intersection, one.begin_ms].append((one.volume, one.known))
    for (place, at), parts in day_sums.items():
        if all(quality(known) is Quality.FULL for _, known in parts):
            volumes[place, _hour_of_day(at)].append(sum(volume for volume, _ in parts))
    shares: dict[tuple[str, int], list[float]] = defaultdict(list)
    for hour in approach_hours(connection, corridor, begin_ms, end_ms):
        if quality(hour.known) is Quality.FULL:
            shares[hour.intersection, _hour_of_day(hour.begin_ms)].append(hour.share)

    def rows() -> Iterator[Sequence[object]]:
        for name in only:
            for hour_of_day in range(24):
                counted, filled = volumes[name, hour_of_day], shares[name, hour_of_day]
                if counted or filled:
                    yield (
                        *(name, hour_of_day, _mean(counted, 0), len(counted)),
                        *(_mean(filled, 3), len(filled)),
                    )

    return Table(
        "typical_day",
        "Ngày điển hình theo nút giao và giờ",
        "The typical day by intersection and hour",
        "Trung bình các giờ có đủ dữ liệu (từ 80 %) trong kỳ; lưu lượng là tổng các nhóm đèn có cảm biến đếm",
        "Means of the hours that are known (80 % and more); volume is the sum over groups that are counted",
        (
            _PLACE,
            Field("hour_of_day", "integer", "0..23", "giờ trong ngày", "hour of the day, Vietnam's time"),
            Field(
                "volume", "integer", "xe/giờ (vehicles/h)", "lưu lượng trung bình", "mean vehicles per hour"
            ),
            Field("volume_days", "integer", "", "số ngày tính lưu lượng", "days in the mean of the volume"),
            Field(
                "filling", "number", "0..", "mức chiếm sức chứa trung bình", "mean filling of its approaches"
            ),
            Field(
                "filling_hours", "integer", "", "số giờ × hướng", "approach-hours in the mean of the filling"
            ),
        ),
        rows(),
    )


def _hour_of_day(at_ms: int) -> int:
    return local(at_ms).hour


def _mean(values: Sequence[float], digits: int) -> float | int | None:
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    return round(mean, digits) if digits else round(mean)


def _round(value: float, digits: int) -> float:
    return round(value, digits) if math.isfinite(value) else value
