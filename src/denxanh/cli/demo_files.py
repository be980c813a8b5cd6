"""What the demo writes into its run folder: the street's specification, the site file, and where they lie."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denxanh.cli.demo_city import write_city
from denxanh.errors import ModelError

if TYPE_CHECKING:
    from denxanh.controller.site import TlsTable
    from denxanh.controller.vds.tables import VdsTables
    from denxanh.networks.model import Corridor
    from denxanh.sim.spec import FaultSpec
    from denxanh.sim.streetreport import StreetReport

DEFAULT_CORRIDOR = "truc-30-4-hoa-binh"
DEFAULT_RULE = "max-pressure"
COMMUNITY_OCTETS = 16
DEMO_KEYS_DAYS = 60
"""Life of the demo's keys: long enough that nobody is warned of their end."""
WAIT_FOR_CONTROLLER_S = 60.0
"""How long the street holds its first second back for the controller, seconds of wall time."""


class Demand(StrEnum):
    """Which traffic of a catalogue corridor."""

    AM = "am"
    PM = "pm"
    OFFPEAK = "offpeak"
    NIGHT = "night"


class Vds(StrEnum):
    """How the zones reach the controller, where not through the cabinets."""

    HTTP = "http"
    MQTT = "mqtt"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for. `seconds` None: to the end of the scenario."""

    corridor: str
    sumocfg: Path | None
    scenario: Demand
    policy: str
    seed: int
    speed: float
    seconds: int | None
    tls: bool = False
    vds: Vds | None = None
    """None: through the cabinets, as everything else."""
    vds_port: int = 0
    """Of the controller's receiver, or of the broker."""
    ntcip: int | None = None
    """How many cabinets speak NTCIP, None: all of them."""
    faults: tuple[FaultSpec, ...] = ()
    """What goes wrong on the street, and when."""
    reports: tuple[StreetReport, ...] = ()
    """Streets that are going to be reported as flooded or closed: the site then takes such reports."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The run folder; everything that the run leaves behind lies in it."""

    root: Path

    @property
    def spec(self) -> Path:
        """What the street simulates."""
        return self.root / "street.json"

    @property
    def community(self) -> Path:
        """Holds the community that may command the NTCIP cabinets."""
        return self.root / "community"

    @property
    def ports(self) -> Path:
        """Where the street says which ports it took."""
        return self.root / "ports.json"

    @property
    def site(self) -> Path:
        """The site file; `denxanh run` drives the demo's cabinets with it."""
        return self.root / "site.toml"

    @property
    def city(self) -> Path:
        """What the centre looks out for."""
        return self.root / "city.toml"

    @property
    def compiled(self) -> Path:
        """The corridor that the run made itself, of a foreign scenario or of a corridor's folder."""
        return self.root / "compiled.json"

    @property
    def vds_token(self) -> Path:
        """The token of every simulated camera; made anew for each run."""
        return self.root / "vds.token"

    @property
    def state(self) -> Path:
        """The controller's state folder with its journal."""
        return self.root / "state"

    @property
    def report_key(self) -> Path:
        """Seals the reports of an exercise; made anew for each run."""
        return self.root / "report.key"

    @property
    def guest_link(self) -> Path:
        """Where the centre leaves the path of a one-time login link."""
        return self.root / "guest-link"

    @property
    def keys(self) -> Path:
        """Throw-away keys of the links; there are some only with TLS."""
        return self.root / "keys"

    @property
    def summary(self) -> Path:
        """What the street says at its end."""
        return self.root / "street-summary.json"


def default_policy() -> tuple[str, str]:
    """Who decides when nobody was named: the shipped model once it has passed its gate, else a rule.

    Returns:
        The policy's name, and why it is not the shipped model; empty if it is, or where none is shipped.
    """
    from denxanh.agents import registry
    from denxanh.agents.model_card import refusals

    if registry.UNIVERSAL not in registry.names():
        return DEFAULT_RULE, ""
    try:
        card = registry.check(registry.UNIVERSAL)
    except ModelError as error:
        return DEFAULT_RULE, str(error)
    against = [] if card is None else refusals(card)
    if against:
        return DEFAULT_RULE, "; ".join(against)
    return registry.UNIVERSAL, ""


def derive_corridor(wish: Wish, folder: Folder) -> Corridor:
    """The corridor that is going to be driven; one that does not ship compiled is made and written down.

    Raises:
        DenXanhError: it does not exist or cannot be used.
    """
    from denxanh.networks import build, catalogue, compiled, foreign

    if _shipped(wish):
        return catalogue.corridor(wish.corridor)
    if wish.sumocfg is not None:
        corridor = foreign.from_scenario(wish.sumocfg).corridor
    else:
        # Built anew, as the street does: the folder's own compiled.json may be older than its text.
        corridor = build.build(wish.corridor).corridor
    compiled.dump(corridor, folder.compiled)
    return corridor


def _shipped(wish: Wish) -> bool:
    from denxanh.networks import catalogue

    return wish.sumocfg is None and wish.corridor in catalogue.names()


def write_community(folder: Folder) -> None:
    """The community that may command this run's NTCIP cabinets: a new one, readable by nobody else."""
    from denxanh.plc.security.secrets import write_new

    folder.community.unlink(missing_ok=True)
    write_new(folder.community, secrets.token_hex(COMMUNITY_OCTETS))


