"""Requests over the real socket to a whole controller: accepted, refused, garbage, recorded, replayed."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller import ladder
from denxanh.controller.priority.client import send, stamp
from denxanh.controller.priority.message import Closure, Emergency, body
from denxanh.controller.priority.receiver import MAX_PER_TICK, SOCKET_NAME
from denxanh.controller.priority.seal import make_key, read_key, seal
from denxanh.controller.replay import replay
from denxanh.controller.run import run
from denxanh.controller.site import load
from denxanh.errors import RequestError, SecretError, UnreachableError

HOLD_OFF_S = 5
"""Instead of the product's minute: how long ADAPTIVE stays away is not what is tested here."""
Build = Callable[..., Any]
TABLES = """
[priority]
emergency = true

[flood]
on = true

[[source]]
id = "115"
key_file = "115.key"
may = ["emergency"]

[[source]]
id = "frmis"
key_file = "frmis.key"
may = ["flood"]

[[route]]
id = "bv"
step = [{ intersection = "CROSS", approach = "north_in", stage = "side", travel_s = 0 }]
"""


async def _town(town: Build, tables: str = TABLES) -> Any:
    here = town(1)
    await here.start()
    for name in ("115", "frmis"):
        make_key(here.folder / f"{name}.key")
    text = here.site_path.read_text() + tables.replace("CROSS", here.corridor.intersections[0].id)
    here.site_path.write_text(text)
    return here


def _emergency(**more: Any) -> Emergency:
    seq, now_s = stamp()
    fields = {"id": "xe-7", "route": "bv", "eta_s": 30, "valid_s": 120, **more}
    return Emergency(source="115", seq=seq, issued_s=now_s, **fields)


async def _sent(here: Any, message: Any, key: str = "115") -> None:
    """Send while the street lives on; raises what the client raises."""
    path = here.state_dir / SOCKET_NAME
    task = asyncio.create_task(asyncio.to_thread(send, path, read_key(here.folder / f"{key}.key"), message))
    while not task.done():
        await here.seconds(1)
        await asyncio.sleep(0.01)
    await task


