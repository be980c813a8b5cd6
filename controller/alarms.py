"""Alarms that are raised once and cleared once; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from denxanh.controller.health import DetectorHealth, Symptom
from denxanh.controller.ladder import Cause
from denxanh.controller.record import Event
from denxanh.controller.whereabouts import traffic_of
from denxanh.controller.wording import CAUSES, FAULTS, REFUSALS, SYMPTOMS, reason
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
CLEARED = ("Hết cảnh báo: ", "Cleared: ")
"""How the event begins that ends an alarm (Vietnamese, English); the alarm's own text follows."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong now. `key` says what it is about; `kind` and `cause` are those of its event."""

    key: str
    kind: str
    cause: str
    text_vi: str
    text_en: str


_UNHEARD = ("link-lost", "frozen-registers", "fault foreign")
CONSEQUENCE_OF: Mapping[str, tuple[str, ...]] = {"fault watchdog": _UNHEARD, "clock": ("fault clock",)}
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


def changes(before: Mapping[str, Alarm], now: Iterable[Alarm]) -> tuple[dict[str, Alarm], tuple[Event, ...]]:
    """The alarms that stand now by key, and the events for those that came and went."""
    standing = {alarm.key: alarm for alarm in now}
    raised = [
        Event(alarm.kind, alarm.text_vi, alarm.text_en, alarm.cause)
        for key, alarm in standing.items()
        if key not in before
    ]
    cleared = [
        Event("alarm-cleared", CLEARED[0] + alarm.text_vi, CLEARED[1] + alarm.text_en, alarm.cause)
        for key, alarm in before.items()
        if key not in standing
    ]
    return standing, (*raised, *cleared)


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
        if state.good:
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
            "starved-group",
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
    for fault in Fault(status.faults & sum(Fault)):
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


def clock_error_s(status: CabinetStatus, clock_s: float) -> int:
    """Cabinet's local time of day minus ours, whole seconds, in [-43200, 43200)."""
    difference = (status.utc_s + VIETNAM_S) % _DAY_S - int(clock_s)
    return (difference + _DAY_S // 2) % _DAY_S - _DAY_S // 2


def of_clock(error_s: int, lasting: int) -> Iterable[Alarm]:
    """The cabinet's clock, once it has been wrong for long enough."""
    if lasting >= CLOCK_TICKS:
        yield Alarm(
            "clock",
            "alarm",
            "plan-clock-error",
            f"Đồng hồ tủ lệch {error_s:+d} s",
            f"The cabinet's clock is {error_s:+d} s off",
        )


_OF_LINK = (Cause.LINK_LOST, Cause.FROZEN, Cause.LEASE_LOST, Cause.EPOCH_TAKEN)


def of_causes(
    cause: Cause, against: Cause | None, policy: Cause | None, plan: Cause | None, problem: str, error: str
) -> Iterable[Alarm]:
    """What the ladder found: a lost link or lease, lamps that differ, a policy that the rule replaces.

    Args:
        cause: of the mode.
        against: what speaks against ADAPTIVE, whatever the mode: an order may be its cause.
        policy: why the rule stands in, if it does.
        plan: why the cabinet does not run the plan of this hour, if it was given up.
        problem: what the link said.
        error: what the policy said, in the second in which it failed.
    """
    for standing, kind, detail in (
        (cause if cause in _OF_LINK else None, "link", problem if cause is Cause.LINK_LOST else ""),
        (against if against is Cause.READ_BACK else None, "alarm", ""),
        (policy, "alarm", error),
        (plan, "alarm", ""),
    ):
        if standing is not None:
            vi, en = CAUSES[standing]
            more = f": {detail}" if detail else ""
            yield Alarm(standing.value, kind, standing.value, vi + more, en + more)
