"""The highest epoch outlives a restart of the cabinet."""

from __future__ import annotations

import pytest

from denxanh.errors import LeaseError
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.memory import MEMORY_NAME, EpochMemory
from denxanh.plc.contract import Refusal


def test_a_restarted_cabinet_still_refuses_the_older_controller(make_driver, crossroads, tmp_path):
    path = tmp_path / "state" / MEMORY_NAME
    memory = EpochMemory(path)
    driver = make_driver(crossroads)
    driver.epoch = 7
    driver.adaptive()
    memory.remember({crossroads.id: driver.status.epoch})

    again = make_driver(crossroads)
    again.cabinet = VirtualCabinet(
        crossroads, lambda _date, _second: 1, epoch=EpochMemory(path).highest(crossroads.id)
    )
    again.start()
    again.epoch = 6
    assert again.send() is Refusal.STALE_EPOCH
    again.epoch = 7
    assert again.send() is Refusal.NONE


def test_an_epoch_never_falls_and_is_written_only_when_it_rises(tmp_path):
    path = tmp_path / MEMORY_NAME
    memory = EpochMemory(path)
    memory.remember({"A": 0})
    assert not path.exists()
    memory.remember({"A": 3, "B": 1})
    before = path.stat().st_mtime_ns, path.stat().st_ino
    memory.remember({"A": 2, "B": 1})
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    fresh = EpochMemory(path)
    assert [fresh.highest(name) for name in "ABC"] == [3, 1, 0]
    assert [entry.name for entry in tmp_path.iterdir()] == [MEMORY_NAME]


@pytest.mark.parametrize("text", ["", "[]", '{"A": -1}', '{"A": 65536}', '{"A": true}', '{"A": "1"}', "{"])
def test_a_broken_memory_is_refused_not_forgotten(tmp_path, text):
    path = tmp_path / MEMORY_NAME
    path.write_text(text)
    with pytest.raises(LeaseError, match="not a table"):
        EpochMemory(path)
