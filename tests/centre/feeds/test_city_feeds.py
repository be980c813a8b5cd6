"""`[[feed]]` of the city's file: all defects at once, and what a good one comes to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.controller import site as sites
from denxanh.controller.centre.feeds.assembly import assembled, city_of, known
from denxanh.controller.centre.feeds.sinks.folder import FolderSink
from denxanh.controller.centre.feeds.sinks.http import HttpSink
from denxanh.controller.centre.feeds.sinks.syslog import SyslogSink
from denxanh.controller.centre.feeds.sources import SOURCES
from denxanh.controller.site import Site
from denxanh.errors import CityError

SITE = """
[site]
corridor = "nguyen-van-cu"
state_dir = "state"
policy = "max-pressure"

[console]
port = 8420
city = "city.toml"

[[cabinet]]
intersection = "NVC_CMT8"
protocol = "modbus"
host = "127.0.0.1"
port = 1502
"""


@pytest.fixture
def site(tmp_path: Path) -> Callable[[str], Site]:
    def made(city: str) -> Site:
        (tmp_path / "site.toml").write_text(SITE)
        (tmp_path / "city.toml").write_text(city)
        return sites.load(tmp_path / "site.toml")

    return made


def _feed(
    name: str = "ioc", source: str = "events", to: str = 'kind = "folder"\npath = "out"', more: str = ""
) -> str:
    return f'[[feed]]\nname = "{name}"\nsource = "{source}"\n{more}\n[feed.to]\n{to}\n'


GOOD = "\n".join(
    (
        _feed(
            "a",
            to='kind = "http"\nurl = "https://ioc.cantho.example/in"\ntoken_file = "t"',
            more='from = "beginning"',
        ),
        _feed("b", to='kind = "syslog"\nhost = "soc.cantho.example"', more='refused = "aside"\nbatch = 7'),
        _feed("c", more='former_provinces = ["Cần Thơ"]'),
        _feed("d", "status", 'kind = "mqtt"\nhost = "mqtt.cantho.example"'),
    )
)


def test_what_a_file_comes_to(site: Callable[[str], Site], tmp_path: Path) -> None:
    pytest.importorskip("aiomqtt", reason="aiomqtt is not installed (make setup)")
    here = site(GOOD)
    stored, live = assembled(here)
    assert [one.name for one in stored] == ["a", "b", "c"]
    assert [one.name for one in live] == ["d"]
    assert [type(one.sink) for one in stored] == [HttpSink, SyslogSink, FolderSink]
    assert [one.begins for one in stored] == ["beginning", "now", "now"]
    assert stored[1].batch == 7
    assert stored[1].aside is not None
    assert stored[1].aside.path == tmp_path / "state" / "feeds" / "b-refused.jsonl"
    assert stored[0].aside is None
    assert stored[0].places is None
    assert stored[2].places == {one.id for one in here.corridor.intersections}


def test_a_site_without_feeds(site: Callable[[str], Site]) -> None:
    assert assembled(site("")) == ((), ())


@pytest.mark.parametrize(
    ("city", "said"),
    [
        (_feed(source="nothing"), f"there is no source 'nothing' (one of {', '.join(known())})"),
        (_feed() + _feed(), "2 feeds have this name"),
        (_feed(more='intersections = ["X"]'), "the register has no 'X'"),
        (_feed(more='wards = ["Phường Không Có"]'), "the register has no 'Phường Không Có'"),
        (_feed(source="status"), "the live picture goes to MQTT only"),
        (_feed(to='kind = "http"\nurl = "http://a.example/"\ntoken_file = "t"'), "the token would cross"),
        (_feed(to='kind = "http"\nurl = "https://a/"\ncert_file = "c"'), "belong together"),
        (_feed(to='kind = "mqtt"\nhost = "a"\npassword_file = "p"'), "a password needs a username"),
        (
            _feed(to='kind = "mqtt"\nhost = "a"\ntls = false\nusername = "u"\npassword_file = "p"'),
            "the password would cross",
        ),
        (_feed(to='kind = "pigeon"'), "feed.0.to"),
        (_feed(to='kind = "http"\nurl = "ftp://a/"'), "feed.0.to"),
        (_feed(to='kind = "http"\nurl = "http://user:word@a/"'), "feed.0.to"),
        (_feed(to='kind = "mqtt"\nhost = "a"\nprefix = "a/#"'), "prefix"),
        (_feed(name="../x"), "feed.0.name"),
        (_feed(more="batch = 100000"), "feed.0.batch"),
        (_feed(more='colour = "red"'), "colour"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(site: Callable[[str], Site], city: str, said: str) -> None:
    with pytest.raises(CityError) as caught:
        city_of(site(city))
    assert said in str(caught.value)


def test_all_defects_at_once(site: Callable[[str], Site]) -> None:
    with pytest.raises(CityError) as caught:
        city_of(site(_feed("a", "x") + _feed("a", "y", more='wards = ["z"]')))
    assert [one.what.split(" ")[0] for one in caught.value.defects].count("there") == 2
    assert len(caught.value.defects) == 4


def test_every_source_has_its_own_name() -> None:
    assert "events" in SOURCES
    assert "status" not in SOURCES
