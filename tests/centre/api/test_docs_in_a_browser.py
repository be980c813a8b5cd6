"""The API's page works without any other machine: seen in a real browser."""

from __future__ import annotations

import os
import shutil
from typing import Any
from urllib.parse import urlsplit

import pytest

from denxanh.controller.operator.message import Role

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true",
        reason="no Chromium on this machine (apt install chromium)",
    ),
]


def test_the_api_page_shows_every_operation_and_asks_nobody_else(served: Any) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    token = served.town.tokens[Role.ENGINEER]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(extra_http_headers={"authorization": f"Bearer {token}"})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(f"{served.address}/api/docs")
        page.wait_for_selector(".opblock")
        shown = page.locator(".opblock").count()
        page.locator(".opblock-summary-path", has_text="hold").first.click()
        page.wait_for_selector(".opblock-description-wrapper")
        browser.close()
    paths = served.town.app.openapi()["paths"].values()
    assert shown == sum(len(item) for item in paths)
    assert {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))} == {
        urlsplit(served.address).netloc
    }
    assert wrong == []
