from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from denxanh.controller.forecast import fitfile
from denxanh.controller.forecast.congestion import Level
from denxanh.controller.forecast.fit import fit
from denxanh.controller.forecast.fitfile import Kept
from denxanh.controller.forecast.model import HORIZONS_MIN, predict
from denxanh.controller.forecast.now import STALE_MS, Refusal, outlook
from denxanh.controller.forecast.panel import MINUTE_MS, Panel
from denxanh.errors import ModelError

from .conftest import MONDAY, columns, days


@pytest.fixture(scope="module")
def kept(schedule):
    return Kept(fit(days(6), schedule), {"A": (0.5, 0.4)})


@pytest.fixture(scope="module")
def morning():
    """Half an hour of the second Monday, to 8:00."""
    made = days(1, seed=5)
    return Panel(made.approaches, MONDAY + 7 * 86_400_000 + 450 * MINUTE_MS, made.queue[450:480])


def test_a_fit_comes_back_as_it_was(tmp_path, kept, schedule, morning):
    path = tmp_path / "state" / fitfile.FILE_NAME
    fitfile.save(path, "here", kept)
    again = fitfile.load(path, "here", columns())
    assert again.discharge == kept.discharge
    assert again.fitted.sha256 == kept.fitted.sha256
    assert again.fitted.days == kept.fitted.days
    before, after = (predict(one.fitted.weights, morning, schedule).queue for one in (kept, again))
    assert np.allclose(before, after, atol=0.05, equal_nan=True)
    assert [one.name for one in path.parent.iterdir()] == [fitfile.FILE_NAME]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "else"},
        {"version": 2},
        {"slopes": []},
        {"slopes": [[["x"]]]},
        {"bands": [[[1e999, 0.0]]]},
        {"profiles": {"workday": [[1.0]]}},
        {"approaches": []},
        {"sha256": "0"},
        {"bin_min": 7},
        {"more": 1},
        {"discharge": {"A": [-1.0]}},
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path, kept, change):
    path = tmp_path / "forecast.json"
    fitfile.save(path, "here", kept)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match=r"forecast\.json"):
        fitfile.load(path, "here", columns())


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"{", b"[1]", b"\xff\xfe", b'{"kind": NaN}'])
def test_no_json_is_no_fit(tmp_path, content):
    path = tmp_path / "forecast.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is no forecast"):
        fitfile.load(path, "here", columns())


def test_another_corridor_or_no_file_is_refused(tmp_path, kept):
    path = tmp_path / "forecast.json"
    with pytest.raises(ModelError, match="there is no forecast"):
        fitfile.load(path, "here", columns())
    fitfile.save(path, "here", kept)
    for corridor, approaches in (("there", columns()), ("here", columns(2))):
        with pytest.raises(ModelError, match="other approaches"):
            fitfile.load(path, corridor, approaches)


def test_a_forecast_for_every_horizon(kept, schedule, morning):
    for one in outlook(kept.fitted.weights, morning, schedule, morning.end_ms + 5000):
        assert one.refusal is None
        assert [each.horizon_min for each in one.ahead] == list(HORIZONS_MIN)
        assert [each.at_ms - morning.end_ms for each in one.ahead] == [h * MINUTE_MS for h in HORIZONS_MIN]
        for each in one.ahead:
            assert 0 <= each.low_pcu <= each.queue_pcu <= each.high_pcu <= 50.0


def test_stale_data_are_not_forecast_from(kept, schedule, morning):
    for late in (STALE_MS, 3_600_000, 10**12):
        for one in outlook(kept.fitted.weights, morning, schedule, morning.end_ms + late):
            assert (one.refusal, one.ahead, one.queue_pcu, one.level) == (
                Refusal.STALE,
                (),
                None,
                Level.UNKNOWN,
            )


def test_one_silent_approach_is_stale_alone(kept, schedule, morning):
    queue = morning.queue.copy()
    queue[-5:, 1] = np.nan
    found = outlook(kept.fitted.weights, replace(morning, queue=queue), schedule, morning.end_ms)
    assert [one.refusal for one in found] == [None, Refusal.STALE, None]


def test_gaps_and_unknown_days_are_said(kept, schedule, morning):
    queue = morning.queue.copy()
    queue[-14:-3] = np.nan
    (one, *_) = outlook(kept.fitted.weights, replace(morning, queue=queue), schedule, morning.end_ms)
    assert one.refusal is Refusal.GAPS
    sunday = replace(morning, begin_ms=morning.begin_ms - 86_400_000)
    (one, *_) = outlook(kept.fitted.weights, sunday, schedule, sunday.end_ms)
    assert one.refusal is Refusal.NO_PROFILE
    assert one.queue_pcu is not None  # what is known now is told all the same


def test_without_a_fit_the_present_is_told(schedule, morning):
    (one, *_) = outlook(None, morning, schedule, morning.end_ms)
    assert one.refusal is Refusal.NO_FIT
    assert one.level is not Level.UNKNOWN


def test_an_empty_panel_is_stale(kept, schedule):
    empty = Panel(columns(), MONDAY, np.empty((0, 3)))
    assert {one.refusal for one in outlook(kept.fitted.weights, empty, schedule, MONDAY)} == {Refusal.STALE}


def test_a_fit_for_others_is_not_used(kept, schedule):
    with pytest.raises(ModelError, match="other approaches"):
        outlook(kept.fitted.weights, days(1, width=2), schedule, MONDAY)
