"""Reads each cabinet that a site file names, twice, and says what was found; nothing is ever written."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from denxanh.controller.connection import modbus, ntcip
from denxanh.controller.connection.finding import Finding, Subject, Verdict, good
from denxanh.controller.connection.report import Heard, of_reports
from denxanh.controller.site import CabinetEntry, Site
from denxanh.controller.vds.zones import without
from denxanh.controller.wires import cabinet, carrier, phase_map, settings
from denxanh.errors import FrameError, SiteError, WireError
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Cabinet
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.link import Link

WATCH_S = 3.0
"""Between the two polls that are compared, seconds."""
LOOK_S = 0.5
"""Between the polls meanwhile."""
TRIES = 3
AGAIN_S = 0.5
"""A busy line may lose one answer; a cabinet that is away stays away."""
CABINETS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """One cabinet's findings, in the order in which they were made."""

    intersection: str
    where: str
    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing stands in the way of a first command."""
        return all(one.verdict is not Verdict.BAD for one in self.findings)


async def check(
    site: Site,
    names: tuple[str, ...] = (),
    watch_s: float = WATCH_S,
    watching: Callable[[str], None] | None = None,
) -> tuple[Checked, ...]:
    """Check cabinets.

    Args:
        site: from `site.load`.
        names: intersections; none: all.
        watch_s: seconds between the two polls of a cabinet.
        watching: told of a cabinet's id after its first poll.

    Raises:
        SiteError: the site has no such cabinet.
        SecretError, ProfileError, MissingExtraError: see `wires.cabinet`.
    """
    known = [entry.intersection for entry in site.cabinets]
    for name in names:
        if name not in known:
            raise SiteError(
                f"no cabinet of intersection {name!r}",
                where=str(site.path),
                fix=f"one of {', '.join(known)}",
            )
    courier, turns = Courier(), asyncio.Semaphore(CABINETS_AT_ONCE)

    async def watch(intersection: str, driven: Cabinet) -> Heard:
        if watching is not None:
            watching(intersection)
        return await _watched(driven, watch_s)

    async def one(entry: CabinetEntry, intersection: Intersection) -> Checked:
        async with turns:
            return await _one(
                site, entry, without(intersection, site.vds_sources), intersection, watch, courier
            )

    pairs = zip(site.cabinets, site.intersections, strict=True)
    try:
        return tuple(
            await asyncio.gather(
                *(one(*pair) for pair in pairs if not names or pair[0].intersection in names)
            )
        )
    finally:
        courier.close()


async def _one(
    site: Site,
    entry: CabinetEntry,
    seen: Intersection,
    intersection: Intersection,
    watch: Callable[[str, Cabinet], Awaitable[Heard]],
    courier: Courier,
) -> Checked:
    where = f"{entry.host}:{entry.port}"
    driven = cabinet(site, entry, seen, courier)
    try:
        findings = await _findings(site, entry, seen, intersection, driven, watch, courier)
    except WireError as error:
        findings = (_unread(error),)
    finally:
        await driven.close()
    return Checked(entry.intersection, where, findings)


async def _findings(
    site: Site,
    entry: CabinetEntry,
    seen: Intersection,
    intersection: Intersection,
    driven: Cabinet,
    watch: Callable[[str, Cabinet], Awaitable[Heard]],
    courier: Courier,
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if entry.protocol == "ntcip":
        stages, spoken = phase_map(entry, seen), settings(entry, intersection)
        link = Link(entry.host, entry.port, entry.intersection, spoken, carrier(entry) or courier)
        try:
            found += await ntcip.objects(link, layout(seen), stages, spoken, intersection)
        finally:
            link.close()
    first = await _patiently(driven)
    last = await watch(seen.id, driven)
    if isinstance(driven, ModbusCabinet):
        found[:0] = await modbus.tables(driven, last.report.status, intersection)
    epoch = None if entry.protocol == "ntcip" else _epoch(site)
    found += of_reports(seen, first, last, epoch, simulated=site.clock is not None)
    return (_linked(site, entry), *found)


async def _watched(driven: Cabinet, seconds: float) -> Heard:
    """The last reading, with all buttons that called meanwhile.

    NTCIP counts vehicles by periods of a second: who looks seldom would not see them.
    """
    loop = asyncio.get_running_loop()
    ends_s, called = loop.time() + seconds, set[int]()
    while (left_s := ends_s - loop.time()) > 0:
        await asyncio.sleep(min(LOOK_S, left_s))
        with contextlib.suppress(WireError):  # the last one must come
            buttons = (await driven.poll()).readings.buttons
            called |= {place for place, on in enumerate(buttons) if on}
    last = await _patiently(driven)
    readings = last.report.readings
    pressed = tuple(on or place in called for place, on in enumerate(readings.buttons))
    return replace(last, report=replace(last.report, readings=replace(readings, buttons=pressed)))


async def _patiently(driven: Cabinet) -> Heard:
    for left in reversed(range(TRIES)):
        asked_s = time.time()
        try:
            return Heard(await driven.poll(), asked_s, time.time())
        except WireError:
            if not left:
                raise
            await asyncio.sleep(AGAIN_S)
    raise AssertionError("TRIES is at least 1")


def _epoch(site: Site) -> int:
    """Of the site's last controller; 0 where none has run."""
    try:
        text = site.epoch_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return int(text) if text.isdecimal() and len(text) <= 5 else 0


def _linked(site: Site, entry: CabinetEntry) -> Finding:
    way = {"modbus": "Modbus TCP", "ntcip": f"SNMP v{entry.snmp}"}[entry.protocol]
    if site.secure_link(entry) is not None:
        return good(Subject.LINK, f"{way}, TLS hai chiều", f"{way}, mutual TLS")
    if entry.snmp == "3":
        return good(Subject.LINK, f"{way}, ký và mã hóa", f"{way}, signed and encrypted")
    return Finding(
        Subject.LINK,
        Verdict.LOOK,
        f"{way}, không mã hóa",
        f"{way}, not encrypted",
        "chỉ dùng trong mạng riêng hoặc VPN",
        "only inside a closed network or a VPN",
    )


def _unread(error: WireError) -> Finding:
    """No answer, or one that is not this cabinet's."""
    return Finding(
        Subject.IDENTITY if isinstance(error, FrameError) else Subject.LINK,
        Verdict.BAD,
        f"không đọc được: {error.what}",
        f"{error.where}: {error.what}",
        "kiểm tra nguồn, cáp, địa chỉ, cổng, khóa và hồ sơ (profile)",
        error.fix,
    )


__all__ = ["Checked", "check"]
