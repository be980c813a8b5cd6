"""Alarms: that one was raised and that it was cleared are two messages, in the order in which it happened."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Row

from denxanh.controller.alarms import CLEARED
from denxanh.controller.centre.feeds.contract import Message, Source
from denxanh.controller.centre.feeds.sources.numbered import NumberedSource
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.controller.centre.store.folding import ALARMS
from denxanh.controller.centre.store.schema import events
from denxanh.networks.model import Corridor

NAME = "alarms"
_ENDED = "alarm-cleared"
_KEY_DIGITS = 16


def source(_corridor: Corridor) -> Source:
    """The alarms among the events, oldest first; bodies by `schemas/alarms-v1.schema.json`.

    Topics: `alarm/PLACE`, `alarm` for the site. Both messages of an alarm carry the same `alarm`. A message
    with a higher `run` than the ones before ends what stood until then: a new run raises again what is still
    wrong.
    """
    kinds = events.c.kind.in_(sorted((*ALARMS, _ENDED)))
    return NumberedSource(NAME, events, _message, where=kinds)


def _message(position: str, row: Row[Any]) -> Message:
    cleared = row.kind == _ENDED
    vi, en = row.text_vi, row.text_en
    if cleared:
        vi, en = vi.removeprefix(CLEARED[0]), en.removeprefix(CLEARED[1])
    return Message(
        position=position,
        id=f"{NAME}-{row.id}-{row.at_ms}",
        topic=f"alarm/{row.intersection}" if row.intersection else "alarm",
        body={
            "at": stamp(row.at_ms),
            "alarm": _key(row.intersection, row.cause, en),
            "state": "cleared" if cleared else "raised",
            "run": row.run,
            "intersection": row.intersection or None,
            "kind": None if cleared else row.kind,
            "cause": row.cause,
            "text_vi": vi,
            "text_en": en,
        },
    )


def _key(intersection: str, cause: str, text: str) -> str:
    """The same for raising and clearing, by which `folding` also finds what is cleared."""
    told = "\0".join((intersection, cause, text)).encode("utf-8", "backslashreplace")
    return hashlib.sha256(told).hexdigest()[:_KEY_DIGITS]
