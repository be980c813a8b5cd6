"""The notifier over a real store and real receivers: outages, kills, storms, clocks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.notify import notifier as notifiers
from denxanh.controller.centre.notify.notifier import Notifier, alone, carrier
from denxanh.controller.centre.notify.outbox import Lane
from denxanh.controller.centre.notify.overview import acknowledge, waiting_now
from denxanh.controller.centre.notify.posting import MAX_REFUSALS, Posted
from denxanh.controller.centre.notify.tables import NotifyTable
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.store import audit, queries
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import alarms, deliveries, feed_positions, notices
from denxanh.controller.clock import VIETNAM
from denxanh.errors import LeaseError, StoreError
from denxanh.networks.example import crossroads_corridor

NOON = int(datetime(2026, 11, 26, 12, 0, tzinfo=VIETNAM).timestamp() * 1000)
MIN = 60_000
RULE = {"name": "link", "what": "alarm", "causes": ["*"], "severity": "critical", "channels": ["hook"]}


class Clock:
    """The computer's clock, set by hand."""

    def __init__(self, at_ms: int = NOON) -> None:
        self.ms = at_ms

    def __call__(self) -> int:
        return self.ms


Make = Callable[..., Notifier]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(lite: Store, receiver: Any, tmp_path: Path, key_file: Path, clock: Clock) -> Make:
    """A notifier with a webhook `hook`, and whatever else is named."""
    hook = {"name": "hook", "kind": "webhook", "url": receiver.url, "key_file": key_file.name, "timeout_s": 1}

    def notifier(rules: Any = (RULE,), channels: Any = (), digests: Any = (), **hook_too: Any) -> Notifier:
        table = NotifyTable.model_validate(
            {"rule": list(rules), "channel": [{**hook, **hook_too}, *channels], "digest": list(digests)}
        )
        carriers = {one.name: carrier(one, tmp_path) for one in table.channel}
        return Notifier(lite, table, crossroads_corridor(2), carriers, now_ms=clock)

    return notifier


def post_all(notifier: Notifier, lane: str = "hook", to: str = "") -> None:
    while notifier.post(Lane(lane, to)) is Posted.SENT:
        pass


def said(receiver: Any) -> list[tuple[str, str | None]]:
    return [(one["kind"], one["intersection"]) for body in receiver.bodies() for one in body["notices"]]


def raised(store: Store, count: int, clock: Clock) -> None:
    """So many alarms at once, each of another cause."""
    row = {"run": 1, "intersection": "X1", "text_vi": "lỗi", "text_en": "fault", "raised_ms": clock.ms}
    with store.writing() as connection:
        connection.execute(insert(alarms), [{**row, "cause": f"fault-{n}"} for n in range(count)])


def test_from_the_journal_to_the_receiver_and_back_to_good(
    make: Make, town: Any, receiver: Any, link_events: Any, clock: Clock
) -> None:
    lost, back = link_events
    place = town.corridor.intersections[0].id
    notifier = make()
    town.seconds(5)
    town.event(place, lost)
    assert notifier.look() == 1
    assert notifier.look() == 0
    post_all(notifier)
    assert said(receiver) == [("raised", place)]
    town.event(place, back)
    notifier.look()
    town.seconds(301)
    clock.ms += 6 * MIN
    notifier.look()
    post_all(notifier)
    assert said(receiver) == [("raised", place), ("cleared", place)]
    assert receiver.bodies()[1]["notices"][0]["lasted_s"] == 360


def test_a_link_that_flaps_all_day_is_one_message(
    make: Make, town: Any, receiver: Any, link_events: Any, clock: Clock
) -> None:
    place = town.corridor.intersections[0].id
    notifier = make()
    for _ in range(12):
        for event in link_events:
            town.event(place, event)
            town.seconds(59)
            clock.ms += MIN
            notifier.look()
            post_all(notifier)
    assert said(receiver) == [("raised", place)]


def test_restarts_lose_and_repeat_nothing(make: Make, town: Any, receiver: Any, link_events: Any) -> None:
    place = town.corridor.intersections[0].id
    town.event(place, link_events[0])
    make().look()
    for _ in range(3):
        make().look()
        post_all(make())
    assert said(receiver) == [("raised", place)]


