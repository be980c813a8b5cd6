"""The page in a real browser: colours change, nothing comes from elsewhere, silence shows."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from denxanh.controller.mode import Mode

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true",
        reason="no Chromium on this machine (apt install chromium)",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


class Visit:
    """One opened page with everything that it asked for and everything that went wrong in it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page = browser.new_page(viewport={"width": 1440, "height": 900})
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.goto(address)
        self.page.wait_for_selector(".card")

    def lamps(self, intersection: str) -> list[str]:
        """The colours that the stop lines on a card are really painted in."""
        script = "nodes => nodes.map(node => getComputedStyle(node).stroke)"
        return list(self.page.eval_on_selector_all(f".card[data-id='{intersection}'] .head line", script))

    def wait(self, expression: str) -> None:
        """Until a JavaScript expression is true (the page's policy forbids Playwright's own way)."""
        deadline = time.monotonic() + 10
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(50)


@pytest.fixture
def visit(browser: Any, address: str, scribe: Any) -> Iterator[Visit]:
    scribe.write(scribe.opened(), scribe.tick(1))
    opened = Visit(browser, address)
    opened.wait("document.querySelector('.card .badge').textContent.length > 0")
    yield opened
    opened.page.close()


def test_colours_follow_the_lamps_and_nothing_comes_from_elsewhere(
    visit: Visit, scribe: Any, address: str
) -> None:
    place = scribe.intersection.id
    before = visit.lamps(place)
    assert len(set(before)) > 1, "red and green are different colours"
    scribe.write(scribe.tick(2, aspects="rrrrrr", in_interstage=True))
    visit.wait(
        "[...document.querySelectorAll('.card:first-child .head')].every(node => node.dataset.a === 'r')"
    )
    visit.page.wait_for_timeout(400)
    assert len(set(visit.lamps(place))) == 1
    assert visit.asked
    assert all(url.startswith(f"{address}/") for url in visit.asked)
    assert visit.wrong == []


def test_countdown_mode_and_reason_are_shown_vietnamese_first(visit: Visit, scribe: Any) -> None:
    scribe.write(scribe.tick(2, mode=Mode.PLAN, cause="link-lost", commitment=scribe.promise(7, 2)))
    visit.wait("document.querySelector('.card .count b').textContent === '7'")
    card = visit.page.inner_text(".card:first-child")
    assert "Chương trình" in card
    assert "Đường nhánh" in card, "the next stage by name"
    assert "mất kết nối với tủ" in card
    marker = visit.page.get_attribute(f".marker[data-id='{scribe.intersection.id}']", "data-mode")
    assert marker == "PLAN"


def test_reason_is_shown_in_vietnamese_with_english_under_it(visit: Visit, scribe: Any) -> None:
    assert visit.page.inner_text(".card:first-child .why").split("\n") == [
        "Pha A có áp lực cao hơn",
        "Stage A has more pressure",
    ]
    scribe.write(scribe.tick(2, why_vi=""))
    visit.wait("document.querySelector('.card .why').innerText.trim() === 'Stage A has more pressure'")


def test_log_shows_mode_changes_with_cause_and_can_be_filtered(visit: Visit, scribe: Any) -> None:
    scribe.write(scribe.tick(2, events=(scribe.mode_event(),)))
    visit.wait("document.querySelectorAll('#log li').length === 1")
    assert "Thích nghi → chương trình" in visit.page.inner_text("#log")
    visit.page.click("[data-kind='switch']")
    assert not visit.page.is_visible("#log li")
    visit.page.click("[data-kind='mode']")
    assert visit.page.is_visible("#log li")


def test_silence_is_shown_and_ends(visit: Visit, scribe: Any) -> None:
    visit.wait("!document.getElementById('banner').hidden")
    assert "Không có nhịp mới" in visit.page.inner_text("#banner")
    assert "stale" in visit.page.get_attribute(".card:first-child", "class")
    scribe.write(scribe.tick(9))
    visit.wait("document.getElementById('banner').hidden")
    assert "stale" not in visit.page.get_attribute(".card:first-child", "class")


def test_lost_connection_is_shown(visit: Visit, hosted: Any) -> None:
    hosted.end()
    visit.wait("document.getElementById('banner').textContent.includes('Mất kết nối')")
    assert visit.page.evaluate("document.body.classList.contains('offline')")


