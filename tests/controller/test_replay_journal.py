"""A journal's inputs give its outputs again, over restarts and parts; what differs is found and named."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.assembly import RULES, makers, opening
from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.journal import JOURNAL_NAME, Journal, parts, read_all
from denxanh.controller.operator.message import Release, Role, body, parse
from denxanh.controller.record import TickInput
from denxanh.controller.replay import Count, replay
from denxanh.controller.site import CabinetEntry, Site, load, write_site
from denxanh.errors import JournalError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.registers import encode_command

CORRIDOR = crossroads_corridor(1)
INTERSECTION = CORRIDOR.intersections[0]
DATE = "2026-11-23"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    compiled.dump(CORRIDOR, tmp_path / "compiled.json")
    entry = CabinetEntry(intersection=INTERSECTION.id, host="127.0.0.1", port=502, commitment_s=5)
    write_site(
        tmp_path / "SITE.toml",
        corridor="compiled.json",
        state_dir="state",
        policy="max-pressure",
        cabinets=[entry],
    )
    site = load(tmp_path / "SITE.toml")
    site.state_dir.mkdir()
    return site


def _seconds(site: Site, epoch: int, count: int, nonce: int = 0) -> Iterator[dict[str, Any]]:
    """Tick records of a fresh controller against a fresh cabinet."""
    intersection = site.intersections[0]
    made = makers(site.corridor, site.intersections, site.policy, epoch, nonce=nonce)
    controller = made[intersection.id]()
    cabinet = VirtualCabinet(intersection, lambda date, second: active_plan(CORRIDOR.schedule, date, second))
    shape, lamps = cabinet.layout, None
    for tick in range(count):
        moving = tick % 16
        loops = (LoopReading(tick // 4, tick, False, 0),) * shape.loops
        zones = (ZoneReading(moving, moving // 2, moving / 20, 10.0, False, 0),) * shape.zones
        readings = Readings(loops, zones, (tick % 50 == 0,) * shape.buttons)
        lamps = cabinet.tick(23_400 + tick, DATE, readings, lamps)
        blocks = cabinet.blocks()
        words = (blocks[0][:64], blocks[0][64:], blocks[900], blocks[2500])
        value = TickInput(tick, 23_400.0 + tick, DATE, words, None)
        output = controller.step(value)
        if output.command is not None:
            cabinet.write(encode_command(output.command))
        yield {"k": "tick", "i": intersection.id, "in": encode_input(value), "out": encode_output(output)}


def _record(site: Site, *runs: int, max_part_bytes: int = 1 << 30) -> Path:
    path = site.state_dir / JOURNAL_NAME
    for epoch, seconds in enumerate(runs, start=1):
        journal = Journal(path, max_part_bytes=max_part_bytes)
        journal.append(opening(site, epoch))
        for record in _seconds(site, epoch, seconds):
            journal.append(record)
        journal.close()
    return path


def _rewrite(path: Path, change: Any) -> None:
    """The same journal with some records changed, its chain intact."""
    records = [record for _, record in read_all(path)]
    path.unlink()
    journal = Journal(path)
    for number, record in enumerate(records):
        changed = change(number, record)
        if changed is not None:
            journal.append({key: value for key, value in changed.items() if key != "h"})
    journal.close()


def test_every_decision_again_over_restarts_and_parts(site: Site) -> None:
    path = _record(site, 120, 90, max_part_bytes=50_000)
    assert len(parts(path)) > 3
    result = replay(path)
    assert (result.ticks, result.matched, result.first_mismatch, result.same) == (210, 210, None, True)


def test_a_changed_decision_is_found_and_named(site: Site) -> None:
    path = _record(site, 100)

    def forge(number: int, record: dict[str, Any]) -> dict[str, Any]:
        if number == 81:
            record["out"]["command"]["committed_next"] = 1
        return record

    _rewrite(path, forge)
    result = replay(path)
    assert (result.ticks, result.matched, result.same) == (100, 99, False)
    first = result.first_mismatch
    assert first is not None
    assert (first.tick, first.intersection, list(first.fields)) == (80, INTERSECTION.id, ["command"])
    assert first.where.endswith("line 82")


@pytest.mark.parametrize("rules", [None, 1, RULES + 1])
def test_what_was_recorded_under_other_rules_is_counted_apart(site: Site, rules: int | None) -> None:
    """The first of two runs is another program's: nobody can say that its decisions are wrong."""
    path = _record(site, 100, 40)
    number_of_open = 0

    def change(number: int, record: dict[str, Any]) -> dict[str, Any]:
        if number == number_of_open:
            del record["rules"]
            return record if rules is None else {**record, "rules": rules}
        if number in (50, 60):
            record["out"]["plan"] = 9
        return record

    _rewrite(path, change)
    result = replay(path)
    assert (result.ticks, result.matched, result.first_mismatch) == (40, 40, None)
    assert result.others == {rules or 1: Count(100, 98)}
    assert not result.same


