"""Whether this run may drive a cabinet, judged by the epochs that the cabinet reports; pure.

An epoch is raised at each start, but only in its own file: controllers with separate files can hold equal
numbers, and a cabinet cannot tell them apart. So a run's first command must raise the cabinet's epoch; where
that is already as high, somebody else has driven it. Who has lost a cabinet does not take it up again, even
if its epoch falls (a replaced cabinet starts at 0): a person restarts the controller that is to drive it.
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
    """Another controller with an equal or higher epoch was there first; for good."""


BARRED: Mapping[Claim, Cause] = {Claim.OVERTAKEN: Cause.LEASE_LOST, Claim.FOREIGN: Cause.EPOCH_TAKEN}
"""Why nothing may be sent."""


def heard(claim: Claim, own: int, reported: int) -> Claim:
    """The claim after a poll: `own` is this run's epoch, `reported` the highest the cabinet has heard."""
    if claim is Claim.NEW and reported >= own:
        return Claim.FOREIGN
    if claim is Claim.DRIVING and reported > own:
        return Claim.OVERTAKEN
    return claim