def _offer(here: Any, datagram: bytes) -> bool:
    """Throw bytes at the socket, as somebody who expects no answer; whether the kernel took them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        try:
            own.sendto(datagram, str(here.state_dir / SOCKET_NAME))
        except BlockingIOError:
            return False
    return True


def _events(here: Any, kind: str) -> list[tuple[str, str]]:
    found = []
    for record in here.journal():
        events = [record["event"]] if record["k"] == "event" else record.get("out", {}).get("events", [])
        found += [(event["cause"], event["text_en"]) for event in events if event["kind"] == kind]
    return found


async def test_a_corridor_opens_ends_and_is_replayed(town: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "HOLD_OFF_S", HOLD_OFF_S)
    here = await _town(town)
    async with here.controlled() as controlled:
        await here.seconds(HOLD_OFF_S + 20)
        await _sent(here, _emergency())
        await here.seconds(50)
        with pytest.raises(RequestError, match="replayed"):
            await _sent(here, Emergency(**{**_emergency().model_dump(), "seq": 1}))
        with pytest.raises(RequestError, match="unknown-source"):
            await _sent(here, _emergency(), key="frmis")
        with pytest.raises(RequestError, match="unknown-route"):
            await _sent(here, _emergency(route="nowhere"))
        seq, now_s = stamp()
        link = here.corridor.intersections[0].lanes[0].approach
        closure = Closure(source="frmis", seq=seq, issued_s=now_s, link=link, state="closed", valid_s=60)
        await _sent(here, closure, key="frmis")
        await here.seconds(80)
        renewed = closure.model_copy(update={"seq": seq + 1, "issued_s": stamp()[1], "state": "open"})
        await _sent(here, renewed, key="frmis")
        await here.seconds(2)
    ways = [(one.mode_from, one.mode_to, one.cause) for one in controlled.summary.mode_changes][-2:]
    assert ways == [("ADAPTIVE", "PREEMPT", "pre-emption"), ("PREEMPT", "ADAPTIVE", "in-charge")]
    records = here.journal()
    asked = [record["message"]["kind"] for record in records if record["k"] == "request"]
    assert asked == ["emergency", "emergency", "closure", "closure"]
    causes = [cause for cause, _ in _events(here, "alarm")]
    assert causes.count("request-replayed") == 1
    assert causes.count("request-unknown-source") == 1
    assert causes.count("request-unknown-route") == 1
    assert causes.count("flood-report-stale") == 1
    assert causes.count("street-closed") >= 1
    cleared = [cause for cause, _ in _events(here, "alarm-cleared")]
    assert cleared.count("flood-report-stale") == 1
    assert cleared.count("street-closed") == causes.count("street-closed")
    key = read_key(here.folder / "115.key")
    assert key.hex() not in (here.state_dir / "journal.jsonl").read_text()
    result = replay(here.state_dir / "journal.jsonl")
    assert result.same, result.first_mismatch


async def test_a_journal_with_an_altered_request_does_not_replay(town: Build) -> None:
    """What seconds were told must come from the requests that stand before them."""
    from denxanh.controller.journal import Journal

    here = await _town(town)
    async with here.controlled():
        await here.seconds(30)
        await _sent(here, _emergency())
        await here.seconds(20)
    copy = here.folder / "copy" / "journal.jsonl"
    copy.parent.mkdir()
    journal = Journal(copy)
    for record in here.journal():
        del record["h"]
        if record["k"] == "request":
            record["message"]["eta_s"] = 600
        journal.append(record)
    journal.close()
    result = replay(copy)
    assert result.first_mismatch is not None
    assert list(result.first_mismatch.fields) == ["wishes"]


async def test_garbage_and_floods_cost_no_tick_and_one_alarm(town: Build) -> None:
    here = await _town(town)
    async with here.controlled() as controlled:
        await here.seconds(20)
        taken = 0
        for n in range(40):
            for _ in range(2 * MAX_PER_TICK):
                taken += _offer(here, os.urandom(n * 90))
            await here.seconds(1)
        await _sent(here, _emergency())  # and the next honest one gets through
        await here.seconds(5)
    summary = controlled.summary
    assert taken > 100
    assert (summary.missed_ticks, summary.late_decisions) == (0, 0)
    assert [cause for cause, _ in _events(here, "alarm") if cause.startswith("request")] == [
        "request-malformed"
    ]
    refused = [record["counts"] for record in here.journal() if record["k"] == "refused"]
    assert refused
    assert all(name == "? malformed" for counts in refused for name in counts)
    assert replay(here.state_dir / "journal.jsonl").same


async def test_a_recorded_request_is_refused_after_a_restart(town: Build) -> None:
    here = await _town(town)
    message = _emergency()
    datagram = seal(read_key(here.folder / "115.key"), body(message))
    async with here.controlled():
        await here.seconds(15)
        assert _offer(here, datagram)
        await here.seconds(2)
    async with here.controlled():
        await here.seconds(2)
        assert _offer(here, datagram)
        await here.seconds(2)
    records = here.journal()
    second = max(n for n, record in enumerate(records) if record["k"] == "open")
    assert [record["k"] for record in records[second:] if record["k"] == "request"] == []
    assert ("request-replayed", "Request of 115 refused: replayed") in _events(here, "alarm")


async def test_a_site_without_sources_has_no_socket_and_keys_are_checked(town: Build) -> None:
    here = town(1)
    await here.start()
    async with here.controlled():
        await here.seconds(3)
        assert not (here.state_dir / SOCKET_NAME).exists()
    with pytest.raises(UnreachableError):
        send(here.state_dir / SOCKET_NAME, b"k" * 32, _emergency(), timeout_s=0.2)
    make_key(here.folder / "115.key")
    make_key(here.folder / "frmis.key")
    (here.folder / "115.key").chmod(0o644)
    here.site_path.write_text(
        here.site_path.read_text() + TABLES.replace("CROSS", here.corridor.intersections[0].id)
    )
    with pytest.raises(SecretError, match="others can read"):
        await run(load(here.site_path))


async def test_the_command_line_sends_and_says_what_is_wrong(town: Build, denxanh: Any) -> None:
    here = await _town(town)
    async with here.controlled():
        await here.seconds(15)
        site = str(here.site_path)
        status, said = await denxanh(
            here,
            "priority",
            "emergency",
            site,
            "--source",
            "115",
            "--id",
            "a",
            "--route",
            "bv",
            "--eta",
            "30",
            "--json",
        )
        assert (status, json.loads(said)["accepted"]) == (0, True), said
        status, said = await denxanh(here, "priority", "cancel", site, "--source", "115", "--id", "other")
        assert status == 1
        assert "unknown-request" in said
        status, said = await denxanh(here, "flood", "close", site, "north_nowhere", "--source", "frmis")
        assert status == 1
        assert "unknown-link" in said
        assert "Traceback" not in said
    started = time.monotonic()
    status, said = await denxanh(here, "flood", "level", site, "g", "20", "--source", "115")
    assert status == 1
    assert "denxanh run" in said
    assert time.monotonic() - started < 30
