"""Puts controllers together, for a run and for its replay: from the same `open` record come the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from denxanh.agents import registry
from denxanh.agents.setting import MARK
from denxanh.controller.claim import Claim
from denxanh.controller.clock import VIETNAM
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.journal import Record
from denxanh.controller.priority import settings as requests
from denxanh.controller.priority.settings import Settings
from denxanh.controller.site import Site, find_corridor
from denxanh.controller.vds.arrival import Source
from denxanh.controller.vds.zones import without
from denxanh.errors import ConfigError, DenXanhError, JournalError, ModelError
from denxanh.networks import plan_versions
from denxanh.networks.health_limits import HealthLimits
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.plan_digest import digests
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report

JOURNAL_VERSION = 1
RULES = 5
"""Number of the rules by which outputs come from inputs; whoever changes what comes out raises it.

1: journals without a number. 2: command numbers that begin at random, alarms that are told with patience.
3: signals that stand, silences, rings of old answers. 4: silences that only the cabinet has counted, greens
about to be raised, a cabinet that is driven and says that it is not, a start-up that does not end. 5: numbers
that go on over a restart within a run, VDS values that a halt of the machine has made old, sound detectors of
lanes that nobody uses, zones that miss what their advance loops count."""
RULE = "max-pressure"
"""The rule that stands in for a failed policy."""
SECOND_RULE = "actuated"
"""Stands in where the policy is that rule itself, at whatever settings."""


class Make(Protocol):
    """Makes one intersection's controller, which knows nothing but its claim and the run's last number."""

    def __call__(self, *, claim: Claim = Claim.NEW, last: int = 0) -> IntersectionController:
        """A new one."""
        ...


Makers = Mapping[str, Make]
_COMMITMENTS = TypeAdapter(dict[str, int])
_CORRIDOR = TypeAdapter(Corridor)
_SOURCES = TypeAdapter(tuple[Source, ...])


def makers(
    corridor: Corridor,
    intersections: Sequence[Intersection],
    policy: str,
    epoch: int,
    *,
    nonce: int = 0,
    model: str | None = None,
    settings: Settings | None = None,
    vds: Sequence[Source] = (),
) -> Makers:
    """For each intersection's id, what makes its controller (anew after each restart).

    Args:
        corridor: for its schedule and its vehicle mix.
        intersections: as the site has them.
        policy: by name.
        epoch: this run's fencing epoch.
        nonce: this run's own number.
        model: SHA-256 of the learned policy's model, which must be this one; None for a rule.
        settings: what requests (emergency, bus, flood) may do; None: nothing.
        vds: who feeds zones that do not come from the cabinets.

    Raises:
        ConfigError: no such policy.
        ModelError: the model cannot be used, or is another one.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
        ProfileError: an intersection is larger than the register map.
    """
    chosen = registry.policy(policy, sha256=model)
    flood = registry.policy((settings or Settings()).flood_policy)
    rule = registry.policy(SECOND_RULE if _plain(policy) == _plain(RULE) else RULE)
    result: Makers = {
        one.id: partial(
            IntersectionController,
            corridor,
            one,
            decode=partial(decode_report, layout=layout(without(one, vds))),
            config_crc=config_crc(one),
            policy=chosen,
            rule=rule,
            settings=settings,
            flood=flood,
            epoch=epoch,
            nonce=nonce,
            vds=tuple(source for source in vds if source.intersection == one.id),
        )
        for one in intersections
    }
    for name, make in result.items():
        controller = make()  # a site that cannot run is refused here, before anything is sent
        try:
            controller.rehearse()
        except DenXanhError:
            raise
        except Exception as error:  # a policy is foreign code
            raise ModelError(
                f"policy {policy} cannot decide: {type(error).__name__}: {error}",
                where=f"intersection {name}",
            ) from error
    return result


def _plain(policy: str) -> str:
    """A policy's name without its settings."""
    return policy.partition(MARK)[0]


