"""A journal's inputs through the same code again, compared decision by decision (G8).

Only what was recorded under the present rules (`assembly.RULES`) must come out the same. Of older runs it is
counted how much does, and said that they are older.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denxanh.controller.assembly import RULES, rebuild, settings_of
from denxanh.controller.claim import Claim
from denxanh.controller.codec import decode_input, decode_output, encode_output
from denxanh.controller.journal import Record, read_all
from denxanh.controller.operator import rerun as people
from denxanh.controller.orders import SEQ_MAX
from denxanh.controller.post import Build as Make
from denxanh.controller.post import Stepper
from denxanh.controller.priority.rerun import Rerun
from denxanh.errors import JournalError


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first second that came out differently; `fields`: (recorded, replayed) by field of `TickOutput`."""

    where: str
    intersection: str
    tick: int
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Count:
    """`ticks` seconds of single intersections were replayed, `matched` of them came out the same."""

    ticks: int = 0
    matched: int = 0

    @property
    def same(self) -> bool:
        """Whether every decision was reproduced."""
        return self.ticks == self.matched

    def another(self, *, same: bool) -> Count:
        """One second more."""
        return Count(self.ticks + 1, self.matched + same)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """`ticks` seconds under the present rules, of which `matched` came out the same, and the others."""

    ticks: int
    matched: int
    first_mismatch: Mismatch | None
    others: Mapping[int, Count]
    """What was recorded under other rules, by their number."""

    @property
    def same(self) -> bool:
        """Whether every decision was reproduced, whatever the rules."""
        return self.ticks == self.matched and all(one.same for one in self.others.values())


Build = Callable[[Record, str], Mapping[str, Make]]
"""From an `open` record and its place: how to make each intersection's controller."""


def replay(path: Path, *, build: Build = rebuild) -> ReplayResult:
    """Replay a journal (with its closed parts) across restarts.

    Args:
        path: `journal.jsonl`.
        build: makes the controllers; by default as `run` does.

    Raises:
        JournalError: the journal is damaged, holds no run, or was written with another corridor.
    """
    makers: Mapping[str, Make] | None = None
    controllers: dict[str, Stepper] = {}
    rules, counts = RULES, {RULES: Count()}
    first: Mismatch | None = None
    requests, orders = Rerun(None), people.Rerun()
    for where, record in read_all(path):
        match record["k"]:
            case "open":
                if "after" in record:
                    orders.forget(record)
                else:
                    orders = people.Rerun()
                rules = _rules(record, where)
                makers = build(record, where)
                requests = Rerun(settings_of(record, where))
                claims, lasts = _known(record, "claims"), _known(record, "lasts")
                controllers = {
                    name: make(
                        claim=_claim(claims.get(name, Claim.NEW), where), last=_number(lasts.get(name), where)
                    )
                    for name, make in makers.items()
                }
            case "request":
                requests.take(record, where)
            case "forgotten":
                requests.forget()
            case "order":
                orders.take(record, where)
            case "orders-forgotten":
                orders.lose()
            case "restart" if makers is not None:
                name = str(record.get("i"))
                claim = _claim(record.get("claim", Claim.DRIVING), where)
                last = _number(record.get("last"), where)
                controllers[name] = _maker(makers, name, where)(claim=claim, last=last)
                orders.forget(record, name)
            case "tick":
                name = str(record.get("i"))
                if name not in controllers:
                    raise JournalError(f"a tick of {name!r} without an open record", where=where)
                mismatch = _compare(controllers[name], name, record, where, requests, orders)
                counts[rules] = counts.get(rules, Count()).another(same=mismatch is None)
                first = first or (mismatch if rules == RULES else None)
    if makers is None:
        raise JournalError("no run is recorded here", where=str(path))
    now = counts.pop(RULES)
    return ReplayResult(now.ticks, now.matched, first, counts)


def _rules(record: Record, where: str) -> int:
    """The rules of the run that an `open` record begins; 1 where it has no number."""
    rules = record.get("rules", 1)
    if isinstance(rules, int) and not isinstance(rules, bool):
        return rules
    raise JournalError(f"no number of rules: {str(rules)[:32]!r}", where=where)


def _known(record: Record, key: str) -> Mapping[str, object]:
    """What an `open` record says of each intersection; nothing at a run's beginning."""
    given = record.get(key)
    return given if isinstance(given, dict) else {}


def _number(value: object, where: str) -> int:
    """Of a run's last command; older journals do not say it."""
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SEQ_MAX:
        return value
    raise JournalError(f"no number of a command: {str(value)[:32]!r}", where=where)


def _claim(value: object, where: str) -> Claim:
    try:
        return Claim(str(value))
    except ValueError:
        raise JournalError(f"no such claim: {str(value)[:32]!r}", where=where) from None


def _maker(makers: Mapping[str, Make], name: str, where: str) -> Make:
    try:
        return makers[name]
    except KeyError:
        raise JournalError(f"no intersection {name!r} in this run", where=where) from None


def _compare(
    controller: Stepper, name: str, record: Record, where: str, requests: Rerun, orders: people.Rerun
) -> Mismatch | None:
    value = decode_input(record.get("in"), where)
    recorded = encode_output(decode_output(record.get("out"), where))
    replayed = encode_output(controller.step(value))
    fields = {key: (recorded[key], replayed[key]) for key in recorded if recorded[key] != replayed[key]}
    fields |= requests.differs(name, value) | orders.differs(name, value)
    if not fields:
        return None
    return Mismatch(where, name, value.tick, fields)
