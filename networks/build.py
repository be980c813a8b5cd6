"""From a corridor's text files to a SUMO net and a compiled corridor.

The net is made by SUMO's netconvert and kept in the user's cache, named by the content that it was made
from; nothing is written into the source tree unless `write_compiled` is asked to. Needs the `sim` extra.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from denxanh.errors import CorridorError, MissingExtraError
from denxanh.networks import catalogue, compiled, corridor_files
from denxanh.networks.assembly import assemble
from denxanh.networks.corridor_files import COMPILED, STREET_FILES, CorridorFiles
from denxanh.networks.model import Corridor
from denxanh.networks.sumonet import read_net

_LOG = logging.getLogger(__name__)

NETCONVERT_OPTIONS = (
    "--proj.utm",
    "--no-turnarounds",
    "true",
    "--junctions.corner-detail",
    "5",
    "--junctions.limit-turn-speed",
    "5.5",
    "--output.street-names",
    "true",
)
NETCONVERT_TIMEOUT_S = 120
HARMLESS_WARNINGS = ("proj.db",)
"""netconvert asks for a projection database that UTM does not need (own measurement on SUMO 1.28)."""


@dataclass(frozen=True, slots=True)
class BuiltCorridor:
    """A built corridor: the SUMO net's file, the compiled corridor, and what netconvert warned of."""

    files: CorridorFiles
    net: Path
    corridor: Corridor
    warnings: tuple[str, ...]


def build(name_or_dir: str | Path, out: Path | None = None) -> BuiltCorridor:
    """Build a corridor's net and compile it.

    Args:
        name_or_dir: a catalogue name, or a corridor's folder.
        out: where to put the net; default: the user's cache, keyed by content.

    Raises:
        CorridorError: the files are wrong; every defect that was found is inside.
        MissingExtraError: SUMO's netconvert is not installed.
    """
    files = corridor_files.read(catalogue.folder(name_or_dir))
    net, warnings = build_net(files.folder, out)
    corridor = assemble(files, read_net(net), warnings)
    return BuiltCorridor(files, net, corridor, warnings)


def write_compiled(built: BuiltCorridor) -> Path:
    """Write the compiled corridor into the corridor's folder, where the base install reads it."""
    target = built.files.folder / COMPILED
    compiled.dump(built.corridor, target)
    return target


def build_net(folder: Path, out: Path | None = None) -> tuple[Path, tuple[str, ...]]:
    """The SUMO net of a corridor's folder and netconvert's warnings; from the cache where it was made before.

    Raises:
        CorridorError: netconvert refuses the files.
        MissingExtraError: netconvert is not installed.
    """
    binary = netconvert()
    key = _content_key(folder, binary)
    cached = cache_folder() / f"{folder.resolve().name}-{key}.net.xml"
    notes = cached.with_suffix(".warnings")
    if not (cached.is_file() and notes.is_file()):
        _convert(folder, binary, cached, notes)
    warnings = tuple(notes.read_text(encoding="utf-8").splitlines())
    for warning in warnings:
        _LOG.warning("%s: netconvert: %s", folder.name, warning)
    if out is None:
        return cached, warnings
    shutil.copyfile(cached, out)
    return out, warnings


def netconvert() -> Path:
    """SUMO's netconvert: from the SUMO wheel, else from SUMO_HOME, else from the path.

    Raises:
        MissingExtraError: there is none.
    """
    try:
        home: str | None = importlib.import_module("sumo").SUMO_HOME
    except ImportError:
        home = os.environ.get("SUMO_HOME")
    if home:
        candidate = Path(home) / "bin" / "netconvert"
        if candidate.is_file():
            return candidate
    found = shutil.which("netconvert")
    if found is None:
        raise MissingExtraError("eclipse-sumo", "sim")
    return Path(found)


def cache_folder() -> Path:
    """Where built nets are kept: `$XDG_CACHE_HOME/denxanh/nets`, by default under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "denxanh" / "nets"


def _content_key(folder: Path, binary: Path) -> str:
    digest = hashlib.sha256()
    for name in STREET_FILES:
        content = (folder / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    stamp = binary.stat()
    digest.update(" ".join(NETCONVERT_OPTIONS).encode())
    digest.update(f"{stamp.st_size}".encode())  # another SUMO release has another binary
    return digest.hexdigest()[:20]


def _convert(folder: Path, binary: Path, target: Path, notes: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "made.net.xml"
        command = [
            str(binary),
            *("-n", str(folder / STREET_FILES[0])),
            *("-e", str(folder / STREET_FILES[1])),
            *("-x", str(folder / STREET_FILES[2])),
            *NETCONVERT_OPTIONS,
            *("-o", str(made)),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=NETCONVERT_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CorridorError(f"netconvert did not run: {error}", where=str(folder)) from error
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines()]
        if done.returncode != 0 or not made.is_file():
            complaints = [line.removeprefix("Error: ") for line in lines if line.startswith("Error")]
            raise CorridorError(
                "netconvert refuses the streets",
                where=str(folder),
                fix="correct the street files",
                defects=[CorridorError(text, where="streets.*.xml") for text in complaints],
            )
        warnings = [
            line.removeprefix("Warning: ")
            for line in lines
            if line.startswith("Warning") and not any(word in line for word in HARMLESS_WARNINGS)
        ]
        noted = Path(scratch) / "made.warnings"
        noted.write_text("".join(f"{line}\n" for line in warnings), encoding="utf-8")
        made.replace(target)
        noted.replace(notes)
