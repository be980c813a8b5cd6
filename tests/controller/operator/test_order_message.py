"""Orders on the wire: whatever the bytes are, an order or one error; what is written is read back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from denxanh.controller.operator.message import (
    MAX_BYTES,
    MAY_ORDER,
    Hold,
    Preempt,
    Release,
    Role,
    SetPlan,
    body,
    parse,
)
from denxanh.errors import RequestError

_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}", fullmatch=True)
_COMMON = {
    "id": _NAMES, "intersection": _NAMES, "actor": _NAMES, "role": st.sampled_from(Role),
    "reason": st.text(st.characters(categories=("L", "N", "P")), min_size=3, max_size=200),
    "issued_s": st.floats(0, 2**40),
}  # fmt: skip
ORDERS = st.one_of(
    st.builds(Hold, stage=st.integers(0, 63), for_s=st.integers(10, 3600), **_COMMON),
    st.builds(SetPlan, plan=st.none() | st.integers(1, 255), for_s=st.integers(60, 86_400), **_COMMON),
    st.builds(Release, **_COMMON),
    st.builds(Preempt, stage=st.integers(0, 63), for_s=st.integers(10, 600), **_COMMON),
)
GOOD = {
    "kind": "hold", "id": "a1", "intersection": "X", "actor": "lan", "role": "operator",
    "reason": "ngập nước", "issued_s": 5.0, "stage": 1, "for_s": 60,
}  # fmt: skip


@given(ORDERS)
@settings(deadline=None)
def test_what_is_written_is_read_back(order) -> None:
    assert parse(body(order)) == order
    assert len(body(order)) <= MAX_BYTES


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
@settings(deadline=None)
def test_anything_else_is_one_error(data: bytes) -> None:
    with pytest.raises(RequestError):
        parse(data)


@pytest.mark.parametrize(
    "change",
    [
        {"for_s": 9}, {"for_s": 3601}, {"for_s": 60.5}, {"stage": -1}, {"stage": 64}, {"stage": True},
        {"reason": "  a "}, {"reason": "a\nb c"}, {"reason": "abc\u202edef"}, {"reason": "abc\u2028def"},
        {"reason": "ab\x9bc"}, {"reason": "x" * 201}, {"actor": ""}, {"actor": "lan\n"}, {"actor": "-x"},
        {"role": "king"}, {"id": "a" * 65}, {"issued_s": -1}, {"more": 1}, {"v": 2}, {"v": True},
        {"kind": "open"}, {"intersection": "X/../Y"},
    ],
)  # fmt: skip
def test_a_field_out_of_bounds_is_named_and_nothing_is_guessed(change: dict[str, object]) -> None:
    parse(json.dumps(GOOD).encode())
    with pytest.raises(RequestError) as caught:
        parse(json.dumps({**GOOD, **change}).encode())
    assert "order" in str(caught.value)


@pytest.mark.parametrize("missing", sorted(set(GOOD) - {"kind"}))
def test_every_field_is_needed(missing: str) -> None:
    with pytest.raises(RequestError, match=missing):
        parse(json.dumps({key: value for key, value in GOOD.items() if key != missing}).encode())


def test_too_long_and_not_a_number() -> None:
    with pytest.raises(RequestError, match="longer"):
        parse(b" " * (MAX_BYTES + 1))
    with pytest.raises(RequestError):
        parse(json.dumps(GOOD).replace("5.0", "NaN").encode())
    with pytest.raises(ValidationError):
        Hold(**{**GOOD, "kind": "plan"})


def test_who_may_order_what() -> None:
    assert MAY_ORDER["preempt"] == {Role.POLICE_LIAISON}
    for kind in ("hold", "plan", "release", "preempt"):
        assert not MAY_ORDER[kind] & {Role.VIEWER, Role.ADMINISTRATOR}
