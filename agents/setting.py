"""A rule at other settings than its own, named on the command line: `NAME@FIRST` or `NAME@FIRST+SECOND`.

| rule | FIRST | SECOND |
|---|---|---|
| greedy rules | decision interval, whole seconds | hysteresis, pcu |
| `actuated` | passage time, seconds | longest green, seconds (0: the guard's) |
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from denxanh.agents.actuated import Actuated
from denxanh.agents.greedy import Greedy
from denxanh.agents.policy import Policy
from denxanh.errors import ConfigError

MARK = "@"
JOIN = "+"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one number of a setting may be; both ends included."""

    what: str
    low: float
    high: float
    example: str
    whole: bool = False

    def read(self, text: str, name: str) -> float:
        """The number.

        Raises:
            ConfigError: it is none, or outside the limits.
        """
        kind = "a whole number" if self.whole else "a number"
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ConfigError(
                f"{self.what} {text!r} is not {kind} from {self.low:g} to {self.high:g}",
                where=f"policy {name}",
                fix=f"such as {name.partition(MARK)[0]}{MARK}{self.example}",
            )
        return value


INTERVAL_S = Limits("decision interval", 1, 120, "10", whole=True)
HYSTERESIS_PCU = Limits("hysteresis", 0, 100, "10+2")
PASSAGE_S = Limits("passage time", 0.5, 30, "3")
MAX_GREEN_S = Limits("longest green", 0, 600, "3+40")


def tuned(rule: Policy, name: str) -> Policy:
    """The rule with the settings that stand behind the mark of its name; it then carries the whole name.

    Args:
        rule: at its own settings.
        name: `rule.name`, the mark, and one or two numbers.

    Raises:
        ConfigError: this rule has no settings, or they are not numbers within their limits.
    """
    given = name.partition(MARK)[2].split(JOIN)
    if not isinstance(rule, Greedy | Actuated):
        raise ConfigError(f"{rule.name} has no settings", where=f"policy {name}", fix=f"write {rule.name}")
    if len(given) > 2:
        raise ConfigError(
            "at most two numbers", where=f"policy {name}", fix=f"such as {rule.name}{MARK}10{JOIN}2"
        )
    if isinstance(rule, Greedy):
        interval = int(INTERVAL_S.read(given[0], name))
        hysteresis = HYSTERESIS_PCU.read(given[1], name) if len(given) > 1 else rule.hysteresis
        return replace(rule, name=name, interval_s=interval, hysteresis=hysteresis)
    passage = PASSAGE_S.read(given[0], name)
    longest = MAX_GREEN_S.read(given[1], name) if len(given) > 1 else rule.max_green_s
    return replace(rule, name=name, passage_s=passage, max_green_s=longest)
