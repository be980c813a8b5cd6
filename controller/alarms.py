"""What is wrong in a second, as alarms; when they are told says `patience`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from denxanh.controller.health import DetectorHealth, Symptom
from denxanh.controller.ladder import Cause
from denxanh.controller.whereabouts import traffic_of
from denxanh.controller.wording import CAUSES, FAULTS, NOTHING, REFUSALS, SYMPTOMS, Text, link_said, reason
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetStatus, Fault, Refusal

CLOCK_ERROR_S = 1
"""Largest difference between the cabinet's clock and ours, s (assumed)."""
CLOCK_TICKS = 5
"""Seconds for which the difference must last: poll and clock are not read in the same instant."""
SETTLED_S = 15
"""Answered polls in a row after which a detector's staleness is its own and not the link's, s."""
VIETNAM_S = 7 * 3600
"""Local time minus UTC."""
STARVED = "starved-group"
"""Cause of the alarm of a group whose green does not discharge."""
CLEARED = ("Hết cảnh báo: ", "Cleared: ")
"""How the event begins that ends an alarm (Vietnamese, English); the alarm's own text follows."""
_DAY_S = 86_400
_KNOWN = sum(Fault)
"""Fault bits that have a name."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong now. `key` says what it is about; `kind` and `cause` are those of its event."""

    key: str
    kind: str
    cause: str
    text_vi: str
    text_en: str


_UNHEARD = ("link-lost", "frozen-registers", "fault foreign")
CONSEQUENCE_OF: Mapping[str, tuple[str, ...]] = {
    "fault watchdog": _UNHEARD,
    "clock": ("fault clock",),
    "cabinet-flash": ("fault conflict",),
}
"""By key: alarms that are no alarm of their own where one of these has come before them.

Not those that stand for good (`lease-lost`, `epoch-taken`): a cabinet that goes alone under them has lost the
other controller, too."""


