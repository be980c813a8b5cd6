"""Who is turned away is told so in the API's words, and the audit log has it (alone: it limits such rows)."""

from __future__ import annotations

from typing import Any

from denxanh.controller.operator.message import Role


def test_a_refusal_is_a_problem_and_on_record(town: Any, place: str) -> None:
    answer = town.order(f"intersections/{place}/hold", "refused-1", role=Role.VIEWER, stage=0, for_s=60)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    entries = town.get("audit", actor="test-viewer", action="access.")["entries"]
    assert any(one["target"].endswith(f"/intersections/{place}/hold") for one in entries)
    assert town.ask("GET", "commands/refused-1").status_code == 404
