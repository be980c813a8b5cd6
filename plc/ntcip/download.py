"""Plans into a controller: pattern and splits in one database transaction (NTCIP 1201, dbCreateTransaction).

All or nothing: the controller takes the values over only after it has found them consistent, and a download
that breaks off leaves its plans as they were.
"""

from __future__ import annotations

import asyncio

from denxanh.errors import FrameError, ProfileError, WireError
from denxanh.networks.model import Plan
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid, text
from denxanh.plc.ntcip.link import Link
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.stagemap import StageMap
from denxanh.plc.ntcip.tables import plan_objects, split_times

NORMAL, TRANSACTION, VERIFY, DONE = 1, 2, 3, 6
"""dbCreateTransaction."""
VERIFIED = 2
"""dbVerifyStatus."""
LOOKS, LOOK_S = 20, 0.25
"""The controller may take so long to verify."""
PER_SET = 24
"""Objects in one SET: fits the 484 octets that every agent must take (RFC 3417)."""


async def download(link: Link, plan: Plan, stages: StageMap, suffix: Oid = (0,)) -> None:
    """Write one plan as the pattern and split of its own number.

    Args:
        link: to the controller.
        plan: 1..253; its stages in the order of the ring, each at most once.
        stages: the controller's phases.
        suffix: instance of scalars.

    Raises:
        ProfileError: the plan cannot be said in patterns and splits.
        UnreachableError: no answer in time.
        FrameError: another transaction is open, or the controller refuses the values.
    """
    _check(plan, stages)
    state = scalar(oids.DB_CREATE_TRANSACTION, suffix)
    if await link.get_one(state) != NORMAL:
        raise FrameError(
            "another transaction is open", where=f"{link.where}, {text(state)}", fix="let it end, or end it"
        )
    await link.set({state: TRANSACTION})
    try:
        objects = list(plan_objects(plan, stages).items())
        for at in range(0, len(objects), PER_SET):
            await link.set(dict(objects[at : at + PER_SET]))
        await link.set({state: VERIFY})
        await _verified(link, state, suffix)
    except WireError:
        await _give_up(link, state)
        raise
    await link.set({state: NORMAL})


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


def _check(plan: Plan, stages: StageMap) -> None:
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
