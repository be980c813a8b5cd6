"""`denxanh demo`: streets, cabinets, controller and page on one machine."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from denxanh.cli.demo_files import DEFAULT_CORRIDOR, DEFAULT_RULE, Demand, Folder, Vds, Wish
from denxanh.cli.output import Json, count, document, note, progress, say
from denxanh.errors import ConfigError, MissingExtraError, PortInUseError

MQTT_PORT = 1883
NEEDED = ("libsumo", "sumolib")


def demo(
    corridor: Annotated[
        str | None,
        typer.Option(help=f"Catalogue corridor, or a corridor's folder; default {DEFAULT_CORRIDOR}."),
    ] = None,
    sumocfg: Annotated[
        Path | None, typer.Option(help="Any SUMO scenario instead: everything is derived from it.")
    ] = None,
    scenario: Annotated[Demand, typer.Option(help="Traffic of a catalogue corridor.")] = Demand.AM,
    policy: Annotated[
        str | None,
        typer.Option(
            help="Who decides: see the README for the names, or model:PATH. "
            f"Default: the shipped model if it has passed its gate, else {DEFAULT_RULE}."
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0, help="At most so many times real time; 0: as fast as it goes. Default 1, headless 0."
        ),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option(min=1, help="Simulated seconds; default: to the end of the scenario.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of SUMO's random numbers.")] = 1,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Of the live page; default 8420, or a free one.")
    ] = None,
    vds: Annotated[
        Vds | None,
        typer.Option(
            help="Zones reach the controller as VDS samples instead of through the cabinets; "
            "mqtt needs a broker on this machine."
        ),
    ] = None,
    vds_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Of the receiver (default: a free one) or the broker (1883)."),
    ] = None,
    ntcip: Annotated[
        int, typer.Option(min=-1, help="So many cabinets speak NTCIP, the others Modbus; -1: all NTCIP.")
    ] = 1,
    headless: Annotated[bool, typer.Option("--headless", help="No page.")] = False,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls", help="Modbus cabinets speak mutual TLS (Modbus/TCP Security), with throw-away keys."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Keep site file, logs and journal in this folder.")] = None,
    json: Json = False,
) -> None:
    """Run SUMO, a virtual cabinet at every intersection, the controller and the live page on this machine.

    The cabinets speak real Modbus TCP, one of them NTCIP over SNMP; the controller is what `denxanh run`
    starts on a street. Ctrl-C ends it all and prints the summary.
    """
    if corridor is not None and sumocfg is not None:
        raise typer.BadParameter("--corridor and --sumocfg exclude each other")
    need_sumo()
    page_port = None if headless else free_page_port(port)
    wish = Wish(
        corridor=corridor or DEFAULT_CORRIDOR,
        sumocfg=sumocfg,
        scenario=scenario,
        policy=policy_named(policy),
        seed=seed,
        speed=(0.0 if headless else 1.0) if speed is None else speed,
        seconds=seconds,
        tls=tls,
        vds=vds,
        vds_port=_vds_port(vds, vds_port),
        ntcip=None if ntcip < 0 else ntcip,
    )
    with run_folder(out) as folder:
        summary, failure = run_wish(wish, folder, page_port)
        if json:
            document(summary)
        else:
            _words(summary, folder if out else None)
    if failure:
        note(f"denxanh: {failure}")
        raise typer.Exit(1)


def policy_named(asked: str | None) -> str:
    """The policy's name as the other processes need it; a model by its absolute path."""
    from denxanh.agents import registry
    from denxanh.cli.demo_files import default_policy

    if asked is not None:
        return registry.anchored(asked, Path.cwd())
    name, why = default_policy()
    if why:
        note(f"the shipped model does not control, {name} does instead: {why}")
    return name


def run_wish(
    wish: Wish, folder: Folder, page_port: int | None, watch: Callable[[float], None] = lambda _: None
) -> tuple[dict[str, Any], str | None]:
    """Run to the end.

    Args:
        wish: what to run.
        folder: where.
        page_port: of the page; None: no page.
        watch: told the simulated seconds that are over, a few times a second.

    Returns:
        The summary, and why the controller ended before the street did, if it did.
    """
    from denxanh.agents import registry
    from denxanh.agents.model_card import refusals
    from denxanh.cli.demo_files import derive_corridor, make_keys, read_json
    from denxanh.cli.demo_run import Demo, controller_summary
    from denxanh.cli.processes import Stop
    from denxanh.controller.wording import UNGATED

    card = registry.check(wish.policy)
    place = derive_corridor(wish, folder)
    if wish.tls:
        make_keys(place, folder)
    places = count(len(place.intersections), "intersection")
    note(f"{place.name_vi}: {places}, policy {wish.policy}, seed {wish.seed}")
    if card is not None and refusals(card):
        note("{}\n{}".format(*UNGATED))
    if wish.sumocfg is not None and place.warnings:
        command = f"denxanh network import-sumo {wish.sumocfg} --out corridor.json"
        note(f"{count(len(place.warnings), 'import warning')}; to see them: {command}")
    with Stop() as stop, _progress(wish) as show:

        def told(second: float) -> None:
            show(second)
            watch(second)

        running = Demo(wish, folder, page_port, told)
        running.prepare(place)
        running.run(stop)
    street = read_json(folder.summary) or {}
    ports = read_json(folder.ports) or {}
    return _summary(wish, street, controller_summary(folder), ports), running.failure


