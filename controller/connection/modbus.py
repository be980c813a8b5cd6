"""What a Modbus cabinet's tables show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from denxanh.controller.connection.finding import Finding, Subject, Verdict, good
from denxanh.errors import WireError
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetStatus
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.config import config_words
from denxanh.plc.modbus.mirror import Difference, differences

NAMED = 6
"""Differences that a finding names."""
_SAME_VI = "nạp lại bảng vào tủ, hoặc sửa corridor; chưa khớp thì nút chỉ chạy theo chương trình"
_SAME_EN = "load the tables into the cabinet again, or correct the corridor; until then it stays on its plan"


async def tables(
    cabinet: ModbusCabinet, status: CabinetStatus, intersection: Intersection
) -> tuple[Finding, ...]:
    """Identity, tables and plans."""
    number = good(
        Subject.IDENTITY,
        f"nút số {status.junction}, bản đồ thanh ghi {status.map_version}",
        f"junction {status.junction}, register map {status.map_version}",
    )
    ours = config_words(intersection)
    if status.config_crc == ours[-1]:
        crc_vi = crc = f"CRC {status.config_crc}"
        return (number, good(Subject.TABLES, crc_vi, crc), _plans(intersection))
    try:
        found = await cabinet.config_words(len(ours))
    except WireError as error:
        return (number, *_unreadable(status, ours[-1], error))
    return (number, *differing(intersection, status, differences(intersection, found)))


def differing(
    intersection: Intersection, status: CabinetStatus, found: Sequence[Difference]
) -> Iterator[Finding]:
    """Findings of a CRC that is not ours, by what its mirror shows."""
    others, plans = [one for one in found if not one.plan], [one for one in found if one.plan]
    if not found:
        yield Finding(
            Subject.TABLES,
            Verdict.BAD,
            f"CRC {status.config_crc} không khớp, tuy bảng sao giống hệt",
            f"CRC {status.config_crc} is not ours, although its mirror is the same",
            "CRC-16/MODBUS tính trên các thanh ghi của bảng sao, byte cao trước",
            "the CRC is CRC-16/MODBUS over the mirror's registers, high byte first",
        )
        return
    if others:
        yield Finding(Subject.TABLES, Verdict.BAD, _list(others), _list(others), _SAME_VI, _SAME_EN)
    else:
        yield good(Subject.TABLES, "thời gian và xung đột giống nhau", "timings and conflicts are the same")
    if plans:
        yield Finding(Subject.PLANS, Verdict.BAD, _list(plans), _list(plans), _SAME_VI, _SAME_EN)
    else:
        yield _plans(intersection)


def _unreadable(status: CabinetStatus, wanted: int, error: WireError) -> Iterator[Finding]:
    yield Finding(
        Subject.TABLES,
        Verdict.BAD,
        f"CRC {status.config_crc}, cần {wanted}; bảng sao không đọc được",
        f"CRC {status.config_crc} instead of {wanted}; its mirror cannot be read: {error.what}",
        _SAME_VI,
        _SAME_EN,
    )


def _plans(intersection: Intersection) -> Finding:
    numbers = ", ".join(str(plan.number) for plan in intersection.plans)
    return good(Subject.PLANS, numbers, numbers)


def _list(found: Sequence[Difference]) -> str:
    more = f"; +{len(found) - NAMED}" if len(found) > NAMED else ""
    return "; ".join(map(str, found[:NAMED])) + more
