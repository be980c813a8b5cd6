"""What Prometheus is told: counters and states of controller, intersections, store and feeds.

Names follow Prometheus' conventions: base units (seconds, bytes) in the name, `_total` for what only grows.
What is not known is left out, so that an alarm on its absence can be set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from denxanh.controller.centre.store.keeping import Status
from denxanh.controller.mode import Mode
from denxanh.networks.register import Junction

COUNTERS: Mapping[str, tuple[str, str]] = {
    "commands": ("denxanh_commands", "Commands that the controller sent to cabinets."),
    "conflicts": ("denxanh_conflicts", "Seconds in which conflicting groups were seen green together."),
    "mode_changes": ("denxanh_mode_changes", "Changes of the mode of an intersection."),
    "link_errors": ("denxanh_link_errors", "Polls of a cabinet that failed."),
    "skipped": ("denxanh_journal_records_skipped", "Records of the journal that could not be read."),
}
"""Of the live picture, since the centre started."""
SUMMARY: Mapping[str, tuple[str, str]] = {
    "ticks": ("denxanh_controller_ticks", "Seconds that the controller has decided, of all intersections."),
    "missed_ticks": ("denxanh_controller_missed_ticks", "Seconds that the controller has left out."),
    "late_decisions": ("denxanh_controller_late_decisions", "Decisions dropped as too late."),
    "unsent_commands": ("denxanh_controller_unsent_commands", "Commands dropped for a slow cabinet."),
    "journal_gaps": ("denxanh_controller_journal_gaps", "Times that the journal could not be written."),
}
"""Of the controller's own summary, since it started; written once a minute."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the centre.

    Attributes:
        version: of the program.
        pulse: whether the controller is heard (`live`, …), and the age of its newest second.
        snapshot: of the live picture.
        register: the corridor's junctions.
        keeping: how the recording goes.
        alarms: that stand, by intersection (empty: the site) and cause.
        feeds: name, messages sent, last sign of life in ms, whether it is in trouble.
        summary: of the controller; empty where it has left none.
    """

    version: str
    pulse: tuple[str, float | None]
    snapshot: Mapping[str, Any]
    register: Mapping[str, Junction]
    keeping: Status
    alarms: Counter[tuple[str, str]]
    feeds: Sequence[tuple[str, int, int, bool]]
    summary: Mapping[str, Any]


def families(now: Figures) -> Iterator[Metric]:
    """All of it."""
    yield InfoMetricFamily("denxanh_build", "The program.", {"version": now.version})
    yield from _controller(now)
    yield from _intersections(now)
    yield from _store(now)
    yield from _feeds(now)


def _controller(now: Figures) -> Iterator[Metric]:
    heard, age_s = now.pulse
    yield _gauge("denxanh_controller_up", "Whether the controller is heard.", heard == "live")
    if age_s is not None:
        yield _gauge("denxanh_controller_last_second_age_seconds", "Since the newest second.", age_s)
    for key, (name, words) in COUNTERS.items():
        yield CounterMetricFamily(name, words, value=now.snapshot["counters"][key])
    refused = CounterMetricFamily(
        "denxanh_refusals", "Refused requests, by whom and why.", labels=("by", "reason")
    )
    for by in ("guard", "cabinet"):
        for reason, number in sorted(now.snapshot["counters"][f"{by}_refusals"].items()):
            refused.add_metric((by, reason), number)
    yield refused
    for key, (name, words) in SUMMARY.items():
        value = now.summary.get(key)
        if isinstance(value, int):
            yield CounterMetricFamily(name, words, value=value)
    late_s = now.summary.get("max_lateness_s")
    if isinstance(late_s, int | float):
        yield _gauge(
            "denxanh_controller_max_lateness_seconds", "Worst start of a second after its due time.", late_s
        )


def _intersections(now: Figures) -> Iterator[Metric]:
    modes = GaugeMetricFamily(
        "denxanh_intersection_mode", "1 for the mode of an intersection.", labels=("intersection", "mode")
    )
    link = GaugeMetricFamily(
        "denxanh_intersection_link_up", "Whether the cabinet answers.", labels=("intersection",)
    )
    age = GaugeMetricFamily(
        "denxanh_intersection_age_seconds", "Since it was last heard.", labels=("intersection",)
    )
    for name, one in sorted(now.snapshot["intersections"].items()):
        for mode in Mode:
            modes.add_metric((name, mode.value), float(one["mode"] == mode.value and not one["stale"]))
        link.add_metric((name,), float(one["link_error"] is None and not one["stale"]))
        age.add_metric((name,), one["age_s"])
    yield from (modes, link, age)
    standing = GaugeMetricFamily(
        "denxanh_alarms_standing", "Alarms that stand.", labels=("intersection", "cause")
    )
    for (place, cause), number in sorted(now.alarms.items()):
        standing.add_metric((place, cause), number)
    yield standing
    phases = GaugeMetricFamily(
        "denxanh_junctions_registered", "Junctions of the register, by ITS phase.", labels=("its_phase",)
    )
    for phase, number in sorted(
        Counter(str(one.its_phase or "unknown") for one in now.register.values()).items()
    ):
        phases.add_metric((phase,), number)
    yield phases


def _store(now: Figures) -> Iterator[Metric]:
    yield _gauge("denxanh_store_up", "Whether the store takes what is written.", now.keeping.available)
    yield _gauge("denxanh_recorder_lag_bytes", "Of the journal, not yet stored.", now.keeping.behind_bytes)


def _feeds(now: Figures) -> Iterator[Metric]:
    sent = CounterMetricFamily("denxanh_feed_messages_sent", "Messages acknowledged.", labels=("feed",))
    trouble = GaugeMetricFamily("denxanh_feed_trouble", "1 while a feed does not go on.", labels=("feed",))
    sign = GaugeMetricFamily(
        "denxanh_feed_last_sign_timestamp_seconds", "Last sign of life of a feed.", labels=("feed",)
    )
    for feed, number, updated_ms, troubled in now.feeds:
        sent.add_metric((feed,), number)
        trouble.add_metric((feed,), float(troubled))
        sign.add_metric((feed,), updated_ms / 1000)
    yield from (sent, trouble, sign)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value))
