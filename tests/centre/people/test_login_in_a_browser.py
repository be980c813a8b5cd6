"""Coming in with a real browser: what it really sends with forms, and who else can use the pages."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi.staticfiles import StaticFiles

from denxanh.controller.centre import app as application
from denxanh.controller.centre.people.deed import CENTRE
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.server import bind
from denxanh.controller.centre.shield import SecurityHeaders

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PASSWORD = "xe lôi qua cầu Ninh Kiều"
OTHER = "ghe chở trái cây về chợ nổi"

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true",
        reason="no Chromium on this machine (apt install chromium)",
    ),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def site(serve: Callable[..., Any]) -> Iterator[str]:
    """The pages with the headers and files that they really come with, on a socket."""
    app = serve()
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=application.HERE / "static"), name="static")
    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def page(chromium: Any, site: str) -> Iterator[Any]:
    """A page without scripts, which must not be missed."""
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(8_000)
    opened.asked = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    context.close()


def log_in(page: Any, site: str, name: str = "hoa", password: str = PASSWORD) -> None:
    page.goto(f"{site}/map")
    page.get_by_label("Tên đăng nhập").fill(name)
    send(page, password)


def send(page: Any, password: str) -> None:
    page.get_by_label("Mật khẩu").fill(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_in_and_out_without_scripts_or_a_mouse(page: Any, site: str, account: Callable[..., None]) -> None:
    account("hoa")
    log_in(page, site, password="wrong")
    assert page.get_by_role("alert").inner_text().startswith("Tên đăng nhập hoặc mật khẩu không đúng.")
    assert page.get_by_label("Tên đăng nhập").input_value() == "hoa"
    send(page, PASSWORD)
    assert page.url == f"{site}/map"
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.goto(f"{site}/password")
    page.get_by_role("button", name="Đăng xuất").click()
    assert page.url == f"{site}/login"
    assert page.context.cookies() == []
    assert all(url.startswith(site) for url in page.asked)


def test_a_one_time_password_is_changed(
    page: Any, site: str, account: Callable[..., None], people: People
) -> None:
    account("hoa")
    kept = people.accounts.password_hash("hoa")
    assert kept is not None
    people.accounts.set_password("hoa", kept, by=CENTRE, must_change=True)
    log_in(page, site)
    assert page.url == f"{site}/password"
    page.get_by_label("Mật khẩu hiện tại").fill(PASSWORD)
    page.get_by_label("Mật khẩu mới", exact=False).first.fill(OTHER)
    page.get_by_label("Nhập lại mật khẩu mới").fill(OTHER)
    page.get_by_role("button", name="Đổi mật khẩu").click()
    page.goto(f"{site}/map")
    assert page.inner_text("body") == '"hoa"'


def test_another_sites_form_does_nothing(page: Any, site: str, account: Callable[..., None]) -> None:
    account("hoa")
    log_in(page, site)
    form = f'<form method="post" action="{site}/logout"><button>x</button></form>'
    page.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://evil.example/")
    with page.expect_navigation():
        page.get_by_role("button").click()
    page.goto(f"{site}/map")
    assert page.inner_text("body") == '"hoa"'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages(
    chromium: Any, site: str, account: Callable[..., None], scheme: str
) -> None:
    account("hoa")
    page = chromium.new_page(color_scheme=scheme, bypass_csp=True)
    try:
        seen = []
        page.goto(f"{site}/login")
        seen.append(Axe().run(page))
        log_in(page, site, password="wrong")
        seen.append(Axe().run(page))
        log_in(page, site)
        page.goto(f"{site}/password")
        seen.append(Axe().run(page))
        assert [one.generate_report() for one in seen if one.violations_count] == []
        assert len(seen) == 3
    finally:
        page.close()
