"""What a SUMO configuration names: its net, routes, additional files and window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.networks.netxml import elements


@dataclass(frozen=True, slots=True)
class Configuration:
    """The files exist; times are SUMO seconds."""

    net: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...]
    begin_s: float
    end_s: float | None
    """None where the configuration names no end."""


def read_configuration(sumocfg: Path) -> Configuration:
    """Read a `.sumocfg`; long and short option names alike.

    Raises:
        NetworkError: it cannot be read, names no net, a file that does not exist, or no valid time.
    """
    options = _options(sumocfg)
    nets = _paths(sumocfg, options, "net-file", "n", "net")
    if len(nets) != 1:
        raise NetworkError(
            "names no net-file", where=str(sumocfg), fix="add <net-file value='…'/> under <input>"
        )
    end = _seconds(sumocfg, options, "end", "e")
    return Configuration(
        net=nets[0],
        routes=_paths(sumocfg, options, "route-files", "r", "routes"),
        additional=_paths(sumocfg, options, "additional-files", "a", "additional"),
        begin_s=_seconds(sumocfg, options, "begin", "b") or 0.0,
        end_s=None if end is None or end < 0 else end,
    )


def _options(sumocfg: Path) -> Mapping[str, str]:
    """Every option of a SUMO configuration that has a value, whatever section it stands in."""
    found: dict[str, str] = {}
    wanted = {"net-file", "n", "net", "route-files", "r", "routes", "additional-files", "a", "additional"}
    for element in elements(sumocfg, wanted | {"begin", "b", "end", "e"}):
        found[element.tag] = element.get("value") or element.get("v") or ""
    return found


def _paths(sumocfg: Path, options: Mapping[str, str], *names: str) -> tuple[Path, ...]:
    text = next((options[name] for name in names if name in options), "")
    paths = tuple(sumocfg.parent / part.strip() for part in text.replace(";", ",").split(",") if part.strip())
    for path in paths:
        if not path.is_file():
            raise NetworkError(
                f"names {path.name}, which does not exist", where=str(sumocfg), fix=f"expected at {path}"
            )
    return paths


def _seconds(sumocfg: Path, options: Mapping[str, str], *names: str) -> float | None:
    """A time as SUMO writes it: seconds, or [days:]hours:minutes:seconds."""
    text = next((options[name] for name in names if name in options), "")
    if not text:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
        value = sum(part * unit for part, unit in zip(reversed(parts), (1, 60, 3600, 86_400), strict=False))
        if len(parts) > 4 or not math.isfinite(value):
            raise ValueError(text)
    except ValueError as error:
        raise NetworkError(
            f"{names[0]} {text!r} is not a time", where=str(sumocfg), fix="give seconds"
        ) from error
    return value
