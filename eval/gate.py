"""The gate's judgement: may this policy control a street? Pure: evidence and rules in, a verdict out.

Every rule can only add a reason; nothing takes one away, and whatever is missing, doubled or not a number is
a reason itself. docs/gate.md says what is asked and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from denxanh.eval import gate_figures as figures
from denxanh.eval import gate_words as words
from denxanh.eval.cells import Conditions
from denxanh.eval.gate_types import (
    IDLE,
    LONGEST_WAIT,
    P95,
    PERSON,
    SAME_DEMAND,
    VEHICLE,
    Case,
    Check,
    Contender,
    Evidence,
    Reason,
    Row,
    Rules,
    Verdict,
)
from denxanh.eval.results import Run
from denxanh.sim.fleet import RoadUser

Runs = Mapping[tuple[str, str, int], Sequence[Run]]
"""By case, policy and seed; one each, if all is well."""
UNSAFE = (
    ("conflicts", "xung đột đèn", "conflicting aspects"),
    ("short_intergreens", "lần chuyển pha quá ngắn", "short intergreens"),
    ("cut_clearances", "lần cắt giờ đi bộ", "cut pedestrian clearances"),
)
"""What may never happen in any run, whoever asked for the stages."""


def judge(evidence: Evidence, rules: Rules) -> Verdict:
    """Judge a policy.

    Args:
        evidence: what was found; that it is complete is judged, not assumed.
        rules: what is asked.
    """
    reasons = [*evidence.objections, *_manner(evidence, rules), *_everywhere(evidence)]
    rows = []
    sides = _sides(evidence, rules)
    for case in rules.cases:
        against, row = sides.case(case)
        reasons += against
        if row is not None:
            rows.append(row)
    return Verdict(tuple(reasons), tuple(rows))


def best_plan(evidence: Evidence, rules: Rules, case: Case) -> Contender | None:
    """The fixed plan that a policy has to beat in a case; None where the runs to choose it are not there."""
    return _sides(evidence, rules).opponent(case)[0]


def _manner(evidence: Evidence, rules: Rules) -> Iterator[Reason]:
    """Whether this was a gate at all."""
    if not rules.cases:
        yield words.look("không có kịch bản nào", "no scenario was asked for")
    if rules.weaker:
        yield words.look("luật nhẹ hơn của cổng kiểm định", "weaker rules than the gate's")
    usual = Conditions()
    for one in fields(Conditions):
        if getattr(evidence.conditions, one.name) != getattr(usual, one.name):
            yield words.conditions(one.name)
    if evidence.changed:
        yield words.changed(evidence.changed)


def _everywhere(evidence: Evidence) -> Iterator[Reason]:
    """What may happen in no run, not even under a fixed plan: the guard is the same."""
    for run in evidence.runs:
        for name, vi, en in UNSAFE:
            if getattr(run, name) != 0:
                yield words.unsafe(run, getattr(run, name), vi, en)
        if run.teleports != 0:
            yield words.teleports(run)
        if not run.longest_wait <= LONGEST_WAIT:
            yield words.waited(run, LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The candidate's and the plans' runs, by case."""

    evidence: Evidence
    rules: Rules
    runs: Runs

    def case(self, case: Case) -> tuple[list[Reason], Row | None]:
        """The reasons of one case; its row if it could be judged."""
        plan, against = self.opponent(case)
        ours, more = self._runs(case, self.evidence.policy, self.rules.seeds)
        against += more
        if plan is None:
            return against, None
        theirs, more = self._runs(case, plan.name, self.rules.seeds)
        against += more
        if ours is None or theirs is None:
            return against, None
        against += _other_demand(case, ours, theirs)
        locked = [run.seed for run in ours if run.gridlock]
        if locked:
            against.append(words.gridlock(case.id, locked, len(ours)))
        row = self._judged(case, plan, ours, theirs)
        if row is None:
            vi, en = "không có trễ nào để so sánh", "has no delay to compare with"
            return [*against, words.unsound(theirs[0], vi, en)], None
        return [*against, *self._broken(row)], row

    def opponent(self, case: Case) -> tuple[Contender | None, list[Reason]]:
        """The best fixed plan on the choosing seeds: fewest gridlocks, then least delay per person."""
        contenders = self.evidence.contenders.get(case.id, ())
        if not contenders or len({one.name for one in contenders}) < len(contenders):
            vi, en = "không có chương trình cố định để so sánh", "there is no fixed plan to compare with"
            return None, [words.opponent(case.id, vi, en)]
        against = []
        if not any(one.searched for one in contenders):
            vi = "chưa tìm chương trình cố định tốt nhất (denxanh plan optimise, rồi --plans)"
            en = "the best fixed plan was not searched (denxanh plan optimise, then --plans)"
            against.append(words.opponent(case.id, vi, en))
        if len(contenders) == 1:
            return contenders[0], against
        found: list[tuple[int, float, int]] = []
        for place, one in enumerate(contenders):
            runs, more = self._runs(case, one.name, self.rules.choosing_seeds)
            against += more
            if runs is not None:
                delay_s = figures.mean(runs, lambda run: run.person_weighted_delay_s)
                found.append((sum(run.gridlock for run in runs), delay_s, place))
        if len(found) < len(contenders):
            return None, against
        return contenders[min(found)[2]], against

    def _runs(self, case: Case, policy: str, seeds: Sequence[int]) -> tuple[list[Run] | None, list[Reason]]:
        """One sound run per seed, or why not."""
        given = {seed: self.runs.get((case.id, policy, seed), ()) for seed in seeds}
        lost = [seed for seed, some in given.items() if not some]
        against = []
        if lost:
            failure = next(
                (
                    one
                    for one in self.evidence.failures
                    if (one.scenario, one.policy) == (case.id, policy) and one.seed in lost
                ),
                None,
            )
            against.append(words.missing(case.id, policy, lost, len(seeds), failure))
        for some in given.values():
            if len(some) > 1:
                against.append(words.unsound(some[0], "có hai bản", "is there twice"))
            for run in some:
                against += [
                    words.unsound(run, vi, en) for vi, en in figures.defects(run, self.rules.window_s)
                ]
        return None if against or not seeds else [some[0] for some in given.values()], against

    def _judged(self, case: Case, plan: Contender, ours: Sequence[Run], theirs: Sequence[Run]) -> Row | None:
        found = figures.change(
            [run.person_weighted_delay_s for run in ours], [run.person_weighted_delay_s for run in theirs]
        )
        if found is None:
            return None
        mine_s, plan_s = (
            figures.mean(runs, lambda run: run.person_weighted_delay_s) for runs in (ours, theirs)
        )
        headline = (
            Check(PERSON, found.high, self.rules.margin, mine_s, plan_s)
            if case.held_out
            else Check(PERSON, found.high, 0.0, mine_s, plan_s, strict=True)
        )
        checks = [
            headline,
            _slower(VEHICLE, "mean_delay_s", ours, theirs, self.rules.margin),
            _slower(P95, "p95_delay_s", ours, theirs, self.rules.class_margin),
            *self._classes(ours, theirs),
            _idle(ours, theirs, self.rules.starved_margin),
        ]
        return Row(
            case=case,
            opponent=plan,
            seeds=len(ours),
            delay_s=mine_s,
            plan_delay_s=plan_s,
            change=found.value,
            ci95=(found.low, found.high),
            longest_wait=max(run.longest_wait for run in ours),
            checks=tuple(checks),
        )

    def _classes(self, ours: Sequence[Run], theirs: Sequence[Run]) -> Iterator[Check]:
        for user in RoadUser:
            number, other_s = figures.class_delay_s(theirs, user)
            mine, one_s = figures.class_delay_s(ours, user)
            if max(number, mine) >= self.rules.least_number:
                on_foot = user is RoadUser.PEDESTRIAN
                margin = self.rules.margin if on_foot else self.rules.class_margin
                yield Check(user.value, _relative(one_s, other_s), margin, one_s, other_s)

    def _broken(self, row: Row) -> Iterator[Reason]:
        """The reasons that a row's checks give."""
        found = figures.Change(row.change, *row.ci95)
        for check in row.checks:
            if check.holds:
                continue
            if check.name == PERSON:
                yield words.gain(row.case, row.opponent, found, check, self.rules)
            elif check.name == IDLE:
                yield words.idle_green(row.case.id, check)
            else:
                yield words.worse(row.case.id, row.opponent, check)


