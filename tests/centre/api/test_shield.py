"""What browsers are told, and what is refused before any route sees it."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from denxanh.controller.centre.api.problem import STORE
from denxanh.controller.centre.shield import MAX_BODY_BYTES
from denxanh.controller.operator.message import Role
from denxanh.errors import StoreError

HOST = "http://127.0.0.1"


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/intersections", "/api/openapi.json", "/api/docs"])
def test_every_answer_keeps_browsers_here(town: Any, path: str) -> None:
    headers = town.ask("GET", path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    # swagger-ui writes styles into its page, and only there.
    inline = "style-src 'self' 'unsafe-inline'" if path == "/api/docs" else ""
    assert "unsafe" not in headers["content-security-policy"].replace(inline, "")


def test_what_the_api_says_is_not_kept(town: Any) -> None:
    assert town.ask("GET", "intersections").headers["cache-control"] == "no-store"


def test_another_host_name_is_refused(town: Any) -> None:
    assert town.ask("GET", "/healthz", None, headers={"host": "evil.example"}).status_code == 400


def test_a_body_that_is_announced_as_too_large_is_refused(town: Any) -> None:
    answer = town.ask("POST", "alarms/1/acknowledge", json={"note": "x" * MAX_BODY_BYTES})
    assert answer.status_code == 413


def test_a_body_without_end_is_cut(served: Any) -> None:
    connection = http.client.HTTPConnection(served.address.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/api/v1/alarms/1/acknowledge")
    connection.putheader("authorization", f"Bearer {served.town.tokens[Role.ENGINEER]}")
    connection.putheader("content-type", "application/json")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent = 0
    try:
        while sent < 64 * MAX_BODY_BYTES:
            connection.send(piece)
            sent += 0x10000
    except OSError:
        pass  # the door closed
    try:
        answer = connection.getresponse()
    except OSError:
        return
    finally:
        connection.close()
    assert answer.status == 413


def test_a_bug_is_a_problem_without_its_inside(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("denxanh.controller.centre.api.street._summary", broken)
    with pytest.raises(RuntimeError):  # the test's client shows it; a server logs it and answers
        town.ask("GET", "intersections")


def test_a_bug_behind_a_real_server(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("denxanh.controller.centre.api.street._summary", broken)
    connection = http.client.HTTPConnection(served.address.removeprefix("http://"), timeout=10)
    token = served.town.tokens[Role.VIEWER]
    connection.request("GET", "/api/v1/intersections", headers={"authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    assert answer.status == 500
    assert json.loads(said)["type"] == "urn:denxanh:problem:internal"
    assert "secret" not in said


@pytest.mark.parametrize("path", ["/", "/alarms", "/readyz"])
def test_a_person_whose_page_does_not_come_is_told_so_in_words(
    town: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(*_: object) -> None:
        raise StoreError("the database does not answer")

    monkeypatch.setattr(type(town.people.tokens), "find", away)
    page = town.ask("GET", path, headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert STORE.vi in page.text
    assert STORE.en in page.text
    program = town.ask("GET", path)
    assert (program.status_code, program.json()["vi"]) == (503, STORE.vi)
    at_the_api = town.ask("GET", "intersections", headers={"accept": "text/html"})
    assert (at_the_api.status_code, at_the_api.json()["vi"]) == (503, STORE.vi)


def test_the_way_on_from_a_page_that_is_not_there_leads_to_ours(town: Any) -> None:
    page = town.ask("GET", f"{HOST}//evil.example/x", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "evil" not in page.text
    assert 'href="/"' in page.text
