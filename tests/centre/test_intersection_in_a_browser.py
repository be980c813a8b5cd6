"""One intersection's page and the corridor's in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.mode import Mode
from denxanh.controller.operator.message import Role
from denxanh.controller.operator.standing import StandingView
from denxanh.networks import catalogue

Open = Callable[..., Any]


@pytest.fixture
def place(visit: Open, scribe: Any) -> Any:
    """Its page, after forty seconds of which the last eight were committed."""
    scribe.write(scribe.opened(), *(scribe.tick(number) for number in range(1, 33)))
    scribe.write(
        *(scribe.tick(number, commitment=scribe.promise(41 - number, 2)) for number in range(33, 41))
    )
    opened = visit(f"/intersections/{scribe.intersection.id}")
    opened.wait("document.querySelector('#timeline .lamps') !== null")
    return opened


def test_countdown_mode_and_reason(place: Any, scribe: Any) -> None:
    assert place.text("#mode") == "Thích nghi"
    assert place.text("#figure") == "1"
    assert scribe.intersection.stages[2].id in place.text("#meaning")
    assert place.text("#why") == "Pha A có áp lực cao hơn"
    assert place.text("#guard") == "không can thiệp"
    scribe.write(scribe.tick(41, mode=Mode.PLAN, cause="link-lost", guard_refusal="min-green"))
    place.wait("document.getElementById('mode').textContent === 'Chương trình'")
    assert place.text("#why") == "mất kết nối với tủ"
    assert place.text("#guard") == "chưa hết xanh tối thiểu"
    assert place.wrong == []


def test_a_countdown_never_says_zero(place: Any, scribe: Any) -> None:
    scribe.write(scribe.tick(41, commitment=scribe.promise(0, 2)))
    place.wait("document.getElementById('meaning').textContent === 'đang chuyển pha'")
    assert not place.text("#figure").isdecimal()


def test_lamps_of_the_past_and_the_committed_future_are_drawn(place: Any, scribe: Any) -> None:
    names = place.page.query_selector_all("#timeline .name")
    assert len(names) == len(scribe.intersection.groups)
    for kind in ("lamps G", "lamps r", "hatch", "lamps G future"):
        place.wait(f"document.querySelector(\"#timeline [class='{kind}']\") !== null")
    # Seconds that passed before the page was opened are there.
    wide = "document.querySelector(\"#timeline [class='lamps r']\").getBBox().width"
    place.wait(f"{wide} > 0.2 * document.querySelector('#timeline svg').clientWidth")


def test_the_running_and_the_next_stage_are_named(place: Any) -> None:
    role = "index => document.querySelectorAll('#stages li')[index].innerText"
    assert "đang chạy" in place.page.evaluate(role, 0)
    assert "kế tiếp" in place.page.evaluate(role, 2)
    arrows = place.page.eval_on_selector_all(
        "#stages li", "all => all.map(one => one.querySelectorAll('.go-arrow').length)"
    )
    assert all(arrows), "every stage lets something go"


def test_people_see_which_order_stands_and_whose_it_is(place: Any, scribe: Any) -> None:
    assert "Không có lệnh nào" in place.text("#orders")
    order = StandingView("o1", "hold", "lan.tran", Role.OPERATOR, "xe hỏng giữa nút", 1, None, 95)
    scribe.write(scribe.tick(41, mode=Mode.MANUAL, cause="operator-hold", orders=(order,)))
    place.wait("document.querySelector('#orders b') !== null")
    said = place.text("#orders")
    assert f"Giữ pha {scribe.intersection.stages[1].id}" in said
    assert "còn 1:35" in said
    assert "lan.tran · Người vận hành" in said
    assert "xe hỏng giữa nút" in said


def test_earlier_lamps_are_looked_back_at_and_now_comes_back(visit: Open, scribe: Any) -> None:
    """Longer ago than the page's own memory: from the store."""
    scribe.write(scribe.opened(), *(scribe.tick(number) for number in range(1, 701)))
    page = visit(f"/intersections/{scribe.intersection.id}")
    page.wait("document.querySelector('#timeline .lamps') !== null")
    page.wait("!document.getElementById('back').disabled && document.getElementById('on').disabled")
    page.page.click("#back")
    page.wait("document.getElementById('looked').textContent.startsWith('đến 06:')")
    page.wait("document.querySelector('#timeline.is-past .lamps') !== null")
    page.page.click("#back")
    # 700 s were written: of the seven minutes that end ten minutes ago only the last 100 s are known.
    wide = "Math.max(...[...document.querySelectorAll('#timeline .lamps')].map((one) => one.getBBox().width))"
    page.wait(f"{wide} < 0.3 * document.querySelector('#timeline svg').clientWidth")
    assert page.page.evaluate(wide) > 0.15 * page.page.evaluate(
        "document.querySelector('#timeline svg').clientWidth"
    )
    page.page.click("#to-now")
    scribe.write(scribe.tick(701))
    page.wait("document.querySelector('#timeline.is-past') === null")
    assert page.text("#looked") == ""
    assert page.wrong == []


