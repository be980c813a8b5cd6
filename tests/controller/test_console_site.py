"""`[console]` of SITE.toml: what it may say, and what is refused because a password would cross in clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from denxanh.controller.console_site import Console, ConsoleTable, Oidc, console, defects, store_url

HERE = Path("/site")
STATE = Path("/site/state")


def table(**values: Any) -> ConsoleTable:
    return ConsoleTable.model_validate({"port": 8420, **values})


def wrong(**values: Any) -> list[str]:
    return [str(one) for one in defects(table(**values), "SITE.toml: console")]


def test_paths_start_at_the_site_file() -> None:
    given = table(
        host="0.0.0.0",
        public_url="https://tinhieu.example:8443",
        cert_file="keys/centre.crt",
        key_file="keys/centre.key",
        oidc={"issuer": "https://id.example", "client_id": "den-xanh", "client_secret_file": "keys/oidc"},
    )
    assert list(defects(given, "")) == []
    assert console(given, HERE) == Console(
        host="0.0.0.0",
        port=8420,
        public_url="https://tinhieu.example:8443",
        cert_file=HERE / "keys/centre.crt",
        key_file=HERE / "keys/centre.key",
        oidc=Oidc("https://id.example", "den-xanh", HERE / "keys/oidc"),
    )


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "sqlite:////site/state/centre.db"),
        ("sqlite:///centre.db", "sqlite:////site/centre.db"),
        ("sqlite:////var/lib/centre.db", "sqlite:////var/lib/centre.db"),
        (
            "postgresql+psycopg://denxanh@db.example/denxanh",
            "postgresql+psycopg://denxanh@db.example/denxanh",
        ),
    ],
)
def test_where_the_store_is(given: str | None, url: str) -> None:
    assert store_url(table(store=given), HERE, STATE) == url


def test_a_site_without_console_has_a_store() -> None:
    assert store_url(None, HERE, STATE) == "sqlite:////site/state/centre.db"


def test_other_machines_need_tls() -> None:
    (defect,) = wrong(host="192.0.2.7")
    assert defect.startswith("SITE.toml: console.public_url: 192.0.2.7 is reached from other machines")
    assert wrong(host="192.0.2.7", public_url="https://tinhieu.example") == []
    assert wrong(host="localhost") == []


def test_certificate_and_key_belong_together() -> None:
    assert wrong(cert_file="centre.crt") == ["SITE.toml: console: cert_file and key_file belong together"]


def test_only_a_provider_on_this_machine_may_do_without_tls() -> None:
    assert wrong(oidc={"issuer": "http://127.0.0.1:9000", "client_id": "x"}) == []
    (defect,) = wrong(oidc={"issuer": "http://id.example", "client_id": "x"})
    assert "https" in defect


@pytest.mark.parametrize(
    "values",
    [
        {"public_url": "http://tinhieu.example"},
        {"public_url": "https://tinhieu.example/path"},
        {"store": "mysql://x"},
        {"store": "sqlite:///"},
        {"viewers_without_login": 1},
        {"oidc": {"issuer": "https://id.example"}},
        {"password": "x"},
    ],
)
def test_what_is_no_console(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        table(**values)


def test_a_proxy_is_an_address_or_a_network_and_never_everybody() -> None:
    assert console(table(proxies=["10.1.0.5", "fd00::/64"]), HERE).proxies == ("10.1.0.5", "fd00::/64")
    for wrong_one in ("*", "proxy.example", "0.0.0.0/0", "::/0", "10.1.0.5/8"):
        with pytest.raises(ValidationError):
            table(proxies=[wrong_one])
