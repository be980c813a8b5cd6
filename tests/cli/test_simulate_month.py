"""`denxanh simulate-month` from end to end, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from denxanh.cli.main import app
from denxanh.cli.month_crew import Crew
from denxanh.cli.month_site import MonthFolder, alone
from denxanh.cli.processes import Child, ended_together
from denxanh.errors import ConfigError, CorridorError, DenXanhError, LeaseError, SimulationError

pytest.importorskip("libsumo", reason="needs the extra sim")


def month(*words: str | Path) -> Result:
    """The command; errors of ours come through as they are."""
    result = CliRunner().invoke(app, ["simulate-month", *map(str, words)])
    if isinstance(result.exception, DenXanhError):
        raise result.exception
    return result


def test_a_day_is_made_stored_and_not_made_again(tmp_path: Path) -> None:
    words = (tmp_path / "m", "--days", "1", "--hours", "11:00-11:01", "--jobs", "1", "--json")
    told = json.loads(month(*words).stdout)
    assert (told["days"], told["made"], told["simulated_s"], told["skipped"]) == (1, 1, 60, 0)
    status = CliRunner().invoke(app, ["store", "status", told["site"], "--json"])
    rows = json.loads(status.stdout)["rows"]
    assert rows["runs"] == 1
    assert min(rows["spans"], rows["minutes"], rows["events"], rows["signal_events"]) > 0
    left = sorted(path.name for path in (tmp_path / "m" / "days").rglob("*"))
    assert left == ["2026-10-01", "day.json"]
    assert json.loads(month(*words).stdout)["made"] == 0
    with alone(MonthFolder(tmp_path / "m")), pytest.raises(LeaseError):
        month(*words)
    with pytest.raises(ConfigError, match="something else"):
        month(*words, "--seed", "2")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--hours", "9-8"), ConfigError),
        (("--policy", "clairvoyant"), ConfigError),
        (("--corridor", "atlantis"), CorridorError),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    words: tuple[str, str], error: type[DenXanhError], tmp_path: Path
) -> None:
    with pytest.raises(error):
        month(tmp_path / "m", *words)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("date", ["", "tomorrow", "2026-02-30", "20261001", "2026-10-01T00:00", "0001-01-01"])
def test_a_date_is_a_date(date: str, tmp_path: Path) -> None:
    result = month(tmp_path / "m", "--from", date)
    assert result.exit_code == 2
    assert "--from" in result.output


def test_a_day_that_cannot_be_made_ends_the_command_with_its_last_words(tmp_path: Path) -> None:
    from denxanh.networks.demand import Fidelity
    from denxanh.sim.day import Day, Play, Traffic, Window
    from denxanh.sim.day_process import Job

    day = Day(
        number=1,
        date="2026-10-01",
        factor=1.0,
        adaptive=True,
        holiday=False,
        water_cm=None,
        plays=(Play(window=Window(begin_s=600, end_s=700), traffic=(Traffic(begin_s=420, demand="am"),)),),
    )
    job = Job(
        site=tmp_path / "no-site.toml",
        corridor="nguyen-van-cu",
        fidelity=Fidelity.PROXY,
        seed=1,
        day=day,
        out=tmp_path / day.date,
    )
    children: list[Child]
    with ended_together() as children:
        crew = Crew([job], 1, children, 1)
        assert crew.look() == 0.0
        children[0].process.wait(60)
        with pytest.raises(SimulationError, match=r"no-site.toml"):
            crew.look()
