"""One generated scenario: streets, signals, limits, traffic. The same recipe and seed give the same files."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.networks import demand, foreign
from denxanh.networks.model import Corridor
from denxanh.networks.sumonet import read_net
from denxanh.sim.generator.arterial import arterial
from denxanh.sim.generator.fleet import draw_fleet
from denxanh.sim.generator.gallery import gallery
from denxanh.sim.generator.limits import varied
from denxanh.sim.generator.recipe import YELLOW_S, Layout, Recipe
from denxanh.sim.generator.structures import divides_lanes, programme
from denxanh.sim.generator.tools import replace_programmes, without_comments
from denxanh.sim.generator.towns import town
from denxanh.sim.generator.traffic import draw_traffic, with_plans, write_traffic
from denxanh.sim.scenario import Scenario

ATTEMPTS = 8
"""Draws before we give up: netconvert may make fewer usable signals than wanted."""
RUNNING_START = ("--default.departlane=best", "--default.departspeed=max")
"""How vehicles come into a net: at the speed of the road, on the lane that suits them."""
OWN_STRUCTURE = 0.65
"""Probability that a signal gets a structure of ours instead of netconvert's."""
OWN_STRUCTURE_OF_DIVIDED = 0.9
"""The same where netconvert's lets only a part of a shared lane go, as foreign nets do now and then."""


def generate(recipe: Recipe, seed: int, folder: Path) -> Scenario:
    """Draw a scenario and write its net and routes into `folder`.

    Args:
        recipe: what to draw from.
        seed: any whole number; the same recipe and seed give the same files and the same scenario.
        folder: made if it is missing; a scenario of the same layout and seed in it is replaced.

    Raises:
        NetworkError: no draw came to enough usable signals; the last reason is inside.
        MissingExtraError: SUMO is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    why = ""
    for attempt in range(ATTEMPTS):
        dice = random.Random(f"{recipe!r}/{seed}/{attempt}")
        try:
            return _draw(recipe, dice, folder, f"{recipe.layout}-{seed}")
        except (NetworkError, ValueError) as error:
            why = str(error)
    raise NetworkError(
        f"no usable scenario of layout {recipe.layout} in {ATTEMPTS} draws: {why}",
        where=f"generator, seed {seed}",
        fix="ask for fewer signals or take another seed",
    )


def _draw(recipe: Recipe, dice: random.Random, folder: Path, name: str) -> Scenario:
    net_path, routes = folder / f"{name}.net.xml", folder / f"{name}.rou.xml"
    with tempfile.TemporaryDirectory(prefix="denxanh-generator-") as scratch:
        _build(recipe, dice, Path(scratch), net_path)
    corridor = _signals(net_path, dice)
    if len(corridor.intersections) < recipe.signals:
        raise NetworkError(
            f"{len(corridor.intersections)} usable signals, {recipe.signals} wanted", where=str(net_path)
        )
    commitment_s = dice.choice(recipe.commitment_s)
    fleet = draw_fleet(recipe, dice)
    corridor = replace(
        corridor,
        intersections=tuple(varied(one, dice, commitment_s) for one in corridor.intersections),
        pcu_per_vehicle=fleet.pcu_per_vehicle,
        sources=(f"generated: {recipe.layout}",),
    )
    net = read_net(net_path)
    traffic = draw_traffic(recipe, net, corridor, dice)
    corridor = with_plans(corridor, net, traffic)
    write_traffic(traffic, fleet, net, corridor, routes)
    return Scenario(
        id=name,
        corridor=corridor,
        net=net_path,
        routes=(routes,),
        begin_s=0,
        end_s=recipe.seconds,
        measure_from_s=recipe.warmup_s,
        options=(*demand.sumo_options(fleet.fidelity), *RUNNING_START),
        weights=fleet.weights,
    )


def _build(recipe: Recipe, dice: random.Random, scratch: Path, net: Path) -> None:
    """The streets, with netconvert's own programmes."""
    options = [
        *("--tls.layout", dice.choice(("opposites", "opposites", "incoming"))),
        *("--tls.left-green.time", str(dice.choice((0, 6, 6, 10)))),
        *("--tls.default-type", "static"),
        *("--tls.yellow.time", str(dice.choice(YELLOW_S))),
        *("--tls.allred.time", str(dice.choice((0, 0, 1, 2)))),
        *("--tls.cycle.time", str(dice.choice((60, 75, 90, 100)))),
        *("--junctions.corner-detail", "5", "--junctions.limit-turn-speed", "5.5"),
    ]
    if recipe.layout is Layout.GALLERY:
        gallery(recipe, dice).convert(scratch, net, options)
    elif recipe.layout is Layout.ARTERIAL:
        arterial(recipe, dice).convert(scratch, net, options)
    else:
        town(recipe, dice, scratch, net, options)
    without_comments(net)


def _signals(path: Path, dice: random.Random) -> Corridor:
    """Structures of our own for some of the signals, then the same way as any foreign net."""
    net = read_net(path)
    texts: dict[str, str] = {}
    for tls in sorted(net.programmes):
        wanted = OWN_STRUCTURE if not divides_lanes(net, tls) else OWN_STRUCTURE_OF_DIVIDED
        if dice.random() < wanted:
            text = programme(net, tls, dice, dice.choice(YELLOW_S))
            if text is not None:
                texts[tls] = text
    if texts:
        replace_programmes(path, texts)
    return foreign.from_net(path)
