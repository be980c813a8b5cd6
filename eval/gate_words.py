"""The gate's reasons in words: Vietnamese and English, each with what was found and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from denxanh.eval.gate_figures import Change
from denxanh.eval.gate_types import Case, Check, Contender, Reason, Rule, Rules
from denxanh.eval.results import Failure, Run

NAMES: dict[str, tuple[str, str]] = {
    "person": ("mỗi người", "per person"),
    "vehicle": ("mỗi xe", "per vehicle"),
    "p95": ("bách phân vị 95", "95th percentile"),
    "motorbike": ("xe máy", "motorbikes"),
    "bicycle": ("xe đạp", "bicycles"),
    "car": ("ô tô con", "cars"),
    "bus": ("xe buýt", "buses"),
    "truck": ("xe tải", "trucks"),
    "other": ("xe khác", "others"),
    "pedestrian": ("người đi bộ", "pedestrians"),
}
"""Whose delay a check compares."""
MANNERS: dict[str, tuple[str, str]] = {
    "begin_s": ("giờ bắt đầu khác", "another begin"),
    "end_s": ("giờ kết thúc khác", "another end"),
    "seconds": ("chạy ngắn lại", "cut short"),
    "sumo_options": ("tuỳ chọn SUMO khác", "other SUMO options"),
    "yellow_s": ("thời gian vàng được ấn định", "yellow set by hand"),
    "all_red_s": ("thời gian đỏ toàn phần được ấn định", "all-red set by hand"),
    "intersections": ("chỉ điều khiển một số nút", "only some intersections controlled"),
    "failed_share": ("bộ dò bị làm hỏng", "detectors broken on purpose"),
    "field_like": ("bộ dò có sai số giả định", "detectors with assumed errors"),
    "emissions": ("có tính phát thải", "with emissions"),
    "proxy": ("mô phỏng thô", "coarse simulation"),
    "scale": ("nhu cầu bị nhân hệ số", "demand scaled"),
}
"""Conditions that are not the street's."""


def percent(value: float, *, vi: bool = False) -> str:
    """A share as a signed percentage; Vietnamese with a comma."""
    if not math.isfinite(value):
        return "?"
    text = f"{100 * value:+.1f} %".replace("-", "−")
    return text.replace(".", ",") if vi else text


def number(value: float, *, vi: bool = False) -> str:
    """A figure with one decimal."""
    text = f"{value:.1f}"
    return text.replace(".", ",") if vi else text


def listed(seeds: Sequence[int], most: int = 4) -> str:
    """Some seeds by number, and how many more."""
    text = ", ".join(map(str, seeds[:most]))
    return text if len(seeds) <= most else f"{text} (+{len(seeds) - most})"


def look(what_vi: str, what_en: str) -> Reason:
    """It was no full gate."""
    return Reason(Rule.LOOK, f"chỉ là xem nhanh: {what_vi}", f"only a look: {what_en}")


def conditions(name: str) -> Reason:
    """A condition is not the street's."""
    vi, en = MANNERS.get(name, (name, name))
    return Reason(
        Rule.CONDITIONS,
        f"{vi}: kết quả không nói gì về đường thật",
        f"{en}: this says nothing about the street",
    )


def changed(files: Sequence[str]) -> Reason:
    """Runs of different programs."""
    names = ", ".join(files[:3]) + (f" (+{len(files) - 3})" if len(files) > 3 else "")
    return Reason(
        Rule.CODE,
        f"mã nguồn thay đổi giữa các lượt chạy ({names}): hãy chạy lại cùng lệnh",
        f"the source code changed between runs ({names}): run the same command again",
    )


def missing(case: str, policy: str, seeds: Sequence[int], of: int, failure: Failure | None) -> Reason:
    """Runs that are not there, with the first error."""
    said = f" ({failure.error})" if failure else ""
    return Reason(
        Rule.MISSING,
        f"thiếu {len(seeds)}/{of} lượt chạy của {policy}, seed {listed(seeds)}{said}",
        f"{len(seeds)} of {of} runs of {policy} are missing, seeds {listed(seeds)}{said}",
        case,
        float(len(seeds)),
        0.0,
    )


def unsound(run: Run, what_vi: str, what_en: str) -> Reason:
    """A run that cannot be judged."""
    return Reason(
        Rule.FIGURES,
        f"lượt chạy {run.policy} seed {run.seed} {what_vi}",
        f"the run of {run.policy} with seed {run.seed} {what_en}",
        run.scenario,
    )


def demand(case: str, what_vi: str, what_en: str, ours: float, theirs: float) -> Reason:
    """Two sides that did not have the same traffic."""
    return Reason(
        Rule.DEMAND,
        f"hai bên không cùng nhu cầu ({what_vi}): {ours:g} và {theirs:g}",
        f"the two sides had other traffic ({what_en}): {ours:g} and {theirs:g}",
        case,
        ours,
        theirs,
    )


