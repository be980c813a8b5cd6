"""`denxanh report` from a site file to files, and what it says when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from denxanh.cli.main import app
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.centre.store.schema import minutes, spans
from denxanh.controller.localtime import midnight_ms
from denxanh.errors import ConfigError, DenXanhError, ReportError, StoreError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

DAY = date(2026, 11, 30)
SITE = """
[site]
corridor = "corridor.json"
state_dir = "state"

[console]
port = 8420
city = "city.toml"

[[cabinet]]
intersection = "{0}"
host = "127.0.0.1"
port = 50001

[[cabinet]]
intersection = "{1}"
host = "127.0.0.1"
port = 50002
"""
Run = Callable[..., Any]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose store holds an hour of the last day of November 2026."""
    corridor = crossroads_corridor(2)
    compiled.dump(corridor, tmp_path / "corridor.json")
    path = tmp_path / "site.toml"
    path.write_text(SITE.format(*(one.id for one in corridor.intersections)), encoding="utf-8")
    (tmp_path / "city.toml").write_text("[indicators.co2]\nbaseline = 3.0\ntargets = { 2026 = 5 }\n")
    (tmp_path / "state").mkdir()
    store = open_store(f"sqlite:///{tmp_path / 'state' / 'centre.db'}")
    begin = midnight_ms(DAY) + 7 * 3_600_000
    place = corridor.intersections[0]
    lanes = [
        {
            "intersection": place.id, "minute_ms": begin + 60_000 * minute, "lane": lane, "seconds": 60,
            "queued_mean": 2.0, "queued_max": 4.0, "moving_mean": 1.0, "confidence_min": 0.9,
        }
        for minute in range(60)
        for lane in range(len(place.lanes))
    ]  # fmt: skip
    shown = {
        "intersection": place.id, "began_ms": begin, "ended_ms": begin + 3_600_000, "aspects": "G",
        "stage": 0, "in_interstage": False, "mode": "ADAPTIVE", "plan": 1,
    }  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(minutes), lanes)
        connection.execute(insert(spans), shown)
    store.close()
    return path


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: object, status: int = 0) -> Any:
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, done.output
        return done

    return invoke


def test_the_records_of_the_last_month(site: Path, run: Run) -> None:
    found = json.loads(run("report", "kpi", site, "--json").stdout)
    assert found["period"] == "2026-11"
    assert [one["id"] for one in found["records"]] == [
        "its_intersections", "congestion_time", "travel_cost", "co2", "fault_time",
    ]  # fmt: skip
    fields = {
        "lead_unit", "coordinating_unit", "baseline", "target_year", "target_period", "progress",
        "progress_kind", "status",
    }  # fmt: skip
    assert all(fields <= set(one) for one in found["records"])
    co2 = found["records"][3]
    assert (co2["lead_unit"], co2["coordinating_unit"]) == ("Sở Xây dựng", "UBND xã, phường")
    assert co2["status"] in ("đạt", "chưa đạt", "nguy cơ không đạt")
    assert found["records"][2]["status"] is None
    said = run("report", "kpi", site).stdout
    assert "chưa có mục tiêu" in said
    assert re.search(r"Số nút giao áp dụng ITS .* \d+ nút .* \d+ nút ", said)


@pytest.mark.parametrize("name", ["daily", "monthly", "quarterly", "adhoc", "annual", "five-year", "public"])
def test_every_report_is_written(site: Path, run: Run, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    done = json.loads(run("report", name, site, "--format", "html,xlsx", "--out", out, "--json").stdout)
    assert [Path(one["file"]).suffix for one in done["files"]] == [".html", ".xlsx"]
    assert all(Path(one["file"]).stat().st_size == one["bytes"] > 5_000 for one in done["files"])
    assert len(list(out.iterdir())) == 2  # nothing unfinished is left


def test_a_remark_comes_into_the_report(site: Path, run: Run, tmp_path: Path) -> None:
    words = "Triều cường làm ngập hai hướng"
    run(
        "report",
        "remark",
        site,
        "cause",
        words,
        "--indicator",
        "co2",
        "--month",
        "2026-11",
        "--by",
        "an.nguyen",
    )
    run("report", "monthly", site, "--month", "2026-11", "--format", "html", "--out", tmp_path)
    assert words in (tmp_path / "monthly-2026-11.html").read_text(encoding="utf-8")
    store = open_store(f"sqlite:///{tmp_path / 'state' / 'centre.db'}")
    assert audit.verify(store).rows == 1
    store.close()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("monthly", "--month", "2026-13"), ReportError, "there is no 2026-13"),
        (("monthly", "--month", "November"), ConfigError, "YYYY-MM"),
        (("quarterly", "--quarter", "2026-Q5"), ConfigError, "YYYY-Q1"),
        (("annual", "--year", "26"), ConfigError, "YYYY"),
        (("daily", "--day", "2026-02-30"), ConfigError, "YYYY-MM-DD"),
        (("adhoc", "--from", "2026-11-01"), ConfigError, "belong together"),
        (("monthly", "--format", "docx"), ConfigError, "no format"),
        (("monthly", "--ward", "Phường Không Có"), ReportError, "no junction"),
        (("remark", "gossip", "x", "--month", "2026-11"), ConfigError, "no kind"),
        (("remark", "cause", "x"), ConfigError, "one time"),
        (("remark", "cause", "x", "--month", "2026-11", "--indicator", "speed"), ConfigError, "no indicator"),
        (("remark", "progress", "x", "--month", "2026-11", "--indicator", "co2"), ReportError, "has a value"),
    ],
)
def test_what_is_wrong_is_said(
    site: Path, run: Run, arguments: tuple[str, ...], error: type[DenXanhError], words: str
) -> None:
    name, *rest = arguments
    with pytest.raises(error, match=words):
        run("report", name, site, *rest)


def test_a_site_without_a_store(site: Path, run: Run) -> None:
    (site.parent / "state" / "centre.db").unlink()
    with pytest.raises(StoreError):
        run("report", "kpi", site)
