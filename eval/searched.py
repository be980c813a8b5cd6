"""Rules as `plan optimise` left them in files: `fixed:PATH` with its plans, `actuated:PATH` likewise.

PATH is the file, its folder, or the folder of all places (`runs/plans`), in which each place has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from denxanh.errors import ConfigError

FILES = {"fixed": "plans.toml", "actuated": "actuated.toml"}
"""What `plan optimise` writes for a rule."""
MARK = ":"


@dataclass(frozen=True, slots=True)
class Searched:
    """A rule and the file that it takes its plans or settings from."""

    rule: str
    path: Path


def rule_of(name: str) -> str | None:
    """The rule of a name with a file; None for any other name."""
    rule, mark, path = name.partition(MARK)
    return rule if mark and path and rule in FILES else None


def searched(name: str, place_id: str) -> Searched | None:
    """The file that a name means at a place; None where the name means none.

    Raises:
        ConfigError: there is no such file.
    """
    rule = rule_of(name)
    if rule is None:
        return None
    root = Path(name.partition(MARK)[2])
    choices = (root, root / FILES[rule], root / place_id.replace("/", "-") / FILES[rule])
    for path in choices:
        if path.is_file():
            return Searched(rule, path)
    raise ConfigError(
        f"there is no {FILES[rule]} for {place_id}",
        where=f"policy {name}",
        fix=f"search it with denxanh plan optimise{' --what actuated' if rule == 'actuated' else ''}",
    )
