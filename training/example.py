"""A complete CONFIG.toml with a comment on every key, made from the configuration's own documentation."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from denxanh.training.config import Config, Dqn, Ppo

SHIPPED = Path(__file__).parent / "configs"
"""Configurations that come with the package, by name."""
WIDTH = 108


def example(config: Config | None = None) -> str:
    """The file; with the defaults, or with the values of a configuration."""
    given = config or Config()
    other: BaseModel = Ppo() if isinstance(given.algorithm, Dqn) else Dqn()
    lines = [
        "# One training run of Đèn Xanh, with every key. All have defaults: keep what you change.",
        "# denxanh train THIS_FILE",
        "",
        *_table(given, ()),
        f"# The other algorithm: {_first_line(other)}",
        *(f"# {line}" for line in [*_table(other, ("algorithm",))][1:-1]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def keys() -> dict[str, FieldInfo]:
    """Every key that a CONFIG.toml may have, with its table; PPO's as `algorithm (ppo).KEY`."""
    return {**dict(_keys(Config(), ())), **dict(_keys(Ppo(), ("algorithm (ppo)",)))}


def shipped(name: str) -> Path | None:
    """The file of a configuration that comes with the package; None where there is none of this name."""
    path = SHIPPED / f"{name}.toml"
    return path if Path(name).name == name and path.is_file() else None


def _keys(table: BaseModel, above: tuple[str, ...]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            yield from _keys(value, (*above, name))
        else:
            yield ".".join((*above, name)), field


def _table(table: BaseModel, above: tuple[str, ...]) -> Iterator[str]:
    """A table's lines: first its own keys, then the tables in it."""
    if above:
        yield from _comment(_first_line(table))
        yield f"[{'.'.join(above)}]"
    inner = []
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            inner.append((name, value))
            continue
        yield from _comment(field.description or "")
        yield f'# {name} = "…"' if value is None else f"{name} = {_value(value)}"
    yield ""
    for name, value in inner:
        yield from _table(value, (*above, name))


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(" ".join(text.split()), WIDTH - 2))


def _first_line(table: BaseModel) -> str:
    return (type(table).__doc__ or "").partition("\n")[0]


def _value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, Path):
        return json.dumps(str(value), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
