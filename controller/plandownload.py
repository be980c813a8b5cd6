"""A site's plans into one cabinet, on an engineer's word; never while deciding for a street."""

from __future__ import annotations

from denxanh.controller.lease import at_rest
from denxanh.controller.site import Site
from denxanh.controller.wires import carrier, phase_map, settings
from denxanh.errors import SiteError
from denxanh.networks.model import Plan
from denxanh.plc.ntcip.client import NtcipCabinet


async def download(site: Site, name: str, number: int | None = None) -> tuple[Plan, ...]:
    """Write plans into the cabinet of an intersection, and read them back.

    Args:
        site: whose cabinets and plans these are.
        name: of the intersection.
        number: of the one plan; None: all of the intersection's.

    Returns:
        The plans that the cabinet now holds.

    Raises:
        LeaseError: a controller of this site is running.
        SiteError: no such intersection or plan, or its protocol carries no plans.
        ProfileError: the phase map does not fit, or a plan cannot be said in it.
        SecretError: the community's file, or a passphrase's, cannot be used.
        MissingExtraError: SNMPv3 is asked for and its library is not installed.
        UnreachableError: the cabinet does not answer.
        FrameError: it does not take a plan, or holds another one afterwards.
    """
    found = {one.id: (entry, one) for entry, one in zip(site.cabinets, site.intersections, strict=True)}
    if name not in found:
        raise SiteError(
            f"no cabinet for intersection {name!r}", where=str(site.path), fix=f"one of {', '.join(found)}"
        )
    entry, intersection = found[name]
    if entry.protocol != "ntcip":
        raise SiteError(
            f"plans cannot be downloaded over {entry.protocol}: its register map has no place for them",
            where=f"{site.path}, cabinet {name}",
            fix="enter the plans at the cabinet; status register 29 tells whether they are the site's",
        )
    plans = tuple(plan for plan in intersection.plans if number in (None, plan.number))
    if not plans:
        known = ", ".join(str(plan.number) for plan in intersection.plans) or "none"
        raise SiteError(
            f"{name} has no plan {number}" if number is not None else f"{name} has no plans",
            where=str(site.path),
            fix=f"its plans: {known}",
        )
    stages = phase_map(entry, intersection)
    spoken, way = settings(entry, intersection), carrier(entry)
    cabinet = NtcipCabinet(entry.host, entry.port, intersection, stages, spoken, way)
    try:
        with at_rest(site.state_dir):
            await cabinet.download(plans)
    finally:
        await cabinet.close()
    return plans
