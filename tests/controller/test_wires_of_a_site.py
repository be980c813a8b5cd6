"""What a site's words about a cabinet become on the wire."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.controller import plandownload, site
from denxanh.controller.lease import acquire
from denxanh.controller.site import CabinetEntry
from denxanh.controller.wires import BACKUP_WITH_PROMISES_S, settings
from denxanh.errors import LeaseError
from denxanh.networks import compiled
from denxanh.networks.example import crossroads, crossroads_corridor
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.link import LONGEST_S
from denxanh.plc.ntcip.usm_carrier import UserCarrier


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
    spoken = settings(entry, replace(crossroads(), commitment_s=commitment_s))
    assert spoken.backup_s == backup_s
    # Nor where the time is the controller's own (set_backup_time = false).
    assert spoken.longest_s == (BACKUP_WITH_PROMISES_S if commitment_s else LONGEST_S)


async def test_plans_go_to_an_snmpv3_controller_signed_and_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corridor = crossroads_corridor()
    compiled.dump(corridor, tmp_path / "corridor.json")
    for name in ("sign", "encrypt"):
        (tmp_path / name).write_text("can-tho-pass-1\n")
        (tmp_path / name).chmod(0o600)
    entry = CabinetEntry(
        intersection=corridor.intersections[0].id,
        host="127.0.0.1",
        protocol="ntcip",
        snmp="3",
        user="centre",
        sign_file="sign",
        encrypt_file="encrypt",
    )
    path = tmp_path / "SITE.toml"
    site.write_site(path, corridor="corridor.json", state_dir="state", policy="fixed", cabinets=[entry])
    ways: list[object] = []

    class Watched(NtcipCabinet):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            ways.append(self._link._carrier)

        async def download(self, plans: object) -> None:
            """Nobody listens here."""

    monkeypatch.setattr(plandownload, "NtcipCabinet", Watched)
    await plandownload.download(site.load(path), entry.intersection)
    assert [type(way) for way in ways] == [UserCarrier]
    running = acquire(tmp_path / "state", tmp_path / "state" / "epoch")
    with pytest.raises(LeaseError, match="another controller"):
        await plandownload.download(site.load(path), entry.intersection)
    running.release()
    await plandownload.download(site.load(path), entry.intersection)
