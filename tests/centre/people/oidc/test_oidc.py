"""Logging in through an identity provider that really answers, honestly and otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from joserfc.jwk import OctKey, RSAKey

from denxanh.controller.centre.people.deed import CENTRE
from denxanh.controller.centre.people.oidc import PENDING_S
from denxanh.controller.centre.people.oidc import Provider as Client
from denxanh.controller.centre.server import bind
from denxanh.controller.console_site import Oidc
from denxanh.errors import MissingExtraError, SecretError

CLIENT = "den-xanh"
Make = Callable[..., None]
Written = Callable[..., list[dict[str, Any]]]


def there(browser: Any, page: str = "/map") -> Any:
    """Follow the login page's link to the provider; what it sends the browser back with."""
    go = browser.get(f"/login/oidc?next={page}")
    assert go.status_code == 303
    back = httpx2.get(go.headers["location"], follow_redirects=False)
    assert back.status_code == 307
    return urlsplit(back.headers["location"])


def come_back(browser: Any, place: Any) -> Any:
    return browser.get(f"{place.path}?{place.query}")


def test_in_by_the_provider(browser: Any, account: Make, provider: Any, written: Written) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    assert 'href="/login/oidc?next=%2F"' in browser.get("/login").text
    place = there(browser)
    assert (place.netloc, place.path) == ("127.0.0.1:8420", "/login/oidc/back")
    answer = come_back(browser, place)
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/map">' in answer.text
    assert browser.get("/map").text == '"hoa"'
    (asked,) = provider.asked
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == (
        "code",
        "openid",
        "S256",
    )
    assert '"how":"oidc"' in written("login")[0]["detail"]


def test_who_has_no_account_here_stays_out(browser: Any, account: Make, written: Written) -> None:
    account("hoa")
    answer = come_back(browser, there(browser))
    assert answer.status_code == 403
    assert "chưa gắn với tài khoản" in answer.text
    assert browser.get("/map").status_code == 303
    assert '"reason":"unknown-subject"' in written("access.refused")[0]["detail"]


def test_a_closed_account_stays_closed(browser: Any, account: Make, people: Any) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    people.accounts.disable("hoa", by=CENTRE, now_ms=0)
    assert come_back(browser, there(browser)).status_code == 401
    assert browser.get("/map").status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"nonce": "of another login"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another-client"}},
        {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
        {"claims": {"aud": "another-client", "azp": CLIENT}},
        {"claims": {"aud": None}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": 1}},
        {"claims": {"exp": None}},
        {"claims": {"sub": None}},
        {"claims": {"sub": 7}},
        {"claims": {"sub": "a\x00b"}},
        {"claims": {"at_hash": "x"}},
        {"signed_with": RSAKey.generate_key(2048, {"kid": "k1"})},
        {"signed_with": OctKey.import_key("a-secret-of-the-client".ljust(32)), "header": {"alg": "HS256"}},
        {"signed_with": RSAKey.generate_key(2048), "header": {"alg": "RS256", "kid": "unknown"}},
        {"error": "access_denied"},
    ],
)
def test_a_provider_that_cannot_be_trusted(
    browser: Any, account: Make, provider: Any, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    provider.__dict__.update(wrong)
    answer = come_back(browser, there(browser))
    assert answer.status_code == 502
    assert "không xác nhận được bạn" in answer.text
    assert browser.get("/map").status_code == 303
    assert "identity provider:" in caplog.text


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "ftp://evil.example"},
        {"jwks_uri": None},
        {"jwks_uri": ["https://evil.example"]},
    ],
)
def test_a_description_that_is_another_ones(browser: Any, provider: Any, description: dict[str, Any]) -> None:
    provider.description = description
    assert browser.get("/login/oidc").status_code == 502


def test_a_provider_that_does_not_answer(
    open_browser: Callable[..., Any], secret_file: Path, hands: Any
) -> None:
    listening = bind("127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    browser = open_browser(provider=Client(Oidc(issuer, CLIENT, secret_file), hands.clock()))
    answer = browser.get("/login/oidc")
    assert answer.status_code == 502
    assert 'name="password"' in answer.text


def test_an_answer_counts_where_the_login_began_and_once(
    browser: Any, account: Make, open_browser: Callable[..., Any]
) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    place = there(browser)
    victim = open_browser()
    victim.client.app = browser.client.app
    assert come_back(victim, place).status_code in (303, 502)
    assert victim.get("/map").status_code == 303
    assert come_back(browser, place).status_code == 200
    assert come_back(browser, place).status_code == 502


def test_an_answer_is_used_up_even_where_the_provider_would_take_its_code_again(
    browser: Any, account: Make, provider: Any
) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    place = there(browser)
    kept, codes = dict(browser.client.cookies), dict(provider.codes)
    assert come_back(browser, place).status_code == 200
    provider.codes.update(codes)
    browser.client.cookies.clear()
    for name, value in kept.items():
        browser.client.cookies.set(name, value, domain="127.0.0.1")
    assert come_back(browser, place).status_code == 502


@pytest.mark.parametrize("change", ["state", "code", "iss"])
def test_an_answer_that_was_changed_on_the_way(browser: Any, account: Make, change: str) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    place = there(browser)
    query = {**dict(parse_qsl(place.query)), change: "https://evil.example"}
    assert browser.client.get(place.path, params=query).status_code == 502
    assert browser.get("/map").status_code == 303


def test_who_takes_too_long_begins_again(browser: Any, account: Make, hands: Any) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    place = there(browser)
    hands.pass_by(PENDING_S + 1)
    assert come_back(browser, place).status_code == 502


def test_the_login_leads_to_our_pages_only(browser: Any, account: Make) -> None:
    account("hoa", password=None, subject="subject-of-hoa")
    assert "evil" not in come_back(browser, there(browser, "//evil.example")).text


def test_the_clients_secret_is_the_centres_alone(secret_file: Path, hands: Any) -> None:
    secret_file.chmod(0o644)
    with pytest.raises(SecretError):
        Client(Oidc("https://id.example", CLIENT, secret_file), hands.clock())


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch, hands: Any) -> None:
    monkeypatch.setitem(sys.modules, "authlib.integrations.httpx_client", None)
    with pytest.raises(MissingExtraError, match=r"denxanh\[oidc\]"):
        Client(Oidc("https://id.example", CLIENT, None), hands.clock())


def test_without_a_provider_there_is_no_way_through_one(open_browser: Callable[..., Any]) -> None:
    browser = open_browser()
    assert "/login/oidc" not in browser.get("/login").text
    for path in ("/login/oidc", "/login/oidc/back?code=x&state=y"):
        assert browser.get(path).headers["location"] == "/login"
