"""What the config block's words are called, and in what two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from denxanh.networks.model import Intersection
from denxanh.plc.modbus.config import config_words

_HEAD = (
    "version",
    "junction",
    "stages",
    "groups",
    "commitment_s",
    "startup_flash_s",
    "startup_all_red_s",
    "startup_stage",
)
_GROUP = ("kind", "min_green_s", "max_green_s", "max_red_s", "yellow_s", "walk_s", "clearance_s", "reserved")
_STAGE = ("protected", "protected", "yielding", "yielding", "following", "following")


@dataclass(frozen=True, slots=True)
class Difference:
    """One word of the tables that is not ours. `plan` tells plans from everything else."""

    name: str
    found: int
    wanted: int
    plan: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.found} instead of {self.wanted}"


def names(intersection: Intersection) -> Iterator[tuple[str, bool]]:
    """For each word its name, and whether it is a plan's; the same order as `config_words`."""
    groups = intersection.groups
    yield from ((name, False) for name in _HEAD)
    for group in groups:
        yield from ((f"group {group.id} {name}", False) for name in _GROUP)
    for stage in intersection.stages:
        yield from ((f"stage {stage.id} {name}", False) for name in _STAGE)
    for first in groups:
        yield from ((f"conflict and intergreen {first.id} to {second.id}", False) for second in groups)
    yield "plans", True
    for plan in intersection.plans:
        yield from ((f"plan {plan.number} {name}", True) for name in ("number", "offset_s", "splits"))
        for place in range(1, len(plan.splits) + 1):
            yield from ((f"plan {plan.number} split {place} {name}", True) for name in ("stage", "seconds"))
    yield "CRC", False


def differences(intersection: Intersection, found: Sequence[int]) -> tuple[Difference, ...]:
    """In what a cabinet's mirror differs from our tables; the CRC over them, which follows, is left out."""
    ours = zip(names(intersection), config_words(intersection), found, strict=False)
    return tuple(
        Difference(name, theirs, wanted, plan)
        for (name, plan), wanted, theirs in ours
        if theirs != wanted and name != "CRC"
    )
