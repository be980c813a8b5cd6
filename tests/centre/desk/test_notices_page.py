"""The page of notices: what a real notifier has found and told, as somebody who has come in sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.feeds import positions
from denxanh.controller.centre.notify.letter import Letter
from denxanh.controller.centre.notify.notifier import Notifier
from denxanh.controller.centre.notify.outbox import Lane
from denxanh.controller.centre.notify.overview import BEAT
from denxanh.controller.centre.store import queries
from denxanh.controller.centre.store.schema import notices
from denxanh.controller.operator.message import Role
from denxanh.controller.record import Event
from denxanh.errors import FeedError

Enter = Callable[..., Any]
HOOK = {"kind": "webhook", "url": "https://ioc.example/in", "key_file": "k"}
RULE = {"what": "alarm", "severity": "warning"}
NOTIFY = {
    "rule": [
        {"name": "mat-ket-noi", "causes": ["link-lost"], "channels": ["truc-ban", "ioc", "sms-dem"], **RULE},
        {"name": "un-u", "causes": ["no-discharge"], **RULE},
    ],
    "channel": [
        {"name": "truc-ban", **HOOK},
        {"name": "ioc", **HOOK},
        {"name": "sms-dem", **HOOK, "quiet": ["00:00", "00:00"]},
    ],
}
TWO = "document.querySelectorAll('[data-notice]').length === 2"


class Taking:
    """A receiver that takes everything."""

    def send(self, letter: Letter) -> None:
        pass


class Away:
    """One that does not answer."""

    def send(self, letter: Letter) -> None:
        raise FeedError("cannot be reached: timed out", where="https://ioc.example")


@pytest.fixture
def told(scribe: Any, hosted: Any) -> Any:
    """Two alarms stand; one channel has told of the first, one cannot, one waits for the morning."""
    lost = Event("alarm", "Mất kết nối với tủ", "The link to the cabinet is lost", "link-lost")
    jam = Event("alarm", "Xe không thoát được", "Traffic does not discharge", "no-discharge")
    scribe.write(scribe.opened(), scribe.tick(1, events=(lost, jam)), scribe.tick(2))
    deadline = time.monotonic() + 30
    while len(queries.alarms(hosted.store).rows) < 2:
        assert time.monotonic() < deadline, "the alarms are not stored"
        time.sleep(0.05)
    city = CityFile.model_validate({"notify": NOTIFY})
    hosted.app.state.centre = replace(hosted.app.state.centre, city=city)
    carriers = {"truc-ban": Taking(), "ioc": Away(), "sms-dem": Taking()}
    notifier = Notifier(hosted.store, city.notify, scribe.corridor, carriers)
    notifier.look()
    for channel in carriers:
        notifier.post(Lane(channel, ""))
    positions.put(hosted.store, BEAT, None)
    return hosted


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(("lang", "theme"), [("vi", "dark"), ("en", "light")])
def test_it_says_what_was_found_and_who_knows(enter: Enter, lang: str, theme: str) -> None:
    opened = enter(Role.OPERATOR, "/notices", lang=lang, theme=theme)
    opened.wait(TWO)
    opened.wait("document.querySelectorAll('[data-channel]').length === 3")
    assert opened.page.is_hidden("#idle")
    lost = opened.text(
        f"[data-notice]:has-text('{'Mất kết nối' if lang == 'vi' else 'link to the cabinet'}')"
    )
    assert re.search(r"truc-ban: \d\d:\d\d:\d\d", lost)
    said = {"vi": ("chưa gửi được", "chờ hết giờ yên lặng"), "en": ("not taken yet", "quiet hours")}[lang]
    assert all(words in lost for words in said)
    assert "cannot be reached: timed out" in lost
    assert {"vi": "tổng hợp", "en": "digests only"}[lang] in opened.text("#rows")
    assert {"vi": "không gửi được từ", "en": "not taken since"}[lang] in opened.text("[data-channel='ioc']")
    assert opened.grave() == []
    assert opened.wrong == []


def test_an_operator_takes_note_by_the_keyboard_alone(enter: Enter, told: Any) -> None:
    opened = enter(Role.OPERATOR, "/notices", lang="en")
    opened.wait(TWO)
    opened.page.focus("[data-notice]:has-text('link to the cabinet') [data-take]")
    opened.page.keyboard.press("Enter")
    opened.wait("document.querySelector('#take').open")
    opened.page.focus("#note")
    opened.page.keyboard.type("Đã cử đội sửa chữa")
    assert opened.grave() == []
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    opened.wait("document.body.innerText.includes('Đã cử đội sửa chữa')")
    with told.store.reading() as connection:
        taken = connection.execute(select(notices.c.rule, notices.c.acknowledged_by).order_by(notices.c.rule))
        assert taken.all() == [("mat-ket-noi", "demo-operator"), ("un-u", None)]


@pytest.mark.usefixtures("told")
def test_who_only_looks_takes_no_note_and_reads_no_answers(enter: Enter) -> None:
    opened = enter(Role.VIEWER, "/notices", lang="en")
    opened.wait(TWO)
    assert opened.page.query_selector("[data-take]") is None
    assert "timed out" not in opened.text("main")


def test_it_says_when_there_are_no_rules_and_when_nobody_works(enter: Enter, hosted: Any) -> None:
    opened = enter(Role.OPERATOR, "/notices", lang="en")
    opened.wait("!document.getElementById('idle').hidden")
    assert "no threshold rules yet" in opened.text("#idle")
    city = CityFile.model_validate({"notify": NOTIFY})
    hosted.app.state.centre = replace(hosted.app.state.centre, city=city)
    opened.page.reload()
    opened.wait("document.getElementById('idle').innerText.includes('denxanh notify run')")
