"""The corridors that ship with the package.

The base install reads a corridor from its `compiled.json`; building one from its text files needs SUMO
(`build.py`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from denxanh.errors import CorridorError
from denxanh.networks import compiled, corridor_files
from denxanh.networks.corridor_files import COMPILED
from denxanh.networks.model import Corridor

_FOLDER = Path(__file__).parent / "catalogue"


def names() -> tuple[str, ...]:
    """The names of the catalogue's corridors, sorted."""
    return tuple(sorted(folder.name for folder in _FOLDER.iterdir() if (folder / "corridor.toml").is_file()))


def held_out() -> tuple[str, ...]:
    """The names of the corridors that are kept for evaluation, sorted: nothing may be trained on them.

    Raises:
        CorridorError: the `corridor.toml` of one is wrong.
    """
    return tuple(name for name in names() if corridor_files.read_corridor(_FOLDER / name).held_out)


def path(name: str) -> Path:
    """The folder of a catalogue corridor.

    Raises:
        CorridorError: the catalogue has no such corridor.
    """
    if name not in names():
        raise CorridorError(
            f"the catalogue has no corridor {name!r}",
            where="catalogue",
            fix=f"choose one of {', '.join(names())}, or give a folder that holds a corridor.toml",
        )
    return _FOLDER / name


def folder(name_or_dir: str | Path) -> Path:
    """The folder of a corridor given by its catalogue name, or by a folder that holds a `corridor.toml`.

    A catalogue name wins over a folder of that name; `./NAME` is the folder.

    Raises:
        CorridorError: it is neither.
    """
    if isinstance(name_or_dir, str) and name_or_dir in names():
        return _FOLDER / name_or_dir
    candidate = Path(name_or_dir)
    if (candidate / "corridor.toml").is_file():
        return candidate
    if candidate.is_dir():
        raise CorridorError(
            "the folder has no corridor.toml",
            where=str(candidate),
            fix=f"give a corridor's folder, or one of {', '.join(names())}",
        )
    return path(str(name_or_dir))


def texts(name: str, base: Path) -> Path | None:
    """The folder of the text files of a site's corridor; None for one that has none (it was imported).

    Args:
        name: as the site file says it: a catalogue name, or the path of a `compiled.json`.
        base: where relative paths start.
    """
    if not name.endswith(".json"):
        return path(name)
    file = base / name
    return file.parent if file.name == COMPILED and (file.parent / "corridor.toml").is_file() else None


def load(name_or_path: str | Path) -> Corridor:
    """A built corridor, by its catalogue name, its folder, or its compiled file (`*.json`).

    Raises:
        CorridorError: there is none, it is not built yet, or its file is broken.
    """
    if str(name_or_path).endswith(".json"):
        return compiled.load(Path(name_or_path))
    place = folder(name_or_path)
    if not (place / COMPILED).is_file():
        raise CorridorError(
            f"the corridor is not built: there is no {COMPILED}",
            where=str(place),
            fix=f"run: denxanh network build {place}",
        )
    return compiled.load(place / COMPILED)


@lru_cache(maxsize=16)
def corridor(name: str) -> Corridor:
    """A catalogue corridor, from its `compiled.json`.

    Raises:
        CorridorError: the catalogue has no such corridor, or its file is missing or broken.
    """
    return compiled.load(path(name) / COMPILED)
