"""Rules over rows as a recorder stores them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.notify.condition import Condition, Indicator, Minute, Snapshot
from denxanh.controller.centre.notify.finding import find
from denxanh.controller.centre.notify.reading import Reader
from denxanh.controller.centre.notify.standing import AGAIN_MS, Standing
from denxanh.controller.centre.notify.tables import NotifyTable
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import feed_positions
from denxanh.controller.mode import Mode
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.register import junctions

MIN = 60_000
NOW = 1_764_100_000_000


def found(store: Store, now_ms: int = NOW, **rule: Any) -> dict[str, Condition]:
    """What one rule finds, by place and fault."""
    table = NotifyTable.model_validate({"rule": [{"name": "r", **rule}]})
    with store.reading() as connection:
        seen = Reader(table.rule, crossroads_corridor(2)).look(connection, now_ms)
    return {f"{one.place}/{one.fault}": one for one in find(table.rule[0], seen, {}, {"A": "w1"})}


def test_an_empty_store_is_silent_and_nothing_else(lite: Store) -> None:
    assert list(found(lite, what="silence")) == ["/silence"]
    for rule in (
        {"what": "alarm", "causes": ["*"]},
        {"what": "mode"},
        {"what": "queue", "over_pcu": 1, "under_pcu": 1},
        {"what": "confidence", "under": 0.5, "over": 0.6},
        {"what": "feed"},
        {"what": "indicator"},
    ):
        assert found(lite, **rule) == {}


def test_how_long_it_has_not_been_adaptive(lite: Store, town: Any) -> None:
    first, second = (one.id for one in town.corridor.intersections)
    town.seconds(120)
    town.change(first, Mode.PLAN)
    town.seconds(60)
    town.change(first, Mode.LOCAL)
    town.seconds(200)
    here = found(lite, what="mode")
    assert here[f"{first}/mode"].lasting_ms == 261_000
    # At the second one no change was recorded: so it is since the run began.
    assert here[f"{second}/mode"].lasting_ms == 381_000
    only = found(lite, what="mode", modes=["LOCAL"])
    assert only[f"{first}/mode"].lasting_ms == 200_000
    assert found(lite, what="mode", modes=["FLASH"]) == {}
    assert found(lite, what="mode", wards=["w2"]) == {}
    assert list(found(lite, what="mode", intersections=[second])) == [f"{second}/mode"]


def test_a_queue_by_approach_and_what_ends_it(lite: Store, town: Any) -> None:
    one = town.corridor.intersections[0]
    town.second = 60 - 23_400 % 60 - 1
    town.seconds(300, queued=20.0)
    assert found(lite, what="queue", over_pcu=1000, under_pcu=1000) == {}
    here = found(lite, what="queue", over_pcu=20, under_pcu=10)
    approaches = {lane.approach for lane in one.lanes}
    assert {key.split("/", 1)[1] for key in here if key.startswith(one.id + "/")} == approaches
    # The minute that runs is not stored yet.
    assert {each.lasting_ms for each in here.values()} == {4 * MIN}
    town.seconds(60, queued=1.0)
    town.seconds(1)
    assert found(lite, what="queue", over_pcu=20, under_pcu=10) == {}


def test_detectors_that_are_not_believed(lite: Store, town: Any) -> None:
    town.seconds(240, confidence=0.3)
    places = {one.id for one in town.corridor.intersections}
    assert {key.split("/")[0] for key in found(lite, what="confidence", under=0.5, over=0.6)} == places
    assert found(lite, what="confidence", under=0.3, over=0.3) == {}


def test_one_intersection_falls_silent(lite: Store, town: Any) -> None:
    first, second = (one.id for one in town.corridor.intersections)
    town.seconds(60, queued=50.0)
    for _ in range(3):
        records = []
        for _ in range(60):
            town.second += 1
            records.append(town.tick(second))
        town.take(*records)
    with lite.reading() as connection:
        stored = Reader((), town.corridor).look(connection, NOW).stored_ms
    assert stored is not None
    assert list(found(lite, stored + 5000, what="silence")) == [f"{first}/silence"]
    assert set(found(lite, stored + 3 * MIN, what="silence")) == {f"{first}/silence", "/silence"}
    # What was wrong there is not known to go on.
    assert not any(
        key.startswith(first) for key in found(lite, what="queue", over_pcu=1, under_pcu=0, for_min=1)
    )


def test_a_feed_that_is_stuck(lite: Store) -> None:
    row = {"position": "", "sent": 0, "updated_ms": NOW}
    with lite.writing() as connection:
        connection.execute(
            insert(feed_positions),
            [
                {"feed": "mqtt", "trouble": "cannot be reached", "trouble_ms": NOW - 7 * MIN, **row},
                {"feed": "ioc", "trouble": None, "trouble_ms": None, **row},
            ],
        )
    here = found(lite, what="feed")
    assert [(key, one.lasting_ms) for key, one in here.items()] == [("/feed mqtt", 7 * MIN)]
    assert found(lite, what="feed", feeds=["ioc*"]) == {}


def test_what_a_channels_receiver_answered_is_not_in_a_notice(lite: Store) -> None:
    """It may hold a person's number, and everybody sees notices."""
    row = {"position": "", "sent": 0, "updated_ms": NOW, "trouble_ms": NOW}
    trouble = "sms-gateway: answers 400: bad number 0912345678"
    with lite.writing() as connection:
        for feed in ("notify/sms", "ioc"):
            connection.execute(insert(feed_positions).values(feed=feed, trouble=trouble, **row))
    here = found(lite, what="feed")
    assert here["/feed notify/sms"].words == (
        "luồng dữ liệu notify/sms bị nghẽn",
        "feed notify/sms is stuck",
    )
    assert here["/feed ioc"].words[1] == f"feed ioc is stuck: {trouble}"


