"""SITE.toml: every defect in one run, each with file and field."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from denxanh.controller.console_site import Console, ConsoleTable
from denxanh.controller.site import CabinetEntry, Endpoint, load, write_site
from denxanh.controller.vds.arrival import Source
from denxanh.errors import SiteError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind

CORRIDOR = crossroads_corridor(2)
PROFILE = (files("denxanh.plc") / "profiles" / "denxanh.toml").read_text(encoding="utf-8")
FIRST, SECOND = (one.id for one in CORRIDOR.intersections)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    compiled.dump(CORRIDOR, tmp_path / "compiled.json")
    return tmp_path


def _write(folder: Path, text: str) -> Path:
    path = folder / "SITE.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _site(folder: Path, cabinets: str, extra: str = "") -> Path:
    return _write(folder, f'[site]\ncorridor = "compiled.json"\nstate_dir = "state"\n{extra}\n{cabinets}')


def _cabinet(intersection: str = FIRST, **values: object) -> str:
    fields = {"intersection": intersection, "host": "10.0.0.1", **values}
    lines = [
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        for key, value in fields.items()
    ]
    return "[[cabinet]]\n" + "\n".join(lines) + "\n"


def _defects(path: Path) -> list[str]:
    with pytest.raises(SiteError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return [str(defect).removeprefix(f"{path}: ") for defect in caught.value.defects]


def test_the_smallest_site(folder: Path) -> None:
    site = load(_site(folder, _cabinet()))
    assert site.corridor == CORRIDOR
    assert [one.id for one in site.intersections] == [FIRST]
    assert site.state_dir == folder / "state"
    assert site.epoch_file == folder / "state" / "epoch"
    entry = site.cabinets[0]
    assert (entry.protocol, entry.port, entry.unit, entry.watchdog_s) == ("modbus", 502, 1, 10)
    assert (site.console, site.clock, site.vds_sources) == (None, None, ())


SIMULATED = replace(CORRIDOR, simulation_only=("signal A: first reason", "signal B: second reason"))


def test_a_corridor_for_simulation_only_is_refused_on_a_street(tmp_path: Path) -> None:
    compiled.dump(SIMULATED, tmp_path / "compiled.json")
    defects = _defects(_site(tmp_path, _cabinet()))
    assert len(defects) == 2
    for defect, reason in zip(defects, SIMULATED.simulation_only, strict=True):
        assert defect.startswith(f"site.corridor: example is for simulation only: {reason}")


def test_a_simulated_street_may_run_it(tmp_path: Path) -> None:
    compiled.dump(SIMULATED, tmp_path / "compiled.json")
    site = load(_site(tmp_path, _cabinet(), "[clock]\nport = 4711"))
    assert site.corridor.simulation_only == SIMULATED.simulation_only


def test_commitment_can_be_replaced(folder: Path) -> None:
    site = load(_site(folder, _cabinet(commitment_s=5) + _cabinet(SECOND, host="10.0.0.2")))
    assert [one.commitment_s for one in site.intersections] == [5, 8]


def test_what_is_written_is_read_back(folder: Path) -> None:
    cabinets = (
        CabinetEntry(intersection=FIRST, host="127.0.0.1", port=15_020, profile="hồ sơ.toml"),
        CabinetEntry(
            intersection=SECOND, host="127.0.0.1", port=15_021, unit=7, commitment_s=0, watchdog_s=20
        ),
    )
    (folder / "hồ sơ.toml").write_text(PROFILE, encoding="utf-8")
    path = folder / "site file.toml"
    write_site(
        path,
        corridor="compiled.json",
        state_dir="trạng thái",
        policy="fixed",
        cabinets=cabinets,
        console=ConsoleTable(port=8080),
        clock=Endpoint(host="127.0.0.1", port=4711),
        epoch_file="kỳ",
    )
    site = load(path)
    own = cabinets[0].model_copy(update={"profile": str(folder / "hồ sơ.toml")})
    assert site.cabinets == (own, cabinets[1])
    assert (site.policy, site.epoch_file) == ("fixed", folder / "kỳ")
    assert site.state_dir == folder / "trạng thái"
    assert (site.console, site.clock) == (Console("127.0.0.1", 8080), Endpoint(host="127.0.0.1", port=4711))


VDS = f'''[vds_http]
port = 8430
[[vds]]
id = "cam-1"
intersection = "{FIRST}"
token_file = "keys/cam-1.token"
'''


def test_a_vds_source_feeds_all_zones_or_those_that_it_names(folder: Path) -> None:
    site = load(_site(folder, _cabinet() + VDS))
    zones = [one.id for one in CORRIDOR.intersection(FIRST).detectors if one.kind is DetectorKind.ZONE]
    assert site.vds_sources == (Source("cam-1", FIRST, tuple(zones), 2.0),)
    assert site.vds.vds[0].token_file == str(folder / "keys" / "cam-1.token")
    named = VDS + f'zones = ["{zones[1]}"]\nmax_skew_s = 120\n'
    assert load(_site(folder, _cabinet() + named)).vds_sources == (
        Source("cam-1", FIRST, (zones[1],), 120.0),
    )


def test_defects_of_vds(folder: Path) -> None:
    second = VDS.split("[[vds]]")[1]
    double = VDS + "[[vds]]" + second
    assert _defects(_site(folder, _cabinet() + double))[0] == "vds: 'cam-1' stands 2 times"
    other = VDS.replace(FIRST, "nowhere")
    assert _defects(_site(folder, _cabinet() + other)) == [
        "vds[0].intersection: this site drives no intersection 'nowhere'"
    ]
    bare = f'[[vds]]\nid = "cam-1"\nintersection = "{FIRST}"\n'
    assert _defects(_site(folder, _cabinet() + bare)) == [
        "vds_http: a source pushes by HTTP and nobody listens (add [vds_http])",
        "vds[0].token_file: a source that pushes by HTTP needs a token (denxanh vds token FILE makes one)",
    ]
    assert _defects(_site(folder, _cabinet() + bare + 'by = "mqtt"\n')) == [
        "vds_mqtt: a source publishes by MQTT and no broker is named (add [vds_mqtt])"
    ]
    (wrong,) = _defects(_site(folder, _cabinet() + VDS + 'zones = ["moon"]\n'))
    assert wrong.startswith(f"vds[0].zones: {FIRST} has no zone 'moon' (one of ")


def test_every_defect_at_once(folder: Path) -> None:
    path = _write(
        folder,
        '[site]\ncorridor = "compiled.json"\nstate_dir = ""\ncolour = "red"\n[console]\nport = 70000\n'
        + _cabinet(port=0, unit=256, watchdog_s=1)
        + _cabinet(SECOND, protocol="carrier pigeon", commitment_s=-1)
        + '[[cabinet]]\nport = "502"\n',
    )
    fields = [defect.split(":")[0] for defect in _defects(path)]
    assert sorted(fields) == sorted(
        [
            "site.state_dir",
            "site.colour",
            "console.port",
            "cabinet[0].port",
            "cabinet[0].unit",
            "cabinet[0].watchdog_s",
            "cabinet[1].protocol",
            "cabinet[1].commitment_s",
            "cabinet[2].intersection",
            "cabinet[2].host",
            "cabinet[2].port",
        ]
    )


def test_cabinets_that_contradict_each_other(folder: Path) -> None:
    cabinets = _cabinet() + _cabinet(port=503) + _cabinet("nowhere") + _cabinet(SECOND, host="10.0.0.1")
    assert _defects(_site(folder, cabinets)) == [
        f"cabinet: intersection {FIRST!r} has 2 cabinets",
        "cabinet: 3 entries for 10.0.0.1:502 unit 1",
        f"cabinet[2].intersection: no intersection 'nowhere' in example (one of {FIRST}, {SECOND})",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "site: field required"),
        ("[site", "not TOML"),
        ('[site]\ncorridor = "x"\nstate_dir = "s"\n', "cabinet: field required"),
        ('cabinet = []\n[site]\ncorridor = "x"\nstate_dir = "s"\n', "cabinet: "),
        ('cabinet = 7\n[site]\ncorridor = "x"\nstate_dir = "s"\n', "cabinet: "),
        ("speed = 3\n", "speed: unknown key"),
    ],
)
def test_files_that_are_no_sites(folder: Path, text: str, message: str) -> None:
    path = _write(folder, text)
    with pytest.raises(SiteError) as caught:
        load(path)
    assert message in str(caught.value)


def test_not_text_and_not_there(folder: Path) -> None:
    path = folder / "SITE.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SiteError, match="not TOML"):
        load(path)
    with pytest.raises(SiteError, match="cannot be read"):
        load(folder / "nowhere.toml")


@pytest.mark.parametrize("corridor", ["no-such-corridor", "nowhere.json", "SITE.toml.json"])
def test_a_corridor_that_is_not_there(folder: Path, corridor: str) -> None:
    (folder / "SITE.toml.json").write_text("{}")
    path = _write(folder, f'[site]\ncorridor = "{corridor}"\nstate_dir = "s"\n' + _cabinet())
    assert _defects(path)[0].startswith("site.corridor: ")


def test_what_cannot_run_is_said_at_once(folder: Path) -> None:
    path = _site(
        folder, _cabinet(profile="nowhere") + _cabinet(SECOND, host="10.0.0.2"), 'policy = "wishful"'
    )
    policy, profile = _defects(path)
    assert policy.startswith("site.policy: unknown policy 'wishful' (one of fixed")
    assert profile.startswith("cabinet[0].profile: nowhere: the profile cannot be read")


def test_timings_that_the_guard_cannot_hold(folder: Path) -> None:
    first = CORRIDOR.intersections[0]
    short = tuple(replace(group, max_green_s=9) for group in first.groups)
    spoilt = replace(CORRIDOR, intersections=(replace(first, groups=short),))
    compiled.dump(spoilt, folder / "compiled.json")
    assert _defects(_site(folder, _cabinet()))[0].startswith("cabinet[0].intersection: intersection X1: ")


REQUESTS = """
[priority]
emergency = true
[flood]
on = true
policy = "max-pressure"
gauge = [{ id = "g1", links = ["north_in"], hold_cm = 10, close_cm = 25 }]
[[source]]
id = "115"
key_file = "keys/115.key"
may = ["emergency", "flood"]
[[route]]
id = "r"
step = [{ intersection = "FIRST", approach = "north_in", travel_s = 0 }]
"""


def test_requests_are_off_until_a_source_is_named(folder: Path) -> None:
    assert load(_site(folder, _cabinet())).requests is None
    approach = CORRIDOR.intersections[0].lanes[0].approach
    text = REQUESTS.replace("FIRST", FIRST).replace("north_in", approach)
    site = load(_site(folder, _cabinet() + text))
    assert site.requests is not None
    assert (site.requests.emergency, site.requests.bus, site.requests.flood) == (True, False, True)
    assert site.requests.routes[0].steps[0].stage == 2
    assert dict(site.key_files) == {"115": folder / "keys" / "115.key"}


def test_every_defect_of_the_requests_is_named(folder: Path) -> None:
    text = REQUESTS.replace("FIRST", "nowhere") + REQUESTS[REQUESTS.index("[[source]]") :].replace(
        "FIRST", FIRST
    )
    text = text.replace("max-pressure", "universal").replace("close_cm = 25", "close_cm = 5")
    with pytest.raises(SiteError) as caught:
        load(_site(folder, _cabinet() + text.replace("north_in", "no_street")))
    said = str(caught.value)
    for words in (
        "source: '115' stands 2 times",
        "route: 'r' stands 2 times",
        "route[0].step[0]: this site drives no intersection 'nowhere'",
        "route[1].step[0]: no stage of",
        "flood.gauge[0].links: ",
        "close_cm must not be below hold_cm",
        "flood.policy: no learned policy has seen a flood",
    ):
        assert words in said, said
