"""The map and the list in a real browser: trouble stands first, colours follow the lamps, silence shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from denxanh.controller.mode import Mode
from denxanh.controller.record import Event, LaneView

Open = Callable[..., Any]


@pytest.fixture
def city(visit: Open, scribe: Any) -> Any:
    """The map with one second of each intersection."""
    scribe.write(scribe.opened(), *(scribe.tick(1, item.id) for item in scribe.corridor.intersections))
    opened = visit("/")
    opened.wait("document.querySelector('.marker[data-mode]') !== null")
    return opened


def lamps(city: Any) -> set[str]:
    script = "nodes => nodes.map(node => getComputedStyle(node).stroke)"
    return set(city.page.eval_on_selector_all(".petals:has(.head[data-a]) .head line", script))


def test_colours_follow_the_lamps_and_nothing_comes_from_elsewhere(
    city: Any, scribe: Any, address: str
) -> None:
    assert len(lamps(city)) > 1, "red and green are different colours"
    for item in scribe.corridor.intersections:
        scribe.write(scribe.tick(2, item.id, aspects="rrrrrr", in_interstage=True))
    city.wait("document.querySelectorAll('.petals .head[data-a]:not([data-a=r])').length === 0")
    assert len(lamps(city)) == 1
    assert city.asked
    assert all(url.startswith(f"{address}/") for url in city.asked)
    assert city.wrong == []


def test_trouble_stands_first_and_leads_to_its_intersection(city: Any, scribe: Any) -> None:
    one, two = (item.id for item in scribe.corridor.intersections)
    scribe.write(scribe.tick(2, one), scribe.tick(2, two))
    city.wait("document.querySelector('#trouble .quiet') !== null")
    assert "Không có gì bất thường" in city.text("#trouble")
    assert city.text("#needs") == "Mọi nút ổn"
    scribe.write(
        scribe.tick(3, one, mode=Mode.PLAN, cause="no-fresh-detector-data"),
        scribe.tick(3, two, mode=Mode.FLASH, cause="cabinet-flash"),
    )
    city.wait("document.querySelectorAll('#trouble a').length === 2")
    first, second = city.page.eval_on_selector_all("#trouble a", "links => links.map(link => link.innerText)")
    assert "Đang nháy vàng: tủ đang nháy vàng" in first
    assert "không còn số liệu dò xe" in second
    assert city.text("#needs") == "2 nút cần xem"
    assert "nháy vàng" in city.page.inner_text("#alarm-voice"), "what is urgent is read out"
    assert city.page.get_attribute(f".marker[data-id='{two}']", "data-severity") == "bad"
    city.page.click("#trouble a")
    city.page.wait_for_selector("#place")
    assert city.page.get_attribute("#place", "data-id") == two


def test_what_only_informs_is_neither_trouble_nor_all_well(city: Any, scribe: Any) -> None:
    one, two = (item.id for item in scribe.corridor.intersections)
    scribe.write(scribe.tick(2, one, mode=Mode.PLAN, cause="hold-off"), scribe.tick(2, two))
    city.wait("document.querySelectorAll('#trouble a').length === 1")
    assert city.page.get_attribute("#needs", "data-tone") == "calm"
    assert city.text("#needs") == "Không có sự cố"


def test_a_focused_line_of_the_list_keeps_its_focus(city: Any, scribe: Any) -> None:
    one = scribe.intersection.id
    own = f"#trouble a[href='/intersections/{one}']"
    scribe.write(scribe.tick(2, mode=Mode.PLAN, cause="no-fresh-detector-data"))
    city.wait(f"document.querySelector(\"{own}\")?.innerText.includes('dò xe')")
    city.page.focus(own)
    door = Event("alarm", "Cửa tủ đang mở", "The cabinet's door is open", "door")
    scribe.write(scribe.tick(3, mode=Mode.PLAN, cause="no-fresh-detector-data", events=(door,)))
    city.wait(f'document.querySelectorAll("{own} small").length === 2')
    assert city.page.evaluate("document.activeElement.getAttribute('href')") == f"/intersections/{one}"


def test_modes_are_counted_and_told_apart_by_outline(city: Any, scribe: Any) -> None:
    outline = (
        f"document.querySelector(\".marker[data-id='{scribe.intersection.id}'] .shape\").getAttribute('d')"
    )
    before = city.page.evaluate(outline)
    both = [item.id for item in scribe.corridor.intersections]
    scribe.write(*(scribe.tick(2, one) for one in both))
    city.wait("document.querySelector('#modes li:not([hidden])')?.textContent === 'Thích nghi2'")
    scribe.write(*(scribe.tick(3, one, mode=Mode.MANUAL, cause="police-panel") for one in both))
    city.wait("document.querySelector('#modes li:not([hidden])')?.dataset.mode === 'MANUAL'")
    assert city.page.evaluate(outline) != before


def test_queues_fill_the_arms(city: Any, scribe: Any) -> None:
    full = tuple(LaneView(lane.storage_pcu, 0.0, 0.9) for lane in scribe.intersection.lanes)
    scribe.write(scribe.tick(2, lanes=full))
    city.wait("document.querySelectorAll('.arm[data-level=full]').length > 0")
    assert city.page.get_attribute("#busiest .meter", "data-level") == "full"


def test_the_log_shows_mode_changes_with_cause_and_can_be_filtered(city: Any, scribe: Any) -> None:
    scribe.write(scribe.tick(2, events=(scribe.mode_event(),)))
    city.wait("document.querySelectorAll('#log li:not(.empty)').length === 1")
    assert "Thích nghi → chương trình" in city.text("#log")
    assert "mất kết nối với tủ" in city.text("#log")
    city.page.click("[data-kind='switch']")
    assert not city.page.is_visible("#log li")
    city.page.click("[data-kind='mode']")
    assert city.page.is_visible("#log li")


def test_what_happened_before_the_page_was_opened_is_in_the_log(visit: Open, scribe: Any) -> None:
    scribe.write(scribe.opened(), scribe.tick(1, events=(scribe.mode_event(),)), scribe.tick(2))
    opened = visit("/")
    opened.wait("document.querySelectorAll('#log li:not(.empty)').length === 1")
    scribe.write(scribe.tick(3, events=(scribe.mode_event(),)))
    opened.wait("document.querySelectorAll('#log li:not(.empty)').length === 2")


def test_silence_is_shown_and_ends(city: Any, scribe: Any) -> None:
    city.wait("!document.getElementById('banner').hidden")
    assert "Không có nhịp mới" in city.text("#banner")
    marker = f".marker[data-id='{scribe.intersection.id}']"
    assert "stale" in city.page.get_attribute(marker, "class")
    assert "Không nghe gì từ nút này" in city.text("#trouble")
    scribe.write(scribe.tick(9))
    city.wait("document.getElementById('banner').hidden")
    assert "stale" not in city.page.get_attribute(marker, "class")


def test_nothing_is_called_well_of_which_nothing_is_known(visit: Open, scribe: Any) -> None:
    opened = visit("/")
    opened.wait("!document.getElementById('banner').hidden")
    assert "Chưa biết" in opened.text("#trouble")
    assert not opened.page.is_visible("#needs")
    scribe.write(scribe.opened(), *(scribe.tick(number) for number in (1, 2)))
    # One of two is heard; before long the other is missed.
    opened.wait("document.getElementById('trouble').innerText.includes('Chưa nghe gì từ nút này')")
    assert opened.page.is_visible("#needs")


def test_lost_connection_is_shown(city: Any, hosted: Any) -> None:
    hosted.end()
    city.wait("document.getElementById('banner').textContent.includes('Mất kết nối')")
    assert city.page.evaluate("document.body.classList.contains('offline')")
    assert "Chưa biết" in city.text("#trouble")
    assert not city.page.is_visible("#needs")


def test_a_store_that_cannot_be_written_is_said_so_while_the_street_goes_on(
    city: Any, scribe: Any, hosted: Any
) -> None:
    with hosted.store.engine.begin() as connection:
        connection.execute(text("DROP TABLE spans"))
    scribe.write(*(scribe.tick(number, aspects="rrrrrr", in_interstage=True) for number in range(2, 5)))
    city.wait("!document.getElementById('notice').hidden")
    assert "điều khiển vẫn chạy" in city.text("#notice")
    city.wait(
        "[...document.querySelectorAll('.petals')].some(one => !one.querySelector('.head:not([data-a=r])'))"
    )


def test_a_model_without_a_gate_is_warned_of_beside_everything_else(city: Any, scribe: Any) -> None:
    assert not city.page.is_visible("#warning")
    learned = {"policy": "model:/srv/models/m.onnx", "model": "ab" * 32, "unfit": ["no gate"]}
    scribe.write({**scribe.opened(), **learned, "ungated": "thử nghiệm có người trực"}, scribe.tick(2))
    city.wait("!document.getElementById('warning').hidden")
    assert city.text("#warning").startswith(
        "Mô hình chưa qua cổng kiểm định, vẫn được phép điều khiển vì: thử"
    )
    assert city.text("#policy") == "model:m.onnx"
    assert "/srv/models/m.onnx" in city.page.get_attribute("#policy", "title")
    # The feed's own banner comes and goes; the warning stays.
    city.wait("!document.getElementById('banner').hidden")
    assert city.page.is_visible("#warning")


def test_the_map_answers_to_keys(city: Any) -> None:
    box = "document.getElementById('map').getAttribute('viewBox')"
    # Of one size throughout: what comes and goes around the map would change what the whole of it is.
    city.page.evaluate(
        "document.getElementById('map').style.cssText = 'position: fixed; width: 600px; height: 400px'"
    )
    city.page.focus("#map")
    city.page.keyboard.press("0")
    whole = city.page.evaluate(box)
    for key in ("+", "ArrowLeft", "-", "ArrowUp"):
        before = city.page.evaluate(box)
        city.page.keyboard.press(key)
        assert city.page.evaluate(box) != before
    city.page.keyboard.press("0")
    assert city.page.evaluate(box) == whole


def test_arrows_go_from_marker_to_marker_and_enter_opens_one(city: Any, scribe: Any) -> None:
    one, two = scribe.corridor.intersections
    city.page.focus(f".marker[data-id='{one.id}']")
    assert city.page.is_visible("#peek")
    (east, north) = (two.position[axis] - one.position[axis] for axis in (0, 1))
    along = ("ArrowRight" if east > 0 else "ArrowLeft") if abs(east) > abs(north) else None
    city.page.keyboard.press(along or ("ArrowUp" if north > 0 else "ArrowDown"))
    assert city.page.evaluate("document.activeElement.dataset.id") == two.id
    assert city.page.evaluate("document.querySelectorAll('.marker[tabindex=\"0\"]').length") == 1
    city.page.keyboard.press("Enter")
    city.page.wait_for_selector("#place")


def test_the_list_finds_by_name_and_shows_each_second(visit: Open, scribe: Any) -> None:
    scribe.write(scribe.opened(), scribe.tick(1, commitment=scribe.promise(7, 2)))
    opened = visit("/intersections")
    cells = "[...document.querySelectorAll('#rows .left b, #rows .why')]"
    row = f"{cells}.map(one => one.textContent.replaceAll('\\u00a0', ' '))"
    told = f"(([left, why]) => left === '7 s' && why?.includes('Pha A có áp lực cao hơn'))({row})"
    for number in range(2, 602):  # one second alone is stale before a busy browser has shown it
        scribe.write(scribe.tick(number, commitment=scribe.promise(7, 2)))
        if opened.page.evaluate(told):
            break
        opened.page.wait_for_timeout(50)
    else:
        pytest.fail(str(opened.page.evaluate(row)))
    second = scribe.corridor.intersections[1]
    opened.page.fill("#find", second.name_vi.upper())
    shown = (
        "[...document.querySelectorAll('#rows tr:not([hidden])')].map(row => row.dataset.id ?? row.innerText)"
    )
    assert opened.page.evaluate(shown) == [second.id]
    opened.page.fill("#find", "không có nút như thế")
    assert opened.page.evaluate(shown) == ["Không có nút nào khớp."]
