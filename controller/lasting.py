"""How long something lasts, and until when, as people say it; pure."""

from __future__ import annotations

from denxanh.controller.wording import Text

TO_THE_SECOND_S = 120
"""What is shorter is told to the second."""
HOURS_MIN = 120
"""From so many minutes on, hours are told."""
_DAY_S = 86_400


def lasts(seconds: int) -> Text:
    """To the second, to the minute, or in hours and minutes."""
    if seconds < TO_THE_SECOND_S:
        return f"{seconds} s", f"{seconds} s"
    minutes = (seconds + 30) // 60
    if minutes < HOURS_MIN:
        return f"{minutes} phút", f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    more_vi, more_en = (f" {minutes} phút", f" {minutes} min") if minutes else ("", "")
    return f"{hours} giờ{more_vi}", f"{hours} h{more_en}"


def until(seconds: int, clock_s: float) -> Text:
    """The local time at which it is over, to the minute; to the second where `lasts` is.

    Args:
        seconds: from now on; less than two days.
        clock_s: now, local seconds since midnight.
    """
    end_s = round(clock_s + seconds)
    at = f"{end_s // 3600 % 24:02d}:{end_s // 60 % 60:02d}"
    if seconds < TO_THE_SECOND_S:
        at = f"{at}:{end_s % 60:02d}"
    later_vi, later_en = (" hôm sau", " the next day") if end_s >= _DAY_S else ("", "")
    return f"đến {at}{later_vi}", f"until {at}{later_en}"
