"""A foreign SUMO scenario that SUMO's own tools made a moment ago, and a demo that a test can watch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from denxanh.cli.main import main


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crossroads with signals, made by netgenerate; every entry has traffic. The .sumocfg."""
    sumo = pytest.importorskip("sumo", reason="SUMO is not installed (make setup)")
    folder = tmp_path_factory.mktemp("grid")
    net = folder / "grid.net.xml"
    command = [str(Path(sumo.SUMO_HOME) / "bin" / "netgenerate"), "--grid", "--no-turnarounds", "true"]
    command += ["--grid.x-number", "2", "--grid.y-number", "1", "--grid.length", "200"]
    command += ["--grid.attach-length", "150", "--default-junction-type", "traffic_light", "-L", "2"]
    subprocess.run([*command, "-o", str(net)], check=True, capture_output=True, timeout=60)
    edges = [
        edge for edge in ElementTree.parse(net).getroot().iter("edge") if edge.get("function") != "internal"
    ]
    outside = {edge.get("from", "") for edge in edges} - {"A0", "B0"}
    entries = {edge.get("from", ""): edge.get("id") for edge in edges if edge.get("from") in outside}
    exits = {edge.get("to", ""): edge.get("id") for edge in edges if edge.get("to") in outside}
    fringe = sorted(outside)
    flows = ""
    for place, there in zip(fringe, fringe[1:] + fringe[:1], strict=True):
        way = f'from="{entries[place]}" to="{exits[there]}"'
        flows += f'<flow id="{place}" {way} begin="0" end="3600" vehsPerHour="300"/>'
    (folder / "grid.rou.xml").write_text(f"<routes>{flows}</routes>", encoding="utf-8")
    config = folder / "grid.sumocfg"
    config.write_text(
        '<configuration><input><net-file value="grid.net.xml"/><route-files value="grid.rou.xml"/></input>'
        '<time><begin value="0"/><end value="3600"/></time></configuration>',
        encoding="utf-8",
    )
    return config


PLAIN = ("--headless", "--seconds", "60", "--speed", "0", "--seed", "3", "--json")


class RunningDemo:
    """`denxanh demo` in its own process, with its children in view."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._out = (folder / "out").open("w+b")
        self._err = (folder / "err").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "denxanh.cli", "demo", "--out", str(folder), *arguments],
            stdout=self._out,
            stderr=self._err,
        )

    def child(self, words: str) -> int:
        """Process id of the child whose command line holds these words; waits for it."""
        return self.until(lambda: next((pid for pid, line in self.children() if words in line), None))

    def children(self) -> list[tuple[int, str]]:
        """(process id, command line) of every child."""
        listed = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return [(int(line.split()[0]), line) for line in listed.splitlines()]

    def until(self, look: Callable[[], Any], seconds: float = 90.0, *, after_end: bool = False) -> Any:
        """What `look` returns as soon as it is true, while the demo runs (or also after its end)."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, self.said()
            assert after_end or self.process.poll() is None, self.said()
            time.sleep(0.1)
        return found

    def records(self) -> list[dict[str, Any]]:
        """The journal's whole lines."""
        try:
            text = (self.folder / "state" / "journal.jsonl").read_text(encoding="utf-8")
        except OSError:
            return []
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def modes(self) -> dict[str, str]:
        """The last mode of each intersection, as the controller recorded it."""
        return {record["i"]: record["out"]["mode"] for record in self.records() if record["k"] == "tick"}

    def page(self, port: int) -> Any:
        """What the page says of itself, None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return None

    def end(self, seconds: float = 120.0, status: int = 0) -> dict[str, Any]:
        """Wait for its own end; the document that it printed."""
        self.process.wait(seconds)
        assert self.process.returncode == status, self.said()
        return json.loads((self.folder / "out").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def said(self) -> str:
        """Its standard error."""
        return (self.folder / "err").read_text(encoding="utf-8")

    def clear(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self._out.close()
        self._err.close()


@pytest.fixture
def denxanh(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command as its entry point runs it, in this process: to start one of its own costs a second."""

    def called(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["denxanh", *arguments])
        if cwd is not None:
            monkeypatch.chdir(cwd)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code, said.out, said.err)

    return called


@pytest.fixture(scope="session")
def plain() -> tuple[str, ...]:
    """See `PLAIN`."""
    return PLAIN


@pytest.fixture(scope="session")
def plain_demo(grid: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A minute of the grid as `PLAIN` asks for it, at its end: what others are compared with."""
    demo = RunningDemo(tmp_path_factory.mktemp("plain"), "--sumocfg", str(grid), *PLAIN)
    demo.process.wait(120)
    yield demo
    demo.clear()


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Callable[..., RunningDemo]]:
    """Starts demos and ends them with the test."""
    running: list[RunningDemo] = []

    def start(*arguments: str) -> RunningDemo:
        folder = tmp_path / f"demo{len(running)}"
        folder.mkdir()
        running.append(RunningDemo(folder, *arguments))
        return running[-1]

    yield start
    for demo in running:
        demo.clear()


def is_alive(pid: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """See `is_alive`."""
    return is_alive
