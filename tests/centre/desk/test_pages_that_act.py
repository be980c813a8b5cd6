"""The pages that act, as somebody who has come in sees them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.controller.centre.store import audit, drafts, queries
from denxanh.controller.centre.words.word import Lang
from denxanh.controller.operator.message import Role
from denxanh.controller.operator.standing import StandingView
from denxanh.controller.record import Event
from denxanh.networks.corridor_files import ScheduleFile

Enter = Callable[..., Any]
PAGES = {
    Role.ENGINEER: (
        *("/alarms?which=all", "/notices", "/plans", "/plans/X1/1/edit"),
        *("/calendar", "/audit", "/comparison", "/account"),
    ),
    Role.ADMINISTRATOR: ("/people",),
}
DIALOGS = {Role.ENGINEER: ("plan", "hold", "release"), Role.POLICE_LIAISON: ("preempt",)}
KEY = re.compile(
    r"\b(?:give|preview|outcome|send|alarms|notices|channels|audit|plans|edit|calendar|compare|people|own|tokens)\.[a-z]"
)
HALF_A_LINE_PX = 10
RUNNING = "document.getElementById('clock').textContent !== '--:--:--'"


@pytest.fixture
def busy(scribe: Any) -> Any:
    """Two seconds of the street, an alarm that stands and one that is over."""
    lost = Event("alarm", "Mất kết nối với tủ", "The link to the cabinet is lost", "link-lost")
    jam = Event("alarm", "Xe không thoát được", "Traffic does not discharge", "no-discharge")
    scribe.write(
        scribe.opened(),
        scribe.tick(1, events=(lost, jam)),
        scribe.tick(2, events=(Event("alarm-cleared", jam.text_vi, jam.text_en, jam.cause),)),
        scribe.tick(3),
    )
    return scribe


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("lang", "theme"), [(Lang.VI, "light"), (Lang.EN, "dark")])
@pytest.mark.parametrize("role", PAGES)
def test_all_can_read_it_nothing_is_cut_off_and_no_key_is_shown(
    enter: Enter, role: Role, lang: Lang, theme: str, address: str
) -> None:
    first, *others = PAGES[role]
    opened = enter(role, first, lang=lang, theme=theme)
    for path in (first, *others):
        if path != first:
            opened.page.goto(address + path)
        opened.wait(RUNNING)
        assert opened.cut_off() == [], path
        assert not KEY.search(opened.page.inner_text("body")), path
        assert opened.grave() == [], path
        assert opened.wrong == [], path
    assert all(url.startswith(f"{address}/") for url in opened.asked)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("role", DIALOGS)
def test_axe_finds_nothing_serious_in_a_dialog_of_either_theme(enter: Enter, role: Role) -> None:
    opened = enter(role, "/intersections/X1", theme="light")
    opened.wait(RUNNING)
    ground = "getComputedStyle(document.querySelector('dialog[open]')).backgroundColor"
    for kind in DIALOGS[role]:
        opened.page.click(f"[data-order='{kind}']")
        shades = []
        for theme in ("light", "dark"):
            opened.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            opened.drawn()
            shades.append(opened.page.evaluate(ground))
            assert opened.grave("dialog[open]") == [], (kind, theme)
        assert shades[0] != shades[1]
        opened.page.keyboard.press("Escape")
        opened.wait("document.querySelector('dialog[open]') === null")


@pytest.mark.usefixtures("busy")
def test_who_may_not_does_not_see_what_acts(enter: Enter) -> None:
    viewer = enter(Role.VIEWER, "/intersections/X1")
    viewer.wait(RUNNING)
    assert viewer.page.query_selector("[data-order]") is None
    assert viewer.page.query_selector("nav a[href='/audit']") is None
    assert "Vai trò Người xem chỉ xem" in viewer.text(".orders-bar")
    viewer.page.goto(viewer.page.url.replace("/intersections/X1", "/alarms"))
    viewer.wait("document.getElementById('rows').innerText.includes('chưa ai ghi nhận')")
    assert viewer.page.query_selector("[data-take]") is None
    viewer.page.goto(viewer.page.url.replace("/alarms", "/audit"))
    assert viewer.page.get_attribute("main .button.first, body .button.first", "href") == "/"
    police = enter(Role.POLICE_LIAISON, "/intersections/X1")
    kinds = police.page.eval_on_selector_all(
        ".orders-bar > .actions [data-order]", "all => all.map(one => one.dataset.order)"
    )
    assert kinds == ["hold", "preempt", "release"]
    editor = enter(Role.OPERATOR, "/plans/X1/1/edit")
    assert editor.page.query_selector("#save") is None
    assert editor.text("h1") == "Chương trình 1"


@pytest.mark.usefixtures("busy")
def test_small_screens_show_every_page_of_the_rail_and_long_titles_whole(enter: Enter) -> None:
    opened = enter(Role.ADMINISTRATOR, "/intersections/X1", width=1366, height=768)
    long = "Nút 2 · 30 Tháng 4 – Nguyễn Văn Linh"
    opened.page.evaluate(f"document.querySelector('h1').textContent = '{long}'")
    for width, height in ((1366, 768), (1280, 720), (1024, 768)):
        opened.page.set_viewport_size({"width": width, "height": height})
        opened.wait(f"innerWidth === {width} && innerHeight === {height}")
        hidden = (
            "(part) => { const it = document.querySelector(part); return it.scrollHeight - it.clientHeight; }"
        )
        assert opened.page.evaluate(hidden, ".rail") <= 0, (width, height)
        assert opened.page.evaluate(hidden, "h1") < HALF_A_LINE_PX, (width, height)


@pytest.mark.usefixtures("busy")
def test_an_alarm_is_taken_note_of_with_a_note(enter: Enter, hosted: Any) -> None:
    opened = enter(Role.OPERATOR, "/alarms")
    opened.wait("document.querySelectorAll('[data-alarm]').length === 2")
    first = "[data-alarm]:has-text('Mất kết nối')"
    assert "đang còn" in opened.text(first)
    opened.page.click(f"{first} [data-take]")
    opened.page.fill("#note", "Đã gọi tổ sửa chữa")
    opened.page.click("#take .button.first")
    opened.wait("document.querySelector('#take').open === false")
    opened.wait("document.body.innerText.includes('Đã gọi tổ sửa chữa')")
    rows = {row["text_vi"]: row for row in queries.alarms(hosted.store).rows}
    assert rows["Mất kết nối với tủ"]["acknowledged_by"] == "demo-operator"
    assert rows["Xe không thoát được"]["acknowledged_by"] is None


def test_who_gives_an_order_sees_the_one_that_stands_already(enter: Enter, scribe: Any) -> None:
    there = StandingView("k1", "hold", "lan.tran", "operator", "Tai nạn trên đường", 1, None, 95)
    scribe.write(scribe.opened(), scribe.tick(1, orders=(there,)))
    opened = enter(Role.OPERATOR, "/intersections/X1")
    opened.wait(RUNNING)
    opened.page.click("[data-order='plan']")
    opened.page.click("[data-plan-choice='2']")
    opened.page.fill("#plan-reason", "Sự kiện đông người")
    opened.page.click("#order-plan form .button.first")
    opened.wait("!document.querySelector('#order-plan [data-also]').hidden")
    said = opened.text("#order-plan [data-also]")
    assert "Giữ pha main-turn" in said
    assert "lan.tran: Tai nạn trên đường" in said
    assert "còn 2 phút" in said


@pytest.mark.usefixtures("busy")
def test_an_order_is_not_sent_without_a_reason_and_says_when_nobody_answers(
    enter: Enter, hosted: Any
) -> None:
    opened = enter(Role.OPERATOR, "/intersections/X1", lang="en")
    opened.wait(RUNNING)
    opened.page.click("[data-order='hold']")
    opened.wait(
        "!document.querySelector('#order-hold [data-unheard]').hidden"
    )  # the scribe has fallen silent
    opened.page.click("#order-hold form .button.first")
    assert "Choose one." in opened.text("#order-hold")
    assert "Fill this in." in opened.text("#order-hold")
    opened.page.click("#order-hold [data-stage-choice='2']")
    opened.page.fill("#hold-reason", "ab")
    opened.page.click("#order-hold form .button.first")
    assert "Write at least 3 characters." in opened.text("#order-hold")
    opened.page.fill("#hold-reason", "A parade passes")
    opened.page.keyboard.press("Enter")
    assert "holds stage side for 2 minutes" in opened.text("#order-hold [data-say]")
    assert audit.search(hosted.store, action="order.").rows == ()
    opened.page.click("#order-hold [data-send]")
    opened.wait("document.querySelector('#order-hold [data-verdict]').dataset.tone === 'bad'")
    assert "does not answer" in opened.text("#order-hold [data-verdict]")
    assert opened.page.evaluate("document.activeElement.hasAttribute('data-verdict')"), "not lost to the page"
    states = opened.page.eval_on_selector_all(
        "#order-hold [data-mark]", "all => all.map(one => one.dataset.state)"
    )
    assert states == ["done", "failed", "failed"]
    said = [
        (row["action"], row["outcome"], row["actor"])
        for row in audit.search(hosted.store, action="order.").rows
    ]
    assert said == [("order.hold", "unreachable", "demo-operator"), ("order.hold", "asked", "demo-operator")]


@pytest.mark.usefixtures("busy")
def test_a_plan_that_breaks_a_rule_is_not_saved_and_a_sound_one_is(enter: Enter, hosted: Any) -> None:
    opened = enter(Role.ENGINEER, "/plans/X1/1/edit", lang="en")
    opened.wait("document.getElementById('findings').textContent.includes('Every rule is kept')")
    before = int(opened.page.input_value("#split-0"))
    opened.page.fill("#split-0", "12")
    opened.wait("document.getElementById('findings').textContent.includes('needs at least')")
    assert "Stage main has 12 s" in opened.text("#wrongs-0")
    assert opened.page.is_disabled("#save")
    opened.page.fill("#split-0", str(before))
    opened.page.focus(".boundary >> nth=1")
    for _ in range(2):
        opened.page.keyboard.press("ArrowRight")
    opened.wait("!document.getElementById('save').disabled")
    assert [opened.page.input_value(f"#split-{index}") for index in range(3)] == [str(before), "17", "33"]
    assert "15 → 17 s (+2)" in opened.text("#diff")
    opened.page.fill("#reason", "More green for the main road")
    opened.page.click("#save")
    opened.wait("!document.getElementById('saved').hidden")
    (row,) = drafts.listed(hosted.store).rows
    assert (row["target"], row["author"], row["reason"]) == (
        "X1/1",
        "demo-engineer",
        "More green for the main road",
    )
    with opened.page.expect_download() as download:
        opened.page.click("#drafts a[download]")
    (plan,) = tomllib.loads(download.value.path().read_text("utf-8"))["plan"]
    assert (plan["intersection"], plan["splits"][1]) == ("X1", ["main-turn", 17])


@pytest.mark.usefixtures("busy")
def test_a_day_of_its_own_needs_times_before_it_is_saved(enter: Enter, hosted: Any) -> None:
    opened = enter(Role.ENGINEER, "/calendar", lang="en")
    opened.wait("document.getElementById('findings').textContent.includes('Every day has a plan')")
    assert opened.page.is_disabled("#save")
    opened.page.fill("#new-kind", "festival")
    opened.page.click("#add-kind")
    opened.wait("!document.getElementById('save').disabled")
    opened.page.fill("#name_en", "River festival")
    opened.page.fill("#name_vi", "Lễ hội sông nước")
    opened.page.click("#times .button.quiet")
    opened.wait("document.getElementById('findings').textContent.includes('has no times')")
    assert opened.page.is_disabled("#save")
    opened.page.click("#add")
    opened.wait("!document.getElementById('save').disabled")
    opened.page.fill("#reason", "The river festival")
    opened.page.click("#save")
    opened.wait("!document.getElementById('saved').hidden")
    with opened.page.expect_download() as download:
        opened.page.click("#drafts a[download]")
    form = ScheduleFile.model_validate(tomllib.loads(download.value.path().read_text("utf-8")))
    assert ("festival", "Lễ hội sông nước") in [(one.day, one.name_vi) for one in form.holiday]
    assert ("festival", 6 * 3600) in [(one.day, one.start) for one in form.entry]


def test_the_calendar_goes_to_the_sites_day_and_its_days_answer_to_the_arrow_keys(
    enter: Enter, scribe: Any
) -> None:
    opened = enter(Role.VIEWER, "/calendar", lang="en")
    opened.wait("document.querySelector(\".date[aria-pressed='true']\") !== null")
    scribe.write(scribe.opened(), scribe.tick(1))  # only now is the site's day known
    opened.wait("document.getElementById('day-title').textContent.includes('23/11/2026')")
    opened.page.focus(".date[aria-pressed='true']")
    opened.page.keyboard.press("ArrowDown")
    assert "30/11/2026" in opened.text("#day-title")
    opened.page.keyboard.press("ArrowRight")
    assert "01/12/2026" in opened.text("#day-title")
    assert "December 2026" in opened.text("#month-title")
    assert opened.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


@pytest.mark.usefixtures("busy")
def test_the_log_is_searched_and_its_chain_shown(enter: Enter, hosted: Any) -> None:
    for actor, action in (("lan.tran", "order.hold"), ("huy.le", "order.plan")):
        audit.append(
            hosted.store,
            actor=actor,
            role="operator",
            action=action,
            target="X1",
            outcome="done",
            detail={"reason": f"=1+1 {actor}", "plan": 2},
        )
    audit.append(
        hosted.store,
        actor="anybody:unknown",
        role="",
        action="access.refused",
        target="GET /",
        outcome="refused",
        detail={"reason": "not-logged-in", "address": "10.0.0.7", "earlier": 0},
    )
    opened = enter(Role.ENGINEER, "/audit", lang="en")
    opened.wait("document.body.innerText.includes('Somebody unknown')")
    assert "“You are not logged in.”" in opened.text("#rows")
    assert "from 10.0.0.7" in opened.text("#rows")
    assert "earlier" not in opened.text("#rows"), "nothing was left out before it"
    opened.page.click("#check")
    opened.wait("document.getElementById('chain').textContent.includes('chain whole')")
    opened.wait("document.body.innerText.includes('huy.le') && document.body.innerText.includes('lan.tran')")
    opened.page.fill("[name='actor']", "lan.tran")
    opened.page.click("#filters .button.first")
    opened.wait("!document.getElementById('rows').innerText.includes('huy.le')")
    assert "Held a stage" in opened.text("#rows")
    with opened.page.expect_download() as download:
        opened.page.click("#export")
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("seq,at,actor")
    assert len(lines) == 2
    assert "lan.tran" in lines[1]
    # A click that comes before the script sends the form itself: the address then says what was searched.
    opened.page.goto(f"{opened.page.url.partition('?')[0]}?text=&actor=huy.le&length=1")
    opened.wait("document.getElementById('rows').innerText.includes('huy.le')")
    assert "lan.tran" not in opened.text("#rows")
    assert opened.page.input_value("[name='actor']") == "huy.le"


@pytest.mark.usefixtures("busy")
def test_an_account_is_made_with_a_password_that_is_shown_once(enter: Enter, hosted: Any) -> None:
    opened = enter(Role.ADMINISTRATOR, "/people", lang="en")
    opened.wait("document.querySelectorAll('#people [data-name]').length > 0")
    opened.page.fill("#name", "lan.tran")
    opened.page.fill("#display", "Trần Thị Lan")
    opened.page.select_option("#role", "operator")
    opened.page.click("#new .button.first")
    opened.wait("!document.getElementById('secret').hidden")
    assert len(opened.text("#secret code")) >= 12
    opened.wait("document.querySelector(\"#people [data-name='lan.tran']\") !== null")
    opened.page.click("#people [data-name='lan.tran'] .danger")
    opened.page.click("#sure [data-no]")
    assert not hosted.people.accounts.get("lan.tran").disabled
    opened.page.click("#people [data-name='lan.tran'] .danger")
    opened.page.click("#sure [data-yes]")
    opened.wait("document.querySelector(\"#people [data-name='lan.tran']\").innerText.includes('disabled')")
    assert hosted.people.accounts.get("lan.tran").disabled
