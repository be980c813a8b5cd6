"""`denxanh store`: every command on a site that has recorded something."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from denxanh.cli.main import app
from denxanh.controller.centre.store import anchors, audit
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.site import CabinetEntry, write_site
from denxanh.errors import StoreError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor


def denxanh(*words: str | Path) -> Result:
    """A command; errors of ours come through as they are."""
    result = CliRunner().invoke(app, ["store", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(*words: str | Path) -> Any:
    """What a command says with --json."""
    result = denxanh(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with three rows in its audit log, the second one noted."""
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    path = tmp_path / "site.toml"
    cabinet = CabinetEntry(intersection=corridor.intersections[0].id, host="127.0.0.1")
    write_site(path, corridor="corridor.json", state_dir="state", policy="max-pressure", cabinets=[cabinet])
    with contextlib.closing(open_store(f"sqlite:///{tmp_path}/state/centre.db")) as store:
        for number in range(3):
            one = {
                "actor": "lan",
                "role": "operator",
                "action": "order.hold",
                "target": "x",
                "outcome": "done",
            }
            audit.append(store, **one, detail={})
            if number == 1:
                head = audit.verify(store).head
                assert head is not None
                anchors.note(tmp_path / "state" / anchors.FILE_NAME, head)
    return path


def test_status_says_how_it_stands(site: Path) -> None:
    found = document("status", site)
    assert found["rows"]["audit"] == 3
    assert found["recorded"] is None
    assert found["audit"].startswith("3:")
    words = denxanh("status", site).stdout
    assert found["audit"] in words
    assert "nothing of the journal" in words


def test_migrate_makes_a_database_and_then_has_nothing_to_do(site: Path) -> None:
    (site.parent / "state" / "centre.db").rename(site.parent / "old.db")
    with pytest.raises(StoreError, match="not there yet"):
        denxanh("status", site)
    first = document("migrate", site)
    assert first["from"] is None
    assert document("migrate", site)["from"] == first["to"]


def test_a_whole_log_is_said_to_be_whole(site: Path) -> None:
    head = document("status", site)["audit"]
    found = document("verify-audit", site, "--anchor", head)
    assert (found["whole"], found["rows"], found["anchors"]) == (True, 3, 2)
    assert denxanh("verify-audit", site).stdout.startswith("whole: 3 rows, 1 note")


@pytest.mark.parametrize(
    ("change", "row"),
    [("UPDATE audit SET actor = 'x' WHERE seq = 2", 2), ("DELETE FROM audit WHERE seq > 1", 2)],
)
def test_a_broken_log_is_status_1_and_names_the_row(site: Path, change: str, row: int) -> None:
    with (
        contextlib.closing(open_store(f"sqlite:///{site.parent}/state/centre.db")) as store,
        store.writing() as c,
    ):
        c.execute(text("DROP TRIGGER audit_refuses_update"))
        c.execute(text("DROP TRIGGER audit_refuses_delete"))
        c.execute(text(change))
    result = denxanh("verify-audit", site, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["first_broken"] == row
    assert f"BROKEN at row {row}" in denxanh("verify-audit", site).stdout


def test_what_was_backed_up_comes_back(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert document("backup", site, file)["rows"]["audit"] == 3
    with pytest.raises(StoreError, match="not empty"):
        denxanh("restore", site, file)
    (site.parent / "state" / "centre.db").rename(site.parent / "old.db")
    assert document("restore", site, file)["rows"]["audit"] == 3
    assert document("verify-audit", site)["whole"]


def test_export_writes_files_and_retain_says_what_went(site: Path, tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="polars is not installed (make setup)")
    written = document("export", site, "--out", tmp_path / "out", "--table", "audit")
    assert [one["rows"] for one in written] == [3]
    assert document("export", site, "--out", tmp_path / "out", "--until", "2020-01-01") == []
    removed = document("retain", site, "--events", "1")
    assert removed["events"] == 0
    assert "audit" not in removed


@pytest.mark.parametrize(
    "command", ["status", "migrate", "verify-audit", "backup", "restore", "export", "retain"]
)
def test_every_command_has_an_example(command: str) -> None:
    shown = denxanh(command, "--help").stdout
    assert f"Example: denxanh store {command} site.toml" in " ".join(shown.split())
