"""SMS lengths, against the published limits, and Vietnamese without its marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.notify.gsm import fitted, is_gsm, segments, units, without_marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ữ" * 70, 1),
        ("ữ" * 71, 2),
        ("🚦" * 35, 1),
        ("🚦" * 36, 2),
        ("", 1),
    ],
)
def test_segments(text: str, expected: int) -> None:
    assert segments(text) == expected


def test_vietnamese_without_marks() -> None:
    assert without_marks("Đường Nguyễn Văn Cừ nối dài – ngập") == "Duong Nguyen Van Cu noi dai - ngap"
    assert without_marks("中") == "?"


@given(st.text(max_size=900), st.integers(1, 6), st.booleans())
def test_what_is_fitted_fits(text: str, most: int, plain: bool) -> None:
    said = without_marks(text) if plain else text
    short = fitted(said, most)
    assert segments(short) <= most
    assert short == said or short.endswith("...")
    assert not plain or is_gsm(short)
    assert units(short) <= max(units(said), 3) or not is_gsm(said)