def test_an_acknowledgement_in_the_console_ends_the_escalation(
    make: Make, town: Any, receiver: Any, link_events: Any, lite: Store, clock: Clock
) -> None:
    escalate = [{"after_min": 15, "channels": ["hook"]}, {"after_min": 30, "channels": ["hook"]}]
    notifier = make([{**RULE, "escalate": escalate}])
    town.event(town.corridor.intersections[0].id, link_events[0])
    notifier.look()
    clock.ms += 15 * MIN
    notifier.look()
    with lite.writing() as connection:
        number = connection.execute(select(alarms.c.id)).scalar_one()
        queries.acknowledge(connection, number, by="an")
    clock.ms += 30 * MIN
    notifier.look()
    post_all(notifier)
    assert [kind for kind, _ in said(receiver)] == ["raised", "escalated"]


def test_taking_note_by_hand(make: Make, lite: Store, clock: Clock) -> None:
    raised(lite, 1, clock)
    make([{**RULE, "escalate": [{"after_min": 1, "channels": ["hook"]}]}]).look()
    with lite.writing() as connection:
        assert acknowledge(connection, 1, Actor("unix:an"), "đã cử đội")
        assert not acknowledge(connection, 1, Actor("unix:binh"), "tôi nữa")
        with pytest.raises(StoreError, match="no notice 9"):
            acknowledge(connection, 9, Actor("x"), "y")
        assert connection.execute(select(notices.c.acknowledged_by, notices.c.note)).one() == (
            "unix:an",
            "đã cử đội",
        )
    clock.ms += 5 * MIN
    assert make([{**RULE, "escalate": [{"after_min": 1, "channels": ["hook"]}]}]).look() == 0
    assert [row["action"] for row in audit.search(lite).rows] == ["notice.acknowledge"]


def test_a_storm_of_alarms_is_a_few_messages(make: Make, receiver: Any, lite: Store, clock: Clock) -> None:
    sms = {
        "name": "sms",
        "kind": "sms",
        "url": receiver.url,
        "to": ["0912345678", "0987654321"],
        "fields": {"to": "{to}", "text": "{text}"},
    }
    notifier = make([{**RULE, "channels": ["hook", "sms"]}], [sms])
    raised(lite, 1200, clock)
    began = time.monotonic()
    notifier.look()
    assert time.monotonic() - began < 20
    post_all(notifier)
    assert len(receiver.got) == 3
    assert len(said(receiver)) == 1200
    receiver.got.clear()
    post_all(notifier, "sms", "0912345678")
    assert len(receiver.got) == 3
    assert receiver.bodies()[0]["text"].startswith("DEN XANH. 500 canh bao: KHAN. ")
    # The other number has its own lane and still waits for all.
    with lite.reading() as connection:
        assert {one.channel: one.waiting for one in waiting_now(connection)} == {"hook": 0, "sms": 1200}


def test_a_receiver_that_is_away_gets_everything_in_order(
    make: Make, receiver: Any, lite: Store, clock: Clock
) -> None:
    receiver.status = 503
    notifier = make()
    for n in range(3):
        row = {"run": 1, "intersection": "X1", "text_vi": "l", "text_en": "f", "raised_ms": clock.ms + n}
        with lite.writing() as connection:
            connection.execute(insert(alarms).values(cause=f"c{n}", **row))
        clock.ms += MIN
        notifier.look()
        assert notifier.post(Lane("hook", "")) is Posted.FAILED
    with lite.reading() as connection:
        assert "503" in (waiting_now(connection)[0].trouble or "")
        stuck = connection.execute(select(feed_positions)).one()
    assert (stuck.feed, stuck.trouble_ms) == ("notify/hook", NOON + MIN)
    receiver.status = 200
    receiver.got.clear()
    post_all(notifier)
    assert [one["notice"] for body in receiver.bodies() for one in body["notices"]] == [1, 2, 3]
    with lite.reading() as connection:
        healed = connection.execute(select(feed_positions)).one()
    assert (healed.trouble, healed.trouble_ms, healed.sent) == (None, None, 3)


def test_what_is_refused_does_not_block_what_follows(
    make: Make, receiver: Any, lite: Store, clock: Clock
) -> None:
    receiver.status = 422
    notifier = make()
    raised(lite, 1, clock)
    notifier.look()
    for _ in range(MAX_REFUSALS):
        assert notifier.post(Lane("hook", "")) is Posted.FAILED
    assert notifier.post(Lane("hook", "")) is Posted.NOTHING
    with lite.reading() as connection:
        assert waiting_now(connection)[0].aside == 1
    receiver.status = 200
    raised(lite, 2, clock)
    notifier.look()
    post_all(notifier)
    assert receiver.bodies()[-1]["notices"][0]["notice"] == 2


