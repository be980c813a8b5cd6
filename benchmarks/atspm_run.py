"""The `atspm` package over one folder of events; run by `atspm_oracle.py` in an environment that has it.

Reads `events.csv` (TimeStamp, DeviceId, EventId, Parameter) and `detectors.csv` (DeviceId, Phase,
Parameter, Function) and writes `atspm.json`: for each measure rows of (device, quarter in ms, phase or
channel, values …).
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

from atspm import SignalDataProcessor

AGGREGATIONS: list[dict[str, Any]] = [
    {"name": "has_data", "params": {"no_data_min": 5, "min_data_points": 3}},
    {"name": "terminations", "params": {}},
    {"name": "actuations", "params": {"fill_in_missing": False}},
    {"name": "arrival_on_green", "params": {"latency_offset_seconds": 0}},
    {"name": "yellow_red", "params": {"latency_offset_seconds": 0}},
    {
        "name": "split_failures",
        "params": {
            "red_time": 5,
            "red_occupancy_threshold": 0.80,
            "green_occupancy_threshold": 0.80,
            "by_approach": True,
            "by_cycle": False,
        },
    },
    {
        "name": "timeline",
        "params": {"min_duration": 0, "cushion_time": 1, "max_event_gap_seconds": None, "maxtime": False},
    },
    {"name": "ped_delay", "params": {}},
    {
        "name": "phase_wait",
        "params": {
            "preempt_recovery_seconds": 0,
            "assumed_cycle_length": 140,
            "skip_multiplier": 1.5,
            "tsp_skip_multiplier": 1.5,
        },
    },
]
BIN = "epoch_ms(time_bucket(interval '15 minutes', {}))"
QUERIES = {
    "terminations": f"""select DeviceId, {BIN.format("TimeStamp")}, Phase, PerformanceMeasure, Total
        from terminations""",
    "actuations": f"select DeviceId, {BIN.format('TimeStamp')}, Detector, Total from actuations",
    "arrivals": f"""select DeviceId, {BIN.format("TimeStamp")}, Phase, Total_Actuations, Percent_AOG
        from arrival_on_green""",
    "entries": f"""select DeviceId, {BIN.format("TimeStamp")}, Phase, Signal_State, sum(Count)
        from yellow_red where Signal_State in (8, 10) group by all""",
    "failures": f"""select DeviceId, {BIN.format("TimeStamp")}, Phase, Split_Failure, Green_Time,
        Green_Occupancy, Red_Occupancy from split_failures""",
    "walks": f"select DeviceId, {BIN.format('TimeStamp')}, Phase, Samples, AvgPedDelay from ped_delay",
    "waits": f"""select DeviceId, {BIN.format("TimeStamp")}, Phase, AvgPhaseWait, MaxPhaseWait, TotalSkips
        from phase_wait""",
    "splits": f"""select DeviceId, {BIN.format("StartTime")}, EventValue, EventClass, count(*), sum(Duration)
        from timeline where EventClass in ('Green', 'Yellow', 'Red') and IsValid group by all""",
}


def main(folder: Path) -> None:
    """Run everything and write what came of it."""
    with SignalDataProcessor(
        raw_data=str(folder / "events.csv"),
        detector_config=str(folder / "detectors.csv"),
        bin_size=15,
        verbose=0,
        remove_incomplete=False,
        aggregations=AGGREGATIONS,
    ) as processor:
        processor.load()
        processor.aggregate()
        found = {name: processor.conn.execute(query).fetchall() for name, query in QUERIES.items()}
    version = importlib.metadata.version("atspm")
    text = json.dumps({"version": version, **found}, default=float)
    (folder / "atspm.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
