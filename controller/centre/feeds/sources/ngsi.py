"""Entities of NGSI-LD (ETSI GS CIM 009) by the smart data model `TrafficFlowObserved`, in concise form.

The model asks for `id`, `type`, `dateObserved` and one of `location`, `address`, `refRoadSegment`. What we
tell and it does not know has terms of our own, named in the context. Nothing is told that is not measured: no
intensity from queues, no speed, no vehicle type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denxanh.controller.centre.exports.geojson import Drawn
from denxanh.controller.centre.feeds.stamp import stamp
from denxanh.networks.model import Corridor

TYPE = "TrafficFlowObserved"
MODEL = "https://raw.githubusercontent.com/smart-data-models/dataModel.Transportation/master/context.jsonld"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
TERMS = "urn:denxanh:terms:"
OWN = (
    "queueMean",
    "queueMax",
    "movingMean",
    "confidence",
    "signalGroup",
    "knownSeconds",
    "arrivalsOnGreen",
    "yellowEntries",
    "redEntries",
)
CONTEXT: Sequence[Any] = (MODEL, {name: TERMS + name for name in OWN}, CORE)
"""The core context comes last, so that nobody can redefine it (GS CIM 009, 5.5.7)."""


class Entities:
    """Makes entities of one corridor's approaches."""

    def __init__(self, corridor: Corridor) -> None:
        drawn = Drawn(corridor)
        self._lines = {
            (one.id, lane.approach): drawn.line(one.id, lane.approach)
            for one in corridor.intersections
            for lane in one.lanes
        }

    def entity(
        self, intersection: str, part: str, approach: str, begin_ms: int, end_ms: int, said: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One observation; what is None in `said` is left out.

        Args:
            intersection: where.
            part: of it, which is observed: a lane or a signal group.
            approach: the edge that is observed.
            begin_ms: of the observation.
            end_ms: of it.
            said: further attributes.
        """
        line = self._lines.get((intersection, approach))
        known = {"location": line, **said}
        return {
            "id": f"urn:ngsi-ld:{TYPE}:{intersection}:{part}",
            "type": TYPE,
            "dateObserved": stamp(end_ms),
            "dateObservedFrom": stamp(begin_ms),
            "dateObservedTo": stamp(end_ms),
            "refRoadSegment": f"urn:ngsi-ld:RoadSegment:{approach}",
            **{name: value for name, value in known.items() if value is not None},
            "@context": list(CONTEXT),
        }
