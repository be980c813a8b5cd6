"""The centre's application: its parts put together, its routes, and what lives as long as it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from denxanh.controller.centre import desk_pages, indicator_page, pages
from denxanh.controller.centre.api import docs, metrics, problem
from denxanh.controller.centre.api.rights import view
from denxanh.controller.centre.api.router import api, probes
from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.command.service import Commands, Line
from denxanh.controller.centre.feed import PERIOD_S, Feed
from denxanh.controller.centre.feeds.watch import FeedWatch
from denxanh.controller.centre.forecast.service import Forecasts
from denxanh.controller.centre.indicators.summing import Summing
from denxanh.controller.centre.parts import Centre, Pictures
from denxanh.controller.centre.people import assembly
from denxanh.controller.centre.people.people import People
from denxanh.controller.centre.shield import MAX_BODY_BYTES, SecurityHeaders
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.keeping import Keeping
from denxanh.controller.centre.store.measuring import Measuring
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.centre.view import CorridorView
from denxanh.controller.forecast.fitfile import FILE_NAME
from denxanh.controller.tally import SUMMARY_NAME
from denxanh.networks import catalogue
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.register import junctions

HERE = Path(__file__).parent
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def create_app(
    corridor: Corridor,
    journal: Path,
    *,
    store: Store,
    people: People,
    line: Line,
    wires: Mapping[str, Intersection] | None = None,
    policy: str | None = None,
    warning: tuple[str, str] | None = None,
    feeds: Collection[str] = (),
    host: str = "127.0.0.1",
    city: CityFile | None = None,
    simulated: bool = False,
    folder: Path | None = None,
    period_s: float = PERIOD_S,
) -> FastAPI:
    """The application of one site.

    Args:
        corridor: the site's corridor.
        journal: the controller's journal.
        store: where the centre keeps what it knows; closing it stays the caller's.
        people: who may do what.
        line: the way to the controller.
        wires: intersections as their cabinets see them, where VDS sources feed zones; by default the same.
        policy: the site's, shown until the journal names the one that runs.
        warning: what must stand on the page with it, (Vietnamese, English).
        feeds: names of the feeds that should be sent; pages say when one is not.
        host: the address that the server binds. Requests for any other host name than this machine's, this
            one and the people's public one are refused, so that no foreign page can read the state through
            a rebound name.
        city: the city's file; its defaults where the site names none.
        simulated: whether the street is a simulated one: what the city is told says so.
        folder: of the corridor's text files; by default that of the catalogue's corridor of this id.
        period_s: at most so many seconds between two snapshots of the stream.
    """
    if folder is None and corridor.id in catalogue.names():
        folder = catalogue.path(corridor.id)
    keeping = Keeping(store, corridor, journal.parent)
    measuring = Measuring(store, corridor, clock=None if simulated or corridor.simulation_only else now_ms)
    watch = FeedWatch(store, feeds)

    def notices() -> list[tuple[str, str]]:
        return [*([] if keeping.alarm is None else [keeping.alarm]), *watch.notices]

    feed = Feed(CorridorView(corridor, policy, warning), journal, period_s, notices=notices)
    pictures = Pictures(feed, wires or {one.id: one for one in corridor.intersections})
    commands = Commands(store, line, feed, corridor, pictures.now)
    settings = city or CityFile()
    forecasts = Forecasts(store, corridor, journal.parent / FILE_NAME)
    centre = Centre(
        corridor,
        feed,
        pictures,
        store,
        keeping,
        commands,
        forecasts,
        settings,
        junctions(corridor, folder),
        journal.parent / SUMMARY_NAME,
        simulated,
        folder,
    )
    summing = Summing(store, corridor, settings.indicators)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        works = (
            feed.run(),
            keeping.run(),
            measuring.run(),
            summing.run(),
            watch.run(),
            commands.resume(),
        )
        tasks = [asyncio.create_task(work) for work in works]
        yield
        await commands.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan, max_body_size=MAX_BODY_BYTES
    )
    app.state.centre = centre
    app.state.corridor = corridor
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_hosts(host, people.public_url))
    app.add_middleware(SecurityHeaders, by_tls=people.public_url is not None)
    problem.install(app)
    assembly.install(app, people)
    app.include_router(api)
    app.include_router(probes)
    app.include_router(metrics.router)
    app.include_router(pages.router, dependencies=[view])
    app.include_router(desk_pages.router)
    app.include_router(indicator_page.router)
    docs.install(app)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


def _hosts(host: str, public_url: str | None) -> list[str]:
    public = urlsplit(public_url).hostname if public_url else None
    return [*LOOPBACK, host, *([public] if public else [])]
