"""The gate and the model's card: what the card says against the model, and the verdict written into it.

The controller loads a model only with a passed gate in its card (`agents/model_card.py`).
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from denxanh.agents.model_card import Gate, ModelCard, verify, write_card
from denxanh.errors import ModelError
from denxanh.eval.gate_document import table
from denxanh.eval.gate_types import Reason, Rule, Rules, Verdict


def objections(card: ModelCard, held_out: Sequence[str], rules: Rules) -> Iterator[Reason]:
    """What a card says against its model before anything runs.

    Args:
        card: of the model.
        held_out: names of the corridors that nothing may be trained on.
        rules: whose seeds no training may have drawn.
    """
    seen = [_plain(one) for one in card.data.trained_on]
    if not seen:
        yield Reason(
            Rule.TRAINING, "thẻ không nói đã học trên gì", "the card does not say what it was trained on"
        )
    declared = {_plain(one) for one in card.data.held_out}
    for corridor in held_out:
        name = _plain(corridor)
        if any(name in one for one in seen):
            yield Reason(
                Rule.TRAINING,
                f"đã học trên {corridor}, trục dành riêng để kiểm định",
                f"was trained on {corridor}, which is kept from training",
                corridor,
            )
        elif not any(name in one for one in declared):
            yield Reason(
                Rule.TRAINING,
                f"thẻ không xác nhận rằng {corridor} được giữ riêng",
                f"the card does not say that {corridor} was kept from training",
                corridor,
            )
    shared = sorted(set(card.seeds) & {*rules.seeds, *rules.choosing_seeds})
    if shared:
        seeds = ", ".join(map(str, shared))
        yield Reason(
            Rule.TRAINING, f"seed {seeds} vừa dùng để học vừa để kiểm định", f"seeds {seeds} train and test"
        )


def refused(error: ModelError) -> Reason:
    """A model that cannot be used at all."""
    return Reason(Rule.CARD, f"không dùng được mô hình: {error}", f"the model cannot be used: {error}")


def unwritten(error: ModelError) -> Reason:
    """A verdict that could not be written into the card."""
    return Reason(
        Rule.CARD, f"kết luận không ghi được vào thẻ: {error}", f"the verdict is not in the card: {error}"
    )


def record(model: Path, sha256: str, verdict: Verdict, rules: Rules, today: datetime.date) -> None:
    """Write a verdict into the card of the model that was judged; an older verdict gives way.

    Args:
        model: the file.
        sha256: of the file that ran.
        verdict: what the gate found.
        rules: by which.
        today: date of the verdict.

    Raises:
        ModelError: the file is another one by now, or the card cannot be written.
    """
    card = verify(model)
    if card.sha256 != sha256:
        raise ModelError(
            f"the file was exchanged while the gate ran: it is {card.sha256}, {sha256} was judged",
            where=str(model),
            fix="run the gate again",
        )
    gate = Gate(
        passed=verdict.passed,
        date=today,
        reasons=tuple(str(one) for one in verdict.reasons),
        margin=rules.margin,
        table=tuple(table(verdict)),
    )
    write_card(model, card.model_copy(update={"gate": gate}))


def _plain(name: str) -> str:
    """A name as it would be as an id: `Nguyễn Văn Cừ` and `nguyen_van_cu` are `nguyen-van-cu`."""
    bare = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    letters = "".join(one for one in bare if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
