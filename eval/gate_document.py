"""The gate's verdict as one document (`gate.json`, `--json`) and as the rows of the model's card."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from denxanh.eval import gate_words, provenance
from denxanh.eval.gate_types import IDLE, PERSON, Evidence, Reason, Row, Rules, Verdict
from denxanh.eval.statistics import CONFIDENCE, RESAMPLES

NOT_A_DELAY = (PERSON, IDLE)
"""Checks that have columns of their own."""


@dataclass(frozen=True, slots=True)
class About:
    """What was judged, and how.

    Attributes:
        model: as it was named on the command line.
        name: on its card; empty where there is none.
        sha256: of the file; empty where it cannot be read.
        command: the command line that makes it again.
        looked: it was no full gate; nothing is written into the card.
        resumed: runs that were finished before.
        wall_s: how long it took.
    """

    model: str
    name: str = ""
    sha256: str = ""
    command: str = ""
    looked: bool = False
    resumed: int = 0
    wall_s: float = 0.0


def document(about: About, evidence: Evidence, rules: Rules, verdict: Verdict) -> dict[str, Any]:
    """The document; docs/gate.md explains its keys."""
    return {
        "model": about.model,
        "passed": verdict.passed,
        "reasons": [str(one) for one in verdict.reasons],
        "name": about.name,
        "sha256": about.sha256,
        "only_a_look": about.looked,
        "details": [detail(one) for one in verdict.reasons],
        "table": table(verdict),
        "rules": {
            "cases": [asdict(one) for one in rules.cases],
            "seeds": list(rules.seeds),
            "choosing_seeds": list(rules.choosing_seeds),
            "window_s": rules.window_s,
            "margin": _finite(rules.margin),
            "class_margin": _finite(rules.class_margin),
            "starved_margin": _finite(rules.starved_margin),
            "least_number": _finite(rules.least_number),
            "interval": {
                "method": "percentile bootstrap, paired",
                "confidence": CONFIDENCE,
                "resamples": RESAMPLES,
            },
        },
        "contenders": {
            case: [asdict(one) for one in contenders] for case, contenders in evidence.contenders.items()
        },
        "conditions": asdict(evidence.conditions),
        "runs": [run.model_dump(mode="json") for run in evidence.runs],
        "failures": [asdict(one) for one in evidence.failures],
        "command": about.command,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "code": sorted({run.code for run in evidence.runs}),
        "resumed": about.resumed,
        "wall_s": round(about.wall_s, 1),
    }


def text(found: Mapping[str, Any]) -> str:
    """The document as it is written."""
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def detail(reason: Reason) -> dict[str, Any]:
    """A reason in parts."""
    corridor, _, scenario = reason.case.partition("/")
    return {
        "rule": reason.rule.value,
        "corridor": corridor or None,
        "scenario": scenario or None,
        "figure": _finite(reason.figure),
        "bound": _finite(reason.bound),
        "vi": reason.vi,
        "en": reason.en,
    }


def table(verdict: Verdict) -> list[dict[str, Any]]:
    """One row per case that was judged. Delays in s per person, changes relative to the fixed plan."""
    against = {reason.case for reason in verdict.reasons}
    return [_row(row, row.case.id not in against) for row in verdict.rows]


def _row(row: Row, sound: bool) -> dict[str, Any]:
    return {
        "scenario": row.case.id,
        "held_out": row.case.held_out,
        "plan": row.opponent.name,
        "seeds": row.seeds,
        "delay_s": _rounded(row.delay_s),
        "plan_delay_s": _rounded(row.plan_delay_s),
        "change": _rounded(row.change),
        "ci95": [_rounded(one) for one in row.ci95],
        "changes": {
            check.name: _rounded(check.figure) for check in row.checks if check.name not in NOT_A_DELAY
        },
        "idle_green": _rounded(sum(check.figure for check in row.checks if check.name == IDLE)),
        "longest_wait": _rounded(row.longest_wait),
        "passed": sound and all(check.holds for check in row.checks),
    }


def worst(row: Mapping[str, Any]) -> str:
    """Whose delay grew most, or fell least, in words of both languages; empty where there is nobody."""
    changes = {name: value for name, value in row["changes"].items() if value is not None}
    if not changes:
        return ""
    name = max(changes, key=lambda one: changes[one])
    return " · ".join(gate_words.NAMES.get(name, (name, name))) + f" {gate_words.percent(changes[name])}"


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _rounded(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
