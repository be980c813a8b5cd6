"""From the receiver's process to the controller: packets over a socket pair that neither side ever waits for.

A packet is `S` and a sample's body, or `T` and the counts of what was turned away. The controller reads what
is there, keeps the newest few of each source, and looks at them once per tick; whatever a sender does, a tick
costs at most that. What the pipe does not take is kept by the receiver, the newest few again, and the rest
is counted.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

from denxanh.controller.vds.arrival import Arrival, Heard, Reason, Source, Turned
from denxanh.controller.vds.message import MAX_BYTES, arrival, parse
from denxanh.errors import SampleError

_LOG = logging.getLogger(__name__)

KEPT = 8
"""Samples of one source between two ticks, on either side."""
PACKETS_AT_ONCE = 64
"""Read before the loop may do something else."""
BUFFER_BYTES = 1 << 20
"""Asked for; the kernel gives what it allows (`net.core.wmem_max`)."""
_MAX_PACKET = MAX_BYTES + 1
_SAMPLE, _TURNED = b"S", b"T"


def pair() -> tuple[socket.socket, socket.socket]:
    """The controller's end and the receiver's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return ours, theirs


class Outlet:
    """The receiver's end.

    Args:
        end: from `pair`, non-blocking.
        overflow: told the source of each sample that had no room.
    """

    def __init__(self, end: socket.socket, overflow: Callable[[str], None]) -> None:
        self._end = end
        self._overflow = overflow
        self._waiting: dict[str, deque[bytes]] = {}
        self._asked = False

    def sample(self, source: str, body: bytes) -> None:
        """Send one sample; never waits."""
        queue = self._waiting.setdefault(source, deque())
        if len(queue) >= KEPT:
            queue.popleft()
            self._overflow(source)
        queue.append(_SAMPLE + body)
        self._flush()

    def turned(self, counts: Iterable[tuple[str, Reason, int]]) -> None:
        """Send counts; they wait like samples where there is no room."""
        listed = [[source, reason.value, count] for source, reason, count in counts]
        if listed:
            self._waiting.setdefault("", deque(maxlen=KEPT)).append(_TURNED + json.dumps(listed).encode())
            self._flush()

    def _flush(self) -> None:
        for queue in self._waiting.values():
            while queue:
                try:
                    self._end.send(queue[0])
                except BlockingIOError:
                    self._ask()
                    return
                queue.popleft()
        if self._asked:
            asyncio.get_running_loop().remove_writer(self._end)
            self._asked = False

    def _ask(self) -> None:
        if not self._asked:
            asyncio.get_running_loop().add_writer(self._end, self._flush)
            self._asked = True


class Inlet:
    """The controller's end: what came since the last tick, by intersection.

    Args:
        sources: those of the site.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._place = {one.id: one.intersection for one in sources}
        self._samples: dict[str, deque[Arrival]] = {name: deque() for name in self._place}
        self._turned: Counter[tuple[str, Reason]] = Counter()

    def read(self, end: socket.socket) -> bool:
        """Take up to `PACKETS_AT_ONCE` packets; False when the other end is gone."""
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = end.recv(_MAX_PACKET + 1)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not packet:
                return False
            self._packet(packet)
        return True

    def _packet(self, packet: bytes) -> None:
        kind, body = packet[:1], packet[1:]
        try:
            if kind == _SAMPLE:
                self._sample(arrival(parse(body)))
            else:
                for source, reason, count in json.loads(body):
                    if source in self._place:
                        self._turned[source, Reason(reason)] += int(count)
        except (SampleError, ValueError, TypeError) as error:
            _LOG.error("the VDS receiver sent nonsense: %s", error)

    def _sample(self, sample: Arrival) -> None:
        queue = self._samples.get(sample.source)
        if queue is None:
            return
        if len(queue) >= KEPT:
            queue.popleft()
            self._turned[sample.source, Reason.OVERFLOW] += 1
        queue.append(sample)

    def take(self) -> Mapping[str, Heard]:
        """What has come, by intersection; those of which nothing came are absent."""
        arrivals: dict[str, list[Arrival]] = {}
        turned: dict[str, list[Turned]] = {}
        for source, queue in self._samples.items():
            if queue:
                arrivals.setdefault(self._place[source], []).extend(queue)
                queue.clear()
        for (source, reason), count in self._turned.items():
            turned.setdefault(self._place[source], []).append(Turned(source, reason, count))
        self._turned.clear()
        return {
            name: Heard(tuple(arrivals.get(name, ())), tuple(turned.get(name, ())))
            for name in (*arrivals, *turned)
        }
