"""What comes to pass in an exercise and when, by the wall clock; streets are reported to its controller."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from denxanh.cli.demo_files import Folder
from denxanh.cli.output import note
from denxanh.cli.request_words import message_of
from denxanh.controller.priority.client import send, stamp
from denxanh.controller.priority.receiver import SOCKET_NAME
from denxanh.controller.priority.seal import read_key
from denxanh.errors import RequestError, UnreachableError
from denxanh.sim.exercise import Lasted, Script
from denxanh.sim.spec import FaultSpec
from denxanh.sim.streetreport import SOURCE, StreetReport


@dataclass(slots=True)
class Watch:
    """Notes when each lesson begins and ends, as the simulated seconds go by.

    The street does its faults by itself. A street is reported by `report`, again at every look until that is
    true: only then has it begun, or ended.
    """

    script: Script
    report: Callable[[StreetReport, bool], bool]
    lasted: dict[int, Lasted] = field(default_factory=dict)
    """By the lesson's place in the script."""

    def __call__(self, second: float) -> None:
        """So many simulated seconds are over."""
        for place, lesson in enumerate(self.script.lessons):
            fault, known = lesson.fault, self.lasted.get(place)
            over = fault.for_s > 0 and second > fault.at_s + fault.for_s
            if known is None:
                too_late = over and isinstance(fault, StreetReport)
                if second > fault.at_s and not too_late and self._told(fault, on=True):
                    self.lasted[place] = Lasted(time.time())
            elif over and math.isinf(known.ended_s) and self._told(fault, on=False):
                self.lasted[place] = Lasted(known.began_s, time.time())

    def _told(self, fault: FaultSpec | StreetReport, *, on: bool) -> bool:
        return not isinstance(fault, StreetReport) or self.report(fault, on)


def reporter(folder: Folder) -> Callable[[StreetReport, bool], bool]:
    """Sends a report's beginning or end to the run's controller; true once it has been taken."""
    said: set[str] = set()

    def report(one: StreetReport, on: bool) -> bool:
        seq, now_s = stamp()
        message = message_of({**one.message(on=on), "source": SOURCE, "seq": seq, "issued_s": now_s})
        try:
            send(folder.state / SOCKET_NAME, read_key(folder.report_key), message)
        except (RequestError, UnreachableError) as error:
            told = f"{one.target}: {error}"
            if told not in said:
                said.add(told)
                note(told)
            return False
        return True

    return report
