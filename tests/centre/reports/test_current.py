"""How indicators stand for rules: the words of the rules, this month's, not read at every look."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pytest

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators.current import FRESH_MS, Current
from denxanh.controller.centre.indicators.period import midnight_ms
from denxanh.controller.centre.store.archive import Store
from denxanh.networks.model import Corridor

NOON = midnight_ms(date(2026, 11, 28)) + 43_200_000
CITY = {"indicators": {"its_intersections": {"baseline": 0, "targets": {2026: 12}}}}
NONE = cast(Any, None)


def test_only_indicators_with_a_status_stand(filled: Store, corridor: Corridor) -> None:
    found = Current(filled, corridor, CityFile.model_validate(CITY))(NONE, NOON)
    assert [(one.id, one.status) for one in found] == [("its_intersections", "at-risk")]
    assert found[0].words == ("Số nút giao áp dụng ITS", "Intersections under ITS")
    assert Current(filled, corridor, CityFile())(NONE, NOON) == ()


def test_an_answer_holds_for_a_while(
    filled: Store, corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    current, read = Current(filled, corridor, CityFile()), []
    monkeypatch.setattr(current, "_read", lambda at: read.append(at) or ())
    for at_ms in (
        NOON,
        NOON + 1000,
        NOON + FRESH_MS - 1,
        NOON + FRESH_MS,
        NOON,
    ):  # and a clock that goes back
        current(NONE, at_ms)
    assert read == [NOON, NOON + FRESH_MS, NOON]


def test_an_empty_store_has_none(empty: Store, corridor: Corridor) -> None:
    assert Current(empty, corridor, CityFile.model_validate(CITY))(NONE, NOON) == ()
