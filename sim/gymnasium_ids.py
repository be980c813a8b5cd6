"""Gymnasium's names for our environments: the catalogue's corridors and demands, foreign and generated ones.

Importing this module registers them. Gymnasium looks for no plugins since 1.0, but imports the module that
an id names: `gymnasium.make("denxanh.sim.gymnasium_ids:denxanh/Generated-v0")` needs no import before it.
Nothing of SUMO is loaded until an environment is made.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium

from denxanh.networks import catalogue

if TYPE_CHECKING:
    from denxanh.sim.environments import IntersectionEnv
    from denxanh.sim.generator import Recipe
    from denxanh.sim.spaces import Padding

NAMESPACE = "denxanh"
VERSION = 0
FOREIGN = f"{NAMESPACE}/Foreign-v{VERSION}"
GENERATED = f"{NAMESPACE}/Generated-v{VERSION}"


def corridor_id(corridor: str, scenario: str) -> str:
    """The id of a catalogue corridor under one of its demands."""
    return f"{NAMESPACE}/{corridor}-{scenario}-v{VERSION}"


def corridors() -> dict[str, tuple[str, str]]:
    """Corridor and scenario of every id of the catalogue."""
    found = {}
    for corridor in catalogue.names():
        demand = tomllib.loads((catalogue.path(corridor) / "demand.toml").read_text(encoding="utf-8"))
        for scenario in demand.get("scenario", {}):
            found[corridor_id(corridor, scenario)] = (corridor, scenario)
    return found


def register() -> None:
    """Register every id that is not registered yet."""
    here = __name__
    for name, (corridor, scenario) in corridors().items():
        _register(name, f"{here}:catalogue_env", {"corridor": corridor, "scenario": scenario})
    _register(FOREIGN, f"{here}:foreign_env", {})
    _register(GENERATED, f"{here}:generated_env", {})


def _register(name: str, entry_point: str, kwargs: dict[str, Any]) -> None:
    if name not in gymnasium.registry:
        gymnasium.register(name, entry_point, kwargs=kwargs)


def catalogue_env(corridor: str, scenario: str, **options: Any) -> IntersectionEnv:
    """One intersection of a catalogue corridor.

    Args:
        corridor: its name.
        scenario: one of its demands.
        options: those of `sources.Catalogue` and of `IntersectionEnv`.
    """
    from denxanh.sim.environments import IntersectionEnv
    from denxanh.sim.sources import Catalogue

    source = Catalogue(corridor, scenario, **_taken(options, "fidelity", "seconds", "scale"))
    return IntersectionEnv(source, **options)


def foreign_env(sumocfg: str | Path, **options: Any) -> IntersectionEnv:
    """One intersection of a SUMO configuration that anyone wrote.

    Args:
        sumocfg: its path.
        options: those of `sources.Foreign` (but SUMO's are `sumo_options`) and of `IntersectionEnv`.
    """
    from denxanh.sim.environments import IntersectionEnv
    from denxanh.sim.sources import Foreign

    sumo = options.pop("sumo_options", ())
    source = Foreign(sumocfg, options=sumo, **_taken(options, "begin_s", "end_s", "controlled"))
    return IntersectionEnv(source, **options)


def generated_env(
    recipe: Recipe | None = None,
    network: int | None = None,
    padding: Padding | None = None,
    **options: Any,
) -> IntersectionEnv:
    """The first intersection of a generated scenario; other streets for every seed.

    Args:
        recipe: what is drawn from; a single intersection if not given.
        network: keep to this one.
        padding: of the observations; the usual one, which holds any single intersection, if not given.
        options: those of `IntersectionEnv`.
    """
    from denxanh.sim.environments import IntersectionEnv
    from denxanh.sim.sources import Generated
    from denxanh.sim.spaces import Padding

    return IntersectionEnv(Generated(recipe, network), padding=padding or Padding(), **options)


def _taken(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take these options out, where they are given."""
    return {name: options.pop(name) for name in names if name in options}


register()
