"""The monitor trips on every danger that lamps can show, stays tripped, and never trips on legal lamps."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.networks.model import Aspect, Conflict
from denxanh.plc.cabinet.monitor import ConflictMonitor
from denxanh.plc.contract import CabinetMode, Fault, Refusal

SEEDS = st.integers(0, 100_000)


def watch(monitor: ConflictMonitor, text: str) -> str | None:
    """Feed `letters*seconds` words."""
    for word in text.split():
        letters, _, seconds = word.partition("*")
        for _ in range(int(seconds or 1)):
            monitor.watch([Aspect(letter) for letter in letters])
    return monitor.latched


START = "oooooo*5 rrrrrr*3 "


@pytest.mark.parametrize(
    ("lamps", "cause"),
    [
        ("GGrrrr", "conflict and are lit together"),
        ("GrGrrr", "conflict and are lit together"),
        ("GrgrrW*3 GrGrrW", "conflict and are lit together"),
        ("GrrrWr", "conflict and are lit together"),
        ("Grgrrr*20 yrgrrr*3 rrgrrr rrGrrr", "intergreen of 4 s instead of 5 s"),
        ("Grgrrr*20 yryrrr*3 rGrgrr", "intergreen of 3 s instead of 5 s"),
        ("Grgrrr*20 yryrrr*2 rrrrrr*5", "2 s of yellow instead of 3 s"),
        ("Grgrrr*20 rrrrrr", "without yellow"),
        ("Grgrrr*20 yrgrrr Grgrrr", "from yellow back to green"),
        ("GrgrrW*7 Grgrrr", "without clearance"),
        ("GrgrrW*7 GrgrrC*8 Grgrrr", "8 s of clearance instead of 9 s"),
        ("GrgrrW*7 GrgrrC*9 yryrrr*3 rrrrrr rGrgrr", "intergreen of 4 s instead of 5 s"),
        ("GrgrrW*7 GrgrrC*3 yryrrC*3 rrrrrC*3 rGrgWr", "intergreen"),
        ("rrrrrr yrrrrr", "end of a green that it did not have"),
        ("Grgrro", "some groups flash"),
        ("Grgrr", "5 lamps fed back instead of 6"),
        ("oooooo Grgrrr", "from flashing to green"),
    ],
)
def test_every_danger_latches(crossroads, lamps, cause):
    monitor = ConflictMonitor(crossroads)
    assert cause in (watch(monitor, START + lamps) or "nothing")


def test_only_a_reset_clears_it(crossroads):
    monitor = ConflictMonitor(crossroads)
    cause = watch(monitor, START + "GGrrrr")
    assert cause
    assert watch(monitor, "rrrrrr*100 Grgrrr*20") == cause
    monitor.reset()
    assert watch(monitor, START + "Grgrrr*20") is None


def test_legal_sequences_pass(crossroads):
    lamps = (
        "GrgrrW*7 GrgrrC*9 Grgrrr*4 yrgrrr*3 rrgrrr*2 rrGrrr*8 rryrrr*3 rrrrrr*2 rGrgWr*7 rGrgCr*12 rGrgrr"
    )
    assert watch(ConflictMonitor(crossroads), START + lamps) is None


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_every_injected_conflict_sends_the_cabinet_to_flash_until_reset(seed, make_driver, invent):
    """A welded contact: one red group shows green while a group that it may never join is lit."""
    driver = make_driver(invent(seed))
    rng = random.Random(seed)
    driver.start()
    driver.run(rng.randrange(120))
    for _ in range(150):
        lamps = list(driver.lamps)
        pairs = [
            (lit, dark)
            for lit, aspect in enumerate(lamps)
            for dark, other in enumerate(lamps)
            if driver.intersection.conflicts[lit][dark] is Conflict.PROHIBITED
            if not aspect.is_red and other.is_red
        ]
        if pairs:
            break
        driver.tick()
    else:
        return
    lamps[rng.choice(pairs)[1]] = Aspect.PROTECTED
    driver.lamps = tuple(lamps)
    driver.tick()
    assert set(driver.lamps) == {Aspect.FLASH}
    assert driver.status.mode is CabinetMode.FLASH
    assert driver.status.monitor == 1
    assert Fault.CONFLICT in driver.status.faults
    for _ in range(30):
        assert driver.send() is Refusal.LOCAL_CONTROL
        assert set(driver.tick()) == {Aspect.FLASH}
    driver.cabinet.power_cycle()
    for _ in range(15):
        assert set(driver.tick()) == {Aspect.FLASH}
        assert driver.status.mode is CabinetMode.FLASH
    driver.cabinet.reset_monitor()
    modes = []
    for _ in range(20):
        driver.tick()
        modes.append(driver.status.mode)
    assert modes[0] is CabinetMode.START
    assert modes[-1] is CabinetMode.LOCAL_PLAN
    assert driver.cabinet.conflict is None


def test_lamp_that_does_not_follow_is_a_fault_but_no_conflict(driver):
    driver.start()
    driver.lamps = (Aspect.RED, *driver.lamps[1:])
    # A dead green is also a green that ends without yellow, so the monitor trips as well.
    driver.tick()
    assert driver.status.lamp_fault == 1
    assert Fault.LAMP in driver.status.faults
