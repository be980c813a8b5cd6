"""`denxanh plan install`: from a draft at the console into the corridor's folder, and back."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from denxanh.cli import notify
from denxanh.cli.main import app
from denxanh.controller import assembly
from denxanh.controller import site as sites
from denxanh.controller.centre import host
from denxanh.controller.centre.desk import calendar_draft, plan_draft, to_install
from denxanh.controller.centre.feeds.assembly import assembled, city_of, places_of
from denxanh.controller.centre.store import audit, drafts
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.errors import CorridorError, JournalError, ReportError, StoreError
from denxanh.networks import catalogue, compiled, corridor_files
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.plan_digest import digests, plan_digest, schedule_digest
from denxanh.networks.register import Junction

NAME = "nguyen-van-cu"
HERE = "THN_NVC"


def denxanh(*words: str | Path | int) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def done(*words: str | Path | int) -> Result:
    result = denxanh(*words)
    assert result.exit_code == 0, f"{result.output}{result.exception}"
    return result


def refused(*words: str | Path | int) -> str:
    error = denxanh(*words).exception
    assert isinstance(error, CorridorError | StoreError), error
    return str(error)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a corridor of its own and an empty store."""
    folder = tmp_path_factory.mktemp("prepared")
    done("network", "copy", NAME, folder)
    with store_of(written(folder, f"{NAME}/compiled.json", HERE)):
        return folder


@pytest.fixture(name="site")
def _site(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "site")) / "site.toml"


def written(folder: Path, corridor: str, place: str) -> Path:
    path = folder / "site.toml"
    path.write_text(
        f'[site]\ncorridor = "{corridor}"\nstate_dir = "state"\npolicy = "fixed"\n'
        '[console]\nport = 8420\nstore = "sqlite:///centre.db"\n'
        f'[[cabinet]]\nintersection = "{place}"\nhost = "192.0.2.1"\n'
    )
    return path


@contextlib.contextmanager
def store_of(site: Path) -> Iterator[Store]:
    with contextlib.closing(open_store(sites.load(site).store)) as store:
        yield store


def drafted(site: Path, seconds: int, *, base: str | None = "") -> int:
    """A draft in which `seconds` go from the first stage to the second."""
    one = sites.load(site).corridor.intersection(HERE)
    plan = one.plans[0]
    first, second, *rest = plan.splits
    moved = (
        replace(first, split_s=first.split_s - seconds),
        replace(second, split_s=second.split_s + seconds),
        *rest,
    )
    body = plan_draft.draft_of(one, replace(plan, splits=moved)).model_dump(mode="json")
    if base is not None:
        body[to_install.BASE] = base or plan_digest(one, plan)
    with store_of(site) as store, store.writing() as connection:
        return drafts.save(
            connection, kind="plan", target=f"{HERE}/1", body=body, author="lan", reason="tan trường muộn"
        )


def splits(site: Path) -> list[int]:
    return [split.split_s for split in sites.load(site).corridor.intersection(HERE).plans[0].splits]


def states(site: Path) -> dict[int, str]:
    with store_of(site) as store:
        return {row["id"]: row["state"] for row in drafts.listed(store).rows}


def log(site: Path) -> list[dict[str, Any]]:
    with store_of(site) as store:
        return [*audit.search(store, action="plan.").rows]


def test_a_draft_goes_to_the_street_and_comes_back(site: Path) -> None:
    before, draft = splits(site), drafted(site, 2)
    shown = done("plan", "install", site, draft, "--dry-run").stdout
    assert f"{HERE}/1" in shown
    assert "stage A" in shown
    assert (splits(site), states(site), log(site)) == (before, {draft: "draft"}, [])
    assert "--undo" in done("plan", "install", site, draft).stdout
    assert splits(site) == [before[0] - 2, before[1] + 2, before[2]]
    assert states(site) == {draft: "accepted"}
    (row,) = log(site)
    detail = json.loads(row["detail"])
    assert (row["action"], row["target"], detail["drafts"]) == ("plan.install", HERE, [draft])
    assert row["actor"].startswith("unix:")
    told = json.loads(done("plan", "install", site, "--undo", "--json").stdout)
    assert (told["undoes"], told["change"]) == (1, 2)
    assert splits(site) == before
    assert states(site) == {draft: "replaced"}
    assert [one["action"] for one in log(site)] == ["plan.undo", "plan.install"]


