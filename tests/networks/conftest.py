"""Small nets, built once per run by SUMO's own tools."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

NetBuilder = Callable[..., Path]


@pytest.fixture(scope="session")
def netgenerate(tmp_path_factory: pytest.TempPathFactory) -> NetBuilder:
    """`netgenerate("--grid", …)` gives the path of a net with signals; equal options give the same file."""
    sumo = pytest.importorskip("sumo", reason="SUMO is not installed (extra `sim`)")
    binary = Path(sumo.SUMO_HOME) / "bin" / "netgenerate"
    built: dict[tuple[str, ...], Path] = {}

    def build(*options: str) -> Path:
        if options not in built:
            path = tmp_path_factory.mktemp("nets") / "streets.net.xml"
            command = [str(binary), *options, "--default-junction-type", "traffic_light", "-o", str(path)]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            built[options] = path
        return built[options]

    return build


@pytest.fixture(scope="session")
def resco() -> Path:
    """The public benchmark nets, which are not part of the project."""
    shared = Path(os.environ.get("DENXANH_SHARED", Path(__file__).parents[3] / "shared"))
    folder = shared / "benchmarks" / "resco"
    if not folder.is_dir():
        pytest.skip(f"no public benchmark nets at {folder} (set DENXANH_SHARED)")
    return folder
