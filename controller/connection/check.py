"""Reads each cabinet that a site file names, twice, and says what was found; nothing is ever written."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

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
"""Between the two polls, seconds."""
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


async def check(site: Site, names: tuple[str, ...] = (), watch_s: float = WATCH_S) -> tuple[Checked, ...]:
    """Check cabinets.

    Args:
        site: from `site.load`.
        names: intersections; none: all.
        watch_s: seconds between the two polls of a cabinet.

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

    async def one(entry: CabinetEntry, intersection: Intersection) -> Checked:
        async with turns:
            return await _one(
                site, entry, without(intersection, site.vds_sources), intersection, watch_s, courier
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
    watch_s: float,
    courier: Courier,
) -> Checked:
    where = f"{entry.host}:{entry.port}"
    driven = cabinet(site, entry, seen, courier)
    try:
        findings = await _findings(site, entry, seen, intersection, driven, watch_s, courier)
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
    watch_s: float,
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
    await asyncio.sleep(watch_s)
    last = await _patiently(driven)
    if isinstance(driven, ModbusCabinet):
        found[:0] = await modbus.tables(driven, last.report.status, intersection)
    epoch = None if entry.protocol == "ntcip" else _epoch(site)
    found += of_reports(seen, first, last, epoch, simulated=site.clock is not None)
    return (_linked(site, entry), *found)


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
