"""Sessions, people and tokens by the API, and which of them no program may touch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.centre.people.weak import is_weak
from denxanh.controller.operator.message import Role

PASSWORD = "xe lôi qua cầu Ninh Kiều"
OTHER = "ghe chở trái cây về chợ nổi"
Make = Callable[..., None]
Open = Callable[..., Any]
Written = Callable[..., list[dict[str, Any]]]


@pytest.fixture(name="admin")
def _admin(browser: Any, account: Make) -> Any:
    account("boss", Role.ADMINISTRATOR)
    browser.log_in("boss")
    return browser


def kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition(":")[2]


def test_who_am_i(browser: Any, account: Make) -> None:
    assert kind(browser.api("GET", "/session")) == (401, "not-logged-in")
    account("hoa", Role.VIEWER)
    browser.log_in("hoa")
    assert browser.api("GET", "/session").json() == {
        "name": "hoa",
        "display": "Hoa",
        "role": "viewer",
        "rights": ["view"],
        "csrf": browser.csrf,
        "must_change_password": False,
    }


def test_a_problem_is_told_in_both_languages(browser: Any) -> None:
    answer = browser.api("GET", "/people")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:denxanh:problem:not-logged-in",
        "title": "You are not logged in.",
        "status": 401,
        "vi": "Bạn chưa đăng nhập.",
        "en": "You are not logged in.",
        "instance": "/api/v1/people",
        "errors": [],
    }


def test_a_new_person_comes_in_with_the_password_that_is_shown_once(
    admin: Any, open_browser: Open, written: Written
) -> None:
    wish = {"name": "Hoa", "display": "Trần Hòa", "role": "operator"}
    answer = admin.api("POST", "/people", wish)
    made = answer.json()
    assert answer.status_code == 201
    assert (made["account"]["name"], made["account"]["must_change_password"]) == ("hoa", True)
    assert not is_weak(made["one_time_password"], "hoa")
    browser = open_browser()
    assert browser.log_in("hoa", made["one_time_password"]).headers["location"] == "/password"
    assert made["one_time_password"] not in str(written())
    assert written("account.create")[-1]["actor"] == "boss"
    assert kind(admin.api("POST", "/people", wish)) == (409, "name-taken")
    assert [one["name"] for one in admin.api("GET", "/people").json()["people"]] == ["boss", "hoa"]


def test_a_person_of_the_identity_provider_gets_no_password(admin: Any) -> None:
    wish = {"name": "lan", "display": "Lan", "role": "viewer", "subject": "s-1"}
    made = admin.api("POST", "/people", wish).json()
    assert made["one_time_password"] is None
    assert (made["account"]["has_password"], made["account"]["subject"]) == (False, "s-1")
    assert admin.api("PATCH", "/people/lan", {"subject": None}).json()["subject"] is None


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "hòa", "display": "Hòa", "role": "operator"},
        {"name": "unix:root", "display": "Root", "role": "operator"},
        {"name": "hoa", "display": "Hòa\n", "role": "operator"},
        {"name": "hoa", "display": " Hòa", "role": "operator"},
        {"name": "hoa", "display": "a\nb", "role": "operator"},
        {"name": "hoa", "display": "", "role": "operator"},
        {"name": "hoa", "display": "Hòa", "role": "king"},
        {"name": "hoa", "display": "Hòa", "role": "operator", "password": "x"},
    ],
)
def test_what_is_no_account(admin: Any, wish: dict[str, str]) -> None:
    assert admin.api("POST", "/people", wish).status_code == 422


def test_role_and_closing_count_at_once(admin: Any, account: Make, open_browser: Open) -> None:
    account("hoa")
    hoa = open_browser()
    hoa.log_in("hoa")
    assert hoa.api("POST", "/street").status_code == 200
    assert admin.api("PATCH", "/people/hoa", {"role": "viewer"}).json()["role"] == "viewer"
    assert kind(hoa.api("POST", "/street")) == (403, "no-right")
    assert admin.api("PATCH", "/people/hoa", {"disabled": True}).json()["disabled"]
    assert kind(hoa.api("GET", "/street")) == (401, "not-logged-in")
    assert not admin.api("PATCH", "/people/hoa", {"disabled": False}).json()["disabled"]
    assert hoa.api("GET", "/street").status_code == 401


@pytest.mark.parametrize(
    "change", [{}, {"role": None}, {"disabled": None}, {"role": "viewer", "disabled": True}, {"name": "x"}]
)
def test_one_thing_is_changed_at_a_time(admin: Any, account: Make, change: dict[str, Any]) -> None:
    account("hoa")
    assert admin.api("PATCH", "/people/hoa", change).status_code == 422
    assert admin.api("GET", "/people").json()["people"][1]["role"] == "operator"


def test_the_last_administrator_cannot_go(admin: Any) -> None:
    for change in ({"disabled": True}, {"role": "viewer"}):
        assert kind(admin.api("PATCH", "/people/boss", change)) == (409, "last-administrator")
    assert admin.api("GET", "/people").status_code == 200


def test_a_reset_ends_sessions_and_the_old_password(admin: Any, account: Make, open_browser: Open) -> None:
    account("hoa")
    hoa = open_browser()
    hoa.log_in("hoa")
    made = admin.api("POST", "/people/hoa/reset").json()
    assert hoa.api("GET", "/street").status_code == 401
    assert hoa.log_in("hoa").status_code == 401
    assert hoa.log_in("hoa", made["one_time_password"]).status_code == 303
    assert admin.api("DELETE", "/people/hoa/sessions").json() == {"ended": 1}
    assert hoa.api("GET", "/session").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/people/nobody", {"role": "viewer"}),
        ("POST", "/people/nobody/reset", None),
        ("DELETE", "/people/nobody/sessions", None),
    ],
)
def test_nobody(admin: Any, method: str, path: str, body: Any) -> None:
    assert kind(admin.api(method, path, body)) == (404, "unknown-account")


def test_a_password_of_ones_own(browser: Any, account: Make, open_browser: Open) -> None:
    account("hoa")
    elsewhere = open_browser()
    browser.log_in("hoa")
    elsewhere.log_in("hoa")
    weak = browser.api("PUT", "/session/password", {"current": PASSWORD, "new": "matkhau123456"})
    assert kind(weak) == (422, "weak-password")
    wrong = browser.api("PUT", "/session/password", {"current": "wrong", "new": OTHER})
    assert kind(wrong) == (401, "wrong-login")
    answer = browser.api("PUT", "/session/password", {"current": PASSWORD, "new": OTHER})
    assert answer.status_code == 200
    assert elsewhere.api("GET", "/session").status_code == 401
    assert browser.api("GET", "/session").json()["csrf"] == answer.json()["csrf"] != browser.csrf
    assert elsewhere.log_in("hoa").status_code == 401
    assert elsewhere.log_in("hoa", OTHER).status_code == 303


def test_a_token_of_ones_own_does_what_it_may(browser: Any, account: Make, open_browser: Open) -> None:
    account("hoa", Role.ENGINEER)
    browser.log_in("hoa")
    issued = browser.api("POST", "/tokens", {"label": "wallboard", "role": "viewer", "days": 30}).json()
    bearer = {"authorization": f"Bearer {issued['secret']}"}
    program = open_browser().client
    assert program.get("/api/v1/street", headers=bearer).json() == "hoa"
    # No browser is involved, so no page of another site can make it send this.
    refused = program.post("/api/v1/street", headers=bearer)
    assert kind(refused) == (403, "no-right")
    (listed,) = browser.api("GET", "/tokens").json()["tokens"]
    assert {**listed, "used": None} == issued["token"]
    assert listed["used"] is not None
    revoked = browser.api("DELETE", f"/tokens/{issued['token']['id']}")
    assert revoked.json()["revoked"] is not None
    assert kind(program.get("/api/v1/street", headers=bearer)) == (401, "bad-token")


def test_a_strong_token_orders_without_a_csrf_token(browser: Any, account: Make, open_browser: Open) -> None:
    account("hoa")
    browser.log_in("hoa")
    issued = browser.api("POST", "/tokens", {"label": "script", "role": "operator", "days": 1}).json()
    bearer = {"authorization": f"bearer {issued['secret']}"}
    assert open_browser().client.post("/api/v1/street", headers=bearer).json() == "hoa"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/people"), ("POST", "/people"), ("PATCH", "/people/boss"), ("POST", "/people/boss/reset")),
        *(("DELETE", "/people/boss/sessions"), ("GET", "/tokens"), ("POST", "/tokens")),
        *(("DELETE", "/tokens/0123456789abcdef"), ("PUT", "/session/password")),
    ],
)
def test_no_token_makes_people_or_tokens(admin: Any, open_browser: Open, method: str, path: str) -> None:
    issued = admin.api("POST", "/tokens", {"label": "script", "role": "administrator", "days": 1}).json()
    bearer = {"authorization": f"Bearer {issued['secret']}"}
    answer = open_browser().client.request(method, f"/api/v1{path}", headers=bearer)
    assert kind(answer) == (403, "tokens-may-not")


def test_tokens_of_others(admin: Any, account: Make, open_browser: Open) -> None:
    account("hoa")
    account("lan")
    hoa, lan = open_browser(), open_browser()
    hoa.log_in("hoa")
    lan.log_in("lan")
    wish = {"label": "script", "role": "operator", "days": 1}
    token = hoa.api("POST", "/tokens", wish).json()["token"]["id"]
    assert lan.api("GET", "/tokens").json() == {"tokens": []}
    assert kind(lan.api("DELETE", f"/tokens/{token}")) == (404, "unknown-token")
    assert [one["owner"] for one in admin.api("GET", "/tokens").json()["tokens"]] == ["hoa"]
    assert admin.api("DELETE", f"/tokens/{token}").status_code == 200
    above = lan.api("POST", "/tokens", {**wish, "role": "engineer"})
    assert kind(above) == (403, "role-above-own")


@pytest.mark.parametrize("days", [True, "1", 1.5, 0, 100_000])
def test_a_tokens_days_are_a_whole_number(admin: Any, days: object) -> None:
    wish = {"label": "script", "role": "viewer", "days": days}
    assert admin.api("POST", "/tokens", wish).status_code == 422
    assert admin.api("GET", "/tokens").json() == {"tokens": []}
    assert admin.api("POST", "/tokens", {**wish, "days": 1.0}).status_code == 201


@pytest.mark.parametrize("disabled", [1, "true", "off"])
def test_an_account_is_closed_by_true_alone(admin: Any, account: Make, disabled: object) -> None:
    account("lan", Role.OPERATOR)
    assert admin.api("PATCH", "/people/lan", {"disabled": disabled}).status_code == 422
