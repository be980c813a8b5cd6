"""Accounts: every change is in the audit log, and the last administrator cannot lock everybody out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from denxanh.controller.centre.people.accounts import account_name
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.operator.message import Role
from denxanh.errors import AccessError, StoreError

BY = Actor("unix:test", via={"address": "192.0.2.9"})
NOW_MS = 1_780_000_000_000

Make = Callable[..., None]


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(AccessError) as caught:
        call()
    return str(caught.value.reason)


def test_a_new_account_must_change_the_password_that_was_made_up(people: People) -> None:
    made = people.accounts.create(
        "hoa", display="Trần Hòa", role=Role.OPERATOR, by=BY, now_ms=NOW_MS, password_hash="kept"
    )
    assert made == people.accounts.get("hoa") == people.accounts.list()[0]
    assert (made.display, made.role, made.disabled, made.must_change) == (
        "Trần Hòa",
        Role.OPERATOR,
        False,
        True,
    )
    assert people.accounts.password_hash("hoa") == "kept"
    people.accounts.set_password("hoa", "other", by=BY, must_change=False)
    assert people.accounts.password_hash("hoa") == "other"
    assert not people.accounts.get("hoa").must_change


def test_names_and_subjects_are_taken_once(people: People, account: Make) -> None:
    account("hoa", subject="s-1")
    account("lan")
    assert reason(lambda: account("hoa")) == "name-taken"
    assert reason(lambda: account("mai", subject="s-1")) == "subject-taken"
    assert reason(lambda: people.accounts.set_subject("lan", "s-1", by=BY)) == "subject-taken"
    people.accounts.set_subject("hoa", None, by=BY)
    people.accounts.set_subject("lan", "s-1", by=BY)
    found = people.accounts.of_subject("s-1")
    assert found is not None
    assert found.name == "lan"


def test_who_is_unknown_cannot_be_changed(people: People) -> None:
    for change in (
        lambda: people.accounts.set_role("nobody", Role.VIEWER, by=BY),
        lambda: people.accounts.disable("nobody", by=BY, now_ms=NOW_MS),
        lambda: people.accounts.enable("nobody", by=BY),
        lambda: people.accounts.set_password("nobody", "x", by=BY, must_change=True),
        lambda: people.accounts.get("nobody"),
    ):
        assert reason(change) == "unknown-account"
    assert people.accounts.find("nobody") is None
    assert people.accounts.password_hash("nobody") is None
    assert people.accounts.of_subject("nobody") is None


def test_every_change_is_in_the_audit_log_with_who_did_it(
    people: People, account: Make, written: Callable[..., list[dict[str, Any]]]
) -> None:
    account("hoa")
    people.accounts.set_role("hoa", Role.ENGINEER, by=BY)
    people.accounts.disable("hoa", by=BY, now_ms=NOW_MS)
    people.accounts.enable("hoa", by=BY)
    people.accounts.set_password("hoa", "x", by=BY, must_change=True)
    rows = written("account.")
    assert [row["action"].partition(".")[2] for row in rows] == [
        *("create", "password", "role", "disable", "enable", "reset")
    ]
    assert {(row["actor"], row["target"], row["outcome"]) for row in rows} == {("unix:test", "hoa", "done")}
    assert '"given":"engineer"' in rows[2]["detail"]
    assert "192.0.2.9" in rows[2]["detail"]
    assert not any("$argon2" in row["detail"] for row in rows)


def test_a_change_that_cannot_be_written_down_does_not_happen(
    people: People, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    account("hoa")

    def full(*_: object, **__: object) -> int:
        raise StoreError("the disk is full")

    monkeypatch.setattr(audit, "entry", full)
    with pytest.raises(StoreError):
        people.accounts.set_role("hoa", Role.ENGINEER, by=BY)
    assert people.accounts.get("hoa").role is Role.OPERATOR


def test_the_last_administrator_stays(people: People, account: Make, store: Store) -> None:
    account("first", Role.ADMINISTRATOR)
    account("second", Role.ADMINISTRATOR)
    account("nobody-can", Role.ADMINISTRATOR, password=None)
    people.accounts.disable("first", by=BY, now_ms=NOW_MS)
    for change in (
        lambda: people.accounts.disable("second", by=BY, now_ms=NOW_MS),
        lambda: people.accounts.set_role("second", Role.VIEWER, by=BY),
    ):
        assert reason(change) == "last-administrator"
    assert people.accounts.get("second").role is Role.ADMINISTRATOR
    assert not people.accounts.get("second").disabled
    people.accounts.enable("first", by=BY)
    people.accounts.set_role("second", Role.VIEWER, by=BY)


def test_two_administrators_who_disable_each_other_do_not_both_succeed(people: People, account: Make) -> None:
    for _ in range(5):
        account("first", Role.ADMINISTRATOR) if people.accounts.find("first") is None else None
        account("second", Role.ADMINISTRATOR) if people.accounts.find("second") is None else None

        def close(name: str) -> bool:
            try:
                people.accounts.disable(name, by=BY, now_ms=NOW_MS)
            except AccessError:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(close, ("first", "second"))) == [False, True]
        for name in ("first", "second"):
            people.accounts.enable(name, by=BY)


def test_a_closed_account_has_no_password_no_sessions_and_no_tokens(people: People, account: Make) -> None:
    account("hoa")
    hoa = Actor("hoa", Role.OPERATOR)
    opened = people.sessions.begin(hoa, NOW_MS, how="password")
    issued = people.tokens.issue(hoa, role=Role.VIEWER, label="wallboard", days=1, now_ms=NOW_MS)
    people.accounts.disable("hoa", by=BY, now_ms=NOW_MS)
    assert people.accounts.password_hash("hoa") is None
    people.accounts.enable("hoa", by=BY)
    assert people.sessions.find(opened.secret, NOW_MS) is None
    assert people.tokens.find(issued.secret, NOW_MS) is None


def test_a_hash_is_renewed_only_if_it_is_still_the_same(people: People, account: Make) -> None:
    account("hoa")
    old = people.accounts.password_hash("hoa")
    assert old is not None
    people.accounts.renew_hash("hoa", "another", "newer")
    assert people.accounts.password_hash("hoa") == old
    people.accounts.renew_hash("hoa", old, "newer")
    assert people.accounts.password_hash("hoa") == "newer"


@pytest.mark.parametrize(("typed", "name"), [("Hoa.Tran ", "hoa.tran"), ("a@b.vn", "a@b.vn"), ("7", "7")])
def test_names(typed: str, name: str) -> None:
    assert account_name(typed) == name


@pytest.mark.parametrize("typed", ["", "unix:root", "hòa", "-x", "a b", "x" * 65, "a\nb", "a\x00"])
def test_what_is_no_name(typed: str) -> None:
    assert reason(lambda: account_name(typed)) == "bad-name"
