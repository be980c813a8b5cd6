"""What a search came to, as the file to use and as one document."""

from __future__ import annotations

import math
from typing import Any

from denxanh.eval import statistics
from denxanh.eval.optimise import SEARCHED, Optimised, Wish
from denxanh.eval.optimise_actuated import Setting, settings_text
from denxanh.eval.optimise_starts import OWN
from denxanh.eval.plans import Contender, corridor_with_plans, document, plans_text
from denxanh.networks import catalogue, corridor_files
from denxanh.networks.model import Plan


def plans_file(wish: Wish, made: Optimised[Plan], command: str) -> str:
    """All plans of the place, the best one in the place of the old one of its number."""
    corridor = corridor_with_plans(made.scenario.corridor, made.genes)
    source = _source(wish, made, f"plan {made.number}")
    if not wish.place.foreign:
        before = corridor_files.read(catalogue.folder(wish.place.corridor)).plans.source
        source = before if made.best == OWN else f"{before}; {source}"
    return plans_text(document(corridor, source), _notes(made, command))


def settings_file(wish: Wish, made: Optimised[Setting], command: str) -> str:
    """The best settings of the actuated rule."""
    return settings_text(made.genes, _source(wish, made, "settings"), _notes(made, command))


def _source(wish: Wish, made: Optimised[Any], what: str) -> str:
    if made.best != SEARCHED:
        return f"{what}: {made.best}, which the search for {wish.place.id} did not beat"
    return (
        f"{what}: searched in simulation for {wish.place.id}, from {made.found.start}; denxanh plan optimise"
    )


def _notes(made: Optimised[Any], command: str) -> list[str]:
    notes = [
        f"Written by: {command}",
        f"Search on seeds {made.seeds[0]} to {made.seeds[-1]}, mean delay: {made.found.start} "
        f"{_mean(made.found.start_delays_s):.1f} s, searched {made.found.delay_s:.1f} s",
    ]
    if made.confirmed:
        words = ", ".join(f"{one.name} {one.mean_s:.1f} s" for one in made.confirmed)
        notes.append(f"Behind the guard on the same seeds: {words}")
    return [*notes, "Figures on tuning seeds flatter what was tuned on them; compare on others."]


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)


def summary(wish: Wish, made: Optimised[Any]) -> dict[str, Any]:
    """One document for machines. Delays in seconds, null where a simulation failed."""
    return {
        "place": wish.place.id,
        "delay": "per vehicle" if wish.place.foreign else "per person",
        "plan": made.number,
        "seeds": list(made.seeds),
        "start": made.found.start,
        "rounds": made.found.rounds,
        "gains": made.found.gains,
        "simulations": made.found.simulations,
        "failures": made.failures,
        "search": [
            _line(Contender(made.found.start, made.found.start_delays_s)),
            _line(Contender(SEARCHED, made.found.delays_s)),
        ],
        "confirmed": [_line(one) for one in made.confirmed],
        "best": made.best,
        "gain_over_own": _gain(made),
    }


def _line(one: Contender) -> dict[str, Any]:
    delays = [value if math.isfinite(value) else None for value in one.delays_s]
    return {"name": one.name, "mean_delay_s": one.mean_s if None not in delays else None, "delays_s": delays}


def _gain(made: Optimised[Any]) -> dict[str, Any] | None:
    """The best one less what is there now, paired by seed, behind the guard."""
    known = {one.name: dict(zip(made.seeds, one.delays_s, strict=True)) for one in made.confirmed}
    if OWN not in known or not all(math.isfinite(value) for run in known.values() for value in run.values()):
        return None
    gap = statistics.difference(known[made.best], known[OWN])
    if gap is None:
        return None
    return {"mean_s": gap.mean, "ci95": list(gap.ci95), "share": gap.mean / _mean(tuple(known[OWN].values()))}
