"""The actuated rule with settings of its own at each intersection, and their search.

First the same settings everywhere are tried on a grid; from the best of them single intersections are changed
by the same search as fixed plans (`plan_search`), always behind the guard.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.agents.actuated import Actuated
from denxanh.agents.observation import TrafficState
from denxanh.agents.policy import Decision
from denxanh.errors import ConfigError
from denxanh.eval.optimise_moves import neighbours
from denxanh.eval.plan_search import Move
from denxanh.networks.plan_text import quoted

PASSAGES_S = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)
"""Passage times that are tried at single intersections."""
GREENS_S = (0.0, 12.0, 16.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0)
"""Longest greens that are tried, 0: the guard's."""
GRID = tuple((passage, green) for passage in (2.0, 3.0, 4.0, 5.0) for green in (0.0, 20.0, 30.0, 45.0))
"""Settings that are tried everywhere at once."""
UNLIMITED_S = 90.0
"""What no limit of its own counts as in the regression."""
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """Of one intersection: the gap that ends a green, and the longest green (0: the guard's), seconds."""

    passage_s: float
    max_green_s: float


OWN = Setting(Actuated().passage_s, Actuated().max_green_s)
"""The rule's own settings."""


@dataclass(frozen=True, slots=True)
class TunedActuated:
    """`Actuated` with settings by intersection; the default where one has none."""

    default: Setting
    settings: tuple[tuple[str, Setting], ...] = ()
    name: str = "actuated"
    interval_s: int = 1
    _rules: Mapping[str, Actuated] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = {one: _rule(setting) for one, setting in self.settings}
        object.__setattr__(self, "_rules", {"": _rule(self.default), **rules})

    def decide(self, state: TrafficState) -> Decision:
        """As the rule decides at this intersection's settings."""
        rule = self._rules.get(state.intersection.id) or self._rules[""]
        return rule.decide(state)


def _rule(setting: Setting) -> Actuated:
    return Actuated(passage_s=setting.passage_s, max_green_s=setting.max_green_s)


def policy_of(genes: Mapping[str, Setting]) -> TunedActuated:
    """The rule under a candidate."""
    return TunedActuated(OWN, tuple(sorted(genes.items())))


def starts(ids: Sequence[str]) -> dict[str, dict[str, Setting]]:
    """The grid, the rule's own settings first."""
    found = {"own": dict.fromkeys(ids, OWN)}
    for passage, green in GRID:
        setting = Setting(passage, green)
        if setting != OWN:
            found[f"{passage:g}+{green:g}"] = dict.fromkeys(ids, setting)
    return found


@dataclass(frozen=True, slots=True)
class SettingSpace:
    """Moves of settings: one of the two changes at one intersection, to a neighbouring value or any.

    Attributes:
        ids: intersections.
        links: vehicles from one intersection straight to the next.
    """

    ids: Sequence[str]
    links: Mapping[tuple[str, str], float]
    _near: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_near", neighbours(self.ids, self.links))

    def move(self, genes: Mapping[str, Setting], dice: random.Random, step: float) -> Move[Setting] | None:
        """A random move; long steps go anywhere, short ones to the next value."""
        one = dice.choice(sorted(self.ids))
        before = genes[one]
        if dice.random() < 0.5:
            after = Setting(_another(PASSAGES_S, before.passage_s, dice, step), before.max_green_s)
        else:
            after = Setting(before.passage_s, _another(GREENS_S, before.max_green_s, dice, step))
        return None if after == before else Move({one: after}, self._near[one] | {one})

    def features(self, genes: Mapping[str, Setting], one: str) -> list[float]:
        """The settings of the intersection and of its neighbours, with their squares."""
        found: list[float] = []
        for place in (one, *sorted(self._near[one])):
            green = genes[place].max_green_s or UNLIMITED_S
            for number in (genes[place].passage_s / 3.0, 30.0 / green):
                found += [number, number * number]
        return found


def _another(values: Sequence[float], now: float, dice: random.Random, step: float) -> float:
    nearest = min(range(len(values)), key=lambda place: (abs(values[place] - now), place))
    reach = max(1, round(step * len(values) / 3))
    place = min(len(values) - 1, max(0, nearest + dice.choice((-1, 1)) * dice.randint(1, reach)))
    return values[place]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Passage = Annotated[float, Field(ge=0.5, le=30)]
Green = Annotated[float, Field(ge=0, le=600)]


class SettingLine(_Form):
    """The settings of one intersection."""

    id: Annotated[str, Field(min_length=1)]
    passage_s: Passage
    max_green_s: Green


class ActuatedDocument(_Form):
    """A file of settings; those without an intersection hold everywhere else."""

    source: Annotated[str, Field(min_length=1, max_length=2000)]
    passage_s: Passage
    max_green_s: Green
    intersection: tuple[SettingLine, ...] = ()


def load_actuated(path: Path) -> TunedActuated:
    """The rule with the settings of a file, as `plan optimise --what actuated` writes it.

    Raises:
        ConfigError: the file is missing, is not TOML, or has a field of the wrong form.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"larger than {MAX_BYTES} bytes", where=str(path))
        found = ActuatedDocument.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"the settings cannot be read: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path), fix="correct the syntax") from error
    except ValidationError as error:
        defects = tuple(
            ConfigError(detail["msg"], where=".".join(str(part) for part in detail["loc"]))
            for detail in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise ConfigError("no settings of the actuated rule", where=str(path), defects=defects) from error
    settings = tuple((line.id, Setting(line.passage_s, line.max_green_s)) for line in found.intersection)
    return TunedActuated(Setting(found.passage_s, found.max_green_s), settings)


def settings_text(genes: Mapping[str, Setting], source: str, notes: Sequence[str] = ()) -> str:
    """The file: the commonest settings for everywhere, then the intersections that differ."""
    counted = list(genes.values())
    usual = max(counted, key=lambda one: (counted.count(one), -counted.index(one)))
    lines = [*(f"# {note}" for note in notes), f"source = {quoted(source)}", *_values(usual)]
    for one, setting in sorted(genes.items()):
        if setting != usual:
            lines += ["", "[[intersection]]", f"id = {quoted(one)}", *_values(setting)]
    return "\n".join(lines) + "\n"


def _values(setting: Setting) -> tuple[str, str]:
    return f"passage_s = {setting.passage_s:g}", f"max_green_s = {setting.max_green_s:g}"
