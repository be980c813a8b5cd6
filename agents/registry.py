"""Policies by the name used on the command line; a rule may carry settings (`agents/setting.py`)."""

from __future__ import annotations

from denxanh.agents.actuated import Actuated
from denxanh.agents.fixed import Fixed
from denxanh.agents.greedy import Greedy, present, pressure, queued
from denxanh.agents.policy import Policy
from denxanh.agents.setting import MARK, tuned
from denxanh.errors import ConfigError

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
    """Every policy that `policy` knows."""
    return tuple(_POLICIES)


def policy(name: str) -> Policy:
    """The policy with this name; `most-vehicles@5+3` is that rule at other settings.

    Raises:
        ConfigError: there is none; the message lists those that exist. Or its settings are wrong.
    """
    plain, mark, _ = name.partition(MARK)
    try:
        rule = _POLICIES[plain]
        return tuned(rule, name) if mark else rule
    except KeyError:
        raise ConfigError(
            f"unknown policy {name!r}", where="policy", fix=f"one of {', '.join(names())}"
        ) from None
