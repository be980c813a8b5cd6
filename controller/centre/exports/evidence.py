"""The signal-state log in packages: one per intersection and five minutes, each bound to the one before.

A package is the same whoever makes it and whenever, as long as the store keeps what it is made of: the feed
and `denxanh export police` give the same bytes. The chain of an intersection begins anew each local day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from denxanh.controller.centre.exports import lamps
from denxanh.controller.centre.exports.lamps import Shown
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.rows import canonical
from denxanh.controller.centre.store.schema import signal_events, spans
from denxanh.networks.model import GroupKind, Intersection

PACKAGE_MS = 300_000
DAY_MS = 86_400_000
VIETNAM_MS = 7 * 3_600_000
GENESIS = "0" * 64
"""What the first package of a day follows."""


def begin_of_day(at_ms: int) -> int:
    """When the local day of a time begins, ms since 1970 UTC."""
    return at_ms - (at_ms + VIETNAM_MS) % DAY_MS


def package(
    connection: Connection, intersection: Intersection, begin_ms: int, previous: str
) -> dict[str, Any] | None:
    """What an intersection's lamps showed in `PACKAGE_MS` from `begin_ms` on; None: nothing is recorded.

    Valid against `schemas/signal-log-v1.schema.json`.

    Args:
        connection: to the store.
        intersection: whose lamps.
        begin_ms: a whole multiple of `PACKAGE_MS`.
        previous: hash of the package before in this local day; `GENESIS` for its first.

    Raises:
        StoreError: the database does not answer.
    """
    end_ms = begin_ms + PACKAGE_MS
    found, seen = lamps.read(connection, intersection.id, begin_ms, end_ms)
    modes = list(lamps.modes(found, begin_ms, end_ms))
    if not modes:
        return None
    states = lamps.shown(intersection, found, seen, begin_ms, end_ms)
    body = {
        "intersection": intersection.id,
        "name_vi": intersection.name_vi,
        "from": stamp(begin_ms),
        "until": stamp(end_ms),
        "modes": [
            {"mode": mode, "plan": plan, "from": stamp(start), "until": stamp(end)}
            for start, end, mode, plan in modes
        ],
        "groups": [
            {
                "group": group.id,
                "kind": group.kind.value,
                "yellow_set_s": group.yellow_s if group.kind is GroupKind.VEHICLE else None,
                "states": [_state(one) for one in its],
            }
            for group, its in zip(intersection.groups, states, strict=True)
        ],
        "previous": previous,
    }
    return {**body, "hash": digest(body)}


def first(connection: Connection, intersection: str, from_ms: int) -> int | None:
    """Begin of the first package at or behind a time in which something is recorded; None: there is none.

    The log begins with the oldest high-resolution event: without those, which do not stay as long as spans,
    nobody can say when the lamps were seen.
    """
    oldest = select(func.min(signal_events.c.at_ms)).where(signal_events.c.intersection == intersection)
    told_ms = connection.execute(oldest).scalar_one()
    if told_ms is None:
        return None
    from_ms = max(from_ms, int(told_ms) // PACKAGE_MS * PACKAGE_MS)
    table, begin_ms = spans.c, -(-from_ms // PACKAGE_MS) * PACKAGE_MS
    here = table.intersection == intersection
    lasting = select(table.ended_ms).where(here, table.began_ms < begin_ms)
    row = connection.execute(lasting.order_by(table.began_ms.desc(), table.id.desc()).limit(1)).first()
    if row is not None:
        ended_ms = lamps.known_ms(connection, intersection) if row.ended_ms is None else row.ended_ms
        if ended_ms > begin_ms:
            return begin_ms
    following = select(func.min(table.began_ms)).where(here, table.began_ms >= begin_ms)
    start = connection.execute(following).scalar_one()
    return None if start is None else int(start) // PACKAGE_MS * PACKAGE_MS


def day(
    connection: Connection,
    intersection: Intersection,
    begin_ms: int,
    end_ms: int,
    previous: str = GENESIS,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The packages of an intersection from the beginning of a local day until `end_ms`, chained.

    Args:
        connection: to the store.
        intersection: whose.
        begin_ms: from here on; later in the day, `previous` is the hash of the package before.
        end_ms: until here, within the day.
        previous: see `package`.

    Yields:
        Begin, and package.
    """
    start = first(connection, intersection.id, begin_ms)
    while start is not None and start < end_ms:
        body = package(connection, intersection, start, previous)
        if body is not None:
            previous = body["hash"]
            yield start, body
        start = first(connection, intersection.id, start + 1)


def digest(body: Mapping[str, Any]) -> str:
    """SHA-256 over a package without its hash, as JSON with sorted keys, without spaces, in UTF-8."""
    return hashlib.sha256(canonical({k: v for k, v in body.items() if k != "hash"}).encode()).hexdigest()


def broken(bodies: Iterable[Mapping[str, Any]]) -> str | None:
    """Where packages, each intersection's in their order, do not fit together; None: they do.

    A chain may begin with any package; within a day it must then be whole.
    """
    last: dict[str, Mapping[str, Any]] = {}
    for body in bodies:
        place = f"{body['intersection']} {body['from']}"
        if digest(body) != body["hash"]:
            return f"{place}: was changed"
        before = last.get(body["intersection"])
        if before is not None:
            same_day = before["from"][:10] == body["from"][:10]
            if (
                body["previous"] != (before["hash"] if same_day else GENESIS)
                or body["from"] < before["until"]
            ):
                return f"{place}: does not follow the package before"
        last[body["intersection"]] = body
    return None


def _state(one: Shown) -> dict[str, Any]:
    return {
        "aspect": one.aspect,
        "from": stamp(one.from_ms),
        "until": stamp(one.until_ms),
        "not_before": None if one.not_before_ms is None else stamp(one.not_before_ms),
        "not_after": None if one.not_after_ms is None else stamp(one.not_after_ms),
    }
