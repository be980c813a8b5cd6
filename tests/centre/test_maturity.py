"""Facts by ward for the self-report: counted from what is stored, never concluded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import insert

from denxanh.controller.centre.maturity import Heard, Ward, markdown, observed, wards
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.centre.store.schema import spans
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.register import junctions

HOUR = 3_600_000


def test_what_is_stored_of_a_period(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/centre.db")
    row = {"run": 1, "aspects": "r", "stage": 0, "in_interstage": False, "plan": None}
    with store.writing() as connection:
        for place, began, ended, mode in (
            ("A", 0, HOUR, "ADAPTIVE"),
            ("A", HOUR, 3 * HOUR, "PLAN"),
            ("A", 9 * HOUR, 10 * HOUR, "ADAPTIVE"),
            ("B", HOUR, None, "ADAPTIVE"),
        ):
            values = {"intersection": place, "began_ms": began, "ended_ms": ended, "mode": mode, **row}
            connection.execute(insert(spans).values(**values))
    assert observed(store, 0, 9 * HOUR) == {"A": Heard(3 * HOUR, HOUR)}
    assert observed(store, 20 * HOUR, 21 * HOUR) == {}
    store.close()


def test_wards_of_a_corridor() -> None:
    corridor = crossroads_corridor(3)
    plain = junctions(corridor)
    first, second, third = plain
    register = MappingProxyType(
        {
            first: replace(plain[first], ward="Phường Ninh Kiều", assumed=("ward",)),
            second: replace(plain[second], ward="Phường Ninh Kiều"),
            third: plain[third],
        }
    )
    heard = {first: Heard(10 * HOUR, 5 * HOUR), second: Heard(8 * HOUR, 2 * HOUR), third: Heard(0, 0)}
    found = wards(corridor, register, heard, 10 * HOUR)
    walks = [
        sum(group.kind.value == "pedestrian" for group in one.groups) > 0 for one in corridor.intersections
    ]
    assert found == (
        Ward("Phường Ninh Kiều", 2, 1, sum(walks[:2]), 1, 1),
        Ward("", 1, 0, int(walks[2]), 0, 0),
    )
    text = markdown(found, "01/11/2026", "30/11/2026")
    assert "| Phường Ninh Kiều* | 2 | 1/2 |" in text
    assert "| «chưa rõ phường, xã» | 1 | 0/1 |" in text
    # Nothing is concluded.
    assert text.count("| «…» |") == 2


def test_nothing_stored() -> None:
    corridor = crossroads_corridor(1)
    (only,) = wards(corridor, junctions(corridor), {}, HOUR)
    assert (only.smart, only.live) == (0, 0)
