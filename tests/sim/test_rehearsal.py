"""Two short days on a small net: what comes into the journal, and from there into the store."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from denxanh.cli.month_site import MonthFolder, Store, labelled, prepare
from denxanh.controller import journal as journals
from denxanh.controller import site as sites
from denxanh.controller.centre.store import recorder
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.centre.store.schema import alarms, events, minutes, runs, signal_events, spans
from denxanh.controller.replay import replay
from denxanh.errors import ConfigError, JournalError, SiteError, StoreError
from denxanh.networks.demand import Fidelity
from denxanh.networks.model import DetectorKind
from denxanh.sim import day_process
from denxanh.sim.almanac import FLOOD_CM
from denxanh.sim.day import WARMUP_S, Day, Incident, Play, Traffic, Window
from denxanh.sim.day_process import Job, make
from denxanh.sim.faults import FaultKind
from denxanh.sim.rehearsal import incidents_xml
from denxanh.sim.scenario import Scenario
from denxanh.sim.spec import FaultSpec, Happening

SECONDS = 100
TRAFFIC = (Traffic(begin_s=0, demand="am"),)
FIRST, SECOND = Window(begin_s=240, end_s=240 + SECONDS), Window(begin_s=600, end_s=600 + SECONDS)


@dataclass(frozen=True)
class TownStreets:
    """The town's traffic at any time of the day."""

    town: Any

    def __call__(self, day: Day, play: Play, seed: int, folder: Path) -> Scenario:
        scenario = self.town.scenario()
        window = play.window
        return replace(
            scenario, begin_s=window.begin_s - WARMUP_S, end_s=window.end_s, measure_from_s=window.begin_s
        )


def lane_of(corridor: Any) -> str:
    return corridor.intersections[0].lanes[0].id


def days(corridor: Any) -> tuple[Day, Day]:
    detectors = corridor.intersections[0].detectors
    loop = next(one.id for one in detectors if one.kind is DetectorKind.STOP_LINE)
    broken = FaultSpec(
        happening=Happening.DETECTOR,
        target=f"B1/{loop}",
        at_s=70,
        for_s=20,
        fault=FaultKind.DROPOUT,
    )
    lost = FaultSpec(happening=Happening.LINK, target="B1", at_s=30, for_s=15)
    stood = Incident(at_s=5, for_s=60, lane=lane_of(corridor))
    return (
        Day(
            number=1,
            date="2026-10-01",
            factor=1.0,
            adaptive=True,
            holiday=False,
            water_cm=FLOOD_CM,
            plays=(
                Play(window=FIRST, traffic=TRAFFIC, faults=(broken,), incidents=(stood,)),
                Play(window=SECOND, traffic=TRAFFIC),
            ),
        ),
        Day(
            number=2,
            date="2026-10-02",
            factor=1.0,
            adaptive=False,
            holiday=False,
            water_cm=None,
            plays=(Play(window=FIRST, traffic=TRAFFIC, faults=(lost,)),),
        ),
    )


@dataclass(frozen=True)
class Month:
    folder: MonthFolder
    days: tuple[Day, Day]
    wish: dict[str, Any]

    def records(self, day: int) -> list[dict[str, Any]]:
        path = self.folder.day(self.days[day]) / journals.JOURNAL_NAME
        return [record for _, record in journals.read(path)]

    def copy(self, root: Path) -> Month:
        """The days before they are stored."""
        shutil.copytree(self.folder.root, root)
        return Month(MonthFolder(root), self.days, self.wish)


@pytest.fixture(scope="module")
def made(town: Any, tmp_path_factory: pytest.TempPathFactory) -> Month:
    folder = MonthFolder(tmp_path_factory.mktemp("month") / "town")
    wish = {"policy": "max-pressure"}
    prepare(folder, labelled(town.corridor), wish)
    month = Month(folder, days(town.corridor), wish)
    for day in month.days:
        make(job(month, day), TownStreets(town))
    return month


def job(month: Month, day: Day) -> Job:
    return Job(
        site=month.folder.site,
        corridor="town",
        fidelity=Fidelity.SUBLANE,
        seed=1,
        day=day,
        out=month.folder.day(day),
    )


