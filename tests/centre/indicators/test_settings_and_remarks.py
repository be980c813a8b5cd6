"""What the city may write, and what people may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre.city import load
from denxanh.controller.centre.indicators import remarks
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.indicators.remarks import Remark, RemarkKind
from denxanh.controller.centre.indicators.settings import Id, Standing
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store
from denxanh.errors import CityError, ReportError

MONTH = Period.month(2026, 11)
GOOD = """
[indicators]
lead_unit = "Sở Xây dựng thành phố Cần Thơ"
period = [2026, 2030]
counted = ["adaptive-online"]

[indicators.congestion_time]
baseline_from = 2026-01-01
baseline_to = 2026-03-31
targets = { 2026 = 5, 2027 = 8.5 }
period_target = 20

[costs]
petrol_vnd_l = 21000
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "city.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_city_file(tmp_path: Path) -> None:
    city = load(written(tmp_path, GOOD))
    goal = city.indicators.goal(Id.CONGESTION)
    assert goal.targets == {2026: 5.0, 2027: 8.5}
    assert city.indicators.counted == (Standing.ADAPTIVE,)
    assert city.costs.petrol_vnd_l == 21_000
    assert city.indicators.goal(Id.CO2).targets == {}


@pytest.mark.parametrize(
    "text",
    [
        "[indicators]\nlead = 'x'",
        "[indicators.congestion]\nbaseline = 1",
        "[indicators.co2]\nbaseline = nan",
        "[indicators.co2]\nbaseline = 1e300",
        "[indicators.co2]\nbaseline_from = 2026-01-01",
        "[indicators.co2]\nbaseline = 1\nbaseline_from = 2026-01-01\nbaseline_to = 2026-02-01",
        "[indicators.co2]\nbaseline_from = 2026-02-01\nbaseline_to = 2026-01-01",
        "[indicators.co2]\ntargets = { 1 = 5 }",
        "[indicators.co2]\ntargets = { soon = 5 }",
        "[indicators]\nperiod = [2030, 2026]",
        "[indicators]\ncongested_share = 0",
        "[indicators]\ncounted = ['all']",
        "[costs]\npetrol_vnd_l = -1",
        "[costs]\nclasses = []",
        "[[costs.classes]]\nname_vi='a'\nname_en='a'\nshare=0.5\npcu=1\noccupancy=1\nvalue_of_time=1\n"
        "idle_l_h=1\nstop_l=0\nfuel='petrol'",
        "[indicators\n",
        "\x00",
    ],
)
def test_a_wrong_city_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CityError):
        load(written(tmp_path, text))


def said(store: Store, period: Period) -> tuple[Remark, ...]:
    with store.reading() as connection:
        return remarks.within(connection, period)


def test_a_remark_is_kept_and_audited(store: Store) -> None:
    number = remarks.add(
        store,
        MONTH,
        RemarkKind.CAUSE,
        author="an.nguyen",
        text_vi=" Ngập\x00do\ntriều ",
        indicator=Id.CONGESTION,
    )
    remarks.add(store, Period.month(2026, 10), RemarkKind.NOTE, author="an.nguyen", text_vi="Tháng trước")
    (one,) = said(store, MONTH)
    assert (one.text_vi, one.indicator, one.author) == ("Ngập�do triều", Id.CONGESTION, "an.nguyen")
    assert len(said(store, Period.year(2026))) == 2
    assert said(store, Period.day(MONTH.first)) == ()
    assert audit.verify(store).rows == 2
    assert number > 0


@pytest.mark.parametrize(
    "given",
    [
        {"kind": RemarkKind.CAUSE, "text_vi": "  "},
        {"kind": RemarkKind.CAUSE, "author": ""},
        {"kind": RemarkKind.CAUSE, "author": "x" * 65},
        {"kind": RemarkKind.CAUSE, "value": 5.0},
        {"kind": RemarkKind.PROGRESS, "indicator": Id.CO2},
        {"kind": RemarkKind.PROGRESS, "value": 5.0},
        {"kind": RemarkKind.PROGRESS, "indicator": Id.CO2, "value": float("nan")},
        {"kind": RemarkKind.PROGRESS, "indicator": Id.CO2, "value": float("inf")},
    ],
)
def test_a_remark_that_says_nothing_is_refused(kept: Store, given: dict[str, Any]) -> None:
    usual = {"author": "an", "text_vi": "Nguyên nhân"}
    with pytest.raises(ReportError):
        remarks.add(kept, MONTH, given.pop("kind"), **{**usual, **given})
    assert said(kept, MONTH) == ()
    assert audit.verify(kept).rows == 0