def digest(corridor: Corridor) -> str:
    """Names a corridor's content, so that a replay does not run on another one."""
    unsaid = {"health"} if corridor.health == HealthLimits() else None
    return hashlib.sha256(_CORRIDOR.dump_json(corridor, exclude=unsaid)).hexdigest()[:16]


def _as_it_was(corridor: Corridor, record: Mapping[str, Any], folder: Path) -> Corridor:
    """The corridor as it was when a run began, if other plans were installed since; else as it is."""
    wanted, name = record.get("corridor_digest"), str(record["corridor"])
    if digest(corridor) == wanted or not name.endswith(".json"):
        return corridor
    old = plan_versions.earlier((folder / name).parent)
    return next((one for one in old if digest(one) == wanted), corridor)


def opening(site: Site, epoch: int, nonce: int = 0) -> Record:
    """The journal's `open` record: all that `rebuild` needs, and what people must know of the model."""
    record: Record = {
        "k": "open",
        "v": JOURNAL_VERSION,
        "rules": RULES,
        "site": str(site.path),
        "corridor": site.corridor_name,
        "corridor_digest": digest(site.corridor),
        "plans": digests(site.corridor),
        "policy": site.policy,
        "epoch": epoch,
        "nonce": nonce,
        "t": datetime.now(VIETNAM).isoformat(timespec="seconds"),
        "commitments": {one.id: one.commitment_s for one in site.intersections},
        "orders": [],  # none: people's orders do not outlive a start
    }
    if site.model is not None:
        record["model"] = site.model.sha256
        record["unfit"] = list(site.unfit)
    if site.ungated is not None:
        record["ungated"] = site.ungated
    if site.requests is not None:
        record["requests"] = requests.encode(site.requests)
    if site.vds_sources:
        record["vds"] = _SOURCES.dump_python(site.vds_sources, mode="json")
    return record


def settings_of(record: Mapping[str, Any], where: str) -> Settings | None:
    """What requests might do in the run that an `open` record begins; None: there were none.

    Raises:
        JournalError: the record is damaged.
    """
    given = record.get("requests")
    try:
        return None if given is None else requests.decode(given)
    except ValueError as error:
        raise JournalError(f"an incomplete open record: {error}", where=where) from error


def rebuild(record: Mapping[str, Any], where: str) -> Makers:
    """The makers of the run that an `open` record begins.

    Raises:
        JournalError: the record is of another version, or corridor, policy or model are not what they were.
    """
    if record.get("v") != JOURNAL_VERSION:
        raise JournalError(f"version {record.get('v')!r}, this program reads {JOURNAL_VERSION}", where=where)
    try:
        folder = Path(str(record["site"])).parent
        corridor = _as_it_was(find_corridor(str(record["corridor"]), folder), record, folder)
        commitments = _COMMITMENTS.validate_python(record["commitments"])
        policy, epoch, nonce = str(record["policy"]), int(record["epoch"]), int(record.get("nonce", 0))
        model = None if record.get("model") is None else str(record["model"])
        if model is None and registry.is_learned(policy):
            raise ValueError("it does not say which model decided")
        vds = _SOURCES.validate_python(record.get("vds", ()))
        intersections = [
            replace(corridor.intersection(name), commitment_s=seconds)
            for name, seconds in commitments.items()
        ]
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise JournalError(f"an incomplete open record: {error}", where=where) from error
    except DenXanhError as error:
        raise JournalError(f"the corridor is not to be had: {error}", where=where) from error
    if digest(corridor) != record.get("corridor_digest"):
        raise JournalError(
            f"corridor {corridor.id} has changed since",
            where=where,
            fix="replay with the version that wrote it",
        )
    settings = settings_of(record, where)
    try:
        return makers(
            corridor, intersections, policy, epoch, nonce=nonce, model=model, settings=settings, vds=vds
        )
    except (ConfigError, ModelError) as error:
        raise JournalError(f"the policy is not to be had: {error}", where=where) from error
