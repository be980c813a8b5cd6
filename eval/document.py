"""`results.json`: everything about a matrix in one document, which `--json` prints too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from denxanh.eval import compare, provenance, summary
from denxanh.eval.matrix import Request
from denxanh.eval.results import Results
from denxanh.eval.statistics import CONFIDENCE, RESAMPLES
from denxanh.eval.tuning import Choice


def document(
    request: Request,
    results: Results,
    command: str,
    reference: str | None = None,
    choices: Sequence[Choice] = (),
) -> dict[str, Any]:
    """The document; docs/evaluate.md explains its keys.

    Args:
        request: what was asked for.
        results: what came of it.
        command: the command line that makes it again.
        reference: the policy that the others are compared with; see `compare.reference_of`.
        choices: the settings that were tuned for it.
    """
    against = compare.reference_of(request.policies, reference)
    return {
        "command": command,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "code": sorted({run.code for run in results.runs}),
        "code_changed": list(results.changed),
        "wall_s": round(results.wall_s, 1),
        "resumed": results.resumed,
        "seeds": list(request.seeds),
        "places": [asdict(place) for place in request.places],
        "policies": list(request.policies),
        "files": [asdict(one) for one in results.files],
        "reference": against,
        "conditions": asdict(request.conditions),
        "interval": {"method": "BCa bootstrap", "confidence": CONFIDENCE, "resamples": RESAMPLES},
        "runs": [run.model_dump(mode="json") for run in results.runs],
        "summary": summary.rows(results),
        "comparisons": compare.comparisons(results, against),
        "overall": compare.overall(results, against),
        "tuning": [asdict(one) for one in choices],
        "failures": [asdict(one) for one in results.failures],
    }


def text(found: dict[str, Any]) -> str:
    """The document as it is written."""
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
