"""The console's pages. They hold nothing of the street: scripts fetch it and follow the stream."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.desk_pages import ordering
from denxanh.controller.centre.render import problem, render
from denxanh.controller.centre.words.corridor import CORRIDOR
from denxanh.controller.centre.words.hotspots import HOTSPOTS
from denxanh.controller.centre.words.intersection import COMPASS, INTERSECTION
from denxanh.controller.centre.words.intersections import INTERSECTIONS
from denxanh.controller.centre.words.map import LOG, MAP, TROUBLE
from denxanh.controller.centre.words.measures import MEASURES
from denxanh.controller.centre.words.ordering import ORDERING

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/")
async def city(request: Request, wall: bool = False) -> HTMLResponse:
    """The map, where to look first, and what has just happened; `wall`: for a screen without a keyboard."""
    return render(request, "map.html", page="map", words=(MAP, TROUBLE, LOG, COMPASS), wall=wall)


@router.get("/intersections")
async def intersections(request: Request) -> HTMLResponse:
    """Every intersection, one row each."""
    return render(request, "intersections.html", page="intersections", words=(INTERSECTIONS, TROUBLE))


@router.get("/intersections/{intersection}")
async def one_intersection(request: Request, intersection: str) -> HTMLResponse:
    """One intersection: what it does, why, and what it has done in the last three cycles."""
    every = request.app.state.corridor.intersections
    index = next((index for index, item in enumerate(every) if item.id == intersection), None)
    if index is None:
        return problem(request, 404, "error.intersection", id=intersection)
    return render(
        request,
        "intersection.html",
        page="intersections",
        words=(INTERSECTIONS, INTERSECTION, COMPASS, MAP, TROUBLE, LOG, ORDERING),
        item=every[index],
        before=every[index - 1],
        after=every[(index + 1) % len(every)],
        **ordering(request),
    )


@router.get("/corridor")
async def corridor(request: Request) -> HTMLResponse:
    """Time and distance along a street: measured greens, arrivals, the plan's band."""
    return render(request, "corridor.html", page="corridor", words=(CORRIDOR, MAP))


@router.get("/measures")
async def measures(request: Request, intersection: str = "") -> HTMLResponse:
    """How an intersection's signals did: coordination diagram, split monitor, terminations, figures."""
    return render(
        request,
        "measures.html",
        page="measures",
        words=(MEASURES, INTERSECTION, COMPASS),
        chosen=intersection,
    )


@router.get("/hotspots")
async def hotspots(request: Request) -> HTMLResponse:
    """What will be congested, what is blocked, and where traffic waited most."""
    return render(request, "hotspots.html", page="hotspots", words=(HOTSPOTS, COMPASS))
