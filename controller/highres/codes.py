"""The codes of high-resolution events.

Numbers below 300 are those of the Indiana enumerations ("Indiana Traffic Signal Hi Resolution Data Logger
Enumerations", Indiana DOT and Purdue University 2012, as UDOT's ATSPM continues them), those from 300 to 599
are in use with vendors, those from 900 on are our own, for what no signal in Indiana does. Which of them are
told, when, and which never are: docs/high-resolution-events.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

FIRST_OWN: Final = 900
"""Codes from here on are our own."""
OWN_IN_EXPORTS: Final = 1000
"""Added to our own codes in what other programs read: the `atspm` package keeps marks of its own under 901 to
936 (a running call, a green that goes on …) and would take ours for them."""


class Code(IntEnum):
    """One kind of event; `meaning` says in one line what has happened and what the parameter is."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Code:
        """A number that knows its meaning."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    PHASE_ON = 0, "the phase becomes active (phase)"
    BEGIN_GREEN = 1, "green begins, protected or yielding (phase)"
    MIN_COMPLETE = 3, "the minimum green has passed (phase)"
    GAP_OUT = 4, "green ends because nobody needs it any more (phase)"
    MAX_OUT = 5, "green ends because it has lasted as long as it may (phase)"
    FORCE_OFF = 6, "green ends because a plan, a person, a request or the policy ends it (phase)"
    GREEN_TERMINATION = 7, "green ends (phase)"
    BEGIN_YELLOW = 8, "yellow begins (phase)"
    END_YELLOW = 9, "yellow ends (phase)"
    BEGIN_RED_CLEARANCE = 10, "all-red after the phase begins (phase)"
    END_RED_CLEARANCE = 11, "all-red after the phase ends: another may go (phase)"
    PHASE_INACTIVE = 12, "the phase has ended (phase)"
    BEGIN_WALK = 21, "walk begins (pedestrian phase)"
    BEGIN_PED_CLEARANCE = 22, "pedestrian clearance begins (pedestrian phase)"
    BEGIN_DONT_WALK = 23, "steady red begins (pedestrian phase)"
    PED_DARK = 24, "the pedestrian heads are dark or flash yellow (pedestrian phase)"
    CALL_REGISTERED = 43, "a vehicle asks for the phase while it is red (phase)"
    CALL_DROPPED = 44, "the call has been served: green begins (phase)"
    PED_CALL_REGISTERED = 45, "a push button asks for the phase (pedestrian phase)"
    DETECTOR_OFF = 81, "a vehicle detector is no longer occupied (channel)"
    DETECTOR_ON = 82, "a vehicle detector is occupied (channel)"
    DETECTOR_RESTORED = 83, "a detector is believed again (channel)"
    DETECTOR_FAULT_OTHER = 84, "a detector is no longer believed (channel)"
    DETECTOR_FAULT_WATCHDOG = 85, "a detector no longer reports (channel)"
    DETECTOR_FAULT_OPEN = 86, "open loop (channel); never told: no register says it"
    DETECTOR_FAULT_SHORTED = 87, "shorted loop (channel); never told: no register says it"
    DETECTOR_FAULT_EXCESSIVE = 88, "a detector chatters (channel)"
    PED_DETECTOR_OFF = 89, "a push button's call has ended (channel)"
    PED_DETECTOR_ON = 90, "a push button is pressed (channel)"
    PREEMPT_CALL_ON = 102, "a pre-emption begins (always 1)"
    PREEMPT_CALL_OFF = 104, "a pre-emption ends (always 1)"
    PREEMPT_ENTRY = 105, "the centre begins to turn the signals for a pre-emption (always 1)"
    PATTERN_CHANGE = 131, "another plan runs (its number; 254 none, 255 flash, as in NTCIP 1202)"
    CYCLE_CHANGE = 132, "the cycle of the plan that runs (s; 0 none)"
    OFFSET_CHANGE = 133, "the offset of the plan that runs (s)"
    COORD_STATE = 150, "coordination (0 free, 5 second 0 of the plan's cycle)"
    FLASH_STATUS = 173, "flash (NTCIP 1202 unitFlashStatus: 1 other, 2 none, 5 conflict or fault, 7 start-up)"
    MANUAL_CONTROL = 178, "a person holds the signals, by police panel or from the centre (1 begins, 0 ends)"
    POWER_FAILURE = 182, "the cabinet runs on its battery (always 0)"
    POWER_RESTORED = 184, "the cabinet has mains power again (always 0)"
    ALARM_ON = 200, "the cabinet complains (`unit.ALARMS`)"
    ALARM_OFF = 201, "the complaint has ended (`unit.ALARMS`)"
    ACTUAL_SPLIT = (
        300,
        "green, yellow and all-red of phase 1 that have ended (s); 301: phase 2 … 315: phase 16",
    )
    ACTUAL_CYCLE = 316, "from the start of the reference stage before to this one (s)"
    COMM_FAILURES = 500, "polls without a sound answer in the minute that ended, where there were any (count)"
    COMM_POLLS = 501, "polls of that minute (count)"
    ADAPTIVE_ON = 900, "ADAPTIVE begins (0)"
    ADAPTIVE_OFF = 901, "ADAPTIVE ends (the new mode, `unit.MODES`)"
    GUARD_INTERVENED = 902, "the guard did not do what the policy asked (`unit.REFUSALS`)"
    FALLBACK_BEGAN = 903, "something that is wrong has ended ADAPTIVE (the new mode, `unit.MODES`)"
    FALLBACK_ENDED = 904, "ADAPTIVE is back after it (0)"
    LEASE_CHANGED = 905, "the cabinet obeys another run of a controller (its epoch)"
    COMMITTED_STAGE = 906, "it is promised which stage follows (its position + 1)"
    COMMITTED_SECONDS = 907, "… and how long the running green still lasts (s)"
    STAGE_BEGAN = 908, "a stage is green: the interstage is over (its position + 1)"
    LOST = 910, "from here on nobody knows what the signals did (`encoder.Loss`)"
    REGAINED = 911, "from here on it is known again; nothing may be bridged from before (0)"
    FOUND_GREEN = 912, "with 911: the phase is green, since when is not known (phase)"
    BRIDGED = 913, "what changes now was last looked at longer than a second ago (s)"


def exported(code: int) -> int:
    """A code as other programs read it: ours stand from 1900 on."""
    return code + OWN_IN_EXPORTS if code >= FIRST_OWN else code
