"""`results.json`: everything about a matrix in one document, which `--json` prints too."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from denxanh.eval import provenance, summary
from denxanh.eval.matrix import Request
from denxanh.eval.results import Results


def document(request: Request, results: Results, command: str) -> dict[str, Any]:
    """The document; docs/evaluate.md explains its keys.

    Args:
        request: what was asked for.
        results: what came of it.
        command: the command line that makes it again.
    """
    return {
        "command": command,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "code": list(results.codes),
        "wall_s": round(results.wall_s, 1),
        "resumed": results.resumed,
        "seeds": list(request.seeds),
        "conditions": asdict(request.conditions),
        "runs": [run.model_dump(mode="json") for run in results.runs],
        "summary": summary.rows(results),
        "failures": [asdict(one) for one in results.failures],
    }


def text(found: dict[str, Any]) -> str:
    """The document as it is written."""
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
