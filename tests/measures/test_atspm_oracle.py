"""The `atspm` package makes the same of the same events.

It needs an environment of its own (`benchmarks/atspm_oracle.py` says how); its Python is named by
`DENXANH_ATSPM_PYTHON`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.duties import Duties

PYTHON = os.environ.get("DENXANH_ATSPM_PYTHON")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "atspm_oracle.py"
Event = tuple[int, int, int]


@pytest.fixture(scope="module")
def oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("atspm_oracle", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(PYTHON is None, reason="DENXANH_ATSPM_PYTHON names no Python that has atspm")
def test_atspm_agrees(
    oracle: ModuleType,
    make_log: Callable[[list[Event]], EventLog],
    make_events: Callable[..., list[Event]],
    watched: Duties,
    tmp_path: Path,
) -> None:
    logs = {
        f"street-{seed}": (make_log(make_events(seed, 76, gaps=False, tidy=True)), watched) for seed in (1, 2)
    }
    oracle.export(logs, tmp_path)
    _, theirs = oracle.theirs(tmp_path, Path(str(PYTHON)))
    for one in oracle.compare(oracle.ours(logs), theirs, oracle.full_quarters(logs)):
        assert not one.different, one.measure
        assert not one.ours_only, one.measure
        assert not one.theirs_only, one.measure
        assert one.equal > 10, one.measure


def test_the_comparison_sees_a_difference(
    oracle: ModuleType,
    make_log: Callable[[list[Event]], EventLog],
    make_events: Callable[..., list[Event]],
    watched: Duties,
) -> None:
    """Whoever compares must be able to fail."""
    log = make_log(make_events(1, 76, gaps=False))
    logs = {"one": (log, watched)}
    mine, full = oracle.ours(logs), oracle.full_quarters(logs)
    assert full
    other = oracle.ours(logs)
    key = next(key for key in other["arrivals"] if key[:2] in full)
    other["arrivals"][key] = (other["arrivals"][key][0] + 1, *other["arrivals"][key][1:])
    gone = next(key for key in other["waits"] if key[:2] in full)
    del other["waits"][gone]
    found = {one.measure: one for one in oracle.compare(mine, other, full)}
    assert [one[0] for one in found["arrivals"].different] == [key]
    assert found["waits"].ours_only == (gone,)
    assert all(not one.different for name, one in found.items() if name != "arrivals")
