"""Train as you run: delay by the direct path and delay through cabinets and sockets agree within 2 %."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from denxanh.agents import registry
from denxanh.controller import site
from denxanh.networks import compiled
from denxanh.sim import direct
from denxanh.sim.scenario import Scenario

POLICY = "fixed"
SEEDS = (1, 2)
SECONDS = 600
SETTLED_S = 150
"""Start-up, plan and hold-off are over and forgotten; both paths are adaptive."""
WALL_S = 120


def _through_cabinets(scenario: Scenario, seed: int, folder: Path) -> float:
    """Mean delay with the street and `denxanh run` as two processes in lock-step."""
    folder.mkdir()
    compiled.dump(scenario.corridor, folder / "compiled.json")
    ports_file, summary_file = folder / "ports.json", folder / "summary.json"
    spec = {
        "source": {
            "kind": "files",
            "compiled": str(folder / "compiled.json"),
            "net": str(scenario.net),
            "routes": [str(path) for path in scenario.routes],
            "measure_from_s": scenario.measure_from_s,
            "end_s": scenario.end_s,
        },
        "seed": seed,
        "speed": 0,
        "grants": {},
        "wait_for_controller_s": WALL_S,
        "summary": str(summary_file),
        "ports": str(ports_file),
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    with (folder / "log").open("wb") as log:
        street = subprocess.Popen(
            [sys.executable, "-m", "denxanh.sim.street_process", str(folder / "spec.json")], stderr=log
        )
        controller = None
        try:
            deadline = time.monotonic() + WALL_S
            while not ports_file.exists():
                assert street.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            _write_site(json.loads(ports_file.read_text()), folder)
            controller = subprocess.Popen(
                [sys.executable, "-m", "denxanh.cli", "run", "--json", str(folder / "site.toml")],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
            assert street.wait(WALL_S) == 0
            controller.wait(WALL_S)
        finally:
            for process in (street, controller):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()
    summary = json.loads(summary_file.read_text())
    assert summary["deterministic"]
    assert summary["conflicts"] == summary["short_intergreens"] == summary["cut_clearances"] == 0
    assert summary["cabinets"]["B1"]["modes"][-1]["mode"] == "ADAPTIVE"
    return float(summary["mean_delay_s"])


def _write_site(ports: dict[str, dict[str, dict[str, object]]], folder: Path) -> None:
    site.write_site(
        folder / "site.toml",
        corridor="compiled.json",
        state_dir="state",
        policy=POLICY,
        cabinets=[
            site.CabinetEntry(intersection=name, protocol="modbus", host="127.0.0.1", port=door["port"])
            for name, door in ports["cabinets"].items()
        ],
        console=None,
        clock=site.Endpoint(host="127.0.0.1", port=ports["clock"]["port"]),
    )


def test_direct_path_and_cabinets_agree(town, tmp_path: Path) -> None:
    scenario = replace(town.scenario(rate=0.12, end_s=SECONDS), measure_from_s=SETTLED_S)
    straight = [direct.run(scenario, registry.policy(POLICY), seed).mean_delay_s for seed in SEEDS]
    cabinets = [_through_cabinets(scenario, seed, tmp_path / str(seed)) for seed in SEEDS]
    ratio = statistics.fmean(cabinets) / statistics.fmean(straight)
    assert 0.98 <= ratio <= 1.02, (straight, cabinets)
