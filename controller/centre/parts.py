"""What the centre consists of; every route reaches its parts through this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.command.picture import Picture, picture
from denxanh.controller.centre.command.service import Commands
from denxanh.controller.centre.feed import Feed
from denxanh.controller.centre.forecast.service import Forecasts
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.keeping import Keeping
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.clock import VIETNAM
from denxanh.controller.localtime import local
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.register import Junction
from denxanh.plc.modbus.layout import layout


class Pictures:
    """Intersections as last heard, the cabinets' registers decoded.

    Args:
        feed: the journal, live.
        wires: intersections as their cabinets see them, without zones that VDS sources feed.
    """

    def __init__(self, feed: Feed, wires: Mapping[str, Intersection]) -> None:
        self._feed = feed
        self.wires = wires
        self._layouts = {key: layout(one) for key, one in wires.items()}

    def now(self, intersection: str) -> Picture | None:
        """One of them; None before its first second, and where the site does not drive it."""
        seen = self._feed.seen(intersection)
        if seen is None or intersection not in self._layouts:
            return None
        return picture(seen, self._layouts[intersection])


@dataclass(frozen=True, slots=True)
class Centre:
    """One site's centre. Everything in it lives as long as the process.

    Attributes:
        corridor: with the site's overrides.
        feed: the journal, live.
        pictures: intersections now.
        store: what is kept.
        keeping: carries the journal into the store.
        commands: gives orders.
        forecasts: what is told of the next half hour, and warnings.
        city: what the city gets: indicators, reports, rules, feeds.
        register: the corridor's junctions.
        summary: where the controller leaves its counters.
        folder: of the corridor's text files; None: it has none, or it is not known.
        simulated: whether the street is a simulated one.
    """

    corridor: Corridor
    feed: Feed
    pictures: Pictures
    store: Store
    keeping: Keeping
    commands: Commands
    forecasts: Forecasts
    city: CityFile
    register: Mapping[str, Junction]
    summary: Path
    simulated: bool = False
    folder: Path | None = None

    def picture(self, intersection: str) -> Picture | None:
        """An intersection now; None before its first second."""
        return self.pictures.now(intersection)

    def now_ms(self) -> int:
        """The site's clock as it should be by now, also while nothing is heard; milliseconds since 1970."""
        seen = [one for key in self.pictures.wires if (one := self.feed.seen(key)) is not None]
        if not seen:
            return int(datetime.now(VIETNAM).timestamp() * 1000)
        newest = max(at_ms(one.head.date, one.head.clock_s) for one in seen)
        _, age_s = self.feed.pulse()
        return newest + 1000 + round(1000 * (age_s or 0.0))

    def clock(self, intersection: str) -> datetime:
        """The site's clock there, which a simulation runs as it likes; the computer's before any second."""
        seen = self.feed.seen(intersection)
        if seen is None:
            return datetime.now(VIETNAM)
        return local(at_ms(seen.head.date, seen.head.clock_s) + 1000)
