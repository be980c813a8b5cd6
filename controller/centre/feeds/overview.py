"""How the feeds of a site stand, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.feeds.aside import Aside
from denxanh.controller.centre.feeds.assembly import aside_path, city_of, places_of, source_of
from denxanh.controller.centre.feeds.live import NAME as LIVE
from denxanh.controller.centre.feeds.settings import MAX_BATCH, FeedTable
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.site import Site
from denxanh.errors import StoreError


@dataclass(frozen=True, slots=True)
class Standing:
    """One feed.

    Attributes:
        feed: its name.
        source: what it reads.
        to: the kind of its receiver.
        position: how far the receiver has acknowledged; None: it has never run, or nothing is kept.
        sent: messages that were acknowledged, those sent again counted once.
        waiting: messages that wait, counted up to `MAX_BATCH`; None: cannot be told.
        aside: messages that the receiver refused and that were set aside.
        updated_ms: last sign of life, by the computer's clock; None: it has never run.
        trouble: why it does not go on; None: it does.
        trouble_ms: since when.
    """

    feed: str
    source: str
    to: str
    position: str | None
    sent: int
    waiting: int | None
    aside: int
    updated_ms: int | None
    trouble: str | None
    trouble_ms: int | None


def overview(site: Site, store: Store) -> tuple[Standing, ...]:
    """Every feed that the city's file names, in its order.

    Raises:
        CityError: the city's file is wrong.
        StoreError: the database does not answer.
    """
    _, city = city_of(site)
    return tuple(_standing(site, store, table, city) for table in city.feed)


def _standing(site: Site, store: Store, table: FeedTable, city: CityFile) -> Standing:
    with store.reading() as connection:
        row = positions.of(connection, table.name)
    return Standing(
        feed=table.name,
        source=table.source,
        to=table.to.kind,
        position=None if row is None else row.after,
        sent=0 if row is None else row.sent,
        waiting=None if row is None else _waiting(site, store, table, city, row.after),
        aside=Aside(aside_path(site.state_dir, table.name)).count(),
        updated_ms=None if row is None else row.updated_ms,
        trouble=None if row is None else row.trouble,
        trouble_ms=None if row is None else row.trouble_ms,
    )


def _waiting(site: Site, store: Store, table: FeedTable, city: CityFile, after: str | None) -> int | None:
    if table.source == LIVE:
        return None
    places = places_of(site, table)
    try:
        with store.reading() as connection:
            read = source_of(table.source, site, city).read(connection, after, MAX_BATCH)
    except StoreError:
        # Its trouble says why.
        return None
    return sum(1 for one in read if places is None or one.place in places)
