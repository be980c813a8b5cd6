"""Patterns and splits, and the transaction that changes them (NTCIP 1201, dbCreateTransaction).

What is set inside a transaction is buffered, checked as a whole at `verify`, and taken over at its end; until
then the plans are as they were. This cabinet's plans have fixed times: it takes no other split mode than
maximum recall. Plans can be downloaded only where each stage is one phase.
"""

from __future__ import annotations

from functools import partial

from denxanh.networks.model import Plan, Split
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.table import Objects, Setting, Settings, fixed, number, octets
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.stagemap import StageMap
from denxanh.plc.ntcip.tables import COORDINATED, MAX_RECALL, SEQUENCE, split_times

NORMAL, TRANSACTION, VERIFY, DONE = 1, 2, 3, 6
"""dbCreateTransaction."""
NOT_DONE, VERIFY_ERROR, VERIFIED = 0, 1, 2
"""dbVerifyStatus."""
_NEXT = {
    NORMAL: (NORMAL, TRANSACTION),
    TRANSACTION: (NORMAL, TRANSACTION, VERIFY),
    DONE: (NORMAL, DONE),
}
_SPARE_SPLITS = 8
"""Patterns beyond the plans that it starts with, to download into."""


class PlanDatabase:
    """The plans as patterns, by number.

    Attributes:
        open: whether a transaction takes values.
    """

    def __init__(self, cabinet: VirtualCabinet, stages: StageMap) -> None:
        self._cabinet = cabinet
        self._stages = stages
        self._patterns = {plan.number: plan for plan in cabinet.intersection.plans}
        self._most = max(self._patterns, default=0) + _SPARE_SPLITS
        self._set_id = 1
        self._state, self._verified = NORMAL, NOT_DONE
        self._buffer: dict[Oid, int] = {}

    @property
    def open(self) -> bool:
        """Whether a transaction takes values."""
        return self._state == TRANSACTION

    def runnable(self, pattern: int) -> bool:
        """Whether systemPatternControl may say so. Flash by command is refused."""
        return pattern in (oids.STANDBY_PATTERN, oids.FREE_PATTERN) or pattern in self._patterns

    def buffer(self, oid: Oid, value: int) -> None:
        """A value of the open transaction."""
        self._buffer[oid] = value

    def restart(self) -> None:
        """Return of power: an open transaction is gone, what was taken over stays."""
        self._buffer.clear()
        self._state, self._verified = NORMAL, NOT_DONE

    def objects(self, settings: Settings) -> Objects:
        """globalSetIDParameter, dbCreateTransaction and its verdict, patternTable, splitTable."""
        yield number(scalar(oids.SET_ID_PARAMETER), lambda: self._set_id)
        state = scalar(oids.DB_CREATE_TRANSACTION)
        settings[state] = Setting(
            NORMAL, DONE, self._transact, allowed=lambda wanted: wanted in _NEXT[self._state]
        )
        yield number(state, lambda: self._state)
        yield number(scalar(oids.DB_VERIFY_STATUS), lambda: self._verified)
        yield octets(scalar(oids.DB_VERIFY_ERROR), b"")
        yield fixed(scalar(oids.MAX_PATTERNS), self._most)
        yield fixed(scalar(oids.MAX_SPLITS), self._most)
        for pattern in range(1, self._most + 1):
            yield from self._pattern(settings, pattern)

    def _pattern(self, settings: Settings, pattern: int) -> Objects:
        cycle = cell(oids.PATTERN_TABLE, oids.PATTERN_CYCLE, pattern)
        offset = cell(oids.PATTERN_TABLE, oids.PATTERN_OFFSET, pattern)
        settings[cycle] = settings[offset] = _stored(0, 0xFFFF)
        yield number(cycle, lambda: self._patterns[pattern].cycle_s if pattern in self._patterns else 0)
        yield number(offset, lambda: self._patterns[pattern].offset_s if pattern in self._patterns else 0)
        for column, only in ((oids.PATTERN_SPLIT, pattern), (oids.PATTERN_SEQUENCE, SEQUENCE)):
            name = cell(oids.PATTERN_TABLE, column, pattern)
            settings[name] = _stored(only, only)
            yield fixed(name, only)
        for phase in sorted(phase for ring in self._stages.rings for phase in ring):
            time = cell(oids.SPLIT_TABLE, oids.SPLIT_TIME, pattern, phase)
            mode = cell(oids.SPLIT_TABLE, oids.SPLIT_MODE, pattern, phase)
            coordinated = cell(oids.SPLIT_TABLE, oids.SPLIT_COORD_PHASE, pattern, phase)
            settings[time] = _stored(0, 0xFFFF)
            settings[mode] = _stored(MAX_RECALL, MAX_RECALL)
            settings[coordinated] = _stored(0, COORDINATED)
            yield number(time, partial(self._split, pattern, phase))
            yield fixed(mode, MAX_RECALL)
            yield number(coordinated, partial(self._coordinated, pattern, phase))

    def _split(self, pattern: int, phase: int) -> int:
        plan = self._patterns.get(pattern)
        return split_times(plan, self._stages).get(phase, 0) if plan else 0

    def _coordinated(self, pattern: int, phase: int) -> int:
        """The cycle begins with the plan's first stage."""
        plan = self._patterns.get(pattern)
        return COORDINATED * (plan is not None and phase in self._stages.stages[plan.splits[0].stage])

    def _transact(self, wanted: int) -> None:
        if wanted == VERIFY:
            self._verified = VERIFY_ERROR if self._merged() is None else VERIFIED
            self._state = DONE
            return
        if wanted == NORMAL and self._state == DONE and self._verified == VERIFIED:
            plans = self._merged()
            if plans is not None and self._buffer:
                self._patterns = {plan.number: plan for plan in plans}
                self._cabinet.load_plans(plans)
                self._set_id = self._set_id % 0xFFFF + 1
        if wanted == NORMAL or (wanted == TRANSACTION and self._state == NORMAL):
            self._buffer.clear()
            self._verified = NOT_DONE
        self._state = wanted

    def _merged(self) -> list[Plan] | None:
        """The plans with what was buffered; None where they would not be sound."""
        plans = []
        for pattern in range(1, self._most + 1):
            old = self._patterns.get(pattern)
            cycle = self._cell(oids.PATTERN_CYCLE, pattern, old.cycle_s if old else 0)
            if cycle == 0:
                continue
            offset = self._cell(oids.PATTERN_OFFSET, pattern, old.offset_s if old else 0)
            entries = self._entries(pattern)
            if sum(entry.split_s for entry in entries) != cycle or offset >= cycle or len(entries) < 2:
                return None
            plans.append(Plan(pattern, old.name if old else f"P{pattern}", offset, entries))
        return plans

    def _entries(self, pattern: int) -> tuple[Split, ...]:
        """In the order of the stages from the coordinated one on; none where no stage is."""
        entries: list[Split] = []
        begins: int | None = None
        for stage, phases in enumerate(self._stages.stages):
            (phase,) = phases if len(phases) == 1 else (0,)
            time = cell(oids.SPLIT_TABLE, oids.SPLIT_TIME, pattern, phase)
            coordinated = cell(oids.SPLIT_TABLE, oids.SPLIT_COORD_PHASE, pattern, phase)
            length = self._buffer.get(time, self._split(pattern, phase))
            if length and self._buffer.get(coordinated, self._coordinated(pattern, phase)):
                begins = len(entries)
            if length:
                entries.append(Split(stage, length))
        return () if begins is None else (*entries[begins:], *entries[:begins])

    def _cell(self, column: int, pattern: int, otherwise: int) -> int:
        return self._buffer.get(cell(oids.PATTERN_TABLE, column, pattern), otherwise)


def _stored(low: int, high: int) -> Setting:
    return Setting(low, high, _by_the_transaction, transaction=True)


def _by_the_transaction(_value: int) -> None:
    """Its end takes the value over."""
