"""What the centre consists of; every route reaches its parts through this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from denxanh.controller.centre.command.service import Commands
from denxanh.controller.centre.command.picture import Picture, picture
from denxanh.controller.centre.feed import Feed
from denxanh.controller.centre.store.archive import Store
from denxanh.networks.model import Corridor, Intersection
from denxanh.plc.modbus.layout import Layout, layout


@dataclass(frozen=True, slots=True)
class Centre:
    """One site's centre. Everything in it lives as long as the process.

    Attributes:
        corridor: with the site's overrides.
        wires: intersections as their cabinets see them, without zones that VDS sources feed.
        feed: the journal, live.
        store: what is kept.
        commands: gives orders.
    """

    corridor: Corridor
    wires: Mapping[str, Intersection]
    feed: Feed
    store: Store
    commands: Commands
    layouts: Mapping[str, Layout] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layouts", {key: layout(one) for key, one in self.wires.items()})

    def picture(self, intersection: str) -> Picture | None:
        """An intersection now; None before its first second."""
        seen = self.feed.seen(intersection)
        return None if seen is None else picture(seen, self.layouts[intersection])
