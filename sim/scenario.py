"""What to simulate: streets, demand, window and options, with the corridor model that belongs to them.

SUMO's clock counts local seconds since midnight, so that plans and schedules mean what they say.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.networks import compiled, demand, flows, foreign
from denxanh.networks.build import BuiltCorridor, build, cache_folder
from denxanh.networks.corridor_files import CorridorFiles
from denxanh.networks.demand import Fidelity, Piece
from denxanh.networks.model import Corridor, Intersection
from denxanh.sim.fleet import BY_KIND, Fleet, RoadUser


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to simulate. Times are SUMO seconds; `measure_from_s` ends the warm-up.

    `options` are further SUMO options, as on its command line; they win over the defaults below. `weights`
    says for how many vehicles one of a type counts (1 where absent). `controlled` are the intersections of
    the corridor that we drive.
    """

    id: str
    corridor: Corridor
    net: Path
    routes: tuple[Path, ...]
    begin_s: int
    end_s: int
    measure_from_s: int
    additional: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    date: str = "2026-11-23"
    """Local date, for the schedule (a Monday)."""
    controlled: tuple[str, ...] | None = None
    """Ids of the intersections that we drive; None: all of the corridor."""
    sumocfg: Path | None = None
    """A foreign configuration; net and routes then come from it."""
    fleet: Fleet = field(default_factory=Fleet)
    """What a vehicle of each class counts as, for delay per person and per passenger-car unit."""

    @property
    def intersections(self) -> tuple[Intersection, ...]:
        """The intersections that we drive, in corridor order."""
        if self.controlled is None:
            return self.corridor.intersections
        return tuple(one for one in self.corridor.intersections if one.id in self.controlled)

    @property
    def tls(self) -> tuple[str, ...]:
        """SUMO's ids of the signals that we drive."""
        return tuple(one.tls for one in self.intersections)

    def measured_from(self, end_s: float) -> int:
        """Where the measured window begins when the simulation ended at `end_s`, SUMO seconds.

        A run that was stopped before it was twice as long as its warm-up is measured whole, as one that was
        asked to be so short: otherwise there would be nothing, or next to nothing, to measure.
        """
        long_enough = end_s - self.begin_s >= 2 * (self.measure_from_s - self.begin_s)
        return self.measure_from_s if end_s >= self.end_s or long_enough else self.begin_s

    def until(self, seconds: int) -> Scenario:
        """The same, ended after this many seconds at the latest."""
        return replace(self, end_s=min(self.end_s, self.begin_s + seconds))

    def arguments(
        self, seed: int, additional: tuple[Path, ...] = (), tripinfo: Path | None = None
    ) -> tuple[str, ...]:
        """SUMO's command line for this scenario.

        Args:
            seed: of SUMO's random numbers.
            additional: files beside the scenario's own (detectors).
            tripinfo: where the trips go; never-departed and unfinished vehicles are written too.
        """
        files = (*self.additional, *additional)
        source: tuple[str, ...] = ()
        if self.sumocfg is not None:
            source = ("--configuration-file", str(self.sumocfg))
        source = (*source, "--net-file", str(self.net))
        if self.routes:
            source = (*source, "--route-files", _joined(self.routes))
        trips: tuple[str, ...] = ()
        if tripinfo is not None:
            trips = (
                *("--tripinfo-output", str(tripinfo)),
                *("--tripinfo-output.write-unfinished", "true"),
                *("--tripinfo-output.write-undeparted", "true"),
            )
        defaults = {
            "--begin": str(self.begin_s),
            "--seed": str(seed),
            "--time-to-teleport": "-1",
            "--xml-validation": "never",
        }
        given = {token.partition("=")[0] for token in self.options}
        return (
            *source,
            *(("--additional-files", _joined(files)) if files else ()),
            *(part for pair in defaults.items() if pair[0] not in given for part in pair),
            *trips,
            *self.options,
        )


def _joined(paths: tuple[Path, ...]) -> str:
    return ",".join(str(path) for path in paths)


WARMUP_S = 300
WINDOW_S = 1800
"""A scenario's window after its warm-up (assumed)."""


def catalogue_scenario(
    name: str,
    scenario: str = "am",
    fidelity: Fidelity = Fidelity.SUBLANE,
    seed: int = 1,
    *,
    seconds: int = WARMUP_S + WINDOW_S,
    scale: float = 1.0,
    folder: Path | None = None,
) -> Scenario:
    """A corridor of the catalogue under one of its demands; the seed decides who drives when.

    Args:
        name: the corridor.
        scenario: one of its `demand.toml`.
        fidelity: SUBLANE or PROXY.
        seed: of the demand; pass the same one to the simulation.
        seconds: how long; the first `WARMUP_S` are not measured where it is at least twice as long.
        scale: factor on all vehicle flows.
        folder: for the vehicles' file; default: the user's cache, which keeps it.

    Raises:
        CorridorError: the corridor or the scenario does not exist or is wrong.
        MissingExtraError: SUMO's netconvert is not installed.
    """
    built = build(name)
    begin = flows.scenario_of(built.files, scenario).start
    warmup_s = WARMUP_S if seconds >= 2 * WARMUP_S else 0
    pieces = (Piece(scenario, begin, begin + seconds),)
    return pieced_scenario(built, pieces, fidelity, seed, warmup_s=warmup_s, scale=scale, folder=folder)


