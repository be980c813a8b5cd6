"""What has become of a draft: from which version it was made, who installed it, whether it runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from denxanh.controller.centre.api.models import Answer
from denxanh.controller.centre.api.needs import moment
from denxanh.controller.centre.desk import to_install
from denxanh.controller.centre.parts import Centre
from denxanh.controller.centre.store.rows import Values

Base = Annotated[
    str | None,
    Field(
        pattern=r"^([0-9a-f]{12}|-)$",
        description="The version that it was made from, “-” where there was none; the one in use by default.",
    ),
]


class InstalledView(Answer):
    """Who put a draft into the corridor's folder, and when."""

    by: str
    at: datetime


def installed_view(parts: Centre, row: Values) -> InstalledView | None:
    """Who installed a draft, for people."""
    found = to_install.installed(parts.store, row)
    return None if found is None else InstalledView(by=found.by, at=moment(found.at_ms))


def runs(parts: Centre, target: str, version: str) -> bool | None:
    """Whether the controller runs this version; None: it does not say what it runs."""
    running = parts.feed.running()
    return None if running is None else running.get(target) == version