def test_every_second_of_every_window_is_a_tick_of_the_real_controller(made: Month) -> None:
    records = made.records(0)
    kinds = Counter(record["k"] for record in records)
    assert kinds["open"] == kinds["close"] == 2
    ticks = [record["in"] for record in records if record["k"] == "tick"]
    assert [one["clock_s"] for one in ticks] == [
        *range(FIRST.begin_s, FIRST.end_s),
        *range(SECOND.begin_s, SECOND.end_s),
    ]
    assert {one["date"] for one in ticks} == {"2026-10-01"}
    assert not any(one.get("late") or one.get("unsent") for one in ticks)
    opened = [record for record in records if record["k"] == "open"]
    assert opened[0]["t"] == "2026-10-01T00:04:00+07:00"
    assert [one["epoch"] for one in opened] == [1, 2]


def test_adaptive_control_is_on_one_day_and_an_order_keeps_the_plan_on_the_other(made: Month) -> None:
    modes = [
        {record["out"]["mode"] for record in made.records(day) if record["k"] == "tick"} for day in (0, 1)
    ]
    assert "ADAPTIVE" in modes[0]
    assert "ADAPTIVE" not in modes[1]
    assert "PLAN" in modes[1]
    (given,) = [record["order"] for record in made.records(1) if record["k"] == "order"]
    assert given["reason"].endswith("(mô phỏng)")
    assert not any(record["k"] == "order" for record in made.records(0))


def test_the_water_is_told_and_renewed(made: Month) -> None:
    told = [record["message"] for record in made.records(0) if record["k"] == "request"]
    assert [one["level_cm"] for one in told] == [FLOOD_CM, FLOOD_CM]  # once per window of 100 s
    assert not any(record["k"] == "request" for record in made.records(1))


def test_each_decision_can_be_replayed(made: Month) -> None:
    for day in made.days:
        result = replay(made.folder.day(day) / journals.JOURNAL_NAME)
        assert result.same, result.first_mismatch
        assert result.ticks == SECONDS * len(day.plays)


def rows(month: Month, table: Table) -> list[dict[str, Any]]:
    with (
        contextlib.closing(open_store(sites.load(month.folder.site).store)) as store,
        store.reading() as connection,
    ):
        return [dict(row._mapping) for row in connection.execute(select(table))]


def stored(month: Month, *, keep: bool = False) -> None:
    with contextlib.closing(Store(month.folder)) as store:
        for day in month.days:
            if not store.has(day):
                store.take(day, keep=keep)
        assert store.skipped == 0


def test_the_store_holds_what_the_journals_say(made: Month, tmp_path: Path) -> None:
    month = made.copy(tmp_path / "month")
    stored(month)
    assert [row["ended"] for row in rows(month, runs)] == ["clock ended"] * 3
    assert all(row["site"] == str(made.folder.site) for row in rows(month, runs))
    assert sum(row["seconds"] for row in rows(month, minutes)) == 3 * SECONDS * lanes(month)
    lasted = sum(row["ended_ms"] - row["began_ms"] for row in rows(month, spans))
    assert lasted == 3 * SECONDS * 1000
    raised = {row["cause"]: row for row in rows(month, alarms)}
    assert {"link-lost", "detector-fault"} <= set(raised)
    assert raised["link-lost"]["cleared_ms"] - raised["link-lost"]["raised_ms"] >= 10_000
    assert rows(month, signal_events)
    assert not list(month.folder.days.glob("*/journal.jsonl"))


def test_a_day_whose_journal_says_nothing_is_not_taken_for_stored(made: Month, tmp_path: Path) -> None:
    month = made.copy(tmp_path / "month")
    journal = month.folder.day(month.days[0]) / journals.JOURNAL_NAME
    journal.write_bytes(b"")
    with pytest.raises(StoreError, match="nothing of the day"):
        stored(month)
    assert journal.exists()
    with contextlib.closing(Store(month.folder)) as store:
        assert not store.has(month.days[0])


