"""May this source say this now? Seal, right, age and order of a message; pure.

Order: the sequence number must rise. Age: `issued_s` within `MAX_AGE_S`, and not before this run began, so
that a message recorded before a restart is refused after it although its number is forgotten. When that was
is worked out anew each time (now less the time this run has been up), so a wall clock that is put right later
does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from denxanh.controller.priority.message import Cancel, Message, parse
from denxanh.controller.priority.seal import holds, split
from denxanh.controller.priority.settings import Settings
from denxanh.errors import RequestError

MAX_AGE_S = 30.0
"""Oldest message that is taken (assumed); a source's clock must be right to this."""
AHEAD_S = 5.0
"""How far a source's clock may be ahead (assumed)."""
ANONYMOUS = "?"
"""Stands for the source of a message that no known source has sealed; what it says of itself is not
believed."""


class Refused(StrEnum):
    """Why a message is not taken. Stable: answers and the journal show these."""

    MALFORMED = "malformed"
    UNKNOWN_SOURCE = "unknown-source"
    """No source of this name, or not its seal: which of the two is nobody's business."""
    NOT_ALLOWED = "not-allowed"
    """The source has no right to this kind, or the site has switched it off."""
    TOO_OLD = "too-old"
    FROM_THE_FUTURE = "from-the-future"
    REPLAYED = "replayed"
    """Its number is not above the last one, or it was issued before this run began."""
    UNKNOWN_ROUTE = "unknown-route"
    NO_SUCH_STEP = "no-such-step"
    UNKNOWN_GAUGE = "unknown-gauge"
    UNKNOWN_LINK = "unknown-link"
    UNKNOWN_REQUEST = "unknown-request"
    """There is nothing of this id to cancel."""
    NOT_LATE = "not-late"
    TOO_MANY = "too-many"
    """More requests at once than are kept, or more a second than are read."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The last number of each source."""

    last: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A message that may be acted on, or why not. `source` is proven, else `ANONYMOUS`."""

    source: str
    message: Message | None = None
    refused: Refused | None = None
    detail: str = ""


def judge(
    settings: Settings, keys: Mapping[str, bytes], memory: Memory, datagram: bytes, now_s: float, up_s: float
) -> tuple[Memory, Verdict]:
    """One datagram. Total: whatever the bytes are, there is a verdict.

    Args:
        settings: the site's.
        keys: by source.
        memory: before.
        datagram: as it came.
        now_s: seconds since 1970, UTC.
        up_s: seconds that this run has been up, by a clock that does not jump.
    """
    try:
        claimed, body = split(datagram)
        message = parse(body)
    except RequestError as error:
        return memory, Verdict(ANONYMOUS, refused=Refused.MALFORMED, detail=str(error))
    key = keys.get(message.source)
    if key is None or not holds(key, claimed, body):
        return memory, Verdict(ANONYMOUS, refused=Refused.UNKNOWN_SOURCE)
    refused = _refused(settings, memory, message, now_s, up_s)
    if refused is not None:
        return memory, Verdict(message.source, message, refused)
    after = replace(memory, last={**memory.last, message.source: message.seq})
    return after, Verdict(message.source, message)


def _refused(
    settings: Settings, memory: Memory, message: Message, now_s: float, up_s: float
) -> Refused | None:
    if not isinstance(message, Cancel) and not settings.allows(message.source, message.kind):
        return Refused.NOT_ALLOWED
    age_s = now_s - message.issued_s
    if message.seq <= memory.last.get(message.source, 0):
        return Refused.REPLAYED
    if age_s > MAX_AGE_S:
        return Refused.TOO_OLD
    if age_s > up_s:
        return Refused.REPLAYED
    if age_s < -AHEAD_S:
        return Refused.FROM_THE_FUTURE
    return None
