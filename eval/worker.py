"""One cell in a process of its own: its figures, or why there are none."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from denxanh.errors import DenXanhError
from denxanh.eval import provenance
from denxanh.eval.cells import Cell, policy_of_cell, scenario_of_cell
from denxanh.eval.results import Run, run_of
from denxanh.sim import direct
from denxanh.sim.faults import FIELD_LIKE, DetectorErrors, ErrorModel


@dataclass(frozen=True, slots=True)
class Made:
    """A finished run and the source files that it ran on."""

    run: Run
    code: dict[str, str]


@dataclass(frozen=True, slots=True)
class Broken:
    """Why there is no run; `trace` only where the error is none of ours."""

    error: str
    trace: str = ""


def main(cell: Cell, answer: Connection, log: Path) -> None:
    """What the process does: it sends one `Made` or `Broken` and ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _end_with_parent()
    with log.open("ab") as stream:
        for descriptor in (1, 2):  # SUMO's C++ writes past sys.stdout
            os.dup2(stream.fileno(), descriptor)
    faulthandler.enable()
    try:
        answer.send(simulate(cell))
    except DenXanhError as error:
        answer.send(Broken(str(error)))
    except Exception as error:  # a bug: the matrix goes on and its report says so
        answer.send(Broken(f"{type(error).__name__}: {error}", traceback.format_exc()))
    answer.close()
    sys.stdout.flush()


def simulate(cell: Cell) -> Made:
    """Make the run; reproducible only as a process's first simulation (libsumo 1.28).

    Raises:
        DenXanhError: the place, the policy or SUMO refuses.
    """
    scenario = scenario_of_cell(cell)
    errors, failed = None, 0
    if cell.guarded and (cell.conditions.field_like or cell.conditions.failed_share):
        errors = DetectorErrors(FIELD_LIKE if cell.conditions.field_like else ErrorModel(), cell.seed)
        failed = errors.fail_share(scenario.intersections, cell.conditions.failed_share)
    policy = policy_of_cell(cell) if cell.guarded else None
    code = provenance.loaded_code()
    if policy is None:
        result = direct.run_reference(scenario, cell.setting, cell.seed)
    else:
        result = direct.run(scenario, policy, cell.seed, errors=errors, events=cell.events_file())
    run = run_of(
        result,
        scenario=cell.place.id,
        policy=cell.policy,
        setting=cell.setting,
        guarded=cell.guarded,
        intersections=len(scenario.intersections),
        failed_detectors=failed,
        code=provenance.digest(code),
    )
    return Made(run, code)


def _end_with_parent() -> None:
    """Leave nothing behind when the parent is killed."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()
