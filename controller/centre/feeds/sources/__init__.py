"""Every stream that a feed can carry, by the name that configuration and documentation use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from denxanh.controller.centre.feeds.contract import Source
from denxanh.controller.centre.feeds.sources import alarms, audit, events, lane_minutes, quarters, signal_log
from denxanh.networks.model import Corridor

Factory = Callable[[Corridor], Source]
"""Makes a source for one corridor."""

SOURCES: Mapping[str, Factory] = {
    one.NAME: one.source for one in (events, alarms, lane_minutes, quarters, signal_log, audit)
}