def test_two_drafts_of_one_base_do_not_overwrite_each_other(site: Path) -> None:
    first, second = drafted(site, 2), drafted(site, 3)
    done("plan", "install", site, first)
    assert "made from version" in refused("plan", "install", site, second)
    third = drafted(site, 1)
    done("plan", "install", site, third)
    assert states(site) == {first: "replaced", second: "draft", third: "accepted"}
    done("plan", "install", site, "--undo")
    assert states(site) == {first: "accepted", second: "draft", third: "replaced"}
    with store_of(site) as store:
        row = drafts.get(store, first)
        assert row is not None
        found = to_install.installed(store, row)
        assert found is not None
        assert found.by.startswith("unix:")


def test_drafts_that_cannot_be_installed_are_said(site: Path) -> None:
    assert "no such draft" in refused("plan", "install", site, 99)
    old = drafted(site, 2, base=None)
    assert "not known what they replace" in refused("plan", "install", site, old)
    done("plan", "install", site, old, "--unbased")
    gone = drafted(site, 1)
    with store_of(site) as store, store.writing() as connection:
        drafts.mark(connection, gone, drafts.State.WITHDRAWN)
    assert "withdrawn" in refused("plan", "install", site, gone)
    assert denxanh("plan", "install", site).exit_code == 2
    assert denxanh("plan", "install", site, gone, "--undo").exit_code == 2


def test_a_file_and_a_calendar_go_the_same_way(site: Path, tmp_path: Path) -> None:
    corridor = sites.load(site).corridor
    draft = calendar_draft.draft_of(corridor.schedule, {})
    earlier = draft.model_copy(
        update={"entries": (draft.entries[0].model_copy(update={"start": "04:30"}), *draft.entries[1:])}
    )
    body = earlier.model_dump(mode="json") | {to_install.BASE: schedule_digest(corridor.schedule)}
    with store_of(site) as store:
        with store.writing() as connection:
            number = drafts.save(
                connection, kind="calendar", target=corridor.id, body=body, author="lan", reason="mùa mới"
            )
        row = drafts.get(store, number)
    assert row is not None
    path = tmp_path / "calendar.toml"
    path.write_text(to_install.draft_text(row, corridor))
    assert "times of workday" in done("plan", "install", site, path).stdout
    assert states(site) == {number: "accepted"}
    assert "cannot be read" in refused("plan", "install", site, tmp_path / "none.toml")
    path.write_bytes(b"\xff\0")
    assert "cannot be read" in refused("plan", "install", site, path)


def test_what_belongs_to_the_program_or_was_imported_is_left_alone(tmp_path: Path) -> None:
    site = written(tmp_path, NAME, HERE)
    assert f"network copy {NAME}" in refused("plan", "install", site, "1")
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    site = written(tmp_path, "corridor.json", corridor.intersections[0].id)
    assert "imported" in refused("plan", "install", site, "1")


def test_a_copy_is_made_once_and_is_what_it_was_made_from(site: Path) -> None:
    assert "there already" in refused("network", "copy", NAME, site.parent)
    assert "no such folder" in refused("network", "copy", NAME, site.parent / "nowhere")
    copied = sites.load(site).corridor
    assert copied == sites.load(written(site.parent, NAME, HERE)).corridor