def test_an_indicator_at_risk() -> None:
    table = NotifyTable.model_validate({"rule": [{"name": "r", "what": "indicator"}]})
    stands = tuple(Indicator(name, ("Số nút", "Number"), name) for name in ("met", "at-risk", "not-met"))
    seen = Snapshot(NOW, NOW, NOW, indicators=stands)
    assert [one.fault for one in find(table.rule[0], seen, {}, {})] == ["at-risk at-risk"]


def test_indicators_as_the_monthly_report_has_them(lite: Store, town: Any) -> None:
    """A count far below a target that is almost due is at risk; it is read anew an hour later."""
    plan = {"targets": {2026: 1000.0}}
    city = CityFile.model_validate({"indicators": {"its_intersections": plan}})
    standing = Standing(lite, town.corridor, city, junctions(town.corridor))
    assert list(standing(NOW)) == []
    town.seconds(3700)
    assert list(standing(NOW + 1)) == []
    found = {one.id: one.status for one in standing(NOW + AGAIN_MS)}
    assert found["its_intersections"] == "at-risk"


LEVELS = st.lists(st.one_of(st.none(), st.sampled_from([0, 5, 10, 15, 20, 25])), min_size=1, max_size=30)


@given(LEVELS, st.booleans())
def test_between_the_thresholds_it_stays_as_it_was(levels: list[int | None], known: bool) -> None:
    """Against the plain reading of the rule, minute by minute; None is a minute that is missing."""
    table = NotifyTable.model_validate(
        {"rule": [{"name": "r", "what": "queue", "over_pcu": 20, "under_pcu": 10, "for_min": 1}]}
    )
    minutes = tuple(
        Minute(NOW + n * MIN, {"n": value}, 1.0) for n, value in enumerate(levels) if value is not None
    )
    last = minutes[-1].minute_ms if minutes else NOW
    seen = Snapshot(NOW, last, NOW, heard_ms={"A": last}, minutes={"A": minutes})
    expected, begun, gap = 0, known, False
    for value in levels:
        if value is None:
            gap = True
            continue
        begun = value >= 20 or (begun and value >= 10)
        expected = 0 if not begun else 1 if gap else expected + 1
        gap = False
    opened = {("r", "A", "n"): NOW} if known else {}
    here = list(find(table.rule[0], seen, opened, {}))
    assert [one.lasting_ms for one in here] == ([expected * MIN] if expected else [])
