"""Grids and random street networks, drawn by SUMO's netgenerate."""

from __future__ import annotations

import math
import random
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.networks.sumonet import Net, read_net
from denxanh.sim.generator.recipe import Layout, Recipe
from denxanh.sim.generator.tools import run_tool

SPEEDS_KMH = (30, 40, 50, 50, 60, 70)
MOST_SURPLUS = 1.5
"""At most so many times the wanted signals; further junctions stay without."""
UNSIGNALISED = 0.2
"""Share of the surplus junctions that stay without a signal."""


def town(recipe: Recipe, dice: random.Random, scratch: Path, net: Path, options: list[str]) -> None:
    """Draw a grid or a random network and give it signals.

    Raises:
        NetworkError: it has fewer junctions than the signals wanted.
    """
    draft = scratch / "draft.net.xml"
    shape = _grid(recipe, dice) if recipe.layout is Layout.GRID else _random(recipe, dice)
    walk = dice.random() < recipe.pedestrians
    arguments = [
        *shape,
        *("--seed", str(dice.randrange(2**31))),
        *("--default.lanenumber", str(dice.choice((1, 2, 2, 3)))),
        *("--default.speed", f"{dice.choice(SPEEDS_KMH) / 3.6:.2f}"),
        *("--no-turnarounds", "true", "--default.junctions.type", "priority"),
    ]
    if dice.random() < 0.5:
        arguments += ["--random-lanenumber", "true"]
    if dice.random() < 0.5:
        arguments += ["--turn-lanes", "1", "--turn-lanes.length", f"{dice.uniform(20, 60):.1f}"]
    run_tool("netgenerate", [*arguments, "-o", str(draft)])
    chosen = _chosen(read_net(draft), recipe.signals, dice)
    walking = ["--sidewalks.guess", "true", "--crossings.guess", "true"] if walk else []
    run_tool(
        "netconvert",
        [
            *("-s", str(draft), "--tls.set", ",".join(chosen), "--no-turnarounds", "true"),
            *walking, *options, "-o", str(net),
        ],
    )  # fmt: skip


def _grid(recipe: Recipe, dice: random.Random) -> list[str]:
    widest = max(1, min(4, recipe.signals))
    columns = dice.randint(min(2, widest), widest)
    rows = math.ceil(recipe.signals / columns)
    lengths = [
        f"{dice.uniform(*span):.1f}"
        for span in ((80.0, 400.0), (80.0, 400.0), (100.0, 400.0), (100.0, 400.0))
    ]
    return [
        "--grid",
        *("--grid.x-number", str(columns), "--grid.y-number", str(rows)),
        *("--grid.x-length", lengths[0], "--grid.y-length", lengths[1]),
        *("--grid.x-attach-length", lengths[2], "--grid.y-attach-length", lengths[3]),
    ]


def _random(recipe: Recipe, dice: random.Random) -> list[str]:
    near = dice.uniform(80.0, 150.0)
    return [
        "--rand",
        *("--rand.iterations", str(round(recipe.signals * dice.uniform(3.0, 5.0)) + 6)),
        *("--rand.min-distance", f"{near:.1f}", "--rand.max-distance", f"{dice.uniform(near + 80, 400):.1f}"),
        *("--rand.min-angle", "50", "--rand.connectivity", f"{dice.uniform(0.8, 0.98):.3f}"),
        *("--rand.neighbor-dist1", "6", "--rand.neighbor-dist4", "12"),
    ]


def _chosen(net: Net, wanted: int, dice: random.Random) -> list[str]:
    """The junctions that get signals: the busiest looking first, some of the surplus left without."""
    into: dict[str, int] = {}
    for edge, (_, end) in net.edge_ends.items():
        if not edge.startswith(":"):
            into[end] = into.get(end, 0) + len(net.edge_lanes[edge])
    arms: dict[str, set[str]] = {}
    for edge, (start, end) in net.edge_ends.items():
        if not edge.startswith(":"):
            arms.setdefault(end, set()).add(start)
    able = sorted(
        (node for node, found in arms.items() if len(found) >= 3), key=lambda node: (-into[node], node)
    )
    if len(able) < wanted:
        raise NetworkError(f"{len(able)} junctions, {wanted} signals wanted", where="generator")
    most = able[: max(wanted, round(wanted * MOST_SURPLUS))]
    return [node for place, node in enumerate(most) if place < wanted or dice.random() >= UNSIGNALISED]
