"""Phases, channels and coordination as they are shown now.

A channel is a signal group; on a pedestrian channel green is walk and yellow is the clearance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from denxanh.networks.model import Aspect, GroupKind
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.engine import Phase
from denxanh.plc.cabinet.ntcip.orders import StandingOrders
from denxanh.plc.cabinet.ntcip.table import Objects, fixed, grouped, number, octets
from denxanh.plc.contract import CabinetMode
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.oids import cell, groups, scalar
from denxanh.plc.ntcip.stagemap import StageMap, phase_mask
from denxanh.plc.ntcip.tables import column_of, phase_timings


class Phases:
    """What the signals of one cabinet show, read only."""

    def __init__(self, cabinet: VirtualCabinet, stages: StageMap, orders: StandingOrders) -> None:
        self._cabinet = cabinet
        self._stages = stages
        self._orders = orders
        self._every = phase_mask(frozenset(phase for ring in stages.rings for phase in ring))

    def objects(self) -> Objects:
        """All of them."""
        yield from self._configured()
        yield from self._shown()
        yield from self._channels()
        yield from self._coordination()

    def _configured(self) -> Objects:
        stages, intersection = self._stages, self._cabinet.intersection
        yield fixed(scalar(oids.MAX_PHASES), stages.phases)
        yield fixed(scalar(oids.MAX_PHASE_GROUPS), len(groups(stages.phases)))
        yield fixed(scalar(oids.MAX_RINGS), len(stages.rings))
        for ring, order in enumerate(stages.rings, start=1):
            yield octets(cell(oids.SEQUENCE_TABLE, oids.SEQUENCE_DATA, 1, ring), bytes(order))
            for phase in order:
                for column, value in phase_timings(intersection, stages, phase).items():
                    yield fixed(cell(oids.PHASE_TABLE, column, phase), value)
                yield fixed(cell(oids.PHASE_TABLE, oids.PHASE_RING, phase), ring)
                beside = bytes(stages.concurrent(phase))
                yield octets(cell(oids.PHASE_TABLE, oids.PHASE_CONCURRENCY, phase), beside)

    def _shown(self) -> Objects:
        shown: dict[int, Callable[[], int]] = {
            oids.STATUS_REDS: self._reds,
            oids.STATUS_YELLOWS: self._yellows,
            oids.STATUS_GREENS: self._greens,
            oids.STATUS_DONT_WALKS: lambda: self._every & ~self._walks(Aspect.WALK, Aspect.CLEARANCE),
            oids.STATUS_PED_CLEARS: lambda: self._walks(Aspect.CLEARANCE),
            oids.STATUS_WALKS: lambda: self._walks(Aspect.WALK),
            oids.STATUS_VEH_CALLS: lambda: self._orders.masks[oids.CONTROL_VEH_CALL],
            oids.STATUS_PED_CALLS: self._orders.ped_calls,
            oids.STATUS_PHASE_ONS: self._ons,
            oids.STATUS_PHASE_NEXTS: self._nexts,
        }
        for column, get in shown.items():
            yield from grouped(oids.PHASE_STATUS_GROUP, column, self._stages.phases, get)

    def _channels(self) -> Objects:
        count = self._stages.channel_count
        yield fixed(scalar(oids.MAX_CHANNELS), count)
        for column in (oids.CHANNEL_REDS, oids.CHANNEL_YELLOWS, oids.CHANNEL_GREENS):
            yield from grouped(oids.CHANNEL_STATUS_GROUP, column, count, partial(self._lit, column))

    def _coordination(self) -> Objects:
        def status() -> tuple[int, int]:
            return self._cabinet.status.cycle_s, self._cabinet.status.cycle_second

        yield fixed(scalar(oids.COORD_OPERATIONAL_MODE), 0)
        yield number(scalar(oids.COORD_PATTERN_STATUS), self._pattern_status)
        yield number(scalar(oids.COORD_CYCLE_STATUS), lambda: status()[0] - status()[1])
        yield number(scalar(oids.COORD_SYNC_STATUS), lambda: status()[1])

    def _pattern_status(self) -> int:
        mode = self._cabinet.mode
        if mode is CabinetMode.FLASH:
            return oids.FLASH_PATTERN
        if mode in (CabinetMode.ADAPTIVE, CabinetMode.START, CabinetMode.MANUAL):
            return oids.FREE_PATTERN
        return self._cabinet.status.plan or oids.FREE_PATTERN

    def _ons(self) -> int:
        engine = self._cabinet.signals
        if engine.phase is Phase.GREEN:
            return self._stages.mask(engine.stage)
        return self._stages.mask(self._cabinet.left_stage) if engine.phase is Phase.INTERSTAGE else 0

    def _greens(self) -> int:
        engine = self._cabinet.signals
        if engine.phase is Phase.GREEN:
            return self._stages.mask(engine.stage)
        if engine.phase is Phase.INTERSTAGE:
            return self._stages.mask(self._cabinet.left_stage) & self._stages.mask(engine.stage)
        return 0

    def _yellows(self) -> int:
        engine = self._cabinet.signals
        yellow = engine.phase is Phase.INTERSTAGE and Aspect.YELLOW in engine.aspects
        return self._ons() & ~self._greens() if yellow else 0

    def _reds(self) -> int:
        dark = self._cabinet.signals.phase is Phase.FLASH
        return 0 if dark else self._every & ~self._greens() & ~self._yellows()

    def _nexts(self) -> int:
        engine = self._cabinet.signals
        if engine.phase is Phase.GREEN:
            there = self._stages.mask(engine.next_stage)
            return there & ~self._stages.mask(engine.stage)
        return self._stages.mask(engine.stage) & ~self._greens()

    def _walks(self, *aspects: Aspect) -> int:
        engine = self._cabinet.signals
        serves = self._cabinet.intersection.stages[engine.stage].serves
        walking = any(
            signal.aspect in aspects and serves(group) for group, signal in enumerate(engine.signals)
        )
        return self._stages.mask(engine.stage) if walking else 0

    def _lit(self, column: int) -> int:
        groups_ = self._cabinet.intersection.groups
        mask = 0
        for index, aspect in enumerate(self._cabinet.signals.aspects):
            if column_of(aspect, groups_[index].kind is GroupKind.PEDESTRIAN) == column:
                mask |= 1 << self._stages.channels[index] - 1
        return mask
