"""Policies against each other: paired by seed in every scenario, and over all scenarios together."""

from __future__ import annotations

import statistics as means
from collections.abc import Mapping, Sequence
from typing import Any

from denxanh.eval import statistics
from denxanh.eval.results import Results
from denxanh.eval.summary import by_seed

DEFAULT_REFERENCE = "fixed"

BySeed = Mapping[int, float]


def reference_of(policies: Sequence[str], wanted: str | None = None) -> str:
    """Whom the others are compared with: the wanted one, else `fixed`, else the first."""
    if wanted is not None:
        return wanted
    return DEFAULT_REFERENCE if DEFAULT_REFERENCE in policies else policies[0]


def comparisons(results: Results, reference: str) -> list[dict[str, Any]]:
    """Per scenario and policy: against the reference, pair by pair, and against the best of the others.

    `difference_s` is the mean over seeds of the headline delay less the reference's; `ratio` that of the
    means; `to_best_other` the ratio of its median over seeds to the lowest median of any other policy.
    """
    found = []
    for scenario, figures in _figures(results).items():
        for policy, values in figures.items():
            best, ratio = _to_best_other(figures, policy)
            row: dict[str, Any] = {"scenario": scenario, "policy": policy, "reference": reference}
            row |= _against(values, figures.get(reference, {}) if policy != reference else {})
            found.append({**row, "best_other": best, "to_best_other": ratio})
    return found


def _to_best_other(places: Mapping[str, BySeed], policy: str) -> tuple[str | None, float | None]:
    """The other policy with the lowest median at one scenario, and this one's median over its."""
    medians = {name: means.median(values.values()) for name, values in places.items()}
    ours = medians.pop(policy)
    best = min(medians, key=medians.__getitem__, default=None)
    return best, ours / medians[best] if best and medians[best] > 0 else None


def _against(ours: BySeed, theirs: BySeed) -> dict[str, Any]:
    gap = statistics.difference(ours, theirs)
    ratio = statistics.ratio_of_means(ours, theirs)
    return {
        "pairs": gap.pairs if gap else 0,
        "difference_s": gap.mean if gap else None,
        "difference_ci95": list(gap.ci95 if gap else statistics.UNKNOWN),
        "differs": gap.differs if gap else False,
        "lower_in": gap.lower if gap else 0,
        "ratio": ratio.value if ratio else None,
        "ratio_ci95": list(ratio.ci95 if ratio else statistics.UNKNOWN),
    }


def overall(results: Results, reference: str) -> list[dict[str, Any]]:
    """Per policy, over the scenarios: geometric means of medians and of ratios, gridlock rate.

    Only policies that have runs in every scenario have geometric means. The best single other policy is the
    one with the lowest geometric mean of medians: the same everywhere, as an operator has to choose it.
    """
    figures = _figures(results)
    policies = list(dict.fromkeys(run.policy for run in results.runs))
    whole = {policy: _everywhere(figures, policy) for policy in policies}
    geometric = {
        policy: mean
        for policy, places in whole.items()
        if places and (mean := statistics.geometric_mean([means.median(one.values()) for one in places]))
    }
    rows = []
    for policy in policies:
        runs = [run for run in results.runs if run.policy == policy]
        others = {name: mean for name, mean in geometric.items() if name != policy}
        best = min(others, key=others.__getitem__, default=None)
        worst = [
            ratio
            for places in figures.values()
            if policy in places and (ratio := _to_best_other(places, policy)[1]) is not None
        ]
        rows.append(
            {
                "policy": policy,
                "scenarios": sum(policy in places for places in figures.values()),
                "geometric_mean_s": geometric.get(policy),
                "best_single_other": best,
                "to_best_single_other": _ratio(whole[policy], whole[best] if best else None),
                "reference": reference,
                "to_reference": _ratio(whole[policy], whole.get(reference) if policy != reference else None),
                "worst_to_best_other": max(worst, default=None),
                "gridlocks": sum(run.gridlock for run in runs),
                "gridlock_rate": sum(run.gridlock for run in runs) / len(runs),
                "runs": len(runs),
            }
        )
    return rows


def _figures(results: Results) -> dict[str, dict[str, dict[int, float]]]:
    """The headline figure by scenario, policy and seed."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for run in results.runs:
        places = found.setdefault(run.scenario, {})
        if run.policy not in places:
            places[run.policy] = by_seed(results, run.scenario, run.policy)
    return found


def _everywhere(figures: Mapping[str, Mapping[str, BySeed]], policy: str) -> list[BySeed] | None:
    """One policy's figures in every scenario; None where one has none."""
    if any(policy not in places for places in figures.values()):
        return None
    return [places[policy] for places in figures.values()]


def _ratio(ours: Sequence[BySeed] | None, theirs: Sequence[BySeed] | None) -> dict[str, Any] | None:
    if ours is None or theirs is None:
        return None
    found = statistics.geometric_ratio(list(zip(ours, theirs, strict=True)))
    return None if found is None else {"value": found.value, "ci95": list(found.ci95)}
