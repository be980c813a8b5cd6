"""Our measures against the `atspm` package's, from the same events, quarter by quarter.

    python -m venv /tmp/atspm && /tmp/atspm/bin/pip install atspm==2.6.1 'duckdb<2'
    python benchmarks/atspm_oracle.py SITE.toml --python /tmp/atspm/bin/python            # prints the table
    python benchmarks/atspm_oracle.py SITE.toml --python /tmp/atspm/bin/python --write    # into the page

`atspm` lives in an environment of its own: it needs pyarrow, which does not go together with libsumo.
What is translated on the way, and why: docs/measures.md, "Against an independent oracle".
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.controller import site as sites
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.centre.store.quarters import window
from denxanh.controller.clock import VIETNAM
from denxanh.controller.highres.codes import FIRST_OWN, Code
from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.arrivals import arrivals
from denxanh.controller.measures.codes import GREEN, ON, RED, YELLOW, stamps
from denxanh.controller.measures.coverage import coverage
from denxanh.controller.measures.cycles import lamps
from denxanh.controller.measures.duties import Duties, duties
from denxanh.controller.measures.entries import actuations
from denxanh.controller.measures.failures import split_failures
from denxanh.controller.measures.pedestrians import walks
from denxanh.controller.measures.quarters import QUARTER_MS, quarter_of
from denxanh.controller.measures.terminations import terminations
from denxanh.controller.measures.waits import waits

PAGE = Path(__file__).resolve().parent.parent / "docs" / "measures.md"
RUNNER = Path(__file__).with_name("atspm_run.py")
BEGIN, END = "<!-- oracle: begin -->", "<!-- oracle: end -->"
CLOSE = 1e-4
"""Relative; `atspm` computes in 32-bit floats."""
NAMES = {
    "terminations": "greens ended, by reason",
    "splits": "green, yellow and red clearance: how many, how long",
    "failures": "split failures, green and red occupancy",
    "arrivals": "arrivals, share on green",
    "waits": "wait: mean, longest, skips",
    "walks": "pedestrian delay: how many, mean",
    "entries": "actuations on yellow and red",
    "actuations": "actuations of each detector",
}
REASONS = {int(Code.GAP_OUT): "GapOut", int(Code.MAX_OUT): "MaxOut", int(Code.FORCE_OFF): "ForceOff"}
Key = tuple[Any, ...]
Table = dict[Key, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure: how many keys (intersection, quarter, phase …) are equal, which differ or are in one only.

    `counted`: the sum over all keys of what is counted (greens, vehicles …), of ours; None: means only.
    """

    measure: str
    counted: float | None
    equal: int
    different: tuple[tuple[Key, tuple[float, ...], tuple[float, ...]], ...]
    ours_only: tuple[Key, ...]
    theirs_only: tuple[Key, ...]