def test_a_model_without_a_gate_is_warned_of_beside_everything_else(visit: Visit, scribe: Any) -> None:
    assert not visit.page.is_visible("#warning")
    learned = {"policy": "model:/srv/models/m.onnx", "model": "ab" * 32, "unfit": ["no gate"]}
    scribe.write({**scribe.opened(), **learned, "ungated": "thử nghiệm có người trực"}, scribe.tick(2))
    visit.wait("!document.getElementById('warning').hidden")
    said = visit.page.inner_text("#warning")
    assert said.startswith("Mô hình chưa qua cổng kiểm định, vẫn được phép điều khiển vì: thử nghiệm")
    assert "The model has not passed the gate" in said
    assert visit.page.inner_text("#policy") == "model:m.onnx"
    assert "/srv/models/m.onnx" in visit.page.get_attribute("#policy", "title")
    # The feed's own banner comes and goes; the warning stays.
    visit.wait("!document.getElementById('banner').hidden")
    assert visit.page.is_visible("#warning")
    scribe.write({**scribe.opened(), **learned, "unfit": []}, scribe.tick(9))
    visit.wait("document.getElementById('warning').hidden")


def test_the_log_shows_a_reason_whole(visit: Visit, scribe: Any) -> None:
    vi = (
        f"Chuyển sang pha A. {'nhất là vì làn NVL_NVC_ne_1 (thẳng, rẽ phải; 12,0 chờ, 3,0 đang tới) ' * 4}hết"
    )
    event = replace(scribe.mode_event(), kind="switch", text_vi=vi, text_en="To stage A", cause="policy")
    scribe.write(scribe.tick(2, events=(event,)))
    visit.wait("document.querySelectorAll('#log li').length === 1")
    line = visit.page.query_selector("#log li b")
    assert line.inner_text().replace("\u00a0", " ") == vi
    assert visit.page.evaluate(
        "node => node.scrollWidth <= node.clientWidth + 1 || node.clientWidth === 0", line
    )


def test_map_answers_to_keys_and_cards(visit: Visit) -> None:
    box = "document.getElementById('map').getAttribute('viewBox')"
    whole = visit.page.evaluate(box)
    visit.page.focus(".card:first-child")
    visit.page.keyboard.press("Enter")
    visit.wait("document.getElementById('map').classList.contains('near')")
    assert visit.page.evaluate(box) != whole
    visit.page.focus("#map")
    visit.page.keyboard.press("0")
    assert visit.page.evaluate("document.getElementById('map').classList.contains('far')")
    for key in ("+", "ArrowLeft", "-", "ArrowUp"):
        before = visit.page.evaluate(box)
        visit.page.keyboard.press(key)
        assert visit.page.evaluate(box) != before


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_nothing_is_cut_off_sideways(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 900})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


OVERLAPS = """() => [...document.querySelectorAll('.card')].flatMap((card) => {
  const shown = [...card.querySelectorAll('header, .stage, .count, dl, .ribbon, .why')]
    .map((node) => [String(node.getAttribute('class') ?? node.tagName), node.getBoundingClientRect()]);
  const low = card.getBoundingClientRect().bottom;
  return shown.flatMap(([name, a], index) => [
    ...(a.bottom > low + 0.5 ? [`${name} leaves the card`] : []),
    ...shown.slice(index + 1)
      .filter(([, b]) => a.left < b.right && b.left < a.right
        && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5)
      .map(([other]) => `${name} on ${other}`)]);
})"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1440, 757), (1280, 720), (1024, 768)])
def test_nothing_on_a_card_lies_on_anything_else(visit: Visit, width: int, height: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": height})
    # Six more of the same: as many cards as a corridor of this size or larger shows.
    visit.page.evaluate(
        "() => { const one = document.querySelector('.card');"
        " for (let i = 0; i < 6; i++) one.after(one.cloneNode(true)); }"
    )
    assert visit.page.evaluate(OVERLAPS) == []


def test_a_countdown_never_says_zero(visit: Visit, scribe: Any) -> None:
    scribe.write(scribe.tick(2, commitment=scribe.promise(0, 2)))
    visit.wait("document.querySelector('.card .count').innerText.includes('đang chuyển pha')")
    assert visit.page.text_content(f".marker[data-id='{scribe.intersection.id}']").strip().isdecimal()
