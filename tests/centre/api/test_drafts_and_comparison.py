"""Drafts of plans and of the calendar, the log as a file, and the comparison, over the API."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.desk import plan_draft
from denxanh.controller.centre.desk.plan_draft import PlanDraft
from denxanh.controller.centre.store import audit, drafts, schema
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError
from denxanh.networks.plan_digest import digests, plan_digest

REASON = "Giờ tan trường muộn hơn"


def plan(*splits: int, offset_s: int = 0) -> dict[str, Any]:
    stages = ("main", "main-turn", "side")
    return {
        "name": "Ngày",
        "offset_s": offset_s,
        "splits": [{"stage": one, "split_s": s} for one, s in zip(stages, splits, strict=True)],
    }


def test_a_plan_is_checked_with_what_each_entry_needs(town: Any) -> None:
    body = {"intersection": "X1", "number": 1, "plan": plan(20, 15, 35, offset_s=70)}
    found = town.ask("POST", "plans/check", Role.VIEWER, json=body).json()
    assert (found["cycle_s"], found["may_be_saved"]) == (70, False)
    assert [(one["rule"], one["entry"], one["blocks"]) for one in found["defects"]] == [
        ("offset", None, True),
        ("too-short", 0, True),
        ("cycle-differs", None, False),
    ]
    assert found["defects"][1]["text"]["vi"] == "Pha main có 20 s, cần ít nhất 21 s."
    assert [(one["least_s"], one["longest_s"]) for one in found["entries"]] == [(21, 65), (14, 65), (24, 50)]


def test_a_draft_is_kept_by_version_with_author_and_reason(town: Any) -> None:
    body = {"intersection": "X1", "number": 1, "reason": REASON, "plan": plan(40, 17, 33)}
    first = town.ask("POST", "plans/drafts", json=body)
    assert first.status_code == 201
    second = town.ask("POST", "plans/drafts", json=body | {"plan": plan(42, 15, 33)}).json()
    versions = town.get("plans/drafts", target="X1/1")["drafts"]
    assert [one["id"] for one in versions] == [second["id"], first.json()["id"]]
    assert (versions[0]["author"], versions[0]["reason"], versions[0]["sound"]) == (
        "test-engineer",
        REASON,
        True,
    )
    assert town.get("plans/drafts", target="X1/2")["drafts"] == []
    text = town.ask("GET", f"plans/drafts/{second['id']}/toml").text
    assert tomllib.loads(text)["plan"][0]["splits"] == [["main", 42], ["main-turn", 15], ["side", 33]]
    assert f"# reason: {REASON}" in text
    gone = town.ask("POST", f"plans/drafts/{second['id']}/withdraw").json()
    assert gone["state"] == "withdrawn"
    assert town.ask("POST", f"plans/drafts/{second['id']}/withdraw").json() == gone
    with town.store.writing() as connection:
        drafts.mark(connection, first.json()["id"], drafts.State.ACCEPTED)
    kept = town.ask("POST", f"plans/drafts/{first.json()['id']}/withdraw")
    assert (kept.status_code, kept.json()["title"]) == (409, "This cannot be done now")
    done = [row["action"] for row in audit.search(town.store, action="draft.", target="X1").rows]
    assert done == ["draft.withdraw", "draft.save", "draft.save"]


def test_a_draft_that_the_log_does_not_take_is_not_kept(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise StoreError("the disk is full")

    running = town.get("calendar")
    before = town.get("plans/drafts")["drafts"]
    calendars = town.get("calendar/drafts")["drafts"]
    with monkeypatch.context() as broken:
        broken.setattr(audit, "entry", full)
        body = {"intersection": "X1", "number": 1, "reason": REASON, "plan": plan(40, 17, 33)}
        assert town.ask("POST", "plans/drafts", json=body).status_code == 503
        body = {"reason": REASON, "calendar": running}
        assert town.ask("POST", "calendar/drafts", json=body).status_code == 503
        for one in before:
            assert town.ask("POST", f"plans/drafts/{one['id']}/withdraw").status_code in (200, 409, 503)
    assert town.get("plans/drafts")["drafts"] == before
    assert town.get("calendar/drafts")["drafts"] == calendars


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"plan": plan(20, 15, 35)}, 409),
        ({"plan": plan(40, 15, 35) | {"splits": [{"stage": "nix", "split_s": 40}]}}, 409),
        ({"intersection": "X9"}, 404),
        ({"reason": "ab"}, 422),
        ({"plan": {"name": "x"}}, 422),
    ],
)
def test_a_wrong_draft_is_not_kept(town: Any, change: dict[str, Any], status: int) -> None:
    before = town.get("plans/drafts")["drafts"]
    body = {"intersection": "X2", "number": 1, "reason": REASON, "plan": plan(40, 15, 35)} | change
    answer = town.ask("POST", "plans/drafts", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert town.get("plans/drafts")["drafts"] == before


def test_a_calendar_s_draft_is_the_whole_schedule(town: Any) -> None:
    running = town.get("calendar")
    assert len(running["week"]) == 7
    assert town.ask("POST", "calendar/check", json=running).json() == {"may_be_saved": True, "defects": []}
    tet = {"date": "2027-02-06", "day": running["week"][6], "name_vi": "Tết", "name_en": "Lunar New Year"}
    changed = running | {"holidays": [*running["holidays"], tet]}
    saved = town.ask("POST", "calendar/drafts", json={"reason": REASON, "calendar": changed}).json()
    assert saved["calendar"] == changed
    text = town.ask("GET", f"calendar/drafts/{saved['id']}/toml").text
    assert "2027-02-06" in [one["date"] for one in tomllib.loads(text)["holiday"]]
    broken = running | {"week": [*running["week"][:6], "market"]}
    answer = town.ask("POST", "calendar/drafts", json={"reason": REASON, "calendar": broken})
    assert answer.status_code == 409
    assert "Chủ nhật" in answer.json()["vi"]
    assert town.ask("GET", f"plans/drafts/{saved['id']}").status_code == 404


def test_the_log_as_a_file_holds_what_fits_and_no_formula(town: Any) -> None:
    for reason in ("=HYPERLINK(1)", "yên ổn"):
        audit.append(
            town.store, actor="=cmd", role="operator", action="order.hold", target="X1", outcome="done",
            detail={"reason": reason},
        )  # fmt: skip
    answer = town.ask("GET", "audit/export", params={"actor": "=cmd"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["detail"] for row in rows] == ['{"reason":"yên ổn"}', '{"reason":"=HYPERLINK(1)"}']
    assert {row["actor"] for row in rows} == {"'=cmd"}
    (entry,) = town.get("audit", action="audit.export")["entries"]
    assert entry["detail"]["asked"] == {"actor": "=cmd"}
    filters = {"action": "order", "target": "X1", "outcome": "done", "text": "yên"}
    assert town.ask("GET", "audit/export", params=filters).status_code == 200
    assert town.get("audit", action="audit.export")["entries"][0]["detail"]["asked"] == filters
    assert town.ask("GET", "audit/export", Role.OPERATOR).status_code == 403
    assert len(town.get("audit", action="audit.export")["entries"]) == 2


def test_the_comparison_counts_hours_and_concludes_nothing_from_a_moment(town: Any, place: str) -> None:
    found = town.get(f"intersections/{place}/comparison", days=1)
    assert found["verdict"] == "nothing-to-compare"
    assert found["difference_pcu"] is None
    assert found["hours"] == []
    assert (found["least_minutes"], found["least_hours"], found["least_days"]) == (15, 8, 3)


def test_the_comparison_reads_what_is_stored(town: Any, place: str) -> None:
    """Odd days adaptive with short queues, even days on a plan with longer ones, from 6 to 18 o'clock."""
    today = town.app.state.centre.clock(place).replace(hour=0, minute=0, second=0, microsecond=0)
    lanes = len(town.app.state.corridor.intersection(place).lanes)
    rows: list[dict[str, Any]] = []
    queued: list[dict[str, Any]] = []
    for day in range(1, 15):
        begin = int((today - timedelta(days=day) + timedelta(hours=6)).timestamp() * 1000)
        for hour in range(12):
            at = begin + hour * 3_600_000
            rows.append(
                {
                    "intersection": place,
                    "began_ms": at,
                    "ended_ms": at + 3_600_000,
                    "aspects": "r",
                    "stage": 0,
                    "in_interstage": False,
                    "mode": "ADAPTIVE" if day % 2 else "PLAN",
                }
            )
            queued += [
                {
                    "intersection": place,
                    "minute_ms": at + minute * 60_000,
                    "lane": lane,
                    "seconds": 60,
                    "queued_mean": 1.0 if day % 2 else 1.5,
                    "queued_max": 2.0,
                    "moving_mean": 0.0,
                    "confidence_min": 0.9,
                }
                for minute in range(20)
                for lane in range(lanes)
            ]
    with town.store.writing() as connection:
        connection.execute(insert(schema.spans), rows)
        connection.execute(insert(schema.minutes), queued)
    found = town.get(f"intersections/{place}/comparison", days=15)
    assert found["verdict"] == "less-waiting"
    assert found["difference_pcu"] == pytest.approx(-0.5 * lanes)
    assert {one["hour"] for one in found["hours"]} == set(range(6, 18))
    assert sum(one["adaptive_pcu"] for one in found["approaches"]) == pytest.approx(lanes, abs=0.05)
    whole = [day for day in found["days"] if day["hours"].get("adaptive") == 12]
    assert len(whole) == 7