def test_detectors_are_told_and_every_lane_has_its_queue(place: Any, scribe: Any) -> None:
    place.wait("document.querySelectorAll('#detectors .cell').length > 0")
    assert len(place.page.query_selector_all("#detectors .cell")) == len(scribe.intersection.detectors)
    assert len(place.page.query_selector_all("#lanes .lane")) == len(scribe.intersection.lanes)
    label = place.page.get_attribute("#lanes .lane", "aria-label").replace("\u00a0", " ")
    assert "3,2 xcqđ chờ" in label, "numbers are written the Vietnamese way"


def test_english_says_it_in_english(visit: Open, scribe: Any) -> None:
    scribe.write(scribe.opened(), scribe.tick(1))
    opened = visit(f"/intersections/{scribe.intersection.id}", lang="en")
    opened.wait("document.getElementById('mode').textContent === 'Adaptive'")
    assert opened.text("#why") == "Stage A has more pressure"
    assert "3.2 pcu queued" in opened.page.get_attribute("#lanes .lane", "aria-label")


class TestCorridor:
    """Time and distance along the arterial."""

    @pytest.fixture
    def corridor(self) -> Any:
        return catalogue.corridor("truc-30-4-hoa-binh")

    @pytest.fixture
    def page(self, visit: Open, scribe: Any) -> Any:
        scribe.write(scribe.opened())
        for item in scribe.corridor.intersections:
            scribe.intersection = item
            scribe.write(*(scribe.tick(number) for number in range(1, 20)))
        opened = visit("/corridor")
        opened.wait("document.querySelectorAll('#chart .lit.out').length === 7")
        return opened

    def test_greens_of_both_directions_the_plan_and_its_band(self, page: Any, scribe: Any) -> None:
        assert len(page.page.query_selector_all("#chart .lit.back")) == 7
        assert len(page.page.query_selector_all("#chart .planned")) == 14
        assert page.page.query_selector("#chart .band.out") is not None
        assert len(page.page.query_selector_all("#stops tr")) == 7
        assert "trong chu kỳ 104 s" in page.text("#band-out")
        assert page.wrong == []

    @pytest.mark.parametrize(
        ("offset", "metres_per_second", "runs"),
        [
            (30, 10, [[0, 30]]),  # the second signal opens just as the first departure comes
            (45, 10, [[15, 30]]),
            (0, 10, []),
            (0, 5, [[0, 30]]),  # a whole cycle on the way
        ],
    )
    def test_the_band_is_what_meets_green_at_every_signal(
        self, page: Any, offset: int, metres_per_second: int, runs: list[list[int]]
    ) -> None:
        found = page.page.evaluate(
            """async ([offset, speed]) => {
                const { band } = await import("/static/js/progression.js");
                const plan = (offset) => ({ number: 1, cycle: 60, offset, greens: [[[0, 30]]] });
                const stop = (at, offset) => ({ at, groups: [0], plan: plan(offset) });
                return band([stop(0, 0), stop(300, offset)], speed);
            }""",
            [offset, metres_per_second],
        )
        assert found["cycle"] == 60
        assert [[start % 60, end - start] for start, end in found["runs"]] == [
            [start, end - start] for start, end in runs
        ]

    def test_the_speed_slants_the_band(self, page: Any) -> None:
        band = "document.querySelector('#chart .band.out')?.getAttribute('d')"
        before = page.page.evaluate(band)
        page.page.focus("#speed")
        page.page.keyboard.press("ArrowRight")
        assert "42 km/h" in page.text("label[for=speed]")
        assert page.page.evaluate(band) != before

    def test_a_shorter_span_shows_less(self, page: Any) -> None:
        wide = "document.querySelector('#chart .lit.out').getBBox().width"
        before = page.page.evaluate(wide)
        page.page.click("[data-minutes='3']")
        assert page.page.evaluate(wide) > before


class TestARealIntersection:
    """Many detectors, and arms that lie between the points of the compass."""

    @pytest.fixture
    def corridor(self) -> Any:
        return catalogue.corridor("truc-30-4-hoa-binh")

    def test_the_cells_of_the_detectors_stay_in_their_column(self, place: Any) -> None:
        place.wait("document.querySelectorAll('#detectors .cell').length > 0")
        over = place.page.evaluate(
            "[...document.querySelectorAll('.strip > div')].map((kind) =>"
            " kind.querySelector('.cell:last-child').getBoundingClientRect().right"
            " - kind.getBoundingClientRect().right)"
        )
        assert len(over) == 4
        assert max(over) <= 0.5

    def test_a_crossing_is_named_like_the_street_that_it_crosses(self, place: Any, scribe: Any) -> None:
        names = [one.text_content() for one in place.page.query_selector_all("#timeline .name")]
        walking = {name.replace("đi bộ", "").strip() for name in names if "đi bộ" in name}
        driving = {name.strip("←↑→↩ ") for name in names if "đi bộ" not in name}
        assert walking
        assert walking <= driving
