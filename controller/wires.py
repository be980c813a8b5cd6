"""From a site file's `[[cabinet]]` to the adapter that speaks its protocol."""

from __future__ import annotations

from pathlib import Path

from denxanh.controller.site import CabinetEntry, Site
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Cabinet
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.link import Settings
from denxanh.plc.ntcip.message import Version
from denxanh.plc.ntcip.stagemap import StageMap, load, sound
from denxanh.plc.security.secrets import read_line

BACKUP_WITH_PROMISES_S = 6
"""Where heads count down, unitBackupTime is at most this (assumed): a controller that is left alone in the
middle of a promise holds its green no longer. Five commands in a row may be lost on the way."""


def cabinet(site: Site, entry: CabinetEntry, intersection: Intersection, courier: Courier) -> Cabinet:
    """The adapter; `courier` is the socket that all NTCIP cabinets share.

    Raises:
        ProfileError: a profile or a phase map does not fit.
        SecretError: the community's file cannot be used.
    """
    if entry.protocol == "ntcip":
        stages = phase_map(entry, intersection)
        spoken = settings(entry, intersection)
        return NtcipCabinet(entry.host, entry.port, intersection, stages, spoken, courier)
    return ModbusCabinet(
        entry.host, entry.port, entry.unit, entry.profile, layout(intersection), site.secure_link(entry)
    )


def phase_map(entry: CabinetEntry, intersection: Intersection) -> StageMap:
    """The mapping file's, or one phase per stage.

    Raises:
        ProfileError: it does not fit the intersection.
    """
    return sound(intersection) if entry.phases is None else load(Path(entry.phases), intersection)


def settings(entry: CabinetEntry, intersection: Intersection) -> Settings:
    """How to speak to an NTCIP controller.

    Raises:
        SecretError: the community's file cannot be used.
    """
    assert entry.community_file is not None  # the site file's own check
    return Settings(
        read=entry.read_community.encode(),
        write=read_line(Path(entry.community_file)).encode(),
        version=Version.V1 if entry.snmp == "1" else Version.V2C,
        suffix=tuple(int(part) for part in entry.instance.split(".") if part),
        set_backup_time=entry.set_backup_time,
        backup_s=min(entry.watchdog_s, BACKUP_WITH_PROMISES_S)
        if intersection.commitment_s
        else entry.watchdog_s,
    )
