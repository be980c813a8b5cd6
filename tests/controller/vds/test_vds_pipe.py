"""Between the receiver's process and the controller: bounded, never waited for, started again."""

import asyncio
import itertools
import subprocess
import sys

import pytest

from denxanh.controller.vds import keeper as keeping
from denxanh.controller.vds.arrival import Reason, Source
from denxanh.controller.vds.keeper import Keeper
from denxanh.controller.vds.message import Sample, ZoneSample, body
from denxanh.controller.vds.pipe import KEPT, Inlet, Outlet, pair

SOURCES = [Source("cam-1", "X", ("z1",), 2.0), Source("cam-2", "Y", ("z1",), 2.0)]


def _body(seq: int, source: str = "cam-1") -> bytes:
    zone = ZoneSample(id="z1", vehicles=1, queued=0, occupancy=0.1, speed_kmh=30.0)
    return body(Sample(v=1, source=source, seq=seq, time_s=float(seq), zones=(zone,)))


async def test_samples_and_counts_arrive_in_order_by_intersection() -> None:
    ours, theirs = pair()
    with ours, theirs:
        outlet, inlet = Outlet(theirs, lambda source: None), Inlet(SOURCES)
        for seq in (1, 2, 3):
            outlet.sample("cam-1", _body(seq))
        outlet.sample("cam-2", _body(9, "cam-2"))
        outlet.turned([("cam-2", Reason.UNKNOWN_FIELD, 4), ("nobody", Reason.LATE, 1)])
        assert inlet.read(ours)
        heard = inlet.take()
        assert [one.seq for one in heard["X"].arrivals] == [1, 2, 3]
        assert [one.seq for one in heard["Y"].arrivals] == [9]
        assert heard["Y"].turned == (("cam-2", Reason.UNKNOWN_FIELD, 4),)
        assert inlet.take() == {}


async def test_a_flood_leaves_the_newest_few_and_is_counted() -> None:
    ours, theirs = pair()
    theirs.setblocking(False)
    lost: list[str] = []
    with ours, theirs:
        outlet, inlet = Outlet(theirs, lost.append), Inlet(SOURCES)
        sent = 20_000
        for seq in range(sent):
            outlet.sample("cam-1", _body(seq))
        assert lost  # nobody reads: the receiver keeps the newest few
        for _ in range(1000):
            assert inlet.read(ours)
            await asyncio.sleep(0)  # the receiver's loop empties what waited
        heard = inlet.take()["X"]
        assert [one.seq for one in heard.arrivals] == list(range(sent - KEPT, sent))
        assert sum(one.samples for one in heard.turned) + len(lost) + KEPT == sent


async def test_nonsense_from_the_receiver_does_no_harm_and_its_end_is_seen() -> None:
    ours, theirs = pair()
    with ours:
        inlet = Inlet(SOURCES)
        with theirs:
            for packet in (b"S{}", b"T[[1]]", b'T[["cam-1","no such",1]]', b"T5", b"x", b"S" + b"[" * 1000):
                theirs.send(packet)
            outlet = Outlet(theirs, lambda source: None)
            outlet.sample("cam-1", _body(5))
            assert inlet.read(ours)
        assert not inlet.read(ours)
        assert [one.seq for one in inlet.take()["X"].arrivals] == [5]


async def test_a_receiver_that_ends_is_started_again_and_ends_with_the_controller() -> None:
    now = 0.0
    started: list[subprocess.Popen[bytes]] = []
    code = (
        "import socket, sys\n"
        "end = socket.socket(fileno=int(sys.argv[1]))\n"
        f"end.send(b'S' + {_body(1)!r})\n"
        "if sys.argv[2] == 'stay': end.recv(1)\n"
    )

    def start(descriptor: int) -> subprocess.Popen[bytes]:
        manner = "stay" if started else "end"
        started.append(
            subprocess.Popen([sys.executable, "-c", code, str(descriptor), manner], pass_fds=(descriptor,))
        )
        return started[-1]

    async def heard(keeper: Keeper) -> int:
        for _ in range(1500):
            if found := keeper.heard():
                return len(found["X"].arrivals)
            await asyncio.sleep(0.02)
        raise AssertionError("nothing in 30 s")

    keeper = Keeper(SOURCES, start, monotonic=lambda: now)
    assert await heard(keeper) == 1
    await asyncio.to_thread(started[0].wait)
    await asyncio.sleep(0.05)
    assert keeper.heard() == {}
    assert len(started) == 1  # not before its time
    now = 5.0
    assert await heard(keeper) == 1
    await keeper.close()
    assert len(started) == 2
    assert started[1].returncode is not None


@pytest.mark.parametrize("failure", [OSError(24, "too many open files"), subprocess.SubprocessError("nice")])
async def test_a_receiver_that_cannot_be_started_again_costs_no_tick(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.count(0.0, 5.0)

    def fail(*_: object) -> subprocess.Popen[bytes]:
        raise failure

    keeper = Keeper(
        SOURCES,
        fail if isinstance(failure, subprocess.SubprocessError) else _never,
        monotonic=lambda: next(times),
    )
    if isinstance(failure, OSError):
        monkeypatch.setattr(keeping, "pair", fail)
    for _ in range(3):
        assert keeper.heard() == {}
    await keeper.close()


def _never(_: int) -> subprocess.Popen[bytes]:
    raise OSError(12, "cannot allocate memory")
