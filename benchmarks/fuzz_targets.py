"""What `fuzz.py` throws octets at: every parser of what comes from outside, with examples to begin with.

A target takes octets and may raise our own errors; anything else is a crash. What is accepted must also come
back from its encoder.
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from denxanh.controller import site
from denxanh.controller.operator import message as order
from denxanh.controller.priority import message as request
from denxanh.controller.priority import seal
from denxanh.controller.vds import message as sample
from denxanh.networks import compiled
from denxanh.networks.example import crossroads, crossroads_corridor
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.snmp_server import SnmpServer
from denxanh.plc.contract import Command, ModeRequest
from denxanh.plc.modbus import profile
from denxanh.plc.modbus.command import crc16, decode_command, encode_command
from denxanh.plc.modbus.commandform import command_words, published_words
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.modbus.translate import canonical
from denxanh.plc.ntcip import message as snmp
from denxanh.plc.ntcip import stagemap
from denxanh.plc.ntcip.batch import Batch
from denxanh.plc.ntcip.ber import integer
from denxanh.plc.ntcip.oids import MAX_PHASES, SYSTEM_PATTERN_CONTROL, scalar

INTERSECTION = crossroads()
LAYOUT = layout(INTERSECTION)
VENDORS = tuple(profile.load(name) for name in ("songhau", "phusa"))
KEY = b"k" * seal.KEY_BYTES
_COMMAND = Command(7, 2, 40, 30, ModeRequest.ADAPTIVE, 0, committed_end_ds=80, committed_next=1)


@dataclass(frozen=True, slots=True)
class Target:
    """One parser."""

    what: str
    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])


def _octets(words: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)


def _checked(words: tuple[int, ...]) -> tuple[int, ...]:
    """With a right check sum, which no random words have."""
    return (*words[:-1], crc16(words[:-1])) if words else words


def _command(data: bytes) -> None:
    """An odd number of octets: as they are; else with a right check sum."""
    words = _words(data)
    decoded = decode_command(words if len(data) % 2 else _checked(words))
    assert decode_command(encode_command(decoded)) == decoded


def _vendor_command(data: bytes) -> None:
    if data:
        vendor, words = VENDORS[data[0] % len(VENDORS)], _words(data[1:])
        decode_command(published_words(vendor, _checked(words) if data[0] & 128 else words))


def _report(data: bytes) -> None:
    """A poll of a vendor's registers, each block as long as it should be, or as the octets last."""
    if not data:
        return
    chosen = (profile.PUBLISHED, *VENDORS)[data[0] % 3]
    words, raw = _words(data[1:]), {}
    for span in profile.spans(chosen, LAYOUT):
        bits = span.table in ("coil", "discrete")
        taken, words = words[: span.count], words[span.count :]
        taken += (0,) * (span.count - len(taken))
        raw[span.block] = tuple(word & 1 for word in taken) if bits else taken
    found = decode_report(canonical(chosen, LAYOUT, raw), LAYOUT)
    assert decode_report(found.words, LAYOUT) == found


def _snmp(data: bytes) -> None:
    """A message; where its own names are asked, reading by position finds its numbers, or nothing."""
    decoded = snmp.decode(data)
    assert snmp.decode(snmp.encode(decoded)) == decoded
    read = snmp.opened(data).read(Batch([name for name, _ in decoded.varbinds])).numbers
    assert read is None or read == tuple(value.content for _, value in decoded.varbinds)


_AGENT = SnmpServer(NtcipFace(VirtualCabinet(INTERSECTION, lambda _date, _second: 1)))


def _agent(data: bytes) -> None:
    """A datagram at the virtual controller: the answer, if there is one, is a message."""
    answer = _AGENT.answer(data, "192.0.2.1", 0.0)
    if answer is not None:
        assert snmp.decode(answer).kind is snmp.Kind.RESPONSE


def _snmp_seeds() -> list[bytes]:
    names = (scalar(MAX_PHASES), scalar(SYSTEM_PATTERN_CONTROL))
    return [
        snmp.encode(snmp.Message(version, community, kind, 7, pairs))
        for version in snmp.Version
        for community, kind, pairs in (
            (b"public", snmp.Kind.GET, snmp.ask(names)),
            (b"public", snmp.Kind.GETNEXT, snmp.ask(names)),
            (b"administrator", snmp.Kind.SET, ((names[1], integer(254)),)),
            (b"public", snmp.Kind.RESPONSE, ((names[0], integer(8)),)),
        )
    ]


def _sample(data: bytes) -> None:
    found = sample.parse(data)
    assert sample.parse(sample.body(found)) == found
    sample.arrival(found)


