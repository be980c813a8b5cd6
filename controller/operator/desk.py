"""Where people's orders come in: a local datagram socket that the tick loop empties itself.

As with requests (`priority/receiver.py`): no task, no thread, no wait, so many datagrams per tick at most.
An order stands in the journal before it has any effect, and is answered after that: no record, no order.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping

from denxanh.controller.codec import encode_event
from denxanh.controller.journal import Append
from denxanh.controller.localsocket import Inbox
from denxanh.controller.operator import standing
from denxanh.controller.operator.judge import Judge, Refused, Verdict
from denxanh.controller.operator.standing import NONE, Standing, StandingView
from denxanh.controller.operator.telling import refused
from denxanh.networks.model import Intersection

_LOG = logging.getLogger(__name__)

SOCKET_NAME = "operator.sock"
"""In the site's state folder."""
SOCKET_MODE = 0o600
"""Whoever may write here may speak for any person: only the controller's own user."""
MAX_PER_TICK = 16
"""Datagrams read per tick."""
COUNT_TICKS = 60
"""Datagrams that hold no order are counted into one record per this many ticks."""


class Desk:
    """Takes orders in and says once per tick which stand at each intersection.

    Args:
        sites: the intersections that are driven, by id.
        inbox: where datagrams come from.
        wall: seconds since 1970, UTC; for the age of orders only.
        monotonic: seconds from a clock that never jumps.
    """

    def __init__(
        self,
        sites: Mapping[str, Intersection],
        inbox: Inbox,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._wall = wall
        self._monotonic = monotonic
        self._began = monotonic()
        self._judge = Judge(sites)
        self._state = standing.State()
        self._malformed = 0
        self._counted = 0

    def second(self, tick: int, append: Append) -> Mapping[str, Standing]:
        """What stands in this tick, by intersection; absent: nothing.

        Raises:
            JournalError: something could not be recorded; it has had no effect and was not answered.
        """
        for _ in range(MAX_PER_TICK):
            item = self._inbox.read()
            if item is None:
                break
            datagram, to = item
            self._inbox.answer(to, _answer(self._take(datagram, tick, append)))
        self._count(tick, append)
        return standing.at(self._state, tick)

    def forget(self, tick: int, intersection: str | None = None) -> None:
        """The controller of this intersection (None: of all) starts anew; what stood there is over."""
        self._state = standing.forget(self._state, tick, intersection)

    def drop(self, intersection: str) -> None:
        """Take no more orders for an intersection that is given up."""
        self._judge.drop(intersection)

    def restart(self) -> None:
        """Forget everything without a word but the ids; for a bug of ours, which the journal names."""
        self._state = standing.State()

    def close(self) -> None:
        """Let go of the inbox; never raises."""
        self._inbox.close()

    def _take(self, datagram: bytes, tick: int, append: Append) -> Verdict:
        now_s = self._wall()
        verdict = self._judge.judge(datagram, now_s, self._monotonic() - self._began)
        order = verdict.order
        if verdict.again:
            return verdict
        if order is None:
            self._malformed += 1
            return verdict
        record = {"k": "order", "t": tick, "order": order.model_dump(mode="json")}
        if verdict.refused is not None:
            append({**record, "refused": verdict.refused.value})
            self._judge.remember(verdict, now_s)
            self._say_refused(verdict, tick, append)
            return verdict
        append(record)
        before = self._standing(order.intersection, tick)
        self._state = standing.take(self._state, order, tick)
        left = {one.id for one in self._standing(order.intersection, tick)}
        ends = [f"ends {one.kind} {one.id} of {one.actor}" for one in before if one.id not in left]
        verdict = Verdict(order, None, "; ".join(ends))
        self._judge.remember(verdict, now_s)
        return verdict

    def _standing(self, intersection: str, tick: int) -> tuple[StandingView, ...]:
        return standing.at(self._state, tick).get(intersection, NONE).orders

    def _say_refused(self, verdict: Verdict, tick: int, append: Append) -> None:
        order = verdict.order
        assert order is not None
        assert verdict.refused is not None
        event = refused(order, verdict.refused, verdict.detail)
        _LOG.warning("%s: %s", order.intersection, event.text_en)
        append({"k": "event", "t": tick, "i": order.intersection, "event": encode_event(event)})

    def _count(self, tick: int, append: Append) -> None:
        if self._malformed and tick - self._counted >= COUNT_TICKS:
            _LOG.warning("%d datagrams at the orders' socket were no orders", self._malformed)
            append({"k": "refused", "t": tick, "counts": {f"order {Refused.MALFORMED}": self._malformed}})
            self._malformed = 0
            self._counted = tick


def _answer(verdict: Verdict) -> bytes:
    """What `client.OperatorLine` reads; short enough for any receiver's buffer."""
    order = verdict.order
    answer = {
        "ok": verdict.refused is None,
        "id": None if order is None else order.id,
        "refused": None if verdict.refused is None else verdict.refused.value,
        "detail": verdict.detail[:200],
    }
    return json.dumps(answer).encode()
