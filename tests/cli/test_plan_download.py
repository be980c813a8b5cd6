"""`denxanh plan download` against virtual cabinets behind real sockets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.controller import site
from denxanh.controller.centre.server import bind
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Plan, Split

CABINET, CENTRE = "cabinet.toml", "centre.toml"


def free_port() -> int:
    with closing(bind("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def denxanh(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "denxanh.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def cabinets(folder: Path, protocol: str) -> Iterator[str]:
    """Virtual cabinets with the example's plans, and a centre's site with other ones; the intersection."""
    corridor = crossroads_corridor()
    (one,) = corridor.intersections
    compiled.dump(corridor, folder / "old.json")
    (first, *others) = one.plans
    longer = Split(first.splits[0].stage, first.splits[0].split_s + 7)
    changed = replace(first, splits=(longer, *first.splits[1:]), offset_s=3)
    added = Plan(5, "thêm", 11, tuple(Split(stage, 40) for stage in range(len(one.stages))))
    wanted = replace(one, plans=(changed, *others, added))
    compiled.dump(replace(corridor, intersections=(wanted,)), folder / "new.json")
    (folder / "community").write_text("can-tho-try\n")
    (folder / "community").chmod(0o600)
    entry = site.CabinetEntry(
        intersection=one.id,
        host="127.0.0.1",
        port=free_port(),
        protocol=protocol,
        community_file="community" if protocol == "ntcip" else None,
    )
    for name, corridor_file in ((CABINET, "old.json"), (CENTRE, "new.json")):
        site.write_site(
            folder / name, corridor=corridor_file, state_dir=name[:3], policy="fixed", cabinets=[entry]
        )
    command = [sys.executable, "-m", "denxanh.cli", "cabinet", str(folder / CABINET)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                if "listening" in line:
                    break
            yield one.id
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def test_plans_are_written_and_read_back(tmp_path: Path) -> None:
    with cabinets(tmp_path, "ntcip") as name:
        one = denxanh("plan", "download", str(tmp_path / CENTRE), name, "--plan", "5")
        assert one.returncode == 0, one.stderr
        assert "1 plan written and read back: 5" in one.stdout
        every = denxanh("plan", "download", str(tmp_path / CENTRE), name, "--json")
        assert every.returncode == 0, every.stderr
        assert json.loads(every.stdout)["plans"][-1] == 5
        unknown = denxanh("plan", "download", str(tmp_path / CENTRE), name, "--plan", "77")
        assert unknown.returncode != 0
        assert "has no plan 77" in unknown.stderr


@pytest.mark.parametrize(("who", "says"), [("nobody", "no cabinet for"), (None, "over modbus")])
def test_what_cannot_be_downloaded_is_said(tmp_path: Path, who: str | None, says: str) -> None:
    with cabinets(tmp_path, "modbus") as name:
        refused = denxanh("plan", "download", str(tmp_path / CENTRE), who or name)
    assert refused.returncode != 0
    assert says in refused.stderr
