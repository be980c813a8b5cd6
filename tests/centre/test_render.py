"""Pages in the reader's language and theme."""

from __future__ import annotations

import http.client
import re

import pytest

PAGES = ("/", "/?wall=1", "/intersections", "/corridor", "/hotspots")


def get(address: str, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", PAGES)
def test_vietnamese_comes_first_and_english_by_choice(address: str, path: str) -> None:
    status, headers, text = get(address, path)
    assert status == 200
    assert '<html lang="vi">' in text
    assert headers["set-cookie"] is None
    _, _, text = get(address, path, Cookie="denxanh-lang=en; denxanh-theme=light")
    assert '<html lang="en" data-theme="light">' in text


def test_a_choice_is_remembered(address: str) -> None:
    _, headers, text = get(address, "/intersections?lang=en&theme=dark")
    assert '<html lang="en" data-theme="dark">' in text
    kept = headers.get_all("set-cookie")
    assert kept is not None
    assert [cookie.split(";")[0] for cookie in kept] == ["denxanh-lang=en", "denxanh-theme=dark"]


@pytest.mark.parametrize("nonsense", ["xx", "", '"><script>'])
def test_a_choice_that_there_is_not_changes_nothing(address: str, nonsense: str) -> None:
    _, _, text = get(address, "/", Cookie=f"denxanh-lang={nonsense}; denxanh-theme={nonsense}")
    assert '<html lang="vi">' in text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_inline_script_or_style_and_asks_nobody_else(address: str, path: str) -> None:
    _, headers, text = get(address, path)
    assert "unsafe" not in headers["content-security-policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    scripts = re.findall(r"<script([^>]*)>", text)
    assert scripts
    assert all('type="application/json"' in one or "src=" in one for one in scripts)
    linked = re.findall(r'(?:src|href|action)="([^"]+)"', text)
    assert all(one.startswith(("/", "#")) for one in linked)


def test_an_intersection_that_there_is_not_is_said_so_in_both_languages(address: str) -> None:
    status, _, text = get(address, "/intersections/%3Cb%3E")
    assert status == 404
    assert "không có nút giao “&lt;b&gt;”" in text
    assert "has no intersection" in get(address, "/intersections/nix", Cookie="denxanh-lang=en")[2]
