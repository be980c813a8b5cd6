"""A hand in the street of a virtual cabinet: drives over a loop, presses a button, throws a switch."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from denxanh.plc.cabinet.cabinet import VirtualCabinet
    from denxanh.plc.contract import Readings

PASSING_DS = 5
"""Deciseconds for which a vehicle covers a loop: a motorbike of 2 m over 3.5 m at 40 km/h."""
COUNTER = 0x10000
"""Loop counters start again at 0."""
SWITCHES = ("police", "door", "ups")
HELP = f"a loop, a button, or: {', '.join(SWITCHES)} INTERSECTION on/off"


class Street:
    """What the detectors of one cabinet see: nobody but who is put there."""

    def __init__(self, cabinet: VirtualCabinet) -> None:
        from denxanh.networks.model import DetectorKind

        self.cabinet = cabinet
        detectors = cabinet.intersection.detectors
        loop = (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
        self.counts = {one.id: 0 for one in detectors if one.kind in loop}
        self.pressed = {one.id: False for one in detectors if one.kind is DetectorKind.BUTTON}

    def second(self) -> Readings:
        """One second's readings; a button that was pressed is let go."""
        from denxanh.plc.contract import LoopReading, Readings, ZoneReading

        readings = Readings(
            loops=tuple(
                LoopReading(count % COUNTER, PASSING_DS * count % COUNTER, fault=False, age_ds=0)
                for count in self.counts.values()
            ),
            zones=(ZoneReading(0, 0, 0.0, 0.0, fault=False, age_ds=0),) * self.cabinet.layout.zones,
            buttons=tuple(self.pressed.values()),
        )
        self.pressed = dict.fromkeys(self.pressed, False)
        return readings


def do(streets: Mapping[str, Street], line: str) -> str:
    """Do what a line says, and say what was done; `streets` by intersection."""
    match line.split():
        case [name] if owner := next((one for one in streets.values() if name in one.counts), None):
            owner.counts[name] += 1
            return f"{name}: one vehicle"
        case [name] if owner := next((one for one in streets.values() if name in one.pressed), None):
            owner.pressed[name] = True
            return f"{name}: pressed"
        case [switch, place, ("on" | "off") as state] if switch in SWITCHES and place in streets:
            streets[place].cabinet.set_panel(**{switch: state == "on"})
            return f"{place}: {switch} {state}"
    return f"{line.strip()[:80]!r} is none of: {HELP}"


async def lines() -> AsyncIterator[str]:
    """Lines of standard input as they come, to its end.

    Read by a daemon: a thread that waits for a line would keep the program from ending.
    """
    loop, heard = asyncio.get_running_loop(), asyncio.Queue[str]()

    def listen() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(heard.put_nowait, line)

    threading.Thread(target=listen, name="hand", daemon=True).start()
    while True:
        yield await heard.get()