def write_spec(wish: Wish, folder: Folder, corridor: Corridor) -> None:
    """The street's specification: free ports, lock-step; the last intersections speak NTCIP."""
    names = [one.id for one in corridor.intersections]
    ntcip = names if wish.ntcip is None else names[max(0, len(names) - wish.ntcip) :]
    source: dict[str, object] = {
        "kind": "catalogue",
        "corridor": wish.corridor if _shipped(wish) else str(Path(wish.corridor).resolve()),
        "scenario": wish.scenario.value,
    }
    if wish.sumocfg is not None:
        source = {"kind": "foreign", "sumocfg": str(wish.sumocfg.resolve())}
    spec = {
        "source": source,
        "seed": wish.seed,
        "speed": wish.speed,
        "seconds": wish.seconds,
        "grants": {"host": "127.0.0.1", "port": 0},
        "wait_for_controller_s": WAIT_FOR_CONTROLLER_S,
        "keys": str(folder.keys) if wish.tls else None,
        "cabinets": [
            {"intersection": name, "protocol": "ntcip", "community_file": str(folder.community)}
            for name in ntcip
        ],
        "faults": [fault.model_dump(mode="json") for fault in wish.faults],
        "summary": str(folder.summary),
        "ports": str(folder.ports),
    }
    if wish.vds is not None:
        spec["vds"] = _cameras(wish, folder, corridor)
    folder.spec.write_text(json.dumps(spec, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _cameras(wish: Wish, folder: Folder, corridor: Corridor) -> dict[str, object]:
    """One simulated camera per intersection."""
    from denxanh.controller.vds import secret

    token = None
    if wish.vds is Vds.HTTP:
        folder.vds_token.unlink(missing_ok=True)
        secret.make_token(folder.vds_token)
        token = secret.read_token(folder.vds_token)
    sources = [
        {"id": f"vds-{number}", "intersection": one.id, "token": token}
        for number, one in enumerate(corridor.intersections, 1)
    ]
    return {"by": wish.vds, "port": wish.vds_port, "sources": sources}


def _vds_tables(wish: Wish, folder: Folder, names: Iterable[str]) -> VdsTables | None:
    """The site file's side of `_cameras`."""
    from denxanh.controller.vds import tables

    if wish.vds is None:
        return None
    by_http = wish.vds is Vds.HTTP
    return tables.VdsTables(
        vds=tuple(
            tables.VdsEntry(
                id=f"vds-{number}",
                intersection=name,
                by="http" if by_http else "mqtt",
                token_file=folder.vds_token.name if by_http else None,
            )
            for number, name in enumerate(names, 1)
        ),
        vds_http=tables.VdsHttp(port=wish.vds_port) if by_http else None,
        vds_mqtt=None if by_http else tables.VdsMqtt(host="127.0.0.1", port=wish.vds_port),
    )


def write_site(wish: Wish, folder: Folder, ports: Mapping[str, Any], page_port: int | None) -> None:
    """The site file for the ports that the street took."""
    from denxanh.controller import site
    from denxanh.controller.console_site import ConsoleTable

    if page_port is not None:
        write_city(folder.city)
    site.write_site(
        folder.site,
        corridor=wish.corridor if _shipped(wish) else folder.compiled.name,
        state_dir=folder.state.name,
        policy=wish.policy,
        cabinets=[
            site.CabinetEntry(
                intersection=name,
                protocol=door["protocol"],
                host=door["host"],
                port=door["port"],
                profile=door["profile"],
                community_file=folder.community.name if door["protocol"] == "ntcip" else None,
            )
            for name, door in ports["cabinets"].items()
        ],
        console=None if page_port is None else ConsoleTable(port=page_port, city=folder.city.name),
        clock=site.Endpoint(host=ports["clock"]["host"], port=ports["clock"]["port"]),
        vds=_vds_tables(wish, folder, ports["cabinets"]),
        tls=_tls(folder) if wish.tls else None,
        **_reporting(wish, folder),
    )


def _reporting(wish: Wish, folder: Folder) -> dict[str, Any]:
    """The tables of a site that takes the exercise's reports; its key is made here."""
    from denxanh.controller.priority.seal import make_key
    from denxanh.controller.priority.tables import SourceEntry
    from denxanh.sim.streetreport import SOURCE, flood_table

    if not wish.reports:
        return {}
    folder.report_key.unlink(missing_ok=True)
    make_key(folder.report_key)
    source = SourceEntry(id=SOURCE, key_file=folder.report_key.name, may=("flood",))
    return {"flood": flood_table(wish.reports), "sources": [source]}


def make_keys(corridor: Corridor, folder: Folder) -> None:
    """Throw-away keys: an authority, every cabinet's, and the controller's."""
    from denxanh.plc.security.authority import Authority
    from denxanh.plc.security.certificates import Role

    authority = Authority(folder.keys)
    authority.create()
    for one in corridor.intersections:
        authority.cabinet(one.id, days=DEMO_KEYS_DAYS)
    authority.client(Role.CONTROLLER, Role.CONTROLLER, days=DEMO_KEYS_DAYS)


def _tls(folder: Folder) -> TlsTable:
    from denxanh.controller.site import TlsTable
    from denxanh.plc.security.authority import Authority
    from denxanh.plc.security.certificates import Role

    mine = Authority(folder.keys).keys(Role.CONTROLLER)
    name = folder.keys.name
    return TlsTable(
        ca=f"{name}/{mine.ca.name}",
        certificate=f"{name}/{mine.certificate.name}",
        key=f"{name}/{mine.key.name}",
        crl=f"{name}/{Authority(folder.keys).crl.name}",
    )


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object that another process wrote, None while it is not there."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
