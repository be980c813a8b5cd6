"""The cabinet's clock: local date and seconds as the plant gives them, and whether they run evenly."""

from __future__ import annotations

import datetime

TOLERANCE_S = 1
"""The clock may be this far from one second a tick, seconds."""
FAULT_S = 60
"""How long a jump stays visible in the fault bits, seconds."""
UTC_OFFSET_S = 7 * 3600
"""Vietnam, all year."""
SECONDS_PER_DAY = 86_400
EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()


class CabinetClock:
    """Set once per tick; knows nothing of the engine's seconds, which never jump.

    Attributes:
        second_of_day: local second, 0..86399.
    """

    def __init__(self) -> None:
        self.second_of_day = 0
        self._utc: float | None = None
        self._fault_left = 0

    @property
    def utc_s(self) -> int:
        """Seconds since 1970-01-01 UTC; 0 before the first tick."""
        return int(self._utc) if self._utc is not None else 0

    @property
    def faulty(self) -> bool:
        """Whether the clock jumped within the last minute."""
        return self._fault_left > 0

    def set(self, date: str, clock_s: float) -> None:
        """The time at the start of this second.

        Raises:
            ValueError: `date` is no YYYY-MM-DD.
        """
        days = datetime.date.fromisoformat(date).toordinal() - EPOCH_DAY
        utc = days * SECONDS_PER_DAY + clock_s - UTC_OFFSET_S
        self._fault_left = max(0, self._fault_left - 1)
        if self._utc is not None and abs(utc - self._utc - 1) > TOLERANCE_S:
            self._fault_left = FAULT_S
        self._utc = utc
        self.second_of_day = int(clock_s) % SECONDS_PER_DAY