def export(logs: Mapping[str, tuple[EventLog, Duties]], folder: Path) -> None:
    """Write what `atspm` reads."""
    with (folder / "events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("TimeStamp", "DeviceId", "EventId", "Parameter"))
        for name, (log, place) in logs.items():
            for at_ms, code, parameter in translated(log, place):
                when = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
                writer.writerow((when, name, code, parameter))
    with (folder / "detectors.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("DeviceId", "Phase", "Parameter", "Function"))
        for name, (_, place) in logs.items():
            for loop in place.stop_line:
                writer.writerow((name, loop.phase, loop.channel, "Presence"))
                writer.writerow((name, loop.phase, loop.channel, "Yellow_Red"))
            for loop in place.advance:
                writer.writerow((name, loop.phase, loop.channel, "Advance"))


def translated(log: EventLog, place: Duties) -> Iterable[tuple[int, int, int]]:
    """Events as `atspm` expects them."""
    # Until a loop's first event it knows no state of it, and drops the cycles; ours holds it for free.
    switches = np.isin(log.code, (ON, Code.DETECTOR_OFF))
    for loop in place.stop_line:
        own = np.flatnonzero(switches & (log.parameter == loop.channel))
        if own.size and log.code[own[0]] == ON:
            yield int(log.at_ms[0]) - 100, int(Code.DETECTOR_OFF), loop.channel
    delays = {loop.channel: loop.delay_ms for loop in place.advance}
    for at, code, parameter in zip(
        log.at_ms.tolist(), log.code.tolist(), log.parameter.tolist(), strict=True
    ):
        if code >= FIRST_OWN or code in (Code.PED_DETECTOR_ON, Code.PED_DETECTOR_OFF):
            continue
        if code == Code.PED_CALL_REGISTERED:
            # Its pedestrian delay looks for 90 with the phase as parameter; our 90 carries the channel.
            yield at, int(Code.PED_DETECTOR_ON), parameter
            continue
        # Its offset from the detector to the stop line is one for all; ours is each loop's own.
        yield (at + delays.get(parameter, 0) if code in (ON, Code.DETECTOR_OFF) else at), code, parameter


def theirs(folder: Path, python: Path) -> tuple[str, dict[str, Table]]:
    """What `atspm` makes of the exported events, and its version."""
    subprocess.run([python, RUNNER, folder], check=True, timeout=3600)
    found = json.loads((folder / "atspm.json").read_text(encoding="utf-8"))
    version = found.pop("version")
    tables: dict[str, Table] = {name: {} for name in NAMES}
    keys = {"terminations": 4, "entries": 4, "splits": 4}
    for name, rows in found.items():
        for row in rows:
            size = keys.get(name, 3)
            key = (row[0], int(row[1]), *(int(k) if isinstance(k, float) else k for k in row[2:size]))
            tables[name][key] = tuple(float(value) for value in row[size:])
    return version, tables


def ours(logs: Mapping[str, tuple[EventLog, Duties]]) -> dict[str, Table]:
    """The same tables from our measures."""
    tables: dict[str, Table] = {name: {} for name in NAMES}
    for name, (log, place) in logs.items():
        known = coverage(log)
        for ended in terminations(log, place):
            for code, reason in REASONS.items():
                for begin, at in _quarters(ended.of(code)):
                    tables["terminations"][name, begin, ended.phase, reason] = (float(at.size),)
        for phase in place.vehicles:
            for state, title in ((GREEN, "Green"), (YELLOW, "Yellow"), (RED, "Red")):
                since, until = lamps(log, phase).spans(state, known)
                if state == RED:
                    since, until = _clearances(log, phase, since)
                whole = until < known.until(since)
                for begin, at in _quarters(since[whole]):
                    seconds = (until[whole][at] - since[whole][at]).sum() / 1000
                    tables["splits"][name, begin, phase, title] = (float(at.size), float(seconds))
        for failed in split_failures(log, place, known):
            for begin, at in _quarters(failed.at_ms):
                tables["failures"][name, begin, failed.phase] = (
                    float(failed.failed[at].sum()),
                    float(failed.green_s[at].mean()),
                    float(failed.green_occupancy[at].mean()),
                    float(failed.red_occupancy[at].mean()),
                )
        for came in arrivals(log, place, known):
            for begin, at in _quarters(came.at_ms):
                share = float((came.state[at] == GREEN).mean())
                if share:
                    tables["arrivals"][name, begin, came.phase] = (float(at.size), share)
        for waited in waits(log, place, known):
            for begin, at in _quarters(waited.at_ms):
                tables["waits"][name, begin, waited.phase] = (
                    float(waited.wait_s[at].mean()),
                    float(waited.wait_s[at].max()),
                    float(waited.skipped[at].sum()),
                )
        for walked in walks(log, place, known):
            for begin, at in _quarters(walked.at_ms):
                tables["walks"][name, begin, walked.phase] = (
                    float(at.size),
                    float(walked.delay_s[at].mean()),
                )
        for entered in actuations(log, place, known):
            for begin, at in _quarters(entered.red_ms):
                for state in (YELLOW, RED):
                    if count := int((entered.state[at] == state).sum()):
                        tables["entries"][name, begin, entered.phase, state] = (float(count),)
        delays = {loop.channel: loop.delay_ms for loop in place.advance}
        for channel in place.numbering.channels:
            passed = stamps(log, ON, channel.number) + delays.get(channel.number, 0)
            for begin, at in _quarters(passed):
                tables["actuations"][name, begin, channel.number] = (float(at.size),)
    return tables


def _quarters(at_ms: np.ndarray[Any, Any]) -> Iterable[tuple[int, np.ndarray[Any, Any]]]:
    """Positions of the events of each quarter."""
    begins = at_ms - at_ms % QUARTER_MS
    for begin in np.unique(begins):
        yield int(begin), np.flatnonzero(begins == begin)


def _clearances(log: EventLog, phase: int, since: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    cleared = np.append(stamps(log, Code.END_RED_CLEARANCE, phase), np.iinfo(np.int64).max)
    until = cleared[np.searchsorted(cleared, since)]
    # "Red" is begin (10) to end (11) of red clearance; one without an end is none.
    follows = until < np.append(since[1:], np.iinfo(np.int64).max)
    return since[follows], until[follows]


def compare(
    mine: Mapping[str, Table], other: Mapping[str, Table], full: set[tuple[str, int]]
) -> list[Compared]:
    """Hold the tables against each other, over quarters that are known from begin to end."""
    found = []
    for name in NAMES:
        a = {key: value for key, value in mine[name].items() if key[:2] in full}
        b = {key: value for key, value in other[name].items() if key[:2] in full}
        both = a.keys() & b.keys()
        different = tuple(
            (key, a[key], b[key])
            for key in sorted(both)
            if not all(
                math.isclose(x, y, rel_tol=CLOSE, abs_tol=CLOSE) for x, y in zip(a[key], b[key], strict=True)
            )
        )
        found.append(
            Compared(
                name,
                None if name == "waits" else sum(value[0] for value in a.values()),
                len(both) - len(different),
                different,
                tuple(sorted(a.keys() - b.keys())),
                tuple(sorted(b.keys() - a.keys())),
            )
        )
    return found


def full_quarters(logs: Mapping[str, tuple[EventLog, Duties]]) -> set[tuple[str, int]]:
    """(Intersection, quarter) that are known from begin to end, as are the one before and the one after."""
    full = set()
    for name, (log, _) in logs.items():
        known = coverage(log)
        for begin, end in zip(known.begin_ms.tolist(), known.end_ms.tolist(), strict=True):
            first = quarter_of(begin + 2 * QUARTER_MS - 1)
            full |= {(name, at) for at in range(first, quarter_of(end) - QUARTER_MS, QUARTER_MS)}
    return full


def stretches(full: Iterable[tuple[str, int]]) -> list[str]:
    """From when until when quarters of any intersection follow each other, in local time."""
    begins = sorted({begin for _, begin in full})
    firsts = [at for at in begins if at - QUARTER_MS not in begins]
    lasts = [at + QUARTER_MS for at in begins if at + QUARTER_MS not in begins]
    return [
        f"{datetime.fromtimestamp(first / 1000, VIETNAM):%Y-%m-%d %H:%M} to "
        f"{datetime.fromtimestamp(last / 1000, VIETNAM):%Y-%m-%d %H:%M}"
        for first, last in zip(firsts, lasts, strict=True)
    ]


def table(compared: Iterable[Compared]) -> str:
    """As Markdown."""
    lines = [
        "| measure | counted | quarters × phases equal | different | only ours | only `atspm` |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {NAMES[one.measure]} | {'–' if one.counted is None else format(round(one.counted), ',')} "
        f"| {one.equal:,} | {len(one.different)} | {len(one.ours_only)} "
        f"| {len(one.theirs_only)} |"
        for one in compared
    ]
    return "\n".join(lines)


def main() -> None:
    """Compare a site's stored events, and say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("site", type=Path, help="SITE.toml")
    parser.add_argument("--python", type=Path, required=True, help="of an environment that has atspm")
    parser.add_argument("--since", type=datetime.fromisoformat, help="local time")
    parser.add_argument("--until", type=datetime.fromisoformat, help="local time")
    parser.add_argument("--show", type=int, default=3, help="so many differences of each measure")
    parser.add_argument("--write", action="store_true", help="put the table into docs/measures.md")
    args = parser.parse_args()
    site = sites.load(args.site)
    since_ms, until_ms = (
        int(at.replace(tzinfo=VIETNAM).timestamp() * 1000) if at else limit
        for at, limit in ((args.since, 0), (args.until, 2**62))
    )
    store = open_store(site.store, make=False)
    logs = {}
    for one in site.corridor.intersections:
        with store.reading() as connection:
            log = window(connection, one.id, since_ms, until_ms)
        if len(log):
            logs[one.id] = log, duties(one)
    store.close()
    with tempfile.TemporaryDirectory() as folder:
        export(logs, Path(folder))
        version, other = theirs(Path(folder), args.python)
    full = full_quarters(logs)
    compared = compare(ours(logs), other, full)
    events = sum(len(log) for log, _ in logs.values())
    said = (
        f"{site.corridor.id}, {'; '.join(stretches(full))}: {len(logs)} intersections, {events:,} events, "
        f"{len(full):,} whole quarters of an hour; `atspm` {version}."
    )
    text = f"{table(compared)}\n\n{said}"
    sys.stdout.write(text + "\n")
    for one in compared:
        for key, a, b in one.different[: args.show]:
            sys.stdout.write(f"{one.measure} {key}: ours {a}, atspm {b}\n")
        for title, keys in (("ours only", one.ours_only), ("atspm only", one.theirs_only)):
            for key in keys[: args.show]:
                sys.stdout.write(f"{one.measure} {title}: {key}\n")
    if args.write:
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(BEGIN, 1)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
