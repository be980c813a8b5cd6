"""The console's pages as the navigation lists them. A page that is added gets a row here."""

from __future__ import annotations

from typing import NamedTuple

from denxanh.controller.centre.people.rights import Right


class Entry(NamedTuple):
    """One link: the page's id, its address, its icon in `static/icons.svg`, and who sees it."""

    page: str
    """Also the key of its word: `nav.<page>`."""
    href: str
    icon: str
    right: Right = Right.VIEW


class Section(NamedTuple):
    """Links under one heading (`nav.<id>`)."""

    id: str
    entries: tuple[Entry, ...]


NAVIGATION: tuple[Section, ...] = (
    Section(
        "watch",
        (
            Entry("map", "/", "map"),
            Entry("intersections", "/intersections", "intersection"),
            Entry("corridor", "/corridor", "corridor"),
            Entry("measures", "/measures", "measure"),
            Entry("hotspots", "/hotspots", "hotspot"),
        ),
    ),
    Section(
        "operate",
        (
            Entry("alarms", "/alarms", "alarm"),
            Entry("notices", "/notices", "notice"),
            Entry("plans", "/plans", "plan"),
            Entry("calendar", "/calendar", "calendar"),
        ),
    ),
    Section(
        "answer",
        (
            Entry("audit", "/audit", "audit", Right.AUDIT),
            Entry("comparison", "/comparison", "compare"),
            Entry("indicators", "/indicators", "target"),
            Entry("people", "/people", "people", Right.MANAGE_PEOPLE),
        ),
    ),
)
