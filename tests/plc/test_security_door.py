"""Who may come in, how often, and what is written in a certificate: the pure part."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.plc.modbus.client import MIN_PAUSE_S
from denxanh.plc.security.certificates import Identity, Role, decode_role, encode_role
from denxanh.plc.security.door import (
    COMMANDS_AT_ONCE,
    COMMANDS_PER_S,
    MAX_CONNECTIONS,
    MAX_PER_PEER,
    REMEMBERED,
    REQUESTS_AT_ONCE,
    REQUESTS_PER_S,
    Bucket,
    Door,
    NotAdmitted,
    Rights,
    Rules,
)

MOST_REQUESTS_OF_A_POLL = 20


def peer(role: str | None) -> Identity:
    from datetime import UTC, datetime

    return Identity(("centre",), role, 1, datetime.now(UTC))


@given(st.lists(st.floats(0.0, 2.0), max_size=200))
def test_a_bucket_never_gives_more_than_burst_and_rate(waits):
    bucket = Bucket(COMMANDS_PER_S, COMMANDS_AT_ONCE, 0.0)
    now, given_out = 0.0, 0
    for wait in waits:
        now += wait
        given_out += bucket.take(now)
        assert given_out <= COMMANDS_AT_ONCE + COMMANDS_PER_S * now + 1e-6


@given(st.lists(st.floats(0.7, 1.6), min_size=1, max_size=300), st.floats(-1e6, 1e6))
def test_an_honest_controller_is_never_refused(beats, begin):
    """One command and one poll a second, however the ticks jitter."""
    commands = Bucket(COMMANDS_PER_S, COMMANDS_AT_ONCE, begin)
    requests = Bucket(REQUESTS_PER_S, REQUESTS_AT_ONCE, begin)
    now = begin
    for beat in beats:
        now += beat
        assert commands.take(now)
        assert all(requests.take(now) for _ in range(MOST_REQUESTS_OF_A_POLL + 1))


@given(st.lists(st.floats(-100.0, 100.0), max_size=60))
def test_a_clock_that_jumps_gives_no_more_than_it_moved_forward(jumps):
    bucket = Bucket(1.0, 2, 0.0)
    now, forward, given_out = 0.0, 0.0, 0
    for jump in jumps:
        now += jump
        forward += max(0.0, jump)
        given_out += bucket.take(now)
        assert given_out <= 2 + forward + 1e-6


@given(
    st.lists(st.tuples(st.sampled_from(("10.0.0.1", "10.0.0.2", "10.0.0.3")), st.booleans()), max_size=120)
)
def test_nobody_crowds_the_others_out(steps):
    door = Door(Rules())
    inside = {"10.0.0.1": 0, "10.0.0.2": 0, "10.0.0.3": 0}
    for host, comes in steps:
        if comes:
            why = door.knock(host)
            full = inside[host] >= MAX_PER_PEER or sum(inside.values()) >= MAX_CONNECTIONS
            assert (why is not None) == full
            inside[host] += why is None
        elif inside[host]:
            door.leave(host)
            inside[host] -= 1


def test_reconnecting_leaves_room():
    """What is just closing counts still; a controller that connects again every 0.1 s gets in."""
    assert MAX_PER_PEER * MIN_PAUSE_S >= 0.5


def test_only_the_listed_addresses():
    door = Door(Rules(networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8"))))
    assert door.knock("10.1.2.3") is None
    assert door.knock("fd00::5") is None
    assert door.knock("10.2.0.1") is NotAdmitted.ADDRESS
    assert door.knock("") is NotAdmitted.ADDRESS
    assert door.knock("fe80::1%eth0") is NotAdmitted.ADDRESS


def test_roles():
    door = Door(Rules())
    assert door.rights(peer(Role.CONTROLLER)) is Rights.COMMAND
    assert door.rights(peer(Role.VIEWER)) is Rights.READ
    assert door.rights(peer(None)) is NotAdmitted.ROLE
    assert door.rights(peer("root")) is NotAdmitted.ROLE
    assert door.rights(None) is Rights.COMMAND
    assert Door(Rules(plain=Rights.READ)).rights(None) is Rights.READ


def test_a_refusal_is_told_once_per_peer_and_memory_is_bounded():
    door = Door(Rules())
    assert door.first_time("10.0.0.9", NotAdmitted.ROLE)
    assert not door.first_time("10.0.0.9", NotAdmitted.ROLE)
    assert door.first_time("10.0.0.9", NotAdmitted.ADDRESS)
    for n in range(3 * REMEMBERED):
        door.first_time(f"host{n}", NotAdmitted.ADDRESS)
    assert len(door._told) <= REMEMBERED


@given(st.text(min_size=1, max_size=16))
def test_a_role_survives_its_encoding(role):
    assert decode_role(encode_role(role)) == role


@given(st.binary(max_size=80))
def test_a_foreign_role_is_read_or_is_none(der):
    found = decode_role(der)
    assert found is None or encode_role(found) == der


@pytest.mark.parametrize("role", ["", "x" * 65])
def test_a_role_has_a_size(role):
    with pytest.raises(ValueError, match="1 to 64"):
        encode_role(role)
