"""From a site file's `[[cabinet]]` to the adapter that speaks its protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from denxanh.controller.site import CabinetEntry, Site
from denxanh.networks.model import Intersection
from denxanh.plc.contract import Cabinet
from denxanh.plc.modbus.client import ModbusCabinet
from denxanh.plc.modbus.layout import layout
from denxanh.plc.ntcip.carrier import Carrier
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.courier import Courier
from denxanh.plc.ntcip.link import LONGEST_S, Settings
from denxanh.plc.ntcip.message import Version
from denxanh.plc.ntcip.stagemap import StageMap, load, sound
from denxanh.plc.security.secrets import read_line

if TYPE_CHECKING:
    from denxanh.plc.ntcip.usm import User

BACKUP_WITH_PROMISES_S = 6
"""Where heads count down, unitBackupTime is at most this, whoever sets it (assumed): a controller that is
left alone in the middle of a promise holds its green no longer. Five commands in a row may be lost."""


def cabinet(site: Site, entry: CabinetEntry, intersection: Intersection, courier: Courier) -> Cabinet:
    """The adapter; `courier` is the socket that all NTCIP cabinets share.

    Raises:
        ProfileError: a profile or a phase map does not fit.
        SecretError: the community's file, or a passphrase's, cannot be used.
        MissingExtraError: SNMPv3 is asked for and its library is not installed.
    """
    if entry.protocol == "ntcip":
        stages = phase_map(entry, intersection)
        spoken, way = settings(entry, intersection), carrier(entry) or courier
        return NtcipCabinet(entry.host, entry.port, intersection, stages, spoken, way)
    return ModbusCabinet(
        entry.host, entry.port, entry.unit, entry.profile, layout(intersection), site.secure_link(entry)
    )


def phase_map(entry: CabinetEntry, intersection: Intersection) -> StageMap:
    """The mapping file's, or one phase per stage.

    Raises:
        ProfileError: it does not fit the intersection.
    """
    return sound(intersection) if entry.phases is None else load(Path(entry.phases), intersection)


def carrier(entry: CabinetEntry) -> Carrier | None:
    """SNMPv3's, one for each controller; None where communities are spoken.

    Raises:
        SecretError: a passphrase's file cannot be used.
        MissingExtraError: the library is not installed.
    """
    if entry.snmp != "3":
        return None
    from denxanh.plc.ntcip.usm_carrier import UserCarrier

    return UserCarrier(user(entry))


def user(entry: CabinetEntry) -> User:
    """Whom an SNMPv3 controller knows; see `carrier` for errors."""
    from denxanh.plc.ntcip.usm import Authentication, User

    assert entry.user is not None  # all three: the site file's own check
    assert entry.sign_file is not None
    assert entry.encrypt_file is not None
    sign, encrypt = read_line(Path(entry.sign_file)), read_line(Path(entry.encrypt_file))
    return User(entry.user, sign, encrypt, Authentication(entry.authentication))


def settings(entry: CabinetEntry, intersection: Intersection) -> Settings:
    """How to speak to an NTCIP controller; with SNMPv3 its communities are not used.

    Raises:
        SecretError: the community's file cannot be used.
    """
    write = b"" if entry.community_file is None else read_line(Path(entry.community_file)).encode()
    wanted_s = entry.watchdog_s
    if intersection.commitment_s:
        wanted_s = min(wanted_s, BACKUP_WITH_PROMISES_S)
    return Settings(
        read=entry.read_community.encode(),
        write=write,
        version=Version.V1 if entry.snmp == "1" else Version.V2C,
        suffix=tuple(int(part) for part in entry.instance.split(".") if part),
        set_backup_time=entry.set_backup_time,
        backup_s=wanted_s,
        short_alarm=entry.short_alarm,
        longest_s=BACKUP_WITH_PROMISES_S if intersection.commitment_s else LONGEST_S,
    )
