"""What happened on the street and in its control: mode changes, switches, alarms, refusals, orders."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from denxanh.controller.centre.feeds.contract import Message, Source
from denxanh.controller.centre.feeds.sources.numbered import NumberedSource
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.schema import events
from denxanh.networks.model import Corridor

NAME = "events"


def source(_corridor: Corridor) -> Source:
    """The table `events`, oldest first; bodies by `schemas/events-v1.schema.json`.

    Topics: `mode/PLACE` for changes of the mode, `event/PLACE` for everything else, `event` for the site.
    """
    return NumberedSource(NAME, events, _message)


def _message(position: str, row: Row[Any]) -> Message:
    kind = "mode" if row.kind == "mode" else "event"
    return Message(
        position=position,
        # With its time, a row of a restored store that got a used number is still told from the old one.
        id=f"{NAME}-{row.id}-{row.at_ms}",
        topic=f"{kind}/{row.intersection}" if row.intersection else kind,
        body={
            "at": stamp(row.at_ms),
            "intersection": row.intersection or None,
            "kind": row.kind,
            "cause": row.cause,
            "text_vi": row.text_vi,
            "text_en": row.text_en,
            "mode_from": row.mode_from,
            "mode_to": row.mode_to,
        },
    )
