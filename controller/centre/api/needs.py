"""What routes ask for: the centre, an intersection of the path, a page of a list."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, overload

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

from denxanh.controller.centre.api.problem import missing
from denxanh.controller.centre.parts import Centre
from denxanh.errors import StoreError
from denxanh.networks.model import Intersection

NAME = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$"
"""Of an intersection, a person, a command."""
REASON = r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{1,198}[^\s\x00-\x1f\x7f]$"
"""Of what a person says why: one line of 3 to 200 characters."""
MAX_PAGE = 500


def centre(request: Request) -> Centre:
    """The application's centre."""
    found: Centre = request.app.state.centre
    return found


Parts = Annotated[Centre, Depends(centre)]
IntersectionId = Annotated[
    str,
    Path(alias="id", pattern=NAME, description="The intersection's identifier.", examples=["THN_304"]),
]


def place(parts: Parts, intersection: IntersectionId) -> Intersection:
    """The intersection of the path.

    Raises:
        ProblemError: there is none (404).
    """
    return named(parts, intersection)


def named(parts: Centre, intersection: str) -> Intersection:
    """The intersection of this name, wherever that stood.

    Raises:
        ProblemError: there is none (404).
    """
    try:
        return parts.corridor.intersection(intersection)
    except KeyError:
        raise missing(f"nút giao {intersection}", f"intersection {intersection}") from None


Place = Annotated[Intersection, Depends(place)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="At most so many entries.")]


def _written(at: object) -> object:
    """Pydantic takes a mere number for seconds since 1970; a mistyped year would be a moment of that year."""
    if isinstance(at, str) and "T" not in at.upper():
        raise PydanticCustomError("moment", "a moment is written like 2026-10-01T07:00:00+07:00")
    return at


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
Since = Annotated[Moment | None, Query(alias="from", description="Not before (RFC 3339, with offset).")]
Until = Annotated[Moment | None, Query(alias="to", description="Before (RFC 3339, with offset).")]
After = Annotated[
    str | None,
    Query(max_length=200, description="`next` of the page before: entries older than those."),
]


@contextlib.contextmanager
def paged() -> Iterator[None]:
    """An `after` that no page had names a page that is not there (404); the store is not to blame."""
    try:
        yield
    except StoreError as error:
        if error.where != "after":
            raise
        raise missing("trang sau `after`", "page after `after`") from error


@overload
def ms(at: datetime) -> int: ...
@overload
def ms(at: None) -> None: ...
@overload
def ms(at: datetime | None) -> int | None: ...
def ms(at: datetime | None) -> int | None:
    """Milliseconds since 1970, UTC, as the store keeps times; None where there is none."""
    return None if at is None else int(at.timestamp() * 1000)


@overload
def moment(at_ms: int) -> datetime: ...
@overload
def moment(at_ms: None) -> None: ...
@overload
def moment(at_ms: int | None) -> datetime | None: ...
def moment(at_ms: int | None) -> datetime | None:
    """The store's time as a moment, UTC; None where there is none."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
