"""Which NEMA phases are green in each stage, in which rings and barriers, and which channel lights a group.

A derived map needs no file: one ring, one phase per stage in the order of the stages, channel n for group n.
A real dual-ring controller gets a TOML file (docs/cabinet-ntcip.md). Barriers are implicit in NTCIP 1202
(phaseConcurrency and the sequence table); here they are written down, because a stage must not cross one.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.errors import DenXanhError, ProfileError
from denxanh.networks.model import GroupKind, Intersection

MAX_PHASE = 40
"""Most phases that controllers offer (1202 demands 8)."""
MAX_RINGS = 16
MAX_CHANNEL = 64

_Phase = Annotated[int, Field(ge=1, le=MAX_PHASE)]
_Channel = Annotated[int, Field(ge=1, le=MAX_CHANNEL)]


@dataclass(frozen=True)
class StageMap:
    """`stages[s]`: phases that are green together in stage s; `channels[g]`: the channel of group g.

    `rings` lists each ring's phases in their order; `barriers` the phases between two barriers.
    """

    stages: tuple[frozenset[int], ...]
    rings: tuple[tuple[int, ...], ...]
    barriers: tuple[frozenset[int], ...]
    channels: tuple[int, ...]

    @cached_property
    def phases(self) -> int:
        """The highest phase number."""
        return max(max(ring) for ring in self.rings)

    @cached_property
    def channel_count(self) -> int:
        """The highest channel number."""
        return max(self.channels)

    def mask(self, stage: int) -> int:
        """The stage's phases, bit n for phase n + 1."""
        return self._masks[stage]

    def stage_of(self, mask: int) -> int | None:
        """The stage whose phases these are, exactly."""
        return self._masks.index(mask) if mask in self._masks else None

    @cached_property
    def _masks(self) -> tuple[int, ...]:
        return tuple(phase_mask(phases) for phases in self.stages)

    def carriers(self, intersection: Intersection, group: int) -> int:
        """Phases that always bring this group's green: each of their stages serves it; a mask."""
        stages = list(zip(self.stages, intersection.stages, strict=True))
        every = frozenset(phase for phases in self.stages for phase in phases)
        return phase_mask(
            frozenset(
                phase
                for phase in every
                if all(stage.serves(group) for phases, stage in stages if phase in phases)
            )
        )

    def concurrent(self, phase: int) -> tuple[int, ...]:
        """Phases of other rings on the same side of the barrier (phaseConcurrency)."""
        own = next((ring for ring in self.rings if phase in ring), ())
        side = next((side for side in self.barriers if phase in side), frozenset())
        return tuple(sorted(side - set(own)))


def phase_mask(phases: frozenset[int]) -> int:
    """Bit n for phase n + 1."""
    return sum(1 << phase - 1 for phase in phases)


def derived(intersection: Intersection) -> StageMap:
    """One ring, phase n + 1 for stage n, channel n + 1 for group n."""
    phases = tuple(range(1, len(intersection.stages) + 1))
    return StageMap(
        stages=tuple(frozenset((phase,)) for phase in phases),
        rings=(phases,),
        barriers=tuple(frozenset((phase,)) for phase in phases),
        channels=tuple(range(1, len(intersection.groups) + 1)),
    )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Rings(_Table):
    order: list[list[_Phase]]
    barriers: list[list[_Phase]]


class _Stage(_Table):
    id: str
    phases: list[_Phase]


class _Lit(_Table):
    group: str
    channel: _Channel


class _File(_Table):
    rings: _Rings
    stage: list[_Stage]
    channel: list[_Lit] = []
    """Empty: channel n for group n."""


def load(path: Path, intersection: Intersection) -> StageMap:
    """A mapping file for one intersection.

    Raises:
        ProfileError: with every defect that was found.
    """
    try:
        file = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ProfileError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"not TOML: {error}", where=str(path)) from error
    except ValidationError as error:
        defects = [
            ProfileError(one["msg"], where=".".join(str(part) for part in one["loc"]))
            for one in error.errors()
        ]
        raise ProfileError("the phase mapping is wrong", where=str(path), defects=defects) from error
    found = [*_names(file, intersection)]
    if not found:
        result = _built(file, intersection)
        found = [*problems(result, intersection)]
    if found:
        raise ProfileError("the phase mapping does not fit", where=str(path), defects=found)
    return result


def _built(file: _File, intersection: Intersection) -> StageMap:
    phases = {one.id: frozenset(one.phases) for one in file.stage}
    channels = {one.group: one.channel for one in file.channel}
    return StageMap(
        stages=tuple(phases[stage.id] for stage in intersection.stages),
        rings=tuple(tuple(ring) for ring in file.rings.order),
        barriers=tuple(frozenset(side) for side in file.rings.barriers),
        channels=tuple(channels.get(group.id, n + 1) for n, group in enumerate(intersection.groups)),
    )


