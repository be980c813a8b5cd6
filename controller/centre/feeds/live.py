"""The live picture: each second the newest of every intersection, from the journal's end; nothing is kept.

Kinds `status` (who is in charge, and whether anybody is heard) and `spat` (what the lamps show, and the
promised end). A receiver that was away gets the newest when it is back; the rest is in the other feeds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.feeds.contract import Message, Sink
from denxanh.controller.centre.feeds.loop import PERIOD_S, Health, forever, in_a_thread
from denxanh.controller.centre.feeds.runner import SEND_S
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.place import Seen
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.centre.tail import JournalTail
from denxanh.controller.centre.view import CorridorView
from denxanh.errors import FeedError
from denxanh.networks.model import Corridor, Intersection

NAME = "status"
"""Of the source."""


class Street:
    """Follows the journal; one per feed.

    Args:
        corridor: what the journal's intersections are.
        journal: the file.
    """

    def __init__(self, corridor: Corridor, journal: Path) -> None:
        self._corridor = corridor
        self._view = CorridorView(corridor)
        self._tail = JournalTail(journal)

    def read(self) -> None:
        """Take in what is new. Blocks: for a thread.

        Raises:
            FeedError: the journal cannot be read.
        """
        more = True
        while more:
            try:
                read = self._tail.read()
            except OSError as error:
                raise FeedError(f"cannot be read: {error.strerror}", where=str(self._tail.path)) from error
            heard_s = time.monotonic() - read.age_s
            for record in read.records:
                self._view.take(record, heard_s)
            more = read.more

    def seen(self) -> Iterator[tuple[Intersection, Seen]]:
        """Every intersection that has been heard of, as last heard."""
        now_s = time.monotonic()
        for one in self._corridor.intersections:
            seen = self._view.seen(one.id, now_s)
            if seen is not None:
                yield one, seen

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()


class LiveFeed:
    """Sends the newest second of each intersection when it is new, and once more when it has grown stale.

    Args:
        name: of its row in the store, which says only how the feed is.
        street: where the picture comes from.
        sink: its receiver.
        places: only these intersections; None: all.
    """

    def __init__(self, name: str, street: Street, sink: Sink, places: frozenset[str] | None = None) -> None:
        self.name = name
        self._street = street
        self._sink = sink
        self._places = places
        self._sent: dict[str, tuple[int, bool]] = {}

    async def run(self, store: Store, period_s: float = PERIOD_S) -> None:
        """Go on until cancelled."""
        health = Health(store, self.name)

        async def step() -> bool:
            await self.step()
            await in_a_thread(positions.begin, store, self.name)
            await health.well()
            return False

        try:
            await forever(step, health, period_s=period_s)
        finally:
            self._street.close()
            await self._sink.close()

    async def step(self) -> None:
        """Send what is new.

        Raises:
            FeedError: the receiver did not take it; the next step sends the newest, not what was missed.
        """
        await in_a_thread(self._street.read)
        new = {
            one.id: (seen.head.tick, seen.stale, _messages(one, seen))
            for one, seen in self._street.seen()
            if (self._places is None or one.id in self._places)
            and self._sent.get(one.id) != (seen.head.tick, seen.stale)
        }
        try:
            async with asyncio.timeout(SEND_S):
                await self._sink.send([message for _, _, both in new.values() for message in both])
        except TimeoutError as error:
            raise FeedError(f"took longer than {SEND_S:g} s", where=f"feed {self.name}") from error
        except FeedError:
            # A broker that was away may have forgotten what it retained.
            self._sent.clear()
            raise
        self._sent |= {place: (tick, stale) for place, (tick, stale, _) in new.items()}


def _messages(one: Intersection, seen: Seen) -> Sequence[Message]:
    """Bodies by `schemas/status-v1.schema.json` and `schemas/spat-v1.schema.json`."""
    output = seen.output
    try:
        moment = at_ms(seen.head.date, seen.head.clock_s)
    except ValueError:
        return ()
    at, number = stamp(moment), f"{one.id}-{moment}-{int(seen.stale)}"
    status: dict[str, Any] = {
        "at": at,
        "intersection": one.id,
        "stale": seen.stale,
        "age_s": round(seen.age_s, 1),
        "link": seen.head.link_error is None,
        "mode": output.mode.value,
        "cause": output.cause,
        "plan": output.plan,
    }
    made = [Message("", f"status-{number}", f"status/{one.id}", status)]
    if not seen.stale:
        commitment = output.commitment
        spat: dict[str, Any] = {
            "at": at,
            "intersection": one.id,
            "groups": {group.id: aspect for group, aspect in zip(one.groups, output.aspects, strict=True)},
            "stage": one.stages[output.stage].id,
            "in_interstage": output.in_interstage,
            "elapsed_s": output.elapsed_s,
            "end_in_s": None if commitment is None else commitment.end_in_s,
            "next_stage": None if commitment is None else one.stages[commitment.next_stage].id,
        }
        made.append(Message("", f"spat-{number}", f"spat/{one.id}", spat))
    return made
