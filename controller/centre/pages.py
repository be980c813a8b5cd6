"""The console's pages. They hold nothing of the street: scripts fetch it and follow the stream."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from denxanh.controller.centre.render import render
from denxanh.controller.centre.words.intersections import INTERSECTIONS

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/intersections")
async def intersections(request: Request) -> HTMLResponse:
    """Every intersection, one row each."""
    return render(request, "intersections.html", page="intersections", words=(INTERSECTIONS,))
