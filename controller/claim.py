"""Whether this run may drive a cabinet, judged by the epochs that the cabinet reports; pure.

An epoch is raised at each start, but only in its own file: controllers with separate files can hold equal
numbers, and a cabinet cannot tell them apart. So a run's first command must raise the cabinet's epoch; where
that is already as high, somebody else has driven it. Where two raise it in the same second, the number of the
last accepted command says who is in charge (`orders.first_steps`). Who has lost a cabinet does not take it up
again, even if its epoch falls (a replaced cabinet starts at 0): a person restarts the controller that is to
drive it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from denxanh.controller.ladder import Cause


class Claim(StrEnum):
    """This run's standing with one cabinet. It outlives a controller that is built anew within the run."""

    NEW = "new"
    """Nothing has been sent yet."""
    DRIVING = "driving"
    OVERTAKEN = "overtaken"
    """The cabinet has heard a younger controller; for good."""
    FOREIGN = "foreign"
    """Another controller with an equal or higher epoch was there first, or won a tie; for good."""


BARRED: Mapping[Claim, Cause] = {Claim.OVERTAKEN: Cause.LEASE_LOST, Claim.FOREIGN: Cause.EPOCH_TAKEN}
"""Why nothing may be sent."""


def heard(claim: Claim, own: int, reported: int, *, ours: bool = True) -> Claim:
    """The claim after a poll.

    Args:
        claim: before.
        own: this run's epoch.
        reported: the highest that the cabinet has heard.
        ours: whether what it has accepted under our epoch can be a command of ours (`Orders.ours`).
    """
    if claim is Claim.NEW and reported >= own:
        return Claim.FOREIGN
    if claim is Claim.DRIVING and reported > own:
        return Claim.OVERTAKEN
    if claim is Claim.DRIVING and not ours:
        return Claim.FOREIGN
    return claim
