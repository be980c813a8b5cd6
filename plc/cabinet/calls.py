"""The push buttons: a call stays until its walk starts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from denxanh.networks.model import Aspect, DetectorKind, Intersection


class Calls:
    """One cabinet's buttons, in the order of `Intersection.detectors`.

    Attributes:
        pressed: whether each is called.
    """

    def __init__(self, intersection: Intersection) -> None:
        self._served = tuple(d.groups for d in intersection.detectors if d.kind is DetectorKind.BUTTON)
        self._groups = len(intersection.groups)
        self.pressed = (False,) * len(self._served)

    def press(self, buttons: Sequence[bool], aspects: Sequence[Aspect]) -> None:
        """Pressed now; while its walk is shown a button calls nothing."""
        self.pressed = tuple(
            called or (on and all(aspects[group] is not Aspect.WALK for group in groups))
            for called, on, groups in zip(self.pressed, buttons, self._served, strict=True)
        )

    def answer(self, walked: Collection[int]) -> None:
        """The walks of these groups have started."""
        self.pressed = tuple(
            called and not any(group in walked for group in groups)
            for called, groups in zip(self.pressed, self._served, strict=True)
        )

    def groups(self) -> list[bool]:
        """Per signal group, whether it is called."""
        called = [False] * self._groups
        for groups, pressed in zip(self._served, self.pressed, strict=True):
            for group in groups:
                called[group] = called[group] or pressed
        return called
