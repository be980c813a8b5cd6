"""SUMO's own signal programmes, as unguarded references to compare with.

`sumo-program` is the net's programme as it stands. `sumo-actuated` is SUMO's gap-based actuation of the
same stages, with the limits of the public benchmark.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

from denxanh.networks.sumonet import Programme, read_net, read_programmes

SUMO_PROGRAM = "sumo-program"
SUMO_ACTUATED = "sumo-actuated"
NAMES = (SUMO_PROGRAM, SUMO_ACTUATED)

MIN_GREEN_S = 5.0
"""Shortest actuated green; shorter ones of the programme stay as they are (public benchmark)."""
MAX_GREEN_S = 50.0
"""Longest actuated green (public benchmark)."""
PROGRAM_ID = "denxanh-actuated"


def actuated_xml(net: Path, additional: Iterable[Path], tls: Iterable[str]) -> str:
    """An additional file that makes these signals actuated; SUMO runs the programme that it loads last.

    Args:
        net: the scenario's net.
        additional: the scenario's additional files: a programme there replaces the net's.
        tls: SUMO's ids of the signals.

    Raises:
        NetworkError: a file cannot be read.
    """
    wanted = set(tls)
    programmes = {
        one: programme for one, (*_, programme) in read_net(net).programmes.items() if one in wanted
    }
    for path in additional:
        programmes.update({one.tls: one for one in read_programmes(path) if one.tls in wanted})
    lines = ["<additional>", *(_actuated(one) for one in programmes.values()), "</additional>"]
    return "\n".join(lines) + "\n"


def _actuated(programme: Programme) -> str:
    """One programme with its greens free between the limits."""
    phases = []
    for phase in programme.phases:
        limits = ""
        if is_green(phase.state):
            shortest = min(MIN_GREEN_S, phase.duration_s)
            limits = f' minDur="{shortest:g}" maxDur="{MAX_GREEN_S:g}"'
        phases.append(f'    <phase duration="{phase.duration_s:g}" state="{phase.state}"{limits}/>')
    head = (
        f"  <tlLogic id={quoteattr(programme.tls)} programID={quoteattr(PROGRAM_ID)}"
        f' type="actuated" offset="{programme.offset_s:g}">'
    )
    return "\n".join([head, *phases, "  </tlLogic>"])


def is_green(state: str) -> bool:
    """Whether a programme's phase is a stage: something green and nothing yellow."""
    return "y" not in state and ("G" in state or "g" in state)
