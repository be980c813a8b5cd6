"""Policies by the name used on the command line.

A rule may carry settings (`agents/setting.py`). A learned policy is `universal`, the model that is shipped,
or `model:PATH`; either is used only with its card, whose hash and observation must fit. Whether it may
control a street is another question: its gate answers it (`model_card.refusals`), the controller asks.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from denxanh.agents.actuated import Actuated
from denxanh.agents.fixed import Fixed
from denxanh.agents.greedy import Greedy, present, pressure, queued
from denxanh.agents.model_card import ModelCard, verify
from denxanh.agents.policy import Policy
from denxanh.agents.setting import MARK, tuned
from denxanh.errors import ConfigError, ModelError

UNIVERSAL = "universal"
MODEL = "model:"
SHIPPED = Path(__file__).parent / "models" / "universal.onnx"

_POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Fixed(),
        Actuated(),
        Greedy("max-pressure", pressure, ("áp lực cao hơn", "more pressure")),
        Greedy("longest-queue", queued, ("hàng chờ dài hơn", "a longer queue")),
        Greedy("most-vehicles", present, ("nhiều xe hơn", "more vehicles"), hysteresis=2.0),
    )
}


def names() -> tuple[str, ...]:
    """Every policy that `policy` knows by a plain name; `universal` only where it is shipped."""
    return (*_POLICIES, *((UNIVERSAL,) if SHIPPED.is_file() else ()))


def policy(name: str, *, sha256: str | None = None) -> Policy:
    """The policy with this name; `most-vehicles@5+3` is that rule at other settings.

    A model is loaded once per process.

    Args:
        name: of a rule or a learned policy.
        sha256: the model must be this one.

    Raises:
        ConfigError: there is none; the message lists those that exist. Or its settings are wrong.
        ModelError: the model cannot be used, or is another one.
    """
    model = model_of(name)
    if model is None:
        if sha256 is not None:
            raise ModelError("a rule has no model", where=f"policy {name}")
        return _rule(name)
    card = verify(model)
    if sha256 is not None and card.sha256 != sha256:
        raise ModelError(f"another model: SHA-256 {card.sha256}, wanted is {sha256}", where=str(model))
    return _load(name, model, card.sha256)


def check(name: str) -> ModelCard | None:
    """Find out whether `policy` knows a name, without loading a model.

    Returns:
        The model's card; None for a rule.

    Raises:
        ConfigError: as `policy`.
        ModelError: as `policy`.
    """
    model = model_of(name)
    if model is not None:
        return verify(model)
    _rule(name)
    return None


def is_learned(name: str) -> bool:
    """Whether a name means a model and not a rule."""
    return name.startswith(MODEL) or name.partition(MARK)[0] == UNIVERSAL


def model_of(name: str) -> Path | None:
    """The model file that a name means, absolute; None for the name of a rule or of nothing.

    Raises:
        ConfigError: a model's path is missing, or settings are given to the learned policy.
        ModelError: no model is shipped.
    """
    if name.startswith(MODEL):
        path = name.removeprefix(MODEL)
        if not path:
            raise ConfigError(
                "no model is named", where=f"policy {name}", fix=f"{MODEL}PATH of an .onnx file"
            )
        return Path(path).absolute()
    plain, mark, _ = name.partition(MARK)
    if plain != UNIVERSAL:
        return None
    if mark:
        raise ConfigError(f"{UNIVERSAL} has no settings", where=f"policy {name}", fix=f"write {UNIVERSAL}")
    if not SHIPPED.is_file():
        raise ModelError(
            "this installation ships no model",
            where=f"policy {name}",
            fix=f"name a model of your own, {MODEL}PATH, or a rule: {', '.join(_POLICIES)}",
        )
    return SHIPPED


def anchored(name: str, folder: Path) -> str:
    """The same name with a relative model path starting at `folder`, absolute from then on."""
    path = name.removeprefix(MODEL)
    return f"{MODEL}{(folder / path).absolute()}" if name.startswith(MODEL) and path else name


def _rule(name: str) -> Policy:
    plain, mark, _ = name.partition(MARK)
    if plain not in _POLICIES:
        known = ", ".join((*names(), f"{MODEL}PATH"))
        raise ConfigError(f"unknown policy {name!r}", where="policy", fix=f"one of {known}")
    rule = _POLICIES[plain]
    return tuned(rule, name) if mark else rule


@lru_cache(maxsize=8)
def _load(name: str, model: Path, sha256: str) -> Policy:
    from denxanh.agents.universal import OnnxScorer, Universal

    return Universal(name, OnnxScorer(model, sha256))
