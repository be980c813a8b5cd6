"""`report.html`: the matrix for an engineer to read and print; one file, nothing from elsewhere.

Everything in it comes from the document of `results.json`, so a report can be made again from that alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from denxanh.eval import words
from denxanh.eval.pages import page
from denxanh.eval.plots import Dot, Row, interval_plot
from denxanh.eval.report_notes import notes
from denxanh.sim.fleet import RoadUser

AXIS: Mapping[str, str] = {
    "mean_delay_s": "Trễ trung bình mỗi xe, giây · mean delay per vehicle, s",
    "person_weighted_delay_s": "Trễ trung bình mỗi người, giây · mean delay per person, s",
}
SMALL = 1e-9


def render(document: Mapping[str, Any], made_at: str = "") -> str:
    """The page.

    Args:
        document: of `document.document`.
        made_at: date and time for the head.
    """
    return page(
        "report.html",
        {
            "number": number,
            "span": span,
            "percent": percent,
            "policy": words.policy,
            "setting": words.setting,
        },
        doc=document,
        made_at=made_at,
        notes=notes(document),
        sections=[_section(document, place) for place in _places(document)],
        classes=words.CLASSES,
        safety=_safety(document["summary"]),
        gridlocks=sum(row["gridlocks"] for row in document["summary"]),
        has_emissions=any(row["co2_kg"] is not None for row in document["summary"]),
    )


def _places(document: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(row["scenario"] for row in document["summary"]))


def _section(document: Mapping[str, Any], scenario: str) -> dict[str, Any]:
    """What the template shows of one scenario, best policy first."""
    rows = [row for row in document["summary"] if row["scenario"] == scenario]
    rows.sort(key=lambda row: (row["gridlocks"], row["headline_mean"]))
    against = {row["policy"]: row for row in document["comparisons"] if row["scenario"] == scenario}
    reference = document["reference"]
    place = next(one for one in document["places"] if one["id"] == scenario)
    return {
        "name_vi": place["name_vi"],
        "name_en": place["name_en"],
        "id": scenario,
        "rows": [{**row, "against": against[row["policy"]]} for row in rows],
        "best": rows[0],
        "against": against[rows[0]["policy"]],
        "per_person": rows[0]["headline"] == "person_weighted_delay_s",
        "users": [user.value for user in RoadUser if any(user.value in row["classes"] for row in rows)],
        "numbers": _numbers(rows),
        "locked": sum(row["gridlocks"] for row in rows),
        "plot": Markup(
            interval_plot(
                [_plot_row(document, row, against[row["policy"]], rows[0], reference) for row in rows],
                AXIS[rows[0]["headline"]],
                "trung vị · median",
            )
        ),
    }


def _plot_row(
    document: Mapping[str, Any],
    row: Mapping[str, Any],
    against: Mapping[str, Any],
    best: Mapping[str, Any],
    reference: str,
) -> Row:
    vietnamese, english = words.policy(row["policy"])
    tuned = row["setting"] if row["setting"] != row["policy"] else ""
    note = tuned or " · ".join(part for part in (vietnamese, english) if part)
    kind = "best" if row["policy"] == best["policy"] else ""
    if row["policy"] == reference:
        kind += " reference"
    low, high = row["headline_ci95"]
    return Row(
        name=row["policy"] if len(row["policy"]) <= 30 else "…" + row["policy"][-29:],
        note=note,
        dots=tuple(
            Dot(run["seed"], run[row["headline"]], run["gridlock"])
            for run in document["runs"]
            if (run["scenario"], run["policy"]) == (row["scenario"], row["policy"])
        ),
        mean=row["headline_mean"],
        median=row["headline_median"],
        low=low,
        high=high,
        figures=f"{number(row['headline_mean'])}  {span(row['headline_ci95'])}",
        change="=" if row["policy"] == reference else percent(against["ratio"]),
        kind=kind.strip(),
    )


def _numbers(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean number of each class; the demand is the same for every policy."""
    return {
        user: max(row["classes"][user]["number"] for row in rows if user in row["classes"])
        for row in rows
        for user in row["classes"]
    }


def _safety(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Added up over everything that ran behind the guard."""
    names = ("conflicts", "short_intergreens", "cut_clearances")
    return {name: sum(row[name] for row in rows if row["guarded"]) for name in names}


def number(value: float | None, digits: int = 1) -> str:
    """A figure with a decimal comma and thin spaces; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")
    return text.replace("-", "−")


def span(ends: Sequence[float | None], digits: int = 1) -> str:
    """An interval."""
    low, high = ends
    return "" if low is None or high is None else f"[{number(low, digits)}; {number(high, digits)}]"


def percent(ratio: float | None) -> str:
    """A ratio as a change."""
    if ratio is None:
        return "–"
    change = 100 * (ratio - 1)
    sign = "+" if change > SMALL else ""
    return f"{sign}{number(change, 0 if abs(change) >= 9.5 else 1)} %"
