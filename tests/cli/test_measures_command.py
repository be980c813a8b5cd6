"""`denxanh measures` as a person types it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from denxanh.cli.main import app
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.centre.store.schema import signal_events
from denxanh.controller.site import CabinetEntry, write_site
from denxanh.errors import DenXanhError, ReportError, SiteError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

BEGIN_MS = 1_764_000_000_000


def denxanh(*words: str | Path) -> Result:
    result = CliRunner().invoke(app, ["measures", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with ten minutes of one phase and a vehicle that goes on red each minute."""
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    path = tmp_path / "site.toml"
    cabinet = CabinetEntry(intersection=corridor.intersections[0].id, host="127.0.0.1")
    write_site(path, corridor="corridor.json", state_dir="state", policy="max-pressure", cabinets=[cabinet])
    rows = [(BEGIN_MS, 911, 0)]
    for at in range(BEGIN_MS, BEGIN_MS + 600_000, 60_000):
        rows += [(at + 1000, 1, 1), (at + 21_000, 6, 1), (at + 21_000, 8, 1), (at + 24_000, 10, 1)]
        rows += [(at + 25_000, 82, 5), (at + 25_400, 81, 5)]
    with (
        contextlib.closing(open_store(f"sqlite:///{tmp_path}/state/centre.db")) as store,
        store.writing() as to,
    ):
        to.execute(
            insert(signal_events),
            [
                {"intersection": "X1", "at_ms": at, "code": code, "parameter": parameter}
                for at, code, parameter in rows
            ],
        )
    return path


def test_tables_say_what_happened(site: Path) -> None:
    told = denxanh(site, "X1").output
    assert "% of the time is known" in told.splitlines()[0]
    line = next(line for line in told.splitlines() if line.startswith("│ main "))
    assert [cell.strip() for cell in line.strip("│").split("│")][:5] == ["main", "10", "0", "0", "10"]
    assert "Yellow and red entries" in told


def test_json_and_pictures(site: Path, tmp_path: Path) -> None:
    times = ("--since", "2025-11-24T23:00", "--until", "2025-11-24 23:10")
    answer = denxanh(site, "X1", *times, "--json", "--out", tmp_path / "pictures")
    found = json.loads(answer.stdout)
    assert found["phases"][0]["red_entries"] == 10
    assert found["phases"][0]["severe_entries"] == 0
    assert found["known_s"] == pytest.approx(565.4)
    drawn = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert drawn == sorted(
        ["terminations.svg"]
        + [
            f"{kind}-{name}.svg"
            for kind in ("splits",)
            for name in ("main", "side", "main-turn", "side-turn")
        ]
        + [f"coordination-{name}.svg" for name in ("main", "side", "main-turn")]
    )
    for path in (tmp_path / "pictures").iterdir():
        ElementTree.fromstring(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("nowhere",), SiteError, "one of X1"),
        (("X1", "--since", "2025-11-25"), ReportError, "--since must lie before --until"),
        (("X1", "--since", "2020-01-01"), ReportError, "31 days"),
    ],
)
def test_what_cannot_be_told_is_said(
    site: Path, words: tuple[str, ...], error: type[DenXanhError], says: str
) -> None:
    with pytest.raises(error, match=says):
        denxanh(site, *words)


def test_a_store_without_events(site: Path, tmp_path: Path) -> None:
    with (
        contextlib.closing(open_store(f"sqlite:///{tmp_path}/state/centre.db")) as store,
        store.writing() as to,
    ):
        to.execute(signal_events.delete())
    with pytest.raises(ReportError, match="no high-resolution events yet"):
        denxanh(site, "X1")
