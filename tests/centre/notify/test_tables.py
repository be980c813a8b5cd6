"""What stands in city.toml is checked whole before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from denxanh.controller.centre import city
from denxanh.errors import CityError

HOOK = '[[notify.channel]]\nname = "hook"\nkind = "webhook"\nurl = "https://ioc.example/in"\nkey_file = "k"\n'
RULE = '[[notify.rule]]\nname = "r"\nwhat = "mode"\n'


def load(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "city.toml"
    path.write_text(text, encoding="utf-8")
    return city.load(path).notify


def test_nothing_is_a_city_without_rules() -> None:
    assert city.load(None).notify.rule == ()


def test_a_whole_file(tmp_path: Path) -> None:
    found = load(
        tmp_path, HOOK + RULE + 'channels = ["hook"]\nescalate = [{ after_min = 5, channels = ["hook"] }]\n'
    )
    assert found.rule[0].escalate[0].channels == ("hook",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE + 'channels = ["nobody"]', "no channel nobody"),
        (RULE + RULE, "two rules are named r"),
        (HOOK + HOOK, "two channels are named hook"),
        (HOOK.replace("https", "http"), "https"),
        (HOOK + RULE + "speed = 3", "speed"),
        ('[[notify.rule]]\nname = "r"\nwhat = "weather"', "weather"),
        ('[[notify.rule]]\nname = "r"\nwhat = "queue"\nover_pcu = 1\nunder_pcu = 2', "under_pcu"),
        ('[[notify.rule]]\nname = "r"\nwhat = "confidence"\nunder = 0.9\nover = 0.2', "over"),
        ('[[notify.rule]]\nname = "Ờ"\nwhat = "mode"', "name"),
        (RULE + "for_min = nan", "for_min"),
        (RULE + "for_min = inf", "for_min"),
        (
            HOOK
            + RULE
            + 'escalate = [{after_min = 5, channels = ["hook"]}, {after_min = 5, channels = ["hook"]}]',
            "rise",
        ),
        ('[[notify.digest]]\nchannel = "x"', "no channel x"),
        (
            '[[notify.channel]]\nname="m"\nkind="mail"\nhost="mail.example"\nsecurity="none"\n'
            'sender="a@b.vn"\nto=["c@d.vn"]',
            "read it on the way",
        ),
        (
            '[[notify.channel]]\nname="m"\nkind="mail"\nhost="mail.example"\nuser="u"\n'
            'sender="a@b.vn"\nto=["c@d.vn"]',
            "belong together",
        ),
        (
            '[[notify.channel]]\nname="m"\nkind="mail"\nhost="mail.example"\n'
            'sender="a@b.vn"\nto=["c@d.vn\\nBcc: e@f.vn"]',
            "to",
        ),
        (
            '[[notify.channel]]\nname="s"\nkind="sms"\nurl="https://g.example"\nto=["abc"]\nfields={a="{to}"}',
            "to",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CityError, match=said):
        load(tmp_path, text)
