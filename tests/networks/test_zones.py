"""Detection follows the traffic over edge boundaries and counts nothing twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.networks.model import DetectorKind, Lane, LaneGroup, Turn
from denxanh.networks.sumonet import Net, read_net
from denxanh.networks.zones import (
    DOWNSTREAM_REACH_M,
    ZONE_REACH_M,
    approach_zone,
    lay_out,
    receiving_zone,
    storage_pcu,
)

NetBuilder = Callable[..., Path]
J, K = 'tl="J" linkIndex="0"', 'tl="K" linkIndex="0"'
"""Extra attributes of a connection under the signal in question, and under another."""


def street(*edges: tuple[str, float, int], links: list[tuple[str, int, str, int, str]]) -> str:
    """A net of straight edges; links are (from, lane, to, lane, extra attributes)."""
    lines = ['<net version="1.20">']
    for edge, length, lanes in edges:
        lines.append(f'<edge id="{edge}" from="a" to="b">')
        lines += [
            f'<lane id="{edge}_{i}" index="{i}" speed="13.9" length="{length}" shape="0,{i} {length},{i}"/>'
            for i in range(lanes)
        ]
        lines.append("</edge>")
    lines += [
        f'<connection from="{a}" to="{b}" fromLane="{i}" toLane="{j}" dir="s" state="M" {extra}/>'
        for a, i, b, j, extra in links
    ]
    return "\n".join([*lines, "</net>"])


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Net]:
    def parse(document: str) -> Net:
        path = tmp_path / "made.net.xml"
        path.write_text(document)
        return read_net(path)

    return parse


def test_a_short_lane_is_watched_far_upstream(read: Callable[[str], Net]) -> None:
    """The streets of imported nets are cut into short edges: the zone goes on until 150 m are covered."""
    net = read(
        street(
            ("far", 500, 1),
            ("mid", 40, 1),
            ("end", 15, 1),
            ("out", 30, 1),
            links=[("far", 0, "mid", 0, ""), ("mid", 0, "end", 0, ""), ("end", 0, "out", 0, J)],
        )
    )
    zone = approach_zone(net, "end_0")
    assert [(piece.lane, piece.begin_m, piece.end_m) for piece in zone] == [
        ("end_0", 0, 15),
        ("mid_0", 0, 40),
        ("far_0", 405, 500),
    ]
    assert storage_pcu(zone) == ZONE_REACH_M / 7.5


def test_another_signal_ends_the_zone(read: Callable[[str], Net]) -> None:
    net = read(
        street(
            ("far", 500, 1),
            ("end", 15, 1),
            ("out", 30, 1),
            links=[("far", 0, "end", 0, K), ("end", 0, "out", 0, J)],
        )
    )
    assert [piece.lane for piece in approach_zone(net, "end_0")] == ["end_0"]
    assert storage_pcu(approach_zone(net, "end_0")) == 2.0


def test_a_lane_that_feeds_three_zones_is_shared_among_them(read: Callable[[str], Net]) -> None:
    net = read(
        street(("far", 500, 1), ("end", 50, 3), links=[("far", 0, "end", lane, "") for lane in range(3)])
    )
    pieces = [approach_zone(net, f"end_{lane}")[1] for lane in range(3)]
    assert {piece.lane for piece in pieces} == {"far_0"}
    assert sum(piece.share for piece in pieces) == pytest.approx(1, abs=0.01)


def test_a_pocket_without_a_feeder_shares_its_neighbours(read: Callable[[str], Net]) -> None:
    """Turn pockets are filled by lane changes; no connection leads into them."""
    net = read(
        street(
            ("far", 500, 1),
            ("end", 50, 2),
            ("out", 30, 1),
            links=[("far", 0, "end", 0, ""), ("end", 0, "out", 0, ""), ("end", 1, "out", 0, "")],
        )
    )
    through, pocket = approach_zone(net, "end_0"), approach_zone(net, "end_1")
    assert [(piece.lane, piece.share) for piece in through] == [("end_0", 1), ("far_0", 0.5)]
    assert [(piece.lane, piece.share) for piece in pocket] == [("end_1", 1), ("far_0", 0.5)]


def test_a_ring_of_short_edges_ends(read: Callable[[str], Net]) -> None:
    net = read(street(("a", 1, 1), ("b", 1, 1), links=[("a", 0, "b", 0, ""), ("b", 0, "a", 0, "")]))
    assert {piece.lane for piece in approach_zone(net, "a_0")} == {"a_0", "b_0"}


def test_loops_lie_before_the_line_and_upstream_of_lanes_too_short_for_them(
    read: Callable[[str], Net],
) -> None:
    net = read(
        street(
            ("far", 500, 1),
            ("end", 0.5, 1),
            ("out", 30, 1),
            links=[("far", 0, "end", 0, ""), ("end", 0, "out", 0, J)],
        )
    )
    lane = Lane("end_0", "end", 0.5, (LaneGroup(0, 1.0, (Turn.STRAIGHT,)),), ("out_0",), 20)
    stop, advance, zone, downstream, button = lay_out(net, [lane], [("P1", 1)])
    assert [one.kind for one in (stop, advance, zone, downstream, button)] == [
        DetectorKind.STOP_LINE,
        DetectorKind.ADVANCE,
        DetectorKind.ZONE,
        DetectorKind.ZONE,
        DetectorKind.BUTTON,
    ]
    (loop,) = stop.segments
    assert (loop.lane, loop.begin_m, loop.end_m) == ("far_0", 497.5, 499.5)
    assert advance.segments[0].lane == "far_0"
    assert downstream.downstream
    assert downstream.groups == ()
    assert (button.lane, button.groups) == (-1, (1,))


@pytest.mark.parametrize("left_hand", [(), ("--lefthand",)])
def test_on_real_nets_pieces_lie_on_their_lanes_and_no_traffic_counts_twice(
    netgenerate: NetBuilder, left_hand: tuple[str, ...]
) -> None:
    net = read_net(netgenerate("--spider", "--spider.omit-center", "--turn-lanes", "1", *left_hand))
    shares: dict[str, float] = {}
    signals = {connection.from_lane for connection in net.connections if connection.tls}
    for lane in signals:
        zone = approach_zone(net, lane)
        assert sum(piece.end_m - piece.begin_m for piece in zone) > 0
        for piece in zone:
            assert 0 <= piece.begin_m < piece.end_m <= net.lanes[piece.lane].length_m + 0.01
            assert 0 < piece.share <= 1
            assert piece.lane == lane or piece.lane not in signals
            shares[piece.lane] = shares.get(piece.lane, 0) + piece.share
    assert all(share <= 1.02 for share in shares.values())


def test_receiving_zones_stop_at_the_next_signal(read: Callable[[str], Net]) -> None:
    net = read(
        street(
            ("out", 20, 1),
            ("on", 10, 1),
            ("next", 500, 1),
            links=[("out", 0, "on", 0, ""), ("on", 0, "next", 0, K)],
        )
    )
    assert [piece.lane for piece in receiving_zone(net, ["out_0"])] == ["out_0", "on_0"]
    long = receiving_zone(net, ["next_0"])
    assert [(piece.begin_m, piece.end_m) for piece in long] == [(0, DOWNSTREAM_REACH_M)]
