"""The model card: what a learned model is, how it was made, what it came to, and whether it may control.

A JSON file beside the model with the same stem (`universal.onnx`, `universal.json`). The card names the
model's SHA-256, so a model without its own card is refused, and so is a card without its model. The hash
shows accidents and careless copies; whoever can write the model can write a card, so it is no signature.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, ValidationError, model_validator

from denxanh.errors import ModelError

Text = Annotated[str, Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sentence(_Part):
    """One sentence in both languages."""

    vi: Text
    en: Text


class Data(_Part):
    """What a model has seen, and what it was kept from."""

    trained_on: tuple[Text, ...]
    """Corridors and kinds of generated networks, with their shares."""
    held_out: tuple[Text, ...]
    """Corridors that were never trained on."""


class Algorithm(_Part):
    """How it learned."""

    name: Text
    hyper_parameters: dict[str, JsonValue]


class HeldOutRow(_Part):
    """One policy on one scenario that was never trained on."""

    scenario: Text
    policy: Text
    mean_delay_s: Annotated[float, Field(ge=0.0)]
    """Per vehicle, s."""
    relative: Annotated[float, Field(ge=0.0)]
    """Over the reference policy's mean delay on the same scenario and seeds; below 1 is better."""


class Gate(_Part):
    """What `denxanh gate` found."""

    passed: StrictBool
    date: datetime.date
    reasons: tuple[Text, ...]
    """Every reason for which it failed; empty if it passed."""
    margin: Annotated[float, Field(ge=0.0)]
    """By how much it may be worse than the best fixed plan somewhere, as a share of that plan's delay."""
    table: tuple[dict[str, JsonValue], ...]
    """The rows that were judged."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.passed and self.reasons:
            raise ValueError("a passed gate has no reasons against the model")
        if not self.passed and not self.reasons:
            raise ValueError("a failed gate says why")
        return self


class ModelCard(_Part):
    """Everything about one model file."""

    version: Literal[1] = 1
    """Of the card's own form."""
    name: Text
    observation_schema: Annotated[int, Field(ge=1)]
    """`agents.encoding.SCHEMA` that it was trained with."""
    sha256: Sha256
    """Of the ONNX file."""
    trained: datetime.date
    data: Data
    algorithm: Algorithm
    versions: dict[str, str]
    """Of Python and the packages that made it."""
    seeds: tuple[int, ...]
    steps: Annotated[int, Field(ge=0)]
    """Decisions that it learned from, over all intersections."""
    held_out: tuple[HeldOutRow, ...]
    known_limits: tuple[Sentence, ...]
    gate: Gate | None = None
    """None: no gate has judged this file."""


def card_path(model: Path) -> Path:
    """Where a model's card lies."""
    return model.with_suffix(".json")


def sha256_of(model: Path) -> str:
    """The file's SHA-256, lower-case hex.

    Raises:
        ModelError: it cannot be read.
    """
    return hashlib.sha256(_bytes(model, "the model")).hexdigest()


def read_card(model: Path) -> ModelCard:
    """The card beside a model file.

    Raises:
        ModelError: there is none, or it is not such a card; the message names every wrong field.
    """
    path = card_path(model)
    if path == model:
        raise ModelError("this is a card, not a model", where=str(model), fix="name the .onnx beside it")
    text = _bytes(path, "the model's card")
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        wrong = "; ".join(_defect(item["loc"], item["msg"]) for item in error.errors())
        raise ModelError(
            f"not a model card: {wrong}", where=str(path), fix="train or fetch the model again"
        ) from error


def write_card(model: Path, card: ModelCard) -> None:
    """Write a model's card as a whole: a reader sees the old one or the new one, also after a power cut.

    Raises:
        ModelError: it cannot be written.
    """
    path = card_path(model)
    text = card.model_dump_json(indent=1) + "\n"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}-", delete=False
        ) as scratch:
            try:
                scratch.write(text)
                scratch.flush()
                os.fsync(scratch.fileno())
                Path(scratch.name).chmod(0o644)  # it begins as its owner's alone; the model is for all
                Path(scratch.name).replace(path)
            except BaseException:
                Path(scratch.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ModelError(f"the card cannot be written: {error.strerror}", where=str(path)) from error


def verify(model: Path) -> ModelCard:
    """The card of a model that is whole and fits this program.

    Raises:
        ModelError: model or card cannot be read, the card belongs to another file, or the model was trained
            with another observation; the message says what differs.
    """
    from denxanh.agents.encoding import SCHEMA  # brings numpy, which a controller under a rule never needs

    card = read_card(model)
    found = sha256_of(model)
    if found != card.sha256:
        raise ModelError(
            f"the model's SHA-256 is {found}, its card says {card.sha256}",
            where=str(model),
            fix="fetch model and card together, or train again",
        )
    if card.observation_schema != SCHEMA:
        raise ModelError(
            f"trained with observation schema {card.observation_schema}, this program has {SCHEMA}",
            where=str(model),
            fix="use the version that it was trained with, or train again",
        )
    return card


def refusals(card: ModelCard) -> list[str]:
    """Why this model may not control a street; empty if nothing speaks against it."""
    if card.gate is None:
        return ["no gate has judged this model"]
    return [f"it failed the gate of {card.gate.date}: {reason}" for reason in card.gate.reasons]


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{what} cannot be read: {error.strerror}",
            where=str(path),
            fix="a model is two files with one stem: NAME.onnx and NAME.json",
        ) from error


def _defect(place: tuple[int | str, ...], message: str) -> str:
    field = ".".join(str(part) for part in place)
    return f"{field}: {message}" if field else message