def _summary(
    wish: Wish, street: dict[str, Any], controller: dict[str, Any], ports: dict[str, Any]
) -> dict[str, Any]:
    """What a script looks for first, then what else is worth knowing."""
    protocols: dict[str, int] = {}
    for door in ports.get("cabinets", {}).values():
        protocols[door["protocol"]] = protocols.get(door["protocol"], 0) + 1
    further = (
        "never_departed",
        "median_delay_s",
        "p95_delay_s",
        "stops",
        "person_delay_s",
        "gridlock",
        "teleports",
    )
    proofs = ("short_intergreens", "cut_clearances", "conflicts_by_monitor", "lamps_digest")
    return {
        "corridor": street.get("corridor", wish.corridor),
        "policy": wish.policy,
        "seed": wish.seed,
        "seconds": street.get("seconds", 0),
        "measured_s": street.get("measured_s", 0),
        "ticks": controller.get("ticks", 0),
        "missed_ticks": controller.get("missed_ticks", 0),
        "commands": controller.get("commands", 0),
        "refusals": controller.get("refusals", {}),
        "conflicts": street.get("conflicts"),
        "mode_changes": controller.get("mode_changes", []),
        "vehicles": round(street.get("vehicles", 0)),
        "mean_delay_s": street.get("mean_delay_s"),
        "intersections": len(ports.get("cabinets", {})),
        "protocols": protocols,
        "scenario": street.get("scenario"),
        "ended": street.get("ended"),
        "deterministic": street.get("deterministic", False),
        "missed_acks": street.get("missed_acks", 0),
        "link_errors": controller.get("link_errors", 0),
        "late_decisions": controller.get("late_decisions", 0),
        **{key: street.get(key) for key in (*further, *proofs)},
        "cabinets": street.get("cabinets", {}),
    }


def _words(summary: dict[str, Any], kept: Folder | None) -> None:
    refusals = ", ".join(f"{reason} {count}" for reason, count in summary["refusals"].items()) or "none"
    delay = "–" if summary["mean_delay_s"] is None else f"{summary['mean_delay_s']:.1f} s"
    rows = (
        (
            "traffic",
            f"{summary['vehicles']:.0f} vehicles, mean delay {delay} (over {summary['measured_s']} s)",
        ),
        (
            "control",
            f"{summary['ticks']} ticks ({summary['missed_ticks']} missed), {summary['commands']} commands",
        ),
        ("refusals", refusals),
        ("conflicts", summary["conflicts"]),
        ("mode changes", len(summary["mode_changes"])),
        ("repeatable", "yes" if summary["deterministic"] else "no: somebody was late or left"),
    )
    say(f"{summary['corridor']}, {summary['policy']}, seed {summary['seed']}: {summary['seconds']} s")
    for name, value in rows:
        say(f"  {name:<13}{value}")
    if kept is not None:
        say(f"  journal      {kept.state / 'journal.jsonl'}  (denxanh replay …)")


def need_sumo() -> None:
    """Stop here with what to install.

    Raises:
        MissingExtraError: SUMO is not there.
    """
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "sim")


def _vds_port(vds: Vds | None, asked: int | None) -> int:
    """The broker's port, or one that is free for the receiver."""
    if asked is not None or vds is None:
        return asked or 0
    return MQTT_PORT if vds is Vds.MQTT else _free_port()


def _free_port() -> int:
    from denxanh.controller.centre.server import DEFAULT_HOST, bind

    with contextlib.closing(bind(DEFAULT_HOST, 0)) as free:
        return int(free.getsockname()[1])


def free_page_port(asked: int | None) -> int:
    """A port that is free now; the default one gives way, a chosen one does not.

    Raises:
        PortInUseError: the chosen one is taken.
    """
    from denxanh.controller.centre.server import DEFAULT_HOST, DEFAULT_PORT, bind

    try:
        with contextlib.closing(bind(DEFAULT_HOST, DEFAULT_PORT if asked is None else asked)) as free:
            return int(free.getsockname()[1])
    except PortInUseError:
        if asked is not None:
            raise
    return _free_port()


@contextlib.contextmanager
def run_folder(out: Path | None) -> Iterator[Folder]:
    """The run folder: the given one, or one that is removed afterwards."""
    if out is not None:
        try:
            (out / "state").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot be made: {error.strerror}", where=f"--out {out}") from error
        yield Folder(out.resolve())
        return
    root = Path(tempfile.mkdtemp(prefix="denxanh-demo-"))
    try:
        (root / "state").mkdir()
        yield Folder(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _progress(wish: Wish) -> Iterator[Callable[[float], None]]:
    """A bar where the end is known."""
    if wish.seconds is None:
        yield lambda _: None
        return
    with progress("simulated seconds", wish.seconds) as show:
        yield show
