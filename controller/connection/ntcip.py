"""What an NTCIP controller's objects show beyond a poll."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from denxanh.controller.connection.finding import Finding, Subject, Verdict, good
from denxanh.errors import WireError
from denxanh.networks.model import Intersection
from denxanh.plc.modbus.layout import Layout
from denxanh.plc.ntcip import numbers, oids
from denxanh.plc.ntcip.ber import Oid, text
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.oids import cell, groups, scalar
from denxanh.plc.ntcip.stagemap import StageMap
from denxanh.plc.ntcip.tables import expected

NAMED = 6
"""Differences that a finding names."""
_PLAN_ROOTS = (oids.PATTERN_TABLE, oids.SPLIT_TABLE)
_COLUMNS = {
    (oids.PHASE_TABLE, oids.PHASE_WALK): "walk",
    (oids.PHASE_TABLE, oids.PHASE_PED_CLEAR): "pedestrian clearance",
    (oids.PHASE_TABLE, oids.PHASE_MIN_GREEN): "minimum green",
    (oids.PHASE_TABLE, oids.PHASE_MAX_1): "maximum 1",
    (oids.PHASE_TABLE, oids.PHASE_YELLOW_CHANGE): "yellow (0.1 s)",
    (oids.PATTERN_TABLE, oids.PATTERN_CYCLE): "cycle",
    (oids.PATTERN_TABLE, oids.PATTERN_OFFSET): "offset",
    (oids.PATTERN_TABLE, oids.PATTERN_SPLIT): "split number",
    (oids.SPLIT_TABLE, oids.SPLIT_TIME): "split time",
}
_TABLES = {oids.PHASE_TABLE: "phase", oids.PATTERN_TABLE: "pattern", oids.SPLIT_TABLE: "split, phase"}


async def objects(
    link: Link, layout: Layout, stages: StageMap, settings: Settings, intersection: Intersection
) -> tuple[Finding, ...]:
    """Objects, identity, tables, plans, backup time and what stands in the control objects.

    Raises:
        UnreachableError: no answer.
        FrameError: an answer that is none.
    """
    names = numbers.poll_names(layout, stages, settings.suffix)
    missing = await link.missing(names)
    found = await link.get(tuple(name for name in names if name not in missing))
    return (
        _identity(stages),
        _objects(missing),
        *(await _tables(link, expected(intersection, stages))),
        backup(found.get(scalar(oids.UNIT_BACKUP_TIME, settings.suffix), 0), settings),
        standing(found, stages, settings.suffix),
    )


def _identity(stages: StageMap) -> Finding:
    return Finding(
        Subject.IDENTITY,
        Verdict.LOOK,
        f"{stages.phases} phase; NTCIP không mang số nút",
        f"{stages.phases} phases; NTCIP carries no number of the junction",
        "đối chiếu tại tủ: phase đang xanh ở đây phải là đèn xanh ngoài đường",
        "compare at the cabinet: the stage that is green here must be green on the street",
    )


def _objects(missing: Sequence[Oid]) -> Finding:
    needed = [text(name) for name in missing if not numbers.optional(name)]
    spared = [text(name) for name in missing if numbers.optional(name)]
    if needed:
        return Finding(
            Subject.OBJECTS,
            Verdict.BAD,
            f"thiếu: {_list(needed)}",
            f"missing: {_list(needed)}",
            "kiểm tra tệp phases và khóa instance; tủ này có thể không hợp",
            "check the phase map and the key instance; this controller may not do",
        )
    if spared:
        return Finding(
            Subject.OBJECTS,
            Verdict.LOOK,
            f"không có vùng dò hoặc nút bấm: {_list(spared)}",
            f"no sensor zones or button states: {_list(spared)}",
            "vùng dò có thể đến từ camera ([[vds]])",
            "zones can come from cameras ([[vds]])",
        )
    return good(Subject.OBJECTS, "có đủ", "all there")


async def _tables(link: Link, wanted: Mapping[Oid, int]) -> tuple[Finding, ...]:
    try:
        missing = await link.missing(tuple(wanted))
        found = await link.get(tuple(name for name in wanted if name not in missing))
    except WireError as error:
        return (
            Finding(
                Subject.TABLES,
                Verdict.BAD,
                "không đọc được bảng",
                f"cannot be read: {error.what}",
                "kiểm tra quyền đọc của community hoặc user",
                "check what the community or user may read",
            ),
        )
    return tuple(differing(wanted, found))


def differing(wanted: Mapping[Oid, int], found: Mapping[Oid, int]) -> Iterator[Finding]:
    """Findings of timings, then of plans."""
    for subject, of_plans, same in ((Subject.TABLES, False, "phases"), (Subject.PLANS, True, "patterns")):
        wrong = [
            f"{label(oid)} is {found.get(oid, 'not there')} instead of {number}"
            for oid, number in wanted.items()
            if found.get(oid) != number and _of_plan(oid) is of_plans
        ]
        if not wrong:
            yield good(subject, "giống nhau", f"the {same} are the same")
            continue
        yield Finding(
            subject,
            Verdict.BAD,
            _list(wrong),
            _list(wrong),
            "sửa tại tủ hoặc trong corridor; chưa khớp thì nút chỉ chạy theo chương trình",
            "correct it at the controller or in the corridor; until then it stays on its plan",
        )


def label(oid: Oid) -> str:
    """An object of phaseTable, patternTable or splitTable in words.

    >>> label(cell(oids.PHASE_TABLE, oids.PHASE_MIN_GREEN, 2))
    'phase 2 minimum green'
    """
    for root, what in _TABLES.items():
        if oid[: len(root)] == root:
            column, *index = oid[len(root) :]
            return f"{what} {'.'.join(map(str, index))} {_COLUMNS.get((root, column), f'column {column}')}"
    return text(oid)


def _of_plan(oid: Oid) -> bool:
    return any(oid[: len(root)] == root for root in _PLAN_ROOTS)


def backup(seconds: int, settings: Settings) -> Finding:
    """The backup timer as it stands before we have written anything."""
    wanted = settings.backup_s
    if seconds == wanted:
        return good(Subject.BACKUP, f"{seconds} s", f"{seconds} s")
    if settings.set_backup_time:
        return Finding(
            Subject.BACKUP,
            Verdict.LOOK,
            f"đang là {seconds} s; trung tâm sẽ đặt {wanted} s",
            f"is {seconds} s; the controller sets it to {wanted} s before its first control",
            "nếu không muốn vậy: set_backup_time = false",
            "if it must not: set_backup_time = false",
        )
    if not 0 < seconds <= settings.longest_s:
        return Finding(
            Subject.BACKUP,
            Verdict.BAD,
            f"là {seconds}: tủ sẽ không tự về kịp (0: không bao giờ)",
            f"is {seconds}: it would not return by itself in time (0: never), so control is refused",
            f"đặt unitBackupTime = {wanted} s tại tủ",
            f"set unitBackupTime to {wanted} s at the controller",
        )
    return Finding(
        Subject.BACKUP,
        Verdict.LOOK,
        f"{seconds} s, khác {wanted} s",
        f"{seconds} s, other than {wanted} s",
        "khi trung tâm im lặng, tủ tự về sau chừng đó giây",
        "so long after the centre falls silent it returns by itself",
    )


def standing(found: Mapping[Oid, int], stages: StageMap, suffix: Oid) -> Finding:
    """Whether somebody drives it now."""
    names = [scalar(oids.SYSTEM_PATTERN_CONTROL, suffix)]
    names += [
        cell(oids.PHASE_CONTROL_GROUP, column, number)
        for column in numbers.MASKS
        for number in groups(stages.phases)
    ]
    set_now = [f"{text(name)} = {found[name]}" for name in names if found.get(name)]
    if not set_now:
        return good(Subject.CONTROL, "không có", "none")
    return Finding(
        Subject.CONTROL,
        Verdict.BAD,
        _list(set_now),
        _list(set_now),
        "trung tâm khác đang điều khiển; dừng nó hoặc chờ hết unitBackupTime",
        "another centre drives it: stop it, or wait until unitBackupTime is over",
    )


def _list(words: Sequence[str]) -> str:
    more = f"; +{len(words) - NAMED}" if len(words) > NAMED else ""
    return "; ".join(words[:NAMED]) + more
