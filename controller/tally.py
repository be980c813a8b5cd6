"""What a run did, in figures: the summary of `run` and of the demo."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from denxanh.controller.record import TickInput, TickOutput

SUMMARY_NAME = "controller-summary.json"
"""In the site's state folder; rewritten every minute and at the end."""
MAX_MODE_CHANGES = 10_000
"""Mode changes that the summary lists; the journal has them all."""


@dataclass(frozen=True, slots=True)
class ModeChange:
    """One line of `mode_changes`: `t` is the tick, `from` and `to` are modes. None: the first mode known."""

    t: int
    intersection: str
    mode_from: str | None
    mode_to: str
    cause: str


@dataclass(slots=True)
class RunSummary:
    """Counts since the start.

    `refusals`: the guard's reasons, one for each request; the cabinet's after `cabinet-`, one while it lasts,
    for it stands in the registers until the next verdict.
    """

    ticks: int = 0
    missed_ticks: int = 0
    commands: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    mode_changes: list[ModeChange] = field(default_factory=list)
    link_errors: int = 0
    late_decisions: int = 0
    unsent_commands: int = 0
    """Commands that were dropped because a cabinet's slow answer had used up their second."""
    max_lateness_s: float = 0.0
    """How long after its due time a tick began at worst, s."""
    journal_gaps: int = 0
    """Times that the journal could not be written and the cabinets were given back."""
    standing: dict[str, str] = field(default_factory=dict)
    """The cabinets' refusals as they were last heard, by intersection; not told."""

    def count(self, intersection: str, value: TickInput, output: TickOutput) -> None:
        """One second of one intersection; `commands` counts what was sent and is kept by the sender."""
        self.link_errors += value.link_error is not None
        self.late_decisions += value.late
        self.unsent_commands += value.unsent
        if output.guard_refusal is not None:
            self.refusals[output.guard_refusal] += 1
        if value.link_error is None:
            self._refused(intersection, output.cabinet_refusal)
        for event in output.events:
            if event.kind != "mode" or event.mode_to is None or len(self.mode_changes) >= MAX_MODE_CHANGES:
                continue
            before = None if event.mode_from is None else event.mode_from.value
            self.mode_changes.append(
                ModeChange(value.tick, intersection, before, event.mode_to.value, event.cause)
            )

    def _refused(self, intersection: str, reason: str | None) -> None:
        if reason is None:
            self.standing.pop(intersection, None)
        elif self.standing.get(intersection) != reason:
            self.standing[intersection] = reason
            self.refusals[f"cabinet-{reason}"] += 1

    def as_json(self) -> dict[str, object]:
        """The document of `controller-summary.json`.

        Mode changes of one second stand in the order of their intersections: which cabinet answers first
        is chance, and the same seed gives the same document.
        """
        values = asdict(self)
        del values["standing"]
        values["refusals"] = dict(sorted(self.refusals.items()))
        values["mode_changes"] = [
            {
                "t": change.t,
                "intersection": change.intersection,
                "from": change.mode_from,
                "to": change.mode_to,
                "cause": change.cause,
            }
            for change in sorted(self.mode_changes, key=lambda change: (change.t, change.intersection))
        ]
        return values

    def write(self, state_dir: Path) -> None:
        """Replace the summary file as a whole.

        Raises:
            OSError: it cannot be written.
        """
        scratch = state_dir / f"{SUMMARY_NAME}.new"
        scratch.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        scratch.replace(state_dir / SUMMARY_NAME)
