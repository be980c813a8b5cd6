"""What two polls show, over any protocol: clock, heartbeat, detectors, state, who commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from denxanh.controller.connection.finding import Finding, Subject, Verdict, good
from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Fault,
    LoopReading,
    Readings,
    Report,
    ZoneReading,
)

CLOCK_OFF_S = 1
"""A cabinet's clock may be off by so much; more is an alarm on the street, too."""
FRESH_DS = 30
"""A reading that is older than a command may become (3 s) is stale, 0.1 s."""
_NAMED = 6
"""Detectors that a finding names; the rest is a number."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A poll's report, and between which instants it was made: seconds since 1970 (UTC), by this machine."""

    report: Report
    asked_s: float
    heard_s: float

    @property
    def took_s(self) -> float:
        """So long the answer was on its way: what it says is that much uncertain in time."""
        return self.heard_s - self.asked_s


def of_reports(
    intersection: Intersection, first: Heard, last: Heard, epoch: int | None, *, simulated: bool = False
) -> Iterator[Finding]:
    """Findings of two polls.

    Args:
        intersection: as the site has it.
        first: the earlier poll.
        last: the later one.
        epoch: of the site's last controller; None where the protocol has none.
        simulated: the site's street has its own time, so neither clock nor heartbeat can be judged by ours.
    """
    status = last.report.status
    if simulated:
        yield Finding(
            Subject.CLOCK,
            Verdict.LOOK,
            "đường mô phỏng có giờ riêng: không so được đồng hồ và nhịp tủ",
            "a simulated street has its own time: clock and heartbeat cannot be compared",
        )
    else:
        yield _clock(status, last)
        yield _heartbeat(first, last)
    yield _detectors(intersection, first.report.readings, last.report.readings)
    yield _state(intersection, status)
    if epoch is not None:
        yield _epoch(status, epoch)


def _clock(status: CabinetStatus, heard: Heard) -> Finding:
    off = status.utc_s - heard.heard_s
    if -CLOCK_OFF_S - 1 - heard.took_s <= off <= CLOCK_OFF_S:  # whole seconds on its side
        return good(Subject.CLOCK, "lệch không quá 1 s", "within 1 s of this machine's")
    ahead_vi, ahead = ("nhanh", "ahead of") if off > 0 else ("chậm", "behind")
    return Finding(
        Subject.CLOCK,
        Verdict.BAD,
        f"{ahead_vi} {abs(off):.0f} s so với máy này",
        f"{abs(off):.0f} s {ahead} this machine's",
        "chỉnh giờ tủ (NTP hoặc GPS) và kiểm tra giờ máy này; giờ là UTC",
        "set the cabinet's clock (NTP or GPS), and check this machine's; it must be UTC",
    )


def _heartbeat(first: Heard, last: Heard) -> Finding:
    counted = (last.report.status.heartbeat - first.report.status.heartbeat) % 0x10000
    apart_s = last.heard_s - first.heard_s
    if apart_s - 1.5 - last.took_s <= counted <= apart_s + 1.5 + first.took_s:
        return good(Subject.HEARTBEAT, "đếm đúng 1 lần mỗi giây", "counts once a second")
    return Finding(
        Subject.HEARTBEAT,
        Verdict.BAD,
        f"đếm {counted} trong {apart_s:.0f} s",
        f"counted {counted} in {apart_s:.0f} s",
        "bộ đếm phải tăng 1 mỗi giây; tủ dùng nó để bỏ lệnh cũ",
        "it must rise by 1 a second: the cabinet refuses old commands by it",
    )


