from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from denxanh.controller.forecast import profile
from denxanh.controller.forecast.fit import fingerprint, fit
from denxanh.controller.forecast.model import HORIZONS_MIN, predict
from denxanh.controller.forecast.panel import DAY_MIN, MINUTE_MS, Panel, local_minutes, panel, trailing
from denxanh.errors import ReportError
from denxanh.networks.model import Schedule

from .conftest import MONDAY, columns, days


@pytest.fixture(scope="module")
def two_weeks(schedule):
    made = days(12)
    return made, fit(made, schedule)


def test_beats_persistence_and_profile_on_days_that_were_not_fitted(two_weeks, schedule):
    _, fitted = two_weeks
    # Another fortnight, beginning on a Monday, of the same street.
    fresh = replace(days(4, seed=99), begin_ms=MONDAY + 14 * DAY_MIN * MINUTE_MS)
    told = predict(fitted.weights, fresh, schedule)
    now = trailing(fresh.queue)
    for place, ahead in enumerate(HORIZONS_MIN):
        real = now[ahead:]
        errors = [
            np.nanmean(np.abs(real - guess[:-ahead]))
            for guess in (told.queue[place], now, told.profile[place])
        ]
        assert errors[0] < min(errors[1:]), (ahead, errors)


def test_interval_holds_about_four_times_in_five_on_other_days(two_weeks, schedule):
    _, fitted = two_weeks
    fresh = replace(days(4, seed=7), begin_ms=MONDAY + 14 * DAY_MIN * MINUTE_MS)
    told, now = predict(fitted.weights, fresh, schedule), trailing(fresh.queue)
    for place, ahead in enumerate(HORIZONS_MIN):
        real = now[ahead:]
        known = np.isfinite(real) & np.isfinite(told.queue[place][:-ahead])
        inside = (told.low[place][:-ahead] <= real) & (real <= told.high[place][:-ahead])
        assert 0.7 < inside[known].mean() < 0.9


def test_nothing_after_a_minute_is_used_for_its_forecast(two_weeks, schedule):
    made, fitted = two_weeks
    cut = 5 * DAY_MIN + 480
    whole = predict(fitted.weights, made, schedule)
    before = predict(fitted.weights, replace(made, queue=made.queue[:cut]), schedule)
    assert np.array_equal(whole.queue[:, :cut], before.queue, equal_nan=True)


def test_stated_errors_are_of_days_left_out(schedule):
    # Without any wandering and with days that differ, a day's own profile would explain it; others' do not.
    fitted = fit(days(5, spread=0.4, noise=0.0), schedule)
    assert all(score.profile_mae > 1.0 for score in fitted.scores)


def test_too_few_days_are_refused(schedule):
    with pytest.raises(ReportError, match="3 of workday"):
        fit(days(3), schedule)
    with pytest.raises(ReportError, match="none"):
        fit(Panel(columns(), MONDAY, np.full((DAY_MIN, 3), np.nan)), schedule)
    with pytest.raises(ReportError, match="none"):
        fit(Panel(columns(), MONDAY, np.empty((0, 3))), schedule)


def test_day_type_without_a_profile_gets_no_forecast(schedule):
    fitted = fit(days(5), schedule)
    sunday = replace(days(1), begin_ms=MONDAY + 6 * DAY_MIN * MINUTE_MS)
    assert np.isnan(predict(fitted.weights, sunday, schedule).queue[:, : DAY_MIN - 60]).all()


def test_a_silent_approach_stays_unknown_and_spoils_no_other(schedule):
    made = days(6)
    queue = made.queue.copy()
    queue[:, 1] = np.nan
    fitted = fit(replace(made, queue=queue), schedule)
    told = predict(fitted.weights, replace(made, queue=queue), schedule)
    assert np.isnan(told.queue[:, :, 1]).all()
    assert np.isfinite(told.queue[:, 500, 0]).all()
    assert fitted.known == pytest.approx(2 / 3)


def test_a_gap_is_not_filled(two_weeks, schedule):
    made, fitted = two_weeks
    queue = made.queue.copy()
    queue[470:480] = np.nan
    told = predict(fitted.weights, replace(made, queue=queue), schedule)
    assert np.isnan(told.queue[:, 479]).all()
    assert np.isfinite(told.queue[:, 496]).all()


def test_profile_knows_only_what_enough_days_know():
    day, minute = local_minutes(MONDAY, 4 * DAY_MIN)
    queue = np.full((4 * DAY_MIN, 1), np.nan)
    for one in range(3):
        queue[one * DAY_MIN + 420 : one * DAY_MIN + 540] = 8.0
    sums = profile.DailySums(queue, day, minute)
    found = profile.at(sums.profile(sums.days), np.array([300, 480, 700]))
    assert found[1] == pytest.approx(8.0)
    assert np.isnan(found[[0, 2]]).all()
    assert np.isnan(sums.profile(sums.days[:2])).all()


def test_profile_goes_through_midnight():
    day, minute = local_minutes(MONDAY, 4 * DAY_MIN)
    sums = profile.DailySums(np.full((4 * DAY_MIN, 1), 3.0), day, minute)
    assert np.allclose(profile.at(sums.profile(sums.days), np.arange(DAY_MIN)), 3.0)


def test_fingerprint_knows_other_data():
    made = days(1)
    queue = made.queue.copy()
    queue[700, 1] += 0.001
    assert fingerprint(made) == fingerprint(replace(made))
    assert fingerprint(made) != fingerprint(replace(made, queue=queue))


def test_holiday_is_a_type_of_its_own(schedule: Schedule):
    fitted = fit(days(19), schedule)
    assert fitted.days == {"workday": 14, "saturday": 2, "sunday": 2, "holiday": 1}
    assert set(fitted.weights.profiles) == {"workday"}


rows = st.tuples(
    st.integers(-(2**40), 2**45), st.floats(allow_nan=True), st.floats(0, 1) | st.just(float("nan"))
)


@given(st.lists(rows, max_size=20), st.integers(0, 2**41), st.integers(-5, 40))
@settings(max_examples=60, deadline=None)
def test_any_rows_make_a_panel_of_sound_numbers(found, begin, minutes):
    made = panel(columns(1), begin, begin + minutes * MINUTE_MS, [found])
    assert made.queue.shape == (max(0, minutes), 1) or abs(made.minutes - max(0, minutes)) <= 1
    known = made.queue[np.isfinite(made.queue)]
    assert (known >= 0).all()
    assert not np.isinf(made.queue).any()


@given(arrays(np.float64, (40, 2), elements=st.floats(0, 1e6) | st.just(float("nan"))), st.integers(1, 15))
@settings(max_examples=60, deadline=None)
def test_trailing_mean_is_the_mean_of_what_is_known(values, window):
    found = trailing(values, window)
    for row in range(40):
        part = values[max(0, row - window + 1) : row + 1, 0]
        known = part[np.isfinite(part)]
        if len(known) >= 0.8 * window:
            assert found[row, 0] == pytest.approx(known.mean(), rel=1e-6, abs=1e-3)
        else:
            assert np.isnan(found[row, 0])
