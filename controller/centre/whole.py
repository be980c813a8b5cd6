"""Whole numbers as JSON has them."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""The last mark of an `int` in a strict model: 9.0 is 9, since JSON knows one kind of number."""