def test_of_a_draft_it_is_said_what_it_was_made_from_and_whether_it_runs(town: Any) -> None:
    body = {"intersection": "X1", "number": 1, "reason": REASON, "plan": plan(40, 17, 33)}
    first = town.ask("POST", "plans/drafts", json=body).json()
    assert (first["installed"], first["running"]) == (None, None)  # this controller does not say what it runs
    text = town.ask("GET", f"plans/drafts/{first['id']}/toml").text
    assert text.startswith("# base: X1/1 ")
    assert town.ask("POST", "plans/drafts", json=body | {"base": "x"}).status_code == 422
    fresh = town.ask("POST", "plans/drafts", json=body | {"number": 7, "base": "-"}).json()
    assert "# base: X1/7 -\n" in town.ask("GET", f"plans/drafts/{fresh['id']}/toml").text


def test_the_page_says_when_the_controller_runs_something_else(town: Any) -> None:
    corridor, feed = town.street.corridor, town.app.state.centre.feed
    draft = {"name": "Ngày", "offset_s": 0, "splits": plan(40, 15, 35)["splits"]}
    one = corridor.intersection("X1")
    body = {"intersection": "X1", "number": 1, "reason": REASON, "plan": draft}
    saved = town.ask("POST", "plans/drafts", json=body).json()
    mine = plan_digest(one, plan_draft.plan_of(one, 1, PlanDraft.model_validate(draft)))

    def opened(plans: object) -> None:
        with town.street.journal.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"k": "open", "v": 1, "plans": plans}) + "\n")

    shown = digests(corridor)
    opened(shown)
    town.until(lambda: feed.running() == shown)
    assert 'id="other-version"' not in town.ask("GET", "/plans").text
    assert town.get(f"plans/drafts/{saved['id']}")["running"] is (mine == shown["X1/1"])
    opened({**shown, "X1/1": mine, "calendar": 7})
    town.until(lambda: feed.running() != shown)
    assert ("X1/1" in town.ask("GET", "/plans").text.split('id="other-version"')[1][:200]) is (
        mine != shown["X1/1"]
    )
    assert town.get(f"plans/drafts/{saved['id']}")["running"] is True
    opened(["rubbish"])
    town.until(lambda: feed.running() is None)
    assert town.get(f"plans/drafts/{saved['id']}")["running"] is None
