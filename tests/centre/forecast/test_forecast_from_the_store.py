from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import delete

from denxanh.controller.centre.forecast import fitting, reading
from denxanh.controller.centre.forecast.service import Forecasts
from denxanh.controller.centre.store import schema
from denxanh.controller.forecast import fitfile
from denxanh.controller.forecast.now import Refusal
from denxanh.controller.forecast.warning import Kind
from denxanh.errors import ReportError

from .conftest import MINUTE_MS, begin_ms, fill


def test_fit_forecast_and_warn(store, corridor, tmp_path):
    fill(store, corridor, (0, 1, 2, 3, 4))
    kept = fitting.from_store(store, corridor, None, None)
    assert sum(kept.fitted.days.values()) == 5
    site = corridor.intersections[0]
    assert set(kept.discharge) == {site.id}
    assert kept.discharge[site.id][0] == pytest.approx(14 * corridor.pcu_per_vehicle / 30, rel=0.02)
    path = tmp_path / fitfile.FILE_NAME
    now = begin_ms(7) + 100 * MINUTE_MS
    forecasts = Forecasts(store, corridor, path)
    assert forecasts.told(now).trouble is not None
    assert forecasts.warned(now) is None
    fitfile.save(path, corridor.id, kept)
    fill(store, corridor, (7,), stuck=(88, 100))
    told = forecasts.told(now + 1)
    assert told.end_ms == now
    assert {one.refusal for one in told.outlooks} == {None}
    found = forecasts.warned(now + 1)
    assert found is not None
    assert [(one.approach, one.until_ms) for one in found] == [(site.lanes[0].approach, None)]
    assert found[0].kind in (Kind.INCIDENT, Kind.BLOCKED)
    path.unlink()
    assert {one.refusal for one in forecasts.told(now + 2).outlooks} == {Refusal.NO_FIT}


def test_only_whole_minutes_before_now_are_read(store, corridor):
    fill(store, corridor, (0,))
    begin = begin_ms(0)
    panel = reading.queues(store, corridor, begin + 1, begin + 10 * MINUTE_MS + 59_999)
    assert (panel.begin_ms, panel.minutes) == (begin, 10)
    assert np.isfinite(panel.queue).all()
    rows = reading.queues(store, corridor, begin - 5 * MINUTE_MS, begin + MINUTE_MS)
    assert np.isnan(rows.queue[:5]).all()


def test_an_empty_store_says_so(store, corridor, tmp_path):
    assert reading.extent(store) is None
    with pytest.raises(ReportError, match="nothing is stored yet"):
        fitting.from_store(store, corridor, None, None)
    told = Forecasts(store, corridor, tmp_path / "none.json").told(begin_ms(0))
    assert told.end_ms is None
    assert all(one.queue_pcu is None for one in told.outlooks)


def test_without_events_there_is_a_forecast_and_no_warning(store, corridor, tmp_path):
    fill(store, corridor, (0, 1, 2, 3, 4))
    with store.writing() as connection:
        connection.execute(delete(schema.signal_events))
    kept = fitting.from_store(store, corridor, None, None)
    assert kept.discharge == {}
    fitfile.save(tmp_path / "f.json", corridor.id, kept)
    assert Forecasts(store, corridor, tmp_path / "f.json").warned(begin_ms(7)) is None


def test_a_broken_file_tells_why_and_the_present_goes_on(store, corridor, tmp_path):
    fill(store, corridor, (0,))
    path = tmp_path / "f.json"
    path.write_bytes(b"\x00{")
    told = Forecasts(store, corridor, path).told(begin_ms(0) + 60 * MINUTE_MS)
    assert told.trouble is not None
    assert all(one.queue_pcu is not None for one in told.outlooks)


def test_a_clock_far_off_is_no_trouble(store, corridor, tmp_path):
    fill(store, corridor, (0,))
    forecasts = Forecasts(store, corridor, tmp_path / "f.json")
    for now in (0, 10**14):
        assert all(one.queue_pcu is None for one in forecasts.told(now).outlooks)
        assert forecasts.warned(now) is None
