"""A stretch of high-resolution events of one intersection, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events in the order in which they happened; the three arrays have one length, n.

    Attributes:
        at_ms: int64, milliseconds since 1970 UTC by the site's clock, whole tenths of a second, not falling.
        code: int16, one of `codes.Code`, or a code of a newer program.
        parameter: int32, the phase, the detector channel, or what the code says.
    """

    at_ms: NDArray[np.int64]
    code: NDArray[np.int16]
    parameter: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.at_ms.size)
