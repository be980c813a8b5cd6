"""What the demo's centre looks out for: rules that can find something, and do."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from denxanh.cli.demo_city import write_city
from denxanh.controller.alarms import STARVED
from denxanh.controller.centre import city
from denxanh.controller.centre.notify.condition import Minute, ModeSince, Snapshot
from denxanh.controller.centre.notify.finding import find
from denxanh.controller.centre.notify.tables import NotifyTable
from denxanh.controller.clock import VIETNAM
from denxanh.controller.health import Symptom
from denxanh.controller.ladder import Cause
from denxanh.plc.contract import Fault

MORNING = int(datetime(2026, 11, 23, 7, 0, tzinfo=VIETNAM).timestamp() * 1000)
MINUTE_MS = 60_000


@pytest.fixture
def rules(tmp_path: Path) -> NotifyTable:
    write_city(tmp_path / "city.toml")
    return city.load(tmp_path / "city.toml").notify


def test_every_pattern_names_an_alarm_that_there_is(rules: NotifyTable) -> None:
    known = {
        *(cause.value for cause in Cause),
        STARVED,
        *(f"fault-{fault.name or ''}".lower() for fault in Fault),
        *(f"detector-{symptom}" for symptom in Symptom),
    }
    patterns = [pattern for rule in rules.rule if rule.what == "alarm" for pattern in rule.causes]
    assert patterns
    for pattern in patterns:
        assert any(fnmatchcase(cause, pattern) for cause in known), pattern


def test_nobody_outside_is_told(rules: NotifyTable) -> None:
    assert (rules.channel, rules.digest) == ((), ())


@pytest.mark.parametrize(("share", "found"), [(0.2, []), (1.5, [("un-tac", "X1", "X1_n")])])
def test_a_long_queue_becomes_a_notice_and_a_short_one_does_not(
    rules: NotifyTable, share: float, found: list[tuple[str, str, str]]
) -> None:
    (limit,) = (rule for rule in rules.rule if rule.what == "queue")
    length = int(limit.for_min) + 2
    now = MORNING + length * MINUTE_MS
    queued = {"X1_n": share * limit.over_pcu, "X1_s": 0.5}
    seen = Snapshot(
        now_ms=now,
        site_ms=now,
        stored_ms=now,
        heard_ms={"X1": now},
        modes=(ModeSince("X1", (("ADAPTIVE", MORNING),)),),
        minutes={"X1": tuple(Minute(MORNING + n * MINUTE_MS, queued, 0.9) for n in range(length))},
        approaches={"X1_n": ("từ bắc", "from the north")},
    )
    told = [one for rule in rules.rule for one in find(rule, seen, {}, {})]
    assert [one.key for one in told if one.lasting_ms >= limit.for_min * MINUTE_MS] == found
    assert all(
        one.words == ("hàng chờ dài từ bắc, đến 22 xe con quy đổi", "long queue from the north, up to 22 pcu")
        for one in told
    )
