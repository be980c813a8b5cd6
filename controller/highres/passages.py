"""Where in the time between two polls a loop was switched on and off: placed, not measured.

A loop tells how many vehicles have left it and how long it was occupied, not when. The vehicles are spread
evenly over the time, each with an equal share of the occupied time; the order on, off, on, off is kept.
"""

from __future__ import annotations

OFF, ON = False, True


def place(passed: int, occupied: int, on: bool, width: int) -> tuple[list[tuple[int, bool]], bool]:
    """Switches between two polls, and whether the loop is on at their end.

    Args:
        passed: vehicles that have left the loop.
        occupied: how long it was occupied, tenths of a second.
        on: whether a vehicle was on it at the beginning.
        width: time between the polls, tenths of a second, at least 1.

    Returns:
        (tenth, on) in the order of time, 0 <= tenth <= width; each counted vehicle has exactly one off.

    >>> place(1, 4, False, 10)
    ([(3, True), (7, False)], False)
    >>> place(0, 3, False, 10)
    ([(7, True)], True)
    >>> place(1, 2, True, 10)
    ([(2, False)], False)
    """
    occupied = min(occupied, width)
    if passed == 0:
        if occupied == 0:
            return ([(0, OFF)] if on else []), OFF  # it left uncounted, or in less than a tenth
        return ([] if on else [(width - occupied, ON)]), ON
    stays = occupied == width  # whoever left was followed at once
    slots = passed + stays
    share = max(1, round(occupied / slots))
    switches = []
    for vehicle in range(passed):
        begin, end = vehicle * width // slots, (vehicle + 1) * width // slots
        carried = on and vehicle == 0
        came = begin if carried or stays else begin + max(0, end - begin - share) // 2
        if not carried:
            switches.append((came, ON))
        switches.append((max(came, end - 1) if stays else min(came + share, end), OFF))
    if stays:
        switches.append((passed * width // slots, ON))
    return switches, stays
