"""Reading nets: what is in them comes out, and a broken file ends in one clear error."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import NetworkError
from denxanh.networks.foreign import from_net
from denxanh.networks.links import movements, request_of
from denxanh.networks.sumonet import read_net, read_programmes

NetBuilder = Callable[..., Path]
CROSSINGS = ("--grid", "--grid.number", "2", "--grid.length", "80", "--grid.attach-length", "60", "-L", "2",
             "--sidewalks.guess", "--crossings.guess")  # fmt: skip

TINY = """<net version="1.20" lefthand="1">
 <edge id=":J_0" function="internal"><lane id=":J_0_0" index="0" speed="8" length="9" shape="0,0 9,0"/></edge>
 <edge id="in" from="A" to="J" name="Trần Hưng Đạo"><lane id="in_0" index="0" disallow="bicycle tram"
  speed="13.9" length="100" shape="-100,0,3.5 0,0,3.5"/></edge>
 <edge id="out" from="J" to="B"><lane id="out_0" index="0" allow="bus" speed="13.9" length="50" width="2.5"
  shape="9,0 59,0"/></edge>
 <tlLogic id="J" type="static" programID="0" offset="7"><phase duration="30" state="G"/>
  <phase duration="5" state="r"/></tlLogic>
 <junction id="J" type="traffic_light" x="0" y="0" incLanes="in_0" intLanes=":J_0_0" shape="">
  <request index="0" response="0" foes="0" cont="0"/></junction>
 <connection from="in" to="out" fromLane="0" toLane="0" via=":J_0_0" tl="J" linkIndex="0" dir="s" state="O"/>
 <connection from=":J_0" to="out" fromLane="0" toLane="0" dir="s" state="M"/>
</net>"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.net.xml"
    path.write_text(TINY, encoding="utf-8")
    return path


def test_everything_written_is_read(tiny: Path) -> None:
    net = read_net(tiny)
    lane = net.lanes["in_0"]
    assert net.left_hand
    assert (lane.length_m, lane.width_m, lane.shape) == (100, 3.2, ((-100, 0), (0, 0)))
    assert lane.barred == {"bicycle"}
    assert net.lanes["out_0"].barred == {"bicycle", "motorcycle", "passenger"}
    assert net.street_names == {"in": "Trần Hưng Đạo"}
    assert net.edge_ends["in"] == ("A", "J")
    (programme,) = net.programmes["J"]
    assert (programme.offset_s, [phase.state for phase in programme.phases]) == (7, ["G", "r"])
    (movement,) = movements(net, "J")
    assert (movement.path, movement.request, movement.junction) == ((":J_0_0",), 0, "J")


def test_a_packed_net_reads_the_same(tiny: Path, tmp_path: Path) -> None:
    packed = tmp_path / "tiny.net.xml.gz"
    packed.write_bytes(gzip.compress(tiny.read_bytes()))
    assert read_net(packed).lanes == read_net(tiny).lanes


def test_rows_of_the_request_matrix_belong_to_their_links(netgenerate: NetBuilder) -> None:
    """SUMO numbers rows, internal lanes and, with its default layout, link indices in the same order."""
    net = read_net(netgenerate(*CROSSINGS))
    checked = 0
    for tls in net.programmes:
        for movement in movements(net, tls):
            junction = net.junctions[movement.junction]
            assert junction.internal_lanes[movement.request] in movement.path
            assert request_of(net, movement) is junction.requests[movement.request]
            assert movement.request == movement.link
            checked += movement.crossing
    assert checked, "the net has crossings"


def test_foes_agree_with_a_net_without_internal_lanes(netgenerate: NetBuilder) -> None:
    grid = ("--grid", "--grid.number", "3", "--grid.length", "100", "-L", "2")
    rows = [
        [
            (movement.link, request_of(net, movement))
            for tls in sorted(net.programmes)
            for movement in movements(net, tls)
        ]
        for net in (read_net(netgenerate(*grid)), read_net(netgenerate(*grid, "--no-internal-links")))
    ]
    assert [link for link, _ in rows[0]] == [link for link, _ in rows[1]]
    assert [row.foes for _, row in rows[0] if row] == [row.foes for _, row in rows[1] if row]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('length="100"', 'length="far"'),
        ('length="100"', 'length="-3"'),
        ('length="100"', 'length="nan"'),
        ('length="100"', ""),
        ('shape="0,0 9,0"', 'shape="0 9"'),
        ('foes="0"', 'foes="2"'),
        ('<request index="0"', '<request index="1"'),
        ('via=":J_0_0"', 'via=":K_0_0"'),
        ('from="in"', 'from="gone"'),
        ('toLane="0" via', 'toLane="7" via'),
        ('linkIndex="0"', 'linkIndex="99999999"'),
        ('linkIndex="0"', 'linkIndex="3"'),
        ('state="r"', 'state="rr"'),
        ('duration="5"', 'duration="-5"'),
        ('offset="7"', 'offset="1e400"'),
        ("</net>", ""),
        ("<net version", "<nets version"),
    ],
)
def test_a_broken_net_is_one_error_that_names_the_file(tiny: Path, old: str, new: str) -> None:
    assert TINY.count(old) >= 1
    tiny.write_text(TINY.replace(old, new, 1).replace("</nets>", "</net>"), encoding="utf-8")
    with pytest.raises(NetworkError, match=r"tiny\.net\.xml"):
        from_net(tiny)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", b"\x1f\x8b\x08broken", b"<configuration/>", b"\xff\xfe<net", b"<net>&lol;</net>"],
)
def test_what_is_no_net_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "streets.net.xml"
    path.write_bytes(content)
    with pytest.raises(NetworkError, match=r"streets\.net\.xml"):
        from_net(path)


def test_a_missing_net_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.net.xml", tmp_path):
        with pytest.raises(NetworkError):
            read_net(path)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_gets_past_the_reader_unnoticed_or_as_another_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut, overwritten or doubled bytes: either still a net, or a `NetworkError`."""
    raw = TINY.encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 40)))
    middle = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"0", b"-1", b"9" * 30, b'"', b"<", raw[start:end] * 2])
    )
    path = tmp_path_factory.mktemp("damaged") / "streets.net.xml"
    path.write_bytes(raw[:start] + middle + raw[end:])
    try:
        corridor = from_net(path)
    except NetworkError:
        return
    assert corridor.intersections == ()


def test_additional_files_give_programmes_only(tmp_path: Path) -> None:
    path = tmp_path / "more.add.xml"
    path.write_text(
        '<additional><tlLogic id="J" programID="2" offset="begin"><phase duration="9" state="Gr"/>'
        '</tlLogic><tlLogic id="K" programID="0" offset="4"/></additional>'
    )
    (programme,) = read_programmes(path)
    assert (programme.tls, programme.id, programme.offset_s) == ("J", "2", 0)
