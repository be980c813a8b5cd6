"""The site folder of a simulated month: its files, and the days' journals into its store.

Every file says that it is simulated: the corridor's name, the reasons why it must never drive a street, the
site file's lock-step clock, without which no site of such a corridor is loaded.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denxanh.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from denxanh.controller.centre.store.recorder import Recorder
    from denxanh.networks.model import Corridor
    from denxanh.sim.day import Day

SITE = """# A simulated site (`denxanh simulate-month`): nothing in its store was measured on a street.
"""
CITY = """# What the city gets of this simulated site (docs/city.md). Every table has defaults.
"""
FIRST_PORT = 50_200
"""Cabinets of a simulated month listen nowhere; a site file wants ports all the same."""
CLOCK_PORT = 50_199
GAUGE, SOURCE = "thuoc-nuoc-mo-phong", "mo-phong"


@dataclass(frozen=True, slots=True)
class MonthFolder:
    """Where everything lies."""

    root: Path

    @property
    def site(self) -> Path:
        """The site file; `denxanh store`, `report` and the console are started with it."""
        return self.root / "site.toml"

    @property
    def city(self) -> Path:
        """What is computed and sent; for whoever tries it to fill."""
        return self.root / "city.toml"

    @property
    def compiled(self) -> Path:
        """The corridor, named as simulated."""
        return self.root / "compiled.json"

    @property
    def state(self) -> Path:
        """With the store."""
        return self.root / "state"

    @property
    def wish(self) -> Path:
        """What the month was made of; going on with another one is refused."""
        return self.root / "simulated.json"

    @property
    def days(self) -> Path:
        """One folder per day: what happened, and the journal until it is stored."""
        return self.root / "days"

    def day(self, day: Day) -> Path:
        """A day's folder."""
        return self.days / day.date


def labelled(corridor: Corridor) -> Corridor:
    """The corridor under a name that cannot be taken for the street's."""
    return replace(
        corridor,
        name_vi=f"{corridor.name_vi} (mô phỏng)",
        name_en=f"{corridor.name_en} (simulated)",
        simulation_only=(*corridor.simulation_only, "its store holds simulated days"),
    )


def prepare(folder: MonthFolder, corridor: Corridor, wish: dict[str, Any]) -> None:
    """Write the site, or make sure that the folder holds this very month.

    Args:
        folder: the month's.
        corridor: labelled as simulated.
        wish: all that the month is made of; `policy` goes into the site file.

    Raises:
        ConfigError: the folder holds another month, or something else.
    """
    text = json.dumps(wish, ensure_ascii=False, indent=1) + "\n"
    if folder.wish.exists():
        if folder.wish.read_text(encoding="utf-8") != text:
            raise ConfigError(
                "holds a month that was made of something else",
                where=str(folder.root),
                fix=f"name another folder, or the options in {folder.wish.name}",
            )
        return
    if folder.root.exists() and any(folder.root.iterdir()):
        raise ConfigError("is not empty", where=str(folder.root), fix="name a new folder")
    folder.state.mkdir(parents=True, exist_ok=True)
    _write_site(folder, corridor, wish["policy"])
    folder.city.write_text(CITY, encoding="utf-8")
    folder.wish.write_text(text, encoding="utf-8")  # last: without it the folder is not begun


def _write_site(folder: MonthFolder, corridor: Corridor, policy: str) -> None:
    from denxanh.controller import site
    from denxanh.controller.console_site import ConsoleTable
    from denxanh.controller.priority.seal import make_key
    from denxanh.networks import compiled

    compiled.dump(corridor, folder.compiled)
    make_key(folder.root / f"{SOURCE}.key")
    site.write_site(
        folder.site,
        corridor=folder.compiled.name,
        state_dir=folder.state.name,
        policy=policy,
        cabinets=[
            site.CabinetEntry(intersection=one.id, host="127.0.0.1", port=FIRST_PORT + place)
            for place, one in enumerate(corridor.intersections)
        ],
        console=ConsoleTable(port=8420, city=folder.city.name),
        clock=site.Endpoint(port=CLOCK_PORT),
    )
    written = folder.site.read_text(encoding="utf-8")
    folder.site.write_text(f"{SITE}{written}\n{_flood(corridor)}", encoding="utf-8")


def _flood(corridor: Corridor) -> str:
    """The site file's tables for the day with a flood: a gauge on a street between two signals, if any."""
    from denxanh.controller.priority.tables import streets

    street = max(streets(corridor).items(), key=lambda item: len(item[1]))[0]
    return (
        f'[flood]\non = true\n\n[[flood.gauge]]\nid = "{GAUGE}"\nlinks = [{json.dumps(street)}]\n\n'
        f'[[source]]\nid = "{SOURCE}"\nkey_file = "{SOURCE}.key"\nmay = ["flood"]\n'
    )


@contextlib.contextmanager
def alone(folder: MonthFolder) -> Iterator[None]:
    """Hold the state folder, as a controller does.

    Raises:
        LeaseError: somebody else holds it.
    """
    from denxanh.controller import lease

    held = lease.acquire(folder.state, folder.state / "epoch")
    try:
        yield
    finally:
        held.release()


class Store:
    """Takes days up in their order, through the very recorder of the centre; each record exactly once.

    Args:
        folder: the month's.
    """

    def __init__(self, folder: MonthFolder) -> None:
        from denxanh.controller import site
        from denxanh.controller.centre.store import archive
        from denxanh.controller.centre.store.recorder import Recorder

        found = site.load(folder.site)
        self.intersections = len(found.intersections)
        self._folder = folder
        self._store = archive.open_store(found.store)
        self._recorder: Recorder = Recorder(self._store, found.corridor)
        self._bookmark = self._recorder.resume()

    def has(self, day: Day) -> bool:
        """Whether all of the day is stored."""
        if self._bookmark is None or self._bookmark.part < day.number:
            return False
        return self._bookmark.part > day.number or not self._journal(day).exists()

    def take(self, day: Day, *, keep: bool = False) -> None:
        """Store a day that is made; the bookmark's part is the day's number.

        Args:
            day: the one after the last that was stored, or that one again after an interruption.
            keep: leave its journal; else it is removed once it is stored.

        Raises:
            StoreError: the database refused, or holds something else, or the day's journal says nothing.
        """
        from denxanh.controller.centre.store.journalreader import JournalReader

        before = self._bookmark
        begun = before if before is not None and before.part == day.number else None
        journal = self._journal(day)
        reader = JournalReader(journal, begun)
        try:
            while True:
                chunk = reader.read()
                if chunk.bookmark is not None:
                    behind = replace(chunk.bookmark, part=day.number)
                    self._recorder.take(chunk.records, behind)
                    self._bookmark = behind
                elif not chunk.more:
                    break
        finally:
            reader.close()
        if self._bookmark is None or self._bookmark.part != day.number:
            raise StoreError(
                "nothing of the day could be stored",
                where=str(journal),
                fix=f"remove {journal.parent} and start again: the day is made anew",
            )
        if not keep:
            journal.unlink()

    @property
    def skipped(self) -> int:
        """Records that the recorder could not read."""
        return self._recorder.skipped

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def _journal(self, day: Day) -> Path:
        from denxanh.controller.journal import JOURNAL_NAME

        return self._folder.day(day) / JOURNAL_NAME
