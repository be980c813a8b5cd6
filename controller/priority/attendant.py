"""One intersection's attendant: turns wishes into what the ladder, the policy and the guard hear.

The same on the street and in simulation. It depends on nothing but its own past inputs (G8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from denxanh.controller.estimate import Estimate
from denxanh.controller.mode import Mode
from denxanh.controller.priority import bushelp
from denxanh.controller.priority.closures import PATIENCE_S, Closures, closures, live_request, seen
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.suspension import Suspension, recovery_s
from denxanh.controller.priority.wishes import NOTHING, PreemptWish, Wishes
from denxanh.controller.towards import towards
from denxanh.networks.model import Intersection


@dataclass(frozen=True, slots=True)
class Asked:
    """What to ask the guard for in this second. `help`: set when it is for a bus."""

    request: int | None
    called: tuple[bool, ...]
    help: bushelp.Help | None = None


class Attendant:
    """Keeps what requests have done at one intersection so far.

    Attributes:
        wishes: of this second; `preempt` may be a person's order.
        closures: what closed and held streets mean here now; None: nothing.
        limited: an emergency request is refused because pre-emptions have lasted too long.
    """

    def __init__(self, site: Intersection, settings: Settings) -> None:
        self.wishes = NOTHING
        self.closures: Closures | None = None
        self.limited = False
        self._site = site
        self._settings = settings
        self._suspension = Suspension()
        self._recovery_s = recovery_s(site)
        self._helped = bushelp.Helped()
        self._ignored_s = self._nobody_ignored = (0,) * len(site.groups)

    def hear(self, wishes: Wishes | None, tick: int, ordered: PreemptWish | None = None) -> None:
        """The second's wishes, and the pre-emption that a person orders here."""
        before, heard = self.wishes, wishes or NOTHING
        first = _first(before.preempt, heard.preempt, ordered)
        self.wishes = heard if first is heard.preempt else replace(heard, preempt=first)
        same = self.wishes is before  # mostly: nobody asks anything
        if not same and (before.closed, before.held) != (self.wishes.closed, self.wishes.held):
            self.closures = closures(
                self._site, self.wishes.closed, self.wishes.held, self._settings.limits.hold_back
            )
        self._suspension = self._suspension.at(tick, self._recovery_s)
        self.limited = self.wishes.preempt is not None and not self._left_s(tick)

    def preempt(self, tick: int) -> PreemptWish | None:
        """The pre-emption that may have the intersection in this second."""
        return self.wishes.preempt if self._left_s(tick) else None

    def left_s(self, tick: int) -> int:
        """Seconds after which the present pre-emption ends at the latest, by the request or by the limit."""
        wish = self.wishes.preempt
        return 0 if wish is None else min(wish.left_s, self._left_s(tick))

    def see(self, estimate: Estimate) -> Estimate:
        """The estimate without what is closed."""
        if self.closures is None:
            self._ignored_s = self._nobody_ignored
            return estimate
        told, self._ignored_s = seen(self.closures, estimate, self._ignored_s)
        return told

    @property
    def served_although_closed(self) -> tuple[int, ...]:
        """Groups of closed approaches where traffic has been seen for so long that it is served after all."""
        if self.closures is None:
            return ()
        return tuple(g for g, seconds in enumerate(self._ignored_s) if seconds >= PATIENCE_S)

    def ask(self, mode: Mode, estimate: Estimate, request: int | None, tick: int) -> Asked:
        """What the guard is asked for.

        Args:
            mode: of this second.
            estimate: from `see`.
            request: the policy's.
            tick: now.
        """
        traffic = estimate.traffic
        wish = self.wishes.preempt
        if mode is Mode.PREEMPT and wish is not None:
            self._suspension = self._suspension.second(tick)
            return Asked(*towards(self._site, estimate, wish.stage))
        if mode is not Mode.ADAPTIVE:
            return Asked(None, estimate.called)
        if self.closures is not None and request is not None:
            request = live_request(self.closures, estimate, request)
        self._helped, request, help_ = bushelp.ask(
            self._helped, self.wishes.bus, traffic, request, tick, self._settings.limits
        )
        return Asked(request, estimate.called, help_)

    def _left_s(self, tick: int) -> int:
        return self._suspension.left_s(tick, self._settings.limits.suspend_s)


def _first(
    before: PreemptWish | None, asked: PreemptWish | None, ordered: PreemptWish | None
) -> PreemptWish | None:
    """Of an emergency route and a person's order the one that was there first; of two new ones, the route."""
    if asked is None or ordered is None:
        return asked or ordered
    return ordered if before is not None and before.ordered else asked
