"""What the city's file asks for, checked against the corridor and its register, as feeds that can run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from denxanh.controller.centre import city as cities
from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.feeds import sinks
from denxanh.controller.centre.feeds.aside import Aside
from denxanh.controller.centre.feeds.contract import Source
from denxanh.controller.centre.feeds.live import NAME as LIVE
from denxanh.controller.centre.feeds.live import LiveFeed, Street
from denxanh.controller.centre.feeds.runner import Feed
from denxanh.controller.centre.feeds.settings import FeedTable, Tls, ToHttp, ToMqtt
from denxanh.controller.centre.feeds.sources import SOURCES, audit, quarters
from denxanh.controller.centre.feeds.sources.indicators import NAME as INDICATORS
from denxanh.controller.centre.feeds.sources.indicators import IndicatorSource
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.console_site import LOOPBACK
from denxanh.controller.journal import JOURNAL_NAME
from denxanh.controller.site import Site
from denxanh.errors import CityError
from denxanh.networks.register import Junction

OF_THE_SITE = (audit.NAME, INDICATORS)
"""Sources whose messages are of no intersection: a feed with filters would never send one."""
ASIDE = "feeds"
"""Folder in the state folder where refused messages go."""


def city_of(site: Site) -> tuple[Path, CityFile]:
    """The city's file of a site, its feeds checked.

    Raises:
        CityError: the site names no city file, or something in it is wrong; all defects at once.
    """
    path = None if site.console is None else site.console.city
    if path is None:
        raise CityError(
            "names no file that says what the city gets",
            where=f"{site.path}: console.city",
            fix='city = "city.toml"; docs/city.md has every key',
        )
    city = cities.load(path)
    found = city.feed
    register = site.register()
    defects = [*_doubled(found, path)]
    for number, table in enumerate(found):
        defects += _defects(table, register, f"{path}: feed[{number}]")
    if defects:
        raise CityError(
            f"{len(defects)} defect(s)", where=str(path), fix="docs/city.md has every key", defects=defects
        )
    return path, city


def source_of(name: str, site: Site, city: CityFile) -> Source:
    """A source whose messages the store keeps.

    Raises:
        KeyError: there is no such source.
    """
    simulated = site.clock is not None or bool(site.corridor.simulation_only)
    if name == quarters.NAME:
        return quarters.QuarterSource(site.corridor, None if simulated else now_ms)
    if name != INDICATORS:
        return SOURCES[name](site.corridor)
    return IndicatorSource(site.corridor, city.indicators, city.costs, simulated=simulated)


def assembled(site: Site) -> tuple[tuple[Feed, ...], tuple[LiveFeed, ...]]:
    """The feeds of a site: those that the store buffers, and those of the live picture.

    Raises:
        CityError: see `city_of`.
        MissingExtraError: MQTT is asked for and aiomqtt is not installed.
    """
    path, city = city_of(site)
    register, folder = site.register(), path.resolve().parent
    stored, live = [], []
    for table in city.feed:
        sink, places = sinks.make(table.name, table.to, folder), _places(table, register)
        if table.source == LIVE:
            street = Street(site.corridor, site.state_dir / JOURNAL_NAME)
            live.append(LiveFeed(table.name, street, sink, places))
            continue
        aside = Aside(aside_path(site.state_dir, table.name)) if table.refused == "aside" else None
        source = source_of(table.source, site, city)
        stored.append(Feed(table.name, source, sink, aside, places, table.begins, table.batch))
    return tuple(stored), tuple(live)


def aside_path(state_dir: Path, feed: str) -> Path:
    """Where refused messages of a feed go."""
    return state_dir / ASIDE / f"{feed}-refused.jsonl"


def places_of(site: Site, table: FeedTable) -> frozenset[str] | None:
    """The intersections of which a feed sends; None: all, and what is of the whole site."""
    return _places(table, site.register())


def known() -> list[str]:
    """What `source` may be."""
    return sorted([*SOURCES, INDICATORS, LIVE])


def _places(table: FeedTable, register: Mapping[str, Junction]) -> frozenset[str] | None:
    """The intersections that fit every filter; None: there is no filter."""
    if not (table.intersections or table.wards or table.former_provinces):
        return None
    return frozenset(
        one.id
        for one in register.values()
        if (not table.intersections or one.id in table.intersections)
        and (not table.wards or one.ward in table.wards)
        and (not table.former_provinces or one.former_province in table.former_provinces)
    )


def _doubled(found: Sequence[FeedTable], path: Path) -> Iterator[CityError]:
    for name, often in Counter(table.name for table in found).items():
        if often > 1:
            yield CityError(f"{often} feeds have this name", where=f"{path}: feed {name}")


def _defects(table: FeedTable, register: Mapping[str, Junction], where: str) -> Iterator[CityError]:
    if table.source not in known():
        yield CityError(
            f"there is no source {table.source!r}",
            where=f"{where}.source",
            fix=f"one of {', '.join(known())}",
        )
    if table.source == LIVE and not isinstance(table.to, ToMqtt):
        yield CityError("the live picture goes to MQTT only", where=f"{where}.to.kind", fix='kind = "mqtt"')
    filters: Mapping[str, tuple[Sequence[str], set[str]]] = {
        "intersections": (table.intersections, set(register)),
        "wards": (table.wards, {one.ward for one in register.values() if one.ward}),
        "former_provinces": (
            table.former_provinces,
            {one.former_province for one in register.values() if one.former_province},
        ),
    }
    unknown = False
    for field, (asked, there) in filters.items():
        for name in asked:
            if name not in there:
                unknown = True
                yield CityError(
                    f"the register has no {name!r}",
                    where=f"{where}.{field}",
                    fix=f"one of {', '.join(sorted(there))}" if there else "the register names none",
                )
    if not unknown and _places(table, register) == frozenset():
        yield CityError("no intersection fits all of its filters", where=where)
    if table.source in OF_THE_SITE and _places(table, register) is not None:
        yield CityError(f"{table.source} is of the whole site: with filters nothing is sent", where=where)
    yield from _of_receiver(table, f"{where}.to")


def _of_receiver(table: FeedTable, where: str) -> Iterator[CityError]:
    to = table.to
    if isinstance(to, Tls) and (to.cert_file is None) is not (to.key_file is None):
        yield CityError("cert_file and key_file belong together", where=where)
    match to:
        case ToHttp():
            url = urlsplit(to.url)
            if url.scheme == "http" and to.token_file is not None and url.hostname not in LOOPBACK:
                yield CityError(
                    "the token would cross the network in clear", where=f"{where}.url", fix="use https"
                )
        case ToMqtt():
            if to.password_file is not None and to.username is None:
                yield CityError("a password needs a username", where=f"{where}.username")
            if to.password_file is not None and not to.tls and to.host not in LOOPBACK:
                yield CityError(
                    "the password would cross the network in clear", where=f"{where}.tls", fix="tls = true"
                )
