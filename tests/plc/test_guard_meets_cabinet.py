"""The guard asks, the cabinet checks: built apart, they must agree.

The controller's guard drives a virtual cabinet through the wire's words only: status out, command in.
Whatever a policy asks of the guard and whoever presses a button, the cabinet has nothing to refuse, and its
monitor nothing to see.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.controller import guard, readback
from denxanh.controller.mode import Mode
from denxanh.errors import GuardError
from denxanh.plc.contract import CabinetMode, Refusal
from denxanh.plc.modbus.registers import decode_report, encode_readings, encode_status

ADAPTIVE_GRACE_S = 2
"""Seconds from the first command until the status says ADAPTIVE."""


class Centre:
    """The least of a controller: guard, read-back, command."""

    def __init__(self, driver) -> None:
        self.driver = driver
        self.config = guard.guard_config(driver.intersection)
        self.state = guard.initial(self.config)
        self.lamps: readback.Lamps | None = None
        self.promised = 0

    def decide(self, request: int, called: tuple[bool, ...], discharging: tuple[bool, ...]) -> Refusal:
        driver = self.driver
        blocks = (encode_status(driver.status), *encode_readings(driver.readings()))
        status = decode_report(blocks, driver.layout).status
        self.lamps = readback.lamps(driver.intersection, status, self.lamps, 1)
        back = readback.read_back(status, self.lamps)
        back = readback.at_boundary(driver.intersection, back, self.lamps)
        self.state = guard.resync(self.config, self.state, back)
        given_ = guard.GuardInput(Mode.ADAPTIVE, request, called, discharging)
        self.state, out = guard.tick(self.config, self.state, given_)
        promise = out.commitment
        if promise is None or back.commitment is not None or back.in_interstage:
            return driver.send()
        self.promised += 1
        if promise.end_in_s == 0:
            return driver.send(stage=promise.next_stage)
        return driver.send(committed_end_ds=10 * promise.end_in_s, committed_next=promise.next_stage)


def meet(driver, rng: random.Random, ticks: int) -> Centre:
    centre = Centre(driver)
    driver.start()
    request = 0
    groups = driver.layout.groups
    refused: list[tuple[int, Refusal]] = []
    for second in range(ticks):
        if rng.random() < 0.15:
            request = rng.randrange(driver.layout.stages)
        buttons = [n for n in range(driver.layout.buttons) if rng.random() < 0.1]
        called = tuple(rng.random() < 0.5 for _ in range(groups))
        refusal = centre.decide(request, called, tuple(rng.random() < 0.8 for _ in range(groups)))
        if refusal is not Refusal.NONE:
            refused.append((second, refusal))
        driver.tick(*buttons)
        if second > ADAPTIVE_GRACE_S:
            assert driver.status.mode is CabinetMode.ADAPTIVE
    assert refused == []
    assert driver.cabinet.conflict is None
    assert driver.observer.faults() == []
    return centre


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_on_any_intersection_the_cabinet_refuses_nothing(seed, make_driver, invent):
    intersection = invent(seed)
    try:
        guard.guard_config(intersection)
    except GuardError:
        return
    meet(make_driver(intersection), random.Random(seed), 300)


@pytest.mark.parametrize("commitment_s", [0, 8])
def test_at_the_crossroads_for_forty_minutes(make_driver, crossroads, commitment_s):
    driver = make_driver(replace(crossroads, commitment_s=commitment_s))
    centre = meet(driver, random.Random(3), 2_400)
    assert centre.promised > 40
