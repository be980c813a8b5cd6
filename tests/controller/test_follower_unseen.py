"""What passes while nobody looks is no knowledge: lost answers, missed ticks, a machine that was halted."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from denxanh.controller.follower import Follower
from denxanh.controller.guard import GuardInput
from denxanh.controller.mode import Mode
from denxanh.networks.example import crossroads
from denxanh.networks.model import DetectorKind
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import LoopReading, Readings, Refusal, ZoneReading

SITE = crossroads(commitment_s=0)
"""Without a countdown a green may end at once: nothing but its own age protects it."""
KINDS = [detector.kind for detector in SITE.detectors]
NOBODY = (False,) * len(SITE.groups)


class Watched:
    """A cabinet under its own plan, somebody always at its buttons, and who follows it."""

    def __init__(self) -> None:
        self.cabinet = VirtualCabinet(SITE, lambda *_: SITE.plans[0].number)
        self.follower = Follower(SITE)
        self.second = 0
        loops = sum(kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE) for kind in KINDS)
        zone = ZoneReading(0, 0, 0.0, 0.0, False, 0)
        buttons = (True,) * KINDS.count(DetectorKind.BUTTON)
        self._readings = Readings(
            (LoopReading(0, 0, False, 0),) * loops, (zone,) * KINDS.count(DetectorKind.ZONE), buttons
        )
        self._lamps = None

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self._lamps = self.cabinet.tick(8 * 3600 + self.second, "2026-11-23", self._readings, self._lamps)
            self.second += 1

    def hear(self, tick: int, request: int | None = None) -> None:
        """One tick in which the cabinet is heard; what is decided then, it may do."""
        self.follower.hear(self.cabinet.status, tick)
        mode = Mode.PLAN if request is None else Mode.MANUAL
        said = self.follower.decide(GuardInput(mode, request, NOBODY, NOBODY), followed=False)
        promise = self.follower.new_promise(said)
        if promise is not None:
            verdict = self.cabinet.signals.check(promise.end_in_s, promise.next_stage)
            assert verdict is Refusal.NONE


@settings(max_examples=10, deadline=None)
@example(before=20, halted=80, ticks=False, wish=2)
@example(before=20, halted=75, ticks=False, wish=2)
@example(before=2, halted=5, ticks=False, wish=1)
@given(
    before=st.integers(1, 60),
    halted=st.integers(0, 150),
    ticks=st.booleans(),
    wish=st.integers(0, len(SITE.stages) - 1),
)
def test_no_green_is_older_than_it_is(before: int, halted: int, ticks: bool, wish: int) -> None:
    """`ticks`: ours go on meanwhile; else the machine was halted, and only the cabinet's beats tell."""
    one = Watched()
    one.live(30)
    tick = 0
    for _ in range(before):
        one.live(1)
        tick += 1
        one.hear(tick)
    one.live(halted)
    tick += halted if ticks else 0
    for _ in range(15):
        one.live(1)
        tick += 1
        one.hear(tick, wish)
