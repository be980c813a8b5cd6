"""Files that go out: valid by their schemas, the same again, honest where nothing is known."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import insert, update

from denxanh.controller.centre.exports.dataset import UNSAID
from denxanh.controller.centre.exports.making import Maker, period
from denxanh.controller.centre.exports.settings import Diversion, Exports
from denxanh.controller.centre.exports.verifying import verify
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import alarms, minutes, quarter_hours, signal_events, spans
from denxanh.controller.clock import VIETNAM
from denxanh.controller.highres.codes import Code
from denxanh.errors import CorridorError, ReportError
from denxanh.networks import catalogue, register

CORRIDOR = catalogue.corridor("truc-30-4-hoa-binh")
REGISTER = register.junctions(CORRIDOR)
ONE = CORRIDOR.intersections[0]
DAY = period("2026-11-23")
HOUR_MS = 3_600_000
SEVEN = DAY.begin_ms + 7 * HOUR_MS


def maker(**changes: Any) -> Maker:
    return Maker(CORRIDOR, REGISTER, Exports(**changes), simulated=True)


def check(name: str, document: Any) -> None:
    text = files("denxanh.controller.centre").joinpath(f"schemas/{name}-v1.schema.json").read_text()
    jsonschema.Draft202012Validator(json.loads(text)).validate(json.loads(json.dumps(document)))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('empty') / 'centre.db'}")
    yield store
    store.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One intersection from 7 to 9: full lanes, then half known; counts; an alarm."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('filled') / 'centre.db'}")
    rows = [
        {
            "intersection": ONE.id,
            "minute_ms": SEVEN + minute * 60_000,
            "lane": lane,
            "seconds": 60,
            "queued_mean": ONE.lanes[lane].storage_pcu * (0.6 if minute < 60 else 0.1),
            "queued_max": 9.0,
            "moving_mean": 1.0,
            "confidence_min": 0.9 if minute < 90 else 0.2,
        }
        for minute in range(120)
        for lane in range(len(ONE.lanes))
    ]
    counted = {
        "intersection": ONE.id,
        "phase": 1,
        "known_s": 900.0,
        "cycles": 9,
        "green_s": 300.0,
        "yellow_s": 27.0,
        "gap_outs": 3,
        "max_outs": 3,
        "force_offs": 3,
    }
    with store.writing() as connection:
        connection.execute(insert(minutes), rows)
        connection.execute(
            insert(quarter_hours),
            [{**counted, "begin_ms": SEVEN + n * 900_000, "volume": 100 + n} for n in range(4)],
        )
        connection.execute(
            insert(spans),
            {
                "intersection": ONE.id,
                "began_ms": SEVEN,
                "ended_ms": SEVEN + 2 * HOUR_MS,
                "aspects": "r" * len(ONE.groups),
                "stage": 0,
                "in_interstage": False,
                "mode": "ADAPTIVE",
                "plan": 1,
            },
        )
        connection.execute(
            insert(signal_events),
            {"intersection": ONE.id, "at_ms": SEVEN, "code": Code.REGAINED.value, "parameter": 0},
        )
        words = {"cause": "door", "text_vi": '=HYPERLINK("x")', "text_en": 'a,b\n"c"'}
        connection.execute(
            insert(alarms), {"intersection": ONE.id, "raised_ms": SEVEN, "cleared_ms": None, **words}
        )
    yield store
    store.close()


def test_periods_in_words() -> None:
    assert period("2026-11-23") == Period.day(date(2026, 11, 23))
    assert period("2026-02") == Period.month(2026, 2)
    assert period("2028") == Period.year(2028)
    assert period("2026-11-01..2026-11-07").end_ms - period("2026-11-01").begin_ms == 7 * 86_400_000
    assert datetime.fromtimestamp(DAY.begin_ms / 1000, VIETNAM).isoformat() == "2026-11-23T00:00:00+07:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2026-13",
        "2026-02-30",
        "26",
        "2026-11-07..2026-11-01",
        "2024-01..2026-01",
        "0000",
        "9999-12-31",
        "٢٠٢٦",
        "2026-11-23..",
        "..2026-11-23",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ReportError, match="no period"):
        period(text)


def test_a_day_of_which_nothing_is_known_says_so(empty: Store, tmp_path: Path) -> None:
    with empty.reading() as connection:
        document = maker().ioc_daily(connection, DAY, tmp_path / "ioc.json")
        check("ioc-daily", document)
        assert (document["junctions_registered"], document["junctions_recorded"]) == (7, 0)
        assert all(one["volume"] is None and one["worst"] is None for one in document["junctions"])
        manifest = maker().lgsp(connection, DAY, tmp_path / "lgsp.zip")
        check("dataset", manifest)
        assert manifest["classification"] == UNSAID
        assert maker().police(connection, DAY, tmp_path / "log.jsonl") == {}
        check(
            "congestion",
            maker().geojson(connection, datetime(2026, 11, 23, 9, tzinfo=VIETNAM), tmp_path / "g.json"),
        )
    assert verify(tmp_path / "lgsp.zip") == []
    assert verify(tmp_path / "log.jsonl") == []


def test_the_daily_package_of_the_operations_centre(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "ioc.json"
    with filled.reading() as connection:
        maker().ioc_daily(connection, DAY, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    check("ioc-daily", document)
    one = document["junctions"][0]
    approaches = {lane.approach for lane in ONE.lanes}
    assert one["mode_s"]["ADAPTIVE"] == one["recorded_s"] == 7200
    assert one["approach_hours_known"] == one["approach_hours_congested"] == len(approaches), (
        "8 h is half known"
    )
    assert one["worst"]["filling"] == pytest.approx(0.6)
    assert one["worst"]["hour"] == "2026-11-23T07:00:00.000+07:00"
    assert (one["volume"], one["volume_quality"]) == (406, "full")
    assert [alarm["cause"] for alarm in one["alarms"]] == ["door"]
    assert document["junctions_adaptive"] == 1
    assert document["simulated"] is True


def read_csv(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_data_set_for_the_shared_warehouse(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "lgsp.zip"
    with filled.reading() as connection:
        manifest = maker(classification="nội bộ", licence="…").lgsp(connection, DAY, path)
        again = tmp_path / "again.zip"
        maker(classification="nội bộ", licence="…").lgsp(connection, DAY, again)
    check("dataset", manifest)
    assert path.read_bytes() == again.read_bytes()
    assert verify(path) == []
    assert manifest["classification"] == "nội bộ"
    queues = read_csv(path, "data/queues_hourly.csv")
    approaches = len({lane.approach for lane in ONE.lanes})
    assert [row["quality"] for row in queues] == ["full"] * approaches + ["partial"] * approaches
    assert {row["level"] for row in queues[:approaches]} == {"congested"}
    counts = read_csv(path, "data/counts_hourly.csv")
    assert [(row["volume"], row["quality"]) for row in counts] == [("406", "full")]
    alarm = read_csv(path, "data/alarms.csv")[0]
    assert alarm["text_vi"].startswith("'="), "no spreadsheet may run it"
    assert alarm["text_en"] == 'a,b\n"c"'
    control = read_csv(path, "data/control_daily.csv")
    assert len(control) == 7
    assert (control[0]["adaptive_s"], control[0]["unrecorded_s"]) == ("7200", "79200")
    described = {(row["table"], row["field"]) for row in read_csv(path, "dictionary.csv")}
    for name in ("junctions", "queues_hourly", "counts_hourly", "control_daily", "alarms"):
        with zipfile.ZipFile(path) as archive:
            head = archive.read(f"data/{name}.csv").decode("utf-8-sig").splitlines()[0]
        assert {(name, field) for field in head.split(",")} <= described
    assert {row["meaning_vi"] != "" for row in read_csv(path, "dictionary.csv")} == {True}


def test_open_data_hold_means_of_hours_and_nobodys_doings(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "open.zip"
    with filled.reading() as connection:
        manifest = maker().open_data(connection, period("2026-11"), path)
    check("dataset", manifest)
    names = [one["path"] for one in manifest["files"]]
    assert not any("alarm" in name or "control" in name for name in names)
    (row,) = read_csv(path, "data/typical_day.csv")
    assert (row["intersection"], row["hour_of_day"], row["volume"], row["volume_days"]) == (
        ONE.id,
        "7",
        "406",
        "1",
    )
    assert float(row["filling"]) == pytest.approx(0.6)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("data/typical_day.json"))[0]["volume"] == 406


def test_the_police_log_is_whole_and_a_change_shows(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with filled.reading() as connection:
        heads = maker().police(connection, DAY, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 24
    for line in lines:
        check("signal-log", json.loads(line))
    assert heads == {ONE.id: json.loads(lines[-1])["hash"]}
    assert verify(path) == []
    path.write_text("\n".join([*lines[:5], *lines[6:]]), encoding="utf-8")
    assert "does not follow" in verify(path)[0]
    path.write_text("\n".join([lines[0].replace('"red"', '"green"', 1), *lines[1:]]), encoding="utf-8")
    assert "was changed" in verify(path)[0]


def test_changed_data_sets_are_found_out(filled: Store, tmp_path: Path) -> None:
    path, copy = tmp_path / "lgsp.zip", tmp_path / "copy.zip"
    with filled.reading() as connection:
        maker().lgsp(connection, DAY, path)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as other:
        for name in archive.namelist():
            if name == "dictionary.csv":
                continue
            content = archive.read(name)
            other.writestr(name, content + b"x" if name == "data/alarms.csv" else content)
        other.writestr("data/more.csv", b"")
    assert verify(copy) == [
        "dictionary.csv: is missing",
        "data/more.csv: is not in the manifest",
        "data/alarms.csv: was changed",
    ]


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", b"PK\x05\x06" + b"\0" * 18, b"[1]", b'{"a": 1}', b"\xff\xfe"]
)
@pytest.mark.parametrize("name", ["x.zip", "x.jsonl"])
def test_files_of_something_else_are_no_exports(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    if content == b"" and name == "x.jsonl":
        assert verify(path) == []
        return
    with pytest.raises(ReportError, match="is no"):
        verify(path)


def test_a_disk_that_is_full_leaves_the_old_file(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "gone" / "ioc.json"
    with filled.reading() as connection, pytest.raises(ReportError, match="cannot be written"):
        maker().ioc_daily(connection, DAY, path)
    with filled.reading() as connection, pytest.raises(ReportError, match="cannot be written"):
        maker().lgsp(connection, DAY, path)
    with filled.reading() as connection, pytest.raises(ReportError, match="more than a day"):
        maker().police(connection, period("2026-11"), tmp_path / "x")


def test_what_lasts_is_known_only_as_long_as_anything_was_heard(filled: Store, tmp_path: Path) -> None:
    """A killed controller ends no span."""
    path = tmp_path / "log.jsonl"
    with filled.writing() as connection:
        connection.execute(update(spans).values(ended_ms=None))
    try:
        with filled.reading() as connection:
            document = maker().ioc_daily(connection, DAY, tmp_path / "ioc.json")
            maker().police(connection, DAY, path)
    finally:
        with filled.writing() as connection:
            connection.execute(update(spans).values(ended_ms=SEVEN + 2 * HOUR_MS))
    assert document["junctions"][0]["recorded_s"] == 7200
    packages = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(packages) == 24
    assert packages[-1]["until"].startswith("2026-11-23T09:00:00")


def test_the_log_begins_where_it_is_known_when_the_lamps_were_seen(filled: Store, tmp_path: Path) -> None:
    """Events go before spans do."""
    path = tmp_path / "log.jsonl"
    with filled.writing() as connection:
        connection.execute(update(signal_events).values(at_ms=SEVEN + HOUR_MS))
    try:
        with filled.reading() as connection:
            maker().police(connection, DAY, path)
    finally:
        with filled.writing() as connection:
            connection.execute(update(signal_events).values(at_ms=SEVEN))
    packages = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert packages[0]["from"].startswith("2026-11-23T08:00:00")
    assert all(
        state["aspect"] == "red" for one in packages for group in one["groups"] for state in group["states"]
    )


def test_only_the_owner_reads_the_police_log(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl.new").touch(0o644)
    with filled.reading() as connection:
        maker().police(connection, DAY, tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o777 == 0o600


def test_wards_and_former_provinces_filter() -> None:
    ward = REGISTER[ONE.id].ward
    some = register.within(REGISTER, [ward], ["Cần Thơ"])
    assert set(some) == {one.id for one in REGISTER.values() if one.ward == ward}
    assert 0 < len(some) < len(REGISTER)
    assert register.within(REGISTER, [], ["92"]) == REGISTER
    for wards, provinces in (([ward, "Phường Y"], []), ([], ["Sóc Trăng"]), ([""], [])):
        with pytest.raises(CorridorError, match="no junction has the"):
            register.within(REGISTER, wards, provinces)


def test_a_filter_holds_in_every_export(filled: Store, tmp_path: Path) -> None:
    others = register.within(REGISTER, ["Phường Ninh Kiều"], [])
    assert ONE.id not in others
    without = Maker(CORRIDOR, others, Exports(), simulated=False)
    with filled.reading() as connection:
        document = without.ioc_daily(connection, DAY, tmp_path / "ioc.json")
        without.lgsp(connection, DAY, tmp_path / "lgsp.zip")
        without.open_data(connection, DAY, tmp_path / "open.zip")
        assert without.police(connection, DAY, tmp_path / "log.jsonl") == {}
        features = without.geojson(connection, datetime(2026, 11, 23, 7, 30, tzinfo=VIETNAM), tmp_path / "g")[
            "features"
        ]
    assert ONE.id not in {one["intersection"] for one in document["junctions"]}
    for name in ("queues_hourly", "counts_hourly", "alarms"):
        assert read_csv(tmp_path / "lgsp.zip", f"data/{name}.csv") == []
    assert read_csv(tmp_path / "open.zip", "data/typical_day.csv") == []
    assert {one["properties"]["ward"] for one in features} == {"Phường Ninh Kiều"}


def test_congestion_at_a_moment(filled: Store, tmp_path: Path) -> None:
    levels = {}
    with filled.reading() as connection:
        for minute, hour in ((30, 7), (20, 8), (50, 8)):
            at = datetime(2026, 11, 23, hour, minute, tzinfo=VIETNAM)
            document = maker().geojson(connection, at, tmp_path / "g.geojson")
            check("congestion", document)
            levels[hour, minute] = {
                one["properties"]["level"]
                for one in document["features"]
                if one["properties"]["intersection"] == ONE.id
            }
            assert all(one["geometry"]["type"] == "LineString" for one in document["features"])
    assert levels == {(7, 30): {"congested"}, (8, 20): {"free"}, (8, 50): {"unknown"}}


def test_a_way_around_is_only_the_citys() -> None:
    settings = Exports(
        diversion=(Diversion(approach="E1", text_vi="Đi đường 3 Tháng 2", text_en="Take 3/2"),)
    )
    found = settings.around("E1")
    assert found is not None
    assert found.text_vi == "Đi đường 3 Tháng 2"
    assert settings.around("E2") is None
