"""A new operator's four tasks on the whole system, from the street to the browser; and the debrief.

The tests of this file share one running exercise and are in the order of a shift.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre.server import bind
from denxanh.networks import catalogue
from denxanh.sim.exercise import Lesson, Script, Wanted
from denxanh.sim.spec import FaultSpec, Happening

pytestmark = [pytest.mark.timeout(600)]
CORRIDOR = "nguyen-van-cu"
LOST = "MT_NVC"
SPEED = 6
START_S = 120.0
PATIENCE_S = 120.0


@dataclass
class Shift:
    """A running exercise, and a browser that is logged in to it."""

    process: subprocess.Popen[bytes]
    folder: Path
    address: str
    context: Any

    def open(self, path: str, lang: str, theme: str) -> Any:
        """A page of the console."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto(f"{self.address}{path}{'&' if '?' in path else '?'}lang={lang}&theme={theme}")
        return page


def until(page: Any, expression: str) -> None:
    """Until a JavaScript expression is true (the page's policy forbids Playwright's own way)."""
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, (expression, page.inner_text("body")[:2000])
        page.wait_for_timeout(200)


@pytest.fixture(scope="module")
def shift(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shift]:
    pytest.importorskip("libsumo", reason="SUMO is not installed (extra `sim`)")
    folder = tmp_path_factory.mktemp("exercise")
    lesson = Lesson(
        fault=FaultSpec(happening=Happening.LINK, target=LOST, at_s=20),
        wanted=Wanted.ACKNOWLEDGE,
        within_s=1200,
        vi="Mất kết nối",
        en="The link is lost",
    )
    script = Script(name_vi="Ca trực", name_en="A shift", seconds=3600, lessons=(lesson,))
    (folder / "script.json").write_text(script.model_dump_json(), encoding="utf-8")
    with closing(bind("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--script", str(folder / "script.json"), "--corridor", CORRIDOR, "--speed", str(SPEED)]
    options += ["--port", str(port), "--out", str(folder), "--json"]
    with (folder / "said").open("wb") as said, (folder / "result").open("wb") as result:
        process = subprocess.Popen(
            [sys.executable, "-m", "denxanh.cli", "exercise", *options], stdout=result, stderr=said
        )
    try:
        link = _link(process, folder / "said")
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        shift = Shift(process, folder, f"http://127.0.0.1:{port}", context)
        page = context.new_page()
        page.goto(link)
        yield shift
        context.close()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _link(process: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = re.search(r"http://\S+/login/once/\S+", said.read_text("utf-8"))
        if found:
            return found.group()
        assert process.poll() is None, said.read_text("utf-8")
        time.sleep(0.2)
    raise AssertionError(said.read_text("utf-8"))


LOOKS = [("vi", "dark", "NVL_NVC", "Sự kiện đông người"), ("en", "light", "NVC_CMT8", "A parade passes")]


def name_of(place: str, lang: str) -> str:
    item = catalogue.corridor(CORRIDOR).intersection(place)
    return item.name_vi if lang == "vi" else item.name_en


@pytest.mark.parametrize(("lang", "theme"), [look[:2] for look in LOOKS])
def test_where_is_the_trouble(shift: Shift, lang: str, theme: str) -> None:
    page = shift.open("/", lang, theme)
    wanted = f"a[href='/intersections/{LOST}']"
    until(page, f'document.querySelector("main {wanted}") !== null')
    page.click(f"main {wanted} >> nth=0")
    until(page, "document.getElementById('place') !== null")
    assert name_of(LOST, lang) in page.inner_text("h1")
    until(page, "document.getElementById('mode').innerText.trim() !== ''")
    page.close()


def test_the_alarm_is_taken_note_of(shift: Shift) -> None:
    page = shift.open(f"/alarms?intersection={LOST}", "vi", "light")
    page.click("[data-take] >> nth=0")
    page.fill("#note", "Đã báo tổ kỹ thuật")
    page.click("#take .button.first")
    until(page, "document.getElementById('rows').innerText.includes('Đã báo tổ kỹ thuật')")
    page.close()


@pytest.mark.parametrize(("lang", "theme", "place", "reason"), LOOKS)
def test_switch_to_the_evening_plan_for_half_an_hour(
    shift: Shift, lang: str, theme: str, place: str, reason: str
) -> None:
    page = shift.open(f"/intersections/{place}", lang, theme)
    page.click("[data-order='plan']")
    page.click("[data-plan-choice='2']")
    until(page, "document.querySelectorAll('[data-preview] .steps li').length > 0")
    page.fill("#plan-reason", reason)
    page.click("#order-plan form .button.first")
    assert reason in page.inner_text("#order-plan [data-said-reason]")
    page.click("#order-plan [data-send]")
    until(page, "document.querySelector('#order-plan [data-verdict]').dataset.tone === 'good'")
    states = page.eval_on_selector_all("#order-plan [data-mark]", "all => all.map(one => one.dataset.state)")
    assert states == ["done"] * 3
    page.click("#order-plan [data-step='outcome'] [data-close]")
    until(page, "document.querySelector('#mode .mode').dataset.mode === 'PLAN'")
    page.close()


@pytest.mark.parametrize(("lang", "theme", "place", "reason"), LOOKS)
def test_hold_a_stage_and_hand_back(shift: Shift, lang: str, theme: str, place: str, reason: str) -> None:
    page = shift.open(f"/intersections/{place}", lang, theme)
    page.click("[data-order='hold']")
    page.click("#order-hold [data-stage-choice='0']")
    page.click("#order-hold [name='time'][value='900'] + *, #order-hold label:has([value='900'])")
    page.fill("#hold-reason", reason)
    page.click("#order-hold form .button.first")
    page.click("#order-hold [data-send]")
    until(page, "document.querySelector('#order-hold [data-verdict]').dataset.tone === 'good'")
    assert page.get_attribute("#order-hold [data-cabinet] .mode", "data-mode") == "MANUAL"
    page.click("#order-hold [data-order='release']")
    until(page, "document.querySelectorAll('#order-release [data-standing] b').length === 2")
    page.fill("#release-reason", reason)
    page.click("#order-release form .button.first")
    page.click("#order-release [data-send]")
    until(page, "document.querySelector('#order-release [data-verdict]').dataset.tone === 'good'")
    page.close()


@pytest.mark.parametrize(("lang", "theme", "place", "reason"), LOOKS)
def test_who_did_that(shift: Shift, lang: str, theme: str, place: str, reason: str) -> None:
    page = shift.open("/audit", lang, theme)
    page.select_option("[name='target']", place)
    page.fill("[name='text']", reason)
    page.click("#filters .button.first")
    until(page, "document.querySelectorAll('#rows [data-seq]').length === 3")
    rows = page.inner_text("#rows")
    assert rows.count("demo-engineer") == 3
    assert rows.count(reason) == 3
    page.click("#check")
    until(page, "document.getElementById('chain').dataset.tone === 'good'")
    page.close()


def test_the_debrief_says_what_was_right(shift: Shift) -> None:
    shift.process.send_signal(signal.SIGINT)
    shift.process.wait(90)
    told = json.loads((shift.folder / "result").read_text("utf-8"))
    (lesson,) = told["lessons"]
    assert (lesson["grade"], lesson["actor"]) == ("right", "demo-engineer"), told
    assert 0 < lesson["after_s"] <= 1200
    assert told == json.loads((shift.folder / "debrief.json").read_text("utf-8"))
