"""Every command: help, purity of `--json`, one clear message for every error of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from denxanh.cli.main import app
from denxanh.controller.centre.server import bind
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

Command = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = (
    ("demo",),
    ("exercise",),
    ("run",),
    ("simulate-month",),
    ("console",),
    ("cabinet",),
    ("check",),
    ("verify",),
    ("evaluate",),
    ("train",),
    ("gate",),
    ("replay",),
    ("network", "list"),
    ("network", "show"),
    ("network", "build"),
    ("network", "check"),
    ("network", "import-sumo"),
    ("network", "register"),
    ("plan", "list"),
    ("plan", "optimise"),
    ("plan", "install"),
    ("plan", "flood"),
    ("network", "copy"),
    ("plan", "activate"),
    ("hold",),
    ("release",),
    ("plan", "download"),
    ("priority", "emergency"),
    ("priority", "bus"),
    ("priority", "cancel"),
    ("priority", "key"),
    ("flood", "close"),
    ("flood", "hold"),
    ("flood", "open"),
    ("flood", "level"),
    ("keys", "make"),
    ("keys", "revoke"),
    ("keys", "check"),
    ("people", "list"),
    ("people", "add"),
    ("people", "disable"),
    ("people", "enable"),
    ("people", "role"),
    ("people", "reset"),
    ("people", "tokens"),
    ("feeds", "run"),
    ("feeds", "status"),
    ("feeds", "start"),
    ("feeds", "sources"),
    ("store", "status"),
    ("store", "migrate"),
    ("store", "verify-audit"),
    ("store", "backup"),
    ("store", "restore"),
    ("store", "export"),
    ("store", "retain"),
    ("export", "ioc-daily"),
    ("export", "lgsp"),
    ("export", "open-data"),
    ("export", "police"),
    ("export", "geojson"),
    ("export", "verify"),
    ("vds", "token"),
    ("maturity",),
    ("measures",),
    ("flood", "listen"),
    ("notify", "run"),
    ("notify", "test"),
    ("notify", "list"),
    ("notify", "acknowledge"),
    ("report", "kpi"),
    ("report", "daily"),
    ("report", "monthly"),
    ("report", "quarterly"),
    ("report", "adhoc"),
    ("report", "annual"),
    ("report", "five-year"),
    ("report", "public"),
    ("report", "remark"),
    ("forecast", "fit"),
    ("forecast", "show"),
    ("forecast", "hotspots"),
    ("vds", "schema"),
)


def clear_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Status 1, nothing on standard output, one message without a traceback."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "denxanh: " in done.stderr
    for word in words:
        assert word in done.stderr


def test_the_list_of_commands_here_is_complete() -> None:
    group = typer.main.get_command(app)
    found = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {(name, sub) for sub in inner} if inner else {(name,)}
    assert found == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_explains_and_gives_an_example(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example: denxanh " + " ".join(command) in result.output
    assert "--json" in result.output


@pytest.mark.parametrize(
    ("command", "table"),
    [(("console",), "[console]"), (("keys", "check"), "[tls]"), (("priority", "bus"), "[priority]")],
)
def test_help_shows_the_names_of_tables(command: tuple[str, ...], table: str) -> None:
    assert table in CliRunner().invoke(app, [*command, "--help"]).output, "in brackets, which are markup, too"


def test_help_imports_no_room() -> None:
    script = (
        "import sys; import denxanh.cli.main; print([m for m in sys.modules if m.startswith('denxanh.')])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    rooms = {name.split(".")[1] for name in eval(loaded)}
    assert rooms <= {"cli", "errors"}


@pytest.mark.parametrize(
    "command", [("network", "list"), ("network", "show", "truc-30-4-hoa-binh"), ("plan", "list")]
)
def test_json_is_one_document_and_nothing_else(command: tuple[str, ...], denxanh: Command) -> None:
    done = denxanh(*command, "--json")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    words = denxanh(*command)
    assert words.returncode == 0
    assert words.stdout.strip()


def test_verify_proves_a_compiled_corridor(tmp_path: Path, denxanh: Command) -> None:
    compiled.dump(crossroads_corridor(commitment_s=0), tmp_path / "small.json")
    done = denxanh("verify", str(tmp_path / "small.json"), "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert {"intersection", "states", "transitions", "seconds", "violations"} <= row.keys()
    assert row["states"] > 10
    assert row["violations"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "absent.toml"), ("absent.toml",)),
        (("cabinet", "absent.toml"), ("absent.toml",)),
        (("verify", "absent.toml"), ("absent.toml",)),
        (("verify", "absent.json"), ("absent.json",)),
        (("replay", "absent.jsonl"), ("absent.jsonl",)),
        (("network", "show", "atlantis"), ("atlantis", "truc-30-4-hoa-binh")),
        (("network", "build", "atlantis"), ("atlantis",)),
        (("network", "check", "atlantis"), ("atlantis",)),
        (("network", "import-sumo", "absent.sumocfg", "--out", "x.json"), ("absent.sumocfg",)),
        (("plan", "list", "--corridor", "atlantis"), ("atlantis",)),
        (("demo", "--corridor", "atlantis", "--headless"), ("atlantis",)),
        (("demo", "--policy", "crystal-ball", "--headless"), ("crystal-ball", "max-pressure")),
        (("demo", "--sumocfg", "absent.sumocfg", "--headless"), ("absent.sumocfg",)),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_errors_are_one_clear_message(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path, denxanh: Command
) -> None:
    clear_error(denxanh(*arguments, "--json", cwd=tmp_path), *words)


def test_every_defect_of_a_site_file_is_named(tmp_path: Path, denxanh: Command) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\ncorridor = "x"\nstate_dir = "s"\ncolour = 1\n[[cabinet]]\nport = "a"\n', encoding="utf-8"
    )
    clear_error(denxanh("run", str(site)), "colour", "port", "intersection")


def test_journal_that_is_none_is_one_clear_message(tmp_path: Path, denxanh: Command) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"\x00\xffrubbish\n")
    clear_error(denxanh("replay", str(path)), "journal.jsonl, line 1")


def test_taken_page_port_is_said_before_anything_starts(tmp_path: Path, denxanh: Command) -> None:
    taken = bind("127.0.0.1", 0)
    port = str(taken.getsockname()[1])
    done = denxanh("demo", "--port", port, "--seconds", "5", "--out", str(tmp_path / "run"))
    taken.close()
    clear_error(done, port, "--port")
    assert not (tmp_path / "run").exists()


def test_missing_sumo_is_said_with_its_remedy() -> None:
    script = (
        "import importlib.util, sys; real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'libsumo' else real(name, *rest)\n"
        "sys.argv = ['denxanh', 'demo', '--headless']\n"
        "from denxanh.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    clear_error(done, "libsumo", "denxanh[sim]")


def test_version_needs_no_command() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.output.strip() == version("denxanh")


def test_usage_errors_have_status_2(denxanh: Command) -> None:
    for arguments in (("verify",), ("demo", "--speed", "fast"), ("nonsense",), ("demo", "--seconds", "0")):
        done = denxanh(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_bug() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as broken:
        done = subprocess.run(
            [sys.executable, "-m", "denxanh.cli", "network", "list"],
            stdout=broken,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert b"Traceback" not in done.stderr


def _worker_ignores_interrupts(parent: int) -> bool:
    """Whether a worker process has begun; from then on an interrupt is its parent's matter."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    for child in children:
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
            (ignored,) = [line for line in status.splitlines() if line.startswith("SigIgn:")]
            return bool(int(ignored.split()[1], 16) & 1 << signal.SIGINT - 1)
    return False


def test_verify_can_be_interrupted() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "denxanh.cli", "verify", "--catalogue", "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell's background job would ignore the signal; this one must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        deadline = time.monotonic() + 60
        while not _worker_ignores_interrupts(process.pid):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err
