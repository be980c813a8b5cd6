"""Writes site files that `controller.site.load` reads back: the demo's, the exercise's, the tests'."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from denxanh.controller.console_site import ConsoleTable
from denxanh.controller.priority.tables import FloodTable, SourceEntry
from denxanh.controller.sitetables import CabinetEntry, Endpoint, SiteTable, TlsTable
from denxanh.controller.vds.tables import VdsTables


def write_site(
    path: Path,
    *,
    corridor: str,
    state_dir: str,
    policy: str,
    cabinets: Sequence[CabinetEntry],
    console: ConsoleTable | None = None,
    clock: Endpoint | None = None,
    epoch_file: str | None = None,
    ungated: str | None = None,
    tls: TlsTable | None = None,
    vds: VdsTables | None = None,
    flood: FloodTable | None = None,
    sources: Sequence[SourceEntry] = (),
) -> None:
    """Write a site file. Paths in it start at its own folder."""
    site = SiteTable(
        corridor=corridor, state_dir=state_dir, policy=policy, ungated=ungated, epoch_file=epoch_file
    )
    blocks: list[tuple[str, BaseModel | None]] = [
        ("[site]", site),
        ("[console]", console),
        ("[clock]", clock),
        ("[tls]", tls),
    ]
    blocks += [("[[cabinet]]", entry) for entry in cabinets]
    if vds is not None:
        blocks += [("[vds_http]", vds.vds_http), ("[vds_mqtt]", vds.vds_mqtt)]
        blocks += [("[[vds]]", entry) for entry in vds.vds]
    if flood is not None:
        blocks += [("[flood]", flood), *(("[[flood.gauge]]", gauge) for gauge in flood.gauge)]
    blocks += [("[[source]]", source) for source in sources]
    text = "\n".join(_toml(head, table) for head, table in blocks if table is not None)
    path.write_text(text, encoding="utf-8")


def _toml(head: str, table: BaseModel) -> str:
    # A JSON string without escaped slashes is a TOML basic string; gauges are tables of their own.
    values = table.model_dump(exclude_none=True, exclude={"gauge"}).items()
    return "\n".join(
        [head, *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values), ""]
    )
