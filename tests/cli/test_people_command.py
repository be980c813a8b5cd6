"""`denxanh people`: accounts without a browser, for who has the centre's machine."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from denxanh.cli.main import app
from denxanh.controller import site as sites
from denxanh.controller.centre.people.deed import Actor
from denxanh.controller.centre.people.people import gather
from denxanh.controller.centre.people.tokens import Tokens
from denxanh.controller.centre.store import audit
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.operator.message import Role
from denxanh.errors import AccessError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

CORRIDOR = crossroads_corridor()


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Path:
    compiled.dump(CORRIDOR, tmp_path / "corridor.json")
    path = tmp_path / "site.toml"
    path.write_text(
        '[site]\ncorridor = "corridor.json"\nstate_dir = "state"\n'
        '[console]\nport = 8420\nstore = "sqlite:///people.db"\n'
        f'[[cabinet]]\nintersection = "{CORRIDOR.intersections[0].id}"\nhost = "192.0.2.1"\n'
    )
    return path


def people(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["people", *map(str, words)])


def done(*words: str | Path) -> Any:
    result = people(*words)
    assert result.exit_code == 0, result.output
    return result


def refusal(*words: str | Path) -> str:
    error = people(*words).exception
    assert isinstance(error, AccessError)
    return str(error)


def told(*words: str | Path) -> Any:
    return json.loads(done(*words, "--json").stdout)


def test_the_password_that_is_printed_lets_the_person_in(site: Path) -> None:
    password = done("add", site, "Hoa", "--role", "operator", "--display", "Trần Hòa").stdout.strip()
    store = open_store(sites.load(site).store)
    found = gather(store)
    try:
        entered = asyncio.run(found.login.by_password("hoa", password, "192.0.2.1"))
        assert entered.account.must_change
    finally:
        found.hasher.close()
        store.close()


def test_from_new_to_closed(site: Path) -> None:
    told("add", site, "boss", "--role", "administrator")
    assert told("add", site, "lan", "--role", "viewer", "--subject", "s-1")["one_time_password"] is None
    done("role", site, "lan", "--role", "engineer")
    done("disable", site, "lan")
    accounts = {one["name"]: one for one in told("list", site)}
    assert (accounts["lan"]["role"], accounts["lan"]["disabled"]) == ("engineer", True)
    text = done("list", site).stdout
    assert "closed" in text
    assert "must change password" in text
    done("enable", site, "lan")
    assert not told("list", site)[1]["disabled"]
    assert len(told("reset", site, "boss")["one_time_password"]) > 12


def test_mistakes_are_said(site: Path) -> None:
    done("add", site, "boss", "--role", "administrator")
    assert "last administrator" in refusal("disable", site, "boss")
    assert "no such account" in refusal("reset", site, "nobody")
    assert "taken" in refusal("add", site, "boss", "--role", "viewer")
    assert "small letters" in refusal("add", site, "hòa", "--role", "viewer")
    wrong = people("add", site, "hoa", "--role", "king")
    assert wrong.exit_code == 2
    assert "police-liaison" in wrong.output


def test_the_audit_log_names_the_unix_user_whatever_the_environment_says(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert getpass.getuser() == "somebody-else"
    done("add", site, "hoa", "--role", "viewer")
    store = open_store(sites.load(site).store)
    try:
        (row,) = audit.search(store, action="account.").rows
    finally:
        store.close()
    assert row["actor"] == f"unix:{pwd.getpwuid(os.getuid()).pw_name}"


def test_tokens_are_listed_and_revoked(site: Path) -> None:
    done("add", site, "hoa", "--role", "viewer")
    store = open_store(sites.load(site).store)
    try:
        issued = Tokens(store).issue(
            Actor("hoa", "viewer"), role=Role.VIEWER, label="wallboard", days=3, now_ms=1_780_000_000_000
        )
    finally:
        store.close()
    assert "wallboard" in done("tokens", site).stdout
    (one,) = told("tokens", site, "--revoke", issued.token.id)
    assert one["revoked_ms"] is not None
    assert issued.secret not in json.dumps(one)
