"""What holds for every page: readable by all, nothing cut off, no key instead of its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.centre.words.word import Lang
from denxanh.controller.mode import Mode
from denxanh.controller.record import LaneView
from denxanh.networks import catalogue
from denxanh.networks.model import Corridor

Open = Callable[..., Any]
MISSING = "/intersections/nix"
PAGES = (
    "/",
    "/?wall=1",
    "/intersections",
    "/intersections/MT_304",
    "/corridor",
    "/hotspots",
    MISSING,
)
KEY = re.compile(r"\b(?:map|list|place|corridor|trouble|shell|nav|feed|log|mode|cause|compass|turn)\.[a-z]")


@pytest.fixture
def corridor() -> Corridor:
    return catalogue.corridor("truc-30-4-hoa-binh")


@pytest.fixture
def busy(scribe: Any) -> None:
    """Every mode on the street, queues of every length, one that is promised."""
    scribe.write(scribe.opened())
    for number, item in enumerate(scribe.corridor.intersections):
        scribe.intersection = item
        mode = list(Mode)[number % len(Mode)]
        lanes = tuple(
            LaneView(lane.storage_pcu * index / len(item.lanes), 2.0, 0.3 if index == 0 else 0.9)
            for index, lane in enumerate(item.lanes, start=number % 2)
        )
        scribe.write(
            *(
                scribe.tick(
                    tick,
                    mode=mode,
                    cause="in-charge" if mode is Mode.ADAPTIVE else "police-panel",
                    lanes=lanes,
                    commitment=scribe.promise(5, 1),
                    events=(scribe.mode_event(),) if tick == 3 else (),
                )
                for tick in range(1, 30)
            )
        )


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("lang", "theme"), [(Lang.VI, "light"), (Lang.EN, "dark")])
def test_all_can_read_it_nothing_is_cut_off_and_no_key_is_shown(
    visit: Open, lang: Lang, theme: str, address: str
) -> None:
    opened = visit(PAGES[0], lang=lang, theme=theme)
    for path in PAGES:
        if path != PAGES[0]:
            opened.page.goto(address + path)
        opened.wait("document.getElementById('clock').textContent !== '--:--:--'")
        assert opened.cut_off() == [], path
        assert not KEY.search(opened.page.inner_text("body")), path
        assert opened.page.evaluate("document.documentElement.lang") == lang, path
        # A page that there is not is answered with 404, which the browser notes.
        assert [one for one in opened.wrong if "404" not in one or path != MISSING] == [], path
        assert opened.grave() == [], path
    assert all(url.startswith(f"{address}/") for url in opened.asked)


@pytest.mark.usefixtures("busy")
def test_language_and_theme_are_switched_and_kept(visit: Open) -> None:
    opened = visit("/", theme="auto")
    dark = "getComputedStyle(document.body).backgroundColor"
    opened.page.click("[data-theme-choice='dark']")
    assert opened.page.evaluate("document.documentElement.dataset.theme") == "dark"
    shade = opened.page.evaluate(f"getComputedStyle(document.documentElement).backgroundColor || {dark}")
    opened.page.click("[data-theme-choice='light']")
    assert opened.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != shade
    opened.page.click("a[hreflang='en']")
    opened.page.wait_for_selector("html[lang=en]", state="attached")
    assert opened.text("h1") == "Map"
    opened.page.click("nav a[href='/intersections']")
    opened.page.wait_for_selector("#rows")
    assert opened.page.evaluate("document.documentElement.lang") == "en"
    assert opened.page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_content_is_one_key_away(visit: Open) -> None:
    opened = visit("/intersections")
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "content"
