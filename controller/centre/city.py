"""The city's file: what is computed, reported, alarmed and sent. Each room of the centre owns its table."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from denxanh.controller.centre.exports.settings import Exports
from denxanh.controller.centre.feeds.settings import FeedTable
from denxanh.controller.centre.indicators.costs import Costs
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.notify.tables import NotifyTable
from denxanh.errors import CityError


class CityFile(BaseModel):
    """`city.toml` as a whole; every table has defaults, so that a site without the file runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notify: NotifyTable = NotifyTable()
    """Threshold rules, and who is told."""
    feed: tuple[FeedTable, ...] = ()
    """What goes to whom (docs/feeds.md)."""
    exports: Exports = Exports()
    """What stands in every data set beside the data (docs/exports.md)."""
    indicators: Indicators = Indicators()
    costs: Costs = Costs()


def load(path: Path | None) -> CityFile:
    """Read a city's file strictly; without one, the defaults.

    Raises:
        CityError: it cannot be read, or something in it is wrong; all defects at once.
    """
    if path is None:
        return CityFile()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CityError(f"cannot be read: {error}", where=str(path)) from error
    try:
        return CityFile.model_validate(values)
    except ValidationError as error:
        defects = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        )
        raise CityError(defects, where=str(path), fix="docs/city.md has every key") from error