def lanes(month: Month) -> int:
    return len(sites.load(month.folder.site).intersections[0].lanes)


def test_an_interrupted_month_comes_to_the_same_store(
    made: Month, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = made.copy(tmp_path / "whole"), made.copy(tmp_path / "broken")
    stored(whole)
    monkeypatch.setattr("denxanh.controller.centre.store.journalreader.CHUNK_BYTES", 60_000)
    taken = recorder.Recorder.take
    left = [3]

    def failing(self: recorder.Recorder, *given: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise StoreError("the disk is full")
        taken(self, *given)

    monkeypatch.setattr(recorder.Recorder, "take", failing)
    for _ in range(200):
        left[0] = 3
        with contextlib.suppress(StoreError):
            stored(broken)
            break
    for table in (runs, events, spans, minutes, alarms, signal_events):
        assert rows(broken, table) == rows(whole, table), table.name
    stored(broken)  # nothing is left to do
    assert rows(broken, runs) == rows(whole, runs)


def test_a_kept_journal_is_not_stored_twice(made: Month, tmp_path: Path) -> None:
    month = made.copy(tmp_path / "month")
    stored(month, keep=True)
    before = rows(month, events)
    stored(month, keep=True)
    assert rows(month, events) == before
    assert len(list(month.folder.days.glob("*/journal.jsonl"))) == 2


def test_nobody_can_take_it_for_a_street(made: Month) -> None:
    site = sites.load(made.folder.site)
    assert site.corridor.name_vi == "Thị trấn (mô phỏng)"
    assert site.corridor.name_en == "Town (simulated)"
    text = made.folder.site.read_text(encoding="utf-8")
    begin, _, rest = text.partition("[clock]")
    made.folder.site.with_name("street.toml").write_text(
        begin + rest[rest.index("[[cabinet]]") :], encoding="utf-8"
    )
    with pytest.raises(SiteError, match="for simulation only"):
        sites.load(made.folder.site.with_name("street.toml"))


def test_a_folder_holds_one_month(made: Month, tmp_path: Path, town: Any) -> None:
    prepare(made.folder, labelled(town.corridor), made.wish)  # to go on with it
    with pytest.raises(ConfigError, match="made of something else"):
        prepare(made.folder, labelled(town.corridor), {**made.wish, "seed": 2})
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        prepare(MonthFolder(tmp_path), labelled(town.corridor), made.wish)


def test_the_day_says_what_happened_and_what_sumo_saw(made: Month) -> None:
    told = json.loads((made.folder.day(made.days[0]) / day_process.DAY_NAME).read_text(encoding="utf-8"))
    assert told["simulated"] is True
    assert Day.model_validate(told["day"]) == made.days[0]
    assert [one["measured_s"] for one in told["windows"]] == [SECONDS] * 2
    assert all(one["conflicts"] == one["short_intergreens"] == 0 for one in told["windows"])


def test_a_day_without_room_on_the_disk_is_not_made(
    made: Month, town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, left = journals.Journal.append_encoded, [50]

    def full(self: journals.Journal, make: Any) -> None:
        left[0] -= 1
        if -5 < left[0] < 0:
            raise JournalError("cannot be written: no space", where=str(self.path))
        append(self, make)

    monkeypatch.setattr(journals.Journal, "append_encoded", full)
    day = made.days[1]
    spoiled = job(made, day).model_copy(update={"out": tmp_path / day.date})
    with pytest.raises(JournalError, match="seconds are missing"):
        make(spoiled, TownStreets(town))
    assert not spoiled.out.exists()


def test_incidents_are_vehicles_that_stand(town: Any) -> None:
    text = incidents_xml((Incident(at_s=5, for_s=60, lane='a"b_1'),), 100)
    assert 'depart="105"' in text
    assert 'departLane="1"' in text
    assert "&quot;" in text or "'a\"b'" in text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"site": 1}'])
def test_a_wrong_job_is_said_and_ends_with_status_1(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "job.json"
    path.write_text(text)
    assert day_process.main([str(path)]) == 1
    assert "no job" in caplog.text
    assert day_process.main([]) == 2
