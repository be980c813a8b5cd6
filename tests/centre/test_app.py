"""The page's HTTP face, over a real socket."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from denxanh.controller.centre.drawing import drawing
from denxanh.controller.centre.server import bind
from denxanh.controller.record import LaneView
from denxanh.errors import ConfigError, PortInUseError
from denxanh.networks import catalogue
from denxanh.networks.model import GroupKind


def get(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def state(address: str) -> Any:
    return json.loads(get(address, "/api/v1/state")[2])


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.05)


class Stream:
    """An open event stream."""

    def __init__(self, address: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
        self._connection.request("GET", "/api/v1/stream", headers=headers)
        self.answer = self._connection.getresponse()

    def snapshots(self) -> Iterator[tuple[str, Any]]:
        """(id, data) of each event."""
        identity = ""
        for raw in self.answer:
            field, _, value = raw.decode().strip().partition(": ")
            if field == "id":
                identity = value
            elif field == "data":
                yield identity, json.loads(value)

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


def test_what_a_page_links_to_is_served(address: str, scribe: Any) -> None:
    asked = {"/", "/intersections", "/corridor"}
    status, _, body = get(address, f"/intersections/{scribe.intersection.id}")
    assert status == 200
    linked = {link.partition("#")[0] for link in re.findall(r'(?:src|href)="(/static[^"]+)"', body.decode())}
    modules = {link for link in linked if link.endswith(".js")}
    assert len(linked) > 5
    while modules:
        module = modules.pop()
        asked.add(module)
        text = get(address, module)[2].decode()
        modules |= {f"/static/js/{name}" for name in re.findall(r'from "\./([\w.]+)"', text)} - asked
    for path in asked | linked:
        assert get(address, path)[0] == 200, path
    assert get(address, "/static/../app.py")[0] == 404


def test_what_the_lamps_showed_lately_comes_second_by_second(address: str, scribe: Any) -> None:
    place = scribe.intersection.id
    assert json.loads(get(address, f"/api/v1/intersections/{place}/recent")[2]) == {"tick": None, "runs": []}
    scribe.write(*(scribe.tick(number) for number in (1, 2, 3)))
    scribe.write(scribe.tick(4, commitment=scribe.promise(8, 1)), scribe.tick(5, in_interstage=True))
    until(lambda: state(address)["tick"] == 5)
    recent = json.loads(get(address, f"/api/v1/intersections/{place}/recent")[2])
    aspects = scribe.output().aspects
    assert recent["tick"] == 5
    assert recent["runs"] == [
        [3, aspects, 0, False, False],
        [1, aspects, 0, False, True],
        [1, aspects, 0, True, False],
    ]
    assert get(address, "/api/v1/intersections/nix/recent")[0] == 404


def test_what_approached_lately_is_added_up_over_the_lanes_asked_for(address: str, scribe: Any) -> None:
    path = f"/api/v1/intersections/{scribe.intersection.id}/arrivals"
    assert json.loads(get(address, f"{path}?lane=0")[2]) == {"tick": None, "pcu": []}
    lanes = tuple(LaneView(0.0, float(index), 0.9) for index in range(len(scribe.intersection.lanes)))
    scribe.write(scribe.tick(1), scribe.tick(2, lanes=lanes))
    until(lambda: state(address)["tick"] == 2)
    assert json.loads(get(address, f"{path}?lane=1&lane=2&lane=200")[2]) == {"tick": 2, "pcu": [2.0, 3.0]}
    assert get(address, path)[0] == 422


def test_state_follows_the_journal(address: str, scribe: Any) -> None:
    assert state(address)["feed"] == "waiting"
    assert json.loads(get(address, "/healthz")[2]) == {"status": "ok", "feed": "waiting", "age_s": None}
    scribe.write(scribe.opened(), scribe.tick(1))
    until(lambda: state(address)["tick"] == 1)
    scribe.raw("nonsense\n" + json.dumps(scribe.tick(2))[:40])
    scribe.path.rename(scribe.path.with_name("journal-000001.jsonl"))
    scribe.write({"k": "part", "part": 2}, scribe.tick(3))
    until(lambda: state(address)["tick"] == 3)
    assert state(address)["feed"] == "live"
    assert state(address)["counters"]["skipped"] == 2


def test_stream_brings_each_event_once_also_after_a_reconnect(address: str, scribe: Any) -> None:
    scribe.write(scribe.tick(1, events=(scribe.mode_event(),)))
    until(lambda: state(address)["last_event"] == 1)
    stream = Stream(address)
    assert stream.answer.headers["content-type"].startswith("text/event-stream")
    snapshots = stream.snapshots()
    identity, first = next(snapshots)
    assert (identity, [event["seq"] for event in first["events"]]) == ("1", [1])
    assert next(snapshots)[1]["events"] == []
    scribe.write(scribe.tick(2, events=(scribe.mode_event(),)))
    seen = next(data for _, data in snapshots if data["events"])
    assert [event["seq"] for event in seen["events"]] == [2]
    stream.close()
    again = Stream(address, **{"Last-Event-ID": "1"})
    assert [event["seq"] for event in next(again.snapshots())[1]["events"]] == [2]
    again.close()


def test_corridor_is_drawn_with_its_stop_lines(address: str, scribe: Any) -> None:
    plan = json.loads(get(address, "/api/v1/corridor")[2])
    wide, high = plan["size"]
    assert len(plan["intersections"]) == len(scribe.corridor.intersections)
    for item, intersection in zip(plan["intersections"], scribe.corridor.intersections, strict=True):
        assert len(item["lanes"]) == len(intersection.lanes)
        for lane in item["lanes"]:
            assert all(0 <= x <= wide and 0 <= y <= high for x, y in lane["points"])
            near = min(
                lane["points"],
                key=lambda point: abs(point[0] - item["at"][0]) + abs(point[1] - item["at"][1]),
            )
            assert near == lane["points"][0], "a queue is drawn from the stop line upstream"


@pytest.mark.parametrize("name", catalogue.names())
def test_catalogue_is_drawn_completely(name: str) -> None:
    corridor = catalogue.corridor(name)
    plan = drawing(corridor)
    for item, intersection in zip(plan["intersections"], corridor.intersections, strict=True):
        assert len(item["lanes"]) == len(intersection.lanes)
        walking = {n for n, group in enumerate(intersection.groups) if group.kind is GroupKind.PEDESTRIAN}
        assert {crossing["group"] for crossing in item["crossings"]} == walking
        assert all(stage["vi"] and stage["en"] for stage in item["stages"])


@pytest.mark.parametrize("path", ["/api/v1/state", "/", "/api/v1/stream"])
def test_foreign_host_names_are_refused(address: str, path: str) -> None:
    assert get(address, path, Host="evil.example")[0] == 400


def test_taken_port_is_one_clear_error() -> None:
    taken = bind("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with pytest.raises(PortInUseError, match=f"127.0.0.1:{port}.*taken.*--port"):
        bind("127.0.0.1", port)
    taken.close()
    with pytest.raises(ConfigError):
        bind("198.51.100.1", 0)
