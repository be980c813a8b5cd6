"""What accepted requests ask of each intersection, second by second."""

from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.priority.dispatcher import MAX_JOURNEYS, State, second, take
from denxanh.controller.priority.gatekeeper import Refused
from denxanh.controller.priority.message import Bus, Cancel, Closure, Emergency, Readings, Water
from denxanh.controller.priority.settings import Gauge, Limits, Route, Settings, Step
from denxanh.controller.priority.wishes import Ending, Wishes

ROUTE = Route("bv", (Step("X1", "e1", 0, 20, 45), Step("X2", "e2", 2, 60, 40)))
BACK = Route("back", (Step("X1", "n1", 1, 20, 45),))
SITE = Settings(
    emergency=True,
    bus=True,
    flood=True,
    routes=(ROUTE, BACK),
    gauges=(Gauge("g1", ("e1", "e2"), 15, 30),),
    links=(("e1", ("X1",)), ("e2", ("X1", "X2")), ("n1", ("X1",))),
    limits=Limits(late_s=15),
)


class Book:
    """The dispatcher with its tick."""

    def __init__(self) -> None:
        self.state, self.tick, self.seq = State(), 0, 0

    def say(self, kind, **fields):
        self.seq += 1
        fields = {"source": "115", "seq": self.seq, "issued_s": 0.0, **fields}
        self.state, refused = take(SITE, self.state, kind(**fields), self.tick)
        return refused

    def emergency(self, name="a", route="bv", at=0, eta_s=50, valid_s=300, **more):
        return self.say(Emergency, id=name, route=route, at=at, eta_s=eta_s, valid_s=valid_s, **more)

    def at(self, tick):
        """Wishes of a tick, all seconds until then gone by."""
        while self.tick < tick:
            second_ = self.pass_second()
        return second_.wishes

    def pass_second(self):
        self.state, asked = second(SITE, self.state, self.tick)
        self.tick += 1
        return asked


def test_the_corridor_opens_before_the_vehicle_and_closes_behind_it() -> None:
    book = Book()
    assert book.emergency(eta_s=50) is None
    asked = [book.pass_second().wishes for _ in range(140)]
    x1 = [n for n, one in enumerate(asked) if "X1" in one and one["X1"].preempt]
    x2 = [n for n, one in enumerate(asked) if "X2" in one and one["X2"].preempt]
    assert (x1[0], x1[-1]) == (5, 64)  # 45 s before the arrival, until 15 s after
    assert (x2[0], x2[-1]) == (70, 124)  # arrives 60 s after X1
    assert asked[65]["X1"] == Wishes(ended=Ending.EXPECTED_GONE)
    assert asked[5]["X1"].preempt.left_s == 60
    assert asked[-1] == {}
    assert book.state == State()


def test_a_passed_step_is_released_at_once() -> None:
    book = Book()
    book.emergency(eta_s=20)
    assert book.at(5)["X1"].preempt.stage == 0
    book.emergency(at=1, eta_s=55)
    wishes = book.pass_second().wishes
    assert wishes["X1"] == Wishes(ended=Ending.PASSED)
    assert "X2" not in wishes


def test_expiry_ends_a_request_whatever_its_arrival_says() -> None:
    book = Book()
    book.emergency(eta_s=30, valid_s=20)
    assert book.at(20)["X1"].preempt.left_s == 1
    over = book.pass_second()
    assert over.wishes["X1"] == Wishes(ended=Ending.EXPIRED)
    assert [one.id for one in over.expired] == ["a"]


def test_cancel_is_for_the_own_requests_only() -> None:
    book = Book()
    book.emergency(eta_s=10)
    book.pass_second()
    assert book.say(Cancel, id="a", source="other") is Refused.UNKNOWN_REQUEST
    assert book.say(Cancel, id="a") is None
    assert book.pass_second().wishes["X1"] == Wishes(ended=Ending.CANCELLED)


def test_who_came_first_keeps_the_intersection_and_an_update_keeps_the_turn() -> None:
    book = Book()
    book.emergency("first", eta_s=30)
    book.emergency("second", route="back", eta_s=5)
    assert book.at(3)["X1"].preempt.request == "first"
    book.emergency("first", eta_s=25)
    assert book.at(6)["X1"].preempt.request == "first"
    book.emergency("first", at=2, eta_s=0)
    assert book.pass_second().wishes["X1"].preempt.request == "second"


def test_unknown_routes_steps_streets_gauges_and_too_many_requests_are_refused() -> None:
    book = Book()
    assert book.emergency(route="nowhere") is Refused.UNKNOWN_ROUTE
    assert book.emergency(at=3) is Refused.NO_SUCH_STEP
    assert book.say(Closure, link="nowhere", state="closed", valid_s=60) is Refused.UNKNOWN_LINK
    assert book.say(Water, gauge="g2", level_cm=40, valid_s=60) is Refused.UNKNOWN_GAUGE
    for n in range(MAX_JOURNEYS):
        assert book.emergency(f"a{n}") is None
    assert book.emergency("one-more") is Refused.TOO_MANY