@pytest.mark.parametrize("rules", ["two", True, [2]])
def test_rules_without_a_number_are_damage(site: Site, rules: object) -> None:
    path = _record(site, 3)
    _rewrite(path, lambda number, record: {**record, "rules": rules} if number == 0 else record)
    with pytest.raises(JournalError, match="no number of rules"):
        replay(path)


def test_a_runs_own_number_is_part_of_what_is_replayed(site: Site) -> None:
    path = site.state_dir / JOURNAL_NAME
    journal = Journal(path)
    journal.append(opening(site, 1, 2**63 + 5))
    for record in _seconds(site, 1, 60, nonce=2**63 + 5):
        journal.append(record)
    journal.close()
    assert replay(path).same
    _rewrite(path, lambda number, record: {**record, "nonce": 6} if number == 0 else record)
    first = replay(path).first_mismatch
    assert first is not None
    assert list(first.fields) == ["command"]


def test_a_changed_input_changes_what_follows(site: Site) -> None:
    path = _record(site, 100)

    def forge(number: int, record: dict[str, Any]) -> dict[str, Any]:
        if number == 85:
            record["in"]["words"] = None
        return record

    _rewrite(path, forge)
    result = replay(path)
    assert not result.same
    assert result.first_mismatch is not None
    assert result.first_mismatch.tick == 84


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("v", 2, "version 2"),
        ("corridor_digest", "0" * 16, "has changed since"),
        ("policy", "wishful", "the policy is not to be had"),
        ("corridor", "nowhere.json", "the corridor is not to be had"),
        ("commitments", {"nowhere": 8}, "incomplete open record"),
        ("commitments", None, "incomplete open record"),
        ("epoch", "x", "incomplete open record"),
    ],
)
def test_a_run_that_cannot_be_put_together_again(site: Site, key: str, value: Any, message: str) -> None:
    path = _record(site, 2)
    _rewrite(path, lambda number, record: {**record, key: value} if number == 0 else record)
    with pytest.raises(JournalError, match=message) as caught:
        replay(path)
    assert "line 1" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n, r: None if n == 0 else r, "without an open record"),
        (lambda n, r: {**r, "i": "nowhere"} if n == 1 else r, "without an open record"),
        (lambda n, r: {**r, "in": {}} if n == 1 else r, "field tick"),
        (lambda n, r: {**r, "out": {**r["out"], "mode": "HAPPY"}} if n == 1 else r, "field mode"),
        (lambda n, r: {"k": "event"} if n == 0 else None, "no run is recorded"),
    ],
)
def test_records_that_make_no_sense(site: Site, change: Any, message: str) -> None:
    path = _record(site, 2)
    _rewrite(path, change)
    with pytest.raises(JournalError, match=message):
        replay(path)


def test_a_journal_from_before_reasons_were_in_vietnamese_can_still_be_read(site: Site) -> None:
    path = _record(site, 100)

    def older(number: int, record: dict[str, Any]) -> dict[str, Any]:
        if number:
            del record["out"]["why_vi"]
        return record

    _rewrite(path, older)
    result = replay(path)
    assert result.ticks == 100
    assert result.first_mismatch is not None
    assert list(result.first_mismatch.fields) == ["why_vi"], "all else is reproduced"


def test_a_journal_from_before_there_were_orders_replays_all_the_same(site: Site) -> None:
    path = _record(site, 60)

    def older(number: int, record: dict[str, Any]) -> dict[str, Any]:
        if number:
            del record["in"]["orders"], record["out"]["orders"]
        else:
            del record["orders"]
        return record

    _rewrite(path, older)
    assert replay(path).same


def test_a_reason_in_any_script_replays(site: Site) -> None:
    """Written as it was heard, it is no longer than an order may be; escaped it would be."""
    path = _record(site, 2)
    given = Release(
        id="r", intersection=INTERSECTION.id, actor="lan", role=Role.OPERATOR, reason="𡨸" * 200, issued_s=1
    )
    assert parse(body(given)) == given
    journal = Journal(path)
    journal.append({"k": "order", "t": 2, "order": given.model_dump(mode="json")})
    journal.close()
    assert replay(path).same


@pytest.mark.parametrize("order", [{}, {"kind": "hold"}, None, {"t": "x"}])
def test_an_order_record_that_holds_none(site: Site, order: Any) -> None:
    path = _record(site, 2)
    journal = Journal(path)
    journal.append({"k": "order", "t": 2, "order": order})
    journal.close()
    with pytest.raises(JournalError, match="not an order"):
        replay(path)


def test_a_changed_line_is_the_chains_affair(site: Site) -> None:
    path = _record(site, 5)
    text = path.read_text().replace('"tick":3', '"tick":7')
    path.write_text(text)
    with pytest.raises(JournalError, match="line 5: the chain is broken"):
        replay(path)


def test_the_site_may_have_moved_on(site: Site) -> None:
    """The open record holds the overrides: a site file that was edited since does not matter."""
    path = _record(site, 30)
    site.path.unlink()
    assert replay(path).same
    opened = json.loads(path.read_text().splitlines()[0])
    assert opened["commitments"] == {INTERSECTION.id: 5}
    assert replace(INTERSECTION, commitment_s=5) == site.intersections[0]
