"""GET and SET of integers at one agent: batching, errors, retries, and a controller's own habits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from denxanh.errors import FrameError, UnreachableError
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.batch import Batch
from denxanh.plc.ntcip.ber import EXCEPTIONS, Oid, encode_oid, text
from denxanh.plc.ntcip.carrier import Carrier, Communities
from denxanh.plc.ntcip.courier import Address, Courier, Question
from denxanh.plc.ntcip.message import ErrorStatus, Kind, Message, Varbind, Version
from denxanh.plc.ntcip.oids import scalar

log = logging.getLogger(__name__)

TIMEOUT_S = 0.4
"""For one answer, seconds."""
TRIES = 2
"""Of a GET; a SET is sent once."""
PROBES = 8
"""Test GETs under way at once."""
LONGEST_S = 120
"""A hold without a centre may stand no longer, seconds: as long as the field's longest watchdog (RSMP)."""
MAX_MESSAGE = 1400
"""Octets of one answer: an Ethernet frame with room for tunnels. NTCIP 1201 demands 484 of a controller."""
_LOCKED_OUT = (
    ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.READ_ONLY,
    ErrorStatus.NO_ACCESS,
    ErrorStatus.NOT_WRITABLE,
    ErrorStatus.AUTHORIZATION_ERROR,
)
"""What an agent says to an object that this user may not write."""
UNLOCKED_SETS = 600
"""SETs that go without the serial once it was said not to be writable, ten minutes of commands (assumed): an
agent that was just starting, or whose rights were mended, is asked again."""
_PER_VALUE = 8
"""Octets that a varbind needs beside its name: headers and an INTEGER."""
_OVERHEAD = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """How one controller wants to be spoken to.

    `suffix` is the instance of its scalars (some answer `.1`, some none). With `set_backup_time` its
    unitBackupTime is kept at `backup_s`; without, control is refused while it is 0 or more than `longest_s`.
    With `short_alarm`, its bits for local override and stop time end our control.
    """

    read: bytes = b"public"
    write: bytes = field(default=b"administrator", repr=False)
    version: Version = Version.V1
    suffix: Oid = (0,)
    set_backup_time: bool = True
    backup_s: int = 10
    longest_s: int = LONGEST_S
    short_alarm: bool = True
    max_message: int = MAX_MESSAGE


