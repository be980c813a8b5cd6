"""What each ward has of smart signals, pedestrian signals and a live map: facts for the city's self-report.

The levels at which the smart-city scheme asks for them (smart signal 3, pedestrian signal 2, live map 2) are
quoted; whether a ward has reached one is the city's to conclude, since the criteria are not ours. Pure but
for `observed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import spans
from denxanh.controller.mode import Mode
from denxanh.networks.model import Corridor, GroupKind
from denxanh.networks.register import Junction

ADAPTIVE_SHARE = 0.5
"""Share of the heard time in ADAPTIVE from which a junction is counted as smart (assumed; stated beside)."""
LIVE_SHARE = 0.9
"""Share of the period that must have been heard for a junction to be counted as live (assumed; stated)."""
SMART_LEVEL, PEDESTRIAN_LEVEL, LIVE_LEVEL = 3, 2, 2
"""At which level of maturity the city's smart-city scheme asks for each."""

UNKNOWN = "«chưa rõ phường, xã»"


@dataclass(frozen=True, slots=True)
class Heard:
    """How long a junction was heard in the period, and of that in ADAPTIVE, ms."""

    known_ms: int
    adaptive_ms: int


@dataclass(frozen=True, slots=True)
class Ward:
    """One ward; the name is empty for junctions whose ward the register does not know.

    Attributes:
        name: of the register.
        junctions: how many there are in the corridor.
        smart: heard and at least `ADAPTIVE_SHARE` of that time adaptive.
        pedestrian: with signals for pedestrians.
        live: heard for at least `LIVE_SHARE` of the period.
        assumed: whose ward waits for the city's confirmation.
    """

    name: str
    junctions: int
    smart: int
    pedestrian: int
    live: int
    assumed: int


def observed(store: Store, from_ms: int, to_ms: int) -> Mapping[str, Heard]:
    """What the store has of a period, by junction; times by the site's clock.

    Spans count by when they began: one that reaches beyond the period counts in whole, minutes at most.

    Raises:
        StoreError: the database does not answer.
    """
    table = spans.c
    query = (
        select(table.intersection, table.mode, func.sum(table.ended_ms - table.began_ms).label("ms"))
        .where(table.began_ms >= from_ms, table.began_ms < to_ms, table.ended_ms.is_not(None))
        .group_by(table.intersection, table.mode)
    )
    found: dict[str, Heard] = {}
    with store.reading() as connection:
        for row in connection.execute(query):
            before = found.get(row.intersection, Heard(0, 0))
            adaptive = int(row.ms) if row.mode == Mode.ADAPTIVE.value else 0
            found[row.intersection] = Heard(before.known_ms + int(row.ms), before.adaptive_ms + adaptive)
    return found


def wards(
    corridor: Corridor, register: Mapping[str, Junction], heard: Mapping[str, Heard], period_ms: int
) -> Sequence[Ward]:
    """The facts by ward, in the order of names; the unknown ward last.

    Args:
        corridor: its signal groups say where pedestrians have signals.
        register: of its junctions.
        heard: by junction.
        period_ms: length of the period.
    """
    pedestrian = {
        one.id: any(group.kind is GroupKind.PEDESTRIAN for group in one.groups)
        for one in corridor.intersections
    }
    by_ward: dict[str, list[Junction]] = {}
    for one in register.values():
        by_ward.setdefault(one.ward, []).append(one)
    return tuple(
        Ward(
            name=name,
            junctions=len(here),
            smart=sum(_smart(heard.get(one.id)) for one in here),
            pedestrian=sum(pedestrian.get(one.id, False) for one in here),
            live=sum(one.id in heard and heard[one.id].known_ms >= LIVE_SHARE * period_ms for one in here),
            assumed=sum("ward" in one.assumed for one in here),
        )
        for name, here in sorted(by_ward.items(), key=lambda item: (not item[0], item[0]))
    )


def _smart(heard: Heard | None) -> bool:
    return heard is not None and heard.known_ms > 0 and heard.adaptive_ms >= ADAPTIVE_SHARE * heard.known_ms


def markdown(found: Sequence[Ward], first: str, last: str) -> str:
    """A table for the self-report, Vietnamese with English beside it; the conclusions stay blank."""
    lines = [
        f"Từ ngày {first} đến hết ngày {last} (from {first} to {last}).",
        "",
        "| Phường, xã (ward) | Số nút (junctions) "
        f"| Đèn thông minh, mức {SMART_LEVEL} (smart signal, L{SMART_LEVEL}) "
        f"| Đèn cho người đi bộ, mức {PEDESTRIAN_LEVEL} (pedestrian signal, L{PEDESTRIAN_LEVEL}) "
        f"| Bản đồ trực tiếp, mức {LIVE_LEVEL} (live map, L{LIVE_LEVEL}) "
        "| Kết luận của thành phố (the city's conclusion) |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {one.name or UNKNOWN}{'*' if one.assumed else ''} | {one.junctions} "
        f"| {one.smart}/{one.junctions} "
        f"| {one.pedestrian}/{one.junctions} | {one.live}/{one.junctions} | «…» |"
        for one in found
    ]
    lines += [
        "",
        f"Đèn thông minh: ít nhất {100 * ADAPTIVE_SHARE:.0f} % thời gian có dữ liệu chạy thích nghi. "
        f"Bản đồ trực tiếp: có dữ liệu ít nhất {100 * LIVE_SHARE:.0f} % thời gian. "
        "(Smart: adaptive for at least half of the heard time. Live: heard for at least nine tenths of it.)",
    ]
    if any(one.assumed for one in found):
        lines.append("\\* Phường, xã chờ thành phố xác nhận (the ward waits for the city's confirmation).")
    return "\n".join(lines)
