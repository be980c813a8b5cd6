"""Alarms, audit, traffic flow and signal-state log: in order, the same again, valid by their schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import insert, update

from denxanh.controller.centre.exports.evidence import GENESIS, broken, digest
from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.centre.feeds.sources.audit import severity
from denxanh.controller.centre.feeds.sources.cef import line
from denxanh.controller.centre.feeds.sources.timed import written
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import events, minutes, quarter_hours, signal_events, spans
from denxanh.controller.highres.codes import Code
from denxanh.errors import StoreError
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads_corridor

CORRIDOR = crossroads_corridor(2)
ONE, TWO = (one.id for one in CORRIDOR.intersections)
NOON = 1_795_000_200_000 // 900_000 * 900_000
"""A whole quarter of an hour."""
MINUTE, PACKAGE, QUARTER = 60_000, 300_000, 900_000
SOURCE_NAMES = ("events", "alarms", "flow-1min", "flow-15min", "signal-log", "audit")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """SQLite alone: what differs between databases, `test_numbered_sources.py` and the last test look at."""
    found = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield found
    found.close()


@lru_cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(
        files("denxanh.controller.centre").joinpath(f"schemas/{name}-v1.schema.json").read_text()
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read(store: Store, name: str, after: str | None = None, limit: int = 1000) -> Sequence[Message]:
    with store.reading() as connection:
        found = SOURCES[name](CORRIDOR).read(connection, after, limit)
    check = validator(name)
    for one in found:
        check.validate(json.loads(json.dumps(dict(one.body), allow_nan=False)))
    return found


def fill_minutes(store: Store, count: int, lanes: int = 2, **changes: Any) -> None:
    row = {"seconds": 60, "queued_mean": 4.0, "queued_max": 9.0, "moving_mean": 1.0, "confidence_min": 0.9}
    rows = [
        {"intersection": place, "minute_ms": NOON + n * MINUTE, "lane": lane, **row, **changes}
        for n in range(count)
        for place in (ONE, TWO)
        for lane in range(lanes)
    ]
    with store.writing() as connection:
        connection.execute(insert(minutes), rows)


def span(place: str, began: int, ended: int | None, aspects: str, **changes: Any) -> dict[str, Any]:
    row = {
        "intersection": place,
        "began_ms": NOON + began,
        "ended_ms": None if ended is None else NOON + ended,
    }
    return {
        **row,
        "aspects": aspects,
        "stage": 0,
        "in_interstage": False,
        "mode": "PLAN",
        "plan": 2,
        **changes,
    }


def see(place: str, at: int, code: Code, parameter: int = 0) -> dict[str, Any]:
    return {"intersection": place, "at_ms": NOON + at, "code": code.value, "parameter": parameter}


def letters(group: int, aspect: str) -> str:
    groups = CORRIDOR.intersections[0].groups
    return "".join(aspect if n == group else "r" for n in range(len(groups)))


def test_every_source_has_a_schema_that_lets_nothing_else_through() -> None:
    assert tuple(SOURCES) == SOURCE_NAMES
    for name in SOURCES:
        schema = validator(name).schema
        assert isinstance(schema, dict)
        open_ = [place for place, part in objects(schema) if part.get("additionalProperties") is not False]
        assert [one for one in open_ if "context" not in one] == []
        text = json.dumps(list(names_of(schema))).lower()
        for word in ("plate", "image", "photo", "face", "biển", "video", "owner"):
            assert word not in text, (name, word)


def objects(schema: Any, place: str = "$") -> Any:
    if isinstance(schema, dict):
        if "properties" in schema or schema.get("type") == "object":
            yield place, schema
        for key, part in schema.items():
            yield from objects(part, f"{place}.{key}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from objects(part, f"{place}[{number}]")


def names_of(schema: Any) -> Any:
    for _, part in objects(schema):
        yield from part.get("properties", {})


def test_a_plate_is_refused_by_every_schema(store: Store) -> None:
    fill_minutes(store, 3)
    body = dict(read(store, "flow-1min")[0].body)
    for smuggled in ({"plate": "65A-123.45"}, {"image": "https://x"}, {"vehicleType": "car"}):
        with pytest.raises(jsonschema.ValidationError):
            validator("flow-1min").validate({**body, **smuggled})


# alarms


def raise_and_clear(store: Store, place: str, words: str = "The cabinet's door is open") -> None:
    row = {"run": 1, "intersection": place, "cause": "door", "mode_from": None, "mode_to": None}
    rows = [
        {**row, "at_ms": NOON, "kind": "mode", "text_vi": "…", "text_en": "…"},
        {**row, "at_ms": NOON + 1000, "kind": "alarm", "text_vi": "Cửa tủ đang mở", "text_en": words},
        {
            **row,
            "at_ms": NOON + 9000,
            "kind": "alarm-cleared",
            "text_vi": "Hết cảnh báo: Cửa tủ đang mở",
            "text_en": f"Cleared: {words}",
        },
    ]
    with store.writing() as connection:
        for one in rows:
            connection.execute(insert(events), one)


def test_an_alarm_is_raised_and_cleared_under_one_key(store: Store) -> None:
    raise_and_clear(store, ONE)
    raise_and_clear(store, TWO)
    raise_and_clear(store, "")
    found = read(store, "alarms")
    assert [one.body["state"] for one in found] == ["raised", "cleared"] * 3
    keys = [one.body["alarm"] for one in found]
    assert [keys[0], keys[2], keys[4]] == [keys[1], keys[3], keys[5]]
    assert len(set(keys)) == 3
    assert [one.topic for one in found[::2]] == [f"alarm/{ONE}", f"alarm/{TWO}", "alarm"]
    assert found[1].body["text_vi"] == "Cửa tủ đang mở"
    assert read(store, "alarms", found[0].position) == found[1:]
    assert read(store, "alarms", found[-1].position) == []


# audit


def test_the_audit_log_comes_with_its_chain_and_as_cef(store: Store) -> None:
    wicked = "bob\nCEF:0|x|y|z|1|n|10|act=root\\|a=b"
    audit.append(
        store,
        actor=wicked,
        role="operator",
        action="order.hold",
        target=ONE,
        outcome="refused",
        detail={"address": "10.0.0.7", "reason": "a=b|c\\d\nsecond line"},
    )
    audit.append(store, actor="ann", role="", action="login", target="ann", outcome="done", detail={})
    first, second = read(store, "audit")
    assert [first.body["seq"], second.body["seq"]] == [1, 2]
    assert second.body["previous"] == first.body["hash"]
    text = first.body["cef"]
    assert len(text.splitlines()) == 1
    head = re.split(r"(?<!\\)\|", text)
    assert head[:3] == ["CEF:0", "Den Xanh", "denxanh"]
    assert head[4:7] == ["order.hold", "order.hold refused", "8"]
    assert " src=10.0.0.7 " in text
    assert "reason=a\\=b|c\\\\d second line" in text
    assert f"rt={_ms(store)}" in text
    assert (first.body["severity"], second.body["severity"]) == (4, 6)
    rows = [{**one.body, "at_ms": at} for one, at in zip((first, second), _all_ms(store), strict=True)]
    assert audit.check(rows).first_broken is None


def _all_ms(store: Store) -> list[int]:
    with store.reading() as connection:
        return [row.at_ms for row in connection.execute(audit.audit.select().order_by(audit.audit.c.seq))]


def _ms(store: Store) -> int:
    return _all_ms(store)[0]


def test_what_is_refused_weighs_more() -> None:
    assert severity("login", "done") < severity("order.hold", "done") < severity("token.issue", "done")
    assert (
        severity("order.hold", "done")
        < severity("order.hold", "refused")
        < severity("token.issue", "refused")
    )
    assert severity("something.new", "done") == 5


def test_a_cef_line_escapes_what_would_break_it() -> None:
    assert line("1", "a|b", "c\\d", 3, {"msg": "x=y\\z", "act": ""}) == (
        "CEF:0|Den Xanh|denxanh|1|a\\|b|c\\\\d|3|msg=x\\=y\\\\z"
    )


# flow


def test_minutes_come_once_they_are_complete(store: Store) -> None:
    fill_minutes(store, 4)
    found = read(store, "flow-1min")
    assert len(found) == 3 * 2 * 2, "the newest minute may still get a second piece"
    assert found[0].topic == f"flow-1min/{ONE}"
    body = found[0].body
    assert body["id"] == f"urn:ngsi-ld:TrafficFlowObserved:{ONE}:lane:{CORRIDOR.intersections[0].lanes[0].id}"
    assert "intensity" not in body
    assert "congested" not in body, "five minutes say whether it is"
    assert body["queueMean"] == 4.0
    assert len({one.id for one in found}) == len(found)
    times = [one.body["dateObservedFrom"] for one in found]
    assert times == sorted(times)


def test_a_feed_of_minutes_goes_on_wherever_it_was(store: Store) -> None:
    fill_minutes(store, 5)
    whole = read(store, "flow-1min")
    for number in range(len(whole)):
        assert read(store, "flow-1min", whole[number].position) == whole[number + 1 :]
    pieces: list[Message] = []
    while step := read(store, "flow-1min", pieces[-1].position if pieces else None, 3):
        pieces += step
    assert pieces == whole


def test_congestion_is_told_by_the_published_definition(store: Store) -> None:
    lanes = len(CORRIDOR.intersections[0].lanes)
    full = max(lane.storage_pcu for lane in CORRIDOR.intersections[0].lanes)
    fill_minutes(store, 7, lanes=lanes, queued_mean=full)
    last = [one for one in read(store, "flow-1min") if one.body["laneId"] == 0][-1]
    assert last.body["congested"] is True


def test_a_position_beyond_the_store_is_refused(store: Store) -> None:
    fill_minutes(store, 3)
    far = written(NOON + 86_400_000, 0)
    with pytest.raises(StoreError, match="further than the store goes"):
        read(store, "flow-1min", far)
    for wrong in (
        "",
        "x",
        "[1]",
        "[1,2,3]",
        '["1",2]',
        "[1.5,2]",
        "[true,1]",
        "[1,-1]",
        "9" * 5000,
        "[" * 9999,
    ):
        with pytest.raises(StoreError, match="is no position of flow-1min"):
            read(store, "flow-1min", wrong)


def test_minutes_that_were_removed_are_a_gap(store: Store) -> None:
    fill_minutes(store, 9)
    first = read(store, "flow-1min")[0]
    with store.writing() as connection:
        connection.execute(minutes.delete().where(minutes.c.minute_ms < NOON + 5 * MINUTE))
    with store.reading() as connection:
        source = SOURCES["flow-1min"](CORRIDOR)
        gap = source.gap(connection, first.position)
        assert gap is not None
        assert gap.count == 4
        assert source.gap(connection, gap.position) is None
        assert source.read(connection, gap.position, 1)[0].body["dateObservedFrom"].endswith("+07:00")
        end = source.end(connection)
        assert end is not None
        assert source.read(connection, end, 1) == []


def test_lanes_that_the_corridor_does_not_have_are_left_out(store: Store) -> None:
    fill_minutes(store, 3, lanes=99)
    assert {one.body["laneId"] for one in read(store, "flow-1min") if one.place == ONE} == set(
        range(len(CORRIDOR.intersections[0].lanes))
    )


def quarter(place: str, number: int, phase: int, **changes: Any) -> dict[str, Any]:
    counts = dict.fromkeys(
        (
            *("arrivals", "arrivals_on_green", "split_failures", "yellow_entries", "red_entries"),
            *("pedestrian_calls", "pedestrian_delay_s", "wait_max_s", "volume"),
        )
    )
    sure = {"known_s": 899.6, "cycles": 9, "green_s": 300.0, "yellow_s": 27.0}
    ends = {"gap_outs": 3, "max_outs": 3, "force_offs": 3}
    row = {"intersection": place, "begin_ms": NOON + number * QUARTER, "phase": phase}
    return {**row, **sure, **ends, **counts, **changes}


def test_quarters_have_an_intensity_only_where_somebody_counts(store: Store) -> None:
    rows = [
        quarter(ONE, 0, 1, volume=57, yellow_entries=2),
        quarter(ONE, 0, 2),
        quarter(ONE, 1, 1, volume=9),
        quarter(TWO, 0, 1, volume=0),
    ]
    with store.writing() as connection:
        for one in rows:
            connection.execute(insert(quarter_hours), one)
    found = read(store, "flow-15min")
    assert [one.body.get("intensity") for one in found] == [57, None, 0, 9], "oldest first"
    assert found[0].body["knownSeconds"] == 900
    assert found[0].body["yellowEntries"] == 2
    assert "averageVehicleSpeed" not in found[0].body


def test_pedestrian_phases_carry_no_vehicles(store: Store) -> None:
    kinds = [group.kind.value for group in CORRIDOR.intersections[0].groups]
    with store.writing() as connection:
        for number in range(len(kinds)):
            connection.execute(insert(quarter_hours), quarter(ONE, 0, number + 1, volume=1))
    assert len(read(store, "flow-15min")) == kinds.count("vehicle")


def test_entities_of_the_catalogue_are_located(store: Store) -> None:
    corridor = catalogue.corridor("truc-30-4-hoa-binh")
    place = corridor.intersections[0]
    row = {
        "seconds": 60,
        "queued_mean": 4,
        "queued_max": 9,
        "moving_mean": 1,
        "confidence_min": 0.9,
        "lane": 0,
    }
    with store.writing() as connection:
        for number in range(2):
            at = NOON + number * MINUTE
            connection.execute(insert(minutes), {"intersection": place.id, "minute_ms": at, **row})
    with store.reading() as connection:
        (one,) = SOURCES["flow-1min"](corridor).read(connection, None, 10)
    validator("flow-1min").validate(json.loads(json.dumps(dict(one.body))))
    east, north = one.body["location"]["coordinates"][-1]
    assert place.lonlat is not None
    assert abs(east - place.lonlat[0]) < 0.0005
    assert abs(north - place.lonlat[1]) < 0.0005


# the signal-state log


def put(store: Store, spans_: Sequence[dict[str, Any]], seen: Sequence[dict[str, Any]]) -> None:
    with store.writing() as connection:
        connection.execute(insert(spans), list(spans_))
        connection.execute(insert(signal_events), list(seen))


def states(message: Message, group: int) -> list[tuple[str, str, str]]:
    return [
        (one["aspect"], one["from"][14:19], one["until"][14:19])
        for one in message.body["groups"][group]["states"]
    ]


def street(store: Store) -> None:
    """Green for 30 s, yellow for 3 s, red; seen all the time."""
    put(
        store,
        [
            span(ONE, 0, 30_000, letters(0, "G")),
            span(ONE, 30_000, 33_000, letters(0, "y")),
            span(ONE, 33_000, 1_500_000, letters(0, "r")),
        ],
        [see(ONE, 0, Code.REGAINED)],
    )
    fill_minutes(store, 12)


def test_states_follow_each_other_with_their_bounds(store: Store) -> None:
    street(store)
    found = read(store, "signal-log")
    assert [one.body["from"][11:19] for one in found] == sorted(one.body["from"][11:19] for one in found)
    assert len(found) == 2, "the third package is not complete"
    begin = found[0].body["from"][14:19]
    assert states(found[0], 0)[0] == ("green", begin, "10:30" if begin == "10:00" else begin[:3] + "30")
    green, yellow, red = found[0].body["groups"][0]["states"]
    assert (green["not_before"], green["not_after"]) == (None, None)
    assert yellow["not_before"][17:23] == "29.000"
    assert yellow["not_after"][17:23] == "31.000"
    assert [yellow["aspect"], red["aspect"]] == ["yellow", "red"]
    assert red["until"] == found[0].body["until"]
    assert found[1].body["groups"][0]["states"][0]["not_before"] is None
    for message in found:
        for group in message.body["groups"]:
            assert group["states"][0]["from"] == message.body["from"]
            assert group["states"][-1]["until"] == message.body["until"]
            assert all(one["until"] == two["from"] for one, two in pairwise(group["states"]))


def test_packages_are_chained_and_a_change_shows(store: Store) -> None:
    street(store)
    found = read(store, "signal-log")
    bodies = [json.loads(json.dumps(dict(one.body))) for one in found]
    assert broken(bodies) is None
    assert bodies[1]["previous"] == bodies[0]["hash"] == digest(bodies[0])
    fresh = read(store, "signal-log", found[0].position)
    assert fresh == found[1:], "whoever begins in the middle of a day comes to the same hashes"
    bodies[0]["groups"][0]["states"][1]["from"] = bodies[0]["groups"][0]["states"][1]["until"]
    assert "was changed" in str(broken(bodies))
    bodies[0]["hash"] = digest(bodies[0])
    assert "does not follow" in str(broken(bodies))


def test_what_nobody_saw_is_unknown(store: Store) -> None:
    street(store)
    put(store, [span(TWO, 0, None, letters(0, "G"))], [see(TWO, 60_000, Code.REGAINED)])
    with store.writing() as connection:
        connection.execute(
            insert(signal_events), [see(ONE, 100_000, Code.LOST, 1), see(ONE, 160_000, Code.REGAINED)]
        )
    one, two = read(store, "signal-log")[:2]
    assert [state[0] for state in states(one, 0)] == ["green", "yellow", "red", "unknown", "red"]
    assert one.body["groups"][0]["states"][-1]["not_before"] is None
    assert [state[0] for state in states(two, 0)] == ["unknown", "green"]


def test_without_any_word_that_lamps_were_read_nothing_is_told(store: Store) -> None:
    put(store, [span(ONE, 0, None, letters(0, "G"))], [see(ONE, 10_000_000, Code.REGAINED)])
    fill_minutes(store, 8)
    assert read(store, "signal-log") == []


def test_a_late_look_widens_the_bounds(store: Store) -> None:
    street(store)
    with store.writing() as connection:
        connection.execute(insert(signal_events), see(ONE, 30_000, Code.BRIDGED, 4))
    yellow = read(store, "signal-log")[0].body["groups"][0]["states"][1]
    assert yellow["not_before"][17:23] == "26.000"
    assert yellow["not_after"][17:23] == "31.000"


def test_a_clock_that_went_back_gives_no_overlap(store: Store) -> None:
    put(
        store,
        [span(ONE, 0, 200_000, letters(0, "G")), span(ONE, 100_000, 250_000, letters(0, "y"))],
        [see(ONE, 0, Code.REGAINED)],
    )
    fill_minutes(store, 8)
    (one,) = (m for m in read(store, "signal-log") if m.place == ONE)
    assert [state[0] for state in states(one, 0)] == ["green", "yellow", "unknown"]


def test_times_without_any_record_have_no_package(store: Store) -> None:
    put(
        store,
        [span(ONE, 0, 1000, letters(0, "G")), span(ONE, 4 * PACKAGE, 4 * PACKAGE + 1000, letters(0, "G"))],
        [see(ONE, 0, Code.REGAINED)],
    )
    fill_minutes(store, 40)
    bodies = [dict(one.body) for one in read(store, "signal-log")]
    assert len(bodies) == 2
    assert broken(bodies) is None
    assert bodies[1]["previous"] == bodies[0]["hash"]


def test_a_chain_begins_anew_with_the_local_day(store: Store) -> None:
    midnight = (NOON + 7 * 3_600_000) // 86_400_000 * 86_400_000 + 17 * 3_600_000 - NOON
    put(
        store,
        [span(ONE, midnight - PACKAGE, midnight + PACKAGE, letters(0, "G"))],
        [see(ONE, midnight - PACKAGE, Code.REGAINED)],
    )
    with store.writing() as connection:
        row = {
            "seconds": 60,
            "queued_mean": 0,
            "queued_max": 0,
            "moving_mean": 0,
            "confidence_min": 1,
            "lane": 0,
        }
        at = NOON + midnight + 2 * PACKAGE
        connection.execute(insert(minutes), {"intersection": ONE, "minute_ms": at, **row})
    bodies = [dict(one.body) for one in read(store, "signal-log")]
    assert [one["from"][11:16] for one in bodies] == ["23:55", "00:00"]
    assert [one["previous"] for one in bodies] == [GENESIS, GENESIS]
    assert broken(bodies) is None


def test_a_mode_and_its_plan_stand_beside_the_lamps(store: Store) -> None:
    street(store)
    with store.writing() as connection:
        connection.execute(update(spans).where(spans.c.began_ms == NOON).values(mode="FLASH", plan=None))
    modes = read(store, "signal-log")[0].body["modes"]
    assert [(one["mode"], one["plan"]) for one in modes] == [("FLASH", None), ("PLAN", 2)]


def test_both_databases_give_the_same(empty_database: Callable[[str], str]) -> None:
    told = []
    for kind in ("sqlite", "postgresql"):
        store = open_store(empty_database(kind))
        street(store)
        raise_and_clear(store, ONE)
        with store.writing() as connection:
            connection.execute(insert(quarter_hours), quarter(ONE, 0, 1, volume=57))
        told.append({name: read(store, name) for name in SOURCES if name not in ("events", "audit")})
        store.close()
    assert told[0] == told[1]
    assert all(told[0].values())