def pieced_scenario(
    built: BuiltCorridor,
    pieces: Sequence[Piece],
    fidelity: Fidelity,
    seed: int,
    *,
    warmup_s: int,
    scale: float = 1.0,
    folder: Path | None = None,
) -> Scenario:
    """A built corridor under several of its demands, one after another; see `catalogue_scenario`.

    Args:
        built: the corridor.
        pieces: without gaps, in order.
        fidelity: SUBLANE or PROXY.
        seed: of the demand.
        warmup_s: so many seconds at the begin are not measured.
        scale: factor on all vehicle flows.
        folder: for the vehicles' file; default: the user's cache, which keeps it.

    Raises:
        CorridorError: a scenario does not exist or is wrong.
    """
    begin, end = pieces[0].begin, pieces[-1].end
    names = "-".join(dict.fromkeys(one.scenario for one in pieces))
    routes = _kept(
        f"{built.corridor.id}-{names}-{fidelity}-{seed}",
        lambda path: demand.write_pieces(built, pieces, fidelity, seed, path, scale=scale),
        folder or cache_folder().with_name("routes"),
    )
    proxy = fidelity is Fidelity.PROXY
    return Scenario(
        id=f"{built.corridor.id}/{names}",
        corridor=replace(built.corridor, pcu_per_vehicle=1.0) if proxy else built.corridor,
        net=built.net,
        routes=(routes,),
        begin_s=begin,
        end_s=end,
        measure_from_s=begin + warmup_s,
        options=demand.sumo_options(fidelity),
        weights=(("unit", float(demand.UNIT_SIZE)),) if proxy else (),
        fleet=_fleet(built.files),
    )


def _fleet(files: CorridorFiles) -> Fleet:
    """The corridor's own passenger-car units; a proxy unit stands for motorbikes."""
    return Fleet(
        classes=(("unit", RoadUser.MOTORBIKE), *BY_KIND.items()),
        pcu=tuple((BY_KIND[kind], units) for kind, units in files.corridor.pcu.items()),
    )


def _kept(name: str, write: Callable[[Path], object], folder: Path) -> Path:
    """A file in this folder, named by its content; several processes may make the same one at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / "made.rou.xml"
        write(made)
        digest = hashlib.sha256(made.read_bytes()).hexdigest()[:16]
        target = folder / f"{name}-{digest}.rou.xml"
        made.replace(target)
    return target


FOREIGN_WINDOW_S = 3600
"""How long a foreign scenario runs where its configuration names no end."""


def foreign_scenario(
    sumocfg: Path,
    *,
    begin_s: int | None = None,
    end_s: int | None = None,
    options: tuple[str, ...] = (),
    controlled: tuple[str, ...] = (),
) -> Scenario:
    """A SUMO scenario that anyone wrote, with everything derived from its net.

    Args:
        sumocfg: the configuration; its own options stay in force.
        begin_s: instead of the configuration's begin.
        end_s: instead of the configuration's end.
        options: further SUMO options; they win over the configuration.
        controlled: intersections to drive; empty: all that can be. The others keep the net's programme.

    Raises:
        NetworkError: the configuration, or a file that it names, cannot be used, or drives no such signal.
    """
    given = foreign.from_scenario(sumocfg)
    begin = int(given.begin_s) if begin_s is None else begin_s
    configured = begin + FOREIGN_WINDOW_S if given.end_s is None else int(given.end_s)
    known = {one.id for one in given.corridor.intersections}
    unknown = sorted(set(controlled) - known)
    if unknown or not known:
        raise NetworkError(
            f"drives no signal {', '.join(unknown)}" if unknown else "has no signal that can be driven",
            where=str(sumocfg),
            fix=f"choose among {', '.join(sorted(known))}" if known else "see the import's warnings",
        )
    return Scenario(
        id=given.corridor.id,
        corridor=given.corridor,
        net=given.net,
        routes=(),
        begin_s=begin,
        end_s=configured if end_s is None else end_s,
        measure_from_s=begin,
        additional=given.additional,
        options=options,
        controlled=controlled or None,
        sumocfg=sumocfg,
    )


def files_scenario(
    compiled_corridor: Path,
    net: Path,
    routes: tuple[Path, ...],
    *,
    begin_s: int = 0,
    end_s: int = FOREIGN_WINDOW_S,
    measure_from_s: int = 0,
    additional: tuple[Path, ...] = (),
    fidelity: Fidelity = Fidelity.SUBLANE,
    options: tuple[str, ...] = (),
) -> Scenario:
    """A built net with its compiled corridor, file by file; `options` come after those of the fidelity.

    Raises:
        CorridorError: the compiled corridor cannot be read.
    """
    corridor = compiled.load(compiled_corridor)
    return Scenario(
        id=corridor.id,
        corridor=corridor,
        net=net,
        routes=routes,
        begin_s=begin_s,
        end_s=end_s,
        measure_from_s=measure_from_s,
        additional=additional,
        options=(*demand.sumo_options(fidelity), *options),
    )
