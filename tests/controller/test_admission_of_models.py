"""A street is controlled by a model only with a passed gate, or where a person answers for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.agents import registry
from denxanh.agents.model_card import Gate, ModelCard, write_card
from denxanh.controller.journal import JOURNAL_NAME, read_all
from denxanh.controller.run import run
from denxanh.controller.site import CabinetEntry, Endpoint, Site, load, write_site
from denxanh.errors import ModelError, SiteError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads_corridor

CORRIDOR = crossroads_corridor(1)
WHY = "Thử nghiệm có CSGT trực tại nút, 27/11"
MakeCard = Callable[..., ModelCard]
MakeGate = Callable[..., Gate]
Write = Callable[..., Path]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "m.onnx"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    compiled.dump(CORRIDOR, tmp_path / "compiled.json")

    def site(
        policy: str = "model:models/m.onnx", *, simulated: bool = False, ungated: str | None = None
    ) -> Path:
        write_site(
            tmp_path / "SITE.toml",
            corridor="compiled.json",
            state_dir="state",
            policy=policy,
            cabinets=[CabinetEntry(intersection=CORRIDOR.intersections[0].id, host="127.0.0.1", port=9)],
            clock=Endpoint(port=4711) if simulated else None,
            ungated=ungated,
        )
        return tmp_path / "SITE.toml"

    return site


def _refused(path: Path) -> list[str]:
    with pytest.raises(SiteError) as caught:
        load(path)
    return [str(defect).removeprefix(f"{path}: ") for defect in caught.value.defects]


def test_a_model_that_passed_its_gate_controls(
    model: Path, write: Write, make_card: MakeCard, make_gate: MakeGate
) -> None:
    card = make_card(model, gate=make_gate())
    write_card(model, card)
    site = load(write())
    assert site.policy == f"model:{model}", "the path is whole: other processes start elsewhere"
    assert (site.model, site.unfit, site.ungated) == (card, (), None)


def test_a_model_that_no_gate_has_seen_is_refused(model: Path, write: Write, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    (defect,) = _refused(write())
    assert defect.startswith(f"site.policy: {model}: no gate has judged this model")
    assert f"denxanh gate {model}" in defect
    assert "ungated = " in defect


def test_every_reason_of_a_failed_gate_is_named(
    model: Path, write: Write, make_card: MakeCard, make_gate: MakeGate
) -> None:
    gate = make_gate(passed=False, reasons=("slower at night", "one gridlock"))
    write_card(model, make_card(model, gate=gate))
    first, second = _refused(write())
    assert "failed the gate of 2026-11-26: slower at night" in first
    assert "one gridlock" in second


def test_a_person_may_answer_for_it(model: Path, write: Write, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    site = load(write(ungated=f"  {WHY} "))
    assert site.ungated == WHY
    assert site.unfit == ("no gate has judged this model",)


def test_an_answer_that_is_not_needed_any_more_does_not_stop_the_street(
    model: Path, write: Write, make_card: MakeCard, make_gate: MakeGate
) -> None:
    write_card(model, make_card(model, gate=make_gate()))
    assert load(write(ungated=WHY)).unfit == ()


@pytest.mark.parametrize("ungated", ["", "yes", "         x         ", "two\nlines of it"])
def test_an_answer_is_a_sentence(ungated: str, model: Path, write: Write, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    path = write(ungated=WHY)
    path.write_text(
        path.read_text(encoding="utf-8").replace(WHY, ungated.replace("\n", "\\n")), encoding="utf-8"
    )
    assert _refused(path)[0].startswith("site.ungated: ")


def test_a_rule_needs_no_answer(write: Write) -> None:
    assert _refused(write("max-pressure", ungated=WHY)) == [
        "site.ungated: max-pressure is a rule and needs no gate (remove it)"
    ]


def test_a_simulated_street_needs_no_gate(model: Path, write: Write, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    site = load(write(simulated=True))
    assert site.unfit == ("no gate has judged this model",)


@pytest.mark.parametrize(("simulated", "ungated"), [(False, None), (False, WHY), (True, None)])
def test_another_file_is_refused_everywhere(
    simulated: bool,
    ungated: str | None,
    model: Path,
    write: Write,
    make_card: MakeCard,
    make_gate: MakeGate,
) -> None:
    write_card(model, make_card(model, gate=make_gate()))
    model.write_bytes(b"other weights")
    (defect,) = _refused(write(simulated=simulated, ungated=ungated))
    assert defect.startswith(f"site.policy: {model}: the model's SHA-256 is")


def test_the_shipped_model_is_held_to_the_same(
    model: Path, write: Write, make_card: MakeCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SHIPPED", model)
    write_card(model, make_card(model))
    assert "no gate has judged" in _refused(write("universal"))[0]
    monkeypatch.setattr(registry, "SHIPPED", model.parent / "absent.onnx")
    assert "ships no model" in _refused(write("universal"))[0]


def _run_once(path: Path, site: Site) -> list[dict[str, object]]:
    """A run that is asked to end before its first second; its journal."""

    async def once() -> None:
        stop = asyncio.Event()
        stop.set()
        await run(site, stop=stop)

    asyncio.run(once())
    return [record for _, record in read_all(path.parent / "state" / JOURNAL_NAME)]


def test_who_answers_is_in_the_journal_and_so_is_the_model(
    model: Path, write: Write, make_card: MakeCard, random_onnx: bytes
) -> None:
    model.write_bytes(random_onnx)
    card = make_card(model)
    write_card(model, card)
    path = write(ungated=WHY)
    opened, event, *_ = _run_once(path, load(path))
    assert (opened["policy"], opened["model"]) == (f"model:{model}", card.sha256)
    assert (opened["unfit"], opened["ungated"]) == (["no gate has judged this model"], WHY)
    assert event["k"] == "event"
    said = event["event"]
    assert isinstance(said, dict)
    assert (said["kind"], said["cause"]) == ("alarm", "ungated-model")
    assert said["text_vi"] == f"Mô hình chưa qua cổng kiểm định, vẫn được phép điều khiển vì: {WHY}"
    assert said["text_en"].endswith(WHY)


def test_a_gated_model_and_a_rule_raise_no_alarm(
    model: Path, write: Write, make_card: MakeCard, make_gate: MakeGate, random_onnx: bytes
) -> None:
    model.write_bytes(random_onnx)
    write_card(model, make_card(model, gate=make_gate()))
    path = write()
    opened, *others = _run_once(path, load(path))
    assert opened["unfit"] == []
    assert [record["k"] for record in others] == ["close"]
    path = write("max-pressure")
    records = _run_once(path, load(path))
    assert not {"model", "unfit", "ungated"} & records[-2].keys()


def test_a_model_that_was_replaced_after_the_site_was_read_is_not_loaded(
    model: Path, write: Write, make_card: MakeCard, make_gate: MakeGate, random_onnx: bytes
) -> None:
    model.write_bytes(random_onnx)
    write_card(model, make_card(model, gate=make_gate()))
    path = write()
    site = load(path)
    model.write_bytes(random_onnx + b"\0")
    write_card(model, make_card(model))
    with pytest.raises(ModelError, match="another model"):
        _run_once(path, site)
