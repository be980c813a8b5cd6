"""Words that several answers of the API share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from denxanh.controller.mode import Mode


class Answer(BaseModel):
    """Base of every answer: says what it says, and nothing that is not described."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Answer):
    """A text for people."""

    vi: str = Field(description="Vietnamese.", examples=["Thích nghi"])
    en: str = Field(description="English.", examples=["adaptive"])


class StageName(Answer):
    """A stage."""

    index: int = Field(ge=0, description="Position in the intersection's stages; orders name stages so.")
    id: str = Field(description="The traffic engineer's name.", examples=["A"])
    name: Words = Field(description="What it lets go; the id again where nobody has named it.")


class Promise(Answer):
    """An irrevocable commitment: countdown heads show it."""

    end_in_s: int = Field(ge=0, description="Seconds of green left.")
    next_stage: int = Field(ge=0, description="The stage that follows.")


class Standing(Answer):
    """An order that stands at an intersection."""

    id: str = Field(description="Its idempotency key.")
    kind: str = Field(description="hold, plan or preempt.", examples=["hold"])
    actor: str = Field(description="Who gave it.", examples=["lan.tran"])
    role: str = Field(description="As what.", examples=["operator"])
    reason: str = Field(description="Why, in that person's words.")
    stage: int | None = Field(description="The stage that it brings.")
    plan: int | None = Field(description="The plan that it sets; null: the schedule's.")
    left_s: int = Field(ge=0, description="Seconds until it ends by itself.")


class ReadBack(Answer):
    """What the cabinet itself says of this second; the centre's wishes are not in it."""

    mode: str = Field(
        description="The cabinet's own mode: start, local-plan, local-actuated, adaptive, manual, flash, "
        "dark, fault, central-plan.",
        examples=["adaptive"],
    )
    stage: int = Field(ge=0, description="Running stage; in an interstage the coming one.")
    stage_elapsed_s: float = Field(ge=0, description="Green so far, seconds; 0 in an interstage.")
    plan: int = Field(ge=0, description="Number of the plan that runs; 0: none.")
    cycle_second: int = Field(ge=0, description="Of the running plan.")
    cycle_s: int = Field(ge=0, description="Length of its cycle, seconds.")
    countdown_s: int = Field(ge=0, description="Committed seconds of green left as the heads show; 0: none.")
    commitment: Promise | None = Field(description="The commitment in the cabinet.")
    aspects: str = Field(
        description="One letter per signal group: r red, y yellow, G protected green, g yielding green, "
        "W walk, C pedestrian clearance, o flashing.",
        examples=["GrgrrW"],
    )
    refusal: str | None = Field(description="Why it refused the last command, if it did.")
    faults: list[str] = Field(description="Faults that it reports.")
    door_open: bool = Field(description="Its door stands open.")
    police_panel: bool = Field(description="The police panel is on: the centre writes nothing.")
    on_ups: bool = Field(description="It runs on its UPS.")


class ModeNow(Answer):
    """Who is in charge, and why."""

    mode: Mode = Field(description="FLASH, MANUAL, PREEMPT, ADAPTIVE, PLAN or LOCAL.")
    name: Words
    cause: str = Field(description="Why this mode; stable.", examples=["in-charge"])
    why: Words
