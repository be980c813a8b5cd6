"""Pictures of every page of the console: `python docs/make_pictures.py [--every] [--corridor ID]`.

Starts a demo, lets it run for some simulated minutes, visits every page in Debian's Chromium and writes
`docs/pictures/console-PAGE-LANGUAGE-THEME.png`. Needs the extras `sim` and `dev`, and Chromium.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from denxanh.networks import catalogue

PICTURES = Path(__file__).parent / "pictures"
SIZE = (1440, 900)
READY_S = 600.0
"""The demo's page must answer within so many seconds."""
SETTLE_MS = 2500
"""A page has drawn itself so long after its last "Loading…" is gone."""
PATIENCE_MS = 120_000
"""A page, or a picture of it, may take so long on a busy machine."""
LOADING = """() => [...document.querySelectorAll("main *")].some(
  (one) => !one.children.length && ["Đang tải…", "Loading…"].includes(one.textContent.trim()))"""
CHOICES = (("vi", "dark"), ("en", "light"))
"""(Language, theme) of the pictures that the documentation shows; `--every` adds the other two."""
OTHERS = (("vi", "light"), ("en", "dark"))


class Shot(NamedTuple):
    """One picture: its name, the page, what to press first, who looks (nobody: not logged in)."""

    name: str
    path: str
    press: str = ""
    who: str = "engineer"


def shots(corridor: str) -> tuple[Shot, ...]:
    """Every page of a corridor's console."""
    places = catalogue.corridor(corridor).intersections
    place = places[len(places) // 2].id
    return (
        Shot("map", "/"),
        Shot("wall", "/?wall=1"),
        Shot("intersections", "/intersections"),
        Shot("intersection", f"/intersections/{place}"),
        Shot("corridor", "/corridor"),
        Shot("order-plan", f"/intersections/{place}", press='[data-order="plan"]'),
        Shot("order-hold", f"/intersections/{place}", press='[data-order="hold"]'),
        Shot("alarms", "/alarms"),
        Shot("notices", "/notices"),
        Shot("plans", "/plans"),
        Shot("plan-editor", f"/plans/{place}/1/edit"),
        Shot("calendar", "/calendar"),
        Shot("audit", "/audit"),
        Shot("comparison", "/comparison"),
        Shot("measures", f"/measures?intersection={place}"),
        Shot("hotspots", "/hotspots"),
        Shot("indicators", "/indicators"),
        Shot("account", "/account"),
        Shot("people", "/people", who="administrator"),
        Shot("login", "/login", who="nobody"),
    )


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corridor", default="truc-30-4-hoa-binh", choices=catalogue.names())
    parser.add_argument("--seconds", type=int, default=420, help="simulated, before the first picture")
    parser.add_argument("--speed", type=float, default=4.0, help="of the demo; 1 on a busy machine")
    parser.add_argument("--every", action="store_true", help="both themes in both languages")
    parser.add_argument("--only", help="names of pictures, separated by commas")
    parser.add_argument("--out", type=Path, default=PICTURES)
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else None
    chosen = [shot for shot in shots(options.corridor) if wanted is None or shot.name in wanted]
    options.out.mkdir(parents=True, exist_ok=True)
    with _demo(options.corridor, options.speed) as (address, link, site), sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        engineer = browser.new_context()
        engineer.new_page().goto(address + link, timeout=PATIENCE_MS)
        sessions = {"engineer": engineer, "administrator": _administrator(browser, address, site)}
        _wait(engineer, address, options.seconds)
        for lang, theme in CHOICES + (OTHERS if options.every else ()):
            for shot in chosen:
                _take(browser, sessions.get(shot.who), address, shot, lang, theme, options.out)
        browser.close()
    return 0


@contextmanager
def _demo(corridor: str, speed: float) -> Iterator[tuple[str, str, Path]]:
    """A running demo: its address, a link that logs in once, its site file."""
    folder = Path(tempfile.mkdtemp())
    command = [
        sys.executable,
        "-m",
        "denxanh.cli",
        "demo",
        "--corridor",
        corridor,
        "--speed",
        str(speed),
        "--out",
        str(folder),
    ]
    demo = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert demo.stderr is not None
        for line in demo.stderr:
            found = re.search(r"(http://[^/\s]+)(/\S+)", line)
            if found and "once" in line:
                yield found[1], found[2], folder / "site.toml"
                return
        raise SystemExit("the demo ended before its page was there")
    finally:
        demo.terminate()
        demo.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _administrator(browser: Browser, address: str, site: Path) -> BrowserContext:
    """An administrator's session: a new account, its one-time password changed as it must be."""
    command = [sys.executable, "-m", "denxanh.cli", "people", "add", str(site), "quan.tri"]
    command += ["--role", "administrator", "--display", "Lê Quản Trị"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    once, own = made.stdout.strip(), secrets.token_urlsafe(18)
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{address}/login")
    page.fill("#name", "quan.tri")
    page.fill("#password", once)
    page.press("#password", "Enter")
    page.wait_for_selector("#current")
    for field, value in (("current", once), ("new", own), ("again", own)):
        page.fill(f"#{field}", value)
    page.press("#again", "Enter")
    page.wait_for_selector("#content")
    return context


def _wait(session: BrowserContext, address: str, seconds: int) -> None:
    deadline = time.monotonic() + READY_S + seconds
    while time.monotonic() < deadline:
        state: Any = json.loads(session.request.get(f"{address}/api/v1/state").body())
        if (state["tick"] or 0) >= seconds:
            return
        time.sleep(2)
    raise SystemExit(f"the demo has not come to second {seconds}")


def _take(
    browser: Browser,
    session: BrowserContext | None,
    address: str,
    shot: Shot,
    lang: str,
    theme: str,
    out: Path,
) -> None:
    wide, high = SIZE
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        reduced_motion="reduce",
        storage_state=session.storage_state() if session else None,
    )
    cookies = {"denxanh-lang": lang, "denxanh-theme": theme}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(address + shot.path)
    _settled(page)
    if shot.press:
        page.click(shot.press)
        _settled(page)
    target = out / f"console-{shot.name}-{lang}-{theme}.png"
    page.screenshot(path=target)
    sys.stdout.write(f"{target}\n")
    context.close()


def _settled(page: Page) -> None:
    """The page's policy forbids Playwright's own way to wait for something."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while page.evaluate(LOADING):
        if time.monotonic() > deadline:
            raise SystemExit(f"{page.url} still loads")
        page.wait_for_timeout(SETTLE_MS / 10)
    page.wait_for_timeout(SETTLE_MS)


if __name__ == "__main__":
    sys.exit(main())
