"""From a site's store to the files that go out, each written as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from denxanh.controller.centre.exports import dataset, evidence, ioc, tables
from denxanh.controller.centre.exports.congestion import filled
from denxanh.controller.centre.exports.geojson import collection
from denxanh.controller.centre.exports.settings import Exports
from denxanh.controller.centre.indicators.period import Period
from denxanh.errors import ReportError
from denxanh.networks.model import Corridor
from denxanh.networks.register import Junction

MAX_DAYS = 366
"""Longest period of one data set, days."""


def period(text: str) -> Period:
    """`2026-11-23` is a day, `2026-11` a month, `2026` a year, `2026-11-01..2026-11-07` what lies between.

    Raises:
        ReportError: it is none of these, or longer than `MAX_DAYS`.
    """
    begin, between, end = text.partition("..")
    found: Period | None
    try:
        found = _part(begin)
        if between:
            found = Period.span(found.first, _part(end).last)
    except (ValueError, ReportError):
        found = None
    if found is None or found.days > MAX_DAYS:
        raise ReportError(
            f"{text[:40]!r} is no period of up to {MAX_DAYS} days",
            where="--day",
            fix="write 2026-11-23, 2026-11, 2026 or 2026-11-01..2026-11-07",
        )
    return found


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes exports of one site.

    Attributes:
        corridor: of the site.
        register: its junctions that are asked for.
        settings: what stands beside the data.
        simulated: whether the street is a simulated one.
    """

    corridor: Corridor
    register: Mapping[str, Junction]
    settings: Exports
    simulated: bool

    def ioc_daily(self, connection: Connection, day: Period, path: Path) -> dict[str, Any]:
        """One JSON document.

        Raises:
            ReportError: the period is not one day, or the file cannot be written.
            StoreError: the database does not answer.
        """
        _one_day(day)
        document = ioc.daily(
            connection, self.corridor, self.register, self.settings, day.begin_ms, simulated=self.simulated
        )
        _write(path, [json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)])
        return document

    def lgsp(self, connection: Connection, days: Period, path: Path) -> dict[str, Any]:
        """A data set for the shared warehouse; returns its manifest."""
        between = (connection, self.corridor, days.begin_ms, days.end_ms, self.register)
        return self._dataset(
            path,
            "lgsp",
            days,
            (
                tables.junctions(self.register),
                tables.queues(*between),
                tables.counts(*between),
                tables.control(*between),
                tables.alarm_list(connection, days.begin_ms, days.end_ms, self.register),
            ),
        )

    def open_data(self, connection: Connection, days: Period, path: Path) -> dict[str, Any]:
        """Aggregated figures for the public; returns the manifest."""
        made = (
            tables.junctions(self.register),
            tables.typical_day(connection, self.corridor, days.begin_ms, days.end_ms, self.register),
        )
        return self._dataset(path, "open-data", days, made, as_json=True)

    def police(self, connection: Connection, day: Period, path: Path) -> dict[str, str]:
        """The signal-state log of a day as JSON lines; returns each intersection's last hash."""
        _one_day(day)
        heads: dict[str, str] = {}

        def lines() -> Iterable[str]:
            for place in self.corridor.intersections:
                if place.id in self.register:
                    for _, body in evidence.day(connection, place, day.begin_ms, day.end_ms):
                        heads[place.id] = body["hash"]
                        yield json.dumps(body, ensure_ascii=False, allow_nan=False)

        _write(path, lines())
        return heads

    def geojson(self, connection: Connection, at: datetime, path: Path) -> dict[str, Any]:
        """Congestion at a moment; closures are only in the live document."""
        found = filled(connection, self.corridor, int(at.timestamp() * 1000))
        document = collection(self.corridor, self.register, found, (), self.settings, at)
        _write(path, [json.dumps(document, ensure_ascii=False, allow_nan=False)])
        return document

    def _dataset(
        self,
        path: Path,
        kind: str,
        days: Period,
        made: Iterable[dataset.Table],
        *,
        as_json: bool = False,
    ) -> dict[str, Any]:
        return dataset.write(
            path,
            kind,
            (str(days.first), str(days.last)),
            made,
            self.settings,
            program=f"denxanh {version('denxanh')}",
            site=self.corridor.id,
            simulated=self.simulated,
            as_json=as_json,
        )


def _one_day(day: Period) -> None:
    if day.first != day.last:
        raise ReportError(
            f"{day.slug} is more than a day", where="--day", fix="name one day, like 2026-11-23"
        )


def _part(text: str) -> Period:
    """A day, a month or a year.

    Raises:
        ValueError: it is none.
        ReportError: there is no such one.
    """
    match text.split("-"):
        case [year]:
            return Period.year(_number(year, 4))
        case [year, month]:
            return Period.month(_number(year, 4), _number(month, 2))
        case _:
            return Period.day(date.fromisoformat(text))


def _number(text: str, digits: int) -> int:
    if len(text) != digits or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _write(path: Path, lines: Iterable[str]) -> None:
    """A text file, replaced as a whole; only its owner reads it, as with the store it comes from.

    Raises:
        ReportError: it cannot be written.
    """
    scratch = path.with_name(path.name + ".new")
    try:
        scratch.unlink(missing_ok=True)
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            for line in lines:
                stream.write(line + "\n")
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise ReportError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
