"""The wishes of `denxanh evaluate` as the command line writes them: places, seeds, conditions."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from denxanh.errors import ConfigError

if TYPE_CHECKING:
    from denxanh.eval.cells import Place

MIN_YELLOW_S = 3
"""The guard's own least yellow, seconds; taken where only `--all-red` is given."""


def places(corridors: list[str], sumocfgs: list[Path], scenarios: str) -> tuple[Place, ...]:
    """Where to run: every corridor's scenarios, then the foreign ones; without any wish the whole catalogue.

    Raises:
        DenXanhError: a corridor, a scenario or a configuration does not exist or is wrong.
    """
    from denxanh.eval.cells import corridor_places, sumocfg_places
    from denxanh.networks import catalogue

    if not corridors and not sumocfgs:
        corridors = list(catalogue.names())
    if scenarios and not corridors:
        raise typer.BadParameter("--scenarios are demands of a --corridor")
    wanted = listed(scenarios, "--scenarios") if scenarios else ()
    ours = [place for name in corridors for place in corridor_places(name, wanted)]
    return (*ours, *sumocfg_places(tuple(sumocfgs)))


def window(sumocfgs: list[Path], begin: int | None, end: int | None) -> tuple[int | None, int | None]:
    """Begin and end of foreign scenarios, SUMO seconds."""
    if not sumocfgs and (begin is not None or end is not None):
        raise typer.BadParameter(
            "--begin and --end belong to --sumocfg; a corridor's demand says when it begins"
        )
    if begin is not None and end is not None and end <= begin:
        raise typer.BadParameter("--end is not after --begin")
    return begin, end


def clearances(yellow: int | None, all_red: int | None) -> tuple[int | None, int | None]:
    """Both or none: all-red alone gets the least yellow, yellow alone no all-red."""
    if yellow is None and all_red is None:
        return None, None
    return MIN_YELLOW_S if yellow is None else yellow, all_red or 0


def options(text: str) -> tuple[str, ...]:
    """SUMO's options as a shell would split them."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise typer.BadParameter(f"--sumo-options: {error}") from error


def listed(text: str, where: str) -> tuple[str, ...]:
    """Names with commas between.

    Raises:
        ConfigError: there is none.
    """
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise ConfigError("names nothing", where=where, fix="write names with commas between")
    return found


def seeds_of(text: str, where: str) -> tuple[int, ...]:
    """`10`: 1 to 10; `11-20`; `3,7`; `4,` is the one seed 4.

    Raises:
        ConfigError: the text means none of these, or names a seed twice.
    """
    try:
        if "," in text:
            found = tuple(int(part) for part in text.split(",") if part.strip())
        elif "-" in text:
            low, high = (int(part) for part in text.split("-"))
            found = tuple(range(low, high + 1))
        else:
            found = tuple(range(1, int(text) + 1))
    except ValueError:
        found = ()
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise ConfigError(
            f"{text!r} names no seeds, or one twice", where=where, fix="such as 10, 11-20 or 3,7"
        )
    return found
