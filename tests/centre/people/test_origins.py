"""Whether a request comes from our pages, where a login leads, what reaches the audit log: all pure."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from denxanh.controller.centre.people.cookie import door
from denxanh.controller.centre.people.csrf import is_right_token, is_same_origin
from denxanh.controller.centre.people.nexturl import HOME, page_of_ours
from denxanh.controller.centre.people.quiet import MAX_KINDS, MAX_ROWS, WINDOW_S, Quiet

OWN = "https://tinhieu.example"


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": OWN, "sec-fetch-site": "same-origin"}, True),
        ({"origin": OWN}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": OWN, "sec-fetch-site": "cross-site"}, False),
        ({"origin": OWN, "sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": OWN + ".evil.example"}, False),
        ({"origin": OWN.replace("https", "http")}, False),
        ({"origin": OWN + ":8443"}, False),
    ],
)
def test_where_a_request_comes_from(headers: dict[str, str], ours: bool) -> None:
    assert is_same_origin(headers, OWN) is ours


@given(st.text(), st.none() | st.text())
def test_only_the_same_token_is_right(expected: str, given: str | None) -> None:
    assert is_right_token(expected, expected)
    assert is_right_token(expected, given) is (expected == given)


@pytest.mark.parametrize(
    "asked", ["/", "/intersections", "/intersection/THN_304?lang=en&tab=plan", "/a-b_c~d.e%20f"]
)
def test_our_pages(asked: str) -> None:
    assert page_of_ours(asked) == asked


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "intersections",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/map\r\nSet-Cookie: denxanh=x",
        "/map\nX: y",
        "/map\x00",
        "/" + "a" * 1000,
        "/map#fragment",
        "/bản-đồ",
        " /map",
        "/map\n",
    ],
)
def test_what_is_not_ours_leads_home(asked: str | None) -> None:
    assert page_of_ours(asked) == HOME


@given(st.text(alphabet=st.sampled_from("/\\:.@?#%ahtps \t\r\n\x00-"), max_size=30))
def test_no_login_leads_anywhere_else(asked: str) -> None:
    page = page_of_ours(asked)
    parts = urlsplit(page)
    assert (parts.scheme, parts.netloc) == ("", "")
    assert page.startswith("/")
    assert not page.startswith(("//", "/\\"))
    assert page.isprintable()


def request(scheme: str, host: str) -> Request:
    server = (host.partition(":")[0], 0)
    return Request(
        {
            "type": "http",
            "scheme": scheme,
            "server": server,
            "path": "/",
            "query_string": b"",
            "headers": [(b"host", host.encode())],
        }
    )


@pytest.mark.parametrize(
    ("scheme", "host", "public", "origin", "cookie"),
    [
        ("http", "127.0.0.1:8420", None, "http://127.0.0.1:8420", "denxanh-8420"),
        ("http", "localhost", None, "http://localhost", "denxanh-localhost"),
        ("https", "127.0.0.1:8420", None, "https://127.0.0.1:8420", "__Host-denxanh"),
        ("http", "10.0.0.5:8420", OWN, OWN, "__Host-denxanh"),
    ],
)
def test_how_the_browser_knows_us(
    scheme: str, host: str, public: str | None, origin: str, cookie: str
) -> None:
    found = door(request(scheme, host), public)
    assert (found.origin, found.cookie, found.secure) == (origin, cookie, cookie.startswith("__Host-"))


def test_the_first_refusal_is_written_and_its_repetitions_are_counted() -> None:
    quiet = Quiet()
    kind = ("no-right", "hoa", "POST /x", "192.0.2.1")
    assert quiet.take(kind, 0.0) == 0
    assert [quiet.take(kind, 1.0) for _ in range(7)] == [None] * 7
    assert quiet.take(("other",), 2.0) == 0
    assert quiet.take(kind, WINDOW_S) == 7
    assert quiet.take(kind, WINDOW_S + 1) is None


def test_many_kinds_make_no_more_rows_than_promised_and_none_is_lost() -> None:
    quiet = Quiet()
    told = [quiet.take((str(n),), 0.0) for n in range(1_000)]
    assert told.count(0) == MAX_ROWS
    assert quiet.take(("later",), WINDOW_S) == 1_000 - MAX_ROWS


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=300))
def test_every_refusal_is_counted_once(steps: list[tuple[int, int]]) -> None:
    quiet, now, told = Quiet(), 0.0, 0
    for kind, wait in steps:
        now += wait
        held = quiet.take((str(kind),), now)
        told += 0 if held is None else held + 1
    now += WINDOW_S
    for kind in range(4):
        held = quiet.take((str(kind),), now)
        told += 0 if held is None else held
    assert told == len(steps)


def test_memory_of_kinds_has_an_end() -> None:
    quiet = Quiet()
    for n in range(5 * MAX_KINDS):
        quiet.take((str(n),), n * WINDOW_S)
    assert len(quiet._kinds) == MAX_KINDS