class Link:
    """One agent at `host:port`; not to be used by two tasks at once.

    Attributes:
        serial: snmpSetSerialNo as it is now; None where it was not read.
    """

    def __init__(
        self, host: str, port: int, name: str, settings: Settings, way: Courier | Carrier | None
    ) -> None:
        """`way`: a carrier of its own (v3), or the socket for the settings' communities; None opens one."""
        self._host, self._port, self._name = host, port, name
        self._settings = settings
        if way is None or isinstance(way, Courier):
            own = way is None
            way = Communities(way or Courier(), settings.version, settings.read, settings.write, own)
        self._carrier = way
        self._address: Address | None = None
        self._unlocked = 0
        """SETs still to come without the serial."""
        self.serial: int | None = None

    @property
    def where(self) -> str:
        """For errors."""
        return f"{self._name} at {self._host}:{self._port}"

    async def get(self, names: tuple[Oid, ...]) -> dict[Oid, int]:
        """Many integers, all or none.

        Raises:
            UnreachableError: no answer in time.
            FrameError: an error, other names than were asked for, or something that is no number.
        """
        return dict(zip(names, await self.read(batches(names, self._settings.max_message)), strict=True))

    async def read(self, asked: Sequence[Batch]) -> list[int]:
        """The same in messages that are made already (`batches`); the numbers are in the names' order."""
        answers = await self._exchange(Kind.GET, [Question(one.question, one) for one in asked], TRIES)
        found: list[int] = []
        for batch, answer in zip(asked, answers, strict=True):
            found += self._numbers(batch.names, answer)
        return found

    async def missing(self, names: tuple[Oid, ...]) -> tuple[Oid, ...]:
        """Those that the agent does not have: asked for together, and one by one where that fails.

        A v1 GET is all or nothing, so one object that is not there hides the rest.

        Raises:
            UnreachableError: no answer in time.
        """
        try:
            await self.get(names)
        except FrameError:
            pass
        else:
            return ()
        turns = asyncio.Semaphore(PROBES)

        async def lacks(name: Oid) -> bool:
            async with turns:
                batch = Batch((name,))
                (answer,) = await self._exchange(Kind.GET, [Question(batch.question, batch)], TRIES)
            try:
                self._numbers((name,), answer)
            except FrameError:
                return True
            return False

        found = await asyncio.gather(*(lacks(name) for name in names))
        return tuple(name for name, absent in zip(names, found, strict=True) if absent)

    async def get_one(self, name: Oid) -> int:
        """One integer; see `get`."""
        return (await self.get((name,)))[name]

    async def set(self, numbers: Mapping[Oid, int]) -> None:
        """Set integers in one message, all or none; see `get` for errors."""
        await self._set(Batch(tuple(numbers)), tuple(numbers.values()))

    async def set_once(self, orders: Orders, numbers: Sequence[int]) -> None:
        """The same, with `serial` where there is one: the agent obeys this message, and no copy of it.

        Raises:
            FrameError: also where somebody else has moved the serial on since it was read.
        """
        if self.serial is None or self._unlocked:
            self._unlocked = max(self._unlocked - 1, 0)
            return await self._set(orders.plain, numbers)
        locked = orders.locked
        answer = await self._put(locked, (*numbers, self.serial))
        if answer.error_index == len(locked.names) and answer.error_status in _LOCKED_OUT:
            self._unlocked = UNLOCKED_SETS
            name = text(locked.names[-1])
            log.warning("%s: copies of a SET would be obeyed: %s may not be set", self.where, name)
            return await self._set(orders.plain, numbers)
        self._check(locked.names, answer)
        self.serial = self.serial + 1 if self.serial < oids.SET_SERIAL_MAX else 0
        return None

    async def _set(self, batch: Batch, numbers: Sequence[int]) -> None:
        self._check(batch.names, await self._put(batch, numbers))

    async def _put(self, batch: Batch, numbers: Sequence[int]) -> Message:
        (answer,) = await self._exchange(Kind.SET, [Question(batch.order(numbers), batch)], tries=1)
        return answer

    def close(self) -> None:
        """Let go of what is this controller's alone."""
        self._carrier.close()

    async def _exchange(self, kind: Kind, questions: Sequence[Question], tries: int) -> list[Message]:
        """An answer to each; what stays without one is asked again, `tries` times in all."""
        if self._address is None:
            self._address = await self._resolve()
        address = self._address
        answers = await self._carrier.request(address, kind, questions, TIMEOUT_S)
        for _ in range(tries - 1):
            silent = [place for place, answer in enumerate(answers) if isinstance(answer, UnreachableError)]
            if not silent:
                break
            again = [questions[place] for place in silent]
            for place, answer in zip(
                silent, await self._carrier.request(address, kind, again, TIMEOUT_S), strict=True
            ):
                answers[place] = answer
        found: list[Message] = []
        for answer in answers:
            if isinstance(answer, UnreachableError):
                answer.where = self.where
                raise answer
            found.append(answer)
        return found

    async def _resolve(self) -> Address:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, family=2, type=2)
        except OSError as error:
            raise UnreachableError(
                f"no such host: {error.strerror}", where=self.where, fix="check the site file"
            ) from None
        host, port = found[0][4][:2]
        return str(host), int(port)

    def _check(self, names: Sequence[Oid], answer: Message) -> None:
        if answer.error_status == ErrorStatus.NO_ERROR:
            return
        place = answer.error_index
        name = text(names[place - 1]) if 1 <= place <= len(names) else "the whole message"
        known = {int(one): one.name for one in ErrorStatus}
        said = known.get(answer.error_status, str(answer.error_status))
        raise FrameError(
            f"the controller answers {said}",
            where=f"{self.where}, {name}",
            fix="check the phase map, the instance suffix, and what this controller offers",
        )

    def _numbers(self, names: Sequence[Oid], answer: Message) -> Sequence[int]:
        self._check(names, answer)
        if answer.numbers is not None:
            return answer.numbers
        if len(answer.varbinds) != len(names):
            raise FrameError(
                f"{len(answer.varbinds)} values came where {len(names)} were asked for",
                where=self.where,
                fix="check that the peer is an NTCIP 1202 controller",
            )
        return [self._number(*pair) for pair in zip(names, answer.varbinds, strict=True)]

    def _number(self, name: Oid, varbind: Varbind) -> int:
        oid, value = varbind
        if oid == name and isinstance(value.content, int):
            return value.content
        if oid != name:
            what = f"{text(oid)} came in its place"
        elif value.tag in EXCEPTIONS:
            what = "the controller does not have this object"
        else:
            what = f"a value of type {value.tag:#04x} is no number"
        raise FrameError(
            what, where=f"{self.where}, {text(name)}", fix="check the phase map and the instance suffix"
        )


class Orders:
    """The names of what is set every second: alone, and with snmpSetSerialNo behind them."""

    def __init__(self, names: Sequence[Oid], suffix: Oid = (0,)) -> None:
        self.plain = Batch(names)
        self.locked = Batch((*names, scalar(oids.SET_SERIAL, suffix)))


def batches(names: Sequence[Oid], max_message: int) -> tuple[Batch, ...]:
    """Messages for names, in order, each of which an answer fits into `max_message` octets."""
    found: list[list[Oid]] = [[]]
    size = _OVERHEAD
    for name in names:
        octets = len(encode_oid(name)) + _PER_VALUE
        if found[-1] and size + octets > max_message:
            found.append([])
            size = _OVERHEAD
        found[-1].append(name)
        size += octets
    return tuple(map(Batch, found))
