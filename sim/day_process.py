"""`python -m denxanh.sim.day_process JOB.json`: one day of a simulated month in a process of its own.

libsumo carries random state from one simulation of a process into the next, so each day has its own process
and comes out the same whoever makes it. The day is there at once or not at all. Exit status 0: it is made; 1:
one of our errors, said on standard error; 2: wrong usage.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from denxanh.controller import site as sites
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.errors import ConfigError, DenXanhError
from denxanh.networks.demand import Fidelity
from denxanh.sim.day import Day
from denxanh.sim.rehearsal import CatalogueStreets, Streets, play_day
from denxanh.sim.spec import Strict
from denxanh.sim.street import StreetSummary

logger = logging.getLogger(__name__)

DAY_NAME = "day.json"
"""What happened on a day, beside its journal."""
ONE_PART = 2**62
"""A day's journal is one file, however long it grows."""


class Job(Strict):
    """A day to be made, and where."""

    site: Path
    corridor: str
    fidelity: Fidelity
    seed: int
    day: Day
    out: Path
    """The day's folder; it must not exist."""


def main(arguments: list[str] | None = None) -> int:
    """Make the day that the only argument specifies; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(given) != 1:
        logger.error("usage: python -m denxanh.sim.day_process JOB.json")
        return 2
    try:
        job = _load(Path(given[0]))
        make(job, CatalogueStreets(job.corridor, job.fidelity))
    except DenXanhError as error:
        logger.error("%s", error)
        return 1
    return 0


def make(job: Job, streets: Streets) -> None:
    """Make a day's folder with its journal and `DAY_NAME`.

    Raises:
        DenXanhError: the site, the scenario or SUMO is at fault.
    """
    site = sites.load(job.site)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="denxanh-day-") as scratch:
        making = journal_of(job).parent
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        journal = Journal(making / JOURNAL_NAME, max_part_bytes=ONE_PART)
        try:
            summaries = play_day(site, streets, job.day, job.seed, journal, Path(scratch))
        finally:
            journal.close()
    told = {
        "simulated": True,
        "program": version("denxanh"),
        "seed": job.seed,
        "fidelity": job.fidelity.value,
        "policy": site.policy,
        "day": job.day.model_dump(mode="json"),
        "windows": [figures(one) for one in summaries],
    }
    (making / DAY_NAME).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    making.rename(job.out)


def journal_of(job: Job) -> Path:
    """The journal while its day is being made."""
    return job.out.with_name(f"{job.out.name}.making") / JOURNAL_NAME


def figures(summary: StreetSummary) -> Mapping[str, object]:
    """What SUMO saw of one window, warm-up left out: every vehicle, not what detectors tell."""
    plant, trips = summary.plant, summary.plant.trips
    return {
        "measured_s": plant.measured_s,
        "vehicles": round(trips.vehicles),
        "never_departed": round(trips.never_departed),
        "mean_delay_s": round(trips.mean_delay_s, 3),
        "median_delay_s": round(trips.median_delay_s, 3),
        "p95_delay_s": round(trips.p95_delay_s, 3),
        "stops": round(trips.stops, 3),
        "person_delay_s": round(trips.person_delay_s, 3),
        "gridlock": plant.gridlock,
        "conflicts": plant.conflicts,
        "short_intergreens": plant.short_intergreens,
        "cut_clearances": plant.cut_clearances,
        "lamps_digest": summary.lamps_digest,
    }


def _load(path: Path) -> Job:
    try:
        return Job.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"no job: {error}", where=str(path)) from error


if __name__ == "__main__":
    sys.exit(main())
