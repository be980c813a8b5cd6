"""What made a figure: machine, versions, and the very source files that ran."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import denxanh

PACKAGES = ("denxanh", "eclipse-sumo", "libsumo", "numpy", "scipy", "onnxruntime")
PACKAGE = Path(denxanh.__file__).parent
MODELS = "agents/models"
"""Shipped models: data that decides as code does."""
BESIDE = ("denxanh.cli", "denxanh.eval", "denxanh.training")
"""Rooms that a run's outcome does not depend on."""


def versions() -> dict[str, str]:
    """Versions of Python and of what counts here."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int | None]:
    """The processor, its cores and the operating system."""
    return {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform(terse=True)}


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def loaded_code() -> dict[str, str]:
    """Path within the package and SHA-256 of every source file of ours that this process runs on."""
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if name.startswith("denxanh.") and not name.startswith(BESIDE) and path:
            found[Path(path).relative_to(PACKAGE).as_posix()] = _sha(Path(path))
    models = PACKAGE / MODELS
    if models.is_dir():
        found.update({f"{MODELS}/{one.name}": _sha(one) for one in models.iterdir() if one.is_file()})
    return dict(sorted(found.items()))


def digest(code: Mapping[str, str]) -> str:
    """One short name for a state of the code."""
    return hashlib.sha256(repr(sorted(code.items())).encode()).hexdigest()[:12]


def unchanged(code: Mapping[str, str]) -> bool:
    """Whether these files are still as they were."""
    try:
        return all(_sha(PACKAGE / path) == sha for path, sha in code.items())
    except OSError:
        return False


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
