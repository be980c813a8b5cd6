"""Coming in and going out by the pages, as a browser without scripts does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters

from denxanh.controller.centre.people.deed import CENTRE
from denxanh.controller.centre.people.people import People
from denxanh.controller.operator.message import Role

PASSWORD = "xe lôi qua cầu Ninh Kiều"
OTHER = "ghe chở trái cây về chợ nổi"
Make = Callable[..., None]
Written = Callable[..., list[dict[str, Any]]]


def test_the_login_page_comes_from_here_in_both_languages(browser: Any) -> None:
    answer = browser.get("/login")
    assert answer.status_code == 200
    assert 'lang="vi"' in answer.text
    assert "Đăng nhập" in answer.text
    assert '<i lang="en">Log in</i>' in answer.text
    assert not re.search(r"https?://", answer.text)
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_login_page_has_the_theme_that_was_chosen(browser: Any) -> None:
    assert "data-theme" not in browser.get("/login").text
    assert 'data-theme="dark"' in browser.get("/login", cookie="denxanh-theme=dark").text
    assert "<script" not in browser.get("/login", cookie="denxanh-theme=<script>").text


def test_every_field_has_a_label(browser: Any) -> None:
    text = browser.get("/login").text
    fields = re.findall(r'<input id="(\w+)"', text)
    assert fields == ["name", "password"]
    assert re.findall(r'<label for="(\w+)"', text) == fields


def test_in_and_out(browser: Any, account: Make, written: Written) -> None:
    account("hoa")
    assert browser.get("/map").headers["location"] == "/login?next=%2Fmap"
    answer = browser.log_in("Hoa ", next="/map")
    assert (answer.status_code, answer.headers["location"]) == (303, "/map")
    assert browser.get("/map").text == '"hoa"'
    assert browser.get("/login").headers["location"] == "/"
    out = browser.post("/logout", csrf=browser.csrf)
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert browser.get("/map").status_code == 303
    assert [(row["action"], row["actor"], row["role"]) for row in written("log")] == [
        ("login", "hoa", "operator"),
        ("logout", "hoa", "operator"),
    ]
    assert '"address":"192.0.2.10"' in written("login")[0]["detail"]


def test_the_cookie_is_kept_from_scripts_and_other_sites(browser: Any, account: Make) -> None:
    account("hoa")
    (cookie,) = browser.log_in("hoa").headers.get_list("set-cookie")
    assert cookie.startswith("denxanh-8420=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=strict"}


def test_over_tls_only_this_host_can_have_set_it(open_browser: Callable[..., Any], account: Make) -> None:
    account("hoa")
    browser = open_browser("https://tinhieu.example")
    (cookie,) = browser.log_in("hoa").headers.get_list("set-cookie")
    assert cookie.startswith("__Host-denxanh=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "HttpOnly",
        "Path=/",
        "SameSite=strict",
        "Secure",
    }
    assert browser.get("/map").status_code == 200


def test_behind_a_proxy_with_tls_it_is_the_same(open_browser: Callable[..., Any], account: Make) -> None:
    account("hoa")
    browser = open_browser("http://10.0.0.5:8420", public_url="https://tinhieu.example")
    browser.origin = "https://tinhieu.example"
    answer = browser.post("/login", name="hoa", password=PASSWORD)
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-denxanh=")
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "name", ["hoa", "nobody", "closed", "no-password", "", "unix:root", "\x00", "x" * 5000]
)
def test_a_refusal_says_the_same_whoever_it_is(
    browser: Any, account: Make, people: People, name: str, written: Written
) -> None:
    account("hoa")
    account("closed")
    account("boss", Role.ADMINISTRATOR)
    account("no-password", password=None)
    people.accounts.disable("closed", by=CENTRE, now_ms=0)
    password = "wrong" if name == "hoa" else PASSWORD
    answer = browser.log_in(name, password)
    assert answer.status_code == 401
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in answer.text
    assert 'role="alert"' in answer.text
    assert "set-cookie" not in answer.headers
    assert PASSWORD not in answer.text
    (row,) = written("access.refused")
    assert row["outcome"] == "refused"
    assert '"reason":"wrong-login"' in row["detail"]


def test_what_was_typed_comes_back_harmless(browser: Any) -> None:
    answer = browser.log_in('"><script>alert(1)</script>', next='"><script>')
    assert "<script" not in answer.text


def test_a_password_hash_of_yesterday_becomes_todays(browser: Any, account: Make, people: People) -> None:
    account("hoa")
    people.accounts.set_password("hoa", PasswordHasher(2, 16, 1).hash(PASSWORD), by=CENTRE, must_change=False)
    assert browser.log_in("hoa").status_code == 303
    kept = people.accounts.password_hash("hoa")
    assert kept is not None
    assert extract_parameters(kept).memory_cost == 8
    assert browser.log_in("hoa").status_code == 303


def test_who_has_a_one_time_password_can_do_nothing_else_first(
    browser: Any, account: Make, people: People
) -> None:
    account("hoa")
    kept = people.accounts.password_hash("hoa")
    assert kept is not None
    people.accounts.set_password("hoa", kept, by=CENTRE, must_change=True)
    assert browser.log_in("hoa", next="/map").headers["location"] == "/password"
    assert browser.get("/map").headers["location"] == "/password"
    refused = browser.api("GET", "/street")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:denxanh:problem:must-change-password")
    token = browser.field("/password", "csrf")
    answer = browser.post("/password", csrf=token, current=PASSWORD, new=OTHER, again=OTHER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/map").status_code == 200


def test_who_logs_in_over_another_ends_the_others_session_and_the_log_says_whose(
    browser: Any, account: Make, written: Written
) -> None:
    account("hoa")
    account("lan")
    browser.log_in("hoa")
    assert browser.log_in("lan").status_code == 303
    (row,) = written("logout")
    assert (row["actor"], row["target"]) == ("lan", "hoa")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"current": PASSWORD, "new": OTHER, "again": OTHER + "x"}, 422, "không giống nhau"),
        ({"current": PASSWORD, "new": "matkhau123456", "again": "matkhau123456"}, 422, "quá dễ đoán"),
        ({"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}, 422, "quá dễ đoán"),
        ({"current": "wrong", "new": OTHER, "again": OTHER}, 401, "không đúng"),
        ({"current": PASSWORD, "new": OTHER, "again": OTHER, "csrf": "x"}, 403, "Trang đã cũ"),
    ],
)
def test_a_password_that_is_not_changed(
    browser: Any, account: Make, fields: dict[str, str], status: int, said: str
) -> None:
    account("hoa")
    browser.log_in("hoa")
    answer = browser.post("/password", **{"csrf": browser.csrf, **fields})
    assert answer.status_code == status
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert browser.log_in("hoa").status_code == 303


def test_a_link_lets_one_browser_in_once(
    open_browser: Callable[..., Any], account: Make, people: People, written: Written, hands: Any
) -> None:
    account("hoa", password=None)
    path = f"/login/once/{people.links.issue('hoa')}"
    first, second = open_browser(), open_browser()
    assert first.get(path).headers["location"] == "/"
    assert first.get("/map").status_code == 200
    assert second.get(path).status_code == 401
    assert second.get("/map").status_code == 303
    assert next(row["target"] for row in written("access.refused")) == "GET /login/once"
    late = f"/login/once/{people.links.issue('hoa')}"
    hands.pass_by(3_600)
    assert second.get(late).status_code == 401


def test_everybody_may_look_where_the_site_says_so(open_browser: Callable[..., Any], account: Make) -> None:
    browser = open_browser(viewers_without_login=True)
    assert browser.get("/map").status_code == 200
    assert browser.api("GET", "/street").json() == "anybody:viewer"
    assert browser.api("POST", "/street").status_code == 401
    assert browser.api("GET", "/session").status_code == 401


def test_a_form_that_is_none(browser: Any) -> None:
    headers = {"origin": "http://127.0.0.1:8420"}
    for body, kind in (
        (b"x" * 100_000, "application/x-www-form-urlencoded"),
        (b"name=hoa&password=x", "text/plain"),
        (b"name=%ff", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=b" for _ in range(1000)), "application/x-www-form-urlencoded"),
    ):
        answer = browser.client.post("/login", content=body, headers={**headers, "content-type": kind})
        assert answer.status_code in (401, 429)
