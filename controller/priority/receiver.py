"""Where requests come in: a local datagram socket that the tick loop empties itself, and the record of each.

No task, no thread and no wait: once per tick at most `MAX_PER_TICK` datagrams of at most `MAX_BYTES` are read
from a socket that never blocks. What else a sender offers waits in the kernel's short queue or is sent back
to it, so nobody can delay a tick. Everything that a known source has said stands in the journal before it has
any effect.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from denxanh.controller.alarms import CLEARED
from denxanh.controller.codec import encode_event
from denxanh.controller.journal import Append
from denxanh.controller.localsocket import Inbox
from denxanh.controller.priority import dispatcher
from denxanh.controller.priority.gatekeeper import Memory, Refused, Verdict, judge
from denxanh.controller.priority.message import Message
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.wishes import Wishes
from denxanh.controller.record import Event

_LOG = logging.getLogger(__name__)

SOCKET_NAME = "requests.sock"
"""In the site's state folder."""
SOCKET_MODE = 0o660
"""User and group of the controller may send; what they send is sealed."""
MAX_PER_TICK = 32
"""Datagrams read per tick."""
ALARM_AGAIN_TICKS = 600
"""The same refusal of the same source is an alarm again after this many ticks."""
STALE = "flood-report-stale"
"""Cause of the alarm about a report that was not renewed."""
COUNT_TICKS = 60
"""Refusals are counted into one record per this many ticks."""


class Desk:
    """Takes requests in and says once per tick what they ask of each intersection.

    Args:
        settings: the site's.
        keys: by source.
        inbox: where datagrams come from.
        wall: seconds since 1970, UTC; for the age of messages only.
        monotonic: seconds from a clock that never jumps.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Mapping[str, bytes],
        inbox: Inbox,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._inbox = inbox
        self._wall = wall
        self._monotonic = monotonic
        self._began = monotonic()
        self._memory = Memory()
        self._state = dispatcher.State()
        self._alarmed: dict[tuple[str, Refused], int] = {}
        self._refused: Counter[str] = Counter()
        self._counted = 0
        self._stale: dict[tuple[str, str], None] = {}
        """Source and subject of reports that were not renewed; an alarm stands for each."""

    def second(self, tick: int, append: Append) -> Mapping[str, Wishes]:
        """What is asked in this tick, by intersection; absent: nothing.

        Raises:
            JournalError: something could not be recorded; it has had no effect.
        """
        for _ in range(MAX_PER_TICK):
            item = self._inbox.read()
            if item is None:
                break
            datagram, to = item
            self._inbox.answer(to, _answer(self._take(datagram, tick, append)))
        self._count(tick, append)
        self._state, outcome = dispatcher.second(self._settings, self._state, tick)
        for journey in outcome.expired:
            _event(append, tick, Event(
                "request",
                f"Yêu cầu {journey.source} {journey.id} đã hết hạn",
                f"Request {journey.source} {journey.id} has expired",
                "expired",
            ))  # fmt: skip
        for report in outcome.stale:
            key = (report.source, report.about)
            if key not in self._stale:
                _event(append, tick, Event("alarm", *_of_stale(*key), STALE))
            self._stale[key] = None
        return outcome.wishes

    def restart(self) -> None:
        """Forget all requests, as the journal's new `open` record does; numbers already heard stay."""
        self._state = dispatcher.State()
        self._stale.clear()

    def close(self) -> None:
        """Let go of the inbox; never raises."""
        self._inbox.close()

    def _take(self, datagram: bytes, tick: int, append: Append) -> Verdict:
        up_s = self._monotonic() - self._began
        memory, verdict = judge(self._settings, self._keys, self._memory, datagram, self._wall(), up_s)
        if verdict.refused is None and verdict.message is not None:
            message = verdict.message
            append({"k": "request", "t": tick, "message": message.model_dump(mode="json", exclude_none=True)})
            self._memory = memory
            self._state, refused = dispatcher.take(self._settings, self._state, message, tick)
            if refused is None:
                self._renewed(message, tick, append)
                return verdict
            verdict = Verdict(verdict.source, message, refused)
        if verdict.refused is not Refused.NOT_LATE:
            self._note(verdict, tick, append)
        return verdict

    def _renewed(self, message: Message, tick: int, append: Append) -> None:
        """Alarms about reports that have come again are over."""
        for source, about in dispatcher.subjects(message):
            for key in [key for key in self._stale if key[1] == about and source in ("", key[0])]:
                del self._stale[key]
                vi, en = _of_stale(*key)
                _event(append, tick, Event("alarm-cleared", CLEARED[0] + vi, CLEARED[1] + en, STALE))

    def _note(self, verdict: Verdict, tick: int, append: Append) -> None:
        """One alarm per source and reason, then only a count."""
        assert verdict.refused is not None
        key = (verdict.source, verdict.refused)
        self._refused[f"{verdict.source} {verdict.refused}"] += 1
        last = self._alarmed.get(key)
        if last is not None and tick - last < ALARM_AGAIN_TICKS:
            return
        self._alarmed[key] = tick
        _LOG.warning("request of %s refused: %s %s", verdict.source, verdict.refused, verdict.detail)
        _event(append, tick, Event(
            "alarm",
            f"Từ chối yêu cầu của {verdict.source}: {verdict.refused}",
            f"Request of {verdict.source} refused: {verdict.refused}",
            f"request-{verdict.refused}",
        ))  # fmt: skip

    def _count(self, tick: int, append: Append) -> None:
        if self._refused and tick - self._counted >= COUNT_TICKS:
            append({"k": "refused", "t": tick, "counts": dict(sorted(self._refused.items()))})
            self._refused.clear()
            self._counted = tick


def _of_stale(source: str, about: str) -> tuple[str, str]:
    of = about.replace("gauge ", "trạm đo ", 1)
    return (
        f"Tin của {source} về {of} đã quá hạn, không còn được dùng",
        f"The report of {source} on {about} was not renewed; it counts no more",
    )


def _event(append: Append, tick: int, event: Event) -> None:
    append({"k": "event", "t": tick, "event": encode_event(event)})


def _answer(verdict: Verdict) -> bytes:
    answer: dict[str, Any] = {"ok": verdict.refused is None}
    if verdict.message is not None and verdict.source == verdict.message.source:
        answer["seq"] = verdict.message.seq
    if verdict.refused is not None:
        answer["refused"] = verdict.refused.value
    if verdict.detail:
        answer["detail"] = verdict.detail[:200]
    return json.dumps(answer).encode()
