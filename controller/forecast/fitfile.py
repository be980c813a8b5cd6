"""A fit as a small JSON file: what was learned, from which days, with which errors."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from denxanh.controller.forecast.fit import Fitted, Score
from denxanh.controller.forecast.model import FEATURES, HORIZONS_MIN, Weights
from denxanh.controller.forecast.panel import Approach, Floats
from denxanh.controller.forecast.profile import BIN_MIN, BINS
from denxanh.errors import ModelError

FILE_NAME = "forecast.json"
"""In the site's state folder."""
MAX_BYTES = 64 * 2**20
"""Largest file that is read: hundreds of approaches with ten day types need a tenth of it."""

_Ms = Annotated[int, Field(ge=0, le=2**53)]
_Pcu = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1, max_length=128)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Approach(_Form):
    intersection: _Name
    approach: _Name
    lanes: tuple[Annotated[int, Field(ge=0, le=1000)], ...]
    storage_pcu: Annotated[float, Field(gt=0.0, le=1e6)]


class _Score(_Form):
    """`null`: there was no row to measure it on."""

    horizon_min: int
    rows: int = Field(ge=0)
    mae: _Pcu | None
    rmse: _Pcu | None
    persistence_mae: _Pcu | None
    persistence_rmse: _Pcu | None
    profile_mae: _Pcu | None
    profile_rmse: _Pcu | None


class _File(_Form):
    kind: Literal["denxanh-forecast"]
    version: Literal[1]
    corridor: _Name
    begin_ms: _Ms
    end_ms: _Ms
    days: dict[_Name, Annotated[int, Field(ge=1)]]
    known: float = Field(ge=0.0, le=1.0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    horizons_min: tuple[int, ...]
    bin_min: int
    approaches: tuple[_Approach, ...] = Field(min_length=1, max_length=10_000)
    profiles: dict[_Name, list[list[_Pcu | None]]]
    slopes: list[list[list[FiniteFloat]]]
    bands: list[list[list[FiniteFloat | None]]]
    discharge: dict[_Name, tuple[Annotated[float, Field(ge=0.0, le=100.0)], ...]]
    scores: tuple[_Score, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """One file: a fit, and per intersection what each lane usually lets go (pcu per second of green)."""

    fitted: Fitted
    discharge: Mapping[str, tuple[float, ...]]


def save(path: Path, corridor: str, kept: Kept) -> None:
    """Write a fit; a file that is there is replaced as a whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    fitted, weights = kept.fitted, kept.fitted.weights
    whole = {
        "kind": "denxanh-forecast",
        "version": 1,
        "corridor": corridor,
        "begin_ms": fitted.begin_ms,
        "end_ms": fitted.end_ms,
        "days": dict(fitted.days),
        "known": round(fitted.known, 4),
        "sha256": fitted.sha256,
        "horizons_min": list(HORIZONS_MIN),
        "bin_min": BIN_MIN,
        "approaches": [
            {
                "intersection": one.intersection,
                "approach": one.approach,
                "lanes": list(one.lanes),
                "storage_pcu": one.storage_pcu,
            }
            for one in weights.approaches
        ],
        "profiles": {kind: _plain(one.T, 2) for kind, one in weights.profiles.items()},
        "slopes": _plain(weights.slopes, 5),
        "bands": _plain(weights.bands, 4),
        "discharge": {place: [round(rate, 5) for rate in lanes] for place, lanes in kept.discharge.items()},
        "scores": [
            {
                name: _number(getattr(score, name), 4) if name not in ("horizon_min", "rows") else value
                for name, value in ((slot, getattr(score, slot)) for slot in Score.__slots__)
            }
            for score in fitted.scores
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(whole, out, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            out.flush()
            os.fsync(out.fileno())
        Path(scratch).chmod(0o644)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def load(path: Path, corridor: str, approaches: tuple[Approach, ...]) -> Kept:
    """Read a fit for these approaches.

    Raises:
        ModelError: it is not there, is no fit, or was made for other approaches or another version.
    """
    again = f"fit anew: denxanh forecast fit, which writes {FILE_NAME}"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError("is too large for a forecast", where=str(path), fix=again)
        found = _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"there is no forecast: {error.strerror}", where=str(path), fix=again) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"is no forecast: {place}: {first['msg']}", where=str(path), fix=again) from error
    columns = tuple(Approach(**one.model_dump()) for one in found.approaches)
    if found.corridor != corridor or columns != approaches:
        raise ModelError("was fitted for other approaches", where=str(path), fix=again)
    if found.horizons_min != HORIZONS_MIN or found.bin_min != BIN_MIN:
        raise ModelError("was fitted by another version", where=str(path), fix=again)
    count, ahead = len(columns), len(HORIZONS_MIN)
    try:
        weights = Weights(
            columns,
            {kind: _array(one, (count, BINS)).T for kind, one in found.profiles.items()},
            _array(found.slopes, (ahead, count, FEATURES)),
            _array(found.bands, (ahead, count, 2)),
        )
    except ValueError as error:
        raise ModelError(f"is no forecast: {error}", where=str(path), fix=again) from error
    scores = tuple(_score(one) for one in found.scores)
    fitted = Fitted(weights, found.begin_ms, found.end_ms, found.days, found.known, found.sha256, scores)
    return Kept(fitted, found.discharge)


def _score(found: _Score) -> Score:
    errors = found.model_dump(exclude={"horizon_min", "rows"})
    return Score(
        found.horizon_min, found.rows, **{k: math.nan if v is None else v for k, v in errors.items()}
    )


def _array(values: Any, shape: tuple[int, ...]) -> Floats:
    found = np.array(values, dtype=np.float64)
    if found.shape != shape:
        raise ValueError(f"an array has the shape {found.shape}, not {shape}")
    return found


def _plain(values: Floats, digits: int) -> Any:
    """Nested lists for JSON; what is not a number becomes null."""
    if values.ndim:
        return [_plain(one, digits) for one in values]
    return _number(float(values), digits)


def _number(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