def causes(before: Mapping[str, Alarm], now: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """One alarm per fault: a consequence is not raised beside its cause, which stands until both are over.

    A cabinet that went alone while the link was lost says so only once it is heard again; so what stood
    before (`before`) counts as well. What was raised alone stays, whatever comes after it.
    """
    standing = {alarm.key: alarm for alarm in now}
    for key, possible in CONSEQUENCE_OF.items():
        if key not in standing or key in before:
            continue
        found = [{**before, **standing}[cause] for cause in possible if cause in standing or cause in before]
        if found:
            del standing[key]
            standing.setdefault(found[0].key, found[0])
    return tuple(standing.values())


def of_detectors(
    intersection: Intersection,
    health: Iterable[DetectorHealth],
    *,
    settled: bool,
    unfed: Collection[str] = (),
) -> Iterable[Alarm]:
    """One alarm per detector that is not believed; another symptom of the same detector is another alarm.

    Until the link has `settled`, stale detectors are no alarm: one lost link is one alarm. Nor are `unfed`
    ones (ids), whose source's silence is one.
    """
    for detector, state in zip(intersection.detectors, health, strict=True):
        if state.symptom is Symptom.NONE:
            continue
        if state.symptom is Symptom.STALE and (not settled or detector.id in unfed):
            continue
        vi, en = SYMPTOMS[state.symptom]
        yield Alarm(
            f"detector {detector.id} {state.symptom}",
            "detector",
            f"detector-{state.symptom}",
            f"Bộ dò {detector.id}: {vi}",
            f"Detector {detector.id}: {en}",
        )


def of_starved(intersection: Intersection, starved: Iterable[int]) -> Iterable[Alarm]:
    """One alarm per signal group whose green does not discharge."""
    for group in starved:
        vi, en = traffic_of(intersection, group)
        stages = ", ".join(stage.id for stage in intersection.stages if stage.serves(group))
        yield Alarm(
            f"starved {intersection.groups[group].id}",
            "alarm",
            STARVED,
            f"{vi}: có đèn xanh (pha {stages}) nhưng không thoát được",
            f"{en}: has green (stage {stages}) but does not discharge",
        )


def of_status(status: CabinetStatus, config_matches: bool) -> Iterable[Alarm]:
    """What the cabinet itself complains of."""
    if status.refusal is not Refusal.NONE:
        vi, en = REFUSALS[status.refusal]
        why = reason(status.refusal)
        yield Alarm(f"refusal {why}", "refusal", why, f"Tủ từ chối lệnh: {vi}", f"Cabinet refuses: {en}")
    if not config_matches:
        yield Alarm(
            "config",
            "alarm",
            "config-mismatch",
            "Cấu hình trong tủ khác cấu hình ở trung tâm (sai CRC)",
            "The cabinet's tables differ from the centre's (CRC)",
        )
    unknown = int(status.faults) & ~_KNOWN
    if unknown:
        yield Alarm(
            "fault unknown",
            "alarm",
            "fault-unknown",
            f"Tủ báo lỗi chưa có tên: bit {unknown:#06x}",
            f"Cabinet fault without a name: bits {unknown:#06x}",
        )
    for fault in Fault(status.faults & _KNOWN) if status.faults else ():
        name = (fault.name or "").lower()
        vi, en = FAULTS[fault]
        yield Alarm(f"fault {name}", "alarm", f"fault-{name}", f"Tủ báo lỗi: {vi}", f"Cabinet fault: {en}")
    if status.lamp_fault:
        yield Alarm(
            "lamps", "alarm", "lamp-fault", "Tủ báo hỏng bóng đèn", "The cabinet reports a lamp fault"
        )
    if status.panel & 1:
        yield Alarm("door", "alarm", "door", "Cửa tủ đang mở", "The cabinet's door is open")
    if status.panel & 4:
        yield Alarm("ups", "alarm", "ups", "Tủ đang chạy bằng UPS", "The cabinet runs on its UPS")


def clock_error_s(status: CabinetStatus, utc_s: float) -> int:
    """Cabinet's time minus ours (seconds since 1970, UTC), whole seconds; a wrong date is a wrong clock."""
    return status.utc_s - int(utc_s)


def of_clock(error_s: int, lasting: int) -> Iterable[Alarm]:
    """The cabinet's clock, once it has been wrong for long enough."""
    if lasting >= CLOCK_TICKS:
        yield Alarm(
            "clock",
            "alarm",
            "plan-clock-error",
            f"Đồng hồ tủ lệch {_off(error_s)[0]}",
            f"The cabinet's clock is {_off(error_s)[1]} off",
        )


def _off(error_s: int) -> tuple[str, str]:
    """An error for people; by days where it is a wrong date."""
    if abs(error_s) < _DAY_S:
        return f"{error_s:+d} s", f"{error_s:+d} s"
    days = round(error_s / _DAY_S)
    return f"{days:+d} ngày", f"{days:+d} days"


_OF_LINK = (Cause.LINK_LOST, Cause.FROZEN, Cause.LEASE_LOST, Cause.EPOCH_TAKEN)
_OF_CABINET = (Cause.CABINET_FLASH, Cause.CABINET_DARK, Cause.CABINET_FAULT)
OF_SIGNALS = (
    Cause.READ_BACK,
    Cause.LAMPS_UNLIT,
    Cause.SIGNALS_STAND,
    Cause.PROMISE_BROKEN,
    Cause.COMMANDS_LOST,
    Cause.STAYS_LOCAL,
    Cause.NOT_ADOPTED,
    Cause.PLAN_NOT_FOLLOWED,
)
"""What speaks against ADAPTIVE and is for somebody to look at on the street."""


def of_causes(
    cause: Cause, against: Cause | None, policy: Cause | None, plan: Cause | None, problem: str, error: Text
) -> Iterable[Alarm]:
    """What the ladder found: a lost link or lease, lamps that differ, a policy that the rule replaces.

    Args:
        cause: of the mode.
        against: what speaks against ADAPTIVE, whatever the mode: an order may be its cause.
        policy: why the rule stands in, if it does.
        plan: why the cabinet does not run the plan of this hour, if it was given up.
        problem: what the link said.
        error: how the policy failed, in the second in which it did; else empty.
    """
    for standing, kind, (detail_vi, detail_en) in (
        (
            cause if cause in _OF_LINK else None,
            "link",
            link_said(problem) if cause is Cause.LINK_LOST else NOTHING,
        ),
        (cause if cause in _OF_CABINET else None, "alarm", NOTHING),
        (against if against in OF_SIGNALS else None, "alarm", NOTHING),
        (policy, "alarm", error),
        (plan, "alarm", NOTHING),
    ):
        if standing is not None:
            vi, en = CAUSES[standing]
            more_vi = f": {detail_vi}" if detail_vi else ""
            more_en = f": {detail_en}" if detail_en else ""
            yield Alarm(standing.value, kind, standing.value, vi + more_vi, en + more_en)
