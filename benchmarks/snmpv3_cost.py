"""What SNMPv3 costs beside v2c, in processor time: `python benchmarks/snmpv3_cost.py [POLLS]`.

One controller's poll (a crossroads: 123 integers) against the virtual controller in the same process. Printed
as one JSON document, microseconds for each poll: making and reading a v3 message on our side, reading the
same values from a v2c message, and what the virtual controller's agent (all pysnmp) takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from importlib.metadata import version

from denxanh.networks.example import crossroads
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.usm_server import UsmServer
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip.courier import Question
from denxanh.plc.ntcip.message import Kind, Message, Version, ask, decode, encode, encode_varbinds
from denxanh.plc.ntcip.numbers import poll_names
from denxanh.plc.ntcip.stagemap import derived
from denxanh.plc.ntcip.usm import Heard, Peer, User
from denxanh.plc.ntcip.usm_carrier import UserCarrier

USER = User("load", "a long passphrase", "another passphrase")
PATIENCE_S = 10.0


class TimedPeer(Peer):
    """Adds up what its two halves take."""

    made_s = read_s = 0.0

    def question(self, number: int, kind: Kind, varbinds: bytes) -> bytes:
        """See `Peer`."""
        began = time.process_time()
        try:
            return super().question(number, kind, varbinds)
        finally:
            self.made_s += time.process_time() - began

    def heard(self, data: bytes, awaited: dict[int, object]) -> Heard:
        """See `Peer`."""
        began = time.process_time()
        try:
            return super().heard(data, awaited)
        finally:
            self.read_s += time.process_time() - began


async def main(polls: int) -> None:
    """Measure and print."""
    its = crossroads()
    server = UsmServer(NtcipFace(VirtualCabinet(its, lambda _date, _second: 1)), USER, its.id)
    await server.start()
    carrier, peer = UserCarrier(USER), TimedPeer(USER)
    carrier._peer = peer
    names = poll_names(layout(its), derived(its))
    asked, address = [Question(encode_varbinds(ask(names)))], ("127.0.0.1", server.port)
    (answer,) = await carrier.request(address, Kind.GET, asked, PATIENCE_S)
    if not isinstance(answer, Message):
        raise answer
    peer.made_s = peer.read_s = 0.0
    began = time.process_time()
    for _ in range(polls):
        await carrier.request(address, Kind.GET, asked, PATIENCE_S)
    both_s = time.process_time() - began
    plain = encode(Message(Version.V2C, b"public", Kind.RESPONSE, 1, answer.varbinds))
    began = time.process_time()
    for _ in range(polls):
        decode(plain)
    v2c_s = time.process_time() - began
    carrier.close()
    await server.stop()
    figures = {
        "made": peer.made_s,
        "read": peer.read_s,
        "read_v2c": v2c_s,
        "agent_and_sockets": both_s - peer.made_s - peer.read_s,
    }
    about = {"python": platform.python_version(), "pysnmp": version("pysnmp"), "load": os.getloadavg()[0]}
    rounded = {name: round(1e6 * spent / polls) for name, spent in figures.items()}
    sys.stdout.write(json.dumps({"polls": polls, "integers": len(names), **rounded, **about}) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
