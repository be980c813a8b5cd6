"""What days are like: windows as they are written, factors, faults within their windows, the year before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.errors import ConfigError
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor
from denxanh.sim import almanac
from denxanh.sim.day import DAY_S, WARMUP_S, Day, Window, windows
from denxanh.sim.spec import Happening

PARTS = windows("07:00-07:30,11:30-11:45,17:00-17:30")


def test_windows_are_read_as_people_write_them() -> None:
    found = windows("6-9, 16:30-19:05,23-24")
    assert [(one.begin_s, one.end_s) for one in found] == [
        (21_600, 32_400),
        (59_400, 68_700),
        (82_800, 86_400),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "7-", "-8", "8-7", "7-7", "7-8,7:30-9", "9-10,7-8", "25-26", "7:60-8", "7.5-9", "0-1"),
        *("23-24:01", "７-８", "7-8,", "7:000-8", "1e3-8", "\x00-8", "9" * 400),
    ],
)
def test_what_is_no_window_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="--hours"):
        windows(text)


@given(st.text("0123456789:-, ７x", max_size=16))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        found = windows(text)
    except ConfigError:
        return
    assert all(WARMUP_S <= one.begin_s < one.end_s <= DAY_S for one in found)


def month(count: int = 31, *, seed: int = 1, first: str = "2026-10-01", **more: int) -> tuple[Day, ...]:
    return tuple(almanac.month(catalogue.corridor("nguyen-van-cu"), first, count, PARTS, seed, **more))


def test_a_month_has_both_kinds_of_control_on_every_weekday_and_one_flood() -> None:
    days = month()
    assert [one.number for one in days] == list(range(1, 32))
    assert [one.date for one in days[::30]] == ["2026-10-01", "2026-10-31"]
    kinds = {(place % 7, one.adaptive) for place, one in enumerate(days)}
    assert len(kinds) == 14
    assert sum(one.water_cm is not None for one in days) == 1


def test_the_same_seed_gives_the_same_days_whatever_stands_around_them() -> None:
    assert month() == month()
    assert month() != month(seed=2)
    dry = [one for one in month() if one.water_cm is None][:3]
    for one in dry:
        (alone,) = month(1, first=one.date)
        assert alone.plays == one.plays
        assert alone.factor == one.factor


def test_weekends_and_holidays_are_quieter() -> None:
    days = month(365, first="2026-01-01")
    mean = {
        name: sum(chosen) / len(chosen)
        for name, chosen in {
            "workday": [
                one.factor for place, one in enumerate(days) if (place + 3) % 7 < 5 and not one.holiday
            ],
            "sunday": [
                one.factor for place, one in enumerate(days) if (place + 3) % 7 == 6 and not one.holiday
            ],
            "holiday": [one.factor for one in days if one.holiday],
        }.items()
    }
    assert mean["holiday"] < mean["sunday"] < mean["workday"]
    assert next(one for one in days if one.date == "2026-09-02").holiday


def test_the_year_before_comes_first_and_knows_no_adaptive_control() -> None:
    days = month(4, year_before=3)
    assert [one.number for one in days] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.date for one in days] == [
        *("2025-10-02", "2025-10-03", "2025-10-04"),
        *("2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04"),
    ]
    assert [one.adaptive for one in days] == [False, False, False, True, False, True, False]


@given(st.integers(0, 2000), st.integers(0, 20))
def test_faults_name_what_is_there_and_stay_within_their_window(seed: int, extra: int) -> None:
    corridor = crossroads_corridor()
    parts = (Window(begin_s=25_200, end_s=25_260), Window(begin_s=30_000, end_s=30_300 + 60 * extra))
    detectors = {f"{one.id}/{detector.id}" for one in corridor.intersections for detector in one.detectors}
    places = {one.id for one in corridor.intersections}
    lanes = {lane.id for one in corridor.intersections for lane in one.lanes}
    for day in almanac.days(corridor, "2026-02-25", 10, parts, seed):
        for play in day.plays:
            length = play.window.end_s - play.window.begin_s
            for one in (*play.faults, *play.incidents):
                assert 0 <= one.at_s < one.at_s + one.for_s <= length
            assert all(one.lane in lanes for one in play.incidents)
            for fault in play.faults:
                assert fault.target in (detectors if fault.happening is Happening.DETECTOR else places)


@given(st.floats(-10, 2 * DAY_S), st.sampled_from(["am", "pm", "offpeak", "night", "other"]))
def test_a_profile_is_a_share(second: float, demand: str) -> None:
    assert 0.0 < almanac.profile(demand)(second) <= 1.0


def test_a_profile_swells_and_ebbs() -> None:
    morning = almanac.profile("am")
    assert morning(7 * 3600) == 1.0
    assert morning(6 * 3600) == pytest.approx(0.7)
    assert morning(6.375 * 3600) == pytest.approx(0.85)
    assert morning(3 * 3600) == 0.4
    assert morning(12 * 3600) == 0.6


def test_the_profile_thins_arrivals_and_none_changes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("sumolib", reason="needs the extra sim")
    from denxanh.networks import demand
    from denxanh.networks.build import build

    built = build("nguyen-van-cu")

    def vehicles(profile: almanac.Profile | None, name: str) -> tuple[int, bytes]:
        path = tmp_path / name
        pieces = (demand.Piece("am", 0, 600, profile),)
        count = demand.write_pieces(built, pieces, "proxy", 1, path)
        return count, path.read_bytes()

    whole, text = vehicles(None, "whole")
    assert vehicles(None, "again")[1] == text
    assert vehicles(lambda _: 0.0, "none")[0] == 0
    half, _ = vehicles(lambda _: 0.5, "half")
    assert half == pytest.approx(whole / 2, rel=0.15)
    _, late = vehicles(lambda second: float(second >= 300), "late")
    departures = re.findall(rb'<vehicle id="v[0-9]+" .* depart="([0-9.]+)"', late)
    assert min(float(one) for one in departures) >= 300


def test_pieces_follow_each_other_and_one_alone_is_as_ever(tmp_path: Path) -> None:
    pytest.importorskip("sumolib", reason="needs the extra sim")
    from denxanh.networks import demand
    from denxanh.networks.build import build

    built = build("nguyen-van-cu")
    path = tmp_path / "both"
    pieces = [demand.Piece(name, begin, begin + 300) for name, begin in (("am", 0), ("pm", 300), ("am", 600))]
    count = demand.write_pieces(built, pieces, "proxy", 1, path)
    text = path.read_text()
    for tag in ("vehicle", "person", "route", "vType"):
        ids = re.findall(rf'<{tag} id="([^"]+)"', text)
        assert len(ids) == len(set(ids)) > 0, tag
    assert len(re.findall("<vehicle ", text)) == count
    departures = [float(one) for one in re.findall(r'depart="([0-9.]+)"', text)]
    assert departures == sorted(departures)
    parts = [[one % 300 for one in departures if part * 300 <= one < part * 300 + 300] for part in range(3)]
    assert all(len(one) > 50 for one in parts)
    assert parts[0] != parts[2]  # the same demand again, but not the same vehicles


def test_a_long_window_goes_through_the_demands_of_the_day() -> None:
    whole = Window(begin_s=900, end_s=DAY_S)
    names = [(one.begin_s / 3600, one.demand) for one in almanac.traffic(whole, workday=True)]
    assert names == [(0.2, "night"), (5, "am"), (9.5, "offpeak"), (15.5, "pm"), (20, "night")]
    sunday = [one.demand for one in almanac.traffic(whole, workday=False)]
    assert sunday == ["night", "offpeak", "pm", "night"]
    (one,) = almanac.traffic(Window(begin_s=25_200, end_s=28_800), workday=True)
    assert (one.begin_s, one.demand) == (25_200 - WARMUP_S, "am")
    assert [one.begin_s for one in almanac.traffic(Window(begin_s=18_060, end_s=18_180), workday=True)] == [
        18_060 - WARMUP_S,
        18_000,
    ]
