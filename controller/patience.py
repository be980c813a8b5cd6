"""When an alarm is told: raised once it has lasted, cleared once it has been gone for a while; pure.

What is wrong is acted upon in its second, elsewhere (guard, ladder, watch). Only what people are told waits
here, so that one fault is one alarm: a condition that comes and goes would fill their list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from denxanh.controller.alarms import CLEARED, OF_SIGNALS, STARVED, Alarm
from denxanh.controller.ladder import HOLD_OFF_S
from denxanh.controller.record import Event


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for which something must be wrong before it is told, and gone before that is told."""

    raise_s: int = 0
    clear_s: int = 10


PLAIN = Patience()
"""Told at once. Ten seconds: the watchdog's length, in which a flapping link is back (assumed)."""
PATIENCE: Mapping[str, Patience] = {
    # Spillback of a second ends by itself: of 14 in 500 s of seven intersections 11 lasted 1 to 9 s.
    STARVED: Patience(raise_s=20, clear_s=60),
    # They show mostly in ADAPTIVE, from which they lead away: gone is what does not come back after it.
    **dict.fromkeys((cause.value for cause in OF_SIGNALS), Patience(clear_s=HOLD_OFF_S + 15)),
}
"""By an alarm's cause."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One condition. The alarm is as it was raised: its end is told in the same words."""

    alarm: Alarm
    told: bool = False
    seconds: int = 0
    """Not told yet: for which it has been wrong, this one included. Told: for which it has been gone."""


def second(
    before: Mapping[str, Watched], now: Iterable[Alarm]
) -> tuple[dict[str, Watched], tuple[Event, ...]]:
    """One second: what is watched after it, by key, and the events for alarms that are raised and cleared.

    Args:
        before: after the last second.
        now: what is wrong in this one.
    """
    wrong = {alarm.key: alarm for alarm in now}
    watched: dict[str, Watched] = {}
    raised: list[Event] = []
    cleared: list[Event] = []
    for key, alarm in wrong.items():
        one = before.get(key, Watched(alarm))
        if one.told:
            watched[key] = replace(one, seconds=0)
        elif one.seconds >= _patience(alarm).raise_s:
            watched[key] = Watched(alarm, told=True)
            raised.append(Event(alarm.kind, alarm.text_vi, alarm.text_en, alarm.cause))
        else:
            watched[key] = Watched(alarm, seconds=one.seconds + 1)
    for key, one in before.items():
        if key in wrong or not one.told:
            continue
        if one.seconds + 1 >= _patience(one.alarm).clear_s:
            vi, en = CLEARED[0] + one.alarm.text_vi, CLEARED[1] + one.alarm.text_en
            cleared.append(Event("alarm-cleared", vi, en, one.alarm.cause))
        else:
            watched[key] = replace(one, seconds=one.seconds + 1)
    return watched, (*raised, *cleared)


def standing(watched: Mapping[str, Watched]) -> dict[str, Alarm]:
    """The alarms that have been raised and not cleared, by key."""
    return {key: one.alarm for key, one in watched.items() if one.told}


def _patience(alarm: Alarm) -> Patience:
    return PATIENCE.get(alarm.cause, PLAIN)
