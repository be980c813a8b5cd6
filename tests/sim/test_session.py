"""The SUMO session: both backends, errors, one libsumo per process."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.errors import MissingExtraError, SimulationError
from denxanh.sim.session import LibsumoBackend, Session, TraciBackend, sumo_binary


def _run(session: Session, seconds: int) -> list[tuple[str, float]]:
    with session:
        for _ in range(seconds):
            session.run_second()
        vehicle = session.sumo.vehicle
        return [(name, vehicle.getSpeed(name)) for name in vehicle.getIDList()]


def test_backends_simulate_the_same(town) -> None:
    arguments = town.scenario().arguments(7)
    inside = _run(Session.start(arguments), 60)
    outside = _run(Session.start(arguments, TraciBackend()), 60)
    assert inside
    assert inside == outside


def test_seed_decides(town) -> None:
    first = _run(Session.start(town.scenario().arguments(7)), 60)
    again = _run(Session.start(town.scenario().arguments(7)), 60)
    other = _run(Session.start(town.scenario().arguments(8)), 60)
    assert first == again
    assert first != other


def test_second_libsumo_is_refused_and_the_first_lives_on(town) -> None:
    with Session.start(town.scenario().arguments(1)) as session:
        with pytest.raises(SimulationError, match="one simulation at a time"):
            Session.start(town.scenario().arguments(1))
        session.step()
        assert session.time_s == 1.0


@pytest.mark.parametrize("backend", [LibsumoBackend, TraciBackend])
def test_error_repeats_what_sumo_said(town, tmp_path: Path, backend) -> None:
    routes = tmp_path / "bad.rou.xml"
    routes.write_text('<routes><trip id="q" depart="3" from="A1B1" to="nowhere"/></routes>')
    with pytest.raises(SimulationError, match="nowhere"):
        Session.start(["-n", str(town.net), "-r", str(routes)], backend())
    with Session.start(town.scenario().arguments(1)) as session:
        session.step()


def test_error_in_mid_run_repeats_what_sumo_said(town, tmp_path: Path) -> None:
    routes = tmp_path / "late.rou.xml"
    routes.write_text(
        '<routes><trip id="p" depart="3" from="A1B1" to="B1C1"/>'
        '<trip id="q" depart="300" from="A1B1" to="nowhere"/></routes>'
    )
    session = Session.start(["-n", str(town.net), "-r", str(routes), "--route-steps", "10"])
    with session, pytest.raises(SimulationError, match="nowhere"):
        _steps(session, 400)


def _steps(session: Session, count: int) -> None:
    for _ in range(count):
        session.step()


def test_sumo_that_dies_is_an_error_and_leaves_nothing(town) -> None:
    backend = TraciBackend()
    session = Session.start(town.scenario().arguments(1), backend)
    session.step()
    process = backend._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.raises(SimulationError, match="SUMO stopped"):
        _steps(session, 3)
    session.close()


def test_remote_sumo_that_is_not_there_is_named() -> None:
    with pytest.raises(SimulationError, match=r"127\.0\.0\.1:1"):
        _connect_nowhere()


def test_remote_sumo_is_only_connected_to(town) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sumo_binary("sumo"),
        *town.scenario().arguments(1),
        "--remote-port",
        str(port),
        "--no-step-log",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert _run(Session.start([], TraciBackend(remote=("127.0.0.1", port))), 30)
    finally:
        process.wait(20)


def _connect_nowhere() -> None:
    backend = TraciBackend(remote=("127.0.0.1", 1))
    backend.tries = 2
    Session.start([], backend)


def test_half_second_steps_make_whole_seconds(town) -> None:
    bare = replace(town.scenario(), options=())
    with Session.start([*bare.arguments(1), "--step-length", "0.5"]) as session:
        session.run_second()
        assert session.time_s == 1.0
    with pytest.raises(SimulationError, match="step length"):
        Session.start([*bare.arguments(1), "--step-length", "0.7"])


def test_missing_sumo_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "libsumo", None)
    with pytest.raises(MissingExtraError, match=r"denxanh\[sim\]"):
        LibsumoBackend()
