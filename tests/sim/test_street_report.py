"""Streets that an exercise reports as flooded or closed: in scripts, in the site file, in the messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denxanh.controller.priority.message import Closure, Water, parse
from denxanh.controller.priority.seal import make_key
from denxanh.controller.priority.tables import SourceEntry
from denxanh.controller.site import CabinetEntry, Endpoint, load, write_site
from denxanh.errors import ConfigError, SiteError
from denxanh.networks import catalogue
from denxanh.sim import exercise
from denxanh.sim.spec import FaultSpec
from denxanh.sim.streetreport import SOURCE, Reported, StreetReport, check, flood_table

CORRIDOR = "truc-30-4-hoa-binh"
TARGET = "MT_304/MT_304_nw"


def report(happening: Reported = Reported.FLOOD, **values: object) -> StreetReport:
    return StreetReport.model_validate(
        {"happening": happening, "target": TARGET, "at_s": 60, "for_s": 300, **values}
    )


def script(tmp_path: Path, *faults: dict[str, object]) -> Path:
    path = tmp_path / "script.json"
    lessons = [{"fault": one, "wanted": "acknowledge", "vi": "x", "en": "x"} for one in faults]
    path.write_text(json.dumps({"name_vi": "x", "name_en": "x", "seconds": 900, "lessons": lessons}))
    return path


def test_a_script_has_faults_and_reports_side_by_side(tmp_path: Path) -> None:
    played = exercise.load(
        script(
            tmp_path,
            {"happening": "link", "target": "MT_304", "at_s": 10},
            {"happening": "flood", "target": TARGET, "at_s": 60, "for_s": 300, "level_cm": 45},
            {"happening": "closure", "target": TARGET, "at_s": 500, "for_s": 60},
        )
    )
    assert [one.happening.value for one in played.faults] == ["link"]
    assert [(one.happening.value, one.level_cm) for one in played.reports] == [("flood", 45), ("closure", 40)]
    assert {one.place for one in played.lessons} == {"MT_304"}
    assert exercise.Script.model_validate_json(played.model_dump_json()) == played


@pytest.mark.parametrize(
    "wrong",
    [
        {"happening": "flood", "target": "MT_304", "at_s": 60, "for_s": 300},
        {"happening": "flood", "target": TARGET, "at_s": 60, "for_s": 0},
        {"happening": "closure", "target": TARGET, "at_s": 60, "for_s": 3601},
        {"happening": "flood", "target": TARGET, "at_s": 60, "for_s": 300, "level_cm": 10},
        {"happening": "flood", "target": TARGET, "at_s": 60, "for_s": 300, "fault": "frozen"},
        {"happening": "quake", "target": TARGET, "at_s": 60},
        7,
    ],
)
def test_a_wrong_report_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="the script is wrong"):
        exercise.load(script(tmp_path, wrong))


def test_a_street_that_is_not_there_is_named_before_anything_starts() -> None:
    corridor = catalogue.load(CORRIDOR)
    check([report()], corridor)
    with pytest.raises(SiteError, match="no such intersection"):
        check([report(target="NOWHERE/MT_304_nw")], corridor)
    with pytest.raises(SiteError, match="no such approach") as caught:
        check([report(target="MT_304/NVL_304_nw")], corridor)
    assert "MT_304_nw" in str(caught.value)


@pytest.mark.parametrize("happening", list(Reported))
def test_its_messages_are_those_of_the_door(happening: Reported) -> None:
    one = report(happening)
    stamped = {"source": SOURCE, "seq": 1, "issued_s": 1.0}
    begin, end = (parse(json.dumps({**one.message(on=on), **stamped}).encode()) for on in (True, False))
    if happening is Reported.FLOOD:
        assert isinstance(begin, Water)
        assert isinstance(end, Water)
        assert begin.level_cm >= 30 > end.level_cm
    else:
        assert isinstance(begin, Closure)
        assert isinstance(end, Closure)
        assert (begin.state, end.state) == ("closed", "open")


def test_the_site_file_takes_them(tmp_path: Path) -> None:
    reports = [report(), report(at_s=600), report(Reported.CLOSURE)]
    make_key(tmp_path / "report.key")
    write_site(
        tmp_path / "site.toml",
        corridor=CORRIDOR,
        state_dir="state",
        policy="fixed",
        cabinets=[CabinetEntry(intersection="MT_304", host="127.0.0.1")],
        clock=Endpoint(port=9),
        flood=flood_table(reports),
        sources=[SourceEntry(id=SOURCE, key_file="report.key", may=("flood",))],
    )
    found = load(tmp_path / "site.toml")
    assert found.requests is not None
    (gauge,) = found.requests.gauges
    assert (gauge.id, gauge.links) == (report().gauge, ("MT_304_nw",))
    assert dict(found.key_files)[SOURCE] == tmp_path / "report.key"


def test_a_street_of_any_name_gets_a_gauge() -> None:
    odd = report(target="X1/-gneE17#0")
    assert flood_table([odd]).gauge[0].links == ("-gneE17#0",)


def test_the_street_itself_hears_nothing_of_it(tmp_path: Path) -> None:
    played = exercise.load(
        script(tmp_path, {"happening": "closure", "target": TARGET, "at_s": 1, "for_s": 60})
    )
    assert not any(isinstance(one.fault, FaultSpec) for one in played.lessons)
    assert played.faults == ()
