"""Plans into a controller: patterns and splits in one database transaction (NTCIP 1201, dbCreateTransaction).

All or nothing: the controller takes the values over only after it has found them consistent, and a download
that breaks off leaves its plans as they were. What was taken over is read back and compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from denxanh.errors import FrameError, ProfileError, WireError
from denxanh.networks.model import Plan
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid, text
from denxanh.plc.ntcip.discovery import SHOWN, differences
from denxanh.plc.ntcip.link import Link
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.reading import LOCAL_OVERRIDE_BIT, MANUAL
from denxanh.plc.ntcip.stagemap import StageMap
from denxanh.plc.ntcip.tables import download_objects, split_times

NORMAL, TRANSACTION, VERIFY, DONE = 1, 2, 3, 6
"""dbCreateTransaction."""
VERIFIED = 2
"""dbVerifyStatus."""
LOOKS, LOOK_S = 20, 0.25
"""The controller may take so long to verify."""
PER_SET = 16
"""Objects in one SET: fits the 484 octets that every agent must take (RFC 3417)."""


async def download(link: Link, plans: Sequence[Plan], stages: StageMap, suffix: Oid = (0,)) -> None:
    """Write each plan as the pattern and split of its own number, and read them back.

    Args:
        link: to the controller.
        plans: numbered 1..253; the stages of each in the order of the ring, each at most once.
        stages: the controller's phases.
        suffix: instance of scalars.

    Raises:
        ProfileError: a plan cannot be said in patterns and splits.
        UnreachableError: no answer in time.
        FrameError: too few patterns, the police panel is on, another transaction is open, the values are
            refused, or others are held afterwards.
    """
    for plan in plans:
        check(plan, stages)
    await _room(link, max(plan.number for plan in plans), suffix)
    objects: dict[Oid, int] = {}
    for plan in plans:
        objects |= download_objects(plan, stages)
    control, alarm = scalar(oids.UNIT_CONTROL_STATUS, suffix), scalar(oids.SHORT_ALARM_STATUS, suffix)
    found = await link.get((control, alarm))
    if found[control] == MANUAL or found[alarm] & LOCAL_OVERRIDE_BIT:
        raise FrameError(
            "the police panel is on, so nothing is written",
            where=f"{link.where}, {text(control)}",
            fix="download again when it is off",
        )
    state = scalar(oids.DB_CREATE_TRANSACTION, suffix)
    if await link.get_one(state) != NORMAL:
        raise FrameError(
            "another transaction is open",
            where=f"{link.where}, {text(state)}",
            fix="let it end, or set this object to 1 (normal), which throws its values away",
        )
    await link.set({state: TRANSACTION})
    try:
        pairs = list(objects.items())
        for at in range(0, len(pairs), PER_SET):
            await link.set(dict(pairs[at : at + PER_SET]))
        await link.set({state: VERIFY})
        await _verified(link, state, suffix)
    except WireError:
        await _give_up(link, state)
        raise
    await link.set({state: NORMAL})
    wrong = differences(await link.get(tuple(objects)), objects)
    if wrong:
        raise FrameError(
            f"the controller differs in {len(wrong)} values from what it took: {'; '.join(wrong[:SHOWN])}",
            where=link.where,
            fix="download again; if it stays so, enter the plan at the controller",
        )


def check(plan: Plan, stages: StageMap) -> None:
    """Whether a plan can be said in a pattern and a split.

    Raises:
        ProfileError: it cannot, and why.
    """
    where = f"plan {plan.number}"
    if not oids.STANDBY_PATTERN < plan.number < oids.FREE_PATTERN:
        raise ProfileError("NTCIP patterns are numbered 1 to 253", where=where, fix="renumber it")
    order = [split.stage for split in plan.splits]
    start = order.index(min(order))
    if sorted(order) != order[start:] + order[:start] or len(set(order)) != len(order):
        raise ProfileError(
            "its stages are not in the order of the rings, or come twice",
            where=where,
            fix="a split has one time per phase: run such a plan in ADAPTIVE (policy fixed) instead",
        )
    times = split_times(plan, stages)
    if len(stages.rings) > 1:
        for ring in stages.rings:
            if sum(times.get(phase, 0) for phase in ring) != plan.cycle_s:
                raise ProfileError(
                    f"the splits of ring {ring} do not add up to the cycle",
                    where=where,
                    fix="every stage needs a phase in every ring",
                )


async def _room(link: Link, number: int, suffix: Oid) -> None:
    most = (scalar(oids.MAX_PATTERNS, suffix), scalar(oids.MAX_SPLITS, suffix))
    found = await link.get(most)
    for name in most:
        if found[name] < number:
            raise FrameError(
                f"the controller has {found[name]} patterns or splits, the plan's number is {number}",
                where=f"{link.where}, {text(name)}",
                fix="renumber the plan",
            )


async def _verified(link: Link, state: Oid, suffix: Oid) -> None:
    for _ in range(LOOKS):
        if await link.get_one(state) == DONE:
            break
        await asyncio.sleep(LOOK_S)
    found = await link.get_one(scalar(oids.DB_VERIFY_STATUS, suffix))
    if found != VERIFIED:
        raise FrameError(
            f"the controller does not take the plan (dbVerifyStatus {found})",
            where=f"{link.where}, {text(oids.DB_VERIFY_STATUS)}",
            fix="compare cycle, offset and splits with what the controller allows",
        )


async def _give_up(link: Link, state: Oid) -> None:
    try:
        await link.set({state: NORMAL})
    except WireError:
        return  # it is not there any more; an open transaction changes nothing