def _detectors(intersection: Intersection, before: Readings, after: Readings) -> Finding:
    loops = [
        one.id for one in intersection.detectors if one.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
    ]
    zones = [one.id for one in intersection.detectors if one.kind is DetectorKind.ZONE]
    buttons = [one.id for one in intersection.detectors if one.kind is DetectorKind.BUTTON]
    read: list[tuple[str, LoopReading | ZoneReading]] = [
        *zip(loops, after.loops, strict=True),
        *zip(zones, after.zones, strict=True),
    ]
    wrong = [name for name, reading in read if reading.fault or reading.age_ds > FRESH_DS]
    counted = [
        name
        for name, old, new in zip(loops, before.loops, after.loops, strict=True)
        if old.count != new.count
    ]
    called = [name for name, on in zip(buttons, after.buttons, strict=True) if on]
    seen_vi = f"đã đếm xe: {_some(counted)}" if counted else "chưa vòng từ nào đếm xe"
    seen = f"counted: {_some(counted)}" if counted else "no loop has counted"
    if called:
        seen_vi, seen = f"{seen_vi}; nút đang gọi: {_some(called)}", f"{seen}; called: {_some(called)}"
    have_vi = (
        f"{len(after.loops)} vòng từ, {len(after.zones)} vùng dò, {len(after.buttons)} nút bấm; {seen_vi}"
    )
    have = f"{len(after.loops)} loops, {len(after.zones)} zones, {len(after.buttons)} buttons; {seen}"
    if wrong:
        return Finding(
            Subject.DETECTORS,
            Verdict.LOOK,
            f"{have_vi}; hỏng hoặc không mới: {_some(wrong)}",
            f"{have}; faulty or stale: {_some(wrong)}",
            "kiểm tra dây và cấu hình bộ dò; nhánh không còn bộ dò tốt sẽ chạy theo chương trình",
            "check wiring and detector set-up; an approach without a good detector runs on its plan",
        )
    return Finding(
        Subject.DETECTORS,
        Verdict.LOOK,
        have_vi,
        have,
        "cho xe qua từng vòng từ, chạy lại với --watch và so tên",
        "drive over one loop at a time with --watch, and compare its name",
    )


def _state(intersection: Intersection, status: CabinetStatus) -> Finding:
    """What the cabinet does now: stages by the id that people know, a plan only where one runs."""
    mode = status.mode.name
    troubles_vi, troubles = [], []
    for there, vi, en in (
        (status.monitor != 0 or bool(status.faults & Fault.CONFLICT), "đã khóa xung đột", "conflict latched"),
        (status.mode in (CabinetMode.FLASH, CabinetMode.DARK), "nhấp nháy hoặc tắt", "flash or dark"),
        (status.mode is CabinetMode.MANUAL or bool(status.panel & 2), "đang dùng bảng CSGT", "police panel"),
        (status.lamp_fault != 0 or bool(status.faults & Fault.LAMP), "hỏng đèn", "lamp fault"),
        (bool(status.faults & Fault.CONFIG), "lỗi cấu hình", "configuration fault"),
        (bool(status.panel & 1), "cửa tủ mở", "door open"),
        (bool(status.panel & 4), "chạy ắc quy", "on battery"),
    ):
        if there:
            troubles_vi.append(vi)
            troubles.append(en)
    if not troubles:
        known = status.stage < len(intersection.stages)
        stage = intersection.stages[status.stage].id if known else f"#{status.stage}"
        plan_vi, plan = (
            (f", chương trình {status.plan}", f", plan {status.plan}") if status.plan else ("", "")
        )
        return good(Subject.STATE, f"{mode}, pha {stage}{plan_vi}", f"{mode}, stage {stage}{plan}")
    return Finding(
        Subject.STATE,
        Verdict.LOOK,
        f"{mode}: {', '.join(troubles_vi)}",
        f"{mode}: {', '.join(troubles)}",
        "xử lý tại tủ trước khi điều khiển",
        "see to it at the cabinet before it is controlled",
    )


def _epoch(status: CabinetStatus, ours: int) -> Finding:
    if status.epoch <= ours:
        return good(
            Subject.EPOCH,
            f"tủ đã nghe đến {status.epoch}, trung tâm tiếp theo dùng {ours + 1}",
            f"it has heard {status.epoch}; our next controller begins with {ours + 1}",
        )
    return Finding(
        Subject.EPOCH,
        Verdict.BAD,
        f"tủ đã nghe {status.epoch}, trung tâm này mới đến {ours}",
        f"it has heard epoch {status.epoch}, this site is at {ours}",
        f"tìm trung tâm kia; nếu không còn, ghi {status.epoch} vào tệp epoch",
        f"find the other controller; if there is none any more, write {status.epoch} into the epoch file",
    )


def _some(names: Sequence[str]) -> str:
    more = f" +{len(names) - _NAMED}" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
