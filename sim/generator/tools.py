"""Running SUMO's net tools, and nets as text that is the same byte for byte."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.sim.session import sumo_binary

TIMEOUT_S = 60
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_PROGRAMME = re.compile(r'    <tlLogic id="([^"]*)".*?</tlLogic>\n', re.DOTALL)


def run_tool(name: str, arguments: Sequence[str]) -> None:
    """Run netconvert or netgenerate.

    Raises:
        MissingExtraError: SUMO is not installed.
        NetworkError: the tool refuses its input or does not end.
    """
    try:
        done = subprocess.run(
            [sumo_binary(name), *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NetworkError(f"{name} did not run: {error}", where="generator") from error
    if done.returncode != 0:
        complaints = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        raise NetworkError(f"{name} refuses: {' '.join(complaints) or done.stderr[-300:]}", where="generator")


def without_comments(path: Path) -> None:
    """Take out SUMO's header comment, which names the date and the paths of this machine."""
    path.write_text(_COMMENT.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")


def replace_programmes(path: Path, programmes: Mapping[str, str]) -> None:
    """Put other `tlLogic` elements in place of a net's own, by signal."""
    text = path.read_text(encoding="utf-8")
    path.write_text(_PROGRAMME.sub(lambda found: programmes.get(found[1], found[0]), text), encoding="utf-8")
