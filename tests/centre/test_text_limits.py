"""What the API's schema says of a text is what the code does with it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from denxanh.controller.centre.desk.plan_draft import Name
from denxanh.controller.operator.message import Reason

KINDS = {"reason": TypeAdapter(Reason), "name": TypeAdapter(Name)}
TEXTS = st.one_of(
    st.text(st.sampled_from(" \u3000\u00a0aạ-\t\n\u202e"), max_size=8),
    st.builds(
        lambda n, spaces, more: " " * spaces + "ạ" * n + more,
        st.integers(0, 205),
        st.integers(0, 5),
        st.text(" "),
    ),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=80, deadline=None)
@example(text="   a  ")
@example(text=" ab")
@example(text="a b ")
@example(text=" " + "a" * 200)
@example(text="")
@given(text=TEXTS)
def test_schema_and_code_agree(kind: str, text: str) -> None:
    adapter: TypeAdapter[Any] = KINDS[kind]
    by_schema = jsonschema.Draft202012Validator(adapter.json_schema()).is_valid(text)
    try:
        taken = adapter.validate_python(text)
    except ValidationError:
        assert not by_schema
    else:
        assert by_schema
        assert taken == text.strip()