def _sample_seeds() -> list[bytes]:
    zone = sample.ZoneSample(id="north:zone", vehicles=4, queued=2, occupancy=0.25, speed_kmh=8.5)
    return [sample.body(sample.Sample(v=1, source="cam-1", seq=3, time_s=1.5, zones=(zone,)))]


def _seal(data: bytes) -> None:
    claimed, text = seal.split(data)
    assert seal.split(seal.seal(b"k", text))[1] == text
    assert not seal.holds(KEY, claimed, text) or data.lower() == seal.seal(KEY, text).lower()


def _request(data: bytes) -> None:
    found = request.parse(data)
    assert request.parse(request.body(found)) == found


def _request_seeds() -> list[bytes]:
    common = {"v": 1, "source": "115", "seq": 1, "issued_s": 5.0}
    bodies = (
        {**common, "kind": "emergency", "id": "j1", "route": "r1", "eta_s": 30, "valid_s": 60},
        {**common, "kind": "bus", "id": "j1", "route": "r1", "eta_s": 30, "valid_s": 60, "late_s": 90},
        {**common, "kind": "cancel", "id": "j1"},
        {**common, "kind": "water", "gauge": "g1", "level_cm": 12.5, "valid_s": 60},
        {**common, "kind": "closure", "link": "e1", "state": "closed", "valid_s": 60},
    )
    return [json.dumps(one).encode() for one in bodies]


def _order(data: bytes) -> None:
    found = order.parse(data)
    assert order.parse(order.body(found)) == found


def _order_seeds() -> list[bytes]:
    given = {"id": "o-1", "intersection": "X1", "actor": "lan", "role": order.Role.OPERATOR, "issued_s": 5.0}
    return [
        order.body(order.Hold(**given, reason="xe hỏng", stage=1, for_s=60)),
        order.body(order.SetPlan(**given, reason="lễ hội", plan=None, for_s=600)),
        order.body(order.Release(**given, reason="xong việc")),
    ]


class _Files:
    """Parsers that want a file."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="denxanh-fuzz-"))
        compiled.dump(crossroads_corridor(1), self.folder / "c.json")

    def site(self, data: bytes) -> None:
        """SITE.toml."""
        site.load(self._written(data))

    def phases(self, data: bytes) -> None:
        """Phases of stages."""
        stagemap.load(self._written(data), INTERSECTION)

    def _written(self, data: bytes) -> Path:
        path = self.folder / "fuzzed.toml"
        path.write_bytes(data)
        return path


def _profile(data: bytes) -> None:
    found = profile.parse(data.decode("utf-8", "replace"), "fuzzed")
    profile.spans(found, LAYOUT)
    try:
        words = command_words(found, _COMMAND)
    except ValueError:  # a register too small for a sound command is said with the site file's check
        return
    published_words(found, words)


def _profile_seeds() -> list[bytes]:
    folder = Path(profile.__file__).resolve().parent.parent / "profiles"
    return [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


_SITE = b"""[site]
corridor = "c.json"
state_dir = "state"
[[cabinet]]
intersection = "X1"
host = "h"
port = 502
unit = 1
[[vds]]
id = "cam-1"
intersection = "X1"
by = "mqtt"
[vds_mqtt]
host = "b"
"""
_PHASES = b"""[rings]
order = [[1, 2, 4], [5, 6, 8]]
barriers = [[1, 2, 5, 6], [4, 8]]
[[stage]]
id = "main"
phases = [2, 6]
"""


def targets() -> Mapping[str, Target]:
    """By name."""
    files = _Files()
    report = [bytes((n,)) + bytes(600) for n in range(3)]
    return {
        "modbus-command": Target(
            "command block", _command, lambda: [_octets(encode_command(_COMMAND)), bytes(24)]
        ),
        "modbus-vendor-command": Target(
            "command block of a vendor's profile",
            _vendor_command,
            lambda: [bytes((n,)) + _octets(command_words(one, _COMMAND)) for n, one in enumerate(VENDORS)],
        ),
        "modbus-report": Target("registers of a poll, three profiles", _report, lambda: report),
        "snmp-message": Target("SNMP message (BER)", _snmp, _snmp_seeds),
        "snmp-agent": Target("datagram at the virtual controller", _agent, _snmp_seeds),
        "vds-sample": Target("VDS sample", _sample, _sample_seeds),
        "seal": Target("seal of a request", _seal, lambda: [seal.seal(KEY, b"{}")]),
        "request": Target("request (emergency, bus, flood)", _request, _request_seeds),
        "order": Target("operator's order", _order, _order_seeds),
        "site": Target("SITE.toml", files.site, lambda: [_SITE]),
        "profile": Target("profile, and a command in its form", _profile, _profile_seeds),
        "phases": Target("phases of an NTCIP controller", files.phases, lambda: [_PHASES]),
    }
