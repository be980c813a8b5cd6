"""Plans are called in the reader's language."""

from __future__ import annotations

import contextlib
from pathlib import Path

from starlette.testclient import TestClient

from denxanh.networks import catalogue

from .conftest import HOST, found_town


def test_plans_are_called_in_the_readers_language(tmp_path: Path) -> None:
    town = found_town(tmp_path, catalogue.corridor("nguyen-van-cu"))
    with contextlib.closing(town.store), TestClient(town.app, base_url=HOST) as client:
        town.client = client
        for page in ("/plans", "/calendar", "/intersections/THN_NVC", "/plans/THN_NVC/1/edit"):
            english = town.ask("GET", f"{page}?lang=en").text
            vietnamese = town.ask("GET", f"{page}?lang=vi").text
            assert "Morning peak" in english, page
            assert "Cao điểm sáng" in vietnamese, page
        assert "1 · Morning peak" in town.ask("GET", "/plans?lang=en").text
        assert "1 · Cao điểm sáng" in town.ask("GET", "/plans?lang=vi").text
        (first, *_) = town.get("intersections/THN_NVC/plans")
        assert (first["name"], first["name_en"]) == ("Cao điểm sáng", "Morning peak")
