"""The backup timer: no control without it, for a controller that is left alone must come back by itself."""

from __future__ import annotations

import asyncio

from denxanh.errors import FrameError
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import text
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.reading import SYSTEM_CONTROL

RELEASE_LOOKS = 3
RELEASE_LOOK_S = 0.1
"""After a release the controller's state is looked at so often, so far apart."""


async def arm(link: Link, settings: Settings, backup_s: int) -> None:
    """Make sure that the timer runs; `backup_s` is what it was at the last poll.

    Raises:
        UnreachableError: no answer in time.
        FrameError: it is off or too long and not ours to set, or does not take what is set.
    """
    sound = backup_s == settings.backup_s if settings.set_backup_time else 0 < backup_s <= settings.longest_s
    if sound:
        return
    name = scalar(oids.UNIT_BACKUP_TIME, settings.suffix)
    where = f"{link.where}, {text(name)}"
    if not settings.set_backup_time:
        what = "0, so the controller would never leave it by itself"
        if backup_s:
            what = f"{backup_s} s: so long a hold would stand without a centre"
        raise FrameError(
            f"control is refused: unitBackupTime is {what}",
            where=where,
            fix=f"set it to {settings.backup_s} s at the controller, or set_backup_time = true in SITE.toml",
        )
    await link.set({name: settings.backup_s})
    found = await link.get_one(name)
    if found != settings.backup_s:
        raise FrameError(
            f"unitBackupTime stays {found} although {settings.backup_s} was set",
            where=where,
            fix="set it at the controller",
        )


async def verify_release(link: Link, settings: Settings) -> None:
    """Look whether the controller has left system control.

    Raises:
        UnreachableError: no answer in time.
        FrameError: it has not.
    """
    name = scalar(oids.UNIT_CONTROL_STATUS, settings.suffix)
    for _ in range(RELEASE_LOOKS):
        if await link.get_one(name) != SYSTEM_CONTROL:
            return
        await asyncio.sleep(RELEASE_LOOK_S)
    raise FrameError(
        "control was given back, but unitControlStatus still says systemControl",
        where=f"{link.where}, {text(name)}",
        fix="look for another centre; its backup timer ends it otherwise",
    )
