"""The demo's city.toml: what an operator's centre would want to be told of, told to nobody outside.

The thresholds are the demo's own (assumed): low enough that a new user sees a notice within minutes of a
morning peak, high enough that a quiet street has none. Without channels a notice stands on its page alone.
"""

from __future__ import annotations

from pathlib import Path

CITY = """# What the demo's centre looks out for (docs/city.md). Without a channel nobody outside is told.

[[notify.rule]]
name = "mat-ket-noi"
what = "alarm"
causes = ["link-lost", "frozen-registers", "fault-watchdog"]
severity = "critical"
for_min = 1

[[notify.rule]]
name = "xung-dot-den"
what = "alarm"
causes = ["cabinet-flash", "cabinet-dark", "fault-conflict"]
severity = "critical"
for_min = 1                  # a cabinet that starts up flashes for seconds

[[notify.rule]]
name = "khong-thich-nghi"
what = "mode"
modes = ["FLASH", "PLAN", "LOCAL"]
severity = "info"            # an operator may want it so
for_min = 5                  # at its start the controller waits a minute before adaptive control

[[notify.rule]]
name = "un-tac"
what = "queue"
over_pcu = 15                # of one approach, mean of the minute
under_pcu = 10               # from there on it is over
for_min = 2

[[notify.rule]]
name = "khong-thoat-xe"
what = "alarm"
causes = ["starved-group"]
for_min = 1

[[notify.rule]]
name = "bo-do-hong"
what = "alarm"
causes = ["detector-*"]
severity = "info"
for_min = 2

[[notify.rule]]
name = "im-lang"
what = "silence"
severity = "critical"
"""


def write_city(path: Path) -> None:
    """Write the file."""
    path.write_text(CITY, encoding="utf-8")
