"""Who is in charge of a cabinet: its faults, the police panel, the centre, or nobody but itself."""

from __future__ import annotations

import logging

from denxanh.plc.cabinet.engine import Engine, Phase
from denxanh.plc.cabinet.programme import Programme
from denxanh.plc.contract import CabinetMode, ModeRequest

log = logging.getLogger(__name__)

_ASKED = {
    ModeRequest.RELEASE: CabinetMode.LOCAL_PLAN,
    ModeRequest.PLAN: CabinetMode.CENTRAL_PLAN,
    ModeRequest.ADAPTIVE: CabinetMode.ADAPTIVE,
}


class Charge:
    """One cabinet's authority.

    Attributes:
        police: whether the police panel is on.
        conflict: why the conflict monitor latched, or None.
        silent: whether it went alone because the centre fell silent.
    """

    def __init__(self, name: str, engine: Engine, programme: Programme) -> None:
        self.police = False
        self.conflict: str | None = None
        self.silent = False
        self._name = name
        self._engine = engine
        self._programme = programme
        self._request = CabinetMode.LOCAL_PLAN
        self._plan = 0

    @property
    def mode(self) -> CabinetMode:
        """Who is in charge."""
        if self.conflict is not None:
            return CabinetMode.FLASH
        if self._engine.phase in (Phase.FLASH, Phase.ALL_RED):
            return CabinetMode.START
        return CabinetMode.MANUAL if self.police else self._request

    @property
    def local(self) -> bool:
        """Whether the centre has no say."""
        return self.mode in (CabinetMode.START, CabinetMode.FLASH, CabinetMode.MANUAL)

    @property
    def central(self) -> bool:
        """Whether a centre drives it, as far as it may."""
        return self._request is not CabinetMode.LOCAL_PLAN

    @property
    def plan(self) -> int | None:
        """The centre's plan, where that is to run."""
        return self._plan if self.mode is CabinetMode.CENTRAL_PLAN else None

    def go_over(self, mode: ModeRequest, plan: int) -> None:
        """To what the centre asks for."""
        request = _ASKED[mode]
        if request is not self._request:
            log.info("%s: %s to %s", self._name, self._request.name, request.name)
            self._programme.leave()
        self._request, self._plan = request, plan

    def alone(self) -> None:
        """Nobody else is in charge any more; its own plan begins anew from what is running."""
        self._request = CabinetMode.LOCAL_PLAN
        self._programme.leave()
