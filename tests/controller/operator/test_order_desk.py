"""The desk: recorded before it counts, answered after that; bounded, and never twice."""

import json

import pytest

from denxanh.controller.operator.desk import COUNT_TICKS, MAX_PER_TICK, Desk
from denxanh.controller.operator.judge import MAX_AGE_S
from denxanh.controller.operator.message import body
from denxanh.controller.operator.standing import Ending
from denxanh.errors import JournalError
from denxanh.networks.example import crossroads_corridor

SITE = crossroads_corridor().intersections[0]
NOW = 1000.0


class Counter:
    """A desk with everything around it under control; `log` holds records and answers in their order."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.log: list[tuple[str, dict]] = []
        self.full = False
        self.now = NOW
        self.up = 100.0
        self.closed = False
        self.began = -self.up
        self.desk = Desk({SITE.id: SITE}, self, wall=lambda: self.now, monotonic=lambda: self.up)
        self.up = 200.0

    def read(self):
        return (self.waiting.pop(0), "somebody") if self.waiting else None

    def answer(self, to, text):
        assert to == "somebody"
        self.log.append(("answer", json.loads(text)))

    def close(self):
        self.closed = True

    def append(self, record):
        if self.full:
            raise JournalError("full")
        self.log.append(("record", dict(record)))

    def say(self, *orders):
        self.waiting += [order if isinstance(order, bytes) else body(order) for order in orders]

    def second(self, tick):
        return self.desk.second(tick, self.append)

    def ids(self, tick):
        here = self.second(tick).get(SITE.id)
        return [] if here is None else [one.id for one in here.orders]

    def records(self, kind):
        return [record for what, record in self.log if what == "record" and record["k"] == kind]

    def answers(self):
        return [record for what, record in self.log if what == "answer"]


@pytest.fixture
def counter() -> Counter:
    return Counter()


def test_an_order_is_recorded_then_answered_and_counts_at_once(counter, order) -> None:
    given = order("hold", id="a", for_s=60)
    counter.say(given)
    here = counter.second(7)[SITE.id]
    assert [(one.id, one.left_s) for one in here.orders] == [("a", 60)]
    (first, record), (second, answer) = counter.log
    assert (first, record["k"], record["t"]) == ("record", "order", 7)
    assert json.loads(json.dumps(record["order"])) == json.loads(body(given))
    assert (second, answer) == ("answer", {"ok": True, "id": "a", "refused": None, "detail": ""})


def test_no_record_no_order(counter, order) -> None:
    given = order("hold", id="a")
    counter.say(given)
    counter.full = True
    with pytest.raises(JournalError):
        counter.second(1)
    counter.full = False
    assert counter.ids(2) == []
    assert counter.log == [], "nobody was told that it counts"
    counter.say(given)
    assert counter.ids(3) == ["a"], "given again it counts for the first time"


def test_a_refusal_is_recorded_told_and_has_no_effect(counter, order) -> None:
    counter.say(order("hold", id="a", role="viewer"))
    assert counter.ids(3) == []
    kinds = [(what, record.get("k")) for what, record in counter.log]
    assert kinds == [("record", "order"), ("record", "event"), ("answer", None)]
    assert counter.records("order")[0]["refused"] == "not-allowed"
    event = counter.records("event")[0]
    assert (event["i"], event["t"]) == (SITE.id, 3)
    assert (event["event"]["kind"], event["event"]["cause"]) == ("order", "order-refused")
    assert "lan (viewer)" in event["event"]["text_en"]
    answer = counter.answers()[0]
    assert (answer["ok"], answer["refused"], answer["detail"]) == (False, "not-allowed", "viewer: hold")


def test_the_same_order_twice_counts_once(counter, order) -> None:
    given = order("hold", id="a", for_s=60)
    counter.say(given, given)
    counter.second(0)
    counter.say(given.model_copy(update={"issued_s": NOW + 1}))
    counter.second(30)
    assert counter.second(59)[SITE.id].orders[0].left_s == 1, "not from anew"
    assert counter.ids(60) == []
    counter.say(given)
    assert counter.ids(61) == [], "nor after its end"
    assert len(counter.records("order")) == 1
    assert [answer["ok"] for answer in counter.answers()] == [True] * 4


def test_a_replaced_order_does_not_come_back(counter, order) -> None:
    first, second = order("hold", id="a"), order("hold", id="b", actor="minh")
    counter.say(first, order("plan", id="p"), second, first)
    assert counter.ids(0) == ["b", "p"]
    assert [answer["detail"] for answer in counter.answers()] == ["", "", "ends hold a of lan", ""]
    counter.say(order("release", id="r"))
    assert counter.ids(1) == []
    assert counter.answers()[-1]["detail"] == "ends hold b of minh; ends plan p of lan"
    counter.say(order("release", id="r2"))
    counter.second(2)
    assert (counter.answers()[-1]["ok"], counter.answers()[-1]["detail"]) == (True, "")


def test_an_old_order_played_again_has_no_effect(counter, order) -> None:
    given = order("hold", id="a", issued_s=NOW)
    counter.now = NOW + MAX_AGE_S + 1
    counter.say(given)
    assert counter.ids(0) == []
    assert counter.answers()[0]["refused"] == "too-old"
    another = Counter()
    another.began, another.up = 0, 103.0  # this run is 3 s old
    another.now = NOW + 5
    another.say(given)
    assert another.ids(0) == []
    assert another.answers()[0]["refused"] == "before-start"


def test_so_many_datagrams_per_tick_and_the_rest_later(counter, order) -> None:
    counter.say(*(order("release") for _ in range(2 * MAX_PER_TICK + 1)))
    for left in (MAX_PER_TICK + 1, 1, 0):
        counter.second(0)
        assert len(counter.waiting) == left


def test_garbage_is_answered_and_counted_but_not_recorded_one_by_one(counter) -> None:
    for tick in range(2 * COUNT_TICKS + 1):
        counter.say(b"\xff", b"{}", b"")
        counter.second(tick)
    assert {answer["refused"] for answer in counter.answers()} == {"malformed"}
    assert {answer["id"] for answer in counter.answers()} == {None}
    counts = [record["counts"] for record in counter.records("refused")]
    assert counts == [{"order malformed": 3 * (COUNT_TICKS + 1)}, {"order malformed": 3 * COUNT_TICKS}]
    assert not counter.records("order")


def test_what_a_new_start_leaves(counter, order) -> None:
    given = order("hold", id="a")
    counter.say(given)
    counter.second(0)
    counter.desk.forget(1, "elsewhere")
    assert counter.ids(1) == ["a"]
    counter.desk.forget(2, SITE.id)
    here = counter.second(2)[SITE.id]
    assert (here.orders, [one.ending for one in here.ended]) == ((), [Ending.FORGOTTEN])
    counter.say(given)
    assert counter.ids(3) == [], "its id is still known"
    counter.say(order("plan", id="p"))
    counter.second(4)
    counter.desk.restart()
    assert counter.second(5) == {}
    counter.desk.close()
    assert counter.closed


def test_an_intersection_that_is_given_up_takes_no_orders(counter, order) -> None:
    counter.desk.forget(1, SITE.id)
    counter.desk.drop(SITE.id)
    counter.say(order("hold", id="a", for_s=60))
    assert counter.ids(2) == []
    (answer,) = counter.answers()
    assert (answer["ok"], answer["refused"]) == (False, "not-driven")
