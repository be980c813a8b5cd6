"""Two controllers that hold the same epoch and find a cabinet in the same second: one falls silent."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from denxanh.controller.claim import BARRED, Claim, heard
from denxanh.controller.orders import LONGEST_STEP, RANDOM_STEPS, SEQ_MAX, Orders, first_steps
from denxanh.networks.example import crossroads
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.gate import COUNTER, Gate
from denxanh.plc.contract import Command, LoopReading, Readings, Refusal, ZoneReading
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import encode_command

EPOCH = 5
CROSSROADS = crossroads()
QUIET = Readings(
    (LoopReading(0, 0, False, 0),) * layout(CROSSROADS).loops,
    (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * layout(CROSSROADS).zones,
    (False,) * layout(CROSSROADS).buttons,
)
NONCES = st.integers(1, 2**64 - 1)


@dataclass
class Centre:
    """The part of a controller that decides whether to write, and with which number."""

    orders: Orders
    claim: Claim = Claim.NEW
    sent: list[tuple[int, ...]] = field(default_factory=list)

    def second(self, cabinet: VirtualCabinet) -> tuple[int, ...] | None:
        """What it writes after a poll."""
        status = cabinet.status
        self.claim = heard(self.claim, EPOCH, status.epoch, ours=self.orders.ours(status))
        if self.claim in BARRED:
            return None
        self.claim = Claim.DRIVING
        self.sent.append(encode_command(self.orders.plan(status, 1)))
        return self.sent[-1]


def _play(nonces: Sequence[int], delays: Sequence[Sequence[int]]) -> tuple[list[Centre], list[int], int]:
    """Two centres and one cabinet, second by second; a command arrives `delays` seconds later (-1: never).

    Returns:
        The centres, whose commands were accepted one after the other, and how many in the last seconds.
    """
    cabinet = VirtualCabinet(CROSSROADS, lambda date, second: 1, epoch=EPOCH - 1)
    for second in range(20):
        cabinet.tick(second, "2026-11-23", QUIET, None)
    centres = [Centre(Orders(EPOCH, nonce)) for nonce in nonces]
    under_way: list[tuple[int, int, tuple[int, ...]]] = []
    accepted: list[tuple[int, int]] = []
    for second, row in enumerate((*delays, *((0, 0),) * 6)):
        cabinet.tick(20 + second, "2026-11-23", QUIET, None)
        for who, (centre, delay) in enumerate(zip(centres, row, strict=True)):
            words = centre.second(cabinet)
            if words is not None and delay >= 0:
                under_way.append((second + delay, who, words))
        for due in sorted(one for one in under_way if one[0] <= second):
            under_way.remove(due)
            before = cabinet.commands
            refusal = cabinet.write(due[2])
            if refusal is Refusal.NONE and cabinet.commands > before:
                accepted.append((second, due[1]))
    late = {who for second, who in accepted if second >= len(delays) + 3}
    return centres, [who for _, who in accepted], len(late)


@settings(max_examples=60)
@given(
    st.lists(NONCES, min_size=2, max_size=2, unique=True),
    st.lists(st.tuples(*(st.sampled_from((0, 0, 0, 1, 2, 3, -1)),) * 2), min_size=1, max_size=8),
)
def test_whatever_the_network_does_one_of_the_two_falls_silent_for_good(nonces, delays):
    centres, accepted, writers = _play(nonces, delays)
    assert sum(centre.claim not in BARRED for centre in centres) <= 1
    assert writers <= 1
    assert len([who for who, _ in itertools.groupby(accepted)]) <= 3


@settings(max_examples=25)
@given(st.lists(NONCES, min_size=2, max_size=2, unique=True))
def test_on_a_sound_network_the_other_goes_on_and_one_second_decides(nonces):
    centres, accepted, _ = _play(nonces, [(0, 0)] * 10)
    assert sorted(centre.claim for centre in centres) == ["driving", "foreign"]
    silent = next(centre for centre in centres if centre.claim is Claim.FOREIGN)
    assert len(silent.sent) == 1
    assert set(accepted[2:]) == {next(n for n, one in enumerate(centres) if one is not silent)}


def test_without_numbers_of_their_own_both_would_go_on():
    """So it was, and so older journals say."""
    centres, _, _ = _play((0, 0), [(0, 0)] * 10)
    assert [centre.claim for centre in centres] == [Claim.DRIVING, Claim.DRIVING]


@given(NONCES)
def test_a_run_keeps_what_it_has_claimed_however_long_it_numbers(nonce):
    """Every number it has sent lately may be the last that was accepted."""
    cabinet = VirtualCabinet(CROSSROADS, lambda date, second: 1, epoch=EPOCH)
    status = cabinet.status
    orders = Orders(EPOCH, nonce)
    before = replace(status, epoch=EPOCH - 1)
    numbers = [orders.plan(before, 1).seq for _ in range(RANDOM_STEPS + 20)]
    assert all(1 <= number <= SEQ_MAX for number in numbers)
    for number in numbers:
        assert orders.ours(replace(status, epoch=EPOCH, accepted_seq=number))
    for other in (numbers[-1] % SEQ_MAX + 1, (numbers[0] - 2) % SEQ_MAX + 1, numbers[1] - 1):
        if other and other not in numbers:
            assert not orders.ours(replace(status, epoch=EPOCH, accepted_seq=other))


@given(NONCES)
def test_steps_are_small_enough_for_no_number_to_look_old(nonce):
    first, *others = first_steps(nonce)
    assert 1 <= first <= SEQ_MAX
    assert len(others) == RANDOM_STEPS - 1
    assert all(1 <= step <= LONGEST_STEP < SEQ_MAX // 2 for step in others)
    assert first_steps(nonce) == (first, *others)
    assert first_steps(0) == ()


def test_after_half_of_all_numbers_only_what_is_ahead_is_another_ones():
    cabinet = VirtualCabinet(CROSSROADS, lambda date, second: 1, epoch=EPOCH)
    orders = Orders(EPOCH, 77)
    for _ in range(SEQ_MAX // 2 + 50):
        last = orders.plan(cabinet.status, 1).seq
    behind = replace(cabinet.status, accepted_seq=(last - 30_000) % SEQ_MAX or 1)
    ahead = replace(cabinet.status, accepted_seq=(last + 10) % SEQ_MAX or 1)
    assert (orders.ours(behind), orders.ours(ahead)) == (True, False)


@settings(max_examples=25, deadline=None)
@example(lost=SEQ_MAX // 2 + 100, late=[])
@example(lost=SEQ_MAX // 4 + 63, late=[0])
@given(lost=st.integers(0, SEQ_MAX + 100), late=st.lists(st.integers(0, 2), max_size=3))
def test_however_long_commands_are_lost_the_first_that_arrives_is_taken(lost: int, late: list[int]) -> None:
    """A gateway lets only polls through for a night; `late`: which of the last three come all the same."""
    gate, orders, heartbeat = Gate(), Orders(EPOCH, 77), 0
    cabinet = VirtualCabinet(CROSSROADS, lambda date, second: 1).status

    def written() -> Command:
        nonlocal heartbeat
        heartbeat = (heartbeat + 1) % COUNTER
        status = replace(cabinet, epoch=gate.epoch, accepted_seq=gate.accepted_seq, heartbeat=heartbeat)
        assert orders.ours(status)
        return orders.plan(status, 1)

    def arrives(order: Command) -> bool:
        command, _ = gate.judge(encode_command(order), heartbeat)
        if command is not None:
            gate.accept(command, heartbeat)
        return command is not None

    for _ in range(RANDOM_STEPS + 1):
        assert arrives(written())
    under_way = [written() for _ in range(lost)][-3:]
    assert len({one.seq for one in under_way}) == len(under_way)
    for one in late:
        if one < len(under_way):
            arrives(under_way[one])
    assert [arrives(written()) for _ in range(5)] == [True] * 5
