"""How a store stands, in a few figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from denxanh.controller.centre.store import audit, migrate
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.audit import Anchor
from denxanh.controller.centre.store.schema import bookmarks, metadata


@dataclass(frozen=True, slots=True)
class Recorded:
    """How far the journal is stored."""

    part: int
    offset: int
    """Bytes of that part."""
    at_ms: int
    """When that was, by the computer's clock."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What `overview` found."""

    schema: str | None
    rows: Mapping[str, int]
    """By table."""
    recorded: Recorded | None
    head: Anchor | None
    """The audit log's last row."""


def overview(store: Store) -> Overview:
    """Count everything; seconds in a large store.

    Raises:
        StoreError: the database does not answer.
    """
    with store.reading() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
        mark = connection.execute(select(bookmarks)).first()
        recorded = None if mark is None else Recorded(mark.part, mark.offset, mark.updated_ms)
        return Overview(migrate.version(connection), rows, recorded, audit.head(connection))
