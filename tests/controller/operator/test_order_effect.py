"""What the cabinet makes of an order, read from records alone."""

from dataclasses import replace

import pytest

from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.operator.effect import Progress, Watch
from denxanh.errors import JournalError

SIDE = 2


class Follower:
    """A rig whose records are followed for one order."""

    def __init__(self, rig, order) -> None:
        self.rig, self.order = rig, order
        self.watch = Watch(order, rig.site)
        self.seen = [self.watch.effect.progress]

    def give(self):
        self.rig.order(self.order)
        self.take({"k": "order", "t": self.rig.tick, "order": self.order.model_dump(mode="json")})
        return self

    def take(self, record):
        effect = self.watch.take(record)
        if effect.progress is not self.seen[-1]:
            self.seen.append(effect.progress)
        return effect

    def run(self, seconds):
        for _ in range(seconds):
            self.rig.run(1)
            value, output = self.rig.inputs[-1], self.rig.last
            self.take({
                "k": "tick", "i": self.rig.site.id, "in": encode_input(value), "out": encode_output(output),
            })  # fmt: skip
        return self.watch.effect


def test_a_hold_is_done_when_the_stage_is_there_to_stay(rig, order, wants) -> None:
    one = Follower(rig(wants(every=15)).adaptive(), order("hold", stage=SIDE, for_s=90))
    one.run(5)
    assert one.seen == [Progress.UNHEARD], "seconds from before it say nothing of it"
    one.give().run(120)
    assert one.seen == [Progress.UNHEARD, Progress.WAITING, Progress.DONE, Progress.OVER]
    assert one.watch.effect.text_en.startswith("its time is over; the cabinet follows the centre, ")


def test_a_stage_that_is_promised_to_end_is_not_there_to_stay(rig, order, wants) -> None:
    one = Follower(rig(wants(every=15)).adaptive(), order("hold", stage=SIDE, for_s=90))
    while not (one.rig.last.stage == SIDE and one.rig.last.commitment is not None):
        one.rig.run(1)
    left_s = one.rig.last.commitment.end_in_s
    effect = one.give().run(1)
    assert effect.progress is Progress.WAITING
    assert f"stage side, in {left_s - 1} s to " in effect.text_en
    assert f"pha side, sau {left_s - 1} s chuyển sang " in effect.text_vi


def test_a_plan_is_done_when_the_cabinet_runs_it(rig, order) -> None:
    one = Follower(rig().adaptive(), order("plan", plan=2, for_s=600))
    effect = one.give().run(20)
    assert one.seen == [Progress.UNHEARD, Progress.WAITING, Progress.DONE]
    assert effect.text_en.startswith("the cabinet runs the plan that the centre chose: 2, ")
    assert effect.text_vi.startswith("tủ chạy chương trình do trung tâm chọn: 2, ")


def test_a_plan_that_the_cabinet_does_not_hold_is_never_done(rig, order) -> None:
    one = Follower(rig().adaptive(), order("plan", plan=2, for_s=600))
    one.rig.cabinet.load_plans([plan for plan in one.rig.site.plans if plan.number != 2])
    effect = one.give().run(40)
    assert effect.progress is Progress.WAITING
    assert "the cabinet runs its own plan: 1" in effect.text_en


def test_under_a_hold_a_plan_waits_and_replaced_it_is_over(rig, order) -> None:
    one = Follower(rig().adaptive(), order("plan", plan=2, for_s=600))
    one.rig.order(order("hold", for_s=300))
    effect = one.give().run(5)
    assert effect.progress is Progress.WAITING
    assert effect.text_en.endswith("(manual: an operator holds a stage)")
    one.rig.order(order("plan", plan=1))
    assert one.run(1).text_en.startswith("replaced by a later order; ")
    assert one.watch.effect.progress is Progress.OVER


def test_a_silent_cabinet_does_nothing_that_is_known(rig, order) -> None:
    one = Follower(rig().adaptive(), order("hold", stage=0, for_s=300))
    one.give().run(20)
    assert one.watch.effect.progress is Progress.DONE
    one.rig.silent = True
    effect = one.run(1)
    assert effect.progress is Progress.WAITING
    assert effect.text_en.startswith("the cabinet does not answer")


def test_a_release_is_done_when_nothing_is_held_any_more(rig, order) -> None:
    one = Follower(rig().adaptive(), order("release"))
    one.rig.order(order("hold", for_s=300)).run(10)
    effect = one.give().run(1)
    assert effect.progress is Progress.DONE
    assert effect.text_en.endswith("(adaptive: all conditions are good)")


def test_a_release_is_not_done_while_the_cabinet_still_runs_the_plan(rig, order) -> None:
    one = Follower(rig().adaptive(), order("release"))
    one.rig.order(order("plan", plan=2, for_s=600)).run(20)
    first = one.give().run(1)
    assert (first.progress, first.text_en.startswith("the cabinet runs the plan")) == (Progress.WAITING, True)
    assert one.run(20).progress is Progress.DONE
    assert one.watch.effect.text_en.startswith("the cabinet follows the centre, ")


def test_a_release_is_not_done_by_a_cabinet_that_does_not_answer(rig, order) -> None:
    one = Follower(rig().adaptive(), order("release"))
    one.rig.order(order("hold", for_s=300)).run(10)
    one.rig.silent = True
    assert one.give().run(3).progress is Progress.WAITING


def test_a_pre_emption_is_done_like_a_hold(rig, order) -> None:
    one = Follower(rig().adaptive(), order("preempt", stage=SIDE, for_s=80))
    assert one.give().run(60).progress is Progress.DONE


def test_other_records_change_nothing_and_a_new_start_ends_it(rig, order) -> None:
    one = Follower(rig().adaptive(), order("hold", id="mine", for_s=300))
    other = order("hold", id="other").model_dump(mode="json")
    mine = one.order.model_dump(mode="json")
    for record in (
        {"k": "open"}, {}, {"k": "order"}, {"k": "order", "order": other}, {"k": "order", "order": "x"},
        {"k": "order", "order": mine, "refused": "too-old"}, {"k": "tick", "i": one.rig.site.id},
    ):  # fmt: skip
        assert one.take(record).progress is Progress.UNHEARD
    one.give()
    assert one.take({"k": "tick", "i": "elsewhere"}).progress is Progress.WAITING
    with pytest.raises(JournalError):
        one.take({"k": "tick", "i": one.rig.site.id, "in": {}, "out": {}})
    effect = one.take({"k": "open"})
    assert (effect.progress, effect.text_en) == (
        Progress.OVER,
        "the controller has started anew and keeps no orders",
    )


def test_a_cabinet_that_says_nonsense_is_one_that_does_not_answer(rig, order) -> None:
    one = Follower(rig().adaptive(), order("hold", stage=0, for_s=300))
    one.give().run(20)
    value = replace(one.rig.inputs[-1], words=((1, 2, 3),))
    record = {"in": encode_input(value), "out": encode_output(one.rig.last)}
    effect = one.take({"k": "tick", "i": one.rig.site.id, **record})
    assert (effect.progress, effect.text_vi[:17]) == (Progress.WAITING, "tủ không trả lời ")
