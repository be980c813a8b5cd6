"""What somebody tries who should not come in, or who should not do this."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher

from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.limiter import FREE
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.people.sessions import ABSOLUTE_MS, IDLE_MS
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError

PASSWORD = "xe lôi qua cầu Ninh Kiều"
Make = Callable[..., None]
Open = Callable[..., Any]
Written = Callable[..., list[dict[str, Any]]]
COOKIE = "denxanh-8420"


def kind(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_a_planted_session_does_not_become_the_victims(open_browser: Open, account: Make) -> None:
    account("hoa")
    account("mallory")
    attacker, victim = open_browser(), open_browser()
    attacker.log_in("mallory")
    planted = attacker.client.cookies[COOKIE]
    victim.client.cookies.set(COOKIE, planted, domain="127.0.0.1")
    victim.log_in("hoa")
    assert victim.client.cookies[COOKIE] != planted
    assert victim.api("GET", "/street").json() == "hoa"
    assert attacker.api("GET", "/street").status_code == 401


def test_a_made_up_cookie_is_never_adopted(browser: Any, account: Make) -> None:
    account("hoa")
    browser.client.cookies.set(COOKIE, "chosen-by-mallory", domain="127.0.0.1")
    browser.log_in("hoa")
    assert "chosen-by-mallory" not in [cookie.value for cookie in browser.client.cookies.jar]


def test_a_stolen_cookie_is_worth_nothing_after_logout(open_browser: Open, account: Make) -> None:
    account("hoa")
    victim, thief = open_browser(), open_browser(address="203.0.113.9")
    victim.log_in("hoa")
    thief.client.cookies.set(COOKIE, victim.client.cookies[COOKIE], domain="127.0.0.1")
    assert thief.api("GET", "/street").status_code == 200
    victim.post("/logout", csrf=victim.csrf)
    assert kind(thief.api("GET", "/street")) == "not-logged-in"


@pytest.mark.parametrize("wait_ms", [IDLE_MS, ABSOLUTE_MS])
def test_a_forgotten_browser_is_logged_out(browser: Any, account: Make, hands: Any, wait_ms: int) -> None:
    account("hoa")
    browser.log_in("hoa")
    hands.pass_by(wait_ms / 1000)
    assert browser.api("GET", "/street").status_code == 401


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, "foreign-origin"),
        ({"origin": "null"}, "foreign-origin"),
        ({"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"}, "foreign-origin"),
        ({"x-csrf-token": "guessed"}, "no-csrf-token"),
        ({"x-csrf-token": ""}, "no-csrf-token"),
    ],
)
def test_another_site_cannot_act_with_a_persons_cookie(
    browser: Any, account: Make, headers: dict[str, str], reason: str, written: Written
) -> None:
    account("hoa")
    browser.log_in("hoa")
    assert browser.api("POST", "/street").status_code == 200
    answer = browser.api("POST", "/street", **headers)
    assert (answer.status_code, kind(answer)) == (403, reason)
    (row,) = written("access.refused")
    assert (row["actor"], row["role"], row["target"]) == ("hoa", "operator", "POST /api/v1/street")
    assert json.loads(row["detail"]) == {"reason": reason, "address": "192.0.2.10", "earlier": 0}


def test_a_browser_that_says_nothing_is_not_believed(browser: Any, account: Make) -> None:
    account("hoa")
    browser.log_in("hoa")
    answer = browser.client.post("/api/v1/street", headers={"x-csrf-token": browser.csrf})
    assert kind(answer) == "foreign-origin"


def test_another_persons_csrf_token_is_not_ours(open_browser: Open, account: Make) -> None:
    account("hoa")
    account("mallory")
    victim, attacker = open_browser(), open_browser()
    victim.log_in("hoa")
    attacker.log_in("mallory")
    answer = victim.api("POST", "/street", **{"x-csrf-token": attacker.csrf})
    assert kind(answer) == "no-csrf-token"


def test_nobody_is_logged_in_or_out_by_another_site(open_browser: Open, account: Make) -> None:
    account("hoa")
    account("mallory")
    victim = open_browser()
    answer = victim.post("/login", origin="https://evil.example", name="mallory", password=PASSWORD)
    assert answer.status_code == 403
    assert not list(victim.client.cookies.jar)
    victim.log_in("hoa")
    assert victim.post("/logout", origin="https://evil.example", csrf=victim.csrf).status_code == 403
    assert victim.post("/logout", csrf="guessed").status_code == 403
    assert victim.api("GET", "/street").status_code == 200


@pytest.mark.parametrize(
    "next_page",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%0d%0aSet-Cookie:x=y",
        "/map\r\nSet-Cookie: denxanh-8420=x",
        "javascript:alert(1)",
    ],
)
def test_a_login_leads_nowhere_else(browser: Any, account: Make, next_page: str) -> None:
    account("hoa")
    answer = browser.log_in("hoa", next=next_page)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert len(answer.headers.get_list("set-cookie")) == 1
    browser.post("/logout", csrf=browser.csrf)
    assert "evil" not in browser.get(f"/login?next={quote(next_page)}").text


def test_guessing_one_account_from_many_addresses_is_slowed(
    open_browser: Open, account: Make, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    account("hoa")
    tried: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, kept, word: tried.append(word) or verify(self, kept, word)
    )
    answers = [open_browser(address=f"198.51.100.{n}").log_in("hoa", f"guess number {n}") for n in range(40)]
    assert len(tried) == FREE
    assert [one.status_code for one in answers] == [401] * FREE + [429] * (40 - FREE)
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Thử quá nhiều lần" in answers[-1].text
    assert len(written("access.refused")) <= 40


def test_who_was_locked_out_by_others_still_works_where_they_usually_do(
    open_browser: Open, account: Make
) -> None:
    account("hoa")
    usual = open_browser(address="192.0.2.10")
    assert usual.log_in("hoa").status_code == 303
    for n in range(30):
        open_browser(address=f"198.51.100.{n}").log_in("hoa", "guess")
    assert open_browser(address="198.51.100.99").log_in("hoa").status_code == 429
    assert open_browser(address="192.0.2.10").log_in("hoa").status_code == 303


def test_unknown_accounts_cost_one_hash_like_known_ones(
    open_browser: Open, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    account("hoa")
    counts: dict[str, int] = {}
    verify = PasswordHasher.verify
    name = ""

    def counted(self: PasswordHasher, kept: str, word: str) -> bool:
        counts[name] = counts.get(name, 0) + 1
        return bool(verify(self, kept, word))

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for number, name in enumerate(("hoa", "nobody", "", "unix:root", "x" * 100)):
        open_browser(address=f"198.51.100.{number}").log_in(name, "guess")
    assert counts == dict.fromkeys(("hoa", "nobody", "", "unix:root", "x" * 100), 1)


def test_a_role_does_only_what_it_may(open_browser: Open, account: Make, written: Written) -> None:
    for role in Role:
        account(f"one-{role}", role)
        browser = open_browser()
        browser.log_in(f"one-{role}")
        may_hold = role in (Role.OPERATOR, Role.ENGINEER, Role.POLICE_LIAISON)
        assert browser.api("POST", "/street").status_code == (200 if may_hold else 403)
        manages = role is Role.ADMINISTRATOR
        assert browser.api("GET", "/people").status_code == (200 if manages else 403)
    assert {row["actor"] for row in written("access.refused")} == {f"one-{role}" for role in Role}


def test_strangers_cannot_fill_the_audit_log_nor_hide_what_people_try(
    open_browser: Open, account: Make, written: Written
) -> None:
    account("hoa", Role.VIEWER)
    browser, stranger = open_browser(), open_browser()
    browser.log_in("hoa")
    for n in range(60):
        stranger.post("/login", name=f"made-up-{n}", password="guess")
        stranger.client.get("/api/v1/street", headers={"authorization": f"Bearer dx_{n}"})
    assert browser.api("POST", "/street").status_code == 403
    rows = written("access.refused")
    assert 20 < len(rows) < 40
    assert rows[-1]["actor"] == "hoa"


def test_a_refusal_stands_when_the_store_cannot_write(
    browser: Any,
    account: Make,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from denxanh.controller.centre.store import audit

    def full(*_: object, **__: object) -> int:
        raise StoreError("the disk is full")

    monkeypatch.setattr(audit, "append", full)
    assert browser.api("GET", "/street").status_code == 401
    assert "not in the audit log: the disk is full" in caplog.text


def test_attempts_while_the_store_is_away_cost_no_wait(
    browser: Any, account: Make, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    account("hoa")

    def away(*_: object) -> str:
        raise StoreError("the database does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(type(people.accounts), "password_hash", away)
        for _ in range(FREE + 3):
            with pytest.raises(StoreError):
                browser.log_in("hoa")
    assert browser.log_in("hoa").status_code == 303


def test_a_link_of_a_closed_account_is_in_no_log(
    browser: Any, account: Make, people: People, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    account("hoa")
    secret = people.links.issue("hoa")
    people.accounts.disable("hoa", by=Actor("unix:test"), now_ms=0)
    assert browser.get(f"/login/once/{secret}").status_code == 401
    assert [row["target"] for row in written("access.refused")] == ["GET /login/once"]
    assert secret not in caplog.text


def test_nobody_writes_a_line_of_their_own_into_the_log(
    browser: Any, caplog: pytest.LogCaptureFixture
) -> None:
    browser.log_in("x\n2026-01-01 INFO login of admin")
    assert not any("\n" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer dx_guess", "Basic aG9hOng=", "dx_guess", "bearer\t", ""]
)
def test_a_bad_token_is_refused_whatever_cookie_comes_along(browser: Any, account: Make, header: str) -> None:
    account("hoa")
    browser.log_in("hoa")
    answer = browser.api("GET", "/street", authorization=header)
    assert (answer.status_code, kind(answer)) == (401, "bad-token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_closed_account_is_out_at_once(browser: Any, account: Make, people: People) -> None:
    from denxanh.controller.centre.people.deed import CENTRE

    account("hoa")
    browser.log_in("hoa")
    people.accounts.disable("hoa", by=CENTRE, now_ms=0)
    assert browser.api("GET", "/street").status_code == 401
