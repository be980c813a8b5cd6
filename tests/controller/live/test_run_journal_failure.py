"""No record, no command: a disk that fills up gives the cabinets back, and the run goes on when it can."""

from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.journal import Journal, read
from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.replay import replay
from denxanh.errors import JournalError
from denxanh.plc.contract import CabinetMode

Build = Callable[..., Any]
START_UP_S = 10


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """A switch that fills the disk."""
    state = {"full": False}
    write = Journal._write

    def maybe(self: Journal, body: bytes) -> None:
        if state["full"]:
            raise JournalError("cannot be written: No space left on device", where=str(self.path))
        write(self, body)

    monkeypatch.setattr(Journal, "_write", maybe)
    return state


async def test_a_full_disk_and_what_follows(town: Build, disk: dict[str, bool]) -> None:
    here = town(2)
    await here.start()
    async with here.controlled() as controlled:
        await here.seconds(START_UP_S + HOLD_OFF_S + 10)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.ADAPTIVE}
        disk["full"] = True
        await here.seconds(2)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.LOCAL_PLAN}
        await here.seconds(20)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.LOCAL_PLAN}
        assert not controlled.task.done()
        disk["full"] = False
        await here.seconds(3)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.CENTRAL_PLAN}
        await here.seconds(HOLD_OFF_S + 5)
        assert {place.cabinet.mode for place in here.places} == {CabinetMode.ADAPTIVE}
    assert controlled.summary.journal_gaps == 1
    path = here.state_dir / "journal.jsonl"
    opens = [record for _, record in read(path) if record["k"] == "open"]
    assert [record.get("after") for record in opens] == [None, "journal failure"]
    assert opens[0]["epoch"] == opens[1]["epoch"]
    result = replay(path)
    assert result.same
    assert result.ticks < 2 * controlled.summary.ticks


async def test_a_disk_that_is_full_at_the_end_is_no_crash(town: Build, disk: dict[str, bool]) -> None:
    here = town(1)
    await here.start()
    async with here.controlled() as controlled:
        await here.seconds(START_UP_S + 5)
        disk["full"] = True
        await here.seconds(3)
    assert controlled.summary.ticks == START_UP_S + 8
