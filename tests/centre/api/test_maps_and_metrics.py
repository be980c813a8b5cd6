"""Congestion for maps and figures for Prometheus, asked of a running centre."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from denxanh.controller.centre.store.schema import alarms, feed_positions, minutes
from denxanh.controller.clock import VIETNAM
from denxanh.controller.operator.message import Role
from denxanh.controller.priority.wishes import Wishes
from denxanh.controller.tally import RunSummary

PROMTOOL = shutil.which("promtool")


def told(town: Any) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by name and labels."""
    answer = town.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def document(town: Any, query: str = "") -> dict[str, Any]:
    answer = town.ask("GET", f"congestion.geojson{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    schema = files("denxanh.controller.centre").joinpath("schemas/congestion-v1.schema.json").read_text()
    found: dict[str, Any] = answer.json()
    jsonschema.Draft202012Validator(json.loads(schema)).validate(found)
    return found


def test_what_is_not_known_is_unknown(town: Any, place: str) -> None:
    features = document(town)["features"]
    approaches = {lane.approach for one in town.street.corridor.intersections for lane in one.lanes}
    assert len(features) == len(approaches)
    assert {one["properties"]["level"] for one in features} == {"unknown"}
    assert all(one["geometry"] is None for one in features), "the example's place on earth is not known"


def test_full_lanes_are_congested_and_closed_ones_are_told(town: Any, place: str) -> None:
    one = town.street.corridor.intersection(place)
    now_ms = round(town.app.state.centre.clock(place).astimezone(VIETNAM).timestamp() * 1000)
    until = now_ms - now_ms % 60_000
    rows = [
        {
            "intersection": place,
            "minute_ms": until - ago * 60_000,
            "lane": lane,
            "seconds": 60,
            "queued_mean": one.lanes[lane].storage_pcu * 0.6,
            "queued_max": 1.0,
            "moving_mean": 0.0,
            "confidence_min": 0.9,
        }
        for ago in range(1, 6)
        for lane in range(len(one.lanes))
    ]
    with town.store.writing() as connection:
        connection.execute(insert(minutes), rows)
    heard = town.street._heard
    edge = one.lanes[0].approach
    wishes = Wishes(closed=(edge, "elsewhere"), why="gauge G1 45 cm")

    def flooded(name: str) -> Any:
        from dataclasses import replace

        return replace(heard(name), wishes=wishes if name == place else None)

    town.street._heard = flooded
    town.street.second()
    town.until(lambda: any(f["properties"]["kind"] == "closure" for f in document(town)["features"]))
    town.street._heard = heard
    features = document(town)["features"]
    levels = {
        f["properties"]["level"]
        for f in features
        if f["properties"]["intersection"] == place and "level" in f["properties"]
    }
    assert levels == {"congested"}
    (closure,) = [f for f in features if f["properties"]["kind"] == "closure"]
    assert closure["properties"]["approach"] == edge
    assert closure["properties"]["why"] == "gauge G1 45 cm"
    assert closure["properties"]["diversion_vi"] is None, "nobody has decided one"


def test_a_ward_that_nobody_knows_is_not_found(town: Any, place: str) -> None:
    answer = town.ask("GET", "congestion.geojson?ward=Ph%C6%B0%E1%BB%9Dng%20X")
    assert answer.status_code == 404
    assert "Phường X" in json.dumps(answer.json(), ensure_ascii=False)


def test_figures_of_a_running_centre(town: Any, place: str) -> None:
    found = told(town)
    assert found["denxanh_controller_up"] == {(): 1.0}
    modes = {
        dict(labels)["mode"]: value
        for labels, value in found["denxanh_intersection_mode"].items()
        if dict(labels)["intersection"] == place
    }
    assert modes == {"ADAPTIVE": 1.0, "PLAN": 0.0, "MANUAL": 0.0, "PREEMPT": 0.0, "LOCAL": 0.0, "FLASH": 0.0}
    assert found["denxanh_intersection_link_up"][(("intersection", place),)] == 1.0
    assert found["denxanh_store_up"] == {(): 1.0}
    assert found["denxanh_junctions_registered"] == {(("its_phase", "unknown"),): 2.0}
    assert "denxanh_controller_ticks_total" not in found, "the controller has left no summary"


def test_alarms_feeds_and_the_controllers_own_counters(town: Any, place: str) -> None:
    alarm = {"intersection": place, "cause": 'door "x"\n\\', "text_vi": "…", "text_en": "…", "raised_ms": 1}
    feed = {
        "feed": "ioc",
        "position": "7",
        "sent": 41,
        "updated_ms": 5000,
        "trouble": "away",
        "trouble_ms": 1,
    }
    with town.store.writing() as connection:
        connection.execute(insert(alarms), [{**alarm, "cleared_ms": None}, {**alarm, "cleared_ms": 2}])
        connection.execute(insert(feed_positions), feed)
    RunSummary(ticks=84, missed_ticks=2, max_lateness_s=0.25).write(town.street.journal.parent)
    found = told(town)
    assert found["denxanh_alarms_standing"][(("cause", 'door "x"\n\\'), ("intersection", place))] == 1.0
    assert found["denxanh_feed_messages_sent_total"] == {(("feed", "ioc"),): 41.0}
    assert found["denxanh_feed_trouble"] == {(("feed", "ioc"),): 1.0}
    assert found["denxanh_feed_last_sign_timestamp_seconds"] == {(("feed", "ioc"),): 5.0}
    assert found["denxanh_controller_ticks_total"] == {(): 84.0}
    assert found["denxanh_controller_missed_ticks_total"] == {(): 2.0}
    assert found["denxanh_controller_max_lateness_seconds"] == {(): 0.25}
    summary = town.street.journal.parent / "controller-summary.json"
    for broken in ("", "[", "[1]", '{"ticks": "many", "max_lateness_s": null}', "\0"):
        summary.write_text(broken, encoding="utf-8")
        assert "denxanh_controller_ticks_total" not in told(town)
    summary.unlink()


def test_strangers_get_no_figures(town: Any) -> None:
    assert town.ask("GET", "/metrics", None).status_code == 401
    assert town.ask("GET", "/metrics", Role.VIEWER).status_code == 200


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
def test_promtool_finds_nothing_to_lint(town: Any, place: str) -> None:
    assert PROMTOOL is not None
    text = town.ask("GET", "/metrics").text
    found = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
