"""What a site's words about a cabinet become on the wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from denxanh.controller.site import CabinetEntry
from denxanh.controller.wires import BACKUP_WITH_PROMISES_S, settings
from denxanh.networks.example import crossroads


@pytest.mark.parametrize(
    ("watchdog_s", "commitment_s", "backup_s"),
    [
        (10, 8, BACKUP_WITH_PROMISES_S),
        (120, 1, BACKUP_WITH_PROMISES_S),
        (4, 8, 4),
        (10, 0, 10),
        (120, 0, 120),
    ],
)
def test_a_hold_stands_no_longer_alone_where_heads_count_down(
    tmp_path: Path, watchdog_s: int, commitment_s: int, backup_s: int
) -> None:
    community = tmp_path / "community"
    community.write_text("can-tho-try\n")
    community.chmod(0o600)
    entry = CabinetEntry(
        intersection="X1",
        host="h",
        protocol="ntcip",
        community_file=str(community),
        watchdog_s=watchdog_s,
    )
    assert settings(entry, replace(crossroads(), commitment_s=commitment_s)).backup_s == backup_s
