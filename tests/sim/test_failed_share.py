"""A share of detectors that fail at random."""

from __future__ import annotations

import pytest

from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import DetectorKind
from denxanh.sim.faults import DetectorErrors, FaultKind

SITE = crossroads_corridor().intersections


def _broken(seed: int, share: float) -> set[str]:
    errors = DetectorErrors(seed=seed)
    number = errors.fail_share(SITE, share)
    names = {f"{one.id}/{detector.id}" for one in SITE for detector in one.detectors}
    found = {name for name in names if errors.fault(name, 1) is FaultKind.DROPOUT}
    assert len(found) == number
    return found


def test_the_share_is_of_loops_and_zones_and_the_seed_draws_it() -> None:
    able = [
        detector for one in SITE for detector in one.detectors if detector.kind is not DetectorKind.BUTTON
    ]
    some = _broken(3, 0.3)
    assert len(some) == round(0.3 * len(able))
    assert _broken(3, 0.3) == some
    assert any(_broken(seed, 0.3) != some for seed in range(4, 9))


def test_all_and_none() -> None:
    assert _broken(1, 0.0) == set()
    buttons = {
        f"{one.id}/{detector.id}"
        for one in SITE
        for detector in one.detectors
        if detector.kind is DetectorKind.BUTTON
    }
    assert buttons
    assert not _broken(1, 1.0) & buttons


def test_a_share_is_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="share"):
        DetectorErrors().fail_share(SITE, 10)