def test_a_receiver_that_was_away_has_refused_nothing(
    make: Make, receiver: Any, lite: Store, clock: Clock
) -> None:
    notifier = make()
    raised(lite, 1, clock)
    notifier.look()
    for status in (*[503] * 2 * MAX_REFUSALS, 422, 503):
        receiver.status = status
        assert notifier.post(Lane("hook", "")) is Posted.FAILED
    receiver.status = 200
    receiver.got.clear()
    post_all(notifier)
    assert said(receiver) == [("raised", "X1")]


def test_at_night_only_what_is_critical(make: Make, receiver: Any, lite: Store, clock: Clock) -> None:
    clock.ms = NOON + 10 * 60 * MIN  # 22:00
    rules = [
        {**RULE, "causes": ["fault-0"]},
        {**RULE, "name": "mild", "severity": "warning", "causes": ["fault-1"]},
    ]
    notifier = make(rules, quiet=["22:00", "06:00"])
    raised(lite, 2, clock)
    notifier.look()
    post_all(notifier)
    assert [one["rule"] for body in receiver.bodies() for one in body["notices"]] == ["link"]
    clock.ms += 8 * 60 * MIN - 1
    post_all(notifier)
    assert len(receiver.got) == 1
    clock.ms += 1
    post_all(notifier)
    assert [one["rule"] for body in receiver.bodies() for one in body["notices"]] == ["link", "mild"]


@pytest.mark.parametrize("jump_min", [-60 * 24 * 30, 60 * 24 * 30])
def test_a_clock_that_jumps_repeats_nothing_and_stops_nothing(
    make: Make, receiver: Any, lite: Store, clock: Clock, jump_min: int
) -> None:
    notifier = make()
    raised(lite, 1, clock)
    notifier.look()
    post_all(notifier)
    clock.ms += jump_min * MIN
    notifier.look()
    post_all(notifier)
    assert len(receiver.got) == 1
    raised(lite, 2, clock)
    notifier.look()
    post_all(notifier)
    assert [one["notice"] for body in receiver.bodies() for one in body["notices"]] == [1, 2]


def test_a_digest_once_a_day(make: Make, receiver: Any, lite: Store, clock: Clock) -> None:
    digests = [{"channel": "hook", "at": "12:05"}]
    rule = {**RULE, "channels": []}
    raised(lite, 2, clock)
    notifier = make([rule], digests=digests)
    for _ in range(30):  # 12:00 to 12:30, and then the clock is set back
        notifier.look()
        clock.ms += MIN
    clock.ms -= 26 * MIN
    for _ in range(30):
        notifier.look()
        clock.ms += MIN
    make([rule], digests=digests).look()
    post_all(notifier)
    (body,) = receiver.bodies()
    (digest,) = body["notices"]
    assert digest["kind"] == "digest"
    assert "2 new, 2 open, 2 not acknowledged" in digest["what"]["en"]
    assert "2 thông báo mới" in digest["what"]["vi"]
    assert len(digest["detail"]) == 2