def _names(file: _File, intersection: Intersection) -> Iterator[DenXanhError]:
    """Every stage once and no other; every group at most once, or none at all."""
    stages = {stage.id for stage in intersection.stages}
    given = Counter(one.id for one in file.stage)
    for name in sorted(stages - set(given)):
        yield ProfileError(f"stage {name!r} has no phases", where="stage", fix="add a [[stage]]")
    for name in sorted(set(given) - stages):
        yield ProfileError(f"no stage {name!r} in {intersection.id}", where="stage")
    for name, count in given.items():
        if count > 1:
            yield ProfileError(f"stage {name!r} is listed {count} times", where="stage")
    groups = {group.id for group in intersection.groups}
    lit = Counter(one.group for one in file.channel)
    for name in sorted(set(lit) - groups):
        yield ProfileError(f"no signal group {name!r} in {intersection.id}", where="channel")
    if lit and set(lit) != groups:
        missing = ", ".join(sorted(groups - set(lit)))
        yield ProfileError(f"groups without a channel: {missing}", where="channel", fix="list all or none")
    for name, count in lit.items():
        if count > 1:
            yield ProfileError(f"group {name!r} is listed {count} times", where="channel")


def problems(found: StageMap, intersection: Intersection) -> Iterator[DenXanhError]:
    """What speaks against a map: rings, barriers, concurrency, ambiguity, channels."""
    in_rings = Counter(phase for ring in found.rings for phase in ring)
    if not in_rings or not all(found.rings) or len(found.rings) > MAX_RINGS:
        yield ProfileError(f"there must be 1 to {MAX_RINGS} rings, none empty", where="rings.order")
        return
    in_sides = Counter(phase for side in found.barriers for phase in side)
    for phase, count in sorted(in_rings.items()):
        if count > 1:
            yield ProfileError(f"phase {phase} stands {count} times in the rings", where="rings.order")
        if in_sides[phase] != 1:
            yield ProfileError(
                f"phase {phase} is on {in_sides[phase]} sides of the barriers",
                where="rings.barriers",
                fix="put each phase of the rings on exactly one",
            )
    for phase in sorted(set(in_sides) - set(in_rings)):
        yield ProfileError(f"phase {phase} is in no ring", where="rings.barriers")
    for stage, phases in zip(intersection.stages, found.stages, strict=True):
        where = f"stage {stage.id}"
        if not phases:
            yield ProfileError("it has no phase", where=where)
        for phase in sorted(phases - set(in_rings)):
            yield ProfileError(f"phase {phase} is in no ring", where=where)
        for ring in found.rings:
            if len(phases & set(ring)) > 1:
                both = " and ".join(str(phase) for phase in sorted(phases & set(ring)))
                yield ProfileError(f"phases {both} are in one ring and never run together", where=where)
        if phases and not any(phases <= side for side in found.barriers):
            yield ProfileError("its phases are on different sides of a barrier", where=where)
    for (one, first), (other, second) in combinations(zip(intersection.stages, found.stages, strict=True), 2):
        if first <= second or second <= first:
            yield ProfileError(
                f"stages {one.id} and {other.id} cannot be told apart by their phases",
                where="stage",
                fix="no stage's phases may be part of another's",
            )
    yield from _crossings(found, intersection)
    for channel, count in Counter(found.channels).items():
        if count > 1:
            yield ProfileError(f"channel {channel} lights {count} groups", where="channel")


def _crossings(found: StageMap, intersection: Intersection) -> Iterator[DenXanhError]:
    """A walk that no running phase brings could be neither called nor kept from starting."""
    for index, group in enumerate(intersection.groups):
        if group.kind is not GroupKind.PEDESTRIAN:
            continue
        carriers = found.carriers(intersection, index)
        for number, stage in enumerate(intersection.stages):
            if stage.serves(index) and not found.mask(number) & carriers:
                yield ProfileError(
                    f"crossing {group.id} walks here, but each of the phases also runs where it does not",
                    where=f"stage {stage.id}",
                    fix="give the stage a phase of which every stage serves the crossing",
                )


def sound(intersection: Intersection) -> StageMap:
    """The derived map, where the intersection is small enough for it.

    Raises:
        ProfileError: more stages or groups than phases or channels.
    """
    if len(intersection.stages) > MAX_PHASE or len(intersection.groups) > MAX_CHANNEL:
        raise ProfileError(
            f"NTCIP holds {MAX_PHASE} phases and {MAX_CHANNEL} channels here, the intersection has "
            f"{len(intersection.stages)} stages and {len(intersection.groups)} groups",
            where=f"intersection {intersection.id}",
            fix="write a phase map, or merge groups that always act together",
        )
    return derived(intersection)
