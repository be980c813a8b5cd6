"""One thing that was looked at: what is so, what should be, how bad that is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is. Stable: `--json` names these."""

    GOOD = "good"
    LOOK = "look"
    """A person must look: it may be meant so, or cannot be seen from here."""
    BAD = "bad"
    """This cabinet cannot be controlled, or not adaptively, until it is mended."""


class Subject(StrEnum):
    """What is looked at. Stable: `--json` names these."""

    LINK = "link"
    IDENTITY = "identity"
    TABLES = "tables"
    PLANS = "plans"
    CLOCK = "clock"
    HEARTBEAT = "heartbeat"
    DETECTORS = "detectors"
    STATE = "state"
    EPOCH = "epoch"
    BACKUP = "backup-time"
    CONTROL = "control-objects"
    OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Finding:
    """Texts are Vietnamese and English; `fix` is empty where nothing is to be done."""

    subject: Subject
    verdict: Verdict
    text_vi: str
    text_en: str
    fix_vi: str = ""
    fix_en: str = ""


TITLES: dict[Subject, tuple[str, str]] = {
    Subject.LINK: ("kết nối", "link"),
    Subject.IDENTITY: ("đúng tủ", "identity"),
    Subject.TABLES: ("bảng thời gian", "tables"),
    Subject.PLANS: ("chương trình", "plans"),
    Subject.CLOCK: ("đồng hồ", "clock"),
    Subject.HEARTBEAT: ("nhịp tủ", "heartbeat"),
    Subject.DETECTORS: ("bộ dò", "detectors"),
    Subject.STATE: ("trạng thái", "state"),
    Subject.EPOCH: ("quyền điều khiển", "who commands"),
    Subject.BACKUP: ("thời gian dự phòng", "backup time"),
    Subject.CONTROL: ("lệnh đang có", "standing orders"),
    Subject.OBJECTS: ("đối tượng", "objects"),
}
"""Vietnamese and English."""


def good(subject: Subject, text_vi: str, text_en: str) -> Finding:
    """As it should be."""
    return Finding(subject, Verdict.GOOD, text_vi, text_en)
