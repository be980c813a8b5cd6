"""What a controller has and how it is set up, asked once: objects, capacities, tables."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from denxanh.errors import FrameError
from denxanh.plc.ntcip import numbers, oids
from denxanh.plc.ntcip.ber import Oid, text
from denxanh.plc.ntcip.link import Link
from denxanh.plc.ntcip.oids import scalar

log = logging.getLogger(__name__)

SHOWN = 8
"""Objects that an error or a warning names."""


async def discover(
    link: Link, names: tuple[Oid, ...], capacities: Mapping[Oid, int], suffix: Oid
) -> tuple[Oid, ...]:
    """Ask for what decides whether this can work.

    Args:
        link: to the controller.
        names: what a poll wants.
        capacities: scalars of capacities, with what is needed of each.
        suffix: instance of scalars.

    Returns:
        The names that the controller has.

    Raises:
        UnreachableError: no answer in time.
        FrameError: a capacity is too small, it is not in automatic operation, or it lacks what control needs.
    """
    automatic = scalar(oids.COORD_OPERATIONAL_MODE, suffix)
    found = await link.get((automatic, *(scalar(oid, suffix) for oid in capacities)))
    for oid, least in capacities.items():
        most = found[scalar(oid, suffix)]
        if most < least:
            raise FrameError(
                f"the controller has {most} where {least} are needed",
                where=f"{link.where}, {text(oid)}",
                fix="correct the phase map, or wire fewer detectors",
            )
    if found[automatic] != 0:
        raise FrameError(
            "coordOperationalMode is not 0 (automatic), so systemPatternControl has no effect",
            where=f"{link.where}, {text(oids.COORD_OPERATIONAL_MODE)}",
            fix="set it to 0 at the controller",
        )
    missing = await link.missing(names)
    needed = [name for name in missing if not numbers.optional(name)]
    if needed:
        raise FrameError(
            f"the controller lacks {len(needed)} of the objects that control needs",
            where=f"{link.where}, {', '.join(text(name) for name in needed[:SHOWN])}",
            fix="check the phase map and the instance suffix, or use another cabinet",
        )
    if missing:
        log.warning("%s: without %s", link.where, ", ".join(text(name) for name in missing[:SHOWN]))
    return tuple(name for name in names if name not in missing)


async def matches(link: Link, tables: Mapping[Oid, int]) -> bool:
    """Whether the controller's timings and plans are ours; what differs is logged.

    Raises:
        UnreachableError: no answer in time.
    """
    try:
        found = await link.get(tuple(tables))
    except FrameError as error:
        log.warning("%s: its tables cannot be read: %s", link.where, error)
        return False
    wrong = differences(found, tables)
    if wrong:
        some = "; ".join(wrong[:SHOWN])
        log.warning("%s: %d objects differ from our tables: %s", link.where, len(wrong), some)
    return not wrong


def differences(found: Mapping[Oid, int], wanted: Mapping[Oid, int]) -> list[str]:
    """In words, the objects that read otherwise than they should."""
    return [
        f"{text(oid)} is {found.get(oid)} instead of {number}"
        for oid, number in wanted.items()
        if found.get(oid) != number
    ]
