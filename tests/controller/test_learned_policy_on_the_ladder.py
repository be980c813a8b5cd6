"""When the learned policy fails, the rule stands in at once; the intersection stays ADAPTIVE and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.agents import registry
from denxanh.agents.encoding import PRESENT, Array, Batch
from denxanh.agents.model_card import ModelCard, write_card
from denxanh.agents.universal import Universal
from denxanh.controller import assembly
from denxanh.controller.chooser import LATE_LIMIT, RETRY_S
from denxanh.controller.codec import encode_input, encode_output
from denxanh.controller.intersection import IntersectionController
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.mode import Mode
from denxanh.controller.post import DECISION_S
from denxanh.controller.record import TickInput, TickOutput
from denxanh.controller.replay import replay
from denxanh.controller.site import CabinetEntry, Endpoint, Site, load, write_site
from denxanh.errors import JournalError, ModelError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.schedule import active_plan
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.config import config_crc
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report, encode_command

CORRIDOR = crossroads_corridor(1)
SITE = CORRIDOR.intersections[0]
START_UP_S = 10
RULES_WORDS = "pressure"


@dataclass
class Scorer:
    """Scores by the vehicles that a stage serves; while it is `ill` it does something else."""

    ill: Callable[[Array], Array] | None = None
    busy_s: float = 0.0
    asked: int = 0
    spent_s: float = 0.0

    def __call__(self, given: Batch) -> Array:
        self.asked += 1
        self.spent_s += self.busy_s
        scores: Array = given.stages[..., PRESENT]
        return scores if self.ill is None else self.ill(scores)


def _raise(_: Array) -> Array:
    raise RuntimeError("out of memory")


ILLNESSES = {
    "raises": _raise,
    "not a number": lambda scores: scores * np.float32(np.nan),
    "one is infinite": lambda scores: np.where(np.arange(scores.shape[1]) == 1, np.inf, scores),
    "no scores at all": lambda scores: scores[:, :0],
}


@dataclass
class Rig:
    """A cabinet and its controller in memory; a decision's time is what its scorer says that it took."""

    controller: IntersectionController
    scorer: Scorer = field(default_factory=Scorer)
    tick: int = 0
    late: bool = False
    outputs: list[TickOutput] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cabinet = VirtualCabinet(SITE, lambda date, second: active_plan(CORRIDOR.schedule, date, second))
        self.lamps: Any = None

    def run(self, seconds: int) -> Rig:
        shape = self.cabinet.layout
        for _ in range(seconds):
            moving = self.tick % 16
            loops = (LoopReading(self.tick // 4, self.tick, False, 0),) * shape.loops
            zones = (ZoneReading(moving, moving // 2, moving / 20, 10.0, False, 0),) * shape.zones
            readings = Readings(loops, zones, (False,) * shape.buttons)
            self.lamps = self.cabinet.tick(23_400 + self.tick, "2026-11-23", readings, self.lamps)
            blocks = self.cabinet.blocks()
            words = (blocks[0][:64], blocks[0][64:], blocks[900], blocks[2500])
            value = TickInput(self.tick, 23_400.0 + self.tick, "2026-11-23", words, None, self.late)
            before = self.scorer.spent_s
            output = self.controller.step(value)
            self.late = self.scorer.spent_s - before > DECISION_S
            if output.command is not None and not self.late:
                self.cabinet.write(encode_command(output.command))
            self.outputs.append(output)
            self.records.append(
                {"k": "tick", "i": SITE.id, "in": encode_input(value), "out": encode_output(output)}
            )
            self.tick += 1
            assert self.cabinet.conflict is None
        return self

    def alarms(self, seconds: int) -> list[tuple[str, str]]:
        return [
            (event.kind, event.cause)
            for output in self.outputs[-seconds:]
            for event in output.events
            if event.kind.startswith("alarm")
        ]


@pytest.fixture
def rig() -> Rig:
    """In ADAPTIVE, under a learned policy in good health."""
    scorer = Scorer()
    controller = IntersectionController(
        CORRIDOR, SITE,
        decode=partial(decode_report, layout=layout(SITE)), config_crc=config_crc(SITE),
        policy=Universal("universal", scorer), rule=registry.policy(assembly.RULE), epoch=5,
    )  # fmt: skip
    made = Rig(controller, scorer).run(START_UP_S + HOLD_OFF_S + 20)
    assert made.cabinet.mode is CabinetMode.ADAPTIVE
    assert "points" in made.outputs[-1].why
    return made


@pytest.mark.parametrize("illness", ILLNESSES.values(), ids=ILLNESSES.keys())
def test_the_rule_stands_in_for_a_policy_that_fails(rig: Rig, illness: Any) -> None:
    rig.scorer.ill = illness
    rig.run(RETRY_S - 10)
    after = rig.outputs[-(RETRY_S - 20) :]
    assert {output.mode for output in rig.outputs[-(RETRY_S - 10) :]} == {Mode.ADAPTIVE}
    assert {output.cause for output in after} == {"policy-error"}
    assert all(RULES_WORDS in output.why for output in after)
    assert all(output.request is not None for output in after)
    assert rig.alarms(RETRY_S - 10) == [("alarm", "policy-error")]
    told = next(e for o in rig.outputs[-(RETRY_S - 10) :] for e in o.events if e.kind == "alarm")
    assert told.text_vi.startswith("chính sách gặp lỗi, dùng luật thay thế: universal ")
    assert len({output.stage for output in after}) > 1, "traffic goes on"


def test_the_policy_comes_back_when_it_is_well(rig: Rig) -> None:
    rig.scorer.ill = _raise
    rig.run(10)
    asked = rig.scorer.asked
    rig.scorer.ill = None
    rig.run(RETRY_S - 20)
    assert rig.scorer.asked == asked, "it is left alone until the hold-off is over"
    rig.run(30)
    assert rig.outputs[-1].cause == "in-charge"
    assert rig.scorer.asked > asked
    assert rig.alarms(100)[-1] == ("alarm-cleared", "policy-error")


def test_a_policy_that_is_always_over_its_time_is_replaced(rig: Rig) -> None:
    rig.scorer.busy_s = 2 * DECISION_S
    rig.run(5 * LATE_LIMIT + 2)
    assert rig.outputs[-1].cause == "policy-over-budget"
    assert RULES_WORDS in rig.outputs[-1].why
    assert rig.alarms(5 * LATE_LIMIT + 2) == [("alarm", "policy-over-budget")]
    rig.run(20)
    assert {output.mode for output in rig.outputs[-30:]} == {Mode.ADAPTIVE}
    assert not rig.late


def test_one_slow_decision_is_forgiven(rig: Rig) -> None:
    rig.scorer.busy_s = 2 * DECISION_S
    while not rig.late:
        rig.run(1)
    rig.scorer.busy_s = 0.0
    rig.run(30)
    assert {output.cause for output in rig.outputs[-30:]} == {"in-charge"}
    assert rig.alarms(40) == []


# -- put together as `run` and `replay` do -----------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path, random_onnx: bytes, make_card: Callable[..., ModelCard]) -> Path:
    path = tmp_path / "m.onnx"
    path.write_bytes(random_onnx)
    write_card(path, make_card(path))
    return path


@pytest.fixture
def site(tmp_path: Path, model: Path) -> Site:
    compiled.dump(CORRIDOR, tmp_path / "compiled.json")
    write_site(
        tmp_path / "SITE.toml",
        corridor="compiled.json",
        state_dir="state",
        policy=f"model:{model.name}",
        cabinets=[CabinetEntry(intersection=SITE.id, host="127.0.0.1", port=502)],
        clock=Endpoint(port=4711),
    )
    (tmp_path / "state").mkdir()
    return load(tmp_path / "SITE.toml")


def _makers(site: Site) -> assembly.Makers:
    assert site.model is not None
    return assembly.makers(site.corridor, site.intersections, site.policy, 1, model=site.model.sha256)


def test_the_model_is_warm_before_the_first_second(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer()
    monkeypatch.setattr(registry, "policy", lambda name, sha256=None: Universal(name, scorer))
    _makers(site)
    assert scorer.asked >= 2, "the decision and its reason"


def test_a_model_that_cannot_decide_is_refused_before_anything_is_sent(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for illness, words in ((_raise, "cannot decide: RuntimeError: out of memory"), (np.log, "not a number")):
        policy = Universal("universal", Scorer(lambda scores, illness=illness: illness(scores * 0 - 1)))  # type: ignore[misc]
        monkeypatch.setattr(registry, "policy", lambda name, sha256=None, policy=policy: policy)
        with np.errstate(invalid="ignore"), pytest.raises(ModelError, match=words):
            _makers(site)


def test_the_rule_that_stands_in_is_another_one() -> None:
    for name, stands_in in (
        (assembly.RULE, assembly.SECOND_RULE),
        (f"{assembly.RULE.partition('@')[0]}@7", assembly.SECOND_RULE),
        ("fixed", assembly.RULE),
    ):
        made = assembly.makers(CORRIDOR, CORRIDOR.intersections, name, 1)[SITE.id]
        assert made.keywords["rule"].name == stands_in  # type: ignore[attr-defined]


def _record(site: Site, seconds: int) -> Path:
    path = site.state_dir / JOURNAL_NAME
    journal = Journal(path)
    journal.append(assembly.opening(site, 1))
    for record in Rig(_makers(site)[SITE.id]()).run(seconds).records:
        journal.append(record)
    journal.close()
    return path


def test_a_learned_policys_decisions_are_replayed(site: Site) -> None:
    path = _record(site, START_UP_S + HOLD_OFF_S + 40)
    result = replay(path)
    assert result.same, result.first_mismatch
    assert "points" in path.read_text(encoding="utf-8")


def test_another_model_is_not_replayed(site: Site, model: Path, make_card: Callable[..., ModelCard]) -> None:
    path = _record(site, 3)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(JournalError, match="its card says"):
        replay(path)
    write_card(model, make_card(model))
    with pytest.raises(JournalError, match=r"the policy is not to be had.*another model"):
        replay(path)
    model.unlink()
    with pytest.raises(JournalError, match="the policy is not to be had"):
        replay(path)


def test_a_journal_that_hides_its_model_is_not_replayed(site: Site) -> None:
    path = site.state_dir / JOURNAL_NAME
    journal = Journal(path)
    record = assembly.opening(site, 1)
    del record["model"]
    journal.append(record)
    journal.close()
    with pytest.raises(JournalError, match="does not say which model decided"):
        replay(path)