def test_the_log_has_no_row_of_what_was_not_written(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from denxanh.networks import plan_versions

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    draft = drafted(site, 2)
    monkeypatch.setattr(plan_versions, "put", full)
    assert "No space left" in refused("plan", "install", site, draft)
    assert (log(site), states(site)) == ([], {draft: "draft"})


def test_a_journal_of_earlier_plans_is_replayed_with_them(site: Path) -> None:
    record = assembly.opening(sites.load(site), 1)
    assert record["plans"] == digests(sites.load(site).corridor)
    done("plan", "install", site, drafted(site, 2))
    assert assembly.opening(sites.load(site), 2)["plans"] != record["plans"]
    assert list(assembly.rebuild(record, "journal")) == [HERE]
    with pytest.raises(JournalError, match="has changed since"):
        assembly.rebuild({**record, "corridor_digest": "0" * 16}, "journal")


def test_a_copy_of_its_own_keeps_the_holidays_names(site: Path) -> None:
    path = site.parent / NAME / "schedule.toml"
    path.write_text(path.read_text().replace("Tết Dương lịch", "Tết Tây"))
    folder = catalogue.texts(sites.load(site).corridor_name, site.parent)
    assert folder == path.parent
    assert "Tết Tây" in {vi for vi, _ in corridor_files.holiday_names(folder).values()}
    assert catalogue.texts(NAME, site.parent) == catalogue.path(NAME)
    assert catalogue.texts("other.json", site.parent) is None


def test_everybody_reads_the_register_of_the_own_folder(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ward = site.parent / NAME / "register.toml", "Phường Mới"
    text = path.read_text()
    path.write_text(re.sub('ward = "[^"]+"', f'ward = "{ward}"', text))
    assert {one.ward for one in sites.load(site).register().values()} == {ward}
    feed = f'[[feed]]\nname = "w"\nsource = "events"\nwards = ["{ward}"]\n'
    feed += '[feed.to]\nkind = "folder"\npath = "out"\n'
    rule = f'[[notify.rule]]\nname = "r"\nwhat = "silence"\nwards = ["{ward}"]\n'
    (site.parent / "city.toml").write_text(feed + rule)
    site.write_text(site.read_text().replace("[console]", '[console]\ncity = "city.toml"'))
    found = sites.load(site)
    ((feed_table,), notify_table) = city_of(found)[1].feed, city_of(found)[1].notify
    assert places_of(found, feed_table) == {one.id for one in found.corridor.intersections}
    assert [one.places for one in assembled(found)[0]] == [places_of(found, feed_table)]
    assert {*notify._wards(found, notify_table).values()} == {ward}
    monkeypatch.chdir(tmp_path)
    done("export", "open-data", site, "--day", "2026-11", "--ward", ward)
    assert ward in done("maturity", site, "--from", "2026-11-01", "--to", "2026-11-02").stdout
    seen: list[str] = []

    def basis(*_: object, register: Mapping[str, Junction], **__: object) -> None:
        seen.extend({one.ward for one in register.values()})
        raise ReportError("enough")

    monkeypatch.setattr("denxanh.controller.centre.reports.basis.basis", basis)
    assert isinstance(denxanh("report", "monthly", site, "--month", "2026-10").exception, ReportError)
    assert seen == [ward]


def test_flood_plans_are_drafted_and_installed(site: Path, tmp_path: Path) -> None:
    place, arm = "NVC_CMT8", "NVC_CMT8_sw"
    site.write_text(site.read_text().replace(HERE, place))
    out = tmp_path / "flood.toml"
    done("plan", "flood", site, place, arm, "--out", out)
    assert done("plan", "flood", site, place, arm).stdout == out.read_text()
    done("plan", "install", site, out)
    plans = sites.load(site).corridor.intersection(place).plans
    assert [plan.number for plan in plans] == [1, 2, 3, 101, 102, 103]
    again = json.loads(done("plan", "install", site, "--undo", "--json").stdout)
    assert list(again["changed"]) == [f"{place}/{number}" for number in (101, 102, 103)]
    before = out.read_text()
    out.write_text(before + "# của tôi\n")
    assert "there already" in refused("plan", "flood", site, place, arm, "--out", out)
    assert out.read_text() == before + "# của tôi\n"
    assert "cannot be written" in refused(
        "plan", "flood", site, place, arm, "--out", tmp_path / "no/flood.toml"
    )
    assert "no approach" in refused("plan", "flood", site, place, "nowhere")
    assert "no intersection" in refused("plan", "flood", site, HERE, arm)
    away = "NVC_CMT8-NVC_TVC"
    assert done("plan", "flood", site, place, arm, "--towards", away).stdout != before
    assert "nothing leads to" in refused("plan", "flood", site, place, arm, "--towards", arm)
    assert "cannot give them less" in refused("plan", "flood", site, place, "NVC_CMT8_se")


@pytest.mark.parametrize("undoing", [False, True])
def test_a_change_that_the_log_missed_is_written_at_the_next_call(
    site: Path, undoing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drafted(site, 2)
    done("plan", "install", site, first)
    second = drafted(site, 1)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(to_install, "note_installed", killed)
        assert denxanh("plan", "install", site, "--undo" if undoing else second).exit_code
    assert len(log(site)) == 1
    refused("plan", "install", site, 99, "--dry-run")
    assert len(log(site)) == 1
    for _ in range(2):
        assert "no such draft" in refused("plan", "install", site, 99)
        row, _old = log(site)
        detail = json.loads(row["detail"])
        assert (row["action"], detail["change"]) == ("plan.undo" if undoing else "plan.install", 2)
        assert row["actor"].startswith("unix:")
        assert detail["at"].startswith("20")
        assert states(site)[first] == "replaced"
        assert states(site)[second] == ("draft" if undoing else "accepted")
    done("plan", "install", site, first if undoing else "--undo")
    assert len(log(site)) == 3


def test_the_centre_writes_what_the_log_missed_when_it_starts(
    site: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    draft = drafted(site, 2)
    with monkeypatch.context() as here:
        here.setattr(to_install, "note_installed", killed)
        assert denxanh("plan", "install", site, draft).exit_code
    assert (log(site), states(site)) == ([], {draft: "draft"})
    with store_of(site) as store:
        host._note_missed(store, sites.load(site))
        host._note_missed(store, sites.load(site))
    assert [row["action"] for row in log(site)] == ["plan.install"]
    assert states(site) == {draft: "accepted"}
    (site.parent / NAME / "versions/0001/change.json").write_text("{")
    with store_of(site) as store:
        host._note_missed(store, sites.load(site))
    assert "not the record of a change" in caplog.text


def test_the_log_gets_no_row_of_what_came_to_nothing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from denxanh.networks import plan_versions

    real = plan_versions.put

    def dying(path: Path, content: bytes) -> None:
        if path.name == "compiled.json" and path.parent.name == NAME:
            raise KeyboardInterrupt
        real(path, content)

    draft, folder = drafted(site, 2), site.parent / NAME
    with monkeypatch.context() as here:
        here.setattr(plan_versions, "put", dying)
        assert denxanh("plan", "install", site, draft).exit_code
    for name in plan_versions.FILES:
        shutil.copy(folder / "versions/0001" / name, folder / name)
    assert "no such draft" in refused("plan", "install", site, 99)
    assert (log(site), states(site)) == ([], {draft: "draft"})


def test_a_draft_that_nobody_installed_is_never_called_installed(site: Path) -> None:
    same, draft = drafted(site, 0), drafted(site, 2)
    done("plan", "install", site, draft)
    done("plan", "install", site, "--undo")
    assert states(site) == {same: "draft", draft: "replaced"}


def test_whose_text_was_installed_as_a_file_is_told(site: Path, tmp_path: Path) -> None:
    draft = drafted(site, 2)
    with store_of(site) as store:
        row = drafts.get(store, draft)
        assert row is not None
        path = tmp_path / "plan.toml"
        path.write_text(to_install.draft_text(row, sites.load(site).corridor))
    done("plan", "install", site, path)
    with store_of(site) as store:
        row = drafts.get(store, draft)
        assert row is not None
        assert row["state"] == "accepted"
        assert to_install.installed(store, row) is not None


@pytest.mark.parametrize("number", ["9" * 23, "9" * 18, "0"])
def test_a_number_that_no_draft_has(site: Path, number: str) -> None:
    assert "no such draft" in refused("plan", "install", site, number)
