"""SUMO's XML files, streamed and taken apart with suspicion: every value is checked before it is used."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar, cast
from xml.etree import ElementTree

from denxanh.errors import NetworkError
from denxanh.networks.model import Point

MAX_LINKS = 1024
"""Link indices of one signal; the largest joined signals in use have about a hundred."""
MAX_COORDINATE = 1e9
"""Metres; anything farther is a broken file."""

_Value = TypeVar("_Value")


def elements(path: Path, wanted: set[str]) -> Iterator[ElementTree.Element]:
    """Stream the wanted elements of an XML file, gzipped or not, freeing each after use.

    Raises:
        NetworkError: the file cannot be read or is not XML.
    """
    try:
        with _open(path) as stream:
            depth = 0
            for event, element in ElementTree.iterparse(stream, events=("start", "end")):
                if event == "start":
                    depth += 1
                    if depth == 1 and element.tag in wanted and element.tag == "net":
                        yield element
                    continue
                depth -= 1
                if element.tag in wanted and element.tag != "net":
                    yield element
                if depth == 1:
                    element.clear()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NetworkError(
            f"cannot read the file: {reason}", where=str(path), fix="check the path"
        ) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise NetworkError(
            f"not readable XML: {error}", where=str(path), fix="write the file again"
        ) from error


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


def attribute(element: ElementTree.Element, name: str, where: str, default: str | None = None) -> str:
    """An attribute's text; without a default its absence is a `NetworkError`."""
    value = element.get(name, default)
    if value is None:
        raise NetworkError(
            f"<{element.tag}> {element.get('id', '')!r} has no {name!r}",
            where=where,
            fix="rebuild it with netconvert",
        )
    return value


def parsed(
    element: ElementTree.Element,
    name: str,
    where: str,
    parse: Callable[[str], _Value],
    default: str | None = None,
) -> _Value:
    """An attribute through `parse`, whose `ValueError` becomes a `NetworkError` that names the place."""
    text = attribute(element, name, where, default)
    try:
        return parse(text)
    except (ValueError, OverflowError) as error:
        raise NetworkError(
            f"<{element.tag}> {element.get('id', '')!r}: {name}={text[:80]!r} is not valid",
            where=where,
            fix="rebuild it with netconvert",
        ) from error


def finite(text: str) -> float:
    """A coordinate, time or speed that is a real number of sane size."""
    value = float(text)
    if not math.isfinite(value) or abs(value) > MAX_COORDINATE:
        raise ValueError(text)
    return value


def positive(text: str) -> float:
    """The same, not below 0."""
    value = finite(text)
    if value < 0:
        raise ValueError(text)
    return value


def shape_points(text: str) -> tuple[Point, ...]:
    """A lane's `x,y x,y …`; heights are dropped."""
    points = []
    for pair in text.split():
        east, north, *_ = pair.split(",")
        points.append((finite(east), finite(north)))
    return tuple(points)


def link_index(text: str) -> int:
    """Position of a link in a signal's state; -1: none."""
    value = int(text)
    if not -1 <= value < MAX_LINKS:
        raise ValueError(text)
    return value


def bits(text: str) -> int:
    """A row of a right-of-way matrix as a number; the rightmost character is bit 0."""
    return int(text, 2) if text else 0
