"""The whole system over real sockets, started as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from denxanh.agents.model_card import sha256_of, write_card
from denxanh.cli.demo_files import default_policy
from denxanh.controller.centre.server import bind

KEYS = {
    *("corridor", "policy", "seed", "seconds", "ticks", "missed_ticks", "commands", "refusals", "conflicts"),
    *("mode_changes", "vehicles", "mean_delay_s", "intersections", "protocols", "deterministic"),
}
WATCHDOG_S = 10
HOLD_OFF_S = 60


def free_port() -> int:
    with closing(bind("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def sound(summary: dict[str, Any]) -> None:
    """What no run may break."""
    assert summary.keys() >= KEYS
    for proof in ("conflicts", "short_intergreens", "cut_clearances", "conflicts_by_monitor"):
        assert summary[proof] == 0, proof


def test_foreign_scenario_runs_repeatably_and_its_journal_replays(
    grid: Path, plain_demo: Any, plain: tuple[str, ...], start_demo: Any
) -> None:
    first, second = plain_demo, start_demo("--sumocfg", str(grid), *plain)
    one, two = first.end(), second.end()
    sound(one)
    assert (one["ticks"], one["seconds"], one["missed_ticks"]) == (60, 60, 0)
    assert one["protocols"] == {"modbus": 1, "ntcip": 1}
    assert one["commands"] > 60
    assert one["deterministic"] is True
    assert two == one, "the same seed gives the same run"
    journal = str(first.folder / "state" / "journal.jsonl")
    again = subprocess.run(
        [sys.executable, "-m", "denxanh.cli", "replay", journal, "--json"],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert '"matched": 120' in again.stdout


def test_arterial_runs_with_a_cabinet_at_every_intersection(start_demo: Any) -> None:
    pytest.importorskip("sumo", reason="SUMO is not installed (make setup)")
    demo = start_demo("--headless", "--seconds", "60", "--speed", "0", "--ntcip", "3", "--json")
    summary = demo.end(180)
    sound(summary)
    assert summary["corridor"] == "truc-30-4-hoa-binh"
    assert summary["policy"] == default_policy()[0]
    assert summary["protocols"] == {"modbus": 4, "ntcip": 3}
    assert summary["ticks"] == 60
    assert {change["to"] for change in summary["mode_changes"]} >= {"FLASH", "LOCAL", "PLAN"}


def test_the_demo_over_mutual_tls(
    grid: Path, plain_demo: Any, plain: tuple[str, ...], start_demo: Any
) -> None:
    plainly, secured = plain_demo.end(), start_demo("--sumocfg", str(grid), *plain, "--tls").end()
    sound(secured)
    assert secured["commands"] > 60
    for figure in ("lamps_digest", "mean_delay_s", "vehicles", "ticks"):
        assert secured[figure] == plainly[figure], "the same lamps, whatever carries the commands"


def test_a_model_of_ones_own_controls_the_demo_and_is_said_to_be_ungated(
    grid: Path,
    start_demo: Any,
    random_onnx: bytes,
    make_card: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The path is relative; street and controller run elsewhere and find it all the same."""
    model = tmp_path / "mine.onnx"
    model.write_bytes(random_onnx)
    write_card(model, make_card(model))
    monkeypatch.chdir(tmp_path)
    demo = start_demo(
        "--sumocfg", str(grid), "--headless", "--seconds", "90", "--speed", "0", "--json",
        "--policy", "model:mine.onnx",
    )  # fmt: skip
    summary = demo.end()
    sound(summary)
    assert summary["policy"] == f"model:{model}"
    assert "Mô hình chưa qua cổng kiểm định\nThe model has not passed the gate" in demo.said()
    opened, event, *ticks = demo.records()
    assert opened["model"] == sha256_of(model)
    assert event["event"]["cause"] == "ungated-model"
    assert any("points" in record["out"]["why"] for record in ticks if record["k"] == "tick")
    again = subprocess.run(
        [sys.executable, "-m", "denxanh.cli", "replay", str(demo.folder)],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert again.returncode == 0, again.stdout + again.stderr


def test_killed_controller_leaves_every_cabinet_on_its_own_plan_and_comes_back(
    grid: Path, start_demo: Any
) -> None:
    port = free_port()
    demo = start_demo(
        "--sumocfg", str(grid), "--speed", "15", "--seconds", "260", "--port", str(port), "--json"
    )
    everywhere = lambda mode: set(demo.modes().values()) == {mode}  # noqa: E731
    demo.until(lambda: everywhere("ADAPTIVE"))
    os.kill(demo.child("-v run"), signal.SIGKILL)
    demo.until(lambda: "was ended by signal 9" in demo.said())
    killed = demo.records()[-1]["in"]["tick"]
    demo.until(lambda: (demo.page(port) or {}).get("feed") == "stale")
    with controller(demo.folder / "site.toml"):
        demo.until(
            lambda: demo.records()[-1].get("in", {}).get("tick", 0) > killed and everywhere("ADAPTIVE")
        )
        summary = demo.end(status=1)  # a controller that was killed is no success
    sound(summary)
    assert summary["deterministic"] is False
    for cabinet in summary["cabinets"].values():
        changes = [(change["t"], change["mode"]) for change in cabinet["modes"]]
        fall = next(t for t, mode in changes if mode == "LOCAL_PLAN" and t > killed)
        assert fall <= killed + WATCHDOG_S + 2
        back = next(t for t, mode in changes if mode == "ADAPTIVE" and t > fall)
        assert back >= fall + HOLD_OFF_S


@contextmanager
def controller(site: Path) -> Iterator[None]:
    """A second controller on the same site, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "denxanh.cli", "run", str(site)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_page_that_dies_does_not_touch_the_traffic(grid: Path, start_demo: Any) -> None:
    port = free_port()
    demo = start_demo("--sumocfg", str(grid), "--speed", "6", "--port", str(port), "--json")
    demo.until(lambda: (demo.page(port) or {}).get("feed") == "live")
    demo.until(lambda: f"http://127.0.0.1:{port}/" in demo.said())
    demo.child("notify run")
    log = demo.folder / "notifier.log"
    demo.until(lambda: re.search(r"^[1-9]\d* rules", log.read_text(encoding="utf-8"), re.MULTILINE))
    os.kill(demo.child("denxanh.controller.centre"), signal.SIGKILL)
    demo.until(lambda: "the page ended" in demo.said())
    dead = demo.records()[-1]["in"]["tick"]
    demo.until(lambda: demo.records()[-1]["in"]["tick"] > dead + 10)
    demo.process.send_signal(signal.SIGINT)
    summary = demo.end()
    sound(summary)
    assert summary["ended"] == "stopped"
    assert summary["ticks"] > dead + 10


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_demo(
    grid: Path, start_demo: Any, alive: Callable[[int], bool], how: signal.Signals
) -> None:
    demo = start_demo("--sumocfg", str(grid), "--speed", "5", "--headless", "--json")
    demo.until(lambda: len(demo.records()) > 10)
    pids = [pid for pid, _ in demo.children()]
    assert len(pids) == 2
    demo.process.send_signal(how)
    if how is signal.SIGKILL:
        demo.process.wait(30)
    else:
        summary = demo.end()
        assert summary["ended"] == "stopped"
        assert summary["ticks"] > 4
    demo.until(lambda: not any(alive(pid) for pid in pids), 30, after_end=True)
