"""The report: complete, from nowhere else, honest about what went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.eval.cells import Conditions, Place
from denxanh.eval.document import document
from denxanh.eval.matrix import Request
from denxanh.eval.plots import Dot, Row, interval_plot
from denxanh.eval.report import number, percent, render, span
from denxanh.eval.results import Failure, Results, Run
from denxanh.eval.tuning import Choice, Tried

PLACES = (
    Place("street/am", "street", "am", "", "Đường thử · Cao điểm sáng", "Test street · Morning peak"),
    Place("net", sumocfg="net.sumocfg"),
)


@pytest.fixture
def made(make_run: Callable[..., Run], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def make(
        *, failures: tuple[Failure, ...] = (), changed: tuple[str, ...] = (), **more: Any
    ) -> dict[str, Any]:
        runs = []
        for place in PLACES:
            for seed in (1, 2, 3):
                locked = seed == 3
                runs.append(make_run(place.id, "fixed", seed, 40.0 + seed, **more))
                runs.append(
                    make_run(place.id, "most-vehicles", seed, 30.0 + seed, setting="most-vehicles@5+2")
                )
                runs.append(
                    make_run(place.id, "longest-queue", seed, 900.0 if locked else 33.0, gridlock=locked)
                )
                runs.append(make_run(place.id, "sumo-program", seed, 44.0 + seed))
        names = ("fixed", "most-vehicles", "longest-queue", "sumo-program")
        request = Request(PLACES, names, (1, 2, 3), tmp_path, Conditions())
        results = Results(
            tuple(runs), failures, {place.id: place.foreign for place in PLACES}, changed=changed
        )
        choice = Choice(
            "net", "most-vehicles", "most-vehicles@5+2", (Tried("most-vehicles@5+2", 30.0, 0, 3),)
        )
        return document(request, results, "denxanh evaluate --seeds 3", None, (choice,))

    return make


def test_one_file_that_asks_nobody(made: Callable[..., dict[str, Any]]) -> None:
    page = render(made())
    assert page.startswith("<!doctype html>")
    for outside in ("http:", "https:", "src=", "<link", "@import", "url(", "<script", "//"):
        assert outside not in page.replace("</", "").replace("<!doctype", ""), outside


def test_vietnamese_first_and_english_beside(made: Callable[..., dict[str, Any]]) -> None:
    page = render(made())
    assert '<html lang="vi">' in page
    for vietnamese, english in (
        ("Đánh giá các phương án điều khiển", "Control policies compared"),
        ("Đường thử · Cao điểm sáng", "Test street · Morning peak"),
        ("quyết định mỗi 5 s, trễ 2 xcqđ", "decides every 5 s, hysteresis 2 pcu"),
    ):
        assert page.index(vietnamese) < page.index(english)


def test_figures_intervals_and_change_are_there(made: Callable[..., dict[str, Any]]) -> None:
    page = render(made())
    assert "32,0" in page  # most-vehicles on the net, per vehicle
    assert "64,0" in page  # and on the street, per person
    assert "−24 %" in page
    assert "denxanh evaluate --seeds 3" in page


def test_what_went_wrong_is_said(made: Callable[..., dict[str, Any]]) -> None:
    failure = Failure("net", "fixed", "fixed", 4, "SUMO stopped: <b>out of memory</b>")
    page = render(made(failures=(failure,), changed=("controller/guard.py",), conflicts=2))
    assert "SUMO stopped: &lt;b&gt;out of memory" in page
    assert "controller/guard.py" in page
    assert "12 vi phạm an toàn" in page
    assert "vi phạm an toàn" not in render(made())


def test_gridlocked_and_far_seeds_are_marked(made: Callable[..., dict[str, Any]]) -> None:
    page = render(made())
    assert page.count('class="beyond"') >= 2
    assert "Lượt bị kẹt cứng" in page


def _row(name: str, *values: float, locked: float = -1.0) -> Row:
    dots = tuple(Dot(seed, value, value == locked) for seed, value in enumerate(values))
    mean = sum(values) / len(values)
    return Row(name, "", dots, mean, sorted(values)[len(values) // 2], min(values), max(values), "", "", "")


def test_places_in_a_plot_are_to_scale() -> None:
    svg = interval_plot([_row("a", 10.0, 20.0, 30.0)], "s", "median")
    low, middle, high = (float(x) for x in re.findall(r'<circle class="seed" cx="([\d.]+)"', svg))
    assert high - middle == pytest.approx(middle - low, abs=0.2)
    zero = float(re.findall(r'<line class="grid" x1="([\d.]+)"', svg)[0])
    assert low - zero == pytest.approx(middle - low, abs=0.2)


def test_a_gridlocked_seed_does_not_squeeze_the_others() -> None:
    calm, wild = _row("a", 20.0, 21.0, 22.0), _row("b", 20.0, 24.0, 900.0, locked=900.0)
    svg = interval_plot([calm, wild], "s", "median")
    first, *_, last = (float(x) for x in re.findall(r'<circle class="seed" cx="([\d.]+)"', svg))
    assert last - first > 20  # 4 s apart
    assert 'class="beyond"' in svg


def test_nothing_but_zeros_is_no_division_by_zero() -> None:
    assert interval_plot([_row("a", 0.0, 0.0)], "s", "median").startswith("<svg")


def test_numbers_read_as_vietnamese_figures() -> None:
    assert number(12345.678, 1) == "12\u202f345,7"
    assert number(-1.25, 2) == "−1,25"
    assert number(None) == "–"
    assert span((1.0, 2.5)) == "[1,0; 2,5]"
    assert span((None, None)) == ""
    assert percent(0.75) == "−25 %"
    assert percent(1.031) == "+3,1 %"
