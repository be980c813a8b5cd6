"""A data set as a zip: CSV tables, a data dictionary, lineage and a manifest with the hash of every file.

The same content gives the same bytes. The classification and the licence are the city's; where it has given
none, the manifest says so.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denxanh.controller.centre.exports.settings import Exports
from denxanh.errors import ReportError

MANIFEST_SCHEMA = "dataset-v1"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of every entry: a zip knows no earlier time."""
UNSAID = "chưa được thành phố xác định (not set by the city)"


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name, type (`string`, `integer`, `number`, `datetime`), unit and meaning."""

    name: str
    kind: str
    unit: str
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what one must know to read it.

    Attributes:
        name: of its file, without ending.
        title_vi: what it holds.
        title_en: the same in English.
        lineage_vi: from what and how it was made.
        lineage_en: the same in English.
        fields: its columns.
        rows: a value per column; None is an empty cell.
    """

    name: str
    title_vi: str
    title_en: str
    lineage_vi: str
    lineage_en: str
    fields: Sequence[Field]
    rows: Iterable[Sequence[object]]


def write(
    path: Path,
    kind: str,
    period: tuple[str, str],
    tables: Iterable[Table],
    settings: Exports,
    *,
    program: str,
    site: str,
    simulated: bool,
    as_json: bool = False,
) -> dict[str, Any]:
    """Write a data set and return its manifest.

    Args:
        path: of the zip; replaced as a whole.
        kind: `lgsp` or `open-data`.
        period: first and last local day, both inclusive.
        tables: what goes into it.
        settings: publisher, classification, licence.
        program: name and version of what made it.
        site: corridor.
        simulated: whether the figures come from a simulated street.
        as_json: also each table as JSON.

    Raises:
        ReportError: it cannot be written.
    """
    entries: dict[str, bytes] = {}
    dictionary: list[dict[str, str]] = []
    lineage: list[dict[str, Any]] = []
    for table in tables:
        rows = [[_value(one) for one in row] for row in table.rows]
        names = [field.name for field in table.fields]
        entries[f"data/{table.name}.csv"] = _csv(names, rows)
        if as_json:
            documents = [dict(zip(names, row, strict=True)) for row in rows]
            entries[f"data/{table.name}.json"] = _json(documents)
        dictionary += [_described(table, field) for field in table.fields]
        lineage.append(
            {
                "table": table.name,
                "title_vi": table.title_vi,
                "title_en": table.title_en,
                "lineage_vi": table.lineage_vi,
                "lineage_en": table.lineage_en,
                "rows": len(rows),
            }
        )
    columns = list(dictionary[0]) if dictionary else []
    entries["dictionary.csv"] = _csv(columns, [list(row.values()) for row in dictionary])
    entries["dictionary.json"] = _json(dictionary)
    entries["lineage.json"] = _json(lineage)
    manifest = {
        "schema": MANIFEST_SCHEMA,
        "kind": kind,
        "from": period[0],
        "until": period[1],
        "site": site,
        "simulated": simulated,
        "publisher_vi": settings.publisher_vi,
        "publisher_en": settings.publisher_en,
        "contact": settings.contact or UNSAID,
        "classification": settings.classification or UNSAID,
        "licence": settings.licence or UNSAID,
        "personal_data": "không có (none)",
        "program": program,
        "files": [
            {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(entries.items())
        ],
    }
    entries["manifest.json"] = _json(manifest)
    _zip(path, entries)
    return manifest


def verify(path: Path) -> list[str]:
    """What of a data set is not as its manifest says; empty: all is.

    Raises:
        ReportError: it is no data set.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            told = {one["path"]: one["sha256"] for one in manifest["files"]}
            there = {name for name in archive.namelist() if name != "manifest.json"}
            wrong = [f"{name}: is missing" for name in sorted(told.keys() - there)]
            wrong += [f"{name}: is not in the manifest" for name in sorted(there - told.keys())]
            wrong += [
                f"{name}: was changed"
                for name in sorted(there & told.keys())
                if hashlib.sha256(archive.read(name)).hexdigest() != told[name]
            ]
            return wrong
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ReportError(f"is no data set: {error}", where=str(path)) from error


def _described(table: Table, field: Field) -> dict[str, str]:
    return {
        "table": table.name,
        "field": field.name,
        "type": field.kind,
        "unit": field.unit,
        "meaning_vi": field.vi,
        "meaning_en": field.en,
    }


def _value(one: object) -> object:
    """As it goes out: what is not a number is empty."""
    return None if isinstance(one, float) and not math.isfinite(one) else one


def _csv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180, UTF-8 with a mark by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([["" if one is None else _plain(one) for one in row] for row in rows])
    return ("\ufeff" + out.getvalue()).encode("utf-8", "backslashreplace")


def _plain(value: object) -> object:
    """Text that no spreadsheet takes for a formula."""
    begins = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if begins else value


def _json(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _zip(path: Path, entries: Mapping[str, bytes]) -> None:
    scratch = path.with_name(path.name + ".new")
    try:
        with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(entries.items()):
                info = zipfile.ZipInfo(name, _EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise ReportError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