def test_only_a_late_bus_is_helped_if_it_says_how_late_it_is() -> None:
    book = Book()

    def bus(late_s):
        return book.say(Bus, id="b", route="bv", eta_s=20, late_s=late_s, valid_s=60)

    assert bus(30) is Refused.NOT_LATE
    assert "X1" not in book.pass_second().wishes
    assert bus(90) is None
    assert book.pass_second().wishes["X1"].bus.eta_s == 20
    assert bus(10) is Refused.NOT_LATE  # it has caught up: no help any more
    assert "X1" not in book.pass_second().wishes
    assert bus(None) is None
    assert book.pass_second().wishes["X1"].bus is not None


def test_water_holds_closes_and_opens_with_hysteresis() -> None:
    book = Book()
    seen = []
    for level in (10, 16, 31, 26, 24, 11, 9):
        assert book.say(Water, gauge="g1", level_cm=level, valid_s=900) is None
        here = book.pass_second().wishes.get("X2", Wishes())
        seen.append((here.closed, here.held))
    both = ("e2",)
    assert seen == [((), ()), ((), both), (both, both), (both, both), ((), both), ((), both), ((), ())]


def test_a_silent_gauge_closes_nothing_and_is_an_alarm() -> None:
    book = Book()
    book.say(Water, gauge="g1", level_cm=50, valid_s=30)
    assert book.at(30)["X1"].closed == ("e1", "e2")
    over = book.pass_second()
    assert over.wishes == {}
    assert [report.about for report in over.stale] == ["gauge g1"]
    assert book.pass_second().stale == ()


def test_open_takes_back_only_the_own_word() -> None:
    book = Book()
    book.say(Closure, link="e1", state="closed", valid_s=600, source="centre")
    book.say(Closure, link="e1", state="held", valid_s=600, source="police")
    assert book.say(Closure, link="e1", state="open", valid_s=60, source="centre") is None
    here = book.pass_second().wishes["X1"]
    assert (here.closed, here.held) == ((), ("e1",))
    assert "police" in here.why


def test_several_gauges_at_once_each_from_when_it_was_measured() -> None:
    book = Book()
    other = {"gauge": "of-another-site", "level_cm": 90.0}
    assert book.say(Readings, readings=[other], valid_s=60) is Refused.UNKNOWN_GAUGE
    here = {"gauge": "g1", "level_cm": 40.0, "age_s": 50}
    assert book.say(Readings, readings=[other, here], valid_s=60) is None
    assert book.pass_second().wishes["X1"].closed == ("e1", "e2")
    for _ in range(8):
        book.pass_second()
    # Ten seconds were left of its minute.
    assert book.pass_second().wishes["X1"].closed == ("e1", "e2")
    over = book.pass_second()
    assert over.wishes == {}
    assert [one.about for one in over.stale] == ["gauge g1"]


def test_a_reading_that_is_too_old_when_it_comes_changes_nothing() -> None:
    book = Book()
    book.say(Readings, readings=[{"gauge": "g1", "level_cm": 40.0}], valid_s=600)
    book.say(Readings, readings=[{"gauge": "g1", "level_cm": 0.0, "age_s": 600}], valid_s=600)
    assert book.pass_second().wishes["X1"].closed == ("e1", "e2")


@given(st.permutations([(n, high) for n, high in enumerate((True, False, True, False, False, True))]))
def test_whatever_overtakes_whatever_the_newest_reading_counts(arrival) -> None:
    """High readings and low ones, of two sources, measured ten seconds apart."""
    book = Book()
    book.tick = 1000
    newest = -1
    for number, high in arrival:
        reading = {"gauge": "g1", "level_cm": 40.0 if high else 0.0, "age_s": 600 - 10 * number}
        source = "ioc" if number % 2 else "frmis"
        assert book.say(Readings, source=source, readings=[reading], valid_s=900) is None
        newest = max(newest, number)
        state, _ = second(SITE, book.state, book.tick)
        closed = bool(second(SITE, state, book.tick)[1].wishes)
        assert closed is dict(arrival)[newest]


def test_a_low_reading_keeps_an_older_high_one_from_closing_only_while_it_counts() -> None:
    book = Book()
    book.say(Readings, source="ioc", readings=[{"gauge": "g1", "level_cm": 0.0}], valid_s=30)
    high = {"gauge": "g1", "level_cm": 40.0, "age_s": 10}
    book.say(Readings, source="frmis", readings=[high], valid_s=900)
    assert book.pass_second().wishes == {}
    book.at(31)
    book.say(Readings, source="frmis", readings=[{**high, "age_s": 41}], valid_s=900)
    assert book.pass_second().wishes["X1"].closed == ("e1", "e2")
    assert [one.gauge for one in book.state.heard] == ["g1"], "one per gauge, whatever comes"
