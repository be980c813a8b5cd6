"""plc/profiles/denxanh.toml is the list of everything that a profile may say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import get_args, get_origin

from pydantic import BaseModel

from denxanh.plc.modbus.layout import STATUS_FIELDS
from denxanh.plc.modbus.schema import GROUP_BITS, STAGE_BITS, Profile

TEXT = (files("denxanh.plc") / "profiles" / "denxanh.toml").read_text(encoding="utf-8")


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Every key below a model, with its tables; NAME stands for the names of a table of tables."""
    for name, field in model.model_fields.items():
        inner, table = field.annotation, name
        if get_origin(inner) is dict:
            inner, table = get_args(inner)[1], f"{name}.NAME"
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from (f"{table}.{key}" for key in keys_of(inner))
        else:
            yield name


def listed() -> Iterator[str]:
    """What the file shows, lines of examples included."""
    table = ""
    for line in TEXT.splitlines():
        shown = line.removeprefix("#= ")
        if head := re.match(r"\[([\w.]+)\]", shown):
            table = f"{head[1]}."
        elif key := re.match(r"(\w+) = ", shown):
            yield f"{table}{key[1]}"


def test_it_lists_every_key_of_the_schema_and_no_other():
    assert sorted(listed()) == sorted(keys_of(Profile))


def test_each_key_shows_its_default():
    default = Profile().model_dump()
    for name, value in tomllib.loads(TEXT).items():
        if not isinstance(value, dict):
            assert default[name] == value, name
            continue
        for key, inner in value.items():
            assert default[name][key] == inner, f"{name}.{key}"


def test_it_names_every_value_that_can_be_moved():
    block = TEXT[TEXT.index("[status.registers.NAME]") : TEXT.index("#= offset")]
    assert set(re.findall(r"\w+", block)) >= {field.name for field in STATUS_FIELDS}
    block = TEXT[TEXT.index("[status.bits.NAME]") : TEXT.index('#= table = "coil"')]
    assert set(re.findall(r"\w+", block)) >= {*GROUP_BITS, *STAGE_BITS}