def test_two_notifiers_of_one_site(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(LeaseError), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


async def test_two_first_signs_of_life_at_once_end_no_notifier(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is not there yet, both insert it, one fails."""
    given, again = [IntegrityError("insert", {}, Exception("is there"))], asyncio.Event()
    loop = asyncio.get_running_loop()

    def put(*_: object) -> None:
        if given:
            raise given.pop()
        loop.call_soon_threadsafe(again.set)

    monkeypatch.setattr(notifiers.positions, "put", put)
    monkeypatch.setattr(notifiers, "BEAT_MS", 1)
    beating = asyncio.create_task(make()._beat_on())
    waiting = asyncio.create_task(again.wait())
    done, _ = await asyncio.wait((beating, waiting), timeout=5, return_when=asyncio.FIRST_COMPLETED)
    beating.cancel()
    waiting.cancel()
    assert done == {waiting}


def test_in_postgresql(postgres: Any, receiver: Any, tmp_path: Path, key_file: Path, clock: Clock) -> None:
    store = open_store(postgres.database())
    hook = {"name": "hook", "kind": "webhook", "url": receiver.url, "key_file": key_file.name}
    table = NotifyTable.model_validate({"rule": [RULE], "channel": [hook]})
    notifier = Notifier(
        store,
        table,
        crossroads_corridor(2),
        {"hook": carrier(table.channel[0], tmp_path)},
        now_ms=clock,
    )
    raised(store, 5, clock)
    assert notifier.look() == 5
    post_all(notifier)
    assert len(said(receiver)) == 5
    with store.reading() as connection:
        assert waiting_now(connection)[0].sent == 5
    store.close()


async def _runs_until_told(notifier: Notifier, receiver: Any) -> None:
    running = asyncio.create_task(notifier.run())
    for _ in range(200):
        await asyncio.sleep(0.05)
        if receiver.got:
            break
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_it_runs_by_itself_and_one_dead_channel_holds_up_nobody(
    make: Make, receiver: Any, lite: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifiers, "LOOK_S", 0.05)
    dead = {
        "name": "dead",
        "kind": "sms",
        "url": "http://127.0.0.1:9/",
        "to": [f"09{n:08}" for n in range(20)],
        "fields": {"to": "{to}"},
    }
    notifier = make([{**RULE, "channels": ["dead", "hook"]}], [dead])
    raised(lite, 1, clock)
    await _runs_until_told(notifier, receiver)
    assert said(receiver) == [("raised", "X1")]


async def test_a_bug_in_a_look_or_a_delivery_ends_neither(
    make: Make, receiver: Any, lite: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifiers, "LOOK_S", 0.05)
    monkeypatch.setattr(notifiers, "FIRST_WAIT_S", 0.01)
    notifier = make([RULE])
    look, post = notifier.look, notifier.post
    failing = {"look": 2, "post": 2}

    def flawed(name: str, really: Any) -> Any:
        def do(*arguments: Any) -> Any:
            failing[name] -= 1
            if failing[name] >= 0:
                raise ZeroDivisionError(name)
            return really(*arguments)

        return do

    monkeypatch.setattr(notifier, "look", flawed("look", look))
    monkeypatch.setattr(notifier, "post", flawed("post", post))
    raised(lite, 1, clock)
    await _runs_until_told(notifier, receiver)
    assert said(receiver) == [("raised", "X1")]


KILLED = """
import sys
from pathlib import Path
from denxanh.controller.centre.notify.notifier import Notifier, carrier
from denxanh.controller.centre.notify.outbox import Lane
from denxanh.controller.centre.notify.tables import NotifyTable
from denxanh.controller.centre.store.archive import open_store
from denxanh.networks.example import crossroads_corridor
import json, time
table = NotifyTable.model_validate(json.loads(sys.argv[2]))
folder = Path(sys.argv[3])
notifier = Notifier(open_store(sys.argv[1]), table, crossroads_corridor(2),
                    {"hook": carrier(table.channel[0], folder)})
while True:
    notifier.look()
    notifier.post(Lane("hook", ""))
    time.sleep(0.001)
"""


def test_killed_anywhere_it_tells_everything_and_under_one_id(
    lite: Store, receiver: Any, tmp_path: Path, key_file: Path
) -> None:
    """kill -9 while it sends: nothing is lost, and what comes twice has the same id and words."""
    hook = {"name": "hook", "kind": "webhook", "url": receiver.url, "key_file": key_file.name}
    table = {"rule": [RULE], "channel": [hook]}
    rounds, each = 3, 8
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    added = 0
    for round_ in range(rounds):
        with lite.writing() as connection:
            row = {"run": 1, "intersection": "X1", "text_vi": "l", "text_en": "f", "raised_ms": NOON}
            connection.execute(insert(alarms), [{**row, "cause": f"{added + n}"} for n in range(each)])
        added += each
        before = len(receiver.got)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(lite.engine.url), json.dumps(table), str(tmp_path)],
            env=environment,
        )
        while len(receiver.got) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(0.01 * round_)
        process.send_signal(signal.SIGKILL)
        process.wait()
    clock = Clock(int(time.time() * 1000))
    checked = NotifyTable.model_validate(table)
    last = Notifier(
        lite,
        checked,
        crossroads_corridor(2),
        {"hook": carrier(checked.channel[0], tmp_path)},
        now_ms=clock,
    )
    last.look()
    post_all(last)
    bodies = {headers["Idempotency-Key"]: body for headers, body in receiver.got}
    assert all(bodies[headers["Idempotency-Key"]] == body for headers, body in receiver.got)
    numbers = Counter(one["notice"] for body in bodies.values() for one in json.loads(body)["notices"])
    assert numbers == Counter(range(1, added + 1))
    with lite.reading() as connection:
        assert connection.execute(select(func.count()).select_from(notices)).scalar_one() == added
        assert (
            connection.execute(select(func.count()).where(deliveries.c.sent_ms.is_(None))).scalar_one() == 0
        )
