"""May this policy control? A rule may; a model only with a passed gate, or where a person answers for it.

The model's own card decides (`agents/model_card.py`): its hash must be the file's, its gate passed. On a
simulated street nobody crosses, so there a model needs no gate; the page still says that it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.agents import registry
from denxanh.agents.model_card import ModelCard, refusals
from denxanh.errors import DenXanhError


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against a site's `[site]` table: `field` is the key at fault."""

    field: str
    what: str
    where: str = ""
    fix: str = ""


def admit(
    policy: str, *, simulated: bool, ungated: str | None
) -> tuple[ModelCard | None, tuple[Objection, ...]]:
    """Look at a policy before it may control anything.

    Args:
        policy: its name; a model by an absolute path.
        simulated: the street is a simulation.
        ungated: why a model may control without a passed gate, in a person's words.

    Returns:
        The model's card, None for a rule; and every objection. Without one it may control.
    """
    try:
        card = registry.check(policy)
    except DenXanhError as error:
        where = error.where if registry.is_learned(policy) else ""
        return None, (Objection("policy", error.what, where, error.fix),)
    if card is None:
        if ungated is None:
            return None, ()
        return None, (Objection("ungated", f"{policy} is a rule and needs no gate", fix="remove it"),)
    if simulated or ungated is not None:
        return card, ()
    model = registry.model_of(policy)
    fix = f'pass it: denxanh gate {model}; or answer for it in [site]: ungated = "why it may control"'
    return card, tuple(Objection("policy", one, str(model), fix) for one in refusals(card))
