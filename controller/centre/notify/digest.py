"""Digests: what happened since the last one, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, or_, select

from denxanh.controller.centre.notify.book import Kind, Notice
from denxanh.controller.centre.notify.condition import Words
from denxanh.controller.centre.notify.letter import Item
from denxanh.controller.centre.notify.reading import notice
from denxanh.controller.centre.notify.tables import Digest, Severity
from denxanh.controller.centre.notify.times import last_due_ms, period_ms
from denxanh.controller.centre.notify.wording import EN, SEVERITIES, SITE, VI, clock, duration
from denxanh.controller.centre.store.schema import notices

LATE_MS = 12 * 3_600_000
"""A digest that is later than this is left out; the next one comes (assumed)."""
MAX_LINES = 200
MAX_NOTICES = 10_000


def due(digest: Digest, now_ms: int) -> tuple[str, int] | None:
    """The key of the digest that should have gone by now, and its moment; None: it is too late for it."""
    at_ms = last_due_ms(digest, now_ms)
    if now_ms - at_ms > LATE_MS:
        return None
    return f"digest/{digest.every}/{at_ms}", at_ms


def digest_item(
    connection: Connection, digest: Digest, at_ms: int, names: Mapping[str, Words], now_ms: int
) -> Item:
    """The digest of the period that ended at `at_ms`, by the computer's clock."""
    table, begin_ms = notices.c, at_ms - period_ms(digest)
    here = or_(table.cleared_ms.is_(None), table.cleared_ms >= begin_ms)
    query = select(notices).where(table.raised_ms < at_ms, here).order_by(table.id.desc()).limit(MAX_NOTICES)
    found = [notice(row) for row in connection.execute(query)]
    order = list(Severity)
    found.sort(key=lambda one: (one.cleared_ms is not None, -order.index(one.severity), one.raised_ms))
    left = len(found) - MAX_LINES
    detail = [_line(one, names, now_ms) for one in found[:MAX_LINES]]
    if left > 0:
        detail.append((f"… và {left} thông báo khác", f"… and {left} more"))
    return Item(
        kind=Kind.DIGEST,
        severity=Severity.INFO,
        notice=None,
        rule="",
        place="",
        name=SITE,
        words=_head(digest, found, begin_ms, at_ms),
        since_ms=begin_ms,
        at_ms=now_ms,
        detail=tuple(detail),
    )


def _head(digest: Digest, found: Sequence[Notice], begin_ms: int, at_ms: int) -> Words:
    raised = sum(one.raised_ms >= begin_ms for one in found)
    standing = sum(one.cleared_ms is None for one in found)
    noted = sum(one.cleared_ms is None and one.acknowledged_ms is None for one in found)
    vi, en = ("tuần", "week") if digest.every == "week" else ("ngày", "day")
    return (
        f"tổng hợp {vi} đến {clock(at_ms)}: "
        f"{raised} thông báo mới, {standing} chưa hết, {noted} chưa ai xác nhận",
        f"digest of the {en} up to {clock(at_ms)}: {raised} new, {standing} open, {noted} not acknowledged",
    )


def _line(one: Notice, names: Mapping[str, Words], now_ms: int) -> Words:
    def said(language: int) -> str:
        name = names.get(one.place, (one.place, one.place)) if one.place else SITE
        place = f"{name[language]} ({one.place})" if one.place else name[language]
        lasted = duration(max(0, (one.cleared_ms or now_ms) - one.raised_ms), language)
        state = (
            ("chưa hết", "open")[language]
            if one.cleared_ms is None
            else ("đã hết sau", "over after")[language]
        )
        again = f" ×{one.times}" if one.times > 1 else ""
        head = SEVERITIES[one.severity][language]
        return f"{clock(one.raised_ms)} {head}. {place}: {one.words[language]}{again}; {state} {lasted}"

    return said(VI), said(EN)
