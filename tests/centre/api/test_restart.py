"""A centre that was killed takes open commands up again; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from denxanh.controller.centre.app import create_app
from denxanh.controller.centre.people.people import gather
from denxanh.controller.centre.store import ledger
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.mode import Mode
from denxanh.networks.example import crossroads_corridor

HOST = "http://127.0.0.1"


def test_an_open_command_is_watched_by_the_next_centre(
    tmp_path: Path, store_url: str, founded: Callable[..., Any]
) -> None:
    corridor = crossroads_corridor(1)
    place = corridor.intersections[0].id
    town = founded(tmp_path, corridor, store_url)
    town.street.obedient = False
    town.app.state.centre.commands._answer_s = 0.3
    with TestClient(town.app, base_url=HOST) as town.client:
        town.street.second()
        assert town.order(f"intersections/{place}/hold", "open-1", stage=2, for_s=600).status_code == 202
    town.store.close()  # nothing of this process is left

    town.store = open_store(store_url)
    town.people = gather(town.store, hasher=town.people.hasher)
    town.app = create_app(
        corridor,
        town.street.journal,
        store=town.store,
        people=town.people,
        line=town.street,
        period_s=0.1,
    )
    given = len(town.street.given)
    with TestClient(town.app, base_url=HOST) as town.client:
        town.until(lambda: town.get("commands/open-1")["state"] == "waiting")
        town.street.change(place, {"stage": 2, "stage_next": 2}, stage=2)
        town.street.change(place, mode=Mode.MANUAL, cause="operator-hold")
        town.street.second()
        town.until(lambda: town.get("commands/open-1")["state"] == "done")
        again = town.order(f"intersections/{place}/hold", "open-1", stage=2, for_s=600)
        assert again.json()["state"] == "done"
    assert len(town.street.given) == given
    row = ledger.get(town.store, "open-1")
    assert row is not None
    assert row["state"] == "done"
    town.store.close()


def test_readiness_and_snapshots_tell_of_a_store_that_is_away(
    tmp_path: Path, founded: Callable[..., Any]
) -> None:
    town = founded(tmp_path, crossroads_corridor(1))
    with TestClient(town.app, base_url=HOST) as town.client:
        keeping = town.app.state.centre.keeping
        assert town.get("/readyz")["ready"]
        keeping._error = "the database refuses: disk is full"
        answer = town.ask("GET", "/readyz")
        assert answer.status_code == 503
        assert "điều khiển vẫn chạy" in answer.json()["why"]["vi"]
        assert town.get("state")["notices"][0][1].startswith("The store cannot be written")
    town.store.close()
