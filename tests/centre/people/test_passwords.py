"""Passwords: what is too weak, what it costs to ask, and that nobody can ask too much at once."""

from __future__ import annotations

import asyncio
import threading
import unicodedata

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.people.passwords import AT_ONCE, MAX_WAITING, Cost, Hasher, Match
from denxanh.controller.centre.people.secret import digest, new_secret, one_time_password
from denxanh.controller.centre.people.weak import MAX_LENGTH, MIN_LENGTH, is_weak
from denxanh.errors import AccessError

CHEAP = Cost(passes=1, memory_kib=8, lanes=1)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "ngắn quá",
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "qwertyuiop123",
        "1qaz2wsx3edc4rfv",
        "Mật khẩu 123456",
        "matkhau2026!!",
        "DenXanhCanTho2026",
        "đèn xanh cần thơ",
        "password12345",
        "abcabcabcabcabc",
        "x" * (MAX_LENGTH + 1),
        "có một\ndòng nữa ở đây",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert is_weak(password)


@pytest.mark.parametrize(
    "password",
    [
        "xe lôi qua cầu Ninh Kiều",
        "ba con mèo ngủ trưa",
        "correct horse battery",
        "kV9#tR2!mQx7Lp",
        "k3mp-7xqa-vv2d-9hzt",
    ],
)
def test_what_is_not_goes_through(password: str) -> None:
    assert not is_weak(password)


def test_what_others_know_of_a_person_does_not_count() -> None:
    assert is_weak("nguyenvanhoa1", "hoa", "Nguyễn Văn Hòa")
    assert is_weak("hoa.tran-hoa.tran", "hoa.tran")
    assert not is_weak("thuyền nan sông Hậu", "hoa.tran", "Trần Hòa")


def test_what_the_centre_makes_up_is_good_enough() -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert not any(is_weak(one) for one in made)


@given(st.text(max_size=300))
def test_every_text_is_judged(text: str) -> None:
    if len(unicodedata.normalize("NFKC", text)) < MIN_LENGTH:
        assert is_weak(text)
    else:
        is_weak(text, text)


@given(st.text(), st.text())
def test_digests_tell_secrets_apart(one: str, other: str) -> None:
    assert (digest(one) == digest(other)) is (one == other)
    assert len(digest(one)) == 64


def test_secrets_are_256_bits_and_never_the_same() -> None:
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {43}


async def test_right_and_wrong() -> None:
    hasher = Hasher(CHEAP)
    kept = await hasher.hash("xe lôi qua cầu")
    assert "xe" not in kept
    assert await hasher.compare(kept, "xe lôi qua cầu") is Match.YES
    assert await hasher.compare(kept, "xe loi qua cau") is Match.NO
    assert await hasher.compare("no hash at all", "xe lôi qua cầu") is Match.NO
    assert await hasher.compare(None, "xe lôi qua cầu") is Match.NO


async def test_the_way_a_keyboard_writes_vietnamese_does_not_matter() -> None:
    hasher = Hasher(CHEAP)
    kept = await hasher.hash(unicodedata.normalize("NFC", "cầu Ninh Kiều"))
    assert await hasher.compare(kept, unicodedata.normalize("NFD", "cầu Ninh Kiều")) is Match.YES


async def test_a_long_password_in_three_characters_a_letter_lets_in_again() -> None:
    hasher = Hasher(CHEAP)
    typed = unicodedata.normalize("NFD", "một chiếc xuồng ba lá chở đầy bưởi về chợ nổi " * 2)
    assert len(typed) > MAX_LENGTH
    assert not is_weak(typed)
    kept = await hasher.hash(typed)
    assert await hasher.compare(kept, typed) is Match.YES
    assert await hasher.compare(kept, typed[:-2]) is Match.NO


async def test_a_hash_at_another_cost_is_right_but_old() -> None:
    kept = await Hasher(CHEAP).hash("xe lôi qua cầu")
    assert (
        await Hasher(Cost(passes=2, memory_kib=8, lanes=1)).compare(kept, "xe lôi qua cầu")
        is Match.YES_BUT_OLD
    )


async def test_the_usual_cost_is_rfc_9106s_second_in_one_lane() -> None:
    found = extract_parameters(await Hasher().hash("xe lôi qua cầu"))
    assert (found.type.name, found.time_cost, found.memory_cost, found.parallelism) == ("ID", 3, 65_536, 1)


async def test_an_unknown_account_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(CHEAP)
    kept = await hasher.hash("xe lôi qua cầu")
    asked: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, kept, word: asked.append(kept) or verify(self, kept, word)
    )
    await hasher.compare(kept, "wrong")
    await hasher.compare(None, "wrong")
    assert len(asked) == 2
    assert extract_parameters(asked[0]) == extract_parameters(asked[1])


async def test_two_hash_at_once_some_wait_and_the_rest_is_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasher = Hasher(CHEAP)
    go, lock = threading.Event(), threading.Lock()
    running, most = 0, 0

    def slow(_: object, __: str) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(10)
        with lock:
            running -= 1
        return "kept"

    monkeypatch.setattr(PasswordHasher, "hash", slow)
    asked = [asyncio.create_task(hasher.hash("x")) for _ in range(AT_ONCE + MAX_WAITING + 5)]
    await asyncio.sleep(0.05)
    go.set()
    results = await asyncio.gather(*asked, return_exceptions=True)
    busy = [one for one in results if isinstance(one, AccessError)]
    assert most == AT_ONCE
    assert [one.reason for one in busy] == ["busy"] * 5
    assert all(one.wait_s > 0 for one in busy)
    assert await hasher.hash("x") == "kept"


async def test_who_goes_away_while_waiting_takes_no_place_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(CHEAP)
    go = threading.Event()
    monkeypatch.setattr(PasswordHasher, "hash", lambda *_: go.wait(10) and "kept")
    asked = [asyncio.create_task(hasher.hash("x")) for _ in range(AT_ONCE + MAX_WAITING)]
    await asyncio.sleep(0.05)
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    go.set()
    for _ in range(100):
        await asyncio.sleep(0.01)
        with_room = await asyncio.gather(
            *(hasher.hash("x") for _ in range(AT_ONCE + MAX_WAITING)), return_exceptions=True
        )
        if with_room == ["kept"] * (AT_ONCE + MAX_WAITING):
            return
    pytest.fail("places were lost")
