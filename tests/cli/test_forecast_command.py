"""`denxanh forecast`: every command on a site with some mornings."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from denxanh.cli.main import app
from denxanh.controller.centre.store import schema
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.site import CabinetEntry, write_site
from denxanh.errors import ModelError, ReportError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

BEGIN_MS = 1_793_574_000_000
"""2026-11-02 06:00 in Vietnam, a Monday."""


def denxanh(*words: str | Path) -> Result:
    result = CliRunner().invoke(app, ["forecast", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(*words: str | Path) -> Any:
    result = denxanh(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    path = tmp_path / "site.toml"
    cabinet = CabinetEntry(intersection=corridor.intersections[0].id, host="127.0.0.1")
    write_site(path, corridor="corridor.json", state_dir="state", policy="max-pressure", cabinets=[cabinet])
    rows = [
        {
            "intersection": corridor.intersections[0].id,
            "minute_ms": BEGIN_MS + day * 86_400_000 + minute * 60_000,
            "lane": lane, "seconds": 60, "queued_mean": 1.0 + day + minute / 30.0 + lane,
            "queued_max": 9.0, "moving_mean": 0.0, "confidence_min": 0.9,
        }
        for day in range(5)
        for minute in range(120)
        for lane in range(len(corridor.intersections[0].lanes))
    ]  # fmt: skip
    with (
        contextlib.closing(open_store(f"sqlite:///{tmp_path}/state/centre.db")) as store,
        store.writing() as connection,
    ):
        connection.execute(insert(schema.minutes), rows)
    return path


def test_fit_then_show_say_the_same(site: Path) -> None:
    fitted = document("fit", site)
    assert sum(fitted["days"].values()) == 5
    assert [one["horizon_min"] for one in fitted["errors"]] == [5, 15, 30]
    assert fitted["warnings"] == []
    shown = document("show", site)
    assert {**shown, "errors": []} == {**fitted, "errors": []}
    assert "mean absolute error on days left out" in denxanh("show", site).output


def test_fit_takes_only_the_days_asked_for(site: Path) -> None:
    assert sum(document("fit", site, "--since", "2026-11-03")["days"].values()) == 4
    with pytest.raises(ReportError, match="at least 4 days"):
        denxanh("fit", site, "--until", "2026-11-04")


def test_show_without_a_fit_says_what_to_do(site: Path) -> None:
    with pytest.raises(ModelError, match="denxanh forecast fit"):
        denxanh("show", site)


def test_hotspots_by_day(site: Path) -> None:
    found = document("hotspots", site, "--since", "2026-11-03", "--until", "2026-11-03")
    assert found["begin"].startswith("2026-11-03T00:00")
    assert found["end"].startswith("2026-11-04T00:00")
    assert [one["rank"] for one in found["approaches"]] == list(range(1, len(found["approaches"]) + 1))
    assert "pcu hours" in denxanh("hotspots", site).output


def test_hotspots_of_a_period_without_data_have_no_rank(site: Path) -> None:
    found = document("hotspots", site, "--since", "2020-01-01", "--until", "2020-01-01")
    assert {one["rank"] for one in found["intersections"]} == {None}