def _sides(evidence: Evidence, rules: Rules) -> _Sides:
    found: dict[tuple[str, str, int], list[Run]] = {}
    for run in evidence.runs:
        found.setdefault((run.scenario, run.policy, run.seed), []).append(run)
    return _Sides(evidence, rules, found)


def _relative(ours: float, theirs: float) -> float:
    """How much more than theirs; infinite where they have none and we have some."""
    if theirs > 0:
        return ours / theirs - 1
    return 0.0 if ours <= 0 else float("inf")


def _slower(name: str, field: str, ours: Sequence[Run], theirs: Sequence[Run], margin: float) -> Check:
    one, other = (figures.mean(runs, lambda run: float(getattr(run, field))) for runs in (ours, theirs))
    return Check(name, _relative(one, other), margin, one, other)


def _idle(ours: Sequence[Run], theirs: Sequence[Run], margin: float) -> Check:
    mine, other = figures.starved_share(ours), figures.starved_share(theirs)
    return Check(IDLE, mine - other, margin, mine, other)


def _other_demand(case: Case, ours: Sequence[Run], theirs: Sequence[Run]) -> Iterator[Reason]:
    """A policy that had less traffic to serve is no better."""
    for one, other in zip(ours, theirs, strict=True):
        if figures.differ(one.vehicles, other.vehicles, SAME_DEMAND):
            vi, en = f"số xe, seed {one.seed}", f"vehicles, seed {one.seed}"
            yield words.demand(case.id, vi, en, one.vehicles, other.vehicles)
        if figures.differ(one.people, other.people, SAME_DEMAND):
            vi, en = f"số người, seed {one.seed}", f"people, seed {one.seed}"
            yield words.demand(case.id, vi, en, one.people, other.people)
    for user in RoadUser:
        mine, theirs_n = (figures.class_delay_s(runs, user)[0] for runs in (ours, theirs))
        if figures.differ(mine, theirs_n, SAME_DEMAND):
            vi, en = words.NAMES[user.value]
            yield words.demand(case.id, vi, en, mine, theirs_n)