def opponent(case: str, vi: str, en: str) -> Reason:
    """There is no fixed plan that is good enough to be compared with."""
    return Reason(Rule.OPPONENT, vi, en, case)


def unsafe(run: Run, count: int, what_vi: str, what_en: str) -> Reason:
    """Something that may never happen."""
    return Reason(
        Rule.SAFETY,
        f"{count} {what_vi} khi chạy {run.policy}, seed {run.seed}; phải là 0",
        f"{count} {what_en} under {run.policy}, seed {run.seed}; must be 0",
        run.scenario,
        float(count),
        0.0,
    )


def teleports(run: Run) -> Reason:
    """Vehicles that SUMO took out of the way."""
    return Reason(
        Rule.TELEPORT,
        f"{run.teleports} xe bị SUMO dời chỗ khi chạy {run.policy}, seed {run.seed}; phải là 0",
        f"SUMO moved {run.teleports} vehicles away under {run.policy}, seed {run.seed}; must be 0",
        run.scenario,
        float(run.teleports),
        0.0,
    )


def gridlock(case: str, seeds: Sequence[int], of: int) -> Reason:
    """Streets that locked up."""
    return Reason(
        Rule.GRIDLOCK,
        f"kẹt cứng ở {len(seeds)}/{of} seed ({listed(seeds)}); phải là 0",
        f"gridlock in {len(seeds)} of {of} seeds ({listed(seeds)}); must be 0",
        case,
        float(len(seeds)),
        0.0,
    )


def waited(run: Run, bound: float) -> Reason:
    """A call that was not served in time."""
    limit_s = run.longest_wait_s / run.longest_wait if run.longest_wait > 0 else 0.0
    return Reason(
        Rule.STARVATION,
        f"có nhóm đèn được gọi phải chờ {run.longest_wait_s} s khi chạy {run.policy}, seed {run.seed}; "
        f"giới hạn của bộ bảo vệ là {limit_s:.0f} s",
        f"a called group waited {run.longest_wait_s} s under {run.policy}, seed {run.seed}; "
        f"the guard's bound is {limit_s:.0f} s",
        run.scenario,
        run.longest_wait,
        bound,
    )


def idle_green(case: str, check: Check) -> Reason:
    """Greens that serve nobody."""
    vi, en = (
        [percent(one, vi=language).lstrip("+") for one in (check.ours, check.theirs)]
        for language in (True, False)
    )
    return Reason(
        Rule.STARVATION,
        f"{vi[0]} thời gian có xanh mà nhóm được gọi không thoát xe, chương trình cố định {vi[1]}; "
        f"cho phép hơn {percent(check.bound, vi=True)}",
        f"{en[0]} of the time a called group's green serves nobody, fixed plan {en[1]}; "
        f"at most {percent(check.bound)} more",
        case,
        check.figure,
        check.bound,
    )


def gain(case: Case, plan: Contender, found: Change, check: Check, rules: Rules) -> Reason:
    """The headline: not better beyond the interval, or worse than the margin where nobody trained."""
    vi, en = (
        [percent(one, vi=language) for one in (found.value, found.low, found.high, rules.margin)]
        for language in (True, False)
    )
    against_vi = (
        f"trễ mỗi người so với chương trình cố định tốt nhất ({plan.name}): {vi[0]}, khoảng tin cậy 95 %"
    )
    against_en = f"delay per person against the best fixed plan ({plan.name}): {en[0]}, 95 % interval"
    if case.held_out:
        text_vi = f"{against_vi} [{vi[1]}; {vi[2]}] phải nằm dưới {vi[3]} (trục không dùng để học)"
        text_en = f"{against_en} [{en[1]}, {en[2]}] must end below {en[3]} (corridor kept from training)"
    else:
        text_vi = f"{against_vi} [{vi[1]}; {vi[2]}] phải nằm dưới 0 %"
        text_en = f"{against_en} [{en[1]}, {en[2]}] must lie below 0 %"
    return Reason(Rule.GAIN, text_vi, text_en, case.id, check.figure, check.bound)


def worse(case: str, plan: Contender, check: Check) -> Reason:
    """More delay for somebody than the margin allows."""
    vi, en = NAMES.get(check.name, (check.name, check.name))
    return Reason(
        Rule.MARGIN,
        f"trễ ({vi}) {number(check.ours, vi=True)} s, chương trình cố định {plan.name} "
        f"{number(check.theirs, vi=True)} s: {percent(check.figure, vi=True)}, "
        f"cho phép đến {percent(check.bound, vi=True)}",
        f"delay ({en}) {number(check.ours)} s, fixed plan {plan.name} {number(check.theirs)} s: "
        f"{percent(check.figure)}, allowed up to {percent(check.bound)}",
        case,
        check.figure,
        check.bound,
    )
